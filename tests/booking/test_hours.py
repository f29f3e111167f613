"""Slots from working hours on the real server; above all on the days on which the clocks change."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from booking.bookings import reschedule_booking
from booking.clinic import ClinicSpec, ServiceSpec, seed_clinic
from booking.db import claims_json, open_pool
from booking.errors import PractitionerUnknown, StatementRefused
from booking.holds import claim_slot, hold_status
from booking.hours import add_holiday, generate_slots, remove_holiday, set_hours
from booking.types import Conflict, SlotsGenerated, WeeklyBreak, WorkingHours
from tests.booking.patients import Desk, make_sealer
from tests.conftest import Clinic, Stack

LONDON, NEW_YORK = "Europe/London", "America/New_York"
MONDAY, SUNDAY = 0, 6
EXCLUSION_VIOLATION, CHECK_VIOLATION, INVALID = "23P01", "23514", "22023"

# The days on which the clocks change, from 01:00 UTC (London) and 02:00 local time (New York) on.
CHANGES = {
    (LONDON, "spring"): date(2027, 3, 28),
    (LONDON, "autumn"): date(2027, 10, 31),
    (NEW_YORK, "spring"): date(2027, 3, 14),
    (NEW_YORK, "autumn"): date(2027, 11, 7),
}


async def make_desk(pool: asyncpg.Pool, owner: asyncpg.Connection, zone: str, minutes: int = 30) -> Desk:
    """A clinic of one practitioner and one service in this zone, without a slot."""
    key = uuid4()
    spec = ClinicSpec(
        key=str(key),
        name="Harley Street Clinic",
        numbers=(f"+4420{key.int % 10**10:010d}",),
        services=(ServiceSpec("Consultation", minutes),),
        practitioners=("Dr Patel",),
        time_zone=zone,
    )
    first_day = datetime.now(UTC).date()
    claim = await seed_clinic(owner, spec, first_day=first_day, days=0)
    return Desk(pool, Clinic(spec, claim, first_day), make_sealer())


async def works(desk: Desk, *hours: WorkingHours, breaks: Iterable[WeeklyBreak] = ()) -> None:
    await set_hours(
        desk.pool,
        desk.clinic.claim,
        practitioner_id=desk.clinic.practitioner_ids[0],
        hours=hours,
        breaks=list(breaks),
    )


async def generate(desk: Desk, first: date, last: date | None = None) -> SlotsGenerated:
    return await generate_slots(desk.pool, desk.clinic.claim, first_day=first, last_day=last or first)


async def offered(desk: Desk) -> list[datetime]:
    return [slot.starts_at for slot in await desk.free(100)]


def spoken(desk: Desk, instants: Iterable[datetime]) -> list[str]:
    """What the clinic's clock shows, and its offset."""
    zone = ZoneInfo(desk.clinic.spec.time_zone)
    return [f"{instant.astimezone(zone):%H:%M %z}" for instant in instants]


def next_weekday(weekday: int) -> date:
    """The next such day but one week, so that none of it is past."""
    today = datetime.now(UTC).date() + timedelta(days=7)
    return today + timedelta(days=(weekday - today.weekday()) % 7)


# --- the clocks change ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("zone", "season"), CHANGES)
async def test_by_day_the_clinics_clock_counts(
    pool: asyncpg.Pool, owner: asyncpg.Connection, zone: str, season: str
) -> None:
    """Nine o'clock stays nine o'clock on the day before, the day itself and the day after."""
    desk, changed = await make_desk(pool, owner, zone, 60), CHANGES[zone, season]
    await works(desk, *(WorkingHours(day, time(9), time(12), 60) for day in range(7)))
    days = [changed + timedelta(days=n) for n in (-1, 0, 1)]
    assert (await generate(desk, days[0], days[-1])).added == 9
    wanted = [datetime.combine(day, time(hour), ZoneInfo(zone)) for day in days for hour in (9, 10, 11)]
    assert await offered(desk) == [each.astimezone(UTC) for each in wanted]


@pytest.mark.parametrize(
    ("zone", "clock"),
    [
        (LONDON, ["00:00 +0000", "00:30 +0000", "02:00 +0100", "02:30 +0100", "03:00 +0100", "03:30 +0100"]),
        (
            NEW_YORK,
            ["00:00 -0500", "00:30 -0500", "01:00 -0500", "01:30 -0500", "03:00 -0400", "03:30 -0400"],
        ),
    ],
)
async def test_a_night_in_spring_lacks_the_hour_that_is_skipped(
    pool: asyncpg.Pool, owner: asyncpg.Connection, zone: str, clock: list[str]
) -> None:
    desk = await make_desk(pool, owner, zone)
    await works(desk, WorkingHours(SUNDAY, time(0), time(4)))
    await generate(desk, CHANGES[zone, "spring"])
    assert spoken(desk, await offered(desk)) == clock


@pytest.mark.parametrize(
    ("zone", "clock"),
    [
        (LONDON, ["00:30 +0100", "01:00 +0100", "01:30 +0100", "01:00 +0000", "01:30 +0000"]),
        (NEW_YORK, ["00:30 -0400", "01:00 -0400", "01:30 -0400", "01:00 -0500", "01:30 -0500"]),
    ],
)
async def test_a_night_in_autumn_has_the_hour_twice(
    pool: asyncpg.Pool, owner: asyncpg.Connection, zone: str, clock: list[str]
) -> None:
    desk = await make_desk(pool, owner, zone)
    await works(desk, WorkingHours(SUNDAY, time(0, 30), time(2)))
    await generate(desk, CHANGES[zone, "autumn"])
    assert spoken(desk, await offered(desk)) == clock
    starts = await offered(desk)
    assert all(later - earlier == timedelta(minutes=30) for earlier, later in pairwise(starts))


async def test_hours_that_begin_and_end_in_the_doubled_hour_have_all_of_it(
    pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    desk = await make_desk(pool, owner, LONDON)
    await works(desk, WorkingHours(SUNDAY, time(1), time(1, 30)))
    await generate(desk, CHANGES[LONDON, "autumn"])
    assert spoken(desk, await offered(desk)) == ["01:00 +0100", "01:30 +0100", "01:00 +0000"]


async def test_a_break_in_the_doubled_hour_is_kept_both_times(
    pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    desk = await make_desk(pool, owner, NEW_YORK)
    pause = WeeklyBreak(SUNDAY, time(1), time(1, 30))
    await works(desk, WorkingHours(SUNDAY, time(0), time(3)), breaks=[pause])
    await generate(desk, CHANGES[NEW_YORK, "autumn"])
    assert spoken(desk, await offered(desk)) == [
        "00:00 -0400", "00:30 -0400", "01:30 -0500", "02:00 -0500", "02:30 -0500",
    ]  # fmt: skip


async def test_hours_in_the_skipped_hour_are_read_as_before_the_change(
    pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    """RFC 5545 section 3.3.5."""
    desk = await make_desk(pool, owner, NEW_YORK)
    await works(desk, WorkingHours(SUNDAY, time(2), time(3)))
    await generate(desk, CHANGES[NEW_YORK, "spring"])
    assert await offered(desk) == []  # 02:00 and 03:00 are one instant
    await works(desk, WorkingHours(SUNDAY, time(2), time(4)))
    await generate(desk, CHANGES[NEW_YORK, "spring"])
    assert spoken(desk, await offered(desk)) == ["03:00 -0400", "03:30 -0400"]


@pytest.mark.parametrize("session_zone", ["UTC", "America/New_York", "Asia/Kolkata"])
async def test_the_sessions_own_zone_does_not_matter(
    stack: Stack, owner: asyncpg.Connection, pool: asyncpg.Pool, session_zone: str
) -> None:
    desk = await make_desk(pool, owner, LONDON, 60)
    await works(desk, WorkingHours(SUNDAY, time(0), time(0), 60))
    day = CHANGES[LONDON, "spring"]
    async with asyncpg.create_pool(
        stack.postgres.app, min_size=1, max_size=1, server_settings={"TimeZone": session_zone}
    ) as elsewhere:
        made = await generate_slots(elsewhere, desk.clinic.claim, first_day=day, last_day=day)
    assert made.added == 23
    assert (await offered(desk))[0] == datetime.combine(day, time(0), ZoneInfo(LONDON)).astimezone(UTC)
    assert await generate(desk, day) == SlotsGenerated(0, 0)


async def test_a_zone_that_nobody_knows_is_refused(pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    desk = await make_desk(pool, owner, LONDON)
    await works(desk, WorkingHours(MONDAY, time(9), time(10)))
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(desk.clinic.claim))
        await owner.execute("update organizations set time_zone = 'Europe/Atlantis'")
    with pytest.raises(StatementRefused, match=INVALID):
        await generate(desk, next_weekday(MONDAY))


# --- weeks, breaks, holidays ------------------------------------------------------------------------------


@pytest.fixture
async def desk_of_one(pool: asyncpg.Pool, owner: asyncpg.Connection) -> Desk:
    return await make_desk(pool, owner, LONDON, 45)


async def test_a_slot_ends_by_closing_time_and_meets_no_break(desk_of_one: Desk) -> None:
    monday = next_weekday(MONDAY)
    lunch = WeeklyBreak(MONDAY, time(12), time(13))
    await works(desk_of_one, WorkingHours(MONDAY, time(11), time(15)), breaks=[lunch])
    assert (await generate(desk_of_one, monday, monday + timedelta(days=6))).added == 4
    clock = [each[:5] for each in spoken(desk_of_one, await offered(desk_of_one))]
    assert clock == ["11:00", "13:00", "13:30", "14:00"]


async def test_hours_until_midnight_reach_the_days_end(desk_of_one: Desk) -> None:
    await works(desk_of_one, WorkingHours(MONDAY, time(22, 30), time(0), 45))
    await generate(desk_of_one, next_weekday(MONDAY))
    assert [each[:5] for each in spoken(desk_of_one, await offered(desk_of_one))] == ["22:30", "23:15"]


async def test_generating_again_changes_nothing(desk_of_one: Desk) -> None:
    monday = next_weekday(MONDAY)
    await works(desk_of_one, WorkingHours(MONDAY, time(9), time(17)))
    assert (await generate(desk_of_one, monday)).added > 0
    assert await generate(desk_of_one, monday) == SlotsGenerated(0, 0)


async def test_changed_hours_withdraw_what_does_not_fit_and_bring_it_back(desk_of_one: Desk) -> None:
    monday = next_weekday(MONDAY)
    whole, half = WorkingHours(MONDAY, time(9), time(12)), WorkingHours(MONDAY, time(9), time(10, 30))
    await works(desk_of_one, whole)
    await generate(desk_of_one, monday)
    before = await desk_of_one.free(10)
    await works(desk_of_one, half)
    assert await generate(desk_of_one, monday) == SlotsGenerated(0, 3)
    assert await desk_of_one.free(10) == before[:2]
    await works(desk_of_one, whole)
    assert await generate(desk_of_one, monday) == SlotsGenerated(3, 0)
    assert await desk_of_one.free(10) == before


async def test_a_withdrawn_slot_cannot_be_claimed_nor_moved_to(desk_of_one: Desk) -> None:
    desk, monday = desk_of_one, next_weekday(MONDAY)
    await works(desk, WorkingHours(MONDAY, time(9), time(12)))
    await generate(desk, monday)
    first, *_, last = await desk.free(10)
    booking = await desk.book(first)
    await works(desk, WorkingHours(MONDAY, time(9), time(10)))
    await generate(desk, monday)
    answer = await claim_slot(
        desk.pool, desk.clinic.claim, slot_id=last.id, call_id=uuid4(), ttl=timedelta(minutes=1)
    )
    assert isinstance(answer, Conflict)
    moved = await reschedule_booking(desk.pool, desk.clinic.claim, booking_id=booking.id, slot_id=last.id)
    assert isinstance(moved, Conflict)


async def test_bookings_stand_when_their_hours_go(desk_of_one: Desk) -> None:
    desk, monday = desk_of_one, next_weekday(MONDAY)
    await works(desk, WorkingHours(MONDAY, time(9), time(12)))
    await generate(desk, monday)
    slot = (await desk.free())[0]
    await desk.book(slot)
    await works(desk, WorkingHours(MONDAY, time(15), time(16)))
    await generate(desk, monday)
    assert (await hold_status(desk.pool, desk.clinic.claim, slot_id=slot.id)).state == "booked"
    assert await desk.states() == ["booked"]


async def test_holidays_take_days_away_until_they_are_removed(desk_of_one: Desk) -> None:
    desk, monday = desk_of_one, next_weekday(MONDAY)
    pool, claim, week = desk.pool, desk.clinic.claim, next_weekday(MONDAY) + timedelta(days=6)
    await works(desk, *(WorkingHours(day, time(9), time(10)) for day in range(7)))
    assert (await generate(desk, monday, week)).added == 7
    tuesday, thursday = monday + timedelta(days=1), monday + timedelta(days=3)
    closed = await add_holiday(pool, claim, first_day=tuesday, last_day=thursday)
    assert await add_holiday(pool, claim, first_day=tuesday, last_day=thursday) == closed
    person = desk.clinic.practitioner_ids[0]
    await add_holiday(pool, claim, first_day=monday, last_day=monday, practitioner_id=person)
    assert await generate(desk, monday, week) == SlotsGenerated(0, 4)
    assert [each.date().weekday() for each in await offered(desk)] == [4, 5, 6]
    assert await remove_holiday(pool, claim, holiday_id=closed)
    assert not await remove_holiday(pool, claim, holiday_id=closed)
    assert await generate(desk, monday, week) == SlotsGenerated(3, 0)


async def test_a_practitioner_without_hours_is_left_alone(desk: Desk) -> None:
    """As one whose slots were made otherwise."""
    await works(desk)
    before = await desk.free(100)
    first = desk.clinic.first_day
    their_id = desk.clinic.practitioner_ids[0]
    assert await generate_slots(
        desk.pool,
        desk.clinic.claim,
        first_day=first,
        last_day=first + timedelta(days=13),
        practitioner_id=their_id,
    ) == SlotsGenerated(0, 0)
    assert await desk.free(100) == before


async def test_one_practitioners_hours_leave_the_others_slots_alone(desk: Desk) -> None:
    first = desk.clinic.first_day
    await works(desk, WorkingHours(first.weekday(), time(9), time(10)))
    theirs = await desk.free(100, practitioner=1)
    made = await generate(desk, first)
    assert made.added == 0
    assert made.withdrawn > 0
    assert await desk.free(100, practitioner=1) == theirs


async def test_a_services_new_length_reaches_slots_that_nobody_ever_held(
    desk_of_one: Desk, owner: asyncpg.Connection
) -> None:
    desk, monday = desk_of_one, next_weekday(MONDAY)
    await works(desk, WorkingHours(MONDAY, time(9), time(11)))
    await generate(desk, monday)
    held = await desk.hold((await desk.free())[0])
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(desk.clinic.claim))
        await owner.execute("update services set minutes = 30")
    assert (await generate(desk, monday)).added == 3
    rows = await desk.by_hand("select id, ends_at - starts_at as length from slots order by starts_at")
    lengths = {row["id"]: row["length"] for row in rows}
    assert lengths.pop(held.slot.id) == timedelta(minutes=45)
    assert set(lengths.values()) == {timedelta(minutes=30)}


async def test_what_is_past_is_neither_made_nor_withdrawn(desk_of_one: Desk) -> None:
    today = datetime.now(UTC).date()
    await works(desk_of_one, *(WorkingHours(day, time(0), time(0)) for day in range(7)))
    await generate(desk_of_one, today - timedelta(days=2), today)
    (row,) = await desk_of_one.by_hand("select count(*) from slots where starts_at <= now()")
    assert row[0] == 0
    assert await generate(desk_of_one, today - timedelta(days=9), today - timedelta(days=3)) == (
        SlotsGenerated(0, 0)
    )


# --- what makes no sense ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "sqlstate"),
    [
        ([WorkingHours(7, time(9), time(10))], CHECK_VIOLATION),
        ([WorkingHours(-1, time(9), time(10))], CHECK_VIOLATION),
        ([WorkingHours(0, time(10), time(9))], CHECK_VIOLATION),
        ([WorkingHours(0, time(9), time(9))], CHECK_VIOLATION),
        ([WorkingHours(0, time(9), time(10), 0)], CHECK_VIOLATION),
        ([WorkingHours(0, time(9), time(10), -30)], CHECK_VIOLATION),
        ([WorkingHours(0, time(9, 0, 1), time(10))], CHECK_VIOLATION),
        ([WorkingHours(0, time(9), time(12)), WorkingHours(0, time(11), time(13))], EXCLUSION_VIOLATION),
        ([WorkingHours(0, time(9), time(0)), WorkingHours(0, time(23), time(0))], EXCLUSION_VIOLATION),
    ],
)
async def test_hours_that_make_no_sense_change_nothing(
    desk_of_one: Desk, hours: list[WorkingHours], sqlstate: str
) -> None:
    await works(desk_of_one, WorkingHours(MONDAY, time(9), time(10)))
    with pytest.raises(StatementRefused, match=sqlstate):
        await works(desk_of_one, *hours)
    rows = await desk_of_one.by_hand("select opens from working_hours")
    assert [row["opens"] for row in rows] == [time(9)]


@pytest.mark.parametrize(("first", "last"), [(1, 0), (0, 401)])
async def test_too_many_or_no_days_are_refused(desk_of_one: Desk, first: int, last: int) -> None:
    today = datetime.now(UTC).date()
    with pytest.raises(StatementRefused, match=INVALID):
        await generate(desk_of_one, today + timedelta(days=first), today + timedelta(days=last))


async def test_another_orgs_practitioner_is_unknown(desk: Desk, other_desk: Desk) -> None:
    pool, claim, today = desk.pool, desk.clinic.claim, datetime.now(UTC).date()
    theirs = other_desk.clinic.practitioner_ids[0]
    with pytest.raises(PractitionerUnknown):
        await set_hours(pool, claim, practitioner_id=theirs, hours=[WorkingHours(0, time(9), time(10))])
    with pytest.raises(PractitionerUnknown):
        await generate_slots(pool, claim, first_day=today, last_day=today, practitioner_id=theirs)
    with pytest.raises(PractitionerUnknown):
        await add_holiday(pool, claim, first_day=today, last_day=today, practitioner_id=theirs)
    holiday = await add_holiday(pool, other_desk.clinic.claim, first_day=today, last_day=today)
    assert not await remove_holiday(pool, claim, holiday_id=holiday)


async def test_slots_generated_and_claimed_at_once_end_well(
    stack: Stack, owner: asyncpg.Connection, desk_of_one: Desk
) -> None:
    """Generating changes lengths and offers while callers claim; nobody meets an error."""
    monday, claim = next_weekday(MONDAY), desk_of_one.clinic.claim
    wide, narrow = WorkingHours(MONDAY, time(8), time(20)), WorkingHours(MONDAY, time(10), time(14))
    await works(desk_of_one, wide)
    await generate(desk_of_one, monday)
    slots = await desk_of_one.free(100)

    async def lasts(minutes: int) -> None:
        async with owner.transaction():
            await owner.execute("select app.arm($1)", claims_json(claim))
            await owner.execute("update services set minutes = $1", minutes)

    async with await open_pool(stack.postgres.app, max_size=8) as crowd:
        desk = Desk(crowd, desk_of_one.clinic, desk_of_one.sealer)

        async def regenerate() -> None:
            for hours, minutes in ((wide, 30), (narrow, 45), (wide, 40), (wide, 35)) * 3:
                await works(desk, hours)
                await lasts(minutes)
                await generate(desk, monday)

        async def claim_all() -> None:
            brief = timedelta(microseconds=1)
            for slot in slots[::-1]:
                await claim_slot(crowd, claim, slot_id=slot.id, call_id=uuid4(), ttl=brief)

        await asyncio.gather(regenerate(), *(claim_all() for _ in range(6)))
    assert len(await desk_of_one.free(100)) >= len(slots)
