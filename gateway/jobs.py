"""Background jobs as this process does them: every kind there is, with the gateway's keys and providers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import asyncpg
import structlog

from booking.abandoned_calls import due_abandoned_calls
from booking.calendar import GoogleCalendars, StoredCalendars
from booking.calendar_sync import CalendarSync, due_calendars, orgs_with_calendars
from booking.clinic_upkeep import open_slots
from booking.db import open_pool
from booking.follow_up import FollowUps, due_follow_ups
from booking.jobs import Kind, Outcome, Sweep, Work, fan_out
from booking.messages import Messages, due_messages
from booking.placed_calls import due_placed_calls
from booking.placing import Placing
from booking.trials import removing_trials
from booking.types import Claim
from booking.vapi_calls import due_vapi_calls
from booking.worker import POOL_SIZE, Pace, housekeeping, working
from compliance.vault import Vault
from gateway.abandoned_calls import AbandonedCalls, open_abandoned_calls
from gateway.chainer import Chainer, chaining
from gateway.follow_ups import follow_ups
from gateway.metrics import Metrics
from gateway.placing import open_placing
from gateway.recording.opening import open_upkeep
from gateway.recording.upkeep import RecordingUpkeep, due_recordings
from gateway.retention import Retention, every_org
from gateway.sealing import VaultSealer
from gateway.settings import Settings
from gateway.vapi.reports import Reports, open_reports

log = structlog.get_logger("gateway.jobs")

Found = Awaitable[Sequence[tuple[Claim, UUID]]]


@dataclass(frozen=True, slots=True)
class Duties:
    """What the jobs are done by."""

    following: FollowUps
    calendars: CalendarSync
    retention: Retention
    reports: Reports
    calls: Placing
    recordings: RecordingUpkeep
    abandoned: AbandonedCalls


@asynccontextmanager
async def open_jobs(
    settings: Settings, pool: asyncpg.Pool, vault: Vault, messages: Messages, metrics: Metrics
) -> AsyncIterator[None]:
    """Works while the block lasts; the pool outlives it. Raises `BookingError` if it cannot begin."""
    jobs, waits = settings.jobs, settings.waits
    pace = Pace(job_s=waits.job_s, drain_s=waits.jobs_drain_s, at_once=settings.limits.jobs_at_once)
    opening = open_pool(jobs.url, max_size=POOL_SIZE, statement_timeout_s=waits.database_s)
    async with (
        await opening as worker_pool,
        open_duties(settings, pool, vault, messages, metrics) as duties,
    ):
        if not await orgs_with_calendars(worker_pool):
            log.info("no_calendars", reason="no org has credentials for one")
        work = all_work(pool, worker_pool, duties)
        async with (
            chaining(Chainer(pool, worker_pool, metrics)),
            working(worker_pool, jobs.direct_url, work, WatchedJobs(metrics), pace),
        ):
            yield


@asynccontextmanager
async def open_duties(
    settings: Settings, pool: asyncpg.Pool, vault: Vault, messages: Messages, metrics: Metrics
) -> AsyncIterator[Duties]:
    """The pool outlives them."""
    jobs, sealer = settings.jobs, VaultSealer(vault)
    google = GoogleCalendars(
        api_url=jobs.calendar_url, token_url=jobs.calendar_token_url, timeout_s=settings.waits.calendar_s
    )
    async with (
        google,
        open_reports(settings, pool, vault, metrics) as reports,
        open_placing(settings, pool, vault, metrics) as calls,
        open_upkeep(settings, pool) as recordings,
        open_abandoned_calls(settings, pool, vault, metrics) as abandoned,
    ):
        yield Duties(
            following=follow_ups(settings, messages, metrics),
            calendars=CalendarSync(pool, StoredCalendars(pool, sealer, google)),
            retention=Retention(pool, sealer.keys, metrics),
            reports=reports,
            calls=calls,
            recordings=recordings,
            abandoned=abandoned,
        )


def all_work(pool: asyncpg.Pool, worker_pool: asyncpg.Pool, duties: Duties) -> Work:
    """Every kind of job and every sweep there is; `docs/jobs.md` lists them."""
    return Work(
        handlers={
            "calendar_push": duties.calendars.push,
            "calendar_busy_sync": duties.calendars.sync_busy,
            "sms_reconcile": duties.following.messages.reconcile,
            "follow_up": duties.following.go_on,
            "retention": duties.retention.enforce,
            "slots_ahead": partial(_open_slots_ahead, pool),
            "vapi_report": duties.reports.ask,
            "place_call": duties.calls.go_on,
            "recording": duties.recordings.go_on,
            "end_call": duties.abandoned.end,
        },
        sweeps=_sweeps(pool, worker_pool),
    )


def _sweeps(pool: asyncpg.Pool, worker_pool: asyncpg.Pool) -> list[Sweep]:
    def enqueues(kind: Kind, find: Callable[[asyncpg.Pool], Found]) -> Callable[[], Awaitable[None]]:
        return fan_out(pool, kind, lambda: find(worker_pool))

    return [
        *housekeeping(worker_pool),
        Sweep("due_messages", "* * * * * */20", enqueues("sms_reconcile", due_messages)),
        Sweep("due_follow_ups", "* * * * * */10", enqueues("follow_up", due_follow_ups)),
        Sweep("due_placed_calls", "* * * * * */10", enqueues("place_call", due_placed_calls)),
        Sweep("due_vapi_calls", "* * * * * */30", enqueues("vapi_report", due_vapi_calls)),
        Sweep("due_recordings", "* * * * * */30", enqueues("recording", due_recordings)),
        Sweep("abandoned_calls", "* * * * * */30", enqueues("end_call", due_abandoned_calls)),
        Sweep("due_calendars", "* * * * * */20", enqueues("calendar_busy_sync", due_calendars)),
        Sweep("old_records", "41 3 * * *", enqueues("retention", every_org)),
        Sweep("ended_trials", "*/2 * * * *", removing_trials(pool, worker_pool)),
        Sweep("days_to_come", "7 1 * * *", enqueues("slots_ahead", every_org)),
    ]


async def _open_slots_ahead(pool: asyncpg.Pool, claim: Claim, _org_id: UUID) -> None:
    """A day has passed: the last of the days to come gets its slots. Satisfies `booking.jobs.Handler`."""
    await open_slots(pool, claim)


@dataclass(frozen=True, slots=True)
class WatchedJobs:
    """Counts jobs and logs those that do not end well. Satisfies `booking.jobs.JobWatch`."""

    metrics: Metrics

    def job_ended(self, kind: str, outcome: Outcome, seconds: float, error: str | None) -> None:
        self.metrics.jobs.labels(kind, outcome).observe(seconds)
        if outcome == "failed":
            log.error("job_failed", kind=kind, error=error)
        elif outcome != "done":
            log.warning("job_unfinished", kind=kind, outcome=outcome, error=error)

    def sweep_failed(self, name: str, error: str) -> None:
        self.metrics.sweeps_failed.labels(name).inc()
        log.warning("sweep_failed", name=name, error=error)

    def worker_interrupted(self, error: str) -> None:
        self.metrics.queue_interruptions.inc()
        log.warning("queue_lost", error=error)
