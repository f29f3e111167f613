"""Follow-ups: what is due, what went out, what was late, what lies about."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from gateway.status.judged import Judged
from gateway.status.thresholds import FEWEST, FOLLOW_UP_OVERDUE, HANDOVER_S, LATE_SHARE

NAME: Final = "follow_ups"
# Prompt are those of which nothing had to be waited for: neither quiet hours nor a caller who may come back.
_ASKED: Final = """
select count(*) filter (where f.state in ('due', 'sending')) as due,
    count(*) filter (where f.state = 'waiting') as waiting,
    count(*) filter (where f.state in ('sent', 'delivered')) as sent,
    count(*) filter (where f.state = 'failed') as failed,
    count(*) filter (where f.prompt) as prompt,
    count(*) filter (where f.prompt and coalesce(f.handed_at, clock_timestamp()) - f.settled_at > $3) as late,
    count(*) filter (where f.state in ('due', 'sending') and f.next_at < clock_timestamp() - $4::interval)
        as overdue
from (
    select u.state, u.settled_at, u.handed_at, u.next_at,
        u.state in ('due', 'sending', 'sent', 'delivered') and not u.deferred
            and u.settled_at is not null as prompt
    from public.follow_ups u where u.org_id = $1 and u.opened_at >= $2
) f
"""


@dataclass(frozen=True, slots=True)
class FollowUps:
    """`late`: of the prompt ones, handed over later than promised, or not yet; `overdue`: nobody looks."""

    due: int = 0
    waiting: int = 0
    sent: int = 0
    failed: int = 0
    prompt: int = 0
    late: int = 0
    overdue: int = 0


async def asked(connection: asyncpg.Connection, org_id: UUID, since: datetime) -> FollowUps:
    row = await connection.fetchrow(_ASKED, org_id, since, timedelta(seconds=HANDOVER_S), FOLLOW_UP_OVERDUE)
    return FollowUps(**row)


def judged(found: Mapping[UUID, FollowUps]) -> Judged:
    total = FollowUps(
        *(sum(getattr(each, field.name) for each in found.values()) for field in fields(FollowUps))
    )
    slow = total.prompt >= FEWEST and total.late > LATE_SHARE * total.prompt
    return Judged(
        name=NAME,
        level="alarm" if slow or total.overdue else "ok",
        told=(
            f"{total.due} due, {total.waiting} waiting, {total.sent} sent, {total.failed} failed; "
            f"{total.late} of {total.prompt} later than {HANDOVER_S:g} s, {total.overdue} overdue"
        ),
        figures=dict(asdict(total)),
        orgs=[org_id for org_id, each in found.items() if each.overdue],
    )
