"""Ten thousand calls from random callers, and none breaks a rule."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.turn.machine import CLOSED, TRANSITIONS, State, TurnMachine
from pipeline.turn.protocol import LineLost, TimePassed
from tests.pipeline.turn.simulation import SimulatedCall

CALLS = 10_000


def test_ten_thousand_calls_keep_the_rules() -> None:
    ends: Counter[str] = Counter()
    states: set[State] = set()
    for seed in range(CALLS):
        call = SimulatedCall(seed)
        call.run()
        assert call.ended is not None
        ends[call.ended.reason] += 1
        states |= call.states
    assert states == set(State)
    assert ends.keys() == {
        "goodbye",
        "silence",
        "time_limit",
        "stt_failed",
        "replies_failed",
        "caller_hung_up",
    }, ends


@settings(max_examples=300, deadline=None)
@given(st.integers(min_value=CALLS))
def test_so_does_any_other_call(seed: int) -> None:
    SimulatedCall(seed).run()


def test_every_entry_of_the_table_has_its_handler() -> None:
    for entries in TRANSITIONS.values():
        for handler, followers in entries.values():
            assert callable(getattr(TurnMachine, handler))
            assert followers


def test_every_state_can_end_and_none_leaves_the_end() -> None:
    for state, entries in TRANSITIONS.items():
        if state is CLOSED:
            assert not entries
        else:
            assert CLOSED in entries[LineLost][1]
        assert state in (State.IDLE, CLOSED) or TimePassed in entries
