"""What Prometheus cannot count by itself, because it stands in rows: asked once a minute, put into gauges.

Each gateway that knows the worker's role asks for itself, as each is scraped by itself: its gauges are its
own and not somebody's of yesterday.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from gateway.metrics import Metrics
from gateway.status import audit_log, double_bookings, follow_ups, queue, sweeps, tenancy
from gateway.status.asked import Question, Sources, ask
from gateway.status.judged import Figure, Status

log = structlog.get_logger("gateway.status")

CHAIN_S: Final = 30.0
"""Of each org's audit log what can be verified in so long."""


@dataclass(frozen=True, slots=True)
class WatchPace:
    """In seconds. `chains_s`: between two looks at the audit logs; `first_chains_s`: before the first."""

    look_s: float = 60.0
    chains_s: float = 6 * 3600.0
    first_chains_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Watch:
    """What it asks outlives it."""

    sources: Callable[[], Awaitable[Sources]]
    metrics: Metrics
    pace: WatchPace = WatchPace()

    async def run(self) -> None:
        """Until cancelled. A database that is away is waited for: then the last look grows old."""
        chains_due_s = time.monotonic() + self.pace.first_chains_s
        while True:
            verifying = time.monotonic() >= chains_due_s
            try:
                await self.look(chain_s=CHAIN_S if verifying else 0.0)
            except Exception as error:  # noqa: BLE001 - the edge of a worker: told, and gone on after a pause
                log.warning("status_unknown", error=type(error).__name__)
            else:
                chains_due_s = time.monotonic() + self.pace.chains_s if verifying else chains_due_s
            await asyncio.sleep(self.pace.look_s)

    async def look(self, *, chain_s: float) -> Status:
        """Ask, and put what is found into the gauges. Raises `BookingError`."""
        status = await ask(await self.sources(), Question(chain_s=chain_s))
        for name, figure, gauge in (
            (double_bookings.NAME, "overlapping", self.metrics.double_bookings),
            (follow_ups.NAME, "due", self.metrics.follow_ups_due),
            (follow_ups.NAME, "late", self.metrics.follow_ups_late),
            (follow_ups.NAME, "overdue", self.metrics.follow_ups_overdue),
            (tenancy.NAME, "tables_unprotected", self.metrics.tables_unprotected),
            (queue.NAME, "waiting", self.metrics.jobs_waiting),
            (queue.NAME, "oldest_s", self.metrics.jobs_oldest),
            (queue.NAME, "failed", self.metrics.jobs_failed),
            (sweeps.NAME, "overdue", self.metrics.sweeps_overdue),
        ):
            gauge.set(_number(status.of(name).figures[figure]))
        for name, age_s in sweeps.ages(status.of(sweeps.NAME)).items():
            self.metrics.sweep_ran.labels(name).set(status.made_at.timestamp() - age_s)
        if chain_s > 0:
            self.metrics.audit_chains_broken.set(_number(status.of(audit_log.NAME).figures["broken"]))
        self.metrics.status_asked.set_to_current_time()
        return status


def _number(figure: Figure) -> float:
    return float(figure) if isinstance(figure, (int, float)) else 0.0
