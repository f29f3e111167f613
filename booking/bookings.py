"""Appointments: confirmed from a verified hold, moved, cancelled, listed. One coroutine per SQL function."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from booking import db
from booking.slots import slot_of
from booking.types import AfterBooking, Booking, BookingStatus, Claim, Conflict


async def confirm_booking(
    pool: asyncpg.Pool, claim: Claim, *, hold_id: UUID, contact_id: UUID | None = None
) -> Booking:
    """Make the verified hold an appointment of the contact (the hold's own contact if none is given).

    A hold makes one appointment: asked again, it is the same one, as it stands now. Raises `HoldUnknown`,
    `HoldOver`, `HoldUnverified`, `ContactUnknown`.
    """
    (row,) = await db.fetch(pool, claim, "confirm_booking", hold_id, contact_id)
    return booking_of(row)


async def cancel_booking(
    pool: asyncpg.Pool, claim: Claim, *, booking_id: UUID, contact_id: UUID | None = None
) -> Booking:
    """Cancel the appointment and free its slot; one that was cancelled before is answered as it is.

    With `contact_id` only that contact's own. Raises `BookingUnknown`, `BookingOver`.
    """
    (row,) = await db.fetch(pool, claim, "cancel_booking", booking_id, contact_id)
    return booking_of(row)


async def reschedule_booking(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    booking_id: UUID,
    slot_id: UUID,
    contact_id: UUID | None = None,
    call_id: UUID | None = None,
) -> Booking | Conflict:
    """Move the appointment to another slot of its service: the new one is taken and the old one freed, or
    nothing changes and the answer says what is free.

    Asked again for the same slot: the same new appointment. What `call_id` holds gives way to it. With
    `contact_id` only that contact's own. Raises `BookingUnknown`, `BookingOver`, `SlotUnknown`,
    `SlotUnsuitable`, `CallOver`.
    """
    asked, *others = await db.fetch(
        pool, claim, "reschedule_booking", booking_id, slot_id, contact_id, call_id
    )
    if asked["outcome"] == "booked":
        return booking_of(asked)
    return Conflict(reason=asked["outcome"], slots=tuple(slot_of(row) for row in others))


async def find_booking(pool: asyncpg.Pool, claim: Claim, *, booking_id: UUID) -> Booking | None:
    """The appointment as it stands, None if this org has none of this id."""
    rows = await db.fetch(pool, claim, "find_booking", booking_id)
    return booking_of(rows[0]) if rows else None


async def page_of_bookings(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    limit: int,
    contact_id: UUID | None = None,
    status: BookingStatus | None = None,
    after: datetime | None = None,
    until: datetime | None = None,
    last: AfterBooking | None = None,
) -> list[Booking]:
    """Appointments, soonest first, at most 100: of a contact, of a status, that start at or after `after` and
    before `until`, behind `last`.
    """
    rows = await db.fetch(
        pool,
        claim,
        "page_of_bookings",
        limit,
        contact_id,
        status,
        after,
        until,
        last.starts_at if last else None,
        last.booking_id if last else None,
    )
    return [booking_of(row) for row in rows]


def booking_of(row: Mapping[str, Any]) -> Booking:
    """A `Booking` from a row of SQL function `app.bookings`."""
    return Booking(
        id=row["booking_id"],
        hold_id=row["hold_id"],
        contact_id=row["contact_id"],
        slot=slot_of(row),
        status=row["status"],
        booked_at=row["booked_at"],
        changed_at=row["changed_at"],
        replaces=row["replaces_id"],
    )
