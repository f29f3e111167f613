"""The queue of background jobs: how much waits, since when, and what was given up."""

from collections.abc import Sequence
from typing import Final

from booking.jobs import Backlog
from gateway.status.judged import Judged
from gateway.status.thresholds import JOB_WAITS_S

NAME: Final = "queue"


def judged(kinds: Sequence[Backlog]) -> Judged:
    waiting = sum(each.queued for each in kinds)
    delayed, running = sum(each.delayed for each in kinds), sum(each.running for each in kinds)
    failed = sum(each.failed for each in kinds)
    oldest_s = max((each.oldest_due_s or 0.0 for each in kinds), default=0.0)
    oldest = f", the oldest for {oldest_s:.0f} s" if waiting else ""
    return Judged(
        name=NAME,
        level="alarm" if failed or oldest_s > JOB_WAITS_S else "ok",
        told=f"{waiting} jobs wait{oldest}; {delayed} for later, {running} under way, {failed} given up",
        figures={
            "waiting": waiting,
            "oldest_s": round(oldest_s, 1),
            "delayed": delayed,
            "running": running,
            "failed": failed,
        },
    )
