"""The audit log: who did what to which row. It is only ever added to, and holds no personal value."""

from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from booking import db
from booking.types import Actor, AuditRecord, Claim

_SEALED: Final = ("note", "value", "text")
_BY_THEMSELVES: Final = ("reply", "recording", "placed_call", "campaign")


async def record(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    actor: Actor,
    action: str,
    subject_kind: str,
    subject_id: UUID | None = None,
) -> UUID:
    """Add an entry; its id. `action` and `subject_kind` are words of ours, as `read_refused`, `hold`."""
    (row,) = await db.fetch(pool, claim, "audit", actor.kind, actor.id, action, subject_kind, subject_id)
    record_id: UUID = row[0]
    return record_id


async def record_refusal(pool: asyncpg.Pool, claim: Claim, *, action: str, subject_kind: str) -> bool:
    """Somebody unknown was refused who named this org. Within a minute of such an entry none is added: False.

    So whoever floods the org with forgeries adds 60 entries an hour. Raises `BookingUnavailable`.
    """
    (row,) = await db.fetch(pool, claim, "audit_refusal", action, subject_kind)
    recorded: bool = row[0]
    return recorded


async def owned_elsewhere(pool: asyncpg.Pool, claim: Claim, *, kind: str, row_id: UUID) -> bool:
    """Whether another org has a row of this id: 403 rather than 404.

    `kind`: slot, hold, booking, contact, service, practitioner, call, placed_call, campaign; of
    sealed rows note, value, text, reply, recording.
    """
    if kind in _BY_THEMSELVES:
        (row,) = await db.fetch(pool, claim, f"{kind}_elsewhere", row_id)
    else:
        function = "sealed_elsewhere" if kind in _SEALED else "owned_elsewhere"
        (row,) = await db.fetch(pool, claim, function, kind, row_id)
    owned: bool = row[0]
    return owned


async def page_of_records(
    pool: asyncpg.Pool, claim: Claim, *, limit: int, before: datetime | None = None
) -> list[AuditRecord]:
    """Entries, newest first, at most 100, recorded before that instant."""
    rows = await db.fetch(pool, claim, "audit_records", limit, before)
    return [
        AuditRecord(
            id=row["record_id"],
            recorded_at=row["recorded_at"],
            actor=Actor(row["actor_kind"], row["actor_id"]),
            action=row["action"],
            subject_kind=row["subject_kind"],
            subject_id=row["subject_id"],
        )
        for row in rows
    ]
