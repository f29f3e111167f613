"""Erasing a person (GDPR Art. 17, CCPA): their keys are destroyed and their rows cleared, in one transaction.

What stays is a proof with counts and nothing personal, appointments as times of a practitioner, and the keyed
digest of a number that opted out of texts, so that it is not texted again. In a copy of the database from
before, sealed values open until that copy's own keys are gone: backups should live no longer than the clinic
promises. Carriers and providers hold their own records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from compliance.errors import VaultError
from compliance.keys import Keyring
from compliance.reading import Actor, found_key
from compliance.vault import Cell

_SEALED_NUMBER = """
select c.sealed_phone, k.id as key_id, k.wrapped
from public.contacts c
left join public.contact_keys k on k.org_id = c.org_id and k.id = app.key_named(c.sealed_phone)
where c.org_id = $1 and c.id = $2
"""


@dataclass(frozen=True, slots=True)
class Erasure:
    """The proof. `counts`: how many rows of each kind were cleared or destroyed.

    `contact_id` is None for a number that was no contact's. `again`: nothing had come since this erasure.
    """

    id: UUID
    contact_id: UUID | None
    erased_at: datetime
    counts: Mapping[str, int]
    again: bool


async def erase_contact(
    connection: asyncpg.Connection,
    keys: Keyring,
    org_id: UUID,
    actor: Actor,
    *,
    contact_id: UUID,
    cancel_appointments: bool = False,
) -> Erasure | None:
    """Erase a contact; None if the org has none of this id. May be asked again, also after a crash.

    Appointments to come stay booked unless `cancel_appointments`: the clinic knows whom to expect from its
    own records, or does not want to be surprised.
    """
    row = await connection.fetchrow(_SEALED_NUMBER, org_id, contact_id)
    if row is None:
        return None
    digests = await _digests(keys, org_id, contact_id, row)
    return await _erase(connection, org_id, actor, contact_id, digests, cancel_appointments)


async def erase_number(
    connection: asyncpg.Connection,
    keys: Keyring,
    org_id: UUID,
    actor: Actor,
    *,
    e164: str,
    cancel_appointments: bool = False,
) -> Erasure | None:
    """Erase whoever has this number, contact or not; None if nothing is known of it."""
    return await _erase(connection, org_id, actor, None, keys.digests(org_id, e164), cancel_appointments)


async def _digests(keys: Keyring, org_id: UUID, contact_id: UUID, row: asyncpg.Record) -> Sequence[bytes]:
    """Of their number under each master key. If it does not open any more, the one in the row has to do."""
    try:
        cell = Cell("contacts", "sealed_phone", str(contact_id))
        phone = await keys.open(org_id, row["sealed_phone"], cell, found_key(row))
    except VaultError:
        return ()
    return keys.digests(org_id, phone.decode())


async def _erase(
    connection: asyncpg.Connection,
    org_id: UUID,
    actor: Actor,
    contact_id: UUID | None,
    digests: Sequence[bytes],
    cancel: bool,
) -> Erasure | None:
    row = await connection.fetchrow(
        "select * from app.erase_person($1, $2, $3, $4, $5, $6)",
        org_id,
        contact_id,
        list(digests),
        cancel,
        actor.kind,
        actor.id,
    )
    if row is None:
        return None
    return Erasure(
        id=row["erasure_id"],
        contact_id=row["contact_id"],
        erased_at=row["erased_at"],
        counts=msgspec.json.decode(row["counts"], type=dict[str, int]),
        again=row["again"],
    )
