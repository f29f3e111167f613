"""Moving an org to the newest master key while its calls go on, in batches that may stop anywhere.

What is under an older key is found by looking at it, so no progress is kept: whoever starts again finds what
is done done. People's keys are wrapped anew; what they seal stays as it is. The org's own secrets are sealed
anew, and so is what was sealed of people before they had keys, under theirs. Digests of numbers are made anew
from the numbers. Each write replaces exactly what was read: where a call was quicker, its write stands.

Kept API answers are left alone: they live for a day, after which the older key may go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from compliance.errors import ValueErased, VaultError
from compliance.keys import Keyring, PersonKey, WrappedKey, key_named
from compliance.reading import found_key
from compliance.vault import Cell

BATCH: Final = 200

_KEYS: Final = """
select k.id, k.wrapped from public.contact_keys k where k.org_id = $1 and ($2::uuid is null or k.id > $2)
order by k.id limit $3
"""
_REWRAP: Final = """
update public.contact_keys set wrapped = $4, rewrapped_at = clock_timestamp()
where org_id = $1 and id = $2 and wrapped = $3
"""
_SECRETS: Final = "select c.provider, c.sealed from public.org_credentials c where c.org_id = $1"
_RESEAL: Final = """
update public.org_credentials set sealed = $4, updated_at = now()
where org_id = $1 and provider = $2 and sealed = $3
"""
_CONTACTS: Final = """
select c.id, c.phone_digest as digest, c.sealed_phone, c.sealed_name, c.sealed_email, c.sealed_address,
    k.id as key_id, k.wrapped
from public.contacts c
left join public.contact_keys k on k.org_id = c.org_id and k.contact_id = c.id and k.call_id is null
where c.org_id = $1 and c.erased_at is null and ($2::uuid is null or c.id > $2) order by c.id limit $3
"""
_RESEAL_CONTACT: Final = """
update public.contacts set sealed_phone = $3, sealed_name = $4, sealed_email = $5, sealed_address = $6
where org_id = $1 and id = $2 and sealed_phone = $7 and sealed_name is not distinct from $8
  and sealed_email is not distinct from $9 and sealed_address is not distinct from $10
"""
_TEXTS: Final = """
select m.id, m.receiver_digest as digest, m.sealed_receiver, m.sealed_body, k.id as key_id, k.wrapped
from public.sms_messages m
left join public.contact_keys k on k.org_id = m.org_id and k.id = app.key_named(m.sealed_body)
where m.org_id = $1 and m.sealed_body <> '\\x00' and ($2::uuid is null or m.id > $2) order by m.id limit $3
"""
_RESEAL_TEXT: Final = """
update public.sms_messages set sealed_receiver = $3, sealed_body = $4
where org_id = $1 and id = $2 and sealed_receiver = $5 and sealed_body = $6
"""
_CALLS: Final = """
select c.id, c.caller_digest as digest, c.sealed_caller, k.id as key_id, k.wrapped
from public.calls c
left join public.contact_keys k on k.org_id = c.org_id and k.call_id = c.id
where c.org_id = $1 and c.caller_digest is not null and ($2::uuid is null or c.id > $2) order by c.id limit $3
"""
_WITHOUT_KEY: Final = """
select
    (select count(*) from public.contacts c
     where c.org_id = $1 and c.erased_at is null and app.key_named(c.sealed_phone) is null) as contacts,
    (select count(*) from public.sms_messages m
     where m.org_id = $1 and m.sealed_body <> '\\x00' and app.key_named(m.sealed_body) is null) as texts
"""
_CONTACT_COLUMNS: Final = ("sealed_phone", "sealed_name", "sealed_email", "sealed_address")
_TEXT_COLUMNS: Final = ("sealed_receiver", "sealed_body")


@dataclass(frozen=True, slots=True)
class Rotated:
    """One batch: how many rows were looked at, changed, and found unreadable; where the next one goes on."""

    seen: int = 0
    changed: int = 0
    unreadable: int = 0
    last: UUID | None = None

    def plus(self, other: "Rotated") -> "Rotated":
        return Rotated(
            self.seen + other.seen,
            self.changed + other.changed,
            self.unreadable + other.unreadable,
            other.last,
        )


@dataclass(frozen=True, slots=True)
class Left:
    """What is not under the newest master key: people's keys, the org's secrets, what has no person's key."""

    keys: int
    secrets: int
    contacts: int
    texts: int

    @property
    def total(self) -> int:
        return self.keys + self.secrets + self.contacts + self.texts

    def told(self) -> str:
        """In one line of numbers."""
        return f"left {self.keys} keys, {self.secrets} secrets, {self.contacts} contacts, {self.texts} texts"


async def rewrap_keys(
    connection: asyncpg.Connection, keys: Keyring, org_id: UUID, after: UUID | None = None
) -> Rotated:
    """People's keys behind `after`, wrapped under the newest master key."""
    rows = await connection.fetch(_KEYS, org_id, after, BATCH)
    changed = unreadable = 0
    for row in rows:
        if keys.provider.is_newest(org_id, row["wrapped"]):
            continue
        try:
            secret = await keys.provider.unwrap(org_id, row["id"], row["wrapped"])
        except VaultError:
            unreadable += 1
            continue
        wrapped = await keys.provider.wrap(org_id, row["id"], secret)
        await connection.execute(_REWRAP, org_id, row["id"], row["wrapped"], wrapped)
        changed += 1
    return Rotated(len(rows), changed, unreadable, rows[-1]["id"] if rows else None)


async def left_of(connection: asyncpg.Connection, keys: Keyring, org_id: UUID) -> Left:
    """What there is still to do for this org; digests show it only when their numbers are opened."""
    vault, older, after = keys.vault.for_org(org_id), 0, None
    while rows := await connection.fetch(_KEYS, org_id, after, BATCH):
        older += sum(not keys.provider.is_newest(org_id, row["wrapped"]) for row in rows)
        after = rows[-1]["id"]
    secrets = [row["sealed"] for row in await connection.fetch(_SECRETS, org_id)]
    without = await connection.fetchrow(_WITHOUT_KEY, org_id)
    return Left(
        older, sum(not vault.seals_newest(each) for each in secrets), without["contacts"], without["texts"]
    )


async def reseal_secrets(
    connection: asyncpg.Connection, keys: Keyring, org_id: UUID, after: UUID | None = None
) -> Rotated:
    """The org's credentials, sealed under the newest master key: all at once, they are few."""
    vault, rows = keys.vault.for_org(org_id), await connection.fetch(_SECRETS, org_id)
    changed = unreadable = 0
    for row in rows:
        cell = Cell("org_credentials", "sealed", row["provider"])
        if vault.seals_newest(row["sealed"]):
            continue
        try:
            plain = vault.open(row["sealed"], cell)
        except VaultError:
            unreadable += 1
            continue
        await connection.execute(_RESEAL, org_id, row["provider"], row["sealed"], vault.seal(plain, cell))
        changed += 1
    return Rotated(len(rows), changed, unreadable)


async def renew_contacts(
    connection: asyncpg.Connection, keys: Keyring, org_id: UUID, after: UUID | None = None
) -> Rotated:
    """Contacts behind `after`: sealed under their own key, found by the newest digest."""
    return await _renewed(connection, keys, org_id, after, _People("contacts", _CONTACTS, _CONTACT_COLUMNS))


async def renew_texts(
    connection: asyncpg.Connection, keys: Keyring, org_id: UUID, after: UUID | None = None
) -> Rotated:
    """Messages behind `after`, likewise."""
    return await _renewed(connection, keys, org_id, after, _People("sms_messages", _TEXTS, _TEXT_COLUMNS))


async def renew_callers(
    connection: asyncpg.Connection, keys: Keyring, org_id: UUID, after: UUID | None = None
) -> Rotated:
    """Calls behind `after`: their callers found by the newest digest."""
    return await _renewed(connection, keys, org_id, after, _People("calls", _CALLS, ("sealed_caller",)))


@dataclass(frozen=True, slots=True)
class _People:
    """Rows that stand for a number: the first of `columns` seals it."""

    table: str
    query: str
    columns: Sequence[str]


async def _renewed(
    connection: asyncpg.Connection, keys: Keyring, org_id: UUID, after: UUID | None, people: _People
) -> Rotated:
    rows = await connection.fetch(people.query, org_id, after, BATCH)
    changed = unreadable = 0
    for row in rows:
        try:
            changed += await _renew(connection, keys, org_id, people, row)
        except ValueErased:
            continue  # between our reading the row and its key
        except VaultError:
            unreadable += 1
    return Rotated(len(rows), changed, unreadable, rows[-1]["id"] if rows else None)


async def _renew(
    connection: asyncpg.Connection, keys: Keyring, org_id: UUID, people: _People, row: asyncpg.Record
) -> bool:
    number = await _opened(keys, org_id, people, row, people.columns[0])
    digests = keys.digests(org_id, number.decode())
    stale = row["digest"] != digests[0] and row["digest"] in digests
    if stale:
        await connection.execute("select app.renew_digest($1, $2, $3)", org_id, row["digest"], digests[0])
    blobs = [row[column] for column in people.columns]
    if all(blob is None or key_named(blob) is not None for blob in blobs):
        return stale
    key = await _receiver_key(connection, keys, org_id, digests)
    sealed = [await _resealed(keys, org_id, people, row, column, key) for column in people.columns]
    statement = {"contacts": _RESEAL_CONTACT, "sms_messages": _RESEAL_TEXT}[people.table]
    await connection.execute(statement, org_id, row["id"], *sealed, *blobs)
    return True


async def _resealed(
    keys: Keyring, org_id: UUID, people: _People, row: asyncpg.Record, column: str, key: PersonKey
) -> bytes | None:
    if row[column] is None:
        return None
    plain = await _opened(keys, org_id, people, row, column)
    return key.seal(plain, Cell(people.table, column, str(row["id"])))


async def _opened(keys: Keyring, org_id: UUID, people: _People, row: asyncpg.Record, column: str) -> bytes:
    return await keys.open(org_id, row[column], Cell(people.table, column, str(row["id"])), found_key(row))


async def _receiver_key(
    connection: asyncpg.Connection, keys: Keyring, org_id: UUID, digests: Sequence[bytes]
) -> PersonKey:
    new = await keys.new_key(org_id)
    row = await connection.fetchrow(
        "select * from app.receiver_key($1, $2, $3, $4)", org_id, list(digests), new.id, new.wrapped
    )
    return await keys.unlocked(org_id, WrappedKey(row["key_id"], row["wrapped"]))
