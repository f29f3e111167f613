"""The life of holds and appointments under whatever hypothesis thinks of: claims, codes, appointments, moves
and cancellations at once over several clients, some of which die; holds that run out; the sweeper.

After every step no two live holds overlap, booked holds and booked appointments are the same, nothing is
visible without a claim, and what everybody was told is linearizable: some order of the operations explains
every answer and all that stands in the tables, down to the counts of codes.

pytest tests/proofs/test_life_cycle.py --lives 500      (other lives each time)
"""

import asyncio
import random
from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.conftest import Stack
from tests.proofs.front_desk import CALLS, CLIENTS, Death, FrontDesk, Gate, Intent
from tests.proofs.linearizable import Operation, linearizable

LIVES, STEPS = 20, 20

KINDS = (
    "claim", "claim", "claim", "release", "release_call", "store", "store", "check", "check", "check",
    "confirm", "confirm", "cancel", "move", "move",
)  # fmt: skip
DEATHS: tuple[Death, ...] = ("none", "none", "none", "none", "none", "killed", "hung up", "impatient")
GATES: tuple[Gate, ...] = ("", "slots", "appointment_holds", "otp_codes", "appointments", "contacts")
# Hypothesis thinks of the order of things; what a crowd does in detail is thrown by these, evenly.
DICE = st.integers(0, 2**64 - 1).map(random.Random)


def intents(dice: random.Random, clients: int) -> list[Intent]:
    return [
        Intent(
            kind=dice.choice(KINDS),
            which=dice.randrange(8),
            call=dice.randrange(CALLS),
            death=dice.choice(DEATHS),
            early=dice.random() < 0.5,
        )
        for _ in range(clients)
    ]


async def explained(desk: FrontDesk, intents: list[Intent], gate: Gate) -> list[Operation]:
    """Plays a step, and requires that some order of its operations explains it."""
    before = desk.before
    history = await desk.at_once(intents, gate)
    desk.before = await desk.look()
    assert linearizable(desk.rules, before, history, desk.before), (before, history, desk.before)
    return history


class LifeCycle(RuleBasedStateMachine):
    """One life; hypothesis is not asynchronous, hence the runner."""

    def __init__(self, runner: asyncio.Runner, desk: FrontDesk) -> None:
        super().__init__()
        self.runner, self.desk = runner, desk

    @initialize()
    def begin(self) -> None:
        self.runner.run(self.desk.new_life())

    @rule(dice=DICE)
    def a_crowd_comes(self, dice: random.Random) -> None:
        self.runner.run(self._at_once(intents(dice, CLIENTS), dice.choice(GATES)))

    @rule(dice=DICE)
    def two_come(self, dice: random.Random) -> None:
        self.runner.run(self._at_once(intents(dice, 2), dice.choice(GATES)))

    @rule(dice=DICE)
    def somebody_books(self, dice: random.Random) -> None:
        """The whole way, undisturbed, so that there are appointments to fight over."""
        which, call = dice.randrange(8), dice.randrange(CALLS)
        for kind in ("claim", "store", "check", "confirm"):
            number = self.desk.number_of_hold(call) if kind != "claim" else which
            self.runner.run(self._at_once([Intent(kind, number, call)], ""))

    async def _at_once(self, intents: list[Intent], gate: Gate) -> None:
        await explained(self.desk, intents, gate)

    @rule(dice=DICE)
    def time_passes(self, dice: random.Random) -> None:
        """A call's holds run out; the sweeper comes by, or does not; an idle connection dies."""
        self.runner.run(self.desk.time_passes(dice.randrange(CALLS)))
        if dice.random() < 0.5:
            self.runner.run(self.desk.sweep())
        self.runner.run(self.desk.lose_idle(dice.randrange(CLIENTS)))

    @invariant()
    def all_is_sound(self) -> None:
        self.runner.run(self.desk.require_sound())


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as opened:
        yield opened


@pytest.fixture(scope="module")
def desk(stack: Stack, runner: asyncio.Runner) -> Iterator[FrontDesk]:
    opened = runner.run(FrontDesk.open(stack))
    yield opened
    runner.run(opened.closing.aclose())


@pytest.mark.timeout(3600)
def test_the_life_of_holds(runner: asyncio.Runner, desk: FrontDesk, request: pytest.FixtureRequest) -> None:
    asked = request.config.getoption("lives", default=None)
    run_state_machine_as_test(
        lambda: LifeCycle(runner, desk),
        settings=settings(
            max_examples=int(asked or LIVES),
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=asked is None,
            phases=[Phase.generate],  # a race found once need not come again, smaller
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


WAY = ("claim", "store", "check", "confirm")
NEEDED = {
    "claim": (),
    "release": WAY[:1],
    "release_call": WAY[:1],
    "store": WAY[:1],
    "check": WAY[:2],
    "confirm": WAY[:3],
    "cancel": WAY,
    "move": WAY,
}
"""What must have been done before each operation can do something."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("death", ["killed", "hung up", "impatient"])
def test_a_client_that_dies_at_any_point_leaves_all_or_nothing(
    runner: asyncio.Runner, desk: FrontDesk, death: Death
) -> None:
    """Every operation, with its client dying as it comes to each table, and then asked again by another."""
    for kind, gate in product(NEEDED, GATES):
        runner.run(die_once(desk, kind, gate, death))


async def die_once(desk: FrontDesk, kind: str, gate: Gate, death: Death) -> None:
    await desk.new_life()
    for each in NEEDED[kind]:
        await explained(desk, [Intent(each, 0, 0)], "")
    await explained(desk, [Intent(kind, 3, 0, death, early=True)], gate)
    (again,) = await explained(desk, [Intent(kind, 3, 0)], "")
    assert again.answered
    await desk.require_sound()
