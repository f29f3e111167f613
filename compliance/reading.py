"""Reading a sealed value back: who may, what for, and never without an audit record.

Any SQL under an org's claim can fetch sealed bytes; this is the way to have them opened for somebody. The
record (`read_for_<purpose>`, with the row's kind and id) is written by the statement that fetches the bytes,
so it is there before anything is opened: commit before the answer goes out. What the gateway opens for its
own work, as a message that it reconciles, nobody gets to see.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal
from uuid import UUID

import asyncpg

from compliance.errors import ReadingRefused
from compliance.keys import Keyring, WrappedKey
from compliance.vault import Cell

Role = Literal["staff", "clinician", "auditor"]
Purpose = Literal["care", "booking", "complaint", "legal", "subject_request"]
SealedKind = Literal["note", "value", "contact", "text", "call", "reply"]
ActorKind = Literal["call", "token", "worker", "operator"]

TABLES: Final[Mapping[SealedKind, str]] = MappingProxyType(
    {
        "note": "clinical_notes",
        "value": "pii_vault",
        "contact": "contacts",
        "text": "sms_messages",
        "call": "calls",
        "reply": "text_replies",
    }
)
_DESK: Final = frozenset[SealedKind]({"value", "contact", "text", "call", "reply"})
_ALL: Final = frozenset[SealedKind](TABLES)
_MAY_READ: Final[Mapping[tuple[Role, Purpose], frozenset[SealedKind]]] = MappingProxyType(
    {
        ("staff", "booking"): _DESK,
        ("staff", "complaint"): _DESK,
        ("staff", "subject_request"): _DESK,
        ("clinician", "care"): _ALL,
        ("clinician", "booking"): _DESK,
        ("clinician", "complaint"): _ALL,
        ("clinician", "legal"): _ALL,
        ("clinician", "subject_request"): _ALL,
    }
)
"""An auditor sees who read what, and reads nothing of it."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is to be named in the audit log; `id` is one of ours, never a number, name or address."""

    kind: ActorKind
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Who wants to read, in which role, what for."""

    actor: Actor
    role: Role
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Opened:
    """The values of one row, by what they are: `medical`; a vault's kind; `phone`, `name` … of a contact."""

    kind: SealedKind
    row_id: UUID
    values: Mapping[str, str] = field(repr=False)


def may_read(role: Role, purpose: Purpose, kind: SealedKind) -> bool:
    return kind in _MAY_READ.get((role, purpose), frozenset())


async def read_sealed(
    connection: asyncpg.Connection,
    keys: Keyring,
    org_id: UUID,
    reader: Reader,
    *,
    kind: SealedKind,
    row_id: UUID,
) -> Opened | None:
    """The row's values in plain words; None if the org has no such row.

    Raises `ReadingRefused` (nothing was fetched, and the refusal is the caller's to audit) or `VaultError`
    (that it was tried is on record).
    """
    if not may_read(reader.role, reader.purpose, kind):
        raise ReadingRefused(f"{reader.role} may not read a {kind} for {reader.purpose}")
    rows = await connection.fetch(
        "select * from app.read_sealed($1, $2, $3, $4, $5, $6)",
        org_id,
        kind,
        row_id,
        reader.purpose,
        reader.actor.kind,
        reader.actor.id,
    )
    if not rows:
        return None
    values = {row["label"]: await _opened(keys, org_id, TABLES[kind], row_id, row) for row in rows}
    return Opened(kind, row_id, values)


async def _opened(keys: Keyring, org_id: UUID, table: str, row_id: UUID, row: asyncpg.Record) -> str:
    cell = Cell(table, row["place"], str(row_id))
    plain = await keys.open(org_id, row["sealed"], cell, found_key(row))
    return plain.decode("utf-8", "replace")


def found_key(row: asyncpg.Record) -> WrappedKey | None:
    """The key that a row was found with, in columns `key_id` and `wrapped`."""
    return None if row["key_id"] is None else WrappedKey(row["key_id"], row["wrapped"])
