"""Holds on the real server, through the gateway's own pool."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking import holds
from booking.db import org_transaction
from booking.errors import CallOver, SlotUnknown
from booking.slots import next_available
from booking.types import Conflict, Held, HoldStatus, Slot
from tests.conftest import Clinic

TTL = timedelta(minutes=10)


async def free_slots(pool: asyncpg.Pool, clinic: Clinic, limit: int = 3, service: int = 0) -> list[Slot]:
    return await next_available(
        pool, clinic.claim, service_id=clinic.service_ids[service], after=datetime.now(UTC), limit=limit
    )


async def hold(pool: asyncpg.Pool, clinic: Clinic, slot: Slot, call_id: UUID | None = None) -> Held:
    taken = await holds.claim_slot(pool, clinic.claim, slot_id=slot.id, call_id=call_id or uuid4(), ttl=TTL)
    assert isinstance(taken, Held)
    return taken


async def lapse(pool: asyncpg.Pool, clinic: Clinic, held: Held) -> None:
    """Let the hold's time pass."""
    async with org_transaction(pool, clinic.claim) as connection:
        await connection.execute(
            "update appointment_holds set expires_at = now() - interval '1 second' where id = $1",
            held.hold_id,
        )


async def test_a_free_slot_is_held_until_its_expiry(pool: asyncpg.Pool, clinic: Clinic) -> None:
    (slot,) = await free_slots(pool, clinic, limit=1)
    call = uuid4()
    held = await hold(pool, clinic, slot, call)
    assert held.slot == slot
    assert abs(held.expires_at - datetime.now(UTC) - TTL) < timedelta(seconds=5)
    assert await holds.hold_status(pool, clinic.claim, slot_id=slot.id) == HoldStatus(
        "held", held.expires_at, call
    )
    assert slot not in await free_slots(pool, clinic, limit=50)
