"""Which sealed values there are of a call or contact: their ids and types, for somebody to read one back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import asyncpg

_KEPT: Final = r"""
select * from (
    select 'note' as kind, n.id, 'medical' as label, n.call_id, n.turn, n.noted_at as kept_at
    from public.clinical_notes n where n.org_id = $1 and (n.call_id = $2 or n.contact_id = $3)
    union all
    select 'value', v.id, v.kind, v.call_id, v.turn, v.kept_at
    from public.pii_vault v where v.org_id = $1 and (v.call_id = $2 or v.contact_id = $3)
    union all
    select 'call', c.id, 'ends', c.id, null, c.started_at
    from public.calls c
    where c.org_id = $1 and (c.id = $2 or c.contact_id = $3)
        and num_nonnulls(c.sealed_caller, c.sealed_called) > 0
    union all
    select 'text', m.id, m.kind, null, null, m.recorded_at
    from public.contacts p
    join public.sms_messages m on m.org_id = p.org_id and m.receiver_digest = p.phone_digest
    where p.org_id = $1 and p.id = $3 and m.sealed_body <> '\x00'
) k order by k.kept_at desc, k.id limit $4
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """One sealed row. `label`: `medical`, the vault's kind, `ends` of a call, a text's kind. `turn`: in which
    it was said.
    """

    kind: Literal["note", "value", "call", "text"]
    id: UUID
    label: str
    call_id: UUID | None
    turn: int | None
    kept_at: datetime


async def kept_of(
    connection: asyncpg.Connection, org_id: UUID, *, call_id: UUID | None, contact_id: UUID | None, limit: int
) -> Sequence[Kept]:
    """Newest first. Opens nothing, hence not on record."""
    rows = await connection.fetch(_KEPT, org_id, call_id, contact_id, limit)
    return [Kept(**dict(row)) for row in rows]
