"""How long what is kept of people is kept, per org, and the clearing of what is older.

Words of turns go and their timings stay; notes and vault values are deleted; texts and both ends of calls are
cleared, and that there was a message or a call stays; recordings are deleted where they lie. Keys go with the
last value under them. A contact of whom nothing was heard for so long is erased, and the proof of it stays;
appointments stay, as times. This is a gateway, not the clinic's record: what the law has the clinic keep for
years belongs there.
"""

from dataclasses import asdict, astuple, dataclass, fields, replace
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from compliance.erasure import erase_contact
from compliance.errors import RetentionInvalid
from compliance.keys import Keyring
from compliance.reading import Actor

LONGEST_DAYS: Final = 36_500
BATCH: Final = 500
_ERASED_AT_ONCE: Final = 50
_WORKER: Final = Actor("worker")
_PERIODS: Final = """
select r.*, app.contact_days($1) as contacts, app.recording_days($1) as recordings from app.retention($1) r
"""


@dataclass(frozen=True, slots=True)
class Periods:
    """Days that each kind is kept."""

    turns: int = 90  # redacted words of calls
    notes: int = 365  # what was said of somebody's health
    personal: int = 90  # the vault's other values
    texts: int = 90  # messages and codes
    calls: int = 365  # who called whom
    contacts: int = 1095  # since anything was heard of them
    recordings: int = 90  # the sound of calls

    def __post_init__(self) -> None:
        for name, days in asdict(self).items():
            if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= LONGEST_DAYS:
                raise RetentionInvalid(f"{name} must be 1 to {LONGEST_DAYS} days")


@dataclass(frozen=True, slots=True)
class Cleared:
    """How many rows of each kind were cleared; `keys` that were destroyed; `contacts` that were erased;
    `recordings` that the store is to delete.
    """

    turns: int = 0
    notes: int = 0
    personal: int = 0
    texts: int = 0
    codes: int = 0
    calls: int = 0
    keys: int = 0
    contacts: int = 0
    recordings: int = 0

    def plus(self, other: "Cleared") -> "Cleared":
        return Cleared(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


async def periods_of(connection: asyncpg.Connection, org_id: UUID) -> Periods:
    """The org's periods; what it has not set is the default."""
    row = await connection.fetchrow(_PERIODS, org_id)
    return Periods(**dict(row))


async def set_periods(connection: asyncpg.Connection, org_id: UUID, actor: Actor, periods: Periods) -> None:
    """Counts from the next run on, for what is there already too. Audited."""
    *others, contacts, recordings = astuple(periods)
    await connection.execute("select app.keep_contacts_for($1, $2)", org_id, contacts)
    await connection.execute("select app.keep_recordings_for($1, $2)", org_id, recordings)
    await connection.execute(
        "select app.set_retention($1, $2, $3, $4, $5, $6, $7, $8)", org_id, *others, actor.kind, actor.id
    )


async def clear_batch(
    connection: asyncpg.Connection, keys: Keyring, org_id: UUID, *, batch: int = BATCH
) -> Cleared:
    """Clear so many rows of each kind that are due, at most. Done again it does the next ones."""
    row = await connection.fetchrow("select * from app.forget_old($1, $2)", org_id, batch)
    rows = Cleared(**{each.name: row[each.name] for each in fields(Cleared) if each.name in row})
    return replace(
        rows,
        contacts=await _erase_idle(connection, keys, org_id, min(batch, _ERASED_AT_ONCE)),
        recordings=await connection.fetchval("select app.forget_old_recordings($1, $2)", org_id, batch),
    )


async def _erase_idle(connection: asyncpg.Connection, keys: Keyring, org_id: UUID, most: int) -> int:
    """How many contacts were erased of whom nothing has been heard for so long."""
    idle = await connection.fetch("select * from app.idle_contacts($1, $2)", org_id, most)
    for (contact_id,) in idle:
        await erase_contact(connection, keys, org_id, _WORKER, contact_id=contact_id)
    return len(idle)


async def note_run(connection: asyncpg.Connection, org_id: UUID, cleared: Cleared) -> None:
    """Keep what a run has cleared, also if that was nothing."""
    await connection.execute(
        "insert into public.retention_runs (org_id, counts) values ($1, $2)",
        org_id,
        msgspec.json.encode(asdict(cleared)).decode(),
    )
