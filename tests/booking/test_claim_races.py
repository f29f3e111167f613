"""Races between real connections. Each round is one slot (or one knot of slots) that all ask for at once."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from booking.db import open_pool, org_transaction
from booking.holds import claim_slot, release_call
from booking.slots import next_available
from booking.types import Conflict, Held, Slot
from tests.conftest import Clinic, Stack

CONNECTIONS = 20
ROUNDS = 40
TTL = timedelta(minutes=10)

_OVERLAPS = """
select count(*) from appointment_holds a join appointment_holds b
  on a.practitioner_number = b.practitioner_number and a.id < b.id
 and a.starts_at < b.ends_at and b.starts_at < a.ends_at
where a.state in ('held', 'booked') and b.state in ('held', 'booked')
"""


@pytest.fixture
async def crowd(stack: Stack) -> AsyncIterator[asyncpg.Pool]:
    """As many connections as there are rivals, all open."""
    async with await open_pool(stack.postgres.app, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        yield pool


async def all_slots(pool: asyncpg.Pool, clinic: Clinic, service: int = 0) -> list[Slot]:
    service_id = clinic.service_ids[service]
    return await next_available(pool, clinic.claim, service_id=service_id, after=datetime.now(UTC), limit=100)


async def count_overlaps(pool: asyncpg.Pool, clinic: Clinic) -> int:
    async with org_transaction(pool, clinic.claim) as connection:
        return int(await connection.fetchval(_OVERLAPS))


async def rivals(pool: asyncpg.Pool, clinic: Clinic, slots: list[Slot]) -> list[Held | Conflict]:
    """One new call per slot, all at once."""
    return await asyncio.gather(
        *(claim_slot(pool, clinic.claim, slot_id=slot.id, call_id=uuid4(), ttl=TTL) for slot in slots)
    )


async def test_one_of_many_gets_the_slot(crowd: asyncpg.Pool, clinic: Clinic) -> None:
    for slot in (await all_slots(crowd, clinic))[:ROUNDS]:
        answers = await rivals(crowd, clinic, [slot] * CONNECTIONS)
        losers = [answer for answer in answers if isinstance(answer, Conflict)]
        assert len(losers) == CONNECTIONS - 1
        assert all(slot not in loser.slots and loser.slots for loser in losers)
    assert await count_overlaps(crowd, clinic) == 0


async def test_one_of_many_gets_an_expired_slot(crowd: asyncpg.Pool, clinic: Clinic) -> None:
    for slot in (await all_slots(crowd, clinic))[:ROUNDS]:
        await claim_slot(crowd, clinic.claim, slot_id=slot.id, call_id=uuid4(), ttl=timedelta(microseconds=1))
        answers = await rivals(crowd, clinic, [slot] * CONNECTIONS)
        assert sum(isinstance(answer, Held) for answer in answers) == 1
    assert await count_overlaps(crowd, clinic) == 0


async def test_overlapping_slots_of_both_services_never_both_go(crowd: asyncpg.Pool, clinic: Clinic) -> None:
    """45-minute slots every 30 minutes beside 30-minute ones: each meets several of the other service."""
    short, long = await all_slots(crowd, clinic, 0), await all_slots(crowd, clinic, 1)
    dice = random.Random(7)
    for first in range(0, 2 * ROUNDS, 2):
        near = [*short[first : first + 6], *long[first : first + 6]]
        answers = await rivals(crowd, clinic, [dice.choice(near) for _ in range(CONNECTIONS)])
        assert all(isinstance(answer, Held | Conflict) for answer in answers)
    assert await count_overlaps(crowd, clinic) == 0


async def test_the_same_call_asking_on_many_connections_gets_one_hold(
    crowd: asyncpg.Pool, clinic: Clinic
) -> None:
    for slot in (await all_slots(crowd, clinic))[:ROUNDS]:
        call = uuid4()
        answers = await asyncio.gather(
            *(
                claim_slot(crowd, clinic.claim, slot_id=slot.id, call_id=call, ttl=TTL)
                for _ in range(CONNECTIONS)
            )
        )
        assert len(set(answers)) == 1
        assert isinstance(answers[0], Held)


async def test_one_call_asking_for_many_slots_at_once_ends_with_one(
    crowd: asyncpg.Pool, clinic: Clinic
) -> None:
    slots = await all_slots(crowd, clinic)
    dice = random.Random(5)
    for _ in range(ROUNDS):
        call = uuid4()
        await asyncio.gather(
            *(
                claim_slot(crowd, clinic.claim, slot_id=slot.id, call_id=call, ttl=TTL)
                for slot in dice.sample(slots, CONNECTIONS)
            )
        )
        assert await release_call(crowd, clinic.claim, call_id=call) == 1


async def test_calls_that_swap_expired_slots_all_get_theirs(crowd: asyncpg.Pool, clinic: Clinic) -> None:
    """Each call leaves an expired hold at one practitioner that another flips, and flips one at the other."""
    slots = await all_slots(crowd, clinic)
    left, right = (
        [slot for slot in slots if slot.practitioner_id == person][: CONNECTIONS // 2]
        for person in clinic.practitioner_ids
    )
    calls = [uuid4() for _ in range(CONNECTIONS)]
    for number in range(ROUNDS):
        sides = [*left, *right] if number % 2 else [*right, *left]
        answers = await asyncio.gather(
            *(
                claim_slot(crowd, clinic.claim, slot_id=slot.id, call_id=call, ttl=timedelta(microseconds=1))
                for slot, call in zip(sides, calls, strict=True)
            )
        )
        assert all(isinstance(answer, Held) for answer in answers)
    assert await count_overlaps(crowd, clinic) == 0


async def test_a_slot_given_back_while_others_ask_goes_to_one_of_them_or_stays_free(
    crowd: asyncpg.Pool, clinic: Clinic
) -> None:
    for slot in (await all_slots(crowd, clinic))[:ROUNDS]:
        holder = uuid4()
        await claim_slot(crowd, clinic.claim, slot_id=slot.id, call_id=holder, ttl=TTL)
        released, answers = await asyncio.gather(
            release_call(crowd, clinic.claim, call_id=holder),
            rivals(crowd, clinic, [slot] * (CONNECTIONS - 1)),
        )
        assert released == 1
        assert sum(isinstance(answer, Held) for answer in answers) <= 1
    assert await count_overlaps(crowd, clinic) == 0
