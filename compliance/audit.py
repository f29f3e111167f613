"""What the audit log says, page by page, and which of its records are linked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from compliance.chain import AuditRecord, record_of

_PAGE: Final = """
select l.org_id, l.id, l.recorded_at, l.actor_kind, l.actor_id, l.action, l.subject_kind, l.subject_id,
    c.position
from public.audit_log l
left join public.audit_chain c on c.org_id = l.org_id and c.record_id = l.id
where l.org_id = $1
  and ($2::timestamptz is null or (l.recorded_at, l.id) < ($2, $3))
  and ($4::uuid is null or l.subject_id = $4)
  and ($5::text is null or l.action = $5)
order by l.recorded_at desc, l.id desc limit $6
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """`position`: of its link in the chain; None as long as it is not linked."""

    record: AuditRecord
    position: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; `subject_id`: those about this row."""

    action: str | None = None
    subject_id: UUID | None = None


async def page_of_entries(
    connection: asyncpg.Connection,
    org_id: UUID,
    *,
    limit: int,
    last: tuple[datetime, UUID] | None = None,
    wanted: Wanted = Wanted(),
) -> Sequence[Entry]:
    """Newest first; those behind `last`, the instant and id of a page's last one."""
    at, last_id = last or (None, None)
    rows = await connection.fetch(_PAGE, org_id, at, last_id, wanted.subject_id, wanted.action, limit)
    return [Entry(record_of(row), row["position"]) for row in rows]
