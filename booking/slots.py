"""Which slots are free. The rule is the SQL function's; this is its Python face."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any
from uuid import UUID

import asyncpg

from booking import db
from booking.types import Claim, Slot


async def next_available(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    service_id: UUID,
    after: datetime,
    limit: int = 3,
    until: datetime | None = None,
    practitioner_id: UUID | None = None,
    not_before: time | None = None,
) -> list[Slot]:
    """Free slots that start at or after `after` (never in the past) and before `until`, soonest first; 100 at
    most. `not_before`: none of an earlier time of day, by the clinic's clock. Raises `ValueInvalid`.
    """
    rows = await db.fetch(
        pool, claim, "free_slots", service_id, after, limit, until, practitioner_id, not_before
    )
    return [slot_of(row) for row in rows]


def slot_of(row: Mapping[str, Any]) -> Slot:
    """A `Slot` from a row that holds the columns of SQL type `app.slot`."""
    return Slot(
        id=row["slot_id"],
        service_id=row["service_id"],
        practitioner_id=row["practitioner_id"],
        practitioner=row["practitioner"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
    )
