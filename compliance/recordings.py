"""Sound of calls: what is on record of it, and the sealing of its parts.

The sound lies in a store of objects, in parts; each is sealed under the call's key, as any value of the call
is (`compliance.keys`), and bound to its recording and its place in it: parts open in no other order, nor in
another recording. Destroying the key makes all of them noise, wherever copies lie; that they are deleted too
follows by trigger (migration 0070). The connection handed in has its org's claim armed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import asyncpg

from compliance.errors import ReadingRefused
from compliance.keys import Keyring, PersonKey, WrappedKey
from compliance.reading import Actor, Reader, Role, found_key, may_read
from compliance.records import call_key
from compliance.vault import Cell

State = Literal["recording", "stored", "incomplete", "deleting", "deleted"]

_LISTED: Final = """
select r.id, r.call_id, r.state, r.started_at, r.ended_at, r.duration_ms,
    r.bytes as sealed_bytes, r.sha256, r.deleted_at
from public.recordings r
where r.org_id = $1 and ($2::uuid is null or r.call_id = $2) and (
    $3::uuid is null or r.call_id in (select app.calls_of($1, $3, '{}')))
order by r.started_at desc, r.id limit $4
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """How much of a recording lies in the store."""

    parts: int = 0
    sealed_bytes: int = 0
    duration_ms: int = 0

    def and_part(self, sealed_bytes: int, duration_ms: int) -> "Recorded":
        return Recorded(self.parts + 1, self.sealed_bytes + sealed_bytes, self.duration_ms + duration_ms)


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """One recording as it is listed. `sha256`: of all parts in order as they lie in the store; None if it was
    cut off or is gone.
    """

    id: UUID
    call_id: UUID
    state: State
    started_at: datetime
    ended_at: datetime | None
    duration_ms: int
    sealed_bytes: int
    sha256: bytes | None
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Settled:
    """A recording as it stands; `deleting_for`: since when it is to go."""

    state: State
    place: str
    deleting_for: timedelta | None


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording that somebody may hear, or why there is nothing to be heard (`state`, or no key)."""

    id: UUID
    state: State
    place: str
    held: Recorded
    key: WrappedKey | None = field(repr=False)


def part_cell(recording_id: UUID, number: int) -> Cell:
    """What the seal of part `number` (from 1) is bound to."""
    return Cell("recordings", "part", f"{recording_id}/{number}")


def may_hear(role: Role, purpose: str) -> bool:
    """Whoever may read notes: what is said of somebody's health is heard in it."""
    return may_read(role, purpose, "note")  # type: ignore[arg-type]


async def begin_recording(
    connection: asyncpg.Connection,
    keys: Keyring,
    org_id: UUID,
    call_id: UUID,
    *,
    recording_id: UUID,
    place: str,
    lease: timedelta,
) -> PersonKey | None:
    """The key to seal it under. None: the org records no sound, the caller has refused, or was erased.

    Said again with the same id it begins nothing anew. The call must be on record. Raises `VaultError`.
    """
    key = (
        await call_key(connection, keys, org_id, call_id) if await records_sound(connection, org_id) else None
    )
    if key is None:
        return None
    begun: bool = await connection.fetchval(
        "select app.open_recording($1, $2, $3, $4, $5, $6)",
        org_id,
        call_id,
        recording_id,
        key.id,
        place,
        lease,
    )
    return key if begun else None


async def note_recorded(
    connection: asyncpg.Connection, org_id: UUID, recording_id: UUID, held: Recorded, lease: timedelta
) -> bool:
    """So much lies in the store. False: it is recorded no more, and what lies there goes."""
    noted: bool = await connection.fetchval(
        "select app.note_recorded($1, $2, $3, $4, $5, $6)",
        org_id,
        recording_id,
        held.parts,
        held.sealed_bytes,
        held.duration_ms,
        lease,
    )
    return noted


async def close_recording(
    connection: asyncpg.Connection, org_id: UUID, recording_id: UUID, *, whole: bool, sha256: bytes
) -> bool:
    """It is over; `whole`: every part of it lies in the store. False if it was settled otherwise."""
    closed: bool = await connection.fetchval(
        "select app.close_recording($1, $2, $3, $4)", org_id, recording_id, whole, sha256
    )
    return closed


async def discard_recording(connection: asyncpg.Connection, org_id: UUID, recording_id: UUID) -> None:
    """It goes: a job has the store delete what lies there."""
    await connection.execute("select app.discard_recordings($1, $2)", org_id, [recording_id])


async def settle_recording(
    connection: asyncpg.Connection, org_id: UUID, recording_id: UUID
) -> Settled | None:
    """How it stands, after what a crash left is settled. None: there is none."""
    row = await connection.fetchrow("select * from app.settle_recording($1, $2)", org_id, recording_id)
    return None if row is None else Settled(**dict(row))


async def note_deleted(
    connection: asyncpg.Connection, org_id: UUID, recording_id: UUID, *, done: bool, again_after: timedelta
) -> None:
    """The store has nothing of it; `done`: nor can anything come there any more."""
    await connection.execute(
        "select app.note_deleted_recording($1, $2, $3, $4)", org_id, recording_id, done, again_after
    )


async def recordings_of(
    connection: asyncpg.Connection,
    org_id: UUID,
    *,
    call_id: UUID | None = None,
    contact_id: UUID | None = None,
    limit: int,
) -> Sequence[RecordingRow]:
    """Of one call, of a contact's calls, or all; newest first. Opens nothing, hence not on record."""
    rows = await connection.fetch(_LISTED, org_id, call_id, contact_id, limit)
    return [RecordingRow(**dict(row)) for row in rows]


async def hear_recording(
    connection: asyncpg.Connection, org_id: UUID, reader: Reader, recording_id: UUID
) -> Heard | None:
    """Where it lies, with its key; None if the org has none of this id.

    That it is heard is on record with this: commit before any of it is handed out. Raises `ReadingRefused`.
    """
    if not may_hear(reader.role, reader.purpose):
        raise ReadingRefused(f"{reader.role} may not hear a recording for {reader.purpose}")
    row = await connection.fetchrow(
        "select * from app.read_recording($1, $2, $3, $4, $5)",
        org_id,
        recording_id,
        reader.purpose,
        reader.actor.kind,
        reader.actor.id,
    )
    if row is None:
        return None
    held = Recorded(row["parts"], row["bytes"], row["duration_ms"])
    return Heard(recording_id, row["state"], row["place"], held, found_key(row))


async def records_sound(connection: asyncpg.Connection, org_id: UUID) -> bool:
    recorded: bool = await connection.fetchval("select app.records_sound($1)", org_id)
    return recorded


async def set_sound_recording(
    connection: asyncpg.Connection, org_id: UUID, actor: Actor, *, on: bool
) -> None:
    """From now on; what was recorded stays for its time. Audited."""
    await connection.execute(
        "select app.set_sound_recording($1, $2, $3, $4)", org_id, on, actor.kind, actor.id
    )
