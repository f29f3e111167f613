"""Contacts on the real server: one per number and org, sealed, found by digest."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from booking import audit
from booking.contacts import Person, find_contact, read_contact, save_contact
from booking.errors import SealUnreadable, StatementRefused
from booking.types import Actor, Contact
from compliance.vault import MasterKey, Vault
from gateway.sealing import VaultSealer
from tests.booking.patients import Desk, new_phone
from tests.conftest import Clinic

DESK = Actor("operator")


async def test_a_contact_is_found_by_number_and_read_back(desk: Desk) -> None:
    pool, claim, sealer, phone = desk.pool, desk.clinic.claim, desk.sealer, new_phone()
    assert await find_contact(pool, claim, sealer, phone=phone) is None
    contact_id = await save_contact(pool, claim, sealer, Person(phone, "Jane Doe", "jane@example.com"))
    assert await find_contact(pool, claim, sealer, phone=phone) == contact_id
    read = await read_contact(pool, claim, sealer, contact_id=contact_id, actor=DESK)
    assert read == Contact(contact_id, phone, "Jane Doe", "jane@example.com")


async def test_a_known_number_is_the_same_contact_and_keeps_what_is_not_said_anew(desk: Desk) -> None:
    pool, claim, sealer, phone = desk.pool, desk.clinic.claim, desk.sealer, new_phone()
    first = await save_contact(pool, claim, sealer, Person(phone, "Jane Doe", "jane@example.com"))
    assert await save_contact(pool, claim, sealer, Person(phone, "Jane Roe")) == first
    read = await read_contact(pool, claim, sealer, contact_id=first, actor=DESK)
    assert read == Contact(first, phone, "Jane Roe", "jane@example.com")


async def test_one_number_saved_at_once_is_one_contact(desk: Desk) -> None:
    person = Person(new_phone(), "Jane Doe")
    saved = await asyncio.gather(
        *(save_contact(desk.pool, desk.clinic.claim, desk.sealer, person) for _ in range(8))
    )
    assert len(set(saved)) == 1


async def test_rotated_keys_find_and_renew_the_same_contact(desk: Desk) -> None:
    old, new = MasterKey.generate(), MasterKey.generate()
    before, after, later = (VaultSealer(Vault(keys)) for keys in ([old], [new, old], [new]))
    pool, claim, phone = desk.pool, desk.clinic.claim, new_phone()
    contact_id = await save_contact(pool, claim, before, Person(phone))
    assert await find_contact(pool, claim, later, phone=phone) is None
    assert await find_contact(pool, claim, after, phone=phone) == contact_id
    assert await save_contact(pool, claim, after, Person(phone)) == contact_id
    assert await find_contact(pool, claim, later, phone=phone) == contact_id


async def test_one_number_is_two_contacts_of_two_orgs(desk: Desk, other_desk: Desk) -> None:
    phone = new_phone()
    mine = await save_contact(desk.pool, desk.clinic.claim, desk.sealer, Person(phone))
    theirs = await save_contact(desk.pool, other_desk.clinic.claim, desk.sealer, Person(phone))
    assert mine != theirs
    read = await read_contact(desk.pool, desk.clinic.claim, desk.sealer, contact_id=theirs, actor=DESK)
    assert read is None


async def test_reading_is_audited(desk: Desk) -> None:
    contact_id, reader = await desk.contact(), Actor("call", uuid4())
    await read_contact(desk.pool, desk.clinic.claim, desk.sealer, contact_id=contact_id, actor=reader)
    await read_contact(desk.pool, desk.clinic.claim, desk.sealer, contact_id=uuid4(), actor=reader)
    (entry,) = await audit.page_of_records(desk.pool, desk.clinic.claim, limit=10)
    assert (entry.actor, entry.action) == (reader, "contact_read")
    assert (entry.subject_kind, entry.subject_id) == ("contact", contact_id)


async def test_a_seal_does_not_open_on_another_contact(desk: Desk) -> None:
    one, other = await desk.contact(), await desk.contact()
    await desk.by_hand(
        "update contacts set sealed_phone = (select sealed_phone from contacts where id = $1) where id = $2",
        one,
        other,
    )
    with pytest.raises(SealUnreadable):
        await read_contact(desk.pool, desk.clinic.claim, desk.sealer, contact_id=other, actor=DESK)


async def test_nothing_personal_is_in_the_clear(desk: Desk, owner: asyncpg.Connection) -> None:
    phone = new_phone()
    person = Person(phone, "Jane Canary", "canary@example.com")
    contact_id = await save_contact(desk.pool, desk.clinic.claim, desk.sealer, person)
    (row,) = await desk.by_hand("select c::text as row from contacts c where id = $1", contact_id)
    for value in (phone[1:], "Canary", "canary@example.com"):
        assert value not in row["row"]
        assert value.encode().hex() not in row["row"]
    assert phone not in repr(person)
    assert "Canary" not in repr(Contact(contact_id, phone, "Canary"))


async def test_a_seal_beyond_its_size_is_refused_without_a_word_of_it(
    pool: asyncpg.Pool, clinic: Clinic, desk: Desk
) -> None:
    with pytest.raises(StatementRefused) as refused:
        await save_contact(pool, clinic.claim, desk.sealer, Person(new_phone(), "J" * 10_000))
    assert "J" * 10 not in str(refused.value)
