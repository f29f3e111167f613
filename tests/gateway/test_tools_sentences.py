"""Every outcome of a tool and every error of booking has something that can be said to the caller."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from bench.simulators import twilio_messages
from booking import errors
from booking.errors import BookingError, SmsRefused
from booking.sms import _REASONS, Reason
from booking.types import CodeCheck, CodeStored, Conflict
from gateway import vendor_words
from gateway.tools import call_tools
from gateway.tools.answers import answer, refusal, telling_failures
from gateway.tools.sentences import FAILURES, SENTENCES, outcome_of, outcomes
from pipeline.ports import ToolResult
from tests.booking.texting import Post
from tests.gateway.desk import booking_of

NEVER_IN_A_CALL = {
    errors.UnsafeRole,  # at the start alone
    errors.MasterKeyInvalid,
    errors.MigrationEdited,
    errors.MigrationFailed,
    errors.CalendarError,  # a job's
    errors.CalendarNotConfigured,
    errors.CalendarRefused,
    errors.CalendarUnavailable,
    errors.ClinicInvalid,  # onboarding's
    errors.GuideInvalid,
    errors.OrgUnknown,
    errors.OrgStands,
    errors.ScopeUnknown,
    errors.CampaignUnknown,  # of calls that are to be placed
    errors.PlacedCallUnknown,
    errors.HandoverUnknown,
    errors.CallingError,
    errors.CallingNotConfigured,
    errors.CallingRefused,
    errors.CallingUnavailable,
    errors.CallingUnconfirmed,
}
TOOLS = Path(__file__).parents[2] / "gateway" / "tools"


def subclasses(of: type[BookingError]) -> Iterator[type[BookingError]]:
    """All there are but those that other tests make for themselves."""
    for each in of.__subclasses__():
        if not each.__module__.startswith("tests."):
            yield each
        yield from subclasses(each)


def test_every_error_of_booking_has_a_sentence() -> None:
    told = {*FAILURES, SmsRefused}
    assert set(subclasses(BookingError)) - told - NEVER_IN_A_CALL == set()
    assert not told & NEVER_IN_A_CALL
    assert set(FAILURES.values()) <= SENTENCES.keys()


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_reason_of_a_refused_message_has_a_sentence(reason: Reason) -> None:
    assert outcome_of(SmsRefused(reason, 1)) in SENTENCES


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (21211, "number_invalid"),
        (21614, "not_mobile"),
        (21635, "not_mobile"),
        (21610, "opted_out"),
        (20003, "no_texts"),
        (21408, "no_texts"),
    ],
)
def test_the_providers_codes_are_told_apart(code: int, outcome: str) -> None:
    assert outcome_of(SmsRefused(_REASONS[code], code)) == outcome


def test_a_number_that_came_back_as_a_landlines_is_told_as_one() -> None:
    assert outcome_of(SmsRefused("receiver", 30006)) == "not_mobile"


def test_every_outcome_has_a_sentence_and_every_sentence_an_outcome() -> None:
    assert SENTENCES.keys() == outcomes()
    source = " ".join(path.read_text() for path in TOOLS.glob("*.py"))
    unused = {each for each in outcomes() if source.count(f'"{each}"') < 3}
    # Those that come from booking by their own name stand in the table alone.
    assert unused <= {"taken", "past", "wrong", "expired"}


def test_what_booking_answers_is_an_outcome() -> None:
    answers = {
        *get_args(get_type_hints(CodeCheck)["outcome"]),
        *get_args(get_type_hints(Conflict)["reason"]),
        *get_args(get_type_hints(CodeStored)["outcome"]),
    }
    assert answers - {"stored"} <= outcomes()


def test_sentences_can_be_spoken_and_hold_nothing_personal() -> None:
    for sentence in SENTENCES.values():
        assert sentence[0].isupper()
        assert sentence[-1] in ".?"
        assert set(re.findall(r"{(\w+)}", sentence)) <= {"time", "others", "left"}
        assert not re.search(r"[0-9@<>*#_\[\]]", re.sub(r"{\w+}", "", sentence))


class _Failing:
    def __init__(self, error: Exception) -> None:
        self._error = error

    @telling_failures(done=False)
    async def run(self, arguments: object) -> ToolResult:
        raise self._error


async def test_an_error_is_told_by_its_sentence_and_nothing_else_of_it() -> None:
    result = await _Failing(SmsRefused("receiver", 21635)).run({})
    told = {"done": False, "reason": "not_mobile", "say": SENTENCES["not_mobile"]}
    assert (result.outcome, json.loads(result.content), result.detail) == ("not_mobile", told, {})


async def test_an_error_that_no_caller_can_be_told_of_is_raised() -> None:
    with pytest.raises(errors.MigrationFailed):
        await _Failing(errors.MigrationFailed("x")).run({})


def test_a_sentence_gets_its_words() -> None:
    taken = refusal("taken", {}, others="I can offer Tuesday at ten or at eleven")
    told = json.loads(taken.content)["say"]
    assert told == "That time has just gone; I can offer Tuesday at ten or at eleven."
    assert json.loads(answer("booked", {}, time="Tuesday at ten").content)["say"] == (
        "You are booked for Tuesday at ten."
    )


async def test_tools_are_strict_effectful_and_known_to_the_record(post: Post) -> None:
    specs = [tool.spec for tool in call_tools(await booking_of(post), lambda: None)]
    for spec in specs:
        assert spec.parameters["additionalProperties"] is False
        assert spec.parameters["required"] == list(spec.parameters["properties"])
    assert {spec.name for spec in specs if not spec.effectful} == {"find_slots", "my_appointments"}
    of_some_calls = {"end_call", "no_more_calls", "take_message", "transfer_to_human"}
    assert {spec.name for spec in specs} | of_some_calls == vendor_words.TOOLS


def test_the_simulators_numbers_cover_what_is_told_apart() -> None:
    simulated = {code for code, _ in twilio_messages._REFUSED_TO.values()}
    assert {21211, 21610, 21614, 21635} <= simulated
