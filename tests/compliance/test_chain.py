"""The audit log's chain: linked in order, never skipped, and whatever is done to it afterwards is found."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking import audit
from booking.db import open_pool, org_transaction
from booking.types import OPERATOR, Claim
from compliance.chain import (
    BEFORE_THE_FIRST,
    Anchor,
    AuditRecord,
    Fault,
    Linked,
    Verified,
    line,
    link_batch,
    next_hash,
    verify,
)
from gateway.chainer import Chainer, ChainPace, chaining
from gateway.metrics import Metrics
from tests.conftest import Clinic, Stack

RECORD = AuditRecord(
    org_id=UUID(int=1),
    id=UUID(int=2),
    recorded_at=datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
    actor_kind="token",
    actor_id=None,
    action="read_for_care",
    subject_kind="note",
    subject_id=UUID(int=3),
)


@pytest.fixture
async def admin(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    """A superuser for whom no trigger, check or policy counts."""
    connection = await asyncpg.connect(stack.admin)
    await connection.execute("set session_replication_role = replica")
    yield connection
    await connection.close()


async def wrote(pool: asyncpg.Pool, claim: Claim, count: int) -> list[UUID]:
    """So many records, in order."""
    return [
        await audit.record(
            pool, claim, actor=OPERATOR, action="read_for_care", subject_kind="note", subject_id=uuid4()
        )
        for _ in range(count)
    ]


async def linked(pool: asyncpg.Pool, claim: Claim, limit: int = 500) -> Linked:
    async with org_transaction(pool, claim) as connection:
        return await link_batch(connection, claim.org_id, limit=limit)


async def checked(pool: asyncpg.Pool, claim: Claim, *anchors: Anchor) -> Verified:
    async with org_transaction(pool, claim) as connection:
        return await verify(connection, claim.org_id, anchors)


async def chained(pool: asyncpg.Pool, claim: Claim) -> list[UUID]:
    """Record ids in the order of the chain, which is whole."""
    assert (await checked(pool, claim)).intact
    async with org_transaction(pool, claim) as connection:
        rows = await connection.fetch("select record_id, position from audit_chain order by position")
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["record_id"] for row in rows]


async def test_an_empty_chain_is_intact(pool: asyncpg.Pool, clinic: Clinic) -> None:
    found = await checked(pool, clinic.claim)
    assert (found.intact, found.links, found.head.hash) == (True, 0, BEFORE_THE_FIRST)


async def test_records_are_linked_in_order_batch_by_batch(pool: asyncpg.Pool, clinic: Clinic) -> None:
    written = await wrote(pool, clinic.claim, 7)
    assert (await checked(pool, clinic.claim)).unlinked == 7
    assert [(await linked(pool, clinic.claim, 3)).records for _ in range(4)] == [3, 3, 1, 0]
    assert await chained(pool, clinic.claim) == written
    found = await checked(pool, clinic.claim)
    assert (found.links, found.unlinked, found.oldest_unlinked_at) == (7, 0, None)


async def test_what_there_is_no_time_for_is_said_not_to_be_looked_at(
    pool: asyncpg.Pool, clinic: Clinic
) -> None:
    await wrote(pool, clinic.claim, 4)
    await linked(pool, clinic.claim)
    async with org_transaction(pool, clinic.claim) as connection:
        found = await verify(connection, clinic.claim.org_id, within_s=0.0)
    assert (found.intact, found.complete, found.links, found.head.position) == (True, False, 1, 1)
    assert (await checked(pool, clinic.claim)).complete


async def test_a_record_that_commits_late_is_linked_late_and_not_skipped(
    pool: asyncpg.Pool, clinic: Clinic
) -> None:
    async with org_transaction(pool, clinic.claim) as slow:
        early: UUID = await slow.fetchval(
            "select app.audit($1, 'operator', null, 'looked', 'hold', null)", clinic.claim.org_id
        )
        later = await wrote(pool, clinic.claim, 3)
        assert (await linked(pool, clinic.claim)).records == 3
    assert (await checked(pool, clinic.claim)).unlinked == 1
    assert (await linked(pool, clinic.claim)).records == 1
    assert await chained(pool, clinic.claim) == [*later, early]


async def test_a_record_that_is_undone_leaves_nothing_to_link(pool: asyncpg.Pool, clinic: Clinic) -> None:
    transaction = org_transaction(pool, clinic.claim)
    connection = await transaction.__aenter__()
    await connection.fetchval(
        "select app.audit($1, 'operator', null, 'looked', 'hold', null)", clinic.claim.org_id
    )
    assert not await transaction.__aexit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert (await linked(pool, clinic.claim)).records == 0


async def test_a_second_linker_links_nothing_and_does_not_wait(pool: asyncpg.Pool, clinic: Clinic) -> None:
    await wrote(pool, clinic.claim, 2)
    async with org_transaction(pool, clinic.claim) as first:
        assert (await link_batch(first, clinic.claim.org_id, limit=1)).records == 1
        began_s = time.monotonic()
        assert (await linked(pool, clinic.claim)).records == 0
        assert time.monotonic() - began_s < 1
    assert (await linked(pool, clinic.claim)).records == 1
    assert len(await chained(pool, clinic.claim)) == 2


async def test_many_writers_and_linkers_make_one_chain(
    pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    claims = (clinic.claim, other_clinic.claim)
    writing = [wrote(pool, claim, 25) for claim in claims for _ in range(2)]
    linking = [linked(pool, claim, 5) for claim in claims for _ in range(10)]
    await asyncio.gather(*writing, *linking)
    for claim in claims:
        while (await linked(pool, claim)).records:
            pass
        assert len(set(await chained(pool, claim))) == 50


async def test_the_worker_links_within_a_second(stack: Stack, pool: asyncpg.Pool, clinic: Clinic) -> None:
    metrics = Metrics()
    async with await open_pool(stack.postgres.worker, max_size=2) as worker_pool:
        chainer = Chainer(pool, worker_pool, metrics, ChainPace(pass_s=0.2))
        async with chaining(chainer):
            await wrote(pool, clinic.claim, 5)
            began_s = time.monotonic()
            while (await checked(pool, clinic.claim)).unlinked:
                assert time.monotonic() - began_s < 5
                await asyncio.sleep(0.02)
    assert len(await chained(pool, clinic.claim)) == 5
    assert (metrics.registry.get_sample_value("gateway_audit_linked_total") or 0) >= 5


# --- whoever may do everything ------------------------------------------------------------------------------


async def ten(pool: asyncpg.Pool, clinic: Clinic) -> list[UUID]:
    written = await wrote(pool, clinic.claim, 10)
    assert (await linked(pool, clinic.claim)).records == 10
    return written


COLUMNS = {
    "recorded_at": "recorded_at + interval '1 microsecond'",
    "actor_kind": "'worker'",
    "actor_id": "gen_random_uuid()",
    "action": "'looked'",
    "subject_kind": "'contact'",
    "subject_id": "null",
}


@pytest.mark.parametrize("column", COLUMNS)
async def test_an_altered_record_is_named(
    pool: asyncpg.Pool, clinic: Clinic, admin: asyncpg.Connection, column: str
) -> None:
    written = await ten(pool, clinic)
    await admin.execute(f"update audit_log set {column} = {COLUMNS[column]} where id = $1", written[4])
    found = await checked(pool, clinic.claim)
    assert (found.fault, found.links) == (Fault("altered", 5, written[4]), 4)


@pytest.mark.parametrize("place", [0, 4, 9])
async def test_a_removed_record_is_named(
    pool: asyncpg.Pool, clinic: Clinic, admin: asyncpg.Connection, place: int
) -> None:
    written = await ten(pool, clinic)
    await admin.execute("delete from audit_log where id = $1", written[place])
    assert (await checked(pool, clinic.claim)).fault == Fault("removed", place + 1, written[place])


async def test_a_record_removed_with_its_link_is_named(
    pool: asyncpg.Pool, clinic: Clinic, admin: asyncpg.Connection
) -> None:
    written = await ten(pool, clinic)
    await admin.execute("delete from audit_log where id = $1", written[4])
    await admin.execute("delete from audit_chain where record_id = $1", written[4])
    assert (await checked(pool, clinic.claim)).fault == Fault("removed", 5)


async def test_closing_the_gap_does_not_hide_it(
    pool: asyncpg.Pool, clinic: Clinic, admin: asyncpg.Connection
) -> None:
    written = await ten(pool, clinic)
    await admin.execute("delete from audit_log where id = $1", written[4])
    await admin.execute("delete from audit_chain where record_id = $1", written[4])
    for position in range(6, 11):
        await move(admin, clinic, position, position - 1)
    assert (await checked(pool, clinic.claim)).fault == Fault("altered", 5, written[5])


async def move(admin: asyncpg.Connection, clinic: Clinic, position: int, to: int) -> None:
    await admin.execute(
        "update audit_chain set position = $3 where org_id = $1 and position = $2",
        clinic.claim.org_id, position, to,
    )  # fmt: skip


async def slip_in(admin: asyncpg.Connection, clinic: Clinic) -> UUID:
    record_id: UUID = await admin.fetchval(
        "insert into audit_log (org_id, actor_kind, action, subject_kind)"
        " values ($1, 'worker', 'looked', 'hold') returning id",
        clinic.claim.org_id,
    )
    return record_id


async def test_a_record_put_in_beside_the_chain_is_named(
    pool: asyncpg.Pool, clinic: Clinic, admin: asyncpg.Connection
) -> None:
    await ten(pool, clinic)
    stranger = await slip_in(admin, clinic)
    assert (await checked(pool, clinic.claim)).fault == Fault("inserted", None, stranger)


@pytest.mark.parametrize("computed", [True, False])
async def test_a_record_put_in_with_a_link_is_named(
    pool: asyncpg.Pool, clinic: Clinic, admin: asyncpg.Connection, computed: bool
) -> None:
    """Even with the hash that it would have had."""
    await ten(pool, clinic)
    stranger = await slip_in(admin, clinic)
    for position in range(10, 4, -1):
        await move(admin, clinic, position, position + 1)
    row = await admin.fetchrow("select * from audit_log where id = $1", stranger)
    before = await admin.fetchval(
        "select hash from audit_chain where org_id = $1 and position = 4", clinic.claim.org_id
    )
    forged = next_hash(before, AuditRecord(**dict(row))) if computed else b"h" * 32
    await admin.execute(
        "insert into audit_chain (org_id, position, record_id, hash) values ($1, 5, $2, $3)",
        clinic.claim.org_id, stranger, forged,
    )  # fmt: skip
    assert (await checked(pool, clinic.claim)).fault == Fault("inserted", 5, stranger)


async def test_two_that_were_exchanged_are_named(
    pool: asyncpg.Pool, clinic: Clinic, admin: asyncpg.Connection
) -> None:
    written = await ten(pool, clinic)
    await admin.execute(
        "update audit_chain set record_id = gen_random_uuid() where record_id = $1", written[4]
    )
    await admin.execute("update audit_chain set record_id = $1 where record_id = $2", written[4], written[6])
    await admin.execute(
        "update audit_chain set record_id = $1 where org_id = $2 and position = 5",
        written[6], clinic.claim.org_id,
    )  # fmt: skip
    assert (await checked(pool, clinic.claim)).fault == Fault("reordered", 5, written[6])


async def test_an_altered_hash_is_named(
    pool: asyncpg.Pool, clinic: Clinic, admin: asyncpg.Connection
) -> None:
    written = await ten(pool, clinic)
    await admin.execute("update audit_chain set hash = sha256('x') where record_id = $1", written[4])
    assert (await checked(pool, clinic.claim)).fault == Fault("altered", 5, written[4])


async def test_a_record_removed_before_it_was_linked_is_named(
    pool: asyncpg.Pool, clinic: Clinic, admin: asyncpg.Connection
) -> None:
    (written,) = await wrote(pool, clinic.claim, 1)
    await admin.execute("delete from audit_log where id = $1", written)
    assert (await checked(pool, clinic.claim)).fault == Fault("removed", None, written)


async def test_an_anchor_shows_an_end_that_was_cut_off(
    pool: asyncpg.Pool, clinic: Clinic, admin: asyncpg.Connection
) -> None:
    written = await ten(pool, clinic)
    head = (await checked(pool, clinic.claim)).head
    anchor = Anchor.parse(str(Anchor(clinic.claim.org_id, head.position, head.hash)))
    assert (await checked(pool, clinic.claim, anchor)).intact
    await admin.execute("delete from audit_chain where record_id = any ($1)", written[7:])
    await admin.execute("delete from audit_log where id = any ($1)", written[7:])
    assert (await checked(pool, clinic.claim)).intact
    assert (await checked(pool, clinic.claim, anchor)).fault == Fault("cut", 10)


async def test_an_anchor_shows_a_chain_that_was_written_anew(
    pool: asyncpg.Pool, clinic: Clinic, admin: asyncpg.Connection
) -> None:
    written = await ten(pool, clinic)
    head = (await checked(pool, clinic.claim)).head
    await admin.execute("update audit_log set action = 'looked' where id = $1", written[4])
    await admin.execute("delete from audit_chain where org_id = $1", clinic.claim.org_id)
    await admin.execute(
        "insert into audit_unlinked select org_id, id from audit_log where id = any ($1)", written
    )
    await linked(pool, clinic.claim)
    assert (await checked(pool, clinic.claim)).intact
    anchor = Anchor(clinic.claim.org_id, head.position, head.hash)
    assert (await checked(pool, clinic.claim, anchor)).fault == Fault("cut", 10, written[9])


# --- rights -------------------------------------------------------------------------------------------------

_APP: list[str] = [
    "insert into audit_chain (org_id, position, record_id, hash)"
    " select app.org_id(), 99, gen_random_uuid(), sha256('x')",
    "update audit_chain set position = 99",
    "delete from audit_chain",
    "truncate audit_chain",
    "insert into audit_unlinked (org_id, record_id) values (app.org_id(), gen_random_uuid())",
    "delete from audit_unlinked",
]


@pytest.mark.parametrize("statement", _APP)
async def test_the_application_cannot_write_the_chain(
    pool: asyncpg.Pool, clinic: Clinic, statement: str
) -> None:
    await ten(pool, clinic)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select app.arm($1)", f'{{"org_id": "{clinic.claim.org_id}"}}')
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


@pytest.mark.parametrize("statement", ["update audit_chain set position = 99", "delete from audit_chain"])
async def test_the_owner_cannot_rewrite_the_chain_by_accident(
    pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic, statement: str
) -> None:
    await ten(pool, clinic)
    async with owner.transaction():
        await owner.execute("select app.arm($1)", f'{{"org_id": "{clinic.claim.org_id}"}}')
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only added to"):
            await owner.execute(f"{statement} where org_id = app.org_id()")


# --- the record as bytes ------------------------------------------------------------------------------------


async def test_the_database_and_this_process_read_a_record_the_same(
    pool: asyncpg.Pool, clinic: Clinic, admin: asyncpg.Connection
) -> None:
    await ten(pool, clinic)
    for row in await admin.fetch("select l.*, app.audit_line(l) as told from audit_log l limit 200"):
        fields = dict(row)
        assert fields.pop("told") == line(AuditRecord(**fields))


CHANGES: list[Callable[[AuditRecord], AuditRecord]] = [
    lambda record: replace(record, org_id=UUID(int=9)),
    lambda record: replace(record, id=UUID(int=9)),
    lambda record: replace(record, recorded_at=datetime(2026, 1, 2, 3, 4, 5, 678902, UTC)),
    lambda record: replace(record, actor_kind="worker"),
    lambda record: replace(record, actor_id=record.subject_id, subject_id=None),
    lambda record: replace(record, action="read_for_car", subject_kind="enote"),
    lambda record: replace(record, action="read_for_care4:note", subject_kind=""),
]


@pytest.mark.parametrize("change", CHANGES)
def test_no_two_records_read_the_same(change: Callable[[AuditRecord], AuditRecord]) -> None:
    assert line(change(RECORD)) != line(RECORD)
