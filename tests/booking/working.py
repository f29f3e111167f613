"""Workers over the real queue, quick ones, and a watch that tests can wait on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg

from booking.db import open_pool, org_transaction
from booking.jobs import Handler, Kind, Outcome, Sweep, Work, enqueue
from booking.types import Claim
from booking.worker import POOL_SIZE, Pace, working
from tests.conftest import Stack

KIND: Final[Kind] = "calendar_push"
# Retries at once.
QUICK: Final = Pace(
    tries=3, first_retry_s=0.01, longest_retry_s=0.05, job_s=10, heartbeat_s=5, poll_s=0.1, drain_s=0.2
)
PATIENT_S: Final = 15.0


@dataclass
class Ended:
    """How jobs ended, in order. Satisfies `booking.jobs.JobWatch`."""

    jobs: "asyncio.Queue[tuple[Outcome, str | None]]" = field(default_factory=asyncio.Queue)
    sweeps: "asyncio.Queue[tuple[str, str]]" = field(default_factory=asyncio.Queue)
    interrupted: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)

    def job_ended(self, kind: str, outcome: Outcome, seconds: float, error: str | None) -> None:
        assert kind == KIND
        assert seconds >= 0
        self.jobs.put_nowait((outcome, error))

    def sweep_failed(self, name: str, error: str) -> None:
        self.sweeps.put_nowait((name, error))

    def worker_interrupted(self, error: str) -> None:
        self.interrupted.put_nowait(error)

    async def next_job(self) -> tuple[Outcome, str | None]:
        async with asyncio.timeout(PATIENT_S):
            return await self.jobs.get()


@dataclass(frozen=True)
class Workshop:
    """One clinic's work, and workers for it."""

    stack: Stack
    pool: asyncpg.Pool
    queue: asyncpg.Pool
    claim: Claim

    async def ask(self, row_id: UUID, kind: Kind = KIND) -> None:
        async with org_transaction(self.pool, self.claim) as connection:
            await enqueue(connection, kind, row_id)

    @asynccontextmanager
    async def worker(
        self, handler: Handler | None, *sweeps: Sweep, pace: Pace = QUICK, watch: Ended | None = None
    ) -> AsyncIterator[Ended]:
        watch = watch or Ended()
        work = Work({KIND: handler} if handler else {}, sweeps)
        async with (
            await open_pool(self.stack.postgres.worker, max_size=POOL_SIZE) as pool,
            working(pool, self.stack.postgres.worker, work, watch, pace),
        ):
            yield watch

    async def states(self) -> list[str]:
        rows = await self.queue.fetch("select status::text from jobs.pgqueuer order by id")
        return [row["status"] for row in rows]


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENT_S):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.02)
