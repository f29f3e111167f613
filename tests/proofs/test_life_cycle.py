"""The life of holds under whatever hypothesis thinks of: claims and releases at once over several clients,
some of them killed, before the statement could take effect or at the moment when it does; holds that run out;
the sweeper. After every step no two live holds overlap, nothing is visible without a claim, and the answers
are linearizable.

Time is not waited for: a hold runs out by being dated back. A gate (a lock on the table of holds) makes the
operations of a step meet inside the database.
"""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Literal
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from booking.db import open_pool
from booking.errors import BookingUnavailable
from booking.holds import claim_slot, release_call, release_expired_holds, release_hold
from booking.slots import next_available
from booking.types import Held, Slot
from tests.conftest import Clinic, Stack, make_clinic
from tests.proofs.linearizable import (
    CallReleased,
    Claimed,
    Live,
    Operation,
    Released,
    Rules,
    State,
    What,
    linearizable,
)

LIVES, STEPS = 12, 15
CLIENTS = 4
TTL = timedelta(hours=1)
Death = Literal["none", "before", "during"]

_LIVE = """
select slot_id::text, call_id::text, id::text from public.appointment_holds
where org_id = $1 and state in ('held', 'booked') and expires_at > clock_timestamp()
"""
_OVERLAPS = """
select count(*) from public.appointment_holds a join public.appointment_holds b
  on a.practitioner_number = b.practitioner_number and a.id < b.id
 and a.starts_at < b.ends_at and b.starts_at < a.ends_at
where a.org_id = $1 and a.state in ('held', 'booked') and b.state in ('held', 'booked')
"""
_WAITING = "select count(*) from pg_stat_activity where pid = any ($1::int[]) and wait_event_type = 'Lock'"


@dataclass(frozen=True, slots=True)
class Intent:
    """What a client sets out to do, by number, and whether its connection dies of it."""

    kind: Literal["claim", "release", "release_call"]
    slot: int
    call: int
    death: Death


class World:
    """A clinic with slots that overlap in a knot, some calls, and clients: pools of one connection each."""

    def __init__(self, closing: AsyncExitStack, keeper: asyncpg.Connection, clinic: Clinic) -> None:
        self.closing, self.keeper, self.clinic = closing, keeper, clinic
        self.clients: list[asyncpg.Pool] = []
        self.worker: asyncpg.Pool | None = None
        self.slots: list[Slot] = []
        self.calls = [uuid4() for _ in range(3)]
        self.holds: list[str] = []
        self.known: list[str] = []
        self.clock = count()

    @classmethod
    async def open(cls, stack: Stack) -> "World":
        closing = AsyncExitStack()
        keeper = await asyncpg.connect(stack.admin)
        closing.push_async_callback(keeper.close)
        owner = await asyncpg.connect(stack.postgres.owner)
        closing.push_async_callback(owner.close)
        world = cls(closing, keeper, await make_clinic(owner))
        for _ in range(CLIENTS):
            pool = await open_pool(stack.postgres.app, min_size=1, max_size=1, statement_timeout_s=30)
            world.clients.append(await closing.enter_async_context(pool))
        world.worker = await closing.enter_async_context(await open_pool(stack.postgres.worker, max_size=1))
        for service, limit in zip(world.clinic.service_ids, (4, 3), strict=True):
            world.slots += await next_available(
                world.clients[0], world.clinic.claim,
                service_id=service, after=datetime.now(UTC), limit=limit,
            )  # fmt: skip
        return world

    @property
    def rules(self) -> Rules:
        return Rules({
            str(a.id): frozenset(str(b.id) for b in self.slots if _overlap(a, b)) for a in self.slots
        })  # fmt: skip

    async def live(self) -> State:
        rows = await self.keeper.fetch(_LIVE, self.clinic.claim.org_id)
        return frozenset(Live(*row) for row in rows)

    async def do(self, intents: list[Intent]) -> list[Operation]:
        """All at once, each over a connection of its own; those that are to die do."""
        clients = self.clients[: len(intents)]
        pids = [await client.fetchval("select pg_backend_pid()") for client in clients]
        pairs = list(zip(pids, intents, strict=True))
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            async with self.keeper.transaction():
                await self.keeper.execute("lock table public.appointment_holds in access exclusive mode")
                tasks = [
                    group.create_task(self._operation(client, intent))
                    for client, intent in zip(clients, intents, strict=True)
                ]
                while await self.keeper.fetchval(_WAITING, pids) < len(pids):
                    pass
                await self._kill(pid for pid, intent in pairs if intent.death == "before")
            await self._kill(pid for pid, intent in pairs if intent.death == "during")
        return [task.result() for task in tasks]

    async def _kill(self, pids: Iterable[int]) -> None:
        """Returns when they are gone, so that what they did is done."""
        for pid in pids:
            await self.keeper.execute("select pg_terminate_backend($1, 10000)", pid)

    async def _operation(self, pool: asyncpg.Pool, intent: Intent) -> Operation:
        begin = next(self.clock)
        try:
            what, answered = await self._act(pool, intent), True
        except BookingUnavailable:
            assert intent.death != "none", "nobody is told so but who was killed"
            what, answered = self._asked(intent), False
        return Operation(what, begin, next(self.clock), answered)

    async def _act(self, pool: asyncpg.Pool, intent: Intent) -> What:
        claim, asked = self.clinic.claim, self._asked(intent)
        match asked:
            case Claimed(slot, call):
                told = await claim_slot(pool, claim, slot_id=UUID(slot), call_id=UUID(call), ttl=TTL)
                if not isinstance(told, Held):
                    return asked
                self.holds.append(str(told.hold_id))
                return Claimed(slot, call, self.holds[-1])
            case Released(hold):
                return Released(hold, await release_hold(pool, claim, hold_id=UUID(hold)))
            case CallReleased(call):
                return CallReleased(call, await release_call(pool, claim, call_id=UUID(call)))

    def _asked(self, intent: Intent) -> What:
        call = str(self.calls[intent.call])
        if intent.kind == "claim":
            return Claimed(str(self.slots[intent.slot].id), call)
        if intent.kind == "release_call":
            return CallReleased(call)
        return Released(self.known[intent.slot % len(self.known)] if self.known else str(uuid4()))

    async def expire(self, call: int) -> None:
        """The call's time runs out."""
        await self.keeper.execute(
            "update public.appointment_holds set expires_at = clock_timestamp() - interval '1 ms'"
            " where org_id = $1 and call_id = $2 and state = 'held'",
            self.clinic.claim.org_id, self.calls[call],
        )  # fmt: skip


def _overlap(one: Slot, other: Slot) -> bool:
    same = one.practitioner_id == other.practitioner_id
    return same and one.starts_at < other.ends_at and other.starts_at < one.ends_at


INTENTS = st.builds(
    Intent,
    kind=st.sampled_from(["claim", "claim", "claim", "release", "release_call"]),
    slot=st.integers(0, 6),
    call=st.integers(0, 2),
    death=st.sampled_from(["none", "none", "none", "before", "during"]),
)


class LifeCycle(RuleBasedStateMachine):
    """One clinic per example; a loop of its own, as hypothesis is not asynchronous."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = self.runner.run(World.open(stack))

    @rule(intents=st.lists(INTENTS, min_size=1, max_size=CLIENTS))
    def at_once(self, intents: list[Intent]) -> None:
        self.runner.run(self._at_once(intents))

    async def _at_once(self, intents: list[Intent]) -> None:
        world = self.world
        before = await world.live()
        world.known = list(world.holds)
        history = await world.do(intents)
        after = await world.live()
        world.holds.extend(live.hold for live in after if live.hold and live.hold not in world.holds)
        assert linearizable(world.rules, before, history, after), (before, history, after)

    @rule(call=st.integers(0, 2))
    def time_passes(self, call: int) -> None:
        self.runner.run(self.world.expire(call))

    @rule()
    def sweeper_comes(self) -> None:
        self.runner.run(self._sweep())

    async def _sweep(self) -> None:
        before = await self.world.live()
        await release_expired_holds(self.world.worker)
        assert await self.world.live() == before

    @invariant()
    def no_two_live_holds_overlap(self) -> None:
        org = self.world.clinic.claim.org_id
        assert self.runner.run(self.world.keeper.fetchval(_OVERLAPS, org)) == 0

    @invariant()
    def nothing_is_visible_without_a_claim(self) -> None:
        self.runner.run(self._require_nothing_visible())

    async def _require_nothing_visible(self) -> None:
        for client in self.world.clients:
            assert await client.fetchval("select count(*) from public.slots") == 0
            assert await client.fetchval("select count(*) from public.appointment_holds") == 0

    def teardown(self) -> None:
        self.runner.run(self.world.closing.aclose())
        self.runner.close()


@pytest.mark.timeout(900)
def test_the_life_of_holds(stack: Stack, request: pytest.FixtureRequest) -> None:
    lives = int(request.config.getoption("lives", default=None) or LIVES)
    run_state_machine_as_test(
        lambda: LifeCycle(stack),
        settings=settings(
            max_examples=lives,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
