"""Onboarding, and what a call learns of its clinic."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from booking import orgs
from booking.clinic import seed_clinic
from booking.db import org_transaction
from booking.errors import ClinicInvalid
from booking.holds import claim_slot, hold_status
from booking.slots import next_available
from booking.types import Claim
from tests.conftest import SLOT_DAYS, Clinic, random_spec


async def counts(pool: asyncpg.Pool, clinic: Clinic) -> list[int]:
    tables = ("organizations", "phone_numbers", "services", "practitioners", "slots")
    async with org_transaction(pool, clinic.claim) as connection:
        return [await connection.fetchval(f"select count(*) from {table}") for table in tables]


async def test_seeding_again_changes_words_and_nothing_else(
    pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic
) -> None:
    (slot,) = await next_available(
        pool, clinic.claim, service_id=clinic.service_ids[0], after=datetime.now(UTC), limit=1
    )
    await claim_slot(pool, clinic.claim, slot_id=slot.id, call_id=uuid4(), ttl=timedelta(minutes=1))
    before = await counts(pool, clinic)
    renamed = replace(clinic.spec, greeting="Good morning.")
    again = await seed_clinic(owner, renamed, first_day=clinic.first_day, days=SLOT_DAYS)
    assert again == clinic.claim
    profile = await orgs.load_profile(pool, clinic.claim)
    assert profile is not None
    assert profile.greeting == "Good morning."
    assert await counts(pool, clinic) == before
    assert (await hold_status(pool, clinic.claim, slot_id=slot.id)).state == "held"


async def test_a_later_seed_adds_the_days_that_are_missing(
    pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic
) -> None:
    before = await counts(pool, clinic)
    later = clinic.first_day + timedelta(days=1)
    await seed_clinic(owner, clinic.spec, first_day=later, days=SLOT_DAYS)
    per_day = before[-1] // SLOT_DAYS
    assert await counts(pool, clinic) == [*before[:-1], before[-1] + per_day]


async def test_what_is_named_no_more_is_offered_no_more(
    pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic
) -> None:
    spec = clinic.spec
    smaller = replace(
        spec, numbers=("+442079460999",), services=spec.services[:1], practitioners=spec.practitioners[:1]
    )
    now = datetime.now(UTC)
    await seed_clinic(owner, smaller, first_day=clinic.first_day)
    profile = await orgs.load_profile(pool, clinic.claim)
    assert profile is not None
    assert [s.name for s in profile.services] == ["Rhinoplasty consultation"]
    assert [p.name for p in profile.practitioners] == ["Dr Patel"]
    assert await orgs.resolve_number(pool, clinic.number) is None
    dropped = clinic.service_ids[1]
    assert not await next_available(pool, clinic.claim, service_id=dropped, after=now)
    await seed_clinic(owner, spec, first_day=clinic.first_day)
    assert await next_available(pool, clinic.claim, service_id=dropped, after=now)
    assert await orgs.resolve_number(pool, clinic.number) == clinic.claim.org_id


async def test_no_slot_runs_past_closing_time(pool: asyncpg.Pool, clinic: Clinic) -> None:
    async with org_transaction(pool, clinic.claim) as connection:
        last = await connection.fetch(
            """
            select v.minutes, max((s.ends_at at time zone 'Europe/London')::time) as ends
            from slots s join services v on v.id = s.service_id group by v.minutes order by v.minutes
            """
        )
    assert [(row["minutes"], row["ends"]) for row in last] == [(30, time(17, 0)), (45, time(16, 45))]


async def test_slots_are_at_local_hours_on_both_sides_of_a_clock_change(owner: asyncpg.Connection) -> None:
    spec = random_spec()
    await seed_clinic(owner, spec, first_day=date(2027, 3, 27), days=2)
    async with owner.transaction():
        await owner.execute(
            "select set_config('request.jwt.claims', $1, true)", f'{{"org_id": "{spec.id_of("org")}"}}'
        )
        rows = await owner.fetch(
            "select min(starts_at) as first from slots group by starts_at::date order by 1"
        )
    assert [row["first"] for row in rows] == [
        datetime(2027, 3, 27, 9, 0, tzinfo=UTC),
        datetime(2027, 3, 28, 8, 0, tzinfo=UTC),
    ]
    assert {row["first"].astimezone(ZoneInfo("Europe/London")).hour for row in rows} == {9}


async def test_an_unknown_time_zone_is_refused(owner: asyncpg.Connection) -> None:
    with pytest.raises(ClinicInvalid, match="time_zone"):
        await seed_clinic(
            owner, replace(random_spec(), time_zone="Europe/Lundun"), first_day=date(2027, 1, 4)
        )


async def test_a_number_belongs_to_one_clinic(owner: asyncpg.Connection, clinic: Clinic) -> None:
    with pytest.raises(ClinicInvalid, match=r"numbers\[0\]: belongs to another"):
        await seed_clinic(owner, replace(random_spec(), numbers=(clinic.number,)), first_day=clinic.first_day)


async def test_a_number_finds_its_org_without_a_claim(pool: asyncpg.Pool, clinic: Clinic) -> None:
    assert await orgs.resolve_number(pool, clinic.number) == clinic.claim.org_id
    assert await orgs.resolve_number(pool, "+15005550006") is None
    assert await orgs.resolve_number(pool, "' or true --") is None


async def test_the_profile_of_a_clinic(pool: asyncpg.Pool, clinic: Clinic) -> None:
    profile = await orgs.load_profile(pool, clinic.claim)
    assert profile is not None
    assert (profile.name, profile.time_zone, profile.voice) == (clinic.spec.name, "Europe/London", None)
    assert [(s.name, s.synonyms, s.minutes) for s in profile.services] == [
        ("Dermal filler", ("fillers", "lip filler"), 45),
        ("Rhinoplasty consultation", ("nose job", "rhinoplasty"), 30),
    ]
    assert sorted(p.id for p in profile.practitioners) == sorted(clinic.practitioner_ids)
    assert await orgs.load_profile(pool, Claim(uuid4())) is None


async def test_credentials_are_kept_sealed_per_org(
    pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    await orgs.store_credentials(pool, clinic.claim, "deepgram", b"\x00one")
    await orgs.store_credentials(pool, clinic.claim, "deepgram", b"\x00two")
    assert await orgs.load_credentials(pool, clinic.claim) == {"deepgram": b"\x00two"}
    assert await orgs.load_credentials(pool, other_clinic.claim) == {}
