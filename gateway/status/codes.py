"""Codes by text message: of those sent, how many were given back rightly."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from gateway.status.judged import Judged, percent
from gateway.status.thresholds import CODES_VERIFIED_LEAST, FEWEST

NAME: Final = "codes"
# A code that could not be sent is `cleared`; one that is in force may yet be given back.
_ASKED: Final = """
select count(*) as sent, count(*) filter (where o.state = 'used') as verified
from public.otp_codes o
where o.org_id = $1 and o.stored_at >= $2 and o.state <> 'cleared'
  and not (o.state = 'live' and o.expires_at > clock_timestamp())
"""


@dataclass(frozen=True, slots=True)
class Codes:
    sent: int
    verified: int


async def asked(connection: asyncpg.Connection, org_id: UUID, since: datetime) -> Codes:
    return Codes(**await connection.fetchrow(_ASKED, org_id, since))


def judged(found: Mapping[UUID, Codes]) -> Judged:
    """Of all orgs together: one clinic's few codes tell little."""
    sent, verified = sum(each.sent for each in found.values()), sum(each.verified for each in found.values())
    low = sent >= FEWEST and verified < CODES_VERIFIED_LEAST * sent
    return Judged(
        name=NAME,
        level="alarm" if low else "ok",
        told=f"{percent(verified, sent)} of {sent} verified, {100 * CODES_VERIFIED_LEAST:g} % wanted",
        figures={"sent": sent, "verified": verified, "rate": verified / sent if sent else None},
    )
