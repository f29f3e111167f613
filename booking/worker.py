"""Does the jobs of `booking.jobs`: in the gateway's process, or alone with `python -m booking.worker`.

Any number of workers may run. A job is claimed by one, which keeps a heartbeat on it; when that stops for
`Pace.heartbeat_s`, another takes the job. What raises is tried again after a pause that doubles each time;
what cannot be helped by trying, or was tried often enough, is given up and stays to be seen. A worker that is
told to stop claims nothing more, finishes what it can and puts the rest back.

Alone it does what needs neither keys nor providers: `python -m booking.worker --worker-url URL`, or
`DATABASE_WORKER_URL`. `python -m gateway.worker` does everything.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg
from pgqueuer import Job, PgQueuer
from pgqueuer.core.executors import AbstractEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.domain.models import Context, Schedule

from booking import db
from booking.errors import BookingError
from booking.holds import release_expired_holds
from booking.jobs import Handler, JobWatch, Outcome, Sweep, Work
from booking.owner import WORKER_NAME, add_direct_url, add_worker_url
from booking.queue import ClaimedJob, open_listener, queue_over
from booking.requests import sweep_requests

POOL_SIZE: Final = 4
_BATCH: Final = 500
_LISTENER_S: Final = 5.0
_RECONNECT_S: Final = 2.0

Ending = tuple[Outcome, str | None]  # and the class of the error


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how long, in seconds; `tries` counts the first, and starts that a dead worker made."""

    tries: int = 20
    first_retry_s: float = 2.0
    longest_retry_s: float = 900.0
    job_s: float = 60.0  # one run of a job or sweep; then it is cut off
    heartbeat_s: float = 30.0  # without one for so long, a job's worker counts as dead
    poll_s: float = 5.0  # the queue is looked at so often even if no notice comes
    drain_s: float = 10.0  # jobs under way when the worker is to stop
    at_once: int = 8  # jobs of one worker; 2 at least

    def retry_after(self, starts: int) -> timedelta:
        """The pause after the start of that number, counted from 1."""
        doubled = self.first_retry_s * 2.0 ** min(starts - 1, 30)
        return timedelta(seconds=min(doubled, self.longest_retry_s))


def housekeeping(worker_pool: asyncpg.Pool) -> list[Sweep]:
    """The sweeps that need the database alone; `worker_pool` is of role gw_worker."""

    async def flip_expired_holds() -> None:
        while await release_expired_holds(worker_pool, batch=_BATCH) == _BATCH:
            pass

    async def prune() -> None:
        statement = "select jobs.prune('14 days', '90 days', $1)"
        while await db.fetch_value(worker_pool, statement, _BATCH) == _BATCH:
            pass

    async def forget_old_requests() -> None:
        await sweep_requests(worker_pool)

    return [
        Sweep("expired_holds", "* * * * * */15", flip_expired_holds),
        Sweep("prune_jobs", "17 * * * *", prune),
        Sweep("old_requests", "27 * * * *", forget_old_requests),
    ]


@asynccontextmanager
async def working(
    worker_pool: asyncpg.Pool, direct_url: str, work: Work, watch: JobWatch, pace: Pace = Pace()
) -> AsyncIterator[None]:
    """Works for as long as the block lasts; the pool, of role gw_worker and at least 2 wide, outlives it."""
    worker = _Worker(worker_pool, direct_url, work, watch, pace)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(worker.run())
        try:
            yield
        finally:
            await worker.stop(running)


class _Worker:
    def __init__(self, pool: asyncpg.Pool, direct_url: str, work: Work, watch: JobWatch, pace: Pace) -> None:
        self._pool = pool
        self._direct_url = direct_url
        self._work = work
        self._watch = watch
        self._pace = pace
        self._stopping = asyncio.Event()
        self._queue: PgQueuer | None = None
        self._performing: set[asyncio.Task[object]] = set()

    async def run(self) -> None:
        """Until `stop`. A database that is away is waited for."""
        while not self._stopping.is_set():
            try:
                await self._serve()
            except Exception as error:  # noqa: BLE001 - the edge of a worker: told, and gone on after a pause
                self._watch.worker_interrupted(type(error).__name__)
            await _passed(self._stopping, _RECONNECT_S)

    async def stop(self, running: "asyncio.Task[None]") -> None:
        """Claim nothing more; jobs under way get `drain_s`, then they are cut off and put back."""
        self._stopping.set()
        if self._queue is not None:
            self._queue.shutdown.set()
        if await _ended(running, self._pace.drain_s):
            return
        for job in self._performing:
            job.cancel()
        if not await _ended(running, self._pace.drain_s):
            running.cancel()

    async def _serve(self) -> None:
        listener = await open_listener(self._direct_url, timeout_s=_LISTENER_S)
        try:
            queue = self._queue = self._prepared(listener)
            listener.add_termination_listener(lambda _: queue.shutdown.set())
            if not self._stopping.is_set():
                await self._run_until_stopped(queue)
        finally:
            await _closed(listener)

    async def _run_until_stopped(self, queue: PgQueuer) -> None:
        await queue.run(
            dequeue_timeout=timedelta(seconds=self._pace.poll_s),
            batch_size=self._pace.at_once // 2,
            max_concurrent_tasks=self._pace.at_once,
            shutdown_on_listener_failure=True,
            heartbeat_timeout=timedelta(seconds=self._pace.heartbeat_s),
        )
        if not self._stopping.is_set():
            self._watch.worker_interrupted("ListenerLost")

    def _prepared(self, listener: asyncpg.Connection) -> PgQueuer:
        queue = queue_over(self._pool, listener)
        worker_id: UUID = queue.qm.queue_manager_id
        for kind, handler in self._work.handlers.items():
            queue.qm.register_executor(kind, _Performer(self._performer(worker_id, handler)))
        for sweep in self._work.sweeps:
            queue.schedule(sweep.name, sweep.cron)(self._sweeper(sweep))
        return queue

    def _sweeper(self, sweep: Sweep) -> Callable[[Schedule], Awaitable[None]]:
        async def swept(_: Schedule) -> None:
            try:
                async with asyncio.timeout(self._pace.job_s):
                    await sweep.run()
            except Exception as error:  # noqa: BLE001 - the edge of a sweep, which comes again
                self._watch.sweep_failed(sweep.name, type(error).__name__)

        return swept

    def _performer(self, worker_id: UUID, handler: Handler) -> Callable[[Job], Awaitable[None]]:
        async def perform(job: Job) -> None:
            began = time.monotonic()
            outcome, error = await self._performed(ClaimedJob(self._pool, job, worker_id), handler)
            self._watch.job_ended(job.entrypoint, outcome, time.monotonic() - began, error)

        return perform

    async def _performed(self, job: ClaimedJob, handler: Handler) -> Ending:
        task = asyncio.current_task()
        if task is not None:
            self._performing.add(task)
        try:
            return await self._attempted(job, handler)
        except asyncio.CancelledError:
            with suppress(BookingError):
                await asyncio.shield(job.put_off(timedelta(0), "Stopped"))
            return "stopped", None  # the library's task ends with this
        except BookingError as error:
            return "lost", type(error).__name__  # the queue could not be told: found by its heartbeat
        finally:
            self._performing.discard(task)

    async def _attempted(self, job: ClaimedJob, handler: Handler) -> Ending:
        starts = await job.start()
        if starts is None:
            return "lost", None
        if starts > self._pace.tries:
            return await _given_up(job, "WorkerDied")
        while True:
            error = await self._fault(job, handler)
            if error is not None:
                return await self._faulty(job, starts, error)
            ended = await job.finish()
            if ended != "again":
                return ended, None

    async def _fault(self, job: ClaimedJob, handler: Handler) -> Exception | None:
        try:
            async with asyncio.timeout(self._pace.job_s):
                await handler(job.claim, job.row_id)
        except Exception as error:  # noqa: BLE001 - the edge of a job, which is put off or given up
            return error
        return None

    async def _faulty(self, job: ClaimedJob, starts: int, error: Exception) -> Ending:
        reason = type(error).__name__
        hopeless = isinstance(error, BookingError) and not error.retryable
        if hopeless or starts >= self._pace.tries:
            return await _given_up(job, reason)
        put_off = await job.put_off(self._pace.retry_after(starts), reason)
        return ("retried" if put_off else "lost"), reason


async def _given_up(job: ClaimedJob, reason: str) -> Ending:
    return ("failed" if await job.give_up(reason) else "lost"), reason


class _Performer(AbstractEntrypointExecutor):
    """One kind of job, as the library calls it."""

    def __init__(self, perform: Callable[[Job], Awaitable[None]]) -> None:
        super().__init__(EntrypointExecutorParameters(concurrency_limit=0, func=perform))
        self._perform = perform

    async def execute(self, job: Job, context: Context) -> None:
        await self._perform(job)


async def _passed(event: asyncio.Event, within_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()


async def _ended(task: "asyncio.Task[None]", within_s: float) -> bool:
    done, _ = await asyncio.wait({task}, timeout=within_s)
    return bool(done)


async def _closed(listener: asyncpg.Connection) -> None:
    try:
        await listener.close(timeout=_LISTENER_S)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        listener.terminate()


class _Printed:
    """Says on stderr what does not end well. Satisfies `JobWatch`."""

    def job_ended(self, kind: str, outcome: Outcome, seconds: float, error: str | None) -> None:
        if outcome != "done":
            sys.stderr.write(f"job {kind} {outcome}: {error or 'no error'}\n")

    def sweep_failed(self, name: str, error: str) -> None:
        sys.stderr.write(f"sweep {name} failed: {error}\n")

    def worker_interrupted(self, error: str) -> None:
        sys.stderr.write(f"the queue is away: {error}\n")


async def work_until_stopped(worker_url: str, direct_url: str) -> None:
    """Housekeeping until SIGTERM or SIGINT. Raises `UnsafeRole`, `BookingUnavailable`."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with (
        await db.open_pool(worker_url, max_size=POOL_SIZE) as pool,
        working(pool, direct_url, Work(sweeps=housekeeping(pool)), _Printed()),
    ):
        await stopping.wait()


def main() -> int:
    """0 after an orderly stop, 1 if the database does not answer at the start."""
    parser = argparse.ArgumentParser(
        prog="python -m booking.worker", description="Do the jobs that need the database alone."
    )
    add_worker_url(parser)
    add_direct_url(parser)
    chosen = parser.parse_args()
    if not chosen.worker_url:
        parser.error(f"give --worker-url or set {WORKER_NAME}")
    try:
        asyncio.run(work_until_stopped(chosen.worker_url, chosen.direct_url or chosen.worker_url))
    except BookingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
