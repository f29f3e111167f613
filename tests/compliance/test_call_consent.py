"""A caller's word on being recorded: what a no clears, whatever is being written meanwhile."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking.calls import store_turn
from booking.errors import CallUnknown
from booking.types import CallTurn, Said
from compliance.consent import (
    SpokenConsent,
    note_call_consent,
    recording_consent,
    refused_before,
    withhold_words,
)
from compliance.records import SpokenValue, keep_values
from tests.booking.patients import new_phone
from tests.compliance.offices import Office, said

NO, YES = False, True
TURN = """[{"speaker": "caller", "text": "It is later now."}]"""


async def note(office: Office, call_id: UUID, given: bool, word: SpokenConsent | None = None) -> bool:
    async with office.armed() as connection:
        return await note_call_consent(connection, office.org_id, call_id, word or SpokenConsent(given))


async def keep(office: Office, call_id: UUID) -> bool:
    key = await office.key_of(call_id)
    async with office.armed() as connection:
        return await keep_values(connection, key, office.org_id, call_id, said())


async def store(office: Office, call_id: UUID, turn: int) -> None:
    words = CallTurn(turn=turn, said=(Said("caller", "It is later now."),), outcome="answered")
    await store_turn(office.pool, office.claim, call_id=call_id, turn=words)


async def kept(office: Office, call_id: UUID) -> tuple[list[int], int]:
    """Which turns have words, and how many sealed values there are."""
    turns = await office.rows(
        "select turn from call_turns where call_id = $1 and said <> '[]' order by turn", call_id
    )
    (values,) = await office.rows(
        "select (select count(*) from clinical_notes where call_id = $1)"
        " + (select count(*) from pii_vault where call_id = $1) as n",
        call_id,
    )
    return [row["turn"] for row in turns], values["n"]


async def test_a_no_clears_the_calls_words_and_keeps_none_until_a_yes(office: Office) -> None:
    call_id, other = await office.call(), await office.call()
    for each in (call_id, other):
        await office.say(each)
    assert await note(office, call_id, NO)
    assert await kept(office, call_id) == ([], 0)
    assert await kept(office, other) == ([1], 4)

    await store(office, call_id, 2)
    assert not await keep(office, call_id)
    assert await kept(office, call_id) == ([], 0)

    assert await note(office, call_id, YES)
    await store(office, call_id, 3)
    assert await keep(office, call_id)
    assert await kept(office, call_id) == ([3], 4)
    turns = await office.rows(
        "select turn, outcome from call_turns where call_id = $1 order by turn", call_id
    )
    assert [(row["turn"], row["outcome"]) for row in turns] == [(turn, "answered") for turn in (1, 2, 3)]
    spoken = [entry for entry in await office.audited() if entry[0].startswith("recording")]
    assert spoken == [("recording_refused", "call"), ("recording_agreed", "call")]


async def test_noting_a_word_again_doubles_and_undoes_nothing(office: Office) -> None:
    call_id, no = await office.call(), SpokenConsent(NO)
    assert await note(office, call_id, NO, no)
    await note(office, call_id, YES)
    await store(office, call_id, 2)
    assert not await note(office, call_id, NO, no)
    assert (await kept(office, call_id))[0] == [2]
    assert await office.count("consents") == 2


async def test_words_can_be_withheld_without_anybodys_word(office: Office) -> None:
    call_id = await office.call()
    await withhold(office, call_id)
    await store(office, call_id, 2)
    assert await kept(office, call_id) == ([], 0)
    assert await office.count("consents") == 0


async def withhold(office: Office, call_id: UUID) -> None:
    async with office.armed() as connection:
        await withhold_words(connection, office.org_id, call_id)


async def test_of_a_call_that_is_not_on_record_nothing_is_noted(office: Office, other_office: Office) -> None:
    theirs = await other_office.call()
    for call_id in (uuid4(), theirs):
        with pytest.raises(CallUnknown):
            await note(office, call_id, NO)
        with pytest.raises(CallUnknown):
            await withhold(office, call_id)
    assert await kept(other_office, theirs) == ([1], 0)


async def waits(office: Office, work: "asyncio.Task[object]") -> None:
    """Returns once the task's statement waits for a lock of another's."""
    async with asyncio.timeout(10):
        while not (
            await office.rows(
                "select from pg_stat_activity where usename = current_user and wait_event_type = 'Lock'"
            )
        ):
            assert not work.done()
            await asyncio.sleep(0.01)


async def test_what_is_being_written_as_a_no_comes_is_cleared(office: Office) -> None:
    call_id = await office.call()
    key = await office.key_of(call_id)
    async with office.armed() as writing:
        await _store(writing, office, call_id)
        assert await keep_values(writing, key, office.org_id, call_id, [SpokenValue("PERSON", "Jane", 2)])
        refusing = asyncio.create_task(note(office, call_id, NO))
        await waits(office, refusing)
    assert await refusing
    assert await kept(office, call_id) == ([], 0)


async def test_what_begins_to_be_written_as_a_no_comes_is_not_kept(office: Office) -> None:
    call_id = await office.call()
    for write in (lambda: store(office, call_id, 2), lambda: keep(office, call_id)):
        async with office.armed() as refusing:
            await note_call_consent(refusing, office.org_id, call_id, SpokenConsent(NO))
            writing: asyncio.Task[object] = asyncio.create_task(write())
            await waits(office, writing)
        await writing
        assert await kept(office, call_id) == ([], 0)


async def _store(connection: asyncpg.Connection, office: Office, call_id: UUID) -> None:
    await connection.execute(
        "select app.store_turn($1, $2, 2, $3, 'answered', '{}', null, null)", office.org_id, call_id, TURN
    )


async def before(office: Office, carrier_call_id: str, caller: str | None) -> bool:
    async with office.armed() as connection:
        return await refused_before(
            connection, office.keys, office.org_id, carrier="twilio", carrier_call_id=carrier_call_id,
            caller=caller,
        )  # fmt: skip


async def test_a_word_becomes_its_callers_and_is_known_when_they_call_again(office: Office) -> None:
    phone, call_id = new_phone(), await office.call("CA1")
    contact_id = await office.contact(phone)
    later = await office.call("CA2")
    await note(office, call_id, NO)
    assert not await before(office, "CA2", phone)
    await office.hold_for(contact_id, call_id)
    await office.settle(call_id)
    async with office.armed() as connection:
        word = await recording_consent(connection, office.org_id, contact_id=contact_id)
    assert word is not None
    assert (word.given, word.source) == (False, "call")
    assert await before(office, "CA2", phone)
    assert not await before(office, "CA2", new_phone())
    assert not await before(office, "CA2", None)

    await office.hold_for(contact_id, later)
    await note(office, later, YES)
    assert not await before(office, "CA3", phone)


async def test_a_no_holds_in_the_call_that_the_media_come_back_to(office: Office) -> None:
    await note(office, await office.call("CA1"), NO)
    assert await before(office, "CA1", None)
    assert not await before(office, "CA2", None)
