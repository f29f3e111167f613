"""Calls that may still be live at their carrier though nobody has them any more; what is known of each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from booking import db
from booking.types import Claim

# A carrier's call that came back is on record anew; whoever talks to a person has been taken over by them.
_FIND: Final = """
select c.carrier, c.carrier_call_id,
    case c.end_reason when 'lost' then c.started_at else c.ended_at end as since,
    exists (
        select from public.calls o
        where o.org_id = c.org_id and o.carrier = c.carrier and o.carrier_call_id = c.carrier_call_id
          and (o.ended_at is null
            or (o.started_at > c.started_at and o.end_reason not in ('lost', 'transferred')))
    ) or exists (
        select from public.handovers h join public.calls o on o.org_id = h.org_id and o.id = h.call_id
        where o.org_id = c.org_id and o.carrier = c.carrier and o.carrier_call_id = c.carrier_call_id
          and h.state = 'answered'
    ) as is_looked_after
from public.abandoned_calls a join public.calls c on c.org_id = a.org_id and c.id = a.call_id
where a.org_id = $1 and a.call_id = $2
"""
_WAIT: Final = "update public.abandoned_calls set next_at = $3 where org_id = $1 and call_id = $2"
_DONE: Final = "delete from public.abandoned_calls where org_id = $1 and call_id = $2"


@dataclass(frozen=True, slots=True)
class AbandonedCall:
    """`since`: from when on its longest time counts. `is_looked_after`: it came back and goes on or has ended
    by itself, or a person has it.
    """

    carrier: str
    carrier_call_id: str
    since: datetime
    is_looked_after: bool


async def due_abandoned_calls(worker: asyncpg.Pool, *, limit: int = 200) -> list[tuple[Claim, UUID]]:
    """Those of all orgs to look at now; role gw_worker's pool."""
    listed = "coalesce(jsonb_agg(jsonb_build_array(org_id, call_id)), '[]')"
    statement = f"select {listed} from app.due_abandoned_calls($1)"  # noqa: S608 - ours
    found = msgspec.json.decode(await db.fetch_value(worker, statement, limit), type=list[tuple[UUID, UUID]])
    return [(Claim(org_id), call_id) for org_id, call_id in found]


async def find_abandoned_call(pool: asyncpg.Pool, claim: Claim, *, call_id: UUID) -> AbandonedCall | None:
    """None if nothing is left to do. Raises `BookingUnavailable`."""
    async with db.org_transaction(pool, claim) as connection:
        row = await connection.fetchrow(_FIND, claim.org_id, call_id)
    return None if row is None else AbandonedCall(**dict(row))


async def look_again(pool: asyncpg.Pool, claim: Claim, *, call_id: UUID, at: datetime) -> None:
    """Raises `BookingUnavailable`."""
    async with db.org_transaction(pool, claim) as connection:
        await connection.execute(_WAIT, claim.org_id, call_id, at)


async def settle_abandoned_call(pool: asyncpg.Pool, claim: Claim, *, call_id: UUID) -> None:
    """It is over at the carrier, or not abandoned at all. Raises `BookingUnavailable`."""
    async with db.org_transaction(pool, claim) as connection:
        await connection.execute(_DONE, claim.org_id, call_id)
