"""Taking a slot for a while and giving it back. One coroutine per SQL function, one round trip each."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg

from booking import db
from booking.slots import slot_of
from booking.types import Claim, Conflict, Held, HoldStatus
from booking.values import require_ttl

LONGEST_HOLD: Final = timedelta(days=1)


async def claim_slot(
    pool: asyncpg.Pool, claim: Claim, *, slot_id: UUID, call_id: UUID, ttl: timedelta
) -> Held | Conflict:
    """Hold the slot for the call, first come first served; the call's earlier hold is given back for it.

    Asked again by the same call: the same hold, its expiry unmoved. A call that loses keeps what it held and
    is told what is free instead. `ttl` is at most `LONGEST_HOLD`. Raises `SlotUnknown`, `CallOver`,
    `ValueInvalid`, `BookingUnavailable`.
    """
    require_ttl(ttl, LONGEST_HOLD)
    asked, *others = await db.fetch(pool, claim, "claim_slot_atomic", slot_id, call_id, ttl)
    if asked["outcome"] == "held":
        return Held(hold_id=asked["hold_id"], slot=slot_of(asked), expires_at=asked["expires_at"])
    return Conflict(reason=asked["outcome"], slots=tuple(slot_of(row) for row in others))


async def release_hold(pool: asyncpg.Pool, claim: Claim, *, hold_id: UUID) -> bool:
    """Give a hold back. False if it is not this org's, has expired, was given back before or is booked."""
    (row,) = await db.fetch(pool, claim, "release_slot_lock", hold_id)
    released: bool = row[0]
    return released


async def release_call(pool: asyncpg.Pool, claim: Claim, *, call_id: UUID) -> int:
    """Give back whatever the call still holds (bookings stay). How many holds that were."""
    (row,) = await db.fetch(pool, claim, "release_call_holds", call_id)
    released: int = row[0]
    return released


async def hold_status(pool: asyncpg.Pool, claim: Claim, *, slot_id: UUID) -> HoldStatus:
    """How the slot stands now: an expired hold leaves it open, one on an overlapping slot of the same
    practitioner does not. Raises `SlotUnknown`, also for one that is offered no more.
    """
    (row,) = await db.fetch(pool, claim, "get_slot_hold_status", slot_id)
    return HoldStatus(state=row["state"], expires_at=row["expires_at"], call_id=row["call_id"])


async def set_hold_contact(pool: asyncpg.Pool, claim: Claim, *, hold_id: UUID, contact_id: UUID) -> None:
    """Say whom the hold is for. Raises `HoldUnknown`, `HoldOver`, `ContactUnknown`."""
    await db.fetch(pool, claim, "set_hold_contact", hold_id, contact_id)


async def release_expired_holds(worker_pool: asyncpg.Pool, *, batch: int = 500) -> int:
    """Flip holds whose time has passed, over all orgs; how many. On a pool of role `gw_worker`."""
    flipped: int = await db.fetch_value(worker_pool, "select app.release_expired_slot_holds($1)", batch)
    return flipped
