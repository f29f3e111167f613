"""Appointments become events, busy times take slots away: over Postgres and a strict Google."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from bench.simulators.faults import Refuse
from bench.simulators.google_calendar import DoneButUnanswered, GoogleCalendarSimulator, Limit
from booking import db
from booking.bookings import cancel_booking, reschedule_booking
from booking.calendar import GoogleCalendars, StoredCalendars, event_id
from booking.calendar_sync import (
    CalendarSync,
    due_calendars,
    orgs_with_calendars,
    practitioner_calendars,
    set_practitioner_calendar,
)
from booking.db import open_pool, org_transaction
from booking.errors import CalendarRefused, CalendarUnavailable, PractitionerUnknown, StatementRefused
from booking.holds import claim_slot, hold_status
from booking.jobs import Outcome, Work
from booking.types import Booking, Conflict, HoldStatus
from booking.worker import Pace, working
from tests.booking.calendars import OKAFOR, PATEL, Office, service_account
from tests.booking.patients import TTL, Desk, make_sealer
from tests.conftest import Clinic, Stack


@pytest.fixture
async def office(pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Office]:
    async with GoogleCalendarSimulator() as google:
        google.add_account(service_account())
        for calendar_id in (PATEL, OKAFOR):
            google.share(calendar_id, service_account().email)
        async with GoogleCalendars(api_url=google.url, token_url=google.token_url, timeout_s=2.0) as way:
            desk = Desk(pool, clinic, make_sealer())
            yield Office(desk, google, CalendarSync(pool, StoredCalendars(pool, desk.sealer, way)))


@pytest.fixture
async def opened(office: Office) -> Office:
    await office.open()
    return office


async def book(office: Office) -> Booking:
    """The first free appointment with Dr Patel."""
    (slot,) = await office.desk.free(practitioner=0)
    return await office.desk.book(slot)


async def push(office: Office, booking: Booking) -> None:
    await office.sync.push(office.desk.clinic.claim, booking.id)


async def cancel(office: Office, booking: Booking) -> None:
    await cancel_booking(office.desk.pool, office.desk.clinic.claim, booking_id=booking.id)


# --- events -----------------------------------------------------------------------------------------------


async def test_a_booking_becomes_an_event_that_names_nobody(opened: Office) -> None:
    booking = await book(opened)
    await push(opened, booking)
    (event,) = opened.patel.standing
    assert (event.id, event.starts_at, event.ends_at) == (
        event_id(booking.id),
        booking.slot.starts_at,
        booking.slot.ends_at,
    )
    assert (event.fields["summary"], event.fields["description"]) == (
        "Appointment",
        f"Reference: {booking.id}",
    )


async def test_pushing_twice_makes_one_event(opened: Office) -> None:
    booking = await book(opened)
    await asyncio.gather(push(opened, booking), push(opened, booking))
    await push(opened, booking)
    assert len(opened.patel.events) == 1


@pytest.mark.parametrize("fault", [DoneButUnanswered(), Limit(), Limit(429), Refuse(503), Refuse(401)])
async def test_a_push_that_failed_half_way_is_made_good(opened: Office, fault: object) -> None:
    booking = await book(opened)
    opened.google.faults.add(fault, times=2)
    with pytest.raises((CalendarUnavailable, CalendarRefused)):
        await push(opened, booking)
    opened.google.faults.clear()
    await push(opened, booking)
    assert [event.id for event in opened.patel.standing] == [event_id(booking.id)]


async def test_a_cancelled_booking_loses_its_event(opened: Office) -> None:
    booking = await book(opened)
    await push(opened, booking)
    await cancel(opened, booking)
    await push(opened, booking)
    await push(opened, booking)
    assert opened.patel.standing == []
    assert opened.google.asked("DELETE") == [204]


async def test_a_lost_push_of_a_cancelled_booking_leaves_no_event(opened: Office) -> None:
    booking = await book(opened)
    opened.google.faults.add(DoneButUnanswered(), times=2)
    with pytest.raises(CalendarUnavailable):
        await push(opened, booking)
    assert len(opened.patel.standing) == 1
    await cancel(opened, booking)
    await push(opened, booking)
    assert opened.patel.standing == []


async def test_a_cancelled_booking_that_was_never_pushed_asks_nobody(opened: Office) -> None:
    booking = await book(opened)
    await cancel(opened, booking)
    await push(opened, booking)
    assert opened.google.requests == []


async def test_a_moved_booking_moves_its_event(opened: Office) -> None:
    first = await book(opened)
    await push(opened, first)
    slots = await opened.desk.free(limit=2, practitioner=0)
    second = await reschedule_booking(
        opened.desk.pool, opened.desk.clinic.claim, booking_id=first.id, slot_id=slots[1].id
    )
    assert isinstance(second, Booking)
    for booking in (second, first):
        await push(opened, booking)
    assert [(event.id, event.starts_at) for event in opened.patel.standing] == [
        (event_id(second.id), second.slot.starts_at)
    ]


async def test_events_follow_the_practitioner_to_another_calendar(opened: Office) -> None:
    booking = await book(opened)
    await push(opened, booking)
    await opened.assign(OKAFOR)
    await push(opened, booking)
    assert opened.patel.standing == []
    assert len(opened.google.calendars[OKAFOR].standing) == 1
    await opened.assign(None)
    await push(opened, booking)
    assert opened.google.calendars[OKAFOR].standing == []


async def test_the_new_calendar_has_the_event_though_the_old_one_is_shared_no_more(opened: Office) -> None:
    booking = await book(opened)
    await push(opened, booking)
    opened.patel.roles[service_account().email] = "reader"
    await opened.assign(OKAFOR)
    with pytest.raises(CalendarRefused):
        await push(opened, booking)
    assert len(opened.google.calendars[OKAFOR].standing) == 1


async def test_without_a_calendar_or_a_key_nothing_is_asked(office: Office) -> None:
    booking = await book(office)
    await push(office, booking)
    await office.assign(PATEL)
    await push(office, booking)
    await office.sync.push(office.desk.clinic.claim, uuid4())
    assert office.google.requests == []


async def test_another_org_can_push_nothing_of_ours(opened: Office, other_clinic: Clinic) -> None:
    booking = await book(opened)
    await opened.sync.push(other_clinic.claim, booking.id)
    assert opened.google.requests == []


async def waiting_jobs(stack: Stack, office: Office) -> set[tuple[str, UUID]]:
    """Kinds and rows of the clinic's jobs."""
    worker = await asyncpg.connect(stack.postgres.worker)
    rows = await worker.fetch("select entrypoint, encode(payload, 'hex') as ids from jobs.pgqueuer")
    await worker.close()
    org = office.desk.clinic.claim.org_id.hex
    return {(row["entrypoint"], UUID(row["ids"][32:])) for row in rows if row["ids"].startswith(org)}


async def test_a_calendar_had_at_last_gets_what_it_missed(stack: Stack, office: Office) -> None:
    await office.assign(PATEL)
    booking = await book(office)
    await push(office, booking)
    (calendar,) = await practitioner_calendars(office.desk.pool, office.desk.clinic.claim)
    assert calendar.trouble == "not_configured"
    await office.store_key()
    worker = await asyncpg.connect(stack.postgres.worker)
    await worker.execute("delete from jobs.pgqueuer")
    await worker.close()

    await office.sync_busy()
    (calendar,) = await practitioner_calendars(office.desk.pool, office.desk.clinic.claim)
    assert (calendar.trouble, calendar.synced_at is not None) == (None, True)
    assert await waiting_jobs(stack, office) == {("calendar_push", booking.id)}


async def test_naming_a_calendar_has_it_filled_and_read(stack: Stack, office: Office) -> None:
    booking = await book(office)
    await office.open()
    assert await waiting_jobs(stack, office) >= {
        ("calendar_push", booking.id),
        ("calendar_busy_sync", office.desk.clinic.practitioner_ids[0]),
    }


class Outcomes:
    """Collects how pushes end, until one is done or given up. Satisfies `JobWatch`."""

    def __init__(self) -> None:
        self.all: list[Outcome] = []
        self.settled = asyncio.Event()

    def job_ended(self, kind: str, outcome: Outcome, seconds: float, error: str | None) -> None:
        self.all.append(outcome)
        if outcome in ("done", "failed"):
            self.settled.set()

    def sweep_failed(self, name: str, error: str) -> None: ...

    def worker_interrupted(self, error: str) -> None: ...


@pytest.mark.parametrize(
    ("faults", "outcomes"),
    [
        ([], ["done"]),
        ([Limit(403), Limit(429), Refuse(503)], ["retried", "retried", "retried", "done"]),
        ([Limit(403, "forbidden")], ["failed"]),
    ],
)
async def test_a_worker_brings_a_booking_to_the_calendar(
    stack: Stack, opened: Office, faults: list[object], outcomes: list[Outcome]
) -> None:
    for fault in faults:
        opened.google.faults.add(fault)
    watch, work = Outcomes(), Work(handlers={"calendar_push": opened.sync.push})
    pace = Pace(first_retry_s=0.01, longest_retry_s=0.01, poll_s=0.1)
    async with await open_pool(stack.postgres.worker, max_size=4) as worker_pool:
        await worker_pool.execute("delete from jobs.pgqueuer")
        async with working(worker_pool, stack.postgres.worker, work, watch, pace):
            booking = await book(opened)
            async with asyncio.timeout(20):
                await watch.settled.wait()
        await worker_pool.execute("delete from jobs.pgqueuer")
    assert watch.all == outcomes
    put = [event.id for event in opened.patel.standing]
    assert put == ([event_id(booking.id)] if outcomes[-1] == "done" else [])


# --- busy times -------------------------------------------------------------------------------------------


async def test_a_busy_time_takes_its_slots_away_and_gives_them_back(opened: Office) -> None:
    first, second = await opened.desk.free(limit=2, practitioner=0)
    opened.patel.times.append((first.starts_at, first.ends_at))
    await opened.sync_busy()

    claim, pool = opened.desk.clinic.claim, opened.desk.pool
    assert (await opened.desk.free(practitioner=0))[0].id == second.id
    assert await hold_status(pool, claim, slot_id=first.id) == HoldStatus("booked")
    refused = await claim_slot(pool, claim, slot_id=first.id, call_id=uuid4(), ttl=TTL)
    assert isinstance(refused, Conflict)
    assert refused.reason == "taken"
    assert first.id not in {slot.id for slot in refused.slots}

    opened.patel.times.clear()
    await opened.sync_busy()
    assert (await opened.desk.free(practitioner=0))[0].id == first.id
    await opened.desk.hold(first)


async def test_an_appointment_cannot_move_into_a_busy_time(opened: Office) -> None:
    booking = await book(opened)
    (slot,) = await opened.desk.free(practitioner=0)
    opened.patel.times.append((slot.starts_at, slot.ends_at))
    await opened.sync_busy()
    refused = await reschedule_booking(
        opened.desk.pool, opened.desk.clinic.claim, booking_id=booking.id, slot_id=slot.id
    )
    assert isinstance(refused, Conflict)


async def test_a_busy_time_meets_a_slot_if_they_share_an_instant(opened: Office) -> None:
    first, second, third = await opened.desk.free(limit=3, practitioner=0)
    moment = timedelta(seconds=1)
    opened.patel.times.append((second.ends_at - moment, third.starts_at + moment))
    await opened.sync_busy()
    (left,) = await opened.desk.free(practitioner=0)
    assert left.id == first.id
    opened.patel.times[:] = [(first.ends_at, second.starts_at), (second.ends_at, third.starts_at)]
    await opened.sync_busy()
    assert [slot.id for slot in await opened.desk.free(limit=3, practitioner=0)] == [
        first.id,
        second.id,
        third.id,
    ]


async def test_a_holiday_of_days_blocks_each_of_them(opened: Office) -> None:
    (first,) = await opened.desk.free(practitioner=0)
    away = (first.starts_at - timedelta(hours=1), first.starts_at + timedelta(days=4))
    opened.patel.times.append(away)
    await opened.sync_busy()
    (slot,) = await opened.desk.free(practitioner=0)
    assert slot.starts_at >= away[1]


async def test_others_are_not_busy(opened: Office, other_clinic: Clinic) -> None:
    (ours,) = await opened.desk.free(practitioner=1)
    theirs = Desk(opened.desk.pool, other_clinic, opened.desk.sealer)
    (free_there,) = await theirs.free(practitioner=0)
    opened.patel.times.append((ours.starts_at, ours.ends_at + timedelta(days=30)))
    await opened.sync_busy()
    assert (await opened.desk.free(practitioner=1))[0].id == ours.id
    assert (await theirs.free(practitioner=0))[0].id == free_there.id


async def test_our_own_event_blocks_nothing_once_its_booking_is_cancelled(opened: Office) -> None:
    booking = await book(opened)
    await push(opened, booking)
    await opened.sync_busy()
    await cancel(opened, booking)
    assert (await opened.desk.free(practitioner=0))[0].id == booking.slot.id
    await opened.sync_busy()  # the event still stands in the calendar
    assert (await opened.desk.free(practitioner=0))[0].id == booking.slot.id


async def test_a_private_time_beside_our_own_event_still_counts(opened: Office) -> None:
    booking = await book(opened)
    await push(opened, booking)
    (following,) = await opened.desk.free(practitioner=0)
    opened.patel.times.append((booking.slot.starts_at, following.ends_at))
    await opened.sync_busy()
    (slot,) = await opened.desk.free(practitioner=0)
    assert slot.starts_at >= following.ends_at


async def test_an_answer_from_before_an_event_was_removed_is_refused(opened: Office) -> None:
    booking = await book(opened)
    await push(opened, booking)
    pool, claim = opened.desk.pool, opened.desk.clinic.claim
    person = opened.desk.clinic.practitioner_ids[0]
    (asked,) = await db.fetch(pool, claim, "begin_busy_sync", person, timedelta(minutes=5))
    await cancel(opened, booking)
    await push(opened, booking)
    stale = ([booking.slot.starts_at], [booking.slot.ends_at])
    (finished,) = await db.fetch(pool, claim, "finish_busy_sync", person, asked["sync_id"], *stale)
    assert finished[0] is False
    assert (await opened.desk.free(practitioner=0))[0].id == booking.slot.id


async def test_a_calendar_that_cannot_be_read_goes_on_blocking(opened: Office) -> None:
    (first,) = await opened.desk.free(practitioner=0)
    opened.patel.times.append((first.starts_at, first.ends_at))
    await opened.sync_busy()
    opened.patel.roles.clear()
    await opened.sync_busy()
    (calendar,) = await practitioner_calendars(opened.desk.pool, opened.desk.clinic.claim)
    assert calendar.trouble == "calendar"
    assert (await opened.desk.free(practitioner=0))[0].id != first.id
    opened.google.faults.add(Refuse(503))
    with pytest.raises(CalendarUnavailable):
        await opened.sync_busy()
    assert (await opened.desk.free(practitioner=0))[0].id != first.id


async def test_a_calendar_taken_away_blocks_no_more(opened: Office) -> None:
    (first,) = await opened.desk.free(practitioner=0)
    opened.patel.times.append((first.starts_at, first.ends_at))
    await opened.sync_busy()
    await opened.assign(None)
    assert (await opened.desk.free(practitioner=0))[0].id == first.id
    asked = len(opened.google.requests)
    await opened.sync_busy()
    assert len(opened.google.requests) == asked


async def test_the_sweep_finds_who_is_due_and_sees_no_more(stack: Stack, opened: Office) -> None:
    due = (opened.desk.clinic.claim, opened.desk.clinic.practitioner_ids[0])
    async with await open_pool(stack.postgres.worker, max_size=1) as worker:
        assert due in await due_calendars(worker, limit=1000)
        assert await orgs_with_calendars(worker) >= 1
        await opened.sync_busy()
        assert due not in await due_calendars(worker, limit=1000)
        for secret in ("calendar_id from practitioner_calendars", "sealed from org_credentials"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await worker.fetch(f"select {secret}")


@pytest.mark.parametrize("calendar_id", ["", "x", "a b", "a/b", "a?b", "x" * 255, "'; drop table slots"])
async def test_what_is_no_calendar_id_is_refused(office: Office, calendar_id: str) -> None:
    with pytest.raises(StatementRefused) as refused:
        await office.assign(calendar_id)
    assert calendar_id == "" or calendar_id not in str(refused.value).split()


async def test_a_practitioner_of_another_org_is_unknown(office: Office, other_clinic: Clinic) -> None:
    for practitioner_id in (other_clinic.practitioner_ids[0], uuid4()):
        with pytest.raises(PractitionerUnknown):
            await set_practitioner_calendar(
                office.desk.pool,
                office.desk.clinic.claim,
                practitioner_id=practitioner_id,
                calendar_id=PATEL,
            )


_ALL_TAKEN = (
    """
    insert into appointment_holds
        (org_id, slot_id, call_id, practitioner_number, starts_at, ends_at, state, expires_at)
    select org_id, id, gen_random_uuid(), practitioner_number, starts_at, ends_at, 'booked', now()
    from slots where practitioner_id = $1 and service_id = $2
    """,
    """
    insert into calendar_busy (org_id, practitioner_number, starts_at, ends_at)
    select org_id, practitioner_number, starts_at, ends_at
    from slots where practitioner_id = $1 and service_id = $2
    """,
)


async def test_what_occupies_a_time_is_found_by_index(opened: Office) -> None:
    clinic = opened.desk.clinic
    for statement in _ALL_TAKEN:
        await opened.desk.by_hand(statement, clinic.practitioner_ids[0], clinic.service_ids[0])
    async with org_transaction(opened.desk.pool, clinic.claim) as connection:
        await connection.execute("set local enable_seqscan = off")  # the tables are small here
        plan = await connection.fetch(
            "explain select from app.occupied(1, now(), now() + interval '1 hour', now())"
        )
    conditions = [line[0] for line in plan if "Index Cond" in line[0]]
    assert len(conditions) == 2
    for condition, column in zip(conditions, ("starts_at", "ends_at"), strict=True):
        assert "practitioner_number = 1" in condition
        assert column in condition
