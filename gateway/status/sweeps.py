"""The sweeps that clean up and enqueue: when each ran last."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from booking import db
from gateway.status.judged import Judged
from gateway.status.thresholds import SWEEPS

NAME: Final = "sweeps"
# One that has not run since it was first scheduled is as old as its schedule.
_ASKED: Final = """
select coalesce(jsonb_object_agg(s.entrypoint, s.at), '{}') from (
    select entrypoint, max(coalesce(last_run, created)) as at from jobs.pgqueuer_schedules group by 1
) s
"""


async def asked(worker_pool: asyncpg.Pool) -> Mapping[str, datetime]:
    """When each ran last, or was made. `worker_pool`: role gw_worker's. Raises `BookingUnavailable`."""
    return msgspec.json.decode(await db.fetch_value(worker_pool, _ASKED), type=dict[str, datetime])


def judged(ran: Mapping[str, datetime], now: datetime, names: Sequence[str] = tuple(SWEEPS)) -> Judged:
    """`names`: those that have to run; one that nobody has scheduled yet does not."""
    overdue = [name for name in names if name not in ran or now - ran[name] > SWEEPS[name]]
    ages_s = {name: round((now - at).total_seconds()) for name, at in sorted(ran.items())}
    told = f"{len(names) - len(overdue)} of {len(names)} on time"
    return Judged(
        name=NAME,
        level="alarm" if overdue else "ok",
        told=told + (f"; late or never: {', '.join(overdue)}" if overdue else ""),
        figures={"overdue": len(overdue), **{f"{name}_s": age_s for name, age_s in ages_s.items()}},
    )


def ages(judged: Judged) -> dict[str, float]:
    """How long ago each ran, in seconds, by name."""
    told = {name.removesuffix("_s"): age_s for name, age_s in judged.figures.items() if name.endswith("_s")}
    return {name: age_s for name, age_s in told.items() if isinstance(age_s, (int, float))}
