"""Nobody reaches another clinic's rows: attempts that were refused, and whether row level security stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from compliance.protection import Protection
from gateway.status.judged import Judged
from gateway.status.thresholds import FOREIGN_PER_HOUR

NAME: Final = "tenancy"
_ASKED: Final = """
select count(*) as refused,
    count(*) filter (where l.recorded_at > clock_timestamp() - interval '1 hour') as last_hour
from public.audit_log l where l.org_id = $1 and l.recorded_at >= $2 and l.action = 'foreign_refused'
"""


@dataclass(frozen=True, slots=True)
class Attempts:
    """By this org's tokens, at another's rows."""

    refused: int
    last_hour: int


async def asked(connection: asyncpg.Connection, org_id: UUID, since: datetime) -> Attempts:
    return Attempts(**await connection.fetchrow(_ASKED, org_id, since))


def judged(found: Mapping[UUID, Attempts], protection: Protection) -> Judged:
    refused = sum(each.refused for each in found.values())
    last_hour = sum(each.last_hour for each in found.values())
    bare = [table.name for table in protection.tables if not table.protected]
    stands = f"on all {len(protection.tables)} tables" if not bare else f"MISSING on {', '.join(bare)}"
    bound = "" if protection.role_bound else f", but {protection.role} can step over it"
    return Judged(
        name=NAME,
        level="ok" if protection.protected and last_hour <= FOREIGN_PER_HOUR else "alarm",
        told=f"{refused} attempts refused, {last_hour} in the last hour; row level security {stands}{bound}",
        figures={
            "refused": refused,
            "last_hour": last_hour,
            "tables": len(protection.tables),
            "tables_unprotected": len(bare) + (not protection.role_bound),
        },
        orgs=[org_id for org_id, each in found.items() if each.last_hour > FOREIGN_PER_HOUR],
    )
