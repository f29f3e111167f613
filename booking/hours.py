"""When practitioners work, and the slots that follow from it. One coroutine per SQL function."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from booking import db
from booking.types import Claim, SlotsGenerated, WeeklyBreak, WorkingHours


async def set_hours(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    practitioner_id: UUID,
    hours: Sequence[WorkingHours],
    breaks: Sequence[WeeklyBreak] = (),
) -> None:
    """The practitioner's week from now on, in place of the earlier one. Slots follow by `generate_slots`.

    Raises `PractitionerUnknown`, `StatementRefused` for hours that overlap or make no sense.
    """
    await db.fetch(
        pool,
        claim,
        "set_hours",
        practitioner_id,
        [each.weekday for each in hours],
        [each.opens for each in hours],
        [each.closes for each in hours],
        [each.step_minutes for each in hours],
        [each.weekday for each in breaks],
        [each.begins for each in breaks],
        [each.ends for each in breaks],
    )


async def set_offered_services(
    pool: asyncpg.Pool, claim: Claim, *, practitioner_id: UUID, service_ids: Sequence[UUID] | None
) -> None:
    """What the practitioner offers from now on; None is everything, also services to come.

    Slots follow by `generate_slots`. Raises `PractitionerUnknown`, `ServiceUnknown`.
    """
    offered = None if service_ids is None else list(service_ids)
    await db.fetch(pool, claim, "set_offered_services", practitioner_id, offered)


async def add_holiday(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    first_day: date,
    last_day: date,
    practitioner_id: UUID | None = None,
) -> UUID:
    """Nobody works from `first_day` to `last_day`, or that practitioner does not; the holiday's id.

    The same holiday again is the same one. Raises `PractitionerUnknown`.
    """
    (row,) = await db.fetch(pool, claim, "add_holiday", first_day, last_day, practitioner_id)
    holiday_id: UUID = row[0]
    return holiday_id


async def remove_holiday(pool: asyncpg.Pool, claim: Claim, *, holiday_id: UUID) -> bool:
    """False if there is none of this id."""
    (row,) = await db.fetch(pool, claim, "remove_holiday", holiday_id)
    removed: bool = row[0]
    return removed


async def generate_slots(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    first_day: date,
    last_day: date,
    practitioner_id: UUID | None = None,
) -> SlotsGenerated:
    """Make the slots of these days (at most 400, in the clinic's zone) what hours, holidays and offers say.

    Repeatable. Slots that do not fit any more are withdrawn; holds and bookings stay. A practitioner without
    any hours is left alone. Raises `PractitionerUnknown`.
    """
    (row,) = await db.fetch(pool, claim, "generate_slots", practitioner_id, first_day, last_day)
    return SlotsGenerated(row["added"], row["withdrawn"])
