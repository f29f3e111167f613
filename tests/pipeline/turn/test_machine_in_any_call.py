"""A hundred thousand calls from random callers, and none breaks a rule.

pytest tests/pipeline/turn/test_machine_in_any_call.py --simulated-calls 1000000
A call that broke a rule is played again, the same to the last event, by `SimulatedCall(seed).run()`.
"""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.turn.machine import CLOSED, TRANSITIONS, State, TurnMachine
from pipeline.turn.protocol import LineLost, TimePassed
from tests.pipeline.turn.simulation import SimulatedCall

CALLS = 100_000
PARTS = 20
"""Each has a test's time limit to itself."""
MOST_CALLS = 10_000_000


def played(seed: int) -> SimulatedCall:
    call = SimulatedCall(seed)
    try:
        call.run()
    except AssertionError as broken:
        broken.add_note(f"in SimulatedCall({seed})")
        raise
    return call


@pytest.mark.parametrize("part", range(PARTS))
def test_thousands_of_calls_keep_the_rules(request: pytest.FixtureRequest, part: int) -> None:
    ends: Counter[str] = Counter()
    states: set[State] = set()
    speculated: Counter[str] = Counter()
    calls = request.config.getoption("simulated_calls", default=None) or CALLS
    for seed in range(part, calls, PARTS):
        call = played(seed)
        assert call.ended is not None
        ends[call.ended.reason] += 1
        states |= call.states
        speculated.update(call.outcomes)
    assert states == set(State)
    assert speculated.keys() == {"none", "eager", "interim", "thrown"}, speculated
    assert ends.keys() == {
        "goodbye",
        "silence",
        "time_limit",
        "stt_failed",
        "replies_failed",
        "caller_hung_up",
    }, ends


@settings(max_examples=300, deadline=None)
@given(st.integers(min_value=MOST_CALLS))
def test_so_does_any_other_call(seed: int) -> None:
    played(seed)


def test_a_call_is_the_same_each_time() -> None:
    one, other = SimulatedCall(7), SimulatedCall(7)
    one.run()
    other.run()
    assert one.told == other.told
    assert len(one.told) > 10


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
