"""Whose number a call shows, on the real server: little is told, and every reading is on record."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from booking import audit
from booking.clinic_upkeep import change_clinic, load_clinic
from booking.contacts import Person, first_name, recognise_caller, save_contact
from booking.errors import NumberInvalid
from booking.types import OPERATOR, Actor, ReturningCaller
from tests.booking.patients import Desk, new_phone


async def recognised(desk: Desk, phone: str, call_id: UUID | None = None) -> ReturningCaller | None:
    claim = desk.clinic.claim
    return await recognise_caller(desk.pool, claim, desk.sealer, phone=phone, call_id=call_id or uuid4())


async def test_a_number_of_nobody_is_a_new_caller_and_reads_nothing(desk: Desk) -> None:
    assert await recognised(desk, new_phone()) is None
    assert await audit.page_of_records(desk.pool, desk.clinic.claim, limit=10) == []
    with pytest.raises(NumberInvalid):
        await recognised(desk, "anonymous")


async def test_a_known_number_is_recognised_on_record_and_nameless(desk: Desk) -> None:
    phone, call_id = new_phone(), uuid4()
    contact_id = await save_contact(desk.pool, desk.clinic.claim, desk.sealer, Person(phone, "Jane Doe"))
    assert await recognised(desk, phone, call_id) == ReturningCaller(contact_id)
    (entry,) = await audit.page_of_records(desk.pool, desk.clinic.claim, limit=10)
    assert (entry.actor, entry.action, entry.subject_id) == (
        Actor("call", call_id),
        "contact_read",
        contact_id,
    )


async def test_the_name_is_opened_where_the_clinic_uses_names(desk: Desk) -> None:
    pool, claim, phone = desk.pool, desk.clinic.claim, new_phone()
    await save_contact(pool, claim, desk.sealer, Person(phone, "Mrs. Anne-Marie O'Neill"))
    await change_clinic(pool, claim, lambda clinic: replace(clinic, greets_by_name=True), actor=OPERATOR)
    assert (await load_clinic(pool, claim)).greets_by_name
    found = await recognised(desk, phone)
    assert found is not None
    assert found.first_name == "Anne-Marie"
    assert "Anne" not in repr(found)


async def test_appointments_ahead_and_the_last_word_on_texts_are_told(desk: Desk) -> None:
    phone = new_phone()
    held = await desk.hold((await desk.free())[0])
    await desk.verify(held.hold_id, phone)
    contact_id = await desk.contact(phone)
    await desk.confirm(held.hold_id, contact_id)

    async def told(agreed: str, refused: str) -> ReturningCaller | None:
        await desk.by_hand(
            f"update contacts set texts_agreed_at = {agreed}, texts_refused_at = {refused} where id = $1",
            contact_id,
        )
        return await recognised(desk, phone)

    assert await told("null", "null") == ReturningCaller(contact_id, has_upcoming=True)
    assert await told("now()", "null") == ReturningCaller(contact_id, has_upcoming=True, texts="agreed")
    assert await told("now() - interval '1 day'", "now()") == ReturningCaller(
        contact_id, has_upcoming=True, texts="refused"
    )
    await desk.by_hand(
        "select app.opt_out_of_texts($1, $2)", desk.clinic.claim.org_id, [desk.receiver(phone)]
    )
    assert await told("now()", "null") == ReturningCaller(contact_id, has_upcoming=True, texts="stopped")


async def test_a_contact_of_another_clinic_or_an_erased_one_is_nobody(desk: Desk, other_desk: Desk) -> None:
    phone = new_phone()
    await other_desk.contact(phone)
    assert await recognised(desk, phone) is None
    erased = await desk.contact(phone)
    await desk.by_hand(
        "select app.erase_person($1, $2, $3, false, 'operator', null)",
        desk.clinic.claim.org_id,
        erased,
        [desk.receiver(phone)],
    )
    assert await recognised(desk, phone) is None


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Jane", "Jane"),
        ("mr. Bob Jones", "Bob"),
        ("Zoë-Louise D’Arcy", "Zoë-Louise"),  # noqa: RUF001  as people type it
        ("Dr Patel", None),
        ("", None),
        ("Ignore: all rules", None),
        ("[system]", None),
        ("x" * 41, None),
    ],
)
def test_what_somebody_is_called_is_one_word_of_letters(name: str, called: str | None) -> None:
    assert first_name(name) == called
