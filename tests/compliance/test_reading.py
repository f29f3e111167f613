"""Reading back: who may, what for, and that it is on record before anything is opened."""

from itertools import product
from typing import get_args
from uuid import uuid4

import pytest

from compliance.errors import KeyUnknown, ReadingRefused, SealBroken, ValueErased
from compliance.keys import Keyring
from compliance.reading import Actor, Purpose, Reader, Role, SealedKind, may_read
from compliance.vault import MasterKey, Vault
from tests.booking.patients import new_phone
from tests.compliance.offices import CLINICIAN, Office

TOKEN = Actor("token", uuid4())
EVERYTHING = tuple(product(get_args(Role), get_args(Purpose), get_args(SealedKind)))


def test_an_auditor_reads_nothing() -> None:
    assert not any(may_read("auditor", purpose, kind) for _, purpose, kind in EVERYTHING)


def test_notes_are_for_clinicians() -> None:
    readers = {
        (role, purpose)
        for role, purpose, kind in EVERYTHING
        if may_read(role, purpose, kind) and kind == "note"
    }
    assert {role for role, _ in readers} == {"clinician"}
    assert "booking" not in {purpose for _, purpose in readers}


def test_no_purpose_opens_nothing() -> None:
    assert not may_read("clinician", "curiosity", "note")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("role", "purpose"),
    [("staff", "care"), ("staff", "booking"), ("auditor", "legal"), ("clinician", "booking")],
)
async def test_who_may_not_read_gets_nothing_fetched(office: Office, role: Role, purpose: Purpose) -> None:
    await office.say(await office.call())
    (note,) = await office.rows("select id from clinical_notes")
    with pytest.raises(ReadingRefused):
        await office.read("note", note["id"], Reader(TOKEN, role, purpose))
    assert await office.audited() == []


async def test_a_reading_is_on_record_with_reader_and_purpose(office: Office) -> None:
    await office.say(await office.call())
    (note,) = await office.rows("select id from clinical_notes")
    await office.read("note", note["id"], Reader(TOKEN, "clinician", "legal"))
    (record,) = await office.rows("select * from audit_log")
    assert (record["action"], record["subject_kind"]) == ("read_for_legal", "note")
    assert (record["actor_kind"], record["actor_id"], record["subject_id"]) == ("token", TOKEN.id, note["id"])


async def test_what_does_not_open_is_on_record_too_if_that_is_wished(office: Office) -> None:
    await office.say(await office.call())
    (note,) = await office.rows("select id from clinical_notes")
    async with office.armed() as connection:
        rows = await connection.fetch(
            "select * from app.read_sealed($1, 'note', $2, 'care', 'operator', null)",
            office.org_id,
            note["id"],
        )
    assert len(rows) == 1
    assert await office.audited() == [("read_for_care", "note")]


@pytest.mark.parametrize("kind", get_args(SealedKind))
async def test_a_row_that_is_not_there_is_nothing_to_record(office: Office, kind: SealedKind) -> None:
    assert await office.read(kind, uuid4()) is None
    assert await office.audited() == []


async def test_another_orgs_rows_are_not_there(office: Office, other_office: Office) -> None:
    await other_office.say(await other_office.call())
    contact_id, text_id = await other_office.contact(), await other_office.text(new_phone())
    (note,) = await other_office.rows("select id from clinical_notes")
    (value, *_) = await other_office.rows("select id from pii_vault")
    (call,) = await other_office.rows("select id from calls")
    rows = {
        "note": note["id"],
        "value": value["id"],
        "call": call["id"],
        "contact": contact_id,
        "text": text_id,
        "reply": await other_office.reply(call["id"], contact_id),
    }
    for kind in get_args(SealedKind):
        assert await other_office.read(kind, rows[kind]) is not None or kind == "call"
        assert await office.read(kind, rows[kind]) is None
    assert await office.audited() == []


async def test_a_contact_and_a_message_are_read_whole(office: Office) -> None:
    phone = new_phone()
    contact_id, text_id = await office.contact(phone), await office.text(phone, "Your code is 314159")
    contact, text = await office.read("contact", contact_id), await office.read("text", text_id)
    assert contact is not None
    assert text is not None
    assert contact.values == {"phone": phone, "name": "Jane Quillfeather", "email": "jane@example.org"}
    assert text.values == {"receiver": phone, "body": "Your code is 314159"}
    assert "Jane" not in repr(contact)


async def test_a_wrong_master_key_is_a_clear_error(office: Office) -> None:
    await office.say(await office.call())
    (note,) = await office.rows("select id from clinical_notes")
    with pytest.raises(KeyUnknown):
        await office.read("note", note["id"], keys=Keyring.of(Vault([MasterKey.generate()])))


async def test_a_value_put_into_another_row_does_not_open(office: Office) -> None:
    call_id = await office.call()
    await office.say(call_id)
    await office.say(call_id)
    await office.rows(
        """
        insert into clinical_notes (id, org_id, call_id, sealed)
        select $1, org_id, call_id, sealed from clinical_notes limit 1 returning 1
        """,
        moved := uuid4(),
    )
    with pytest.raises(SealBroken):
        await office.read("note", moved)


async def test_without_its_key_a_value_is_erased(office: Office) -> None:
    await office.say(await office.call())
    (note,) = await office.rows("select id from clinical_notes")
    await office.rows("delete from contact_keys returning 1")
    with pytest.raises(ValueErased):
        await office.read("note", note["id"], CLINICIAN)
