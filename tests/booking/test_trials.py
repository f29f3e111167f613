"""Trial orgs: removed with all that is theirs, and nobody else ever is."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking.clinic_upkeep import declare_clinic, open_slots
from booking.db import claims_json, open_pool, org_transaction
from booking.declared import DeclaredClinic, DeclaredPractitioner, DeclaredService
from booking.errors import OrgStands
from booking.trials import ended_trials, mark_trial, remove_trial, removing_trials
from booking.types import OPERATOR, Claim, WorkingHours
from tests.conftest import Clinic, Stack

MINUTE = timedelta(minutes=1)


def declared(number: str) -> DeclaredClinic:
    return DeclaredClinic(
        name="Trial",
        time_zone="Europe/London",
        greeting="Hello.",
        agent_name="Alice",
        numbers=(number,),
        services=(DeclaredService("Botox", 30),),
        practitioners=(
            DeclaredPractitioner(
                "Dr Trial", tuple(WorkingHours(day, time(9), time(12), 30) for day in range(7))
            ),
        ),
    )


async def made(pool: asyncpg.Pool, trial: timedelta | None) -> Claim:
    claim = Claim(uuid4())
    number = f"+4420{claim.org_id.int % 10**10:010d}"
    await declare_clinic(pool, claim, declared(number), actor=OPERATOR, trial=trial)
    await open_slots(pool, claim, days=3)
    return claim


_TABLES = """
select c.relname::text as name from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
"""


async def rows_of(owner: asyncpg.Connection, org_id: UUID) -> dict[str, int]:
    """How many rows of each table name the org, told by the tables' owner."""
    counts = {}
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(Claim(org_id)))
        for row in await owner.fetch(_TABLES):
            counted = f"select count(*) from public.{row['name']} where org_id = $1"
            counts[row["name"]] = await owner.fetchval(counted, org_id)
        counts["jobs"] = await owner.fetchval(
            "select count(*) from jobs.pgqueuer where substr(payload, 1, 16) = uuid_send($1)", org_id
        )
    return {table: count for table, count in counts.items() if count}


async def use(pool: asyncpg.Pool, claim: Claim) -> None:
    """A call that holds a slot, a job, a link of the audit log."""
    async with org_transaction(pool, claim) as connection:
        call_id, slot_id = (
            uuid4(),
            await connection.fetchval("select id from slots order by starts_at limit 1"),
        )
        await connection.execute(
            "select app.open_call($1, $2, 'twilio', $3, $4)", claim.org_id, call_id, f"CA{call_id.hex}",
            datetime.now(UTC),
        )  # fmt: skip
        await connection.execute(
            "select app.claim_slot_atomic($1, $2, $3, '5 minutes')", claim.org_id, slot_id, call_id
        )
        await connection.execute("select app.enqueue('retention', $1)", claim.org_id)
        await connection.execute("select app.link_audit($1, 100)", claim.org_id)


async def test_a_trial_is_removed_with_every_row_of_its_own(
    pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic
) -> None:
    claim = await made(pool, MINUTE)
    await use(pool, claim)
    others = await rows_of(owner, clinic.claim.org_id)
    before = await rows_of(owner, claim.org_id)
    assert before.keys() >= {
        "organizations",
        "slots",
        "calls",
        "appointment_holds",
        "audit_log",
        "audit_chain",
    }
    assert before["jobs"] >= 1
    assert await remove_trial(pool, claim)
    assert await rows_of(owner, claim.org_id) == {}
    assert await rows_of(owner, clinic.claim.org_id) == others
    assert not await remove_trial(pool, claim)


async def test_a_clinic_is_never_removed(pool: asyncpg.Pool, owner: asyncpg.Connection) -> None:
    claim = await made(pool, None)
    before = await rows_of(owner, claim.org_id)
    with pytest.raises(OrgStands):
        await remove_trial(pool, claim)
    assert await rows_of(owner, claim.org_id) == before


async def test_a_clinic_cannot_become_a_trial_later_not_even_by_its_owner(
    pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    claim = await made(pool, None)
    with pytest.raises(OrgStands):
        await declare_clinic(pool, claim, declared("+442079460999"), actor=OPERATOR, trial=MINUTE)
    with pytest.raises(OrgStands):
        async with org_transaction(pool, claim) as connection:
            await mark_trial(connection, claim, MINUTE)
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(claim))
        with pytest.raises(asyncpg.PostgresError, match="from its first moment"):
            await owner.execute("update public.organizations set trial_until = now()")


async def test_the_owner_still_cannot_take_a_clinics_records_away(
    pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    claim = await made(pool, None)
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(claim))
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only added to"):
            await owner.execute("delete from public.audit_log")


async def test_a_trial_keeps_the_time_that_it_was_given(
    stack: Stack, pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    claim = await made(pool, timedelta(days=400))
    async with org_transaction(pool, claim) as connection:
        first = await connection.fetchval("select trial_until from organizations")
    assert first < datetime.now(UTC) + timedelta(days=1, minutes=1)
    await declare_clinic(
        pool, claim, declared(f"+4420{claim.org_id.int % 10**10:010d}"), actor=OPERATOR, trial=MINUTE
    )
    async with org_transaction(pool, claim) as connection:
        assert await connection.fetchval("select trial_until from organizations") == first
    await remove_trial(pool, claim)


async def test_the_worker_is_told_of_those_whose_time_is_over_alone(stack: Stack, pool: asyncpg.Pool) -> None:
    over, on = await made(pool, timedelta(0)), await made(pool, MINUTE)
    async with await open_pool(stack.postgres.worker, max_size=1) as worker:
        ended = await ended_trials(worker)
    assert over in ended
    assert on not in ended
    for claim in (over, on):
        assert await remove_trial(pool, claim)


async def test_the_sweep_removes_those_whose_time_is_over(stack: Stack, pool: asyncpg.Pool) -> None:
    over, on = [await made(pool, timedelta(0)) for _ in range(2)], await made(pool, MINUTE)
    async with await open_pool(stack.postgres.worker, max_size=1) as worker:
        await removing_trials(pool, worker)()
    assert [await remove_trial(pool, claim) for claim in over] == [False, False]
    assert await remove_trial(pool, on)


async def test_every_table_of_an_org_lets_a_trials_rows_be_removed(owner: asyncpg.Connection) -> None:
    """A migration that makes a table grants it: else a trial that has rows in it could not be removed.

    Embeddings go with their passages.
    """
    left_out = await owner.fetch(
        f"{_TABLES} and not (has_table_privilege('gw_resolver', c.oid, 'delete')"
        " and has_column_privilege('gw_resolver', c.oid, 'org_id', 'select'))"
        " and c.relname <> 'knowledge_embeddings'"
    )
    assert [row["name"] for row in left_out] == []
