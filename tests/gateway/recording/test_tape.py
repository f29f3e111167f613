"""Where sound stands on the tape, by instants alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.recording.tape import Tape

MS = 8
START_S = 1000.0
QUIET = b"\xff"


def piece(letter: str, length_ms: int = 20) -> bytes:
    return letter.encode() * (length_ms * MS)


def tracks(both: bytes) -> tuple[str, str]:
    """Left and right, one letter for each 20 ms; `.` is silence."""
    sides = np.frombuffer(both, np.uint8).reshape(-1, 2).T
    return tuple(
        "".join("." if side[at] == 0xFF else chr(side[at]) for at in range(0, len(side), 20 * MS))
        for side in sides
    )  # type: ignore[return-value]


def test_the_caller_is_left_and_the_agent_right() -> None:
    tape = Tape(START_S)
    tape.caller(piece("a"), 20, START_S + 0.02)
    tape.caller(piece("b"), 40, START_S + 0.04)
    tape.agent(piece("x", 40), START_S + 0.06)
    assert tracks(tape.take(START_S + 0.12)) == ("ab....", "...xx.")


def test_what_the_agent_says_ahead_of_time_stands_where_it_is_played() -> None:
    tape = Tape(START_S)
    for letter in "xyz":
        tape.agent(piece(letter, 40), START_S + 0.02)
    assert tracks(tape.take(START_S + 0.06)) == ("...", ".xx")
    assert tracks(tape.take(START_S + 0.18)) == ("......", "yyzz..")


def test_what_a_clear_drops_is_not_on_the_tape() -> None:
    """400 ms are sent at once; the caller speaks up after 60 of them."""
    tape = Tape(START_S)
    tape.agent(piece("x", 400), START_S)
    tape.cleared(START_S + 0.06)
    tape.agent(piece("y"), START_S + 0.1)
    assert tracks(tape.take(START_S + 0.14)) == (".......", "xxx..y.")


def test_a_late_network_moves_nothing() -> None:
    """The second piece is held back for 100 ms and comes with those behind it."""
    tape = Tape(START_S)
    tape.caller(piece("a"), 0, START_S + 0.02)
    for number, letter in enumerate("bcdef", 1):
        tape.caller(piece(letter), number * 20, START_S + 0.12)
    assert tracks(tape.take(START_S + 0.14))[0] == "abcdef."


def test_a_first_piece_that_was_late_is_put_right_by_the_next() -> None:
    tape = Tape(START_S)
    tape.caller(piece("a"), 20, START_S + 0.12)
    tape.caller(piece("b"), 40, START_S + 0.12)
    tape.caller(piece("c"), 60, START_S + 0.12)
    assert tracks(tape.take(START_S + 0.14))[0] == "...abc."


def test_pieces_out_of_order_stand_in_order() -> None:
    tape = Tape(START_S)
    for letter, stamp in (("a", 20), ("c", 60), ("b", 40)):
        tape.caller(piece(letter), stamp, START_S + 0.06)
    assert tracks(tape.take(START_S + 0.08))[0] == "abc."


def test_a_gap_in_the_timestamps_is_silence() -> None:
    tape = Tape(START_S)
    tape.caller(piece("a"), 20, START_S + 0.02)
    tape.caller(piece("d"), 80, START_S + 0.08)
    assert tracks(tape.take(START_S + 0.1))[0] == "a..d."


def test_pieces_without_timestamps_follow_one_another_and_a_pause_is_noticed() -> None:
    tape = Tape(START_S)
    tape.caller(piece("a"), 0, START_S + 0.02)
    tape.caller(piece("b"), 0, START_S + 0.04)
    for number in range(60):
        tape.caller(piece("c"), 0, START_S + 2.02 + number * 0.02)
    left = tracks(tape.take(START_S + 3.4))[0]
    assert left.startswith("ab")
    assert left.rstrip(".").endswith("c" * 10)
    assert len(left.rstrip(".")) == round(3.2 / 0.02)


def test_what_was_taken_stays_as_it_was() -> None:
    tape = Tape(START_S)
    tape.caller(piece("a"), 20, START_S + 0.02)
    assert tracks(tape.take(START_S + 0.06))[0] == "a.."
    tape.caller(piece("b", 60), 40, START_S + 0.1)  # all but its last third is too late
    tape.cleared(START_S + 0.04)
    assert tracks(tape.take(START_S + 0.08))[0] == "b"
    assert tape.take(START_S + 0.08) == b""


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["caller", "agent", "clear", "take"]),
        st.integers(0, 2_000),
        st.integers(0, 10**15),
        st.integers(0, 300),
    ),
    max_size=60,
)


@given(STEPS)
def test_the_tape_is_as_long_as_the_call_whatever_the_carrier_says(
    steps: list[tuple[str, int, int, int]],
) -> None:
    tape, now_s, taken = Tape(START_S), START_S, 0
    for what, after_ms, stamp_ms, length_ms in steps:
        now_s += after_ms / 1000
        match what:
            case "caller":
                tape.caller(piece("a", length_ms), stamp_ms, now_s)
            case "agent":
                tape.agent(piece("x", length_ms), now_s)
            case "clear":
                tape.cleared(now_s)
            case "take":
                taken += len(tape.take(now_s))
        spoken_ms = sum(each[3] for each in steps)
        assert tape.held_samples <= (now_s - START_S) * 8000 + spoken_ms * MS + 1
    taken += len(tape.take(now_s))
    assert taken // 2 == pytest.approx((now_s - START_S) * 8000, abs=1)
