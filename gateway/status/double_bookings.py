"""No two live holds or appointments of one practitioner at one time: counted row by row, whatever the
constraint says that makes it impossible.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from gateway.status.judged import Judged

NAME: Final = "double_bookings"
# In order of their beginnings, whatever begins before all earlier ones have ended overlaps one of them.
_ASKED: Final = """
select count(*) as live, count(*) filter (where each.overlaps) as overlapping from (
    select l.starts_at < max(l.ends_at) over (
        partition by l.kind, l.practitioner_number order by l.starts_at, l.ends_at, l.id
        rows between unbounded preceding and 1 preceding) as overlaps
    from (
        select 'hold' as kind, h.id, h.practitioner_number, h.starts_at, h.ends_at
        from public.appointment_holds h
        where h.org_id = $1 and h.ends_at > $2
          and (h.state = 'booked' or (h.state = 'held' and h.expires_at > clock_timestamp()))
        union all
        select 'appointment', a.id, a.practitioner_number, a.starts_at, a.ends_at
        from public.appointments a where a.org_id = $1 and a.ends_at > $2 and a.status = 'booked'
    ) l
) each
"""


@dataclass(frozen=True, slots=True)
class Live:
    """Holds and appointments that end after the beginning of the time asked about."""

    live: int
    overlapping: int


async def asked(connection: asyncpg.Connection, org_id: UUID, since: datetime) -> Live:
    """For inside the org's transaction, as all of these."""
    return Live(**await connection.fetchrow(_ASKED, org_id, since))


def judged(found: Mapping[UUID, Live]) -> Judged:
    live, overlapping = sum(e.live for e in found.values()), sum(e.overlapping for e in found.values())
    return Judged(
        name=NAME,
        level="alarm" if overlapping else "ok",
        told=f"{overlapping or 'none'} among {live} live holds and appointments",
        figures={"overlapping": overlapping, "live": live},
        orgs=[org_id for org_id, each in found.items() if each.overlapping],
    )
