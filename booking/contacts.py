"""People who book. Their number, name and address are sealed; a number is found by its keyed digest alone."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from booking import db
from booking.errors import BookingUnavailable
from booking.ports import Place, Sealer
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

    Seals are bound to the row, so a number that is known already takes a second round trip. Raises
    `NumberInvalid`, `ValueInvalid`, `BookingUnavailable`.
    """
    contact_id = uuid4()
    digests = _digests(sealer, claim, person.phone)
    for _ in range(_TRIES):
        sealed = _sealed(sealer, claim, contact_id, person)
        ((owner, saved),) = await db.fetch(pool, claim, "save_contact", contact_id, digests, *sealed)
        if saved:
            return contact_id
        contact_id = owner
    raise BookingUnavailable("the contact changes under our hands")


async def find_contact(pool: asyncpg.Pool, claim: Claim, sealer: Sealer, *, phone: str) -> UUID | None:
    """The contact with this number (E.164), None if there is none. Raises `NumberInvalid`."""
    rows = await db.fetch(pool, claim, "find_contact", _digests(sealer, claim, phone))
    found: UUID | None = rows[0]["contact_id"] if rows else None
    return found


async def read_contact(
    pool: asyncpg.Pool, claim: Claim, sealer: Sealer, *, contact_id: UUID, actor: Actor
) -> Contact | None:
    """The contact in plain words, None if this org has none of this id. The reading is audited.

    Raises `SealUnreadable`.
    """
    rows = await db.fetch(pool, claim, "read_contact", contact_id, actor.kind, actor.id)
    if not rows:
        return None
    (row,) = rows

    def opened(column: str) -> str | None:
        blob = row[f"sealed_{column}"]
        return blob and sealer.open(claim.org_id, blob, _place(contact_id, column)).decode()

    phone = opened("phone")
    return Contact(id=contact_id, phone=phone or "", name=opened("name"), email=opened("email"))


def _digests(sealer: Sealer, claim: Claim, phone: str) -> list[bytes]:
    require_e164(phone)
    return list(sealer.digests(claim.org_id, "phone", phone.encode()))


def _sealed(sealer: Sealer, claim: Claim, contact_id: UUID, person: Person) -> list[bytes | None]:
    columns = {"phone": person.phone, "name": person.name, "email": person.email}
    return [
        None if plain is None else sealer.seal(claim.org_id, utf8(plain), _place(contact_id, column))
        for column, plain in columns.items()
    ]


def _place(contact_id: UUID, column: str) -> Place:
    return Place(_TABLE, f"sealed_{column}", str(contact_id))
