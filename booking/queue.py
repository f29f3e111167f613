"""The library behind the jobs, pgqueuer, as it is used here: what it is handed, and what it is kept from.

It claims jobs (SKIP LOCKED), keeps a heartbeat on them, finds those of dead workers, listens, and runs the
sweeps' schedule. How a job ends is settled by functions of schema `jobs` instead, which act for the worker
that holds the job alone. What in 1.6 stands against leaving that to it:
- It stores and logs the text and the chain of exceptions, values of rows included.
- A job whose task is cancelled, as by a process that ends, counts as cancelled and is deleted.
- A job whose retry cannot be written, because the database is away for a moment, is given up.
- Ends are written for any job of that id, also one that another worker has taken over since.
- A job is cancelled by a notice, and any role of the database may send one: such notices are not let through.
- Its first probe of the notices may go out before it listens; 10 s later it takes its connection for lost and
  stands still while it makes another. Here a probe waits until somebody listens.
- Names of its tables are read from variables as common as CHANNEL: each is given here.
"""

import asyncio
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

import asyncpg
import msgspec
from pgqueuer import AsyncpgPoolDriver, Job, PgQueuer, Queries
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel
from pgqueuer.ports.driver import NotifyCallback

from booking import db
from booking.types import Claim

CHANNEL: Final = Channel("clinic_jobs")

SETTINGS: Final = DBSettings(
    prefix="",
    db_schema="jobs",
    channel=CHANNEL,
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=False,
)
_HEARD: Final = frozenset({"table_changed_event", "health_check_event"})


class _Notice(msgspec.Struct):
    type: str


class _Driver(AsyncpgPoolDriver):
    """Statements go through the pool, which may stand behind a pooler; notices come over `listener`."""

    def __init__(self, pool: asyncpg.Pool, listener: asyncpg.Connection) -> None:
        super().__init__(pool)
        self._listener = listener
        self._listening = asyncio.Event()

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        def relay(_connection: object, _pid: object, _channel: object, notice: object) -> None:
            if isinstance(notice, str) and _is_heard(notice):
                callback(notice)

        await self._listener.add_listener(channel, relay)
        self._listening.set()

    async def notify(self, channel: str, payload: str) -> None:
        await self._listening.wait()
        await super().notify(channel, payload)

    async def remove_listener(self, channel: str, callback: NotifyCallback) -> None:
        await self._listener.reset()


class _Queries(Queries):
    async def log_jobs(self, job_status: object) -> None:
        """Nothing: the worker has settled its job by then."""


def queue_over(pool: asyncpg.Pool, listener: asyncpg.Connection) -> PgQueuer:
    """The library over a pool of role gw_worker, and a connection of its own that can LISTEN."""
    driver = _Driver(pool, listener)
    return PgQueuer(driver, CHANNEL, queries=queries_over(driver))


def queries_over(driver: AsyncpgPoolDriver) -> Queries:
    """The library's statements, in schema `jobs`."""
    return _Queries(
        driver,
        QueryBuilderEnvironment(SETTINGS),
        QueryQueueBuilder(SETTINGS),
        QuerySchedulerBuilder(SETTINGS),
    )


def _is_heard(notice: str) -> bool:
    try:
        return msgspec.json.decode(notice, type=_Notice).type in _HEARD
    except msgspec.MsgspecError:
        return False


async def open_listener(direct_url: str, *, timeout_s: float) -> asyncpg.Connection:
    """A connection past any pooler. Raises what asyncpg raises."""
    async with asyncio.timeout(timeout_s):
        return await asyncpg.connect(
            direct_url,
            timeout=timeout_s,
            command_timeout=timeout_s,
            server_settings={"application_name": "clinic-voice-gateway jobs"},
        )


class ClaimedJob:
    """A job that a worker has claimed; each step acts for that worker alone. Raises `BookingUnavailable`."""

    def __init__(self, pool: asyncpg.Pool, job: Job, worker_id: UUID) -> None:
        payload = job.payload or b""
        self.claim = Claim(UUID(bytes=payload[:16]))
        self.row_id = UUID(bytes=payload[16:])
        self._pool = pool
        self._mine = (job.id, worker_id)

    async def start(self) -> int | None:
        """How often it has been started; None if another worker has it."""
        starts: int | None = await db.fetch_value(self._pool, "select jobs.start($1, $2)", *self._mine)
        return starts

    async def finish(self) -> Literal["done", "again", "lost"]:
        """`again`: it was asked for since it started, and is still this worker's."""
        ended: Literal["done", "again", "lost"] = await db.fetch_value(
            self._pool, "select jobs.finish($1, $2)", *self._mine
        )
        return ended

    async def put_off(self, after: timedelta, reason: str) -> bool:
        """False if another worker has it."""
        statement = "select jobs.retry($1, $2, $3, $4)"
        return bool(await db.fetch_value(self._pool, statement, *self._mine, after, reason))

    async def give_up(self, reason: str) -> bool:
        """False if another worker has it."""
        return bool(await db.fetch_value(self._pool, "select jobs.fail($1, $2, $3)", *self._mine, reason))
