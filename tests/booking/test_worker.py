"""Workers on the real queue: jobs that work, raise, hang, are asked for again; workers that are killed."""

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from pgqueuer.core.listeners import (
    PGNoticeEventListener,
    default_event_router,
    initialize_notice_event_listener,
)

from booking.db import fetch
from booking.errors import BookingError, BookingUnavailable
from booking.jobs import Sweep, backlog, failures, fan_out, requeue
from booking.queue import CHANNEL, open_listener, queue_over
from booking.types import Claim
from booking.worker import housekeeping
from tests.booking.patients import Desk
from tests.booking.working import KIND, PATIENT_S, QUICK, Workshop, until

SECRET = "+447700900123 has a rash"


class Refused(BookingError):
    """Trying does not help."""


class Ran:
    """A handler that keeps which rows it was called for, and raises as told."""

    def __init__(self, *errors: Exception) -> None:
        self.rows: list[UUID] = []
        self.claims: list[Claim] = []
        self._errors = list(errors)

    async def __call__(self, claim: Claim, row_id: UUID) -> None:
        self.rows.append(row_id)
        self.claims.append(claim)
        if self._errors:
            raise self._errors.pop(0)


class Gate:
    """A handler that tells when it has begun and goes on when it is let."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[UUID] = asyncio.Queue()
        self.let = asyncio.Event()

    async def __call__(self, claim: Claim, row_id: UUID) -> None:
        self.begun.put_nowait(row_id)
        await self.let.wait()

    async def begins(self) -> UUID:
        async with asyncio.timeout(PATIENT_S):
            return await self.begun.get()


async def test_a_job_is_done_for_its_org_and_gone(workshop: Workshop) -> None:
    ran, row_id = Ran(), uuid4()
    async with workshop.worker(ran) as ended:
        await workshop.ask(row_id)
        assert await ended.next_job() == ("done", None)
    assert (ran.rows, ran.claims) == ([row_id], [workshop.claim])
    assert await workshop.states() == []


async def test_what_waited_for_a_worker_is_done(workshop: Workshop) -> None:
    ran, row_id = Ran(), uuid4()
    await workshop.ask(row_id)
    async with workshop.worker(ran) as ended:
        assert await ended.next_job() == ("done", None)
    assert ran.rows == [row_id]


async def test_a_notice_wakes_the_worker_long_before_it_would_look(workshop: Workshop) -> None:
    async with workshop.worker(Ran(), pace=replace(QUICK, poll_s=600)) as ended:
        await workshop.ask(uuid4())
        await ended.next_job()
        await workshop.ask(uuid4())
        assert await ended.next_job() == ("done", None)


async def test_a_probe_waits_until_somebody_listens(workshop: Workshop) -> None:
    """The library may send its first one sooner: unheard, it would cost a new connection 10 s later."""
    listener = await open_listener(workshop.stack.postgres.worker, timeout_s=PATIENT_S)
    try:
        manager = queue_over(workshop.queue, listener).qm
        probing = asyncio.create_task(manager.listener_healthy(timedelta(seconds=PATIENT_S)))
        await asyncio.wait({probing}, timeout=0.2)
        heard = default_event_router(
            notice_event_queue=PGNoticeEventListener(),
            canceled={},
            pending_health_check=manager.pending_health_check,
        )
        await initialize_notice_event_listener(manager.queries.driver, CHANNEL, heard)
        assert (await probing).type == "health_check_event"
    finally:
        await listener.close()


async def test_two_workers_share_jobs_and_do_each_once(workshop: Workshop) -> None:
    ran, rows = Ran(), [uuid4() for _ in range(40)]
    async with workshop.worker(ran) as ended, workshop.worker(ran, watch=ended):
        for row_id in rows:
            await workshop.ask(row_id)
        for _ in rows:
            assert await ended.next_job() == ("done", None)
    assert sorted(ran.rows) == sorted(rows)


async def test_kinds_without_a_handler_are_left_to_others(workshop: Workshop) -> None:
    await workshop.ask(uuid4(), "sms_reconcile")
    async with workshop.worker(Ran()) as ended:
        await workshop.ask(uuid4())
        await ended.next_job()
    assert await workshop.states() == ["queued"]


# --- asked for again --------------------------------------------------------------------------------------


async def test_a_job_asked_for_while_it_runs_runs_once_more(workshop: Workshop) -> None:
    gate, row_id = Gate(), uuid4()
    async with workshop.worker(gate) as ended:
        await workshop.ask(row_id)
        await gate.begins()
        await workshop.ask(row_id)
        await workshop.ask(row_id)
        assert await workshop.states() == ["picked"]
        gate.let.set()
        assert await gate.begins() == row_id
        assert await ended.next_job() == ("done", None)
    assert gate.begun.empty()
    assert await workshop.states() == []


async def test_a_row_is_worked_on_by_one_worker_at_a_time(workshop: Workshop) -> None:
    gate, row_id = Gate(), uuid4()
    async with workshop.worker(gate) as ended, workshop.worker(gate, watch=ended):
        await workshop.ask(row_id)
        await gate.begins()
        await workshop.ask(row_id)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await gate.begun.get()
        gate.let.set()
        await gate.begins()
        assert await ended.next_job() == ("done", None)


async def test_a_change_during_the_last_try_gets_tries_of_its_own(workshop: Workshop) -> None:
    gate, row_id = Gate(), uuid4()

    async def refuse_once(claim: Claim, row_id: UUID) -> None:
        first = not gate.let.is_set()
        await gate(claim, row_id)
        if first:
            raise Refused

    async with workshop.worker(refuse_once) as ended:
        await workshop.ask(row_id)
        await gate.begins()
        await workshop.ask(row_id)
        gate.let.set()
        assert await ended.next_job() == ("failed", "Refused")
        assert await ended.next_job() == ("done", None)


# --- errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RuntimeError(SECRET), BookingUnavailable(SECRET), OSError(SECRET)])
async def test_an_error_puts_the_job_off(workshop: Workshop, error: Exception) -> None:
    ran = Ran(error, error)
    async with workshop.worker(ran) as ended:
        await workshop.ask(uuid4())
        name = type(error).__name__
        told = [await ended.next_job() for _ in range(3)]
    assert told == [("retried", name), ("retried", name), ("done", None)]


async def test_a_job_that_goes_on_failing_is_given_up_and_can_be_retried(workshop: Workshop) -> None:
    ran = Ran(*[RuntimeError(SECRET)] * QUICK.tries)
    async with workshop.worker(ran) as ended:
        await workshop.ask(uuid4())
        told = [(await ended.next_job())[0] for _ in range(QUICK.tries)]
        assert told == ["retried", "retried", "failed"]
        assert await workshop.states() == ["failed"]
        assert await requeue(workshop.queue) == 1
        assert await ended.next_job() == ("done", None)


async def test_what_trying_does_not_help_is_given_up_at_once(workshop: Workshop) -> None:
    async with workshop.worker(Ran(Refused(SECRET))) as ended:
        await workshop.ask(uuid4())
        assert await ended.next_job() == ("failed", "Refused")
    assert [each.reason for each in await failures(workshop.queue)] == ["Refused"]


async def test_a_job_that_hangs_is_cut_off(workshop: Workshop) -> None:
    gate = Gate()
    async with workshop.worker(gate, pace=replace(QUICK, job_s=0.05)) as ended:
        await workshop.ask(uuid4())
        assert await ended.next_job() == ("retried", "TimeoutError")
        gate.let.set()
        while (await ended.next_job())[0] != "done":
            pass


async def test_texts_of_errors_are_neither_stored_nor_logged(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with workshop.worker(
        Ran(RuntimeError(SECRET), Refused(SECRET)), _sweep(RuntimeError(SECRET))
    ) as ended:
        await workshop.ask(uuid4())
        assert [(await ended.next_job())[0] for _ in range(2)] == ["retried", "failed"]
        async with asyncio.timeout(PATIENT_S):
            assert await ended.sweeps.get() == ("raises", "RuntimeError")
    stored = await workshop.queue.fetch(
        "select t::text from jobs.pgqueuer_log t union all select t::text from jobs.pgqueuer t"
    )
    assert SECRET not in str(stored)
    assert SECRET not in caplog.text


# --- the end, and worse -----------------------------------------------------------------------------------


async def test_a_worker_that_stops_puts_back_what_it_cannot_finish(workshop: Workshop) -> None:
    gate, row_id = Gate(), uuid4()
    async with workshop.worker(gate) as ended:
        await workshop.ask(row_id)
        await gate.begins()
    assert await ended.next_job() == ("stopped", None)
    assert await workshop.states() == ["queued"]
    ran = Ran()
    async with workshop.worker(ran) as ended:
        assert await ended.next_job() == ("done", None)
    assert ran.rows == [row_id]


async def test_a_worker_that_stops_finishes_what_it_can(workshop: Workshop) -> None:
    gate = Gate()
    async with workshop.worker(gate, pace=replace(QUICK, drain_s=PATIENT_S)) as ended:
        await workshop.ask(uuid4())
        await gate.begins()
        asyncio.get_running_loop().call_later(0.05, gate.let.set)
    assert await ended.next_job() == ("done", None)


async def test_a_worker_that_is_cancelled_loses_no_job(workshop: Workshop) -> None:
    gate = Gate()

    async def work() -> None:
        async with workshop.worker(gate):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await workshop.ask(uuid4())
    await gate.begins()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert await workshop.states() == ["queued"]


async def test_a_notice_from_another_role_cancels_no_job(workshop: Workshop) -> None:
    gate = Gate()
    async with workshop.worker(gate) as ended:
        await workshop.ask(uuid4())
        await gate.begins()
        job = await workshop.queue.fetchval("select id from jobs.pgqueuer")
        sent = (
            '{"channel": "%s", "type": "cancellation_event", "ids": [%d], "sent_at": "2026-11-20T09:00:00Z"}'
        )
        await workshop.pool.execute("select pg_notify($1, $2)", CHANNEL, sent % (CHANNEL, job))
        await workshop.pool.execute("select pg_notify($1, 'garbage')", CHANNEL)
        gate.let.set()
        assert await ended.next_job() == ("done", None)


async def test_a_job_taken_over_is_not_settled_by_its_first_worker(workshop: Workshop) -> None:
    gate, other = Gate(), uuid4()
    async with workshop.worker(gate) as ended:
        await workshop.ask(uuid4())
        await gate.begins()
        await workshop.queue.execute("update jobs.pgqueuer set queue_manager_id = $1", other)
        gate.let.set()
        assert await ended.next_job() == ("lost", None)
        held = await workshop.queue.fetch("select status::text, queue_manager_id from jobs.pgqueuer")
        assert [tuple(row.values()) for row in held] == [("picked", other)]


async def test_a_worker_outlives_its_connections(workshop: Workshop) -> None:
    ran = Ran()
    async with workshop.worker(ran) as ended:
        await workshop.ask(uuid4())
        await ended.next_job()
        admin = await asyncpg.connect(workshop.stack.admin)
        await admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'gw_worker'"
        )
        await admin.close()
        await workshop.ask(uuid4())
        async with asyncio.timeout(PATIENT_S):
            await ended.interrupted.get()
        assert await ended.next_job() == ("done", None)


@pytest.mark.parametrize("step", ["begun", "done"])
async def test_a_job_whose_worker_is_killed_has_its_effect_once(workshop: Workshop, step: str) -> None:
    row_id = uuid4()
    await workshop.ask(row_id)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(
            "-m",
            "tests.booking.dying_worker",
            step,
            workshop.stack.postgres.worker,
            workshop.stack.postgres.app,
        ),
    )
    assert await process.wait() == -signal.SIGKILL
    assert await workshop.states() == ["picked"]
    again: list[bool] = []

    async def effect(claim: Claim, row_id: UUID) -> None:
        (row,) = await fetch(
            workshop.pool, claim, "record_sms", row_id, "test", row_id, b"d" * 32, b"s", b"s"
        )
        again.append(not row[0])

    async with workshop.worker(effect, pace=replace(QUICK, heartbeat_s=0.5)) as ended:
        assert await ended.next_job() == ("done", None)
    assert again == [step == "done"]
    assert await workshop.states() == []


async def test_a_job_that_its_workers_die_of_is_given_up(workshop: Workshop) -> None:
    ran = Ran()
    await workshop.ask(uuid4())
    await workshop.queue.execute(
        "update jobs.pgqueuer set status = 'picked', queue_manager_id = gen_random_uuid(),"
        " heartbeat = now() - interval '1 hour', headers = jsonb_build_object('starts', $1::integer)",
        QUICK.tries,
    )
    async with workshop.worker(ran) as ended:
        assert await ended.next_job() == ("failed", "WorkerDied")
    assert ran.rows == []


# --- sweeps -----------------------------------------------------------------------------------------------


def _sweep(*errors: Exception) -> Sweep:
    left = list(errors)

    async def run() -> None:
        if left:
            raise left.pop(0)

    return Sweep("raises", "* * * * * *", run)


async def test_expired_holds_are_flipped(workshop: Workshop, desk: Desk) -> None:
    (slot,) = await desk.free()
    held = await desk.hold(slot)
    await desk.lapse(held.hold_id)
    flipping = next(sweep for sweep in housekeeping(workshop.queue) if sweep.name == "expired_holds")

    async def flipped() -> bool:
        return await desk.states() == ["expired"]

    async with workshop.worker(None, replace(flipping, cron="* * * * * *")):
        await until(flipped)


async def test_who_is_due_is_enqueued_under_the_own_org(workshop: Workshop, other_desk: Desk) -> None:
    due = [(workshop.claim, uuid4()), (other_desk.clinic.claim, uuid4())]
    ran = Ran()

    async def all_due() -> list[tuple[Claim, UUID]]:
        return due

    await fan_out(workshop.pool, KIND, all_due)()
    await fan_out(workshop.pool, KIND, all_due)()
    async with workshop.worker(ran) as ended:
        for _ in due:
            assert await ended.next_job() == ("done", None)
    assert sorted(zip(ran.claims, ran.rows, strict=True), key=str) == sorted(due, key=str)
    assert await backlog(workshop.queue) == []


async def test_the_command_works_until_it_is_told_to_stop(workshop: Workshop) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "booking.worker"),
        env=dict(os.environ) | {"DATABASE_WORKER_URL": workshop.stack.postgres.worker},
    )

    async def works() -> bool:
        return bool(await workshop.queue.fetchval("select count(*) from jobs.pgqueuer_schedules"))

    await until(works)
    process.terminate()
    async with asyncio.timeout(PATIENT_S):
        assert await process.wait() == 0
