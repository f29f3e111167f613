"""Free slots by the page and holds by id, for the API. One coroutine per SQL function."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg

from booking import db
from booking.slots import slot_of
from booking.types import Claim, Slot


@dataclass(frozen=True, slots=True)
class AfterSlot:
    """The last slot of a page: the next one goes on behind it."""

    starts_at: datetime
    practitioner_id: UUID


@dataclass(frozen=True, slots=True)
class FoundHold:
    """A hold as it stands now. `expires_at`: when a held one ends, and another one would have.

    `verified`: a code was sent for it and came back.
    """

    id: UUID
    slot: Slot
    state: Literal["held", "booked", "released", "expired"]
    expires_at: datetime
    verified: bool


async def page_of_free_slots(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    service_id: UUID,
    after: datetime,
    limit: int,
    until: datetime | None = None,
    practitioner_id: UUID | None = None,
    last: AfterSlot | None = None,
) -> list[Slot]:
    """Free slots that start at or after `after` and before `until`, soonest first, at most 100.

    Raises `ServiceUnknown`, `PractitionerUnknown`.
    """
    rows = await db.fetch(
        pool,
        claim,
        "page_of_free_slots",
        service_id,
        after,
        limit,
        until,
        practitioner_id,
        last.starts_at if last else None,
        last.practitioner_id if last else None,
    )
    return [slot_of(row) for row in rows]


async def find_hold(pool: asyncpg.Pool, claim: Claim, *, hold_id: UUID) -> FoundHold | None:
    """The hold, None if this org has none of this id."""
    rows = await db.fetch(pool, claim, "find_hold", hold_id)
    return _hold(rows[0]) if rows else None


async def require_verified(
    pool: asyncpg.Pool, claim: Claim, *, hold_id: UUID, digests: Sequence[bytes]
) -> None:
    """Refuse a hold that no code sent to this number (by its `phone` digests) has verified.

    Raises `HoldUnknown`, `HoldOver`, `HoldUnverified`.
    """
    await db.fetch(pool, claim, "require_verified", hold_id, list(digests))


def _hold(row: asyncpg.Record) -> FoundHold:
    return FoundHold(
        id=row["hold_id"],
        slot=slot_of(row),
        state=row["state"],
        expires_at=row["expires_at"],
        verified=row["verified"],
    )
