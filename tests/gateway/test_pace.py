"""Pacing: the schedule alone, by given instants; then a line that goes by it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.carriers.vonage import BUFFER_FRAMES, FRAME_MS, VonageCodec
from gateway.outbound import STALLED, Outbound
from gateway.pace import Pace
from gateway.paced import PacedLine
from gateway.routes.vonage import LEAD_S
from pipeline.errors import LineClosed

FRAME_S, LEAD = 0.02, 10


class Peer:
    """Plays a frame every 20 ms from when it gets one, never faster, as the carrier does."""

    def __init__(self) -> None:
        self.played_at_s = 0.0
        self.most_held = 0
        self.gaps_s = 0.0

    def gets(self, now_s: float) -> None:
        self.gaps_s += max(0.0, now_s - self.played_at_s)
        self.played_at_s = max(self.played_at_s, now_s) + FRAME_S
        self.most_held = max(self.most_held, round((self.played_at_s - now_s) / FRAME_S))


def sent_to(peer: Peer, pace: Pace, frames: int, stalls_s: list[float]) -> float:
    """Send so many frames as early as they are due; each stall holds one up. When the last one went."""
    now_s = 0.0
    for number in range(frames):
        now_s += pace.wait_s(now_s) + (stalls_s[number] if number < len(stalls_s) else 0.0)
        pace.sent(now_s)
        peer.gets(now_s)
    return now_s


@given(st.lists(st.sampled_from([0.0, 0.0, 0.001, 0.019, 0.15, 0.3]), max_size=200))
def test_the_peer_never_holds_more_than_the_lead(stalls_s: list[float]) -> None:
    peer = Peer()
    sent_to(peer, Pace(FRAME_S, LEAD * FRAME_S), 250, stalls_s)
    assert peer.most_held <= LEAD


@given(st.integers(20, 220), st.floats(0.0, (LEAD - 1) * FRAME_S))
def test_a_stall_within_the_lead_is_not_heard_and_leaves_no_delay(at: int, stall_s: float) -> None:
    peer, pace = Peer(), Pace(FRAME_S, LEAD * FRAME_S)
    last_s = sent_to(peer, pace, 250, [0.0] * at + [stall_s])
    assert peer.gaps_s == 0.0
    assert peer.played_at_s == pytest.approx(250 * FRAME_S)
    assert last_s <= (250 - LEAD) * FRAME_S + stall_s + 1e-9


def test_the_first_frames_go_at_once_and_the_rest_as_they_are_played() -> None:
    pace = Pace(FRAME_S, 3 * FRAME_S)
    for _ in range(3):
        assert pace.wait_s(5.0) == 0
        pace.sent(5.0)
    assert pace.wait_s(5.0) == pytest.approx(FRAME_S)
    assert pace.held_s(5.0) == pytest.approx(3 * FRAME_S)
    assert pace.wait_s(5.021) == 0
    pace.cleared()
    assert (pace.wait_s(5.0), pace.held_s(5.0)) == (0, 0)


def test_hours_of_speech_do_not_drift() -> None:
    pace, now_s = Pace(FRAME_S, 0.2), 0.0
    for _ in range(500_000):
        now_s += pace.wait_s(now_s)
        pace.sent(now_s)
    assert now_s == pytest.approx(500_000 * FRAME_S - 0.2, abs=1e-3)


def test_a_lead_below_a_frame_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="lead"):
        Pace(FRAME_S, FRAME_S / 2)


def test_vonage_holds_more_than_it_is_ever_sent() -> None:
    assert LEAD_S / (FRAME_MS / 1000) < BUFFER_FRAMES / 2


# --- the line -----------------------------------------------------------------------------------------------


@dataclass
class Carrier:
    """The peer's end of a socket: frames and texts as they came, in order; its own clock moves by hand."""

    now_s: float = 0.0
    got: list[bytes | str] = field(default_factory=list)
    closed: list[tuple[int, str | None]] = field(default_factory=list)
    gone: bool = False
    reads: bool = True
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def send_text(self, data: str) -> None:
        if self.gone:
            raise RuntimeError("closed")
        self.got.append(data)

    async def send_bytes(self, data: bytes) -> None:
        if self.gone:
            raise RuntimeError("closed")
        if not self.reads:
            await asyncio.Event().wait()
        self.got.append(data)
        self.news.set()
        self.news.clear()

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        self.closed.append((code, reason))

    @property
    def frames(self) -> int:
        return sum(isinstance(each, bytes) for each in self.got)


async def _nothing(_reason: str) -> None:
    return None


@asynccontextmanager
async def paced(carrier: Carrier) -> AsyncIterator[PacedLine]:
    line = PacedLine(
        Outbound(carrier, VonageCodec().encode, _nothing), Pace(FRAME_S, 0.2), lambda: carrier.now_s
    )
    sending = asyncio.create_task(line.run())
    yield line
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def settled(carrier: Carrier, frames: int) -> None:
    """What is due has gone, and after that nothing more has."""
    async with asyncio.timeout(20):
        while carrier.frames < frames:
            await carrier.news.wait()
    await asyncio.sleep(0.15)
    assert carrier.frames == frames


async def test_more_than_the_lead_waits_here_and_keeps_its_marks_in_place() -> None:
    carrier = Carrier()
    async with paced(carrier) as line:
        await line.play(bytes(160 * 8))
        await line.mark("t1")
        await line.play(bytes(160 * 4 + 50))
        await line.mark("t2")
        await settled(carrier, 10)
        assert [index for index, each in enumerate(carrier.got) if isinstance(each, str)] == [8]
        carrier.now_s = 1.0
        await settled(carrier, 13)  # the last one is filled up
        assert {len(each) for each in carrier.got if isinstance(each, bytes)} == {320}
        assert "t2" in str(carrier.got[-1])


async def test_a_clear_goes_at_once_and_nothing_of_what_waited_follows_it() -> None:
    carrier = Carrier()
    async with paced(carrier) as line:
        await line.play(b"\x10" * 160 * 100)
        await line.mark("t1")
        await settled(carrier, 10)
        await line.clear()
        assert carrier.got[-1] == '{"action":"clear"}'
        await line.play(b"\x90" * 160 * 3)  # at the same instant: the carrier holds nothing any more
        await settled(carrier, 13)
        assert len(set(carrier.got[-3:])) == 1
        assert not any("t1" in each for each in carrier.got if isinstance(each, str))


@pytest.mark.parametrize(
    ("fault", "reason"), [({"gone": True}, "socket_closed"), ({"reads": False}, STALLED)]
)
async def test_a_socket_that_takes_no_more_ends_the_sending_and_refuses_what_follows(
    fault: dict[str, bool], reason: str
) -> None:
    carrier = Carrier()
    line = PacedLine(
        Outbound(carrier, VonageCodec().encode, _nothing, send_s=0.05),
        Pace(FRAME_S, 0.2),
        lambda: carrier.now_s,
    )
    await line.play(bytes(160 * 20))
    assert carrier.frames == 10  # without a task that sends
    for name, value in fault.items():
        setattr(carrier, name, value)
    carrier.now_s = 1.0
    with pytest.raises(LineClosed):
        await line.run()
    assert line.closed == reason
    with pytest.raises(LineClosed):
        await line.play(bytes(160))


async def test_what_waits_is_given_up_with_the_call() -> None:
    carrier = Carrier()
    async with paced(carrier) as line:
        await line.play(bytes(160 * 100))
        await settled(carrier, 10)
        await line.hang_up("goodbye")
        carrier.now_s = 60.0
        await settled(carrier, 10)
        assert carrier.closed == [(1000, "goodbye")]
    assert line.closed == "goodbye"


async def test_ten_minutes_of_speech_at_once_are_a_defect() -> None:
    line = PacedLine(Outbound(Carrier(), VonageCodec().encode, _nothing), Pace(FRAME_S, 0.2), lambda: 0.0)
    with pytest.raises(LineClosed, match="too_far_ahead"):
        await line.play(bytes(160 * 50 * 601))


# --- minutes of a call --------------------------------------------------------------------------------------

_MOVES = st.lists(
    st.tuples(st.just("play"), st.integers(1, 160 * 400))
    | st.tuples(st.just("mark"), st.just(0))
    | st.tuples(st.just("clear"), st.just(0))
    | st.tuples(st.just("wait"), st.sampled_from([1, 7, 20, 133, 900, 6_000])),
    max_size=60,
)


@dataclass
class Stretch:
    """Of one line between two clears: how many frames, and how many of them came before each mark."""

    frames: int = 0
    marks: dict[str, int] = field(default_factory=dict)


@given(_MOVES)
def test_whatever_is_said_cleared_and_stalled_each_mark_goes_once_behind_its_audio(
    moves: list[tuple[str, int]],
) -> None:
    """In the end all that was asked for since the last clear; before one, some of it from its beginning."""
    got, asked = asyncio.run(_carried_out(moves))
    for sent, wanted in zip(got, asked, strict=True):
        assert list(sent.marks.items()) == list(wanted.marks.items())[: len(sent.marks)]
        assert sent.frames <= wanted.frames
    assert got[-1] == asked[-1]


async def _carried_out(moves: list[tuple[str, int]]) -> tuple[list[Stretch], list[Stretch]]:
    """What the carrier got and what was asked for, from clear to clear."""
    carrier, rest = Carrier(), 0
    line = PacedLine(
        Outbound(carrier, VonageCodec().encode, _nothing), Pace(FRAME_S, LEAD_S), lambda: carrier.now_s
    )
    asked = [Stretch()]
    for number, (move, much) in enumerate([*moves, ("mark", 0), *[("wait", 4_000)] * 130]):
        match move:
            case "play":
                asked[-1].frames += (rest + much) // 160
                rest = (rest + much) % 160
                await line.play(bytes([0x10]) * much)
            case "mark":
                asked[-1].frames += rest > 0
                asked[-1].marks[f"m{number}"] = asked[-1].frames
                rest = 0
                await line.mark(f"m{number}")
            case "clear":
                asked.append(Stretch())
                rest = 0
                await line.clear()
            case _:
                carrier.now_s += much / 1000
                await line.play(b"")
    return _got(carrier), asked


def _got(carrier: Carrier) -> list[Stretch]:
    got = [Stretch()]
    for message in carrier.got:
        if isinstance(message, bytes):
            assert len(message) == 320
            got[-1].frames += 1
        elif "clear" in message:
            got.append(Stretch())
        else:
            name = message.partition('"mark":"')[2].partition('"')[0]
            assert name not in got[-1].marks
            got[-1].marks[name] = got[-1].frames
    return got
