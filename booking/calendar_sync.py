"""Keeps practitioners' calendars and ours in step: jobs `calendar_push` and `calendar_busy_sync`.

Appointments become events when a job runs, from what the appointment is by then; it may run twice. Busy times
are asked for every few minutes and count until then: a calendar that cannot be had goes on
blocking what it blocked. Which calendars are in trouble, and why, `practitioner_calendars` tells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import asyncpg
import msgspec

from booking import db
from booking.calendar import event_id
from booking.errors import CalendarNotConfigured, CalendarRefused
from booking.ports import Busy, Calendar, CalendarEvent, Calendars
from booking.types import Claim

SYNC_EVERY: Final = timedelta(minutes=5)
# A sync starts anew if one of our events is removed while it runs.
_SYNC_TRIES: Final = 3

Trouble = Literal["not_configured", "credentials", "calendar", "access", "request"]


@dataclass(frozen=True, slots=True)
class PractitionerCalendar:
    """Whose calendar is which. Its busy times are as of `synced_at`; `trouble`: why they are no newer."""

    practitioner_id: UUID
    calendar_id: str
    synced_at: datetime | None
    trouble: Trouble | None


async def set_practitioner_calendar(
    pool: asyncpg.Pool, claim: Claim, *, practitioner_id: UUID, calendar_id: str | None
) -> None:
    """This is the practitioner's calendar from now on (None: there is none); appointments to come move there.

    Raises `PractitionerUnknown`, `StatementRefused` for what cannot be a calendar's id.
    """
    await db.fetch(pool, claim, "set_practitioner_calendar", practitioner_id, calendar_id)


async def practitioner_calendars(pool: asyncpg.Pool, claim: Claim) -> list[PractitionerCalendar]:
    """The org's calendars, in the order of its practitioners."""
    rows = await db.fetch(pool, claim, "practitioner_calendars")
    return [PractitionerCalendar(**row) for row in rows]


async def due_calendars(worker: asyncpg.Pool, *, limit: int = 100) -> list[tuple[Claim, UUID]]:
    """Practitioners of all orgs to `sync_busy` now, longest due first; `worker` is role gw_worker's pool.

    Raises `BookingUnavailable`.
    """
    statement = (
        "select coalesce(jsonb_agg(jsonb_build_array(org_id, practitioner_id)), '[]')"
        " from app.due_busy_syncs($1)"
    )
    found = msgspec.json.decode(await db.fetch_value(worker, statement, limit), type=list[tuple[UUID, UUID]])
    return [(Claim(org_id), practitioner_id) for org_id, practitioner_id in found]


async def orgs_with_calendars(worker: asyncpg.Pool) -> int:
    """How many orgs have credentials for a calendar; with none there is no calendar. `worker` as above."""
    orgs: int = await db.fetch_value(worker, "select app.orgs_with_calendars()")
    return orgs


@dataclass(frozen=True, slots=True)
class CalendarSync:
    """Does both jobs. Raises what booking raises; what is not `retryable` is for a human to mend."""

    pool: asyncpg.Pool
    calendars: Calendars

    async def push(self, claim: Claim, appointment_id: UUID) -> None:
        """The appointment's event stands in its practitioner's calendar alone, or in none if it is over.

        Without a calendar or credentials for it there is nothing to do; what was missed follows when they are
        there. Raises `CalendarRefused`, `CalendarUnavailable`, `BookingUnavailable`.
        """
        places = await db.fetch(self.pool, claim, "plan_calendar_push", appointment_id)
        if not places:
            return
        try:
            calendar = await self.calendars.calendar(claim)
        except CalendarNotConfigured:
            await self._note(claim, places[0]["practitioner_id"], "not_configured")
            return
        for place in places:
            await self._push(calendar, appointment_id, place)
            await db.fetch(
                self.pool,
                claim,
                "settle_calendar_event",
                appointment_id,
                place["calendar_id"],
                place["wanted"],
            )

    async def sync_busy(self, claim: Claim, practitioner_id: UUID) -> None:
        """The practitioner's busy times are what the calendar says now.

        A refusal is noted, and the times before stay. Raises `CalendarUnavailable`, `BookingUnavailable`.
        """
        try:
            for _ in range(_SYNC_TRIES):
                if await self._synced(claim, practitioner_id):
                    return
        except CalendarNotConfigured:
            await self._note(claim, practitioner_id, "not_configured")
        except CalendarRefused as refusal:
            await self._note(claim, practitioner_id, refusal.reason)

    async def _push(self, calendar: Calendar, appointment_id: UUID, place: asyncpg.Record) -> None:
        if not place["wanted"]:
            await calendar.remove(place["calendar_id"], event_id(appointment_id))
            return
        event = CalendarEvent(
            id=event_id(appointment_id),
            summary="Appointment",
            description=f"Reference: {appointment_id}",
            starts_at=place["starts_at"],
            ends_at=place["ends_at"],
        )
        await calendar.put(place["calendar_id"], event)

    async def _synced(self, claim: Claim, practitioner_id: UUID) -> bool:
        rows = await db.fetch(self.pool, claim, "begin_busy_sync", practitioner_id, SYNC_EVERY)
        if not rows:
            return True
        (sync,) = rows
        busy = await self._busy(claim, sync)
        (finished,) = await db.fetch(
            self.pool,
            claim,
            "finish_busy_sync",
            practitioner_id,
            sync["sync_id"],
            [each.starts_at for each in busy],
            [each.ends_at for each in busy],
        )
        done: bool = finished[0]
        return done

    async def _busy(self, claim: Claim, sync: asyncpg.Record) -> Sequence[Busy]:
        calendar = await self.calendars.calendar(claim)
        if sync["before"] is None:  # there are no slots to take away
            return ()
        return await calendar.busy(sync["calendar_id"], after=sync["after"], before=sync["before"])

    async def _note(self, claim: Claim, practitioner_id: UUID, trouble: Trouble) -> None:
        await db.fetch(self.pool, claim, "note_calendar_trouble", practitioner_id, trouble)
