"""People who book. What is personal is sealed under their own key; a number is found by its keyed digest."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from booking import db
from booking.errors import BookingUnavailable
from booking.ports import PersonKey, PersonSealer, Place, Sealer
from booking.types import Actor, Claim, Contact
from booking.values import require_e164, utf8

_TABLE: Final = "contacts"
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Person:
    """What is to be kept of somebody; what is None stays as it was. `phone` is E.164."""

    phone: str = field(repr=False)
    name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)


async def save_contact(pool: asyncpg.Pool, claim: Claim, sealer: Sealer, person: Person) -> UUID:
    """The contact with this number, made or brought up to date. A number has one contact per org.

    Seals are bound to the row and made under its person's key, so a number that is known already takes a
    second round trip. Raises `NumberInvalid`, `ValueInvalid`, `SealUnreadable`, `BookingUnavailable`.
    """
    digests = _digests(sealer, claim, person.phone)
    contact_id, key = uuid4(), await sealer.new_key(claim.org_id)
    for _ in range(_TRIES):
        sealed = _sealed(await sealer.under(claim.org_id, key), contact_id, person)
        (row,) = await db.fetch(
            pool, claim, "keep_contact", contact_id, digests, key.id, key.wrapped, *sealed
        )
        if row["saved"]:
            return contact_id
        contact_id, key = row["contact_id"], PersonKey(row["key_id"], row["wrapped"])
    raise BookingUnavailable("the contact changes under our hands")


async def find_contact(pool: asyncpg.Pool, claim: Claim, sealer: Sealer, *, phone: str) -> UUID | None:
    """The contact with this number (E.164), None if there is none. Raises `NumberInvalid`."""
    rows = await db.fetch(pool, claim, "find_contact", _digests(sealer, claim, phone))
    found: UUID | None = rows[0]["contact_id"] if rows else None
    return found


async def read_contact(
    pool: asyncpg.Pool, claim: Claim, sealer: Sealer, *, contact_id: UUID, actor: Actor
) -> Contact | None:
    """The contact in plain words, None if this org has none of this id (any more). The reading is audited.

    Raises `SealUnreadable`.
    """
    rows = await db.fetch(pool, claim, "contact_seals", contact_id, actor.kind, actor.id)
    if not rows:
        return None
    (row,) = rows
    key = None if row["key_id"] is None else PersonKey(row["key_id"], row["wrapped"])
    under = await sealer.under(claim.org_id, key)

    def opened(column: str) -> str | None:
        blob = row[f"sealed_{column}"]
        return blob and under.open(blob, _place(contact_id, column)).decode()

    phone = opened("phone")
    return Contact(id=contact_id, phone=phone or "", name=opened("name"), email=opened("email"))


def _digests(sealer: Sealer, claim: Claim, phone: str) -> list[bytes]:
    require_e164(phone)
    return list(sealer.digests(claim.org_id, "phone", phone.encode()))


def _sealed(under: PersonSealer, contact_id: UUID, person: Person) -> list[bytes | None]:
    columns = {"phone": person.phone, "name": person.name, "email": person.email}
    return [
        None if plain is None else under.seal(utf8(plain), _place(contact_id, column))
        for column, plain in columns.items()
    ]


def _place(contact_id: UUID, column: str) -> Place:
    return Place(_TABLE, f"sealed_{column}", str(contact_id))
