"""All that is held on somebody, for them to have."""

from uuid import UUID, uuid4

import msgspec

from booking.bookings import confirm_booking
from booking.db import fetch
from compliance.export import UNREADABLE, Export, export_contact
from compliance.records import CallEnds, SpokenValue
from tests.booking.patients import new_phone
from tests.compliance.offices import CLERK, Office
from tests.compliance.test_erasure import erase, known


async def export(office: Office, contact_id: UUID) -> Export | None:
    async with office.armed() as connection:
        return await export_contact(connection, office.keys, office.org_id, CLERK, contact_id=contact_id)


async def test_all_that_is_held_is_there_in_plain_words(office: Office) -> None:
    phone = new_phone()
    contact_id, call_id = await known(office, phone)
    (hold,) = await office.rows("select id from appointment_holds")
    await confirm_booking(office.pool, office.claim, hold_id=hold["id"])
    (note,) = await office.rows("select id from clinical_notes")
    await office.rows("update contacts set time_zone = 'Africa/Kigali' returning id")
    await office.read("note", note["id"])
    await fetch(
        office.pool, office.claim, "opt_out_of_texts", list(office.keys.digests(office.org_id, phone))
    )

    exported = await export(office, contact_id)

    assert exported is not None
    assert exported.unreadable == 0
    told = msgspec.json.decode(exported.json())
    contact = told["contact"]
    assert (contact["phone"], contact["name"], contact["address"], contact["time_zone"]) == (
        phone,
        "Jane Quillfeather",
        "12 Quill Street",
        "Africa/Kigali",
    )
    assert [note["value"] for note in told["clinical_notes"]] == ["glaucoma"]
    assert {each["kind"]: each["value"] for each in told["personal_values"]} == {
        "person": "Jane Quillfeather",
        "email": "jane@example.org",
    }
    assert [(call["id"], call["caller"]) for call in told["calls"]] == [(str(call_id), phone)]
    assert told["turns"][0]["said"][0]["text"] == "I have [REDACTED: MEDICAL]"
    assert [text["body"] for text in told["texts"]] == ["Your code is 314159"]
    assert [each["service"] for each in told["appointments"]] == ["Rhinoplasty consultation"]
    assert [(each["kind"], each["given"]) for each in told["consents"]] == [("recording", True)]
    assert [(each["state"], each["failures"]) for each in told["codes"]] == [("used", 0)]
    assert [each["opted_in_at"] for each in told["stopped_texts"]] == [None]
    audited = {(each["action"], each["subject_id"]) for each in told["audit"]}
    assert {("read_for_care", str(note["id"])), ("contact_exported", str(contact_id))} <= audited


async def test_no_key_and_no_sealed_byte_is_in_it(office: Office) -> None:
    contact_id, _ = await known(office, new_phone())
    exported = await export(office, contact_id)
    assert exported is not None
    text = exported.json().decode()
    assert "wrapped" not in text
    assert "sealed" not in text
    assert "Quillfeather" not in repr(exported)


async def test_a_call_from_their_number_alone_is_not_told(office: Office) -> None:
    phone, call_id = new_phone(), await office.call()
    contact_id = await office.contact(phone)
    await office.say(call_id, SpokenValue("MEDICAL", "gout", 1), ends=CallEnds(phone, office.clinic.number))
    exported = await export(office, contact_id)
    assert exported is not None
    assert (exported.document["calls"], exported.document["clinical_notes"]) == ([], [])


async def test_what_does_not_open_is_named_and_the_rest_complete(office: Office) -> None:
    contact_id, _ = await known(office, new_phone())
    await office.rows("update contacts set sealed_name = sealed_email where id = $1 returning 1", contact_id)
    exported = await export(office, contact_id)
    assert exported is not None
    assert exported.unreadable == 1
    assert exported.document["contact"]["name"] == UNREADABLE
    assert exported.document["contact"]["email"] == "jane@example.org"


async def test_nobody_elses_and_nobody_erased_is_exported(office: Office, other_office: Office) -> None:
    contact_id, _ = await known(office, new_phone())
    assert await export(other_office, contact_id) is None
    assert await export(office, uuid4()) is None
    await erase(office, contact_id)
    assert await export(office, contact_id) is None
    assert "contact_exported" not in [action for action, _ in await office.audited()]
