"""Which slots are offered."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from booking.clinic import seed_clinic
from booking.db import claims_json, fetch
from booking.errors import ValueInvalid
from booking.slots import next_available
from tests.booking.evenings import clinic_with_one_evening
from tests.conftest import Clinic, random_spec


async def test_soonest_first_and_no_more_than_asked(pool: asyncpg.Pool, clinic: Clinic) -> None:
    slots = await next_available(
        pool, clinic.claim, service_id=clinic.service_ids[0], after=datetime.now(UTC), limit=7
    )
    assert len(slots) == 7
    assert [s.starts_at for s in slots] == sorted(s.starts_at for s in slots)
    assert {s.ends_at - s.starts_at for s in slots} == {timedelta(minutes=30)}


async def test_after_and_until_bound_the_start(pool: asyncpg.Pool, clinic: Clinic) -> None:
    noon = datetime.combine(clinic.first_day + timedelta(days=3), time(12), UTC)
    slots = await next_available(
        pool,
        clinic.claim,
        service_id=clinic.service_ids[0],
        after=noon,
        until=noon + timedelta(hours=1),
        limit=50,
    )
    assert [s.starts_at - noon for s in slots] == [timedelta(minutes=m) for m in (0, 0, 30, 30)]


async def test_only_the_practitioner_asked_for(pool: asyncpg.Pool, clinic: Clinic) -> None:
    wanted = clinic.practitioner_ids[1]
    slots = await next_available(
        pool,
        clinic.claim,
        service_id=clinic.service_ids[0],
        after=datetime.now(UTC),
        practitioner_id=wanted,
        limit=5,
    )
    assert {(s.practitioner_id, s.practitioner) for s in slots} == {(wanted, "Dr Okafor")}


async def test_from_a_time_of_day_on_by_the_clinics_clock(
    pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    """The only evening slot of two weeks is found behind hundreds of earlier ones."""
    clinic = await clinic_with_one_evening(owner)
    zone = ZoneInfo(clinic.spec.time_zone)
    slots = await next_available(
        pool, clinic.claim, service_id=clinic.service_ids[0], after=datetime.now(UTC), not_before=time(18)
    )
    assert [slot.starts_at.astimezone(zone) for slot in slots] == [
        datetime.combine(clinic.first_day + timedelta(days=9), time(18), zone)
    ]


async def test_a_time_of_day_is_local_on_either_side_of_a_change_of_the_clocks(
    pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    zone = ZoneInfo("Europe/London")
    spec = replace(random_spec(), practitioners=("Dr Patel",))
    first = next_change(zone) - timedelta(days=1)
    clinic = Clinic(spec, await seed_clinic(owner, spec, first_day=first, days=3), first)
    slots = await next_available(
        pool, clinic.claim, service_id=clinic.service_ids[0], after=datetime.now(UTC), not_before=time(16, 30)
    )
    local = [slot.starts_at.astimezone(zone) for slot in slots]
    assert [each.time() for each in local] == [time(16, 30)] * 3
    assert len({each.utcoffset() for each in local}) == 2


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=2))])
async def test_a_time_of_day_has_no_offset(pool: asyncpg.Pool, clinic: Clinic, zone: timezone) -> None:
    with pytest.raises(ValueInvalid) as refused:
        await next_available(
            pool,
            clinic.claim,
            service_id=clinic.service_ids[0],
            after=datetime.now(UTC),
            not_before=time(14, tzinfo=zone),
        )
    assert refused.value.reason == "time_of_day_with_offset"


async def test_what_older_replicas_ask_answers_the_same(pool: asyncpg.Pool, clinic: Clinic) -> None:
    asked = (clinic.service_ids[0], datetime.now(UTC), 7, None, clinic.practitioner_ids[0])
    rows = await fetch(pool, clinic.claim, "get_next_available_slots", *asked)
    now = await fetch(pool, clinic.claim, "free_slots", *asked, None)
    assert [dict(row) for row in rows] == [dict(row) for row in now]
    assert len(rows) == 7


def next_change(zone: ZoneInfo) -> date:
    """The next day but one week on which the zone's clocks change."""
    day = datetime.now(UTC).date() + timedelta(days=7)
    while offset_at_noon(day, zone) == offset_at_noon(day - timedelta(days=1), zone):
        day += timedelta(days=1)
    return day


def offset_at_noon(day: date, zone: ZoneInfo) -> timedelta | None:
    return datetime.combine(day, time(12), zone).utcoffset()


async def test_never_a_slot_that_has_begun(pool: asyncpg.Pool, clinic: Clinic) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    slots = await next_available(
        pool, clinic.claim, service_id=clinic.service_ids[0], after=long_ago, limit=100
    )
    assert slots
    assert all(s.starts_at > datetime.now(UTC) for s in slots)


async def test_nothing_for_an_unknown_or_foreign_service(
    pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    for service_id in (uuid4(), other_clinic.service_ids[0]):
        assert not await next_available(pool, clinic.claim, service_id=service_id, after=datetime.now(UTC))


async def test_nobody_and_nothing_that_is_offered_no_more(
    pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic
) -> None:
    gone, stays = clinic.practitioner_ids
    service_id, _ = clinic.service_ids

    async def offered() -> set[UUID]:
        slots = await next_available(
            pool, clinic.claim, service_id=service_id, after=datetime.now(UTC), limit=20
        )
        return {slot.practitioner_id for slot in slots}

    assert await offered() == {gone, stays}
    await end(owner, clinic, "practitioners", gone)
    assert await offered() == {stays}
    await end(owner, clinic, "services", service_id)
    assert await offered() == set()


async def end(owner: asyncpg.Connection, clinic: Clinic, table: str, row_id: UUID) -> None:
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(clinic.claim))
        await owner.execute(f"update public.{table} set active = false where id = $1", row_id)
