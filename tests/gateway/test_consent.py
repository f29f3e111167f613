"""Whether a call's words are kept: as its org asks, by what is said in it, whenever that is written."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking.calls import open_call
from booking.types import Recording
from compliance.redaction import CallRedactor
from gateway.caller import Ends
from gateway.consent import WITHHELD, CallConsent, CallLine, ConsentRedactor, without_words
from gateway.feed import Feed
from gateway.journal import CallJournal, Record
from gateway.metrics import Metrics
from gateway.records import CallRecords
from gateway.shared_store import SharedStore
from gateway.tools import StopRecording
from pipeline.events import AgentSaid, BargedIn, CallerSaid, TurnFinished
from tests.booking.patients import new_phone
from tests.booking.working import until
from tests.compliance.offices import Office
from tests.compliance.test_call_consent import NO, note, waits
from tests.conftest import Clinic, Stack


@pytest.fixture
def office(pool: asyncpg.Pool, clinic: Clinic) -> Office:
    return Office.of(pool, clinic)


class Clock:
    def now_s(self) -> float:
        return 7.0


@dataclass
class Desk:
    """One call's consent with all that it speaks for, put together as the call does it."""

    office: Office
    call_id: UUID
    consent: CallConsent
    records: CallRecords
    journal: CallJournal
    metrics: Metrics
    redactor: ConsentRedactor = field(init=False)
    turn: int = 0

    def __post_init__(self) -> None:
        self.redactor = ConsentRedactor(CallRedactor(on_masked=self.records.masked), self.consent)
        for forget in (self.records.forget, self.journal.forget_words):
            self.consent.when_refused(forget)

    def says(self, caller: str, agent: str = "") -> None:
        """A turn, as the pipeline tells of it."""
        self.turn += 1
        self.journal.record(CallerSaid(self.turn, self.redactor.caller(caller)))
        if agent:
            self.journal.record(AgentSaid(self.turn, self.redactor.agent(agent)))
        self.journal.record(TurnFinished(self.turn, {}, 1.0, 1.0, "answered"))

    def greets(self, text: str) -> None:
        self.journal.record(AgentSaid(0, self.redactor.agent(text), "greeting"))

    async def refused(self) -> bool:
        return self.consent.withheld

    async def flush(self) -> None:
        await self.journal.flush()
        await self.records.flush()

    async def kept(self) -> tuple[dict[int, list[str]], int]:
        """The words of each turn that stands, and how many sealed values there are."""
        rows = await self.office.rows(
            "select turn, said from call_turns where call_id = $1 order by turn", self.call_id
        )
        values = await self.office.count("clinical_notes") + await self.office.count("pii_vault")
        return {row["turn"]: [each["text"] for each in json.loads(row["said"])] for row in rows}, values

    async def words(self) -> list[bool]:
        rows = await self.office.rows("select given from consents order by said_at")
        return [row["given"] for row in rows]


@asynccontextmanager
async def desk(
    office: Office,
    stack: Stack,
    recording: Recording = "kept",
    caller: str | None = None,
    call_id: UUID | None = None,
) -> AsyncIterator[Desk]:
    """`call_id`: of a call that is not on record yet."""
    metrics, call_id = Metrics(), call_id or await office.call("CA9")
    line = CallLine("twilio", "CA9", caller)
    consent = CallConsent(office.pool, office.claim, call_id, office.keys, recording, line, metrics, 0.02)
    records = CallRecords(office.pool, office.claim, call_id, office.keys, Ends(caller), consent, 0.02)
    async with SharedStore(stack.redis, metrics, command_s=1) as store:
        feed = Feed(store, metrics, size=100)
        record = Record(office.org_id, call_id, "twilio", "CA9", office.pool, feed, metrics, Clock())
        journal = CallJournal(record, lambda: None, records.caller_heard, consent)
        yield Desk(office, call_id, consent, records, journal, metrics)


async def test_a_no_withholds_this_turn_and_clears_those_before_and_a_yes_is_honoured(
    office: Office, stack: Stack
) -> None:
    async with desk(office, stack) as call:
        call.greets("Hello.")
        call.says("I have gout.", "I see.")
        await call.flush()
        assert await call.kept() == ({0: ["Hello."], 1: ["I have [REDACTED: MEDICAL].", "I see."]}, 1)

        call.says("I have glaucoma.")
        call.says("And please don't record this.", "Of course not.")
        call.says("My glaucoma is worse.", "I see.")
        assert call.consent.withheld
        await call.flush()
        assert await call.kept() == ({0: [], 1: [], 2: [], 3: [], 4: []}, 0)

        call.says("Okay, you can record. It's gout.", "Thank you.")
        await call.flush()
        turns, values = await call.kept()
    assert turns[5] == ["Okay, you can record. It's [REDACTED: MEDICAL].", "Thank you."]
    assert (turns[4], values) == ([], 1)
    assert await call.words() == [False, True]
    assert (call.records.unkept(), call.consent.unnoted()) == (0, 0)
    for word in ("refused", "agreed"):
        assert call.metrics.registry.get_sample_value("gateway_recording_words_total", {"word": word}) == 1


@pytest.mark.parametrize(
    ("answer", "words", "kept"),
    [
        ("Yes, that's fine.", [True], ["Yes, that's fine.", "Thank you."]),
        ("No.", [False], []),
        ("I'd like an appointment.", [], []),
        ("Sorry?", [], []),
    ],
)
async def test_where_callers_are_asked_nothing_is_kept_before_a_yes(
    office: Office, stack: Stack, answer: str, words: list[bool], kept: list[str]
) -> None:
    async with desk(office, stack, "asked") as call:
        call.greets("Hello. May we record this call?")
        call.says(answer, "Thank you.")
        call.says("It's gout.", "Is that all?")
        call.says("Yes.")
        await call.flush()
        turns, values = await call.kept()
    assert (turns[1], values) == (kept, int(words == [True]))
    assert 0 not in turns
    assert (turns[3] == ["Yes."]) is (words == [True])
    assert await call.words() == words


async def test_a_no_that_only_the_model_understood_is_honoured_too(office: Office, stack: Stack) -> None:
    async with desk(office, stack) as call:
        call.says("I'd take it kindly if my gout stayed between the two of us.", "I see.")
        assert not call.consent.withheld
        for _ in range(2):
            told = await StopRecording(call.consent.refuse).run({})
        assert (told.outcome, told.detail) == ("not_recorded", {})
        call.says("It is my gout.")
        await call.flush()
        assert await call.kept() == ({1: [], 2: []}, 0)
    assert await call.words() == [False]


async def test_who_did_not_hear_the_question_may_answer_it_later(office: Office, stack: Stack) -> None:
    async with desk(office, stack, "asked") as call:
        call.greets("Hello. May we record this call?")
        call.says("Sorry, what was that?", "I asked you something.")
        call.says("Yes, go ahead.")
        await call.flush()
        assert (await call.kept())[0] == {1: [], 2: ["Yes, go ahead."]}


async def test_where_it_is_off_nothing_is_kept_whatever_is_said(office: Office, stack: Stack) -> None:
    async with desk(office, stack, "off") as call:
        call.says("You can record this, I have gout.", "I see.")
        await call.flush()
        assert await call.kept() == ({1: []}, 0)
    assert await call.words() == [True]


async def test_a_no_to_the_clinic_or_in_an_earlier_call_holds_from_the_start(
    office: Office, stack: Stack
) -> None:
    phone = new_phone()
    earlier, contact_id = await office.call("CA1"), await office.contact(phone)
    await note(office, earlier, NO)
    await office.hold_for(contact_id, earlier)
    await office.settle(earlier)
    async with desk(office, stack, caller=phone) as call:
        call.says("I have gout.")
        keeping = asyncio.create_task(call.consent.keep())
        await until(call.refused)
        keeping.cancel()
        call.says("It hurts.")
        await call.flush()
        assert (await call.kept())[0] == {1: [], 2: []}
        call.says("You can record this call now.")
        await call.flush()
        assert (await call.kept())[0][3] == ["You can record this call now."]
    assert await call.words() == [False, True]


async def test_what_is_said_of_recording_is_written_before_anything_else(
    office: Office, stack: Stack
) -> None:
    """As long as the call is not on record nothing can be noted, so nothing is written either."""
    async with desk(office, stack, call_id=uuid4()) as call:
        call.says("Please don't record this call.")
        call.says("Oh, you can record it.")
        call.says("I have gout.")
        await call.flush()
        assert (call.consent.unnoted(), call.records.unkept()) == (2, 1)
        assert call.metrics.registry.get_sample_value("gateway_turns_unstored_total") == 3
        await open_call(
            office.pool, office.claim, call_id=call.call_id, carrier="twilio", carrier_call_id="CA9",
            started_at=datetime.now(UTC),
        )  # fmt: skip
        await call.flush()
        turns, values = await call.kept()
    assert (turns[1], turns[3], values) == ([], ["I have [REDACTED: MEDICAL]."], 1)
    assert await call.words() == [False, True]
    assert (call.records.unkept(), call.consent.unnoted()) == (0, 0)


async def test_a_value_that_is_being_written_as_the_caller_refuses_is_not_kept(
    office: Office, stack: Stack
) -> None:
    async with desk(office, stack) as call:
        key = await office.key_of(call.call_id)
        call.says("I have gout.")
        async with office.armed() as busy:
            await busy.execute("select from contact_keys where id = $1 for update", key.id)
            writing = asyncio.create_task(call.records.flush())
            await waits(office, writing)
            call.says("Don't record me. I have glaucoma.")
            call.says("Fine, you can record. I have asthma.")
        await writing
        await call.flush()
        turns, values = await call.kept()
    assert (turns[1], turns[2], values) == ([], [], 1)
    assert turns[3] == ["Fine, you can record. I have [REDACTED: MEDICAL]."]


def test_an_event_without_its_words_tells_of_its_turn_alone() -> None:
    assert without_words(CallerSaid(3, "Hello.")) == CallerSaid(3, WITHHELD)
    assert without_words(AgentSaid(3, "Hello.", "reply")) == AgentSaid(3, WITHHELD, "reply")
    assert without_words(BargedIn(3, "We have", 5.0)) == BargedIn(3, WITHHELD, 5.0)
    assert without_words(BargedIn(3, "", 5.0)) == BargedIn(3, "", 5.0)
    finished = TurnFinished(3, {}, 1.0, 1.0, "answered")
    assert without_words(finished) is finished
