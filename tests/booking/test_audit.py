"""The audit log on the real server: only added to, whoever asks; and whose an invisible id is."""

from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from booking import audit
from booking.calls import open_call
from booking.db import claims_json
from booking.errors import StatementRefused
from booking.types import Actor
from tests.booking.patients import Desk
from tests.conftest import Clinic

DENIED, INVALID, CHECK_VIOLATION = "42501", "22023", "23514"
CALLER = Actor("call", uuid4())


async def add(pool: asyncpg.Pool, clinic: Clinic, action: str = "read_refused") -> object:
    return await audit.record(
        pool, clinic.claim, actor=CALLER, action=action, subject_kind="hold", subject_id=uuid4()
    )


async def test_entries_are_read_newest_first(
    pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    added = [await add(pool, clinic, f"act_{letter}") for letter in "abc"]
    await add(pool, other_clinic)
    entries = await audit.page_of_records(pool, clinic.claim, limit=10)
    assert [entry.id for entry in entries] == added[::-1]
    older = await audit.page_of_records(pool, clinic.claim, limit=10, before=entries[0].recorded_at)
    assert older == entries[1:]


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_log set action = 'nothing'",
        "delete from audit_log",
        "truncate audit_log",
        "insert into audit_log (org_id, actor_kind, action, subject_kind, recorded_at)"
        " select app.org_id(), 'operator', 'earlier', 'hold', now() - interval '1 day'",
    ],
)
async def test_the_application_can_only_add(desk: Desk, statement: str) -> None:
    await add(desk.pool, desk.clinic)
    with pytest.raises(StatementRefused, match=DENIED):
        await desk.by_hand(statement)
    assert len(await audit.page_of_records(desk.pool, desk.clinic.claim, limit=10)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_log set action = 'nothing' where org_id = app.org_id()",
        "delete from audit_log where org_id = app.org_id()",
        "truncate audit_log",
    ],
)
async def test_the_owner_of_the_table_cannot_rewrite_it(
    owner: asyncpg.Connection, pool: asyncpg.Pool, clinic: Clinic, statement: str
) -> None:
    await add(pool, clinic)
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(clinic.claim))
        refused = owner.transaction()
        await refused.start()
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only added to"):
            await owner.execute(statement)
        await refused.rollback()


@pytest.mark.parametrize("word", ["+447700900123", "Jane Doe", "jane@example.com", "", "a" * 100])
async def test_only_words_of_ours_are_taken(pool: asyncpg.Pool, clinic: Clinic, word: str) -> None:
    with pytest.raises(StatementRefused, match=CHECK_VIOLATION) as refused:
        await add(pool, clinic, word)
    assert not word or word not in str(refused.value)


async def test_an_id_of_another_org_is_told_from_nobodys(desk: Desk, other_desk: Desk) -> None:
    pool, call = desk.pool, uuid4()
    booking = await other_desk.book((await other_desk.free())[0])
    theirs = other_desk.clinic.claim
    now = datetime.now(UTC)
    await open_call(pool, theirs, call_id=call, carrier="twilio", carrier_call_id="CA1", started_at=now)
    ids = {
        "booking": booking.id,
        "hold": booking.hold_id,
        "slot": booking.slot.id,
        "contact": booking.contact_id,
        "service": booking.slot.service_id,
        "practitioner": booking.slot.practitioner_id,
        "call": call,
    }
    for kind, row_id in ids.items():
        assert await audit.owned_elsewhere(pool, desk.clinic.claim, kind=kind, row_id=row_id)
        assert not await audit.owned_elsewhere(pool, theirs, kind=kind, row_id=row_id)
        assert not await audit.owned_elsewhere(pool, desk.clinic.claim, kind=kind, row_id=uuid4())


async def test_whose_an_id_is_is_told_under_a_claim_alone(
    pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.fetch("select app.owned_elsewhere($1, 'slot', $2)", clinic.claim.org_id, uuid4())
    with pytest.raises(StatementRefused, match=INVALID):
        await audit.owned_elsewhere(pool, clinic.claim, kind="pg_authid", row_id=uuid4())
