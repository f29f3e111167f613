"""What a front desk does with people who have proved their number: book for them, find their appointments."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from booking import db
from booking.bookings import confirm_booking
from booking.contacts import Person, save_contact
from booking.pages import require_verified
from booking.ports import Sealer
from booking.types import Booking, Claim


@dataclass(frozen=True, slots=True)
class VerifiedCaller:
    """Who calls, by a number that was proved in this call. `contact_id` is None for somebody new."""

    contact_id: UUID | None


async def book_person(
    pool: asyncpg.Pool, claim: Claim, sealer: Sealer, *, hold_id: UUID, person: Person
) -> Booking:
    """Make the hold, verified by a code to this very number, an appointment of this person.

    Nothing is kept of a person whose number was not verified. A hold makes one appointment: asked again, it
    is the same one. Three round trips, four for a number that is known. Raises `HoldUnknown`, `HoldOver`,
    `HoldUnverified`, `NumberInvalid`, `BookingUnavailable`.
    """
    digests = sealer.digests(claim.org_id, "phone", person.phone.encode())
    await require_verified(pool, claim, hold_id=hold_id, digests=digests)
    contact_id = await save_contact(pool, claim, sealer, person)
    return await confirm_booking(pool, claim, hold_id=hold_id, contact_id=contact_id)


async def verified_caller(
    pool: asyncpg.Pool, claim: Claim, *, call_id: UUID, hold_id: UUID | None = None
) -> VerifiedCaller | None:
    """Who calls, None as long as no code proved a number in this call: one of its own, or one for `hold_id`
    if that is a hold of the call.
    """
    rows = await db.fetch(pool, claim, "verified_caller", call_id, hold_id)
    return VerifiedCaller(rows[0]["contact_id"]) if rows else None
