"""What is said in a call, in sealed rows: which row, under whose key."""

from uuid import uuid4

import asyncpg
import pytest

from booking.errors import CallUnknown
from booking.ports import Place
from compliance.keys import key_named
from compliance.records import CallEnds, SpokenValue, keep_values
from tests.booking.patients import new_phone
from tests.compliance.offices import Office, said


async def test_medical_facts_become_notes_and_the_rest_lies_in_the_vault(office: Office) -> None:
    call_id, values = await office.call(), said()
    await office.say(call_id, *values)
    (note,) = await office.rows("select * from clinical_notes")
    vault = await office.rows("select * from pii_vault order by kind")
    assert (note["call_id"], note["turn"]) == (call_id, 1)
    assert [(row["kind"], row["turn"]) for row in vault] == [("address", 1), ("email", None), ("person", 2)]
    read = await office.read("note", note["id"])
    assert read is not None
    assert read.values == {"medical": "glaucoma"}


async def test_nothing_of_it_is_in_the_clear(office: Office, owner: asyncpg.Connection) -> None:
    call_id, phone = await office.call(), new_phone()
    await office.say(call_id, ends=CallEnds(phone, office.clinic.number))
    for table in ("clinical_notes", "pii_vault", "calls", "contact_keys"):
        text = str([row["t"] for row in await office.rows(f"select t::text as t from {table} t")])
        for value in (*(each.value for each in said()), phone[1:]):
            assert value not in text
            assert value.encode().hex() not in text
    assert "Quillfeather" not in repr(said())
    assert phone not in repr(CallEnds(phone, None))


async def test_keeping_a_value_again_doubles_nothing(office: Office) -> None:
    call_id, values = await office.call(), said()
    for _ in range(2):
        await office.say(call_id, *values)
    assert (await office.count("clinical_notes"), await office.count("pii_vault")) == (1, 3)


async def test_a_call_has_one_key_whoever_asks(office: Office) -> None:
    call_id = await office.call()
    assert (await office.key_of(call_id)).id == (await office.key_of(call_id)).id
    assert (await office.key_of(await office.call())).id != (await office.key_of(call_id)).id


async def test_a_call_that_is_not_on_record_has_no_key(office: Office) -> None:
    with pytest.raises(CallUnknown):
        await office.key_of(uuid4())


async def test_both_ends_are_sealed_and_the_caller_found_by_digest(office: Office) -> None:
    call_id, phone = await office.call(), new_phone()
    await office.say(call_id, ends=CallEnds(phone, office.clinic.number))
    read = await office.read("call", call_id)
    assert read is not None
    assert read.values == {"caller": phone, "called": office.clinic.number}
    (row,) = await office.rows("select caller_digest from calls where id = $1", call_id)
    assert row["caller_digest"] == office.keys.digests(office.org_id, phone)[0]


async def test_a_withheld_number_leaves_the_called_one_alone(office: Office) -> None:
    call_id = await office.call()
    await office.say(call_id, ends=CallEnds(None, office.clinic.number))
    read = await office.read("call", call_id)
    assert read is not None
    assert read.values == {"called": office.clinic.number}


@pytest.mark.parametrize("said_first", [True, False])
async def test_whom_a_slot_is_held_for_is_whose_call_it_was(office: Office, said_first: bool) -> None:
    call_id, contact_id = await office.call(), await office.contact()
    if said_first:
        await office.say(call_id)
    await office.hold_for(contact_id, call_id)
    await office.say(call_id)
    (key,) = await office.rows("select contact_id from contact_keys where call_id = $1", call_id)
    assert key["contact_id"] == contact_id
    await office.settle(call_id)
    for table in ("clinical_notes", "pii_vault", "calls"):
        owners = {row[0] for row in await office.rows(f"select contact_id from {table}")}
        assert owners == {contact_id}, table


async def test_the_first_person_booked_for_keeps_the_call(office: Office) -> None:
    call_id, first, second = await office.call(), await office.contact(), await office.contact()
    await office.say(call_id)
    hold_id = await office.hold_for(first, call_id)
    await office.rows("update appointment_holds set contact_id = $1 where id = $2", second, hold_id)
    (key,) = await office.rows("select contact_id from contact_keys where call_id = $1", call_id)
    assert key["contact_id"] == first


async def test_a_number_proved_in_the_call_is_its_contacts_call(office: Office) -> None:
    call_id, phone = await office.call(), new_phone()
    contact_id = await office.contact(phone)
    await office.rows(
        """
        insert into otp_codes (org_id, call_id, receiver_digest, state, expires_at)
        values ($1, $2, $3, 'used', now() + interval '5 min') returning 1
        """,
        office.org_id,
        call_id,
        office.keys.digests(office.org_id, phone)[0],
    )
    await office.say(call_id)
    (key,) = await office.rows("select contact_id from contact_keys where call_id = $1", call_id)
    assert key["contact_id"] == contact_id


async def test_an_address_becomes_the_contacts_when_the_call_is_over(office: Office) -> None:
    call_id, contact_id = await office.call(), await office.contact()
    await office.say(
        call_id, SpokenValue("ADDRESS", "1 Old Lane", 1), SpokenValue("ADDRESS", "2 New Lane", 4)
    )
    await office.hold_for(contact_id, call_id)
    for _ in range(2):
        await office.settle(call_id)
    read = await office.read("contact", contact_id)
    assert read is not None
    assert read.values["address"] == "2 New Lane"
    assert await office.count("pii_vault") == 0


async def test_an_address_of_nobody_known_stays_in_the_vault(office: Office) -> None:
    call_id = await office.call()
    await office.say(call_id, SpokenValue("ADDRESS", "1 Old Lane", 1))
    await office.settle(call_id)
    (row,) = await office.rows("select id from pii_vault")
    read = await office.read("value", row["id"])
    assert read is not None
    assert read.values == {"address": "1 Old Lane"}


async def test_another_orgs_call_takes_nothing(office: Office, other_office: Office) -> None:
    theirs = await other_office.call()
    with pytest.raises(CallUnknown):
        await office.key_of(theirs)
    key = await other_office.key_of(theirs)
    async with office.armed() as connection:
        assert not await keep_values(connection, key, office.org_id, theirs, said())
    assert await other_office.count("pii_vault") == 0


async def test_a_number_has_one_key_that_its_contact_takes_over(office: Office) -> None:
    phone = new_phone()
    before = await office.text(phone)
    contact_id = await office.contact(phone)
    after = await office.text(phone)
    (key,) = await office.rows("select * from contact_keys")
    assert (key["contact_id"], key["number_digest"]) == (contact_id, None)
    for message_id in (before, after):
        (row,) = await office.rows("select sealed_body from sms_messages where id = $1", message_id)
        assert key_named(row["sealed_body"]) == key["id"]


async def test_a_contact_that_an_older_replica_made_gets_a_key(office: Office) -> None:
    phone, contact_id = new_phone(), uuid4()
    digests = list(office.keys.digests(office.org_id, phone))
    sealed = office.desk.sealer.seal(
        office.org_id, phone.encode(), Place("contacts", "sealed_phone", str(contact_id))
    )
    await office.rows(
        "select * from app.save_contact($1, $2, $3, $4, null, null)",
        office.org_id,
        contact_id,
        digests,
        sealed,
    )
    read = await office.read("contact", contact_id)
    assert read is not None
    assert read.values == {"phone": phone}
    assert await office.contact(phone) == contact_id
    (row,) = await office.rows("select sealed_phone from contacts where id = $1", contact_id)
    assert key_named(row["sealed_phone"]) is not None
