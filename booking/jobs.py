"""Work that must survive a crash: enqueued with the fact that causes it, done by `booking.worker`.

A job is a kind and a row of an org. `enqueue` is part of the caller's transaction (in SQL:
`app.enqueue(kind, row)`), so the job is there if and only if the fact is. What a job finds in its row when it
runs is what counts; hence one job per kind and row is enough, and running it twice must do no more than
running it once.

    python -m booking.jobs status     what waits, runs and has failed, from DATABASE_WORKER_URL
    python -m booking.jobs retry      failed jobs get their tries anew; with `--job ID` that one
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from booking import db
from booking.errors import BookingError
from booking.owner import WORKER_NAME, add_worker_url
from booking.types import Claim

Kind = Literal[
    "calendar_push",
    "calendar_busy_sync",
    "sms_reconcile",
    "retention",
    "slots_ahead",
    "follow_up",
    "vapi_report",
    "place_call",
    "recording",
    "end_call",
]

# Arms the org by the claim, reads the row, does what is still to be done. May run twice for one enqueueing.
# Raises: a `BookingError` that is not `retryable` gives the job up at once, anything else is tried again.
Handler = Callable[[Claim, UUID], Awaitable[None]]

# Who is due, of all orgs, as role gw_worker may see it.
Due = Callable[[], Awaitable[Sequence[tuple[Claim, UUID]]]]

T = TypeVar("T")

FAILURES_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Sweep:
    """Done again and again, by one worker at a time. `cron`: five fields, or a sixth for the seconds."""

    name: str
    cron: str
    run: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker can do: a handler per kind of job, and sweeps. Kinds that it lacks are left to others."""

    handlers: Mapping[Kind, Handler] = field(default_factory=dict)
    sweeps: Sequence[Sweep] = ()


Outcome = Literal[
    "done",
    "retried",  # it raised and is tried again later
    "failed",  # given up: it stays to be seen, and `retry` gives it tries anew
    "stopped",  # put back because the worker ends
    "lost",  # nobody could be told how it ended, or another worker has it: it runs again
]


class JobWatch(Protocol):
    """Is told how jobs fare. Neither rows nor texts of errors are said, `error` is its class."""

    def job_ended(self, kind: str, outcome: Outcome, seconds: float, error: str | None) -> None: ...

    def sweep_failed(self, name: str, error: str) -> None: ...

    def worker_interrupted(self, error: str) -> None:
        """The queue could not be reached; the worker goes on when it can."""
        ...


async def enqueue(
    connection: asyncpg.Connection, kind: Kind, row_id: UUID, *, after: timedelta = timedelta(0)
) -> None:
    """Have `kind` done for a row of the armed org once the transaction of `connection` commits.

    For inside `booking.db.org_transaction`. Asking again for what waits already changes nothing; asking while
    it runs has it run once more.
    """
    await connection.execute("select app.enqueue($1, $2, $3)", kind, row_id, after)


def fan_out(pool: asyncpg.Pool, kind: Kind, due: Due) -> Callable[[], Awaitable[None]]:
    """A sweep that enqueues `kind` for all who are due, each under its own org's claim."""

    async def enqueue_due() -> None:
        for claim, row_id in await due():
            async with db.org_transaction(pool, claim) as connection:
                await enqueue(connection, kind, row_id)

    return enqueue_due


@dataclass(frozen=True, slots=True)
class Backlog:
    """One kind's jobs. `oldest_due_s`: how long the first of those that wait for a worker has done so."""

    kind: str
    queued: int
    delayed: int
    running: int
    failed: int
    oldest_due_s: float | None


@dataclass(frozen=True, slots=True)
class Failure:
    """A job that was given up; `reason` is the class of its last error."""

    job: int
    kind: str
    org_id: UUID
    row_id: UUID
    failed_at: datetime
    reason: str | None


async def backlog(worker_pool: asyncpg.Pool) -> list[Backlog]:
    """Kinds without jobs are left out. Raises `BookingUnavailable`."""
    return await _listed(worker_pool, "jobs.overview()", list[Backlog])


async def failures(worker_pool: asyncpg.Pool, *, limit: int = FAILURES_SHOWN) -> list[Failure]:
    """Latest first. Raises `BookingUnavailable`."""
    return await _listed(worker_pool, "jobs.failures($1)", list[Failure], limit)


async def requeue(worker_pool: asyncpg.Pool, job: int | None = None) -> int:
    """Give failed jobs, or this one, their tries anew; how many. Raises `BookingUnavailable`."""
    requeued: int = await db.fetch_value(worker_pool, "select jobs.requeue($1)", job)
    return requeued


async def _listed(pool: asyncpg.Pool, source: str, kind: type[T], *arguments: object) -> T:
    statement = f"select coalesce(jsonb_agg(to_jsonb(found)), '[]') from {source} found"  # noqa: S608 - ours
    return msgspec.json.decode(await db.fetch_value(pool, statement, *arguments), type=kind)


def main() -> int:
    """0 if no job has failed, 1 if one has or the database does not answer."""
    parser = argparse.ArgumentParser(prog="python -m booking.jobs", description="Look after background jobs.")
    add_worker_url(parser)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("status", help="what waits, runs and has failed")
    again = commands.add_parser("retry", help="give failed jobs their tries anew")
    again.add_argument("--job", type=int, help="this one alone")
    chosen = parser.parse_args()
    if not chosen.worker_url:
        parser.error(f"give --worker-url or set {WORKER_NAME}")
    retried = chosen.job if chosen.command == "retry" else None
    try:
        return asyncio.run(_answer(chosen.worker_url, chosen.command, retried))
    except (BookingError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


async def _answer(worker_url: str, command: str, job: int | None) -> int:
    async with await db.open_pool(worker_url, max_size=1) as pool:
        if command == "retry":
            sys.stdout.write(f"{await requeue(pool, job)} jobs get their tries anew\n")
            return 0
        failed = await failures(pool)
        sys.stdout.write(report(await backlog(pool), failed))
    return 1 if failed else 0


def report(kinds: Sequence[Backlog], failed: Sequence[Failure]) -> str:
    """Backlog and failures as a person reads them."""
    if not kinds:
        return "no jobs\n"
    lines = [f"{'kind':<22}{'queued':>8}{'delayed':>9}{'running':>9}{'failed':>8}{'oldest due':>12}"]
    for each in kinds:
        oldest = "" if each.oldest_due_s is None else f"{each.oldest_due_s:.0f} s"
        lines.append(
            f"{each.kind:<22}{each.queued:>8}{each.delayed:>9}{each.running:>9}{each.failed:>8}{oldest:>12}"
        )
    lines += [
        f"failed: job {fault.job}, {fault.kind} of row {fault.row_id}, org {fault.org_id}, "
        f"{fault.failed_at:%Y-%m-%d %H:%M} UTC: {fault.reason or 'unknown'}"
        for fault in failed
    ]
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
