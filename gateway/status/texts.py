"""Text messages of all kinds: how many reach their receivers, and how soon; codes above all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from booking.verification import KIND
from gateway.status.judged import Judged, percent, percentile
from gateway.status.thresholds import CODE_DELIVERED_S, FEWEST, TEXTS_DELIVERED_LEAST

NAME: Final = "texts"
_NEWEST: Final = 2_000
# `refused` never reached the carrier's network; what is under way has no last status yet.
_ASKED: Final = """
select count(*) as settled, count(*) filter (where m.status = 'delivered') as delivered,
    coalesce(array_agg(extract(epoch from m.settled_at - m.recorded_at)::float8)
        filter (where m.status = 'delivered'), '{}') as delivered_s,
    coalesce(array_agg(extract(epoch from m.settled_at - m.recorded_at)::float8)
        filter (where m.status = 'delivered' and m.kind = $4), '{}') as codes_s
from (
    select t.kind, t.status, t.recorded_at, t.settled_at from public.sms_messages t
    where t.org_id = $1 and t.recorded_at >= $2 and t.status in ('delivered', 'undelivered', 'failed', 'lost')
    order by t.recorded_at desc limit $3
) m
"""


@dataclass(frozen=True, slots=True)
class Texts:
    """`delivered_s`: from being sent to having arrived, of each; `codes_s`: of the codes among them."""

    settled: int
    delivered: int
    delivered_s: Sequence[float]
    codes_s: Sequence[float] = ()


async def asked(connection: asyncpg.Connection, org_id: UUID, since: datetime) -> Texts:
    return Texts(**await connection.fetchrow(_ASKED, org_id, since, _NEWEST, KIND))


def judged(found: Mapping[UUID, Texts]) -> Judged:
    """Of all orgs together, each one's newest."""
    settled = sum(each.settled for each in found.values())
    delivered = sum(each.delivered for each in found.values())
    took_s = [each_s for each in found.values() for each_s in each.delivered_s]
    codes_s = [each_s for each in found.values() for each_s in each.codes_s]
    p50_s, p95_s, codes_p95_s = percentile(took_s, 0.5), percentile(took_s, 0.95), percentile(codes_s, 0.95)
    low = settled >= FEWEST and delivered < TEXTS_DELIVERED_LEAST * settled
    slow = len(codes_s) >= FEWEST and codes_p95_s is not None and codes_p95_s > CODE_DELIVERED_S
    pace = "" if p50_s is None or p95_s is None else f", within {p50_s:.1f} s at p50 and {p95_s:.1f} s at p95"
    codes = "" if codes_p95_s is None else f", codes {codes_p95_s:.1f} s at p95"
    wanted = f"{100 * TEXTS_DELIVERED_LEAST:g} % wanted, and codes within {CODE_DELIVERED_S:g} s"
    return Judged(
        name=NAME,
        level="alarm" if low or slow else "ok",
        told=f"{percent(delivered, settled)} of {settled} delivered{pace}{codes}; {wanted}",
        figures={
            "settled": settled,
            "delivered": delivered,
            "rate": delivered / settled if settled else None,
            "p50_s": p50_s,
            "p95_s": p95_s,
            "codes_p95_s": codes_p95_s,
        },
    )
