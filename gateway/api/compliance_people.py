"""What a person may ask of a clinic: all that is kept of them, to be erased, and what they agree to."""

from typing import Any, Literal
from uuid import UUID

import msgspec

from booking.audit import record
from booking.contacts import find_contact
from booking.db import org_transaction
from booking.errors import ContactUnknown
from compliance.consent import ConsentKind, Consents, ConsentSource, Word, consents_of, note_consent
from compliance.erasure import Erasure, erase_contact, erase_number
from compliance.export import export_contact
from gateway.api.compliance_sealed import actor_of
from gateway.api.operations import Answer, Asked, Operation
from gateway.api.ownership import not_visible
from gateway.api.problems import INVALID, NOT_FOUND, STOPPED, Refused
from gateway.api.views import AwareTime, PhoneNumber

_ONE = "/contacts/{contact_id}"
_CONSENT_KINDS: tuple[ConsentKind, ...] = ("recording", "texts", "calls")


class ContactSearch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """By number, which stands in the body, since addresses are logged on their way."""

    phone: PhoneNumber

    def __repr__(self) -> str:
        return "ContactSearch()"


class ContactFound(msgspec.Struct, kw_only=True):
    """Whose number it is."""

    contact_id: UUID


class ExportView(msgspec.Struct, kw_only=True):
    """All that is kept of a contact, in plain words. `unreadable`: values that did not open."""

    contact_id: UUID
    unreadable: int
    document: dict[str, Any]

    def __repr__(self) -> str:
        return f"ExportView(contact_id={self.contact_id})"


class ErasureQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Appointments to come stay booked, as times, unless they are cancelled too."""

    cancel_appointments: bool = False


class ErasureOrder(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whoever has this number, contact or not."""

    phone: PhoneNumber
    cancel_appointments: bool = False

    def __repr__(self) -> str:
        return "ErasureOrder()"


class ErasureView(msgspec.Struct, kw_only=True):
    """The proof: how many rows of each kind were cleared. `again`: nothing had come since this erasure."""

    id: UUID
    contact_id: UUID | None
    erased_at: AwareTime
    counts: dict[str, int]
    again: bool


class RecordingWord(msgspec.Struct, kw_only=True):
    """The last word on being recorded, or called."""

    given: bool
    source: ConsentSource
    said_at: AwareTime


class TextsWord(msgspec.Struct, kw_only=True):
    """On texts other than codes. `stopped`: by the carrier's STOP, which stands above all."""

    given: bool
    agreed_at: AwareTime | None
    refused_at: AwareTime | None
    stopped: bool


class ConsentsView(msgspec.Struct, kw_only=True):
    """What a contact agreed to; `recording` and `calls` are null as long as they were not asked."""

    contact_id: UUID
    recording: RecordingWord | None
    texts: TextsWord
    calls: RecordingWord | None


class ConsentForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Somebody's word, as it came to the clinic."""

    given: bool
    source: Literal["staff", "form"] = "staff"


async def search_contact(asked: Asked) -> Answer:
    search: ContactSearch = asked.body
    contact_id = await find_contact(asked.api.pool, asked.claim, asked.api.sealer, phone=search.phone)
    if contact_id is None:
        raise Refused(NOT_FOUND, detail="number")
    await record(
        asked.api.pool,
        asked.claim,
        actor=asked.actor,
        action="contact_found",
        subject_kind="contact",
        subject_id=contact_id,
    )
    return Answer(200, ContactFound(contact_id=contact_id))


async def show_export(asked: Asked) -> Answer:
    contact_id = asked.id("contact_id")
    async with org_transaction(asked.api.pool, asked.claim) as connection:
        export = await export_contact(
            connection, asked.api.keys, asked.claim.org_id, actor_of(asked), contact_id=contact_id
        )
    if export is None:
        raise await not_visible(asked, "contact", contact_id)
    document = dict(export.document)
    view = ExportView(contact_id=contact_id, unreadable=export.unreadable, document=document)
    return Answer(200, view)


async def delete_contact(asked: Asked) -> Answer:
    contact_id, query = asked.id("contact_id"), asked.query
    async with org_transaction(asked.api.pool, asked.claim) as connection:
        erasure = await erase_contact(
            connection,
            asked.api.keys,
            asked.claim.org_id,
            actor_of(asked),
            contact_id=contact_id,
            cancel_appointments=query.cancel_appointments,
        )
    if erasure is None:
        raise await not_visible(asked, "contact", contact_id)
    return Answer(200, _erasure_view(erasure))


async def create_erasure(asked: Asked) -> Answer:
    order: ErasureOrder = asked.body
    async with org_transaction(asked.api.pool, asked.claim) as connection:
        erasure = await erase_number(
            connection,
            asked.api.keys,
            asked.claim.org_id,
            actor_of(asked),
            e164=order.phone,
            cancel_appointments=order.cancel_appointments,
        )
    if erasure is None:
        raise Refused(NOT_FOUND, detail="number")
    return Answer(200, _erasure_view(erasure))


async def show_consents(asked: Asked) -> Answer:
    return Answer(200, await _consents_view(asked, asked.id("contact_id")))


async def put_consent(asked: Asked) -> Answer:
    """Each word is kept; the last one counts."""
    contact_id, form = asked.id("contact_id"), asked.body
    kind = next((each for each in _CONSENT_KINDS if each == asked.path["kind"]), None)
    if kind is None:
        raise Refused(INVALID, pointer="kind", detail="must be recording, texts or calls")
    try:
        async with org_transaction(asked.api.pool, asked.claim) as connection:
            counts = await note_consent(
                connection,
                asked.claim.org_id,
                actor_of(asked),
                kind=kind,
                given=form.given,
                source=form.source,
                contact_id=contact_id,
            )
    except ContactUnknown:
        raise await not_visible(asked, "contact", contact_id) from None
    if not counts:
        raise Refused(STOPPED)
    return Answer(200, await _consents_view(asked, contact_id))


async def _consents_view(asked: Asked, contact_id: UUID) -> ConsentsView:
    async with org_transaction(asked.api.pool, asked.claim) as connection:
        found = await consents_of(connection, asked.claim.org_id, contact_id=contact_id)
    if found is None:
        raise await not_visible(asked, "contact", contact_id)
    return _view(contact_id, found)


def _view(contact_id: UUID, found: Consents) -> ConsentsView:
    texts = found.texts
    return ConsentsView(
        contact_id=contact_id,
        recording=_word(found.recording),
        calls=_word(found.calls),
        texts=TextsWord(
            given=texts.given,
            agreed_at=texts.agreed_at,
            refused_at=texts.refused_at,
            stopped=texts.stopped,
        ),
    )


def _word(word: Word | None) -> RecordingWord | None:
    return None if word is None else RecordingWord(given=word.given, source=word.source, said_at=word.said_at)


def _erasure_view(erasure: Erasure) -> ErasureView:
    return ErasureView(
        id=erasure.id,
        contact_id=erasure.contact_id,
        erased_at=erasure.erased_at,
        counts=dict(erasure.counts),
        again=erasure.again,
    )


OPERATIONS = (
    Operation(
        name="findContact",
        method="POST",
        path="/contact-searches",
        scope="sealed:read",
        summary="Which contact has this number; on record",
        handler=search_contact,
        body=ContactSearch,
        answers={200: ContactFound},
        problems=(NOT_FOUND,),
    ),
    Operation(
        name="exportContact",
        method="GET",
        path=_ONE + "/export",
        scope="contacts:export",
        summary="All that is kept of a contact (GDPR Art. 15 and 20); on record",
        handler=show_export,
        answers={200: ExportView},
    ),
    Operation(
        name="eraseContact",
        method="DELETE",
        path=_ONE,
        scope="contacts:erase",
        summary="Erase a contact: keys are destroyed, rows cleared, the proof stays (GDPR Art. 17)",
        handler=delete_contact,
        query=ErasureQuery,
        answers={200: ErasureView},
    ),
    Operation(
        name="eraseNumber",
        method="POST",
        path="/erasures",
        scope="contacts:erase",
        summary="Erase whoever has a number, contact or not",
        handler=create_erasure,
        body=ErasureOrder,
        answers={200: ErasureView},
        problems=(NOT_FOUND,),
    ),
    Operation(
        name="getConsents",
        method="GET",
        path=_ONE + "/consents",
        scope="consents:read",
        summary="What a contact agreed to",
        handler=show_consents,
        answers={200: ConsentsView},
    ),
    Operation(
        name="putConsent",
        method="PUT",
        path=_ONE + "/consents/{kind}",
        scope="consents:write",
        summary="A contact's word on being recorded, on texts other than codes, on calls that are placed",
        handler=put_consent,
        body=ConsentForm,
        answers={200: ConsentsView},
        problems=(STOPPED,),
    ),
)
