"""Row level security, table by table: without a claim nothing, with a claim one org, whoever asks."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from booking import audit, calls, orgs, staff
from booking.db import claims_json, fetch, org_transaction
from booking.errors import StatementRefused
from booking.hours import add_holiday, set_hours
from booking.slots import next_available
from booking.types import Actor, CallTurn, Claim, Said, WeeklyBreak, WorkingHours
from tests.booking.patients import Desk, make_sealer
from tests.conftest import Clinic, Stack

TABLES = (
    "organizations",
    "phone_numbers",
    "org_credentials",
    "services",
    "practitioners",
    "slots",
    "appointment_holds",
    "calls",
    "call_turns",
    "sms_messages",
    "staff_tokens",
    "idempotent_requests",
    "contacts",
    "working_hours",
    "working_breaks",
    "holidays",
    "appointments",
    "otp_codes",
    "audit_log",
    "audit_chain",
    "audit_unlinked",
    "clinical_notes",
    "pii_vault",
    "knowledge_documents",
    "knowledge_chunks",
    "knowledge_terms",
    "knowledge_embeddings",
    "outbound_campaigns",
    "follow_ups",
    "follow_up_settings",
    "vapi_setups",
    "vapi_calls",
    "calling_settings",
    "placed_calls",
    "handover_settings",
    "handovers",
    "abandoned_calls",
    "procedure_guides",
    "guide_links",
    "text_replies",
    "text_opt_outs",
    "contact_keys",
    "recordings",
    "consents",
    "erasures",
    "retention_periods",
    "retention_runs",
    "practitioner_services",
    "practitioner_calendars",
    "calendar_busy",
    "calendar_events",
)
# The owner's right to change these is taken by a trigger.
UNCHANGEABLE = ("audit_log", "audit_chain")
_DENIED = asyncpg.InsufficientPrivilegeError


_RECORDS = (
    """
    insert into clinical_notes (id, org_id, call_id, sealed)
    select gen_random_uuid(), h.org_id, h.call_id, 'sealed' from appointment_holds h
    join appointments a on a.hold_id = h.id where a.id = $1
    """,
    """
    insert into pii_vault (id, org_id, call_id, kind, sealed)
    select gen_random_uuid(), h.org_id, h.call_id, 'card', 'sealed' from appointment_holds h
    join appointments a on a.hold_id = h.id where a.id = $1
    """,
    """
    insert into consents (org_id, kind, given, source, contact_id)
    select org_id, 'recording', true, 'call', contact_id from appointments where id = $1
    """,
    """
    insert into erasures (org_id, actor_kind, counts)
    select org_id, 'operator', '{}' from appointments where id = $1
    """,
    """
    insert into retention_periods (org_id, kind, days)
    select org_id, 'notes', 30 from appointments where id = $1
    """,
    "insert into retention_runs (org_id, counts) select org_id, '{}' from appointments where id = $1",
    """
    insert into practitioner_services (org_id, practitioner_id, practitioner_number, service_id)
    select s.org_id, s.practitioner_id, s.practitioner_number, s.service_id from slots s
    join appointments a on a.slot_id = s.id where a.id = $1
    """,
    """
    insert into knowledge_documents (org_id, source, title)
    select org_id, 'parking', 'Parking' from appointments where id = $1
    """,
    """
    insert into knowledge_chunks (org_id, source, position, body)
    select org_id, 'parking', 0, 'Behind the house.' from appointments where id = $1
    """,
    """
    insert into knowledge_embeddings (org_id, model, chunk_id, embedding)
    select c.org_id, 'of-three', c.id, '[1, 0, 0]' from knowledge_chunks c
    join appointments a on a.org_id = c.org_id where a.id = $1
    """,
    """
    insert into outbound_campaigns (org_id, service_id)
    select s.org_id, s.service_id from slots s join appointments a on a.slot_id = s.id where a.id = $1
    """,
    "insert into follow_up_settings (org_id) select org_id from appointments where id = $1",
    """
    insert into vapi_setups (org_id, assistant_id, credential_id, choices)
    select org_id, 'assistant', 'credential', '{}' from appointments where id = $1
    """,
    """
    insert into vapi_calls (org_id, call_id, next_at)
    select h.org_id, h.call_id, now() + '1 h' from appointment_holds h
    join appointments a on a.hold_id = h.id where a.id = $1
    """,
    """
    insert into recordings (id, org_id, call_id, key_id, place, next_at)
    select gen_random_uuid(), h.org_id, h.call_id, gen_random_uuid(), 'place', now() + '1 h'
    from appointment_holds h join appointments a on a.hold_id = h.id where a.id = $1
    """,
    "insert into calling_settings (org_id) select org_id from appointments where id = $1",
    "insert into handover_settings (org_id) select org_id from appointments where id = $1",
    """
    insert into handovers (id, org_id, call_id)
    select gen_random_uuid(), h.org_id, h.call_id from appointment_holds h
    join appointments a on a.hold_id = h.id where a.id = $1
    """,
    """
    insert into abandoned_calls (org_id, call_id, next_at)
    select h.org_id, h.call_id, now() + '1 h' from appointment_holds h
    join appointments a on a.hold_id = h.id where a.id = $1
    """,
    """
    insert into placed_calls (id, org_id, contact_id)
    select gen_random_uuid(), org_id, contact_id from appointments where id = $1
    """,
    """
    insert into procedure_guides (org_id, service_id, content, sha256, pages)
    select s.org_id, s.service_id, '%PDF-1.7', sha256('%PDF-1.7'), 1 from slots s
    join appointments a on a.slot_id = s.id where a.id = $1
    """,
    """
    insert into guide_links (org_id, code_digest, call_id, service_id, expires_at)
    select s.org_id, sha256(uuid_send(gen_random_uuid())), h.call_id, s.service_id, now() from slots s
    join appointments a on a.slot_id = s.id join appointment_holds h on h.id = a.hold_id where a.id = $1
    """,
    """
    insert into text_replies (id, org_id, kind, call_id, contact_id, key_id, sealed_body)
    select gen_random_uuid(), a.org_id, 'question', h.call_id, a.contact_id, k.id, 'sealed'
    from appointments a join appointment_holds h on h.id = a.hold_id
    join contact_keys k on k.contact_id = a.contact_id where a.id = $1 limit 1
    """,
    """
    insert into calendar_busy (org_id, practitioner_number, starts_at, ends_at)
    select org_id, practitioner_number, ends_at + '5 h', ends_at + '6 h' from appointments where id = $1
    """,
    """
    insert into calendar_events (org_id, appointment_id, calendar_id, starts_at, ends_at)
    select org_id, id, 'cal@example.com', starts_at, ends_at from appointments where id = $1
    """,
)


async def fill(pool: asyncpg.Pool, clinic: Clinic) -> None:
    """A row in each table that seeding leaves empty."""
    claim, call, now = clinic.claim, uuid4(), datetime.now(UTC)
    (slot,) = await next_available(pool, claim, service_id=clinic.service_ids[0], after=now, limit=1)
    await orgs.store_credentials(pool, claim, "deepgram", b"sealed")
    await calls.open_call(pool, claim, call_id=call, carrier="twilio", carrier_call_id="CA1", started_at=now)
    turn = CallTurn(turn=1, said=(Said("caller", "hello"),), outcome="answered")
    await calls.store_turn(pool, claim, call_id=call, turn=turn)
    desk = Desk(pool, clinic, make_sealer())
    booking = await desk.book(slot, call)
    await audit.record(pool, claim, actor=Actor("call", call), action="looked", subject_kind="hold")
    person = clinic.practitioner_ids[0]
    hours, pause = WorkingHours(0, time(9), time(17)), WeeklyBreak(0, time(12), time(13))
    await set_hours(pool, claim, practitioner_id=person, hours=[hours], breaks=[pause])
    await add_holiday(pool, claim, first_day=now.date(), last_day=now.date())
    await fetch(pool, claim, "set_practitioner_calendar", slot.practitioner_id, "cal@example.com")
    await fetch(pool, claim, "begin_busy_sync", slot.practitioner_id, timedelta(hours=1))  # no more due
    for statement in _RECORDS:
        await desk.by_hand(statement, booking.id)
    await fetch(pool, claim, "link_audit", 1)
    await staff.issue_token(pool, claim, name="front desk", scopes=["slots:read"])
    life = timedelta(minutes=1)
    await fetch(pool, claim, "begin_request", b"k" * 32, b"r" * 32, uuid4(), life, life)
    await fetch(pool, claim, "opt_out_of_texts", [b"o" * 32])
    await fetch(pool, claim, "record_sms", uuid4(), "otp", call, b"d" * 32, b"sealed", b"sealed")


@pytest.fixture
async def orgs_filled(pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic) -> tuple[Claim, Claim]:
    """Ours and theirs, with rows in every table."""
    await fill(pool, clinic)
    await fill(pool, other_clinic)
    return clinic.claim, other_clinic.claim


@pytest.fixture(params=["app", "worker", "owner"])
async def anyone(request: pytest.FixtureRequest, stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(getattr(stack.postgres, request.param))
    yield connection
    await connection.close()


async def attempt(connection: asyncpg.Connection, claim: Claim | None, statement: str, *values: Any) -> int:
    """How many rows a statement reads or changes under the claim; 0 if the role has no right to it at all."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        if claim is not None:
            claims = claims_json(claim)
            await connection.execute("select set_config('request.jwt.claims', $1, true)", claims)
        return len(await connection.fetch(statement, *values))
    except _DENIED:
        return 0
    finally:
        await transaction.rollback()


def reads(table: str) -> str:
    return f"select from {table} where org_id = $1"


def changes(table: str) -> str:
    return f"update {table} set org_id = org_id where org_id = $1 returning 1"


def deletes(table: str) -> str:
    return f"delete from {table} where org_id = $1 returning 1"


@pytest.mark.parametrize("statement", [reads, changes, deletes])
async def test_nobody_reaches_another_org(
    anyone: asyncpg.Connection, orgs_filled: tuple[Claim, Claim], statement: Callable[[str], str]
) -> None:
    ours, theirs = orgs_filled
    reached = [
        table
        for table in TABLES
        for claim in (ours, None)
        if await attempt(anyone, claim, statement(table), theirs.org_id)
    ]
    assert reached == []


async def test_the_owner_sees_its_own_org_so_the_matrix_can_fail(
    owner: asyncpg.Connection, orgs_filled: tuple[Claim, Claim]
) -> None:
    for claim in orgs_filled:
        seen = [table for table in TABLES if await attempt(owner, claim, reads(table), claim.org_id)]
        changed = [table for table in TABLES if await attempt(owner, claim, changes(table), claim.org_id)]
        assert seen == list(TABLES)
        assert changed == [table for table in TABLES if table not in UNCHANGEABLE]


async def test_no_row_can_be_put_into_another_org(
    anyone: asyncpg.Connection, owner: asyncpg.Connection, orgs_filled: tuple[Claim, Claim]
) -> None:
    """The policy is checked before keys and references, so a copy of one's own row shows it for each."""
    ours, theirs = orgs_filled
    put = []
    for table in TABLES:
        moved = f"update {table} set org_id = $2 where org_id = $1 returning 1"
        columns = await columns_of(owner, table)
        copied = f"""
        insert into {table} ({columns}) overriding system value
        select {columns} from (
            select (jsonb_populate_record(t, jsonb_build_object('org_id', $2::uuid))).*
            from {table} t where t.org_id = $1
        ) copy returning 1
        """
        put += [
            table
            for statement in (moved, copied)
            if await attempt(anyone, ours, statement, ours.org_id, theirs.org_id)
        ]
    assert put == []


async def columns_of(owner: asyncpg.Connection, table: str) -> str:
    """All that can be given a value."""
    columns: str = await owner.fetchval(
        """
        select string_agg(quote_ident(attname), ', ') from pg_attribute
        where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''
        """,
        table,
    )
    return columns


async def test_every_tenant_table_is_in_the_matrix_enabled_forced_and_not_null(
    owner: asyncpg.Connection,
) -> None:
    rows = await owner.fetch(
        """
        select c.relname, c.relrowsecurity and c.relforcerowsecurity as secured,
               a.attnotnull as not_null, p.qual
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        left join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id'
        left join pg_policies p
          on p.tablename = c.relname and p.schemaname = n.nspname and p.policyname = 'tenant'
        where n.nspname in ('public', 'app') and c.relkind in ('r', 'p', 'm', 'v')
        """
    )
    assert sorted(row["relname"] for row in rows) == sorted(TABLES)
    for row in rows:
        assert row["secured"]
        assert row["not_null"]
        assert "( SELECT app.org_id() AS org_id)" in row["qual"]


async def test_the_claim_ends_with_its_statement(pool: asyncpg.Pool, clinic: Clinic) -> None:
    assert await orgs.load_profile(pool, clinic.claim) is not None
    async with org_transaction(pool, clinic.claim) as connection:
        assert await connection.fetchval("select count(*) from services") == 2
    async with pool.acquire() as connection:
        assert await connection.fetchval("select count(*) from services") == 0
        assert await connection.fetchval("select app.org_id()") is None


@pytest.mark.parametrize(
    "claims", ["", "{}", '{"org_id": ""}', '{"org_id": "x"}', "no JSON", '{"sub": "me"}']
)
async def test_a_claim_without_an_org_arms_nothing(pool: asyncpg.Pool, claims: str) -> None:
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.PostgresError):
            await connection.fetch("select app.arm($1)", claims)


async def test_older_tokens_name_the_org_clinic_id(pool: asyncpg.Pool, clinic: Clinic) -> None:
    async with pool.acquire() as connection:
        claims = json.dumps({"clinic_id": str(clinic.claim.org_id)})
        assert await connection.fetchval("select app.arm($1)", claims) == clinic.claim.org_id


async def test_a_function_checks_the_org_itself(
    pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    """Whoever names another org than the armed one is refused, not answered with nothing."""
    theirs = other_clinic.claim.org_id
    with pytest.raises(StatementRefused, match=_DENIED.sqlstate):
        async with org_transaction(pool, clinic.claim) as connection:
            await connection.fetch(
                "select * from app.claim_slot_atomic($1, $2, $2, interval '1 minute')", theirs, uuid4()
            )


async def test_only_gw_app_may_call_the_functions(stack: Stack) -> None:
    worker = await asyncpg.connect(stack.postgres.worker)
    try:
        with pytest.raises(_DENIED):
            await worker.fetch("select app.resolve_org('+442079460000')")
        with pytest.raises(_DENIED):
            await worker.fetch("select app.arm('{}')")
    finally:
        await worker.close()
