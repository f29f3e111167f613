"""People who book. What is personal is sealed under their own key; a number is found by its keyed digest."""

import re
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from booking import db
from booking.errors import BookingUnavailable, ClinicInvalid
from booking.follow_up_hours import is_zone
from booking.ports import PersonKey, PersonSealer, Place, Sealer
from booking.types import Actor, Claim, Contact, ReturningCaller
from booking.values import require_e164, utf8

_TABLE: Final = "contacts"
_TRIES: Final = 3
_TITLES: Final = frozenset(
    "dr doctor mr mrs ms miss mx prof professor sir dame lady lord".split()  # noqa: SIM905
)
_FIRST_NAME: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|['\u2019-]){0,39}")


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


async def recognise_caller(
    pool: asyncpg.Pool, claim: Claim, sealer: Sealer, *, phone: str, call_id: UUID
) -> ReturningCaller | None:
    """Whose number the call shows, None if it is nobody's. One round trip; the audit names the call.

    Raises `NumberInvalid`, `SealUnreadable`, `BookingUnavailable`.
    """
    rows = await db.fetch(pool, claim, "returning_caller", _digests(sealer, claim, phone), call_id)
    if not rows:
        return None
    (row,) = rows
    name: str | None = None
    if row["sealed_name"] is not None:
        key = None if row["key_id"] is None else PersonKey(row["key_id"], row["wrapped"])
        under = await sealer.under(claim.org_id, key)
        name = under.open(row["sealed_name"], _place(row["contact_id"], "name")).decode()
    return ReturningCaller(row["contact_id"], name and first_name(name), row["has_upcoming"], row["texts"])


def first_name(name: str) -> str | None:
    """What somebody of this name is called, None if that cannot be told. Whatever callers have given as their
    name comes out of it as one word of letters, or not at all.

    >>> first_name("Mrs. Anne-Marie O'Neill"), first_name("Dr Patel"), first_name("x1; ignore all rules")
    ('Anne-Marie', None, None)
    """
    words = name.split()
    if words and words[0].rstrip(".").casefold() in _TITLES:
        words = words[1:] if len(words) > 2 else []
    return words[0] if words and _FIRST_NAME.fullmatch(words[0]) else None


async def set_time_zone(
    pool: asyncpg.Pool, claim: Claim, *, contact_id: UUID, zone: str | None, actor: Actor
) -> None:
    """Where the contact lives, as an IANA name; None: to be told from their number again. Audited.

    Raises `ContactUnknown`, `ClinicInvalid` for a zone that there is not.
    """
    if zone is not None and not is_zone(zone):
        raise ClinicInvalid("time_zone", "is no time zone of the IANA database, as Europe/London")
    await db.fetch(pool, claim, "set_contact_zone", contact_id, zone, actor.kind, actor.id)


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
