"""Many callers want one slot at the same moment, each over a connection of its own.

A round is no matter of luck: a gate (a lock on the table of slots, which is none of the locks under test)
stops every rival inside its claim, and opens only when all of them stand there. Some slots are taken before
the round begins; then nobody may win.
"""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from booking.db import open_pool, org_transaction
from booking.holds import claim_slot, hold_status, release_hold
from booking.slots import next_available
from booking.types import Conflict, Held, Slot
from tests.conftest import Clinic, make_clinic

TTL = timedelta(minutes=10)
KEPT = 20
"""So many slots stay taken from round to round, the latest ones."""

_WAITING = "select count(*) from pg_locks where relation = 'public.slots'::regclass and not granted"
_OVERLAPS = """
select count(*) from appointment_holds a join appointment_holds b
  on a.practitioner_number = b.practitioner_number and a.id < b.id
 and a.starts_at < b.ends_at and b.starts_at < a.ends_at
where a.state in ('held', 'booked') and b.state in ('held', 'booked')
"""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
async def gatekeeper(crowded_urls: dict[str, str]) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(crowded_urls["owner"])
    yield connection
    await connection.close()


@pytest.fixture
async def house(gatekeeper: asyncpg.Connection) -> Clinic:
    return await make_clinic(gatekeeper)


@pytest.fixture
async def crowd(crowded_urls: dict[str, str], rivals: int) -> AsyncIterator[asyncpg.Pool]:
    """A connection per rival, all open."""
    url = crowded_urls["app"]
    async with await open_pool(url, min_size=rivals, max_size=rivals, statement_timeout_s=60) as pool:
        yield pool


@asynccontextmanager
async def gate(keeper: asyncpg.Connection, expected: int) -> AsyncIterator[None]:
    """Closed on entry; on exit it waits until `expected` statements stand before it, then lets all go."""
    async with asyncio.timeout(60), keeper.transaction():
        await keeper.execute("lock table public.slots in access exclusive mode")
        yield
        while await keeper.fetchval(_WAITING) < expected:
            pass


async def fight(
    pool: asyncpg.Pool, keeper: asyncpg.Connection, clinic: Clinic, slot: Slot, rivals: int
) -> list[Held | Conflict]:
    """What each of so many new calls is told that claim the slot at once."""
    async with asyncio.TaskGroup() as group, gate(keeper, rivals):
        claims = [
            group.create_task(claim_slot(pool, clinic.claim, slot_id=slot.id, call_id=uuid4(), ttl=TTL))
            for _ in range(rivals)
        ]
    return [claim.result() for claim in claims]


def overlaps(one: Slot, other: Slot) -> bool:
    same = one.practitioner_id == other.practitioner_id
    return same and one.starts_at < other.ends_at and other.starts_at < one.ends_at


async def require_free(
    pool: asyncpg.Pool, clinic: Clinic, taken: Slot, losers: Iterable[Conflict]
) -> list[Slot]:
    """Each alternative of each loser stands open, and is not the slot lost. Answers them, soonest first."""
    offered = {slot for loser in losers for slot in loser.slots}
    for slot in offered:
        assert not overlaps(slot, taken)
        assert (await hold_status(pool, clinic.claim, slot_id=slot.id)).state == "open"
    return sorted(offered, key=lambda slot: (slot.starts_at, str(slot.id)))


async def test_one_of_many_wins_and_the_others_are_offered_what_is_free(
    crowd: asyncpg.Pool, gatekeeper: asyncpg.Connection, house: Clinic, rivals: int, rounds: int
) -> None:
    service, now = house.service_ids[0], datetime.now(UTC)
    slots = await next_available(crowd, house.claim, service_id=service, after=now, limit=100)
    dice, kept = random.Random(rivals), deque[Held]()
    for _ in range(rounds):
        slot = dice.choice(slots)
        was_open = (await hold_status(crowd, house.claim, slot_id=slot.id)).state == "open"

        answers = await fight(crowd, gatekeeper, house, slot, rivals)

        winners = [answer for answer in answers if isinstance(answer, Held)]
        losers = [answer for answer in answers if isinstance(answer, Conflict)]
        assert len(winners) == (1 if was_open else 0)
        assert all(loser.reason == "taken" and len(loser.slots) == 3 for loser in losers)
        free = await require_free(crowd, house, slot, losers)
        second = await claim_slot(crowd, house.claim, slot_id=free[0].id, call_id=uuid4(), ttl=TTL)
        assert isinstance(second, Held), "what a loser is offered can be had"
        kept.extend([*winners, second])
        while len(kept) > KEPT:
            assert await release_hold(crowd, house.claim, hold_id=kept.popleft().hold_id)
    async with org_transaction(crowd, house.claim) as connection:
        assert await connection.fetchval(_OVERLAPS) == 0
