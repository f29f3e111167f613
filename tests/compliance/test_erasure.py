"""Somebody is erased: no key, no row, no digest of theirs is left, and a proof is."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from booking.bookings import find_booking
from booking.contacts import find_contact, read_contact
from booking.db import fetch
from booking.errors import BookingUnavailable
from booking.types import Actor as BookingActor
from compliance.erasure import Erasure, erase_contact, erase_number
from compliance.errors import ValueErased
from compliance.keys import WrappedKey
from compliance.records import CallEnds, SpokenValue, keep_values
from compliance.vault import Cell
from tests.booking.patients import new_phone
from tests.compliance.offices import CLERK, Office, said
from tests.conftest import Stack

OF_SOMEBODY = {
    "appointment_holds.contact_id": "an id without a name: the contact's row is emptied",
    "appointments.contact_id": "likewise",
    "calls.caller_digest": "cleared",
    "calls.carrier_call_id": "cleared",
    "calls.contact_id": "cleared",
    "calls.sealed_called": "cleared",
    "calls.sealed_caller": "cleared",
    "clinical_notes.contact_id": "the row is deleted",
    "clinical_notes.sealed": "the row is deleted",
    "consents.contact_id": "the row is deleted",
    "contact_keys.contact_id": "the row is deleted",
    "contact_keys.number_digest": "the row is deleted",
    "contacts.phone_digest": "replaced by nobody's",
    "contacts.sealed_address": "cleared",
    "contacts.sealed_email": "cleared",
    "contacts.sealed_name": "cleared",
    "contacts.sealed_phone": "cleared",
    "erasures.contact_id": "an id without a name, for the proof",
    "guide_links.code_digest": "the row is deleted; a link's, nobody's number",
    "idempotent_requests.key_digest": "of what an API client chose",
    "idempotent_requests.request_digest": "keyed, gone after IDEMPOTENCY_S",
    "idempotent_requests.sealed_answer": "ids alone, gone after IDEMPOTENCY_S",
    "knowledge_documents.digest": "the clinic's own document",
    "org_credentials.sealed": "the clinic's own",
    "otp_codes.digest": "cleared",
    "otp_codes.receiver_digest": "replaced by nobody's",
    "outbound_campaigns.contact_id": "cleared",
    "placed_calls.carrier_call_id": "cleared",
    "placed_calls.contact_id": "cleared",
    "pii_vault.contact_id": "the row is deleted",
    "pii_vault.sealed": "the row is deleted",
    "sms_messages.provider_id": "cleared",
    "sms_messages.receiver_digest": "replaced by nobody's",
    "sms_messages.sealed_body": "cleared",
    "sms_messages.sealed_receiver": "cleared",
    "staff_tokens.token_digest": "the clinic's own",
    "text_replies.contact_id": "the row goes with its key",
    "text_replies.sealed_body": "the row goes with its key",
    "vapi_calls.sealed_state": "the row is deleted",
    "text_opt_outs.receiver_digest": "stays, or the number would be texted again",
}
"""Every column that may be somebody's, and what erasing them does to it."""
_MAY_BE_SOMEBODYS = """
select table_name || '.' || column_name from information_schema.columns join information_schema.tables
    using (table_schema, table_name)
where table_schema = 'public' and table_type = 'BASE TABLE'
  and column_name ~ '(^|_)sealed|digest|contact_id|carrier_call_id|provider_id'
"""
_TABLES = "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"


async def erase(office: Office, contact_id: UUID, *, cancel: bool = False) -> Erasure | None:
    async with office.armed() as connection:
        return await erase_contact(
            connection, office.keys, office.org_id, CLERK, contact_id=contact_id, cancel_appointments=cancel
        )


class CutOff(Exception):
    """Something else went wrong in the same transaction."""


async def kill(admin_url: str, backend: int) -> None:
    admin = await asyncpg.connect(admin_url)
    try:
        assert await admin.fetchval("select pg_terminate_backend($1, 5000)", backend)
    finally:
        await admin.close()


async def erase_phone(office: Office, e164: str) -> Erasure | None:
    async with office.armed() as connection:
        return await erase_number(connection, office.keys, office.org_id, CLERK, e164=e164)


async def known(office: Office, phone: str) -> tuple[UUID, UUID]:
    """A contact of whom there is something in every place, and their call."""
    contact_id, call_id = await office.contact(phone), await office.call()
    await office.say(call_id, ends=CallEnds(phone, office.clinic.number))
    hold_id = await office.hold_for(contact_id, call_id)
    await office.desk.verify(hold_id, phone)
    await office.text(phone)
    await office.end(call_id)
    await office.settle(call_id)
    async with office.armed() as connection:
        await connection.fetch(
            "select app.record_consent($1, 'recording', true, 'call', $2, $3, 'call', null)",
            office.org_id,
            contact_id,
            call_id,
        )
    return contact_id, call_id


async def blobs(office: Office) -> list[tuple[bytes, Cell]]:
    """Everything sealed of the org's people, as a thief has copied it."""
    places = {
        "contacts": ("sealed_phone", "sealed_name", "sealed_email", "sealed_address"),
        "calls": ("sealed_caller", "sealed_called"),
        "clinical_notes": ("sealed",),
        "pii_vault": ("sealed",),
        "sms_messages": ("sealed_receiver", "sealed_body"),
    }
    found: list[tuple[bytes, Cell]] = []
    for table, columns in places.items():
        for column in columns:
            rows = await office.rows(f"select id, {column} from {table} where {column} is not null")
            found += [(row[column], Cell(table, column, str(row["id"]))) for row in rows]
    return found


async def opened(office: Office, copies: list[tuple[bytes, Cell]]) -> list[str]:
    """Which of these values open with all the keys there are."""
    rows = await office.rows("select id, wrapped from contact_keys")
    keys = [WrappedKey(row["id"], row["wrapped"]) for row in rows]
    found = []
    for blob, cell in copies:
        for key in (*keys, None):
            try:
                found.append((await office.keys.open(office.org_id, blob, cell, key)).decode())
                break
            except ValueErased:
                continue
    return found


async def test_nothing_of_a_person_is_left(office: Office, owner: asyncpg.Connection) -> None:
    phone = new_phone()
    contact_id, call_id = await known(office, phone)
    copies = await blobs(office)
    assert len(copies) >= 9
    assert len(await opened(office, copies)) == len(copies)

    erasure = await erase(office, contact_id)

    assert erasure is not None
    assert not erasure.again
    assert erasure.counts == {
        "appointments_cancelled": 0, "keys": 2, "notes": 1, "values": 2, "consents": 1, "turns": 1,
        "calls": 1, "texts": 1, "codes": 1, "contacts": 1,
    }  # fmt: skip
    assert await opened(office, copies) == []
    assert [await office.count(table) for table in ("clinical_notes", "pii_vault", "contact_keys")] == [
        0,
        0,
        0,
    ]
    (turn,) = await office.rows("select said from call_turns where call_id = $1", call_id)
    assert turn["said"] == "[]"


async def traced(office: Office, owner: asyncpg.Connection, traces: Sequence[str]) -> set[tuple[str, str]]:
    """In which tables these are found."""
    tables = [row["relname"] for row in await owner.fetch(_TABLES)]
    texts = {table: str(await office.rows(f"select t::text from public.{table} t")) for table in tables}
    return {(table, trace) for table, text in texts.items() for trace in traces if trace in text}


async def test_no_table_has_a_trace_of_who_was_erased(office: Office, owner: asyncpg.Connection) -> None:
    """Nor do late words of a provider bring one back. A STOP's digest alone is kept, and on purpose."""
    phone, sent = new_phone(), "SM" + uuid4().hex
    contact_id, _ = await known(office, phone)
    digest = office.keys.digests(office.org_id, phone)[0]
    (text,) = await office.rows("update sms_messages set provider_id = $1 returning id", sent)
    await office.rows("update contacts set time_zone = 'Africa/Kigali' returning id")
    await fetch(office.pool, office.claim, "opt_out_of_texts", [digest])
    traces = [digest.hex(), sent, "CA1", "Kigali", *(blob.hex() for blob, _ in await blobs(office))]
    assert {trace for _, trace in await traced(office, owner, traces)} == set(traces)

    await erase(office, contact_id)
    (late,) = await fetch(office.pool, office.claim, "advance_sms", text["id"], "delivered", sent, None)

    assert late["advanced"]
    assert await traced(office, owner, traces) == {("text_opt_outs", digest.hex())}


async def test_it_is_said_of_every_column_what_erasing_does_to_it(owner: asyncpg.Connection) -> None:
    """Whoever adds one adds it above, having seen to it that erasure, retention and export know it."""
    assert {row[0] for row in await owner.fetch(_MAY_BE_SOMEBODYS)} == OF_SOMEBODY.keys()


async def test_the_proof_stays_and_says_nothing_of_the_person(office: Office) -> None:
    contact_id, _ = await known(office, new_phone())
    erasure = await erase(office, contact_id)
    assert erasure is not None
    (proof,) = await office.rows("select * from erasures")
    assert (proof["id"], proof["contact_id"], proof["actor_kind"]) == (erasure.id, contact_id, "operator")
    assert ("contact_erased", "contact") in await office.audited()


async def test_an_erased_person_is_not_found_nor_read(office: Office) -> None:
    phone = new_phone()
    contact_id, _ = await known(office, phone)
    await erase(office, contact_id)
    pool, claim, sealer = office.pool, office.claim, office.desk.sealer
    assert await find_contact(pool, claim, sealer, phone=phone) is None
    actor = BookingActor("operator")
    assert await read_contact(pool, claim, sealer, contact_id=contact_id, actor=actor) is None
    assert await office.read("contact", contact_id) is None
    fresh = await office.contact(phone)
    assert fresh != contact_id


async def test_asked_again_the_first_proof_is_answered(office: Office) -> None:
    contact_id, _ = await known(office, new_phone())
    first, second = await erase(office, contact_id), await erase(office, contact_id)
    assert first is not None
    assert second is not None
    assert (second.id, second.again, first.again) == (first.id, True, False)
    assert await office.count("erasures") == 1


async def test_a_number_is_erased_with_its_contact(office: Office) -> None:
    phone = new_phone()
    contact_id, _ = await known(office, phone)
    erasure = await erase_phone(office, phone)
    assert erasure is not None
    assert erasure.contact_id == contact_id
    assert await erase_phone(office, phone) is None


async def test_a_number_that_is_no_contact_is_erased_all_the_same(office: Office) -> None:
    phone, call_id = new_phone(), await office.call()
    await office.say(call_id, ends=CallEnds(phone, office.clinic.number))
    await office.text(phone)
    copies = await blobs(office)
    erasure = await erase_phone(office, phone)
    assert erasure is not None
    assert (erasure.contact_id, erasure.counts["calls"], erasure.counts["texts"]) == (None, 1, 1)
    assert await opened(office, copies) == []


async def test_nobody_is_erased_for_an_unknown_id_or_number(office: Office) -> None:
    assert await erase(office, uuid4()) is None
    assert await erase_phone(office, new_phone()) is None
    assert (await office.count("erasures"), await office.audited()) == (0, [])


async def test_others_are_left_as_they_were(office: Office) -> None:
    kept, gone = new_phone(), new_phone()
    await known(office, kept)
    before = sorted(await opened(office, await blobs(office)))
    contact_id, _ = await known(office, gone)
    await erase(office, contact_id)
    assert sorted(await opened(office, await blobs(office))) == before


async def test_another_orgs_person_is_not_there(office: Office, other_office: Office) -> None:
    phone = new_phone()
    theirs, _ = await known(other_office, phone)
    assert await erase(office, theirs) is None
    assert await erase_phone(office, phone) is None
    assert await other_office.read("contact", theirs) is not None


@pytest.mark.parametrize("cancel", [True, False])
async def test_appointments_to_come_are_cancelled_only_if_asked(office: Office, cancel: bool) -> None:
    booking = await office.desk.book((await office.desk.free())[0])
    erasure = await erase(office, booking.contact_id, cancel=cancel)
    assert erasure is not None
    assert erasure.counts["appointments_cancelled"] == int(cancel)
    found = await find_booking(office.pool, office.claim, booking_id=booking.id)
    assert found is not None
    assert found.status == ("cancelled" if cancel else "booked")


async def test_whoever_opted_out_is_not_texted_again_after_erasure(office: Office) -> None:
    phone = new_phone()
    digests = list(office.keys.digests(office.org_id, phone))
    await office.contact(phone)
    await fetch(office.pool, office.claim, "opt_out_of_texts", digests)
    await erase_phone(office, phone)
    (stopped,) = await office.rows("select app.has_opted_out($1, $2)", office.org_id, digests)
    assert stopped[0]


async def test_what_is_said_on_after_an_erasure_is_not_kept(office: Office) -> None:
    """A call goes on while its caller is erased: its writer holds a key that is no more."""
    contact_id, call_id = await office.contact(), await office.call()
    await office.say(call_id)
    await office.hold_for(contact_id, call_id)
    key = await office.key_of(call_id)
    await erase(office, contact_id)
    async with office.armed() as connection:
        assert not await keep_values(connection, key, office.org_id, call_id, said())
    async with office.armed() as connection:
        new = await office.keys.new_key(office.org_id)
        asked = (office.org_id, call_id, new.id, new.wrapped)
        assert await connection.fetch("select * from app.call_key($1, $2, $3, $4)", *asked) == []
    assert await office.count("pii_vault") == 0


async def test_a_writer_and_an_erasure_at_once_leave_nothing_behind(office: Office) -> None:
    contact_id, call_id = await office.contact(), await office.call()
    await office.say(call_id)
    await office.hold_for(contact_id, call_id)
    key = await office.key_of(call_id)

    async def write() -> None:
        for _ in range(20):
            async with office.armed() as connection:
                await keep_values(connection, key, office.org_id, call_id, said())

    async def wipe() -> None:
        await asyncio.sleep(0.02)
        await erase(office, contact_id)

    await asyncio.gather(write(), wipe(), write())
    assert (await office.count("pii_vault"), await office.count("clinical_notes")) == (0, 0)


async def test_an_erasure_cut_off_changes_nothing_and_can_be_asked_again(office: Office) -> None:
    contact_id, _ = await known(office, new_phone())
    before = sorted(await opened(office, await blobs(office)))

    async def cut_off() -> None:
        async with office.armed() as connection:
            await erase_contact(connection, office.keys, office.org_id, CLERK, contact_id=contact_id)
            raise CutOff

    with pytest.raises(CutOff):
        await cut_off()
    assert sorted(await opened(office, await blobs(office))) == before
    assert await office.count("erasures") == 0
    assert (await erase(office, contact_id)) is not None


async def test_a_killed_connection_leaves_no_half_erasure(office: Office, stack: Stack) -> None:
    contact_id, _ = await known(office, new_phone())
    before = sorted(await opened(office, await blobs(office)))

    async def killed() -> None:
        async with office.armed() as connection:
            await erase_contact(connection, office.keys, office.org_id, CLERK, contact_id=contact_id)
            await kill(stack.admin, await connection.fetchval("select pg_backend_pid()"))

    with pytest.raises(BookingUnavailable):
        await killed()
    assert sorted(await opened(office, await blobs(office))) == before
    assert (await erase(office, contact_id)) is not None


VALUES = st.lists(
    st.tuples(st.sampled_from(("MEDICAL", "ADDRESS", "PERSON", "CARD")), st.text(min_size=1, max_size=40)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(mine=VALUES, theirs=VALUES, settled=st.booleans())
async def test_what_was_sealed_for_somebody_never_opens_after_their_erasure(
    office: Office, mine: list[tuple[str, str]], theirs: list[tuple[str, str]], settled: bool
) -> None:
    calls = []
    for values in (mine, theirs):
        call_id, contact_id = await office.call(), await office.contact()
        await office.say(call_id, *(SpokenValue(kind, text) for kind, text in values))  # type: ignore[arg-type]
        await office.hold_for(contact_id, call_id)
        if settled:
            await office.settle(call_id)
        calls.append((contact_id, await blobs(office)))
    (gone, copies), (kept, everything) = calls
    await erase(office, gone)
    assert await opened(office, copies) == []
    remaining = await blobs(office)
    assert len(await opened(office, remaining)) == sum(blob != b"\x00" for blob, _ in remaining)
    await erase(office, kept)
    assert await opened(office, copies + everything) == []
