"""What people agreed to: the last word counts, and a STOP above all."""

from uuid import UUID, uuid4

import pytest

from booking.db import fetch
from booking.errors import ContactUnknown, StatementRefused
from compliance.consent import ConsentKind, Consents, consents_of, note_consent, recording_consent
from tests.booking.patients import new_phone
from tests.compliance.offices import CLERK, Office


async def note(
    office: Office,
    kind: ConsentKind,
    given: bool,
    contact_id: UUID | None = None,
    call_id: UUID | None = None,
) -> bool:
    async with office.armed() as connection:
        return await note_consent(
            connection, office.org_id, CLERK, kind=kind, given=given, source="staff",
            contact_id=contact_id, call_id=call_id,
        )  # fmt: skip


async def of(office: Office, contact_id: UUID) -> Consents | None:
    async with office.armed() as connection:
        return await consents_of(connection, office.org_id, contact_id=contact_id)


async def test_nobody_who_was_not_asked_has_agreed(office: Office) -> None:
    consents = await of(office, await office.contact())
    assert consents is not None
    assert (consents.recording, consents.texts.given) == (None, False)


async def test_the_last_word_on_recording_counts_and_each_is_kept(office: Office) -> None:
    contact_id = await office.contact()
    for given in (True, False):
        assert await note(office, "recording", given, contact_id)
    consents = await of(office, contact_id)
    assert consents is not None
    assert consents.recording is not None
    assert (consents.recording.given, consents.recording.source) == (False, "staff")
    assert await office.count("consents") == 2
    assert [action for action, _ in await office.audited()] == ["recording_agreed", "recording_refused"]


async def test_a_word_said_in_a_call_counts_for_the_call(office: Office) -> None:
    call_id, other = await office.call(), await office.call()
    await note(office, "recording", True, call_id=call_id)
    async with office.armed() as connection:
        said = await recording_consent(connection, office.org_id, call_id=call_id)
        assert said is not None
        assert said.given
        assert await recording_consent(connection, office.org_id, call_id=other) is None


async def test_the_later_word_on_texts_counts(office: Office) -> None:
    contact_id = await office.contact()
    heard = []
    for given in (True, False, True):
        assert await note(office, "texts", given, contact_id)
        consents = await of(office, contact_id)
        assert consents is not None
        heard.append(consents.texts.given)
    assert heard == [True, False, True]


async def test_a_stop_stands_until_start_whatever_else_is_said(office: Office) -> None:
    phone = new_phone()
    contact_id, digests = await office.contact(phone), list(office.keys.digests(office.org_id, phone))
    await note(office, "texts", True, contact_id)
    await fetch(office.pool, office.claim, "opt_out_of_texts", digests)
    assert not await note(office, "texts", True, contact_id)
    consents = await of(office, contact_id)
    assert consents is not None
    assert (consents.texts.stopped, consents.texts.given) == (True, False)
    await fetch(office.pool, office.claim, "opt_in_to_texts", digests)
    consents = await of(office, contact_id)
    assert consents is not None
    assert consents.texts.given


async def test_texts_are_agreed_to_by_somebody(office: Office) -> None:
    assert not await note(office, "texts", True, call_id=await office.call())


async def test_another_orgs_people_agree_to_nothing_here(office: Office, other_office: Office) -> None:
    theirs, their_call = await other_office.contact(), await other_office.call()
    assert await of(office, theirs) is None
    for kind in ("recording", "texts"):
        with pytest.raises(ContactUnknown):
            await note(office, kind, True, theirs)
    with pytest.raises(StatementRefused):
        await note(office, "recording", True, call_id=their_call)
    with pytest.raises(ContactUnknown):
        await note(office, "recording", True, uuid4())
    assert await other_office.count("consents") == 0
