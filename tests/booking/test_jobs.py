"""The queue on the real server: what goes in with the caller's transaction, and what is told of it."""

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
from pgqueuer import AsyncpgDriver, Queries
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)

from booking.bookings import cancel_booking
from booking.db import org_transaction
from booking.errors import StatementRefused
from booking.jobs import Backlog, Failure, backlog, enqueue, failures, report, requeue
from booking.queue import SETTINGS
from tests.booking.patients import Desk
from tests.booking.working import KIND, Workshop
from tests.conftest import Stack


async def rows(workshop: Workshop) -> list[bytes]:
    return [
        row["payload"] for row in await workshop.queue.fetch("select payload from jobs.pgqueuer order by id")
    ]


# --- going in ---------------------------------------------------------------------------------------------


async def test_a_job_goes_in_with_its_transaction(workshop: Workshop) -> None:
    row_id = uuid4()
    async with org_transaction(workshop.pool, workshop.claim) as connection:
        await enqueue(connection, KIND, row_id)
        assert await rows(workshop) == []
    assert await rows(workshop) == [workshop.claim.org_id.bytes + row_id.bytes]


async def test_a_job_goes_with_its_transaction(workshop: Workshop) -> None:
    async def enqueue_and_fail() -> None:
        async with org_transaction(workshop.pool, workshop.claim) as connection:
            await enqueue(connection, KIND, uuid4())
            await connection.execute("select 1 / 0")

    with pytest.raises(StatementRefused):
        await enqueue_and_fail()
    assert await rows(workshop) == []


async def test_asking_twice_aborts_nobody_and_is_one_job(workshop: Workshop) -> None:
    row_id = uuid4()
    await workshop.ask(row_id)
    async with org_transaction(workshop.pool, workshop.claim) as connection:
        await enqueue(connection, KIND, row_id)
        await enqueue(connection, KIND, row_id)
        assert await connection.fetchval("select 1") == 1
    assert len(await rows(workshop)) == 1
    await workshop.ask(row_id, "sms_reconcile")
    assert len(await rows(workshop)) == 2


async def test_asking_at_once_from_several_connections_is_one_job(workshop: Workshop) -> None:
    row_id = uuid4()
    await asyncio.gather(*(workshop.ask(row_id) for _ in range(12)))
    assert len(await rows(workshop)) == 1


async def test_a_sooner_request_brings_a_waiting_job_forward(workshop: Workshop) -> None:
    row_id = uuid4()
    async with org_transaction(workshop.pool, workshop.claim) as connection:
        await enqueue(connection, KIND, row_id, after=timedelta(hours=1))
    assert [each.delayed for each in await backlog(workshop.queue)] == [1]
    await workshop.ask(row_id)
    (found,) = await backlog(workshop.queue)
    assert (found.queued, found.delayed) == (1, 0)


@pytest.mark.parametrize("kind", ["", "Calendar", "x; drop table", "k" * 60])
async def test_a_kind_is_a_short_name(workshop: Workshop, kind: str) -> None:
    async with org_transaction(workshop.pool, workshop.claim) as connection:
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await connection.execute("select app.enqueue($1, $2)", kind, uuid4())


async def test_without_a_claim_nothing_goes_in(workshop: Workshop) -> None:
    with pytest.raises(asyncpg.InvalidParameterValueError):
        await workshop.pool.execute("select app.enqueue($1, $2)", KIND, uuid4())
    assert await rows(workshop) == []


async def test_the_application_cannot_reach_the_queue(workshop: Workshop) -> None:
    statements = (
        "select count(*) from jobs.pgqueuer",
        "insert into jobs.pgqueuer (priority, status, entrypoint) values (0, 'queued', 'x')",
        "select jobs.requeue()",
        "select * from jobs.overview()",
    )
    for statement in statements:
        with pytest.raises(StatementRefused) as refused:
            async with org_transaction(workshop.pool, workshop.claim) as connection:
                await connection.execute(statement)
        assert refused.value.sqlstate == "42501"


@pytest.mark.parametrize("payload", [b"", b"call +447700900123", b"x" * 33, None])
async def test_a_payload_holds_two_ids_and_nothing_else(workshop: Workshop, payload: bytes | None) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await workshop.queue.execute(
            "insert into jobs.pgqueuer (priority, status, entrypoint, payload) values (0, 'queued', $1, $2)",
            KIND,
            payload,
        )


async def test_each_change_of_an_appointment_asks_for_its_event(workshop: Workshop, desk: Desk) -> None:
    (slot,) = await desk.free()
    booking = await desk.book(slot)
    event = workshop.claim.org_id.bytes + booking.id.bytes
    assert await rows(workshop) == [event]
    await workshop.queue.execute("delete from jobs.pgqueuer")
    await cancel_booking(desk.pool, workshop.claim, booking_id=booking.id)
    assert await rows(workshop) == [event]


# --- the library ------------------------------------------------------------------------------------------


async def test_the_tables_are_those_that_the_library_declares(owner: asyncpg.Connection) -> None:
    library = Queries(
        AsyncpgDriver(owner),
        QueryBuilderEnvironment(SETTINGS),
        QueryQueueBuilder(SETTINGS),
        QuerySchedulerBuilder(SETTINGS),
    )
    plan = await library.plan_upgrade()
    assert (plan.statements, plan.notes) == ((), ())
    (trigger,) = await owner.fetch("select prosrc from pg_proc where proname = 'fn_pgqueuer_changed'")
    assert f"'{SETTINGS.channel}'" in trigger["prosrc"]


async def test_the_environment_renames_no_table() -> None:
    program = "from booking.queue import SETTINGS; print(SETTINGS.model_dump_json())"
    names = ("CHANNEL", "FUNCTION", "TRIGGER", "QUEUE_TABLE", "PGQUEUER_PREFIX", "PGQUEUER_SCHEMA")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ) | dict.fromkeys(names, "elsewhere"),
    )
    said, _ = await process.communicate()
    assert msgspec.json.decode(said) == msgspec.json.decode(SETTINGS.model_dump_json())


# --- being looked after -----------------------------------------------------------------------------------


async def fail(workshop: Workshop, row_id: UUID) -> None:
    await workshop.ask(row_id)
    worker_id = uuid4()
    job = await workshop.queue.fetchval(
        "update jobs.pgqueuer set status = 'picked', queue_manager_id = $1"
        " where status = 'queued' returning id",
        worker_id,
    )
    assert await workshop.queue.fetchval("select jobs.start($1, $2)", job, worker_id) == 1
    assert await workshop.queue.fetchval("select jobs.fail($1, $2, 'CalendarRefused')", job, worker_id)


async def test_a_failed_job_is_seen_and_gets_its_tries_anew(workshop: Workshop) -> None:
    row_id = uuid4()
    await fail(workshop, row_id)
    (failed,) = await failures(workshop.queue)
    assert (failed.kind, failed.org_id, failed.row_id) == (KIND, workshop.claim.org_id, row_id)
    assert failed.reason == "CalendarRefused"
    assert [(each.queued, each.failed) for each in await backlog(workshop.queue)] == [(0, 1)]
    assert await requeue(workshop.queue, failed.job + 1) == 0
    assert await requeue(workshop.queue, failed.job) == 1
    assert [(each.queued, each.failed) for each in await backlog(workshop.queue)] == [(1, 0)]


async def test_a_failed_job_that_a_later_one_has_overtaken_goes(workshop: Workshop) -> None:
    row_id = uuid4()
    await fail(workshop, row_id)
    await fail(workshop, row_id)
    await workshop.ask(row_id)
    assert await requeue(workshop.queue) == 0
    assert await workshop.states() == ["queued"]


async def test_old_entries_of_the_log_go(workshop: Workshop) -> None:
    await workshop.ask(uuid4())
    await workshop.queue.execute("update jobs.pgqueuer_log set created = now() - interval '15 days'")
    assert await workshop.queue.fetchval("select jobs.prune('14 days', '90 days', 1)") == 1
    await workshop.ask(uuid4())
    while await workshop.queue.fetchval("select jobs.prune('14 days', '90 days', 100)"):
        pass
    assert await workshop.queue.fetchval("select count(*) from jobs.pgqueuer_log") == 1


async def command(stack: Stack, *words: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "booking.jobs", *words),
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ) | {"DATABASE_WORKER_URL": stack.postgres.worker},
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_the_command_tells_of_failures_and_retries_them(workshop: Workshop) -> None:
    row_id = uuid4()
    await fail(workshop, row_id)
    status, said = await command(workshop.stack, "status")
    assert status == 1
    assert f"{KIND} of row {row_id}" in said
    assert await command(workshop.stack, "retry") == (0, "1 jobs get their tries anew\n")
    assert (await command(workshop.stack, "status"))[0] == 0


def test_the_report_is_a_table() -> None:
    org, row = UUID(int=1), UUID(int=2)
    failed = Failure(7, "calendar_push", org, row, datetime(2026, 11, 20, 9, 5, tzinfo=UTC), None)
    lines = report([Backlog("calendar_push", 3, 2, 1, 1, 12.4)], [failed]).splitlines()
    assert lines[0].split() == ["kind", "queued", "delayed", "running", "failed", "oldest", "due"]
    assert lines[1].split() == ["calendar_push", "3", "2", "1", "1", "12", "s"]
    assert lines[2] == f"failed: job 7, calendar_push of row {row}, org {org}, 2026-11-20 09:05 UTC: unknown"
    assert report([], []) == "no jobs\n"
