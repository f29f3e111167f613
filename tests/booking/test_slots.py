"""Which slots are offered."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

import asyncpg

from booking.db import claims_json, org_transaction
from booking.slots import next_available
from tests.conftest import Clinic


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


async def test_an_index_tells_what_is_occupied_under_row_level_security(
    pool: asyncpg.Pool, clinic: Clinic
) -> None:
    """A full calendar would make each look-up read every booking of the clinic otherwise."""
    async with org_transaction(pool, clinic.claim) as connection:
        await connection.execute("set local enable_seqscan = off")
        plan = await connection.fetch(
            "explain select from app.occupied(1, now(), now() + interval '30 minutes', now())"
        )
    condition = next(row[0] for row in plan if "Index Cond" in row[0])
    assert any("live_by_practitioner" in row[0] for row in plan)
    assert "practitioner_number" in condition
    assert "starts_at <" in condition


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
