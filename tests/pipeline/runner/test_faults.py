"""Providers fail: asked once more, then an apology; the call goes on where it can."""

from typing import Any

import pytest

from pipeline.errors import ProviderDropped, ProviderError, ProviderRefused
from pipeline.events import AgentSaid, ProviderFailed, TurnFinished
from tests.pipeline.runner.world import Beat, CallInProgress, Fault, Mind, Voice, call

DROPPED = ProviderDropped("llm", "reset", retryable=True)
REFUSED = ProviderRefused("llm", "bad_key", retryable=False)
TTS_DROPPED = ProviderDropped("tts", "reset", retryable=True)
TTS_REFUSED = ProviderRefused("tts", "bad_voice", retryable=False)
SENTENCE = "One two three four five six."


def actions(c: CallInProgress) -> list[tuple[str, str]]:
    return [(each.provider, each.action) for each in c.diary.of(ProviderFailed)]


@pytest.mark.parametrize(
    "failing", [[DROPPED], [100.0], [], ["..."]], ids=["error", "stall", "empty", "no words"]
)
async def test_a_model_that_fails_once_is_asked_again(failing: list[Beat]) -> None:
    mind = Mind(failing, ["Here I am."])
    async with call(mind, filler_after_s=30.0) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(8)
        assert c.sounds() == [101, 1]
        assert mind.requests[0] == mind.requests[1]
        assert actions(c) == [("llm", "retried")]
        assert [turn.outcome for turn in c.diary.of(TurnFinished)] == ["answered"]


@pytest.mark.parametrize("failing", [[DROPPED], [100.0], []], ids=["error", "stall", "empty"])
async def test_a_model_that_fails_twice_is_apologised_for(failing: list[Beat]) -> None:
    mind = Mind(failing, failing, ["Here I am."])
    async with call(mind, filler_after_s=30.0) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(11)
        assert c.sounds() == [101, 104]
        assert actions(c) == [("llm", "retried"), ("llm", "apologised")]
        assert [turn.outcome for turn in c.diary.of(TurnFinished)] == ["failed"]
        c.says("Are you there?")
        await c.passes(3)
        assert c.sounds() == [101, 104, 1]


async def test_a_stream_without_a_finish_is_a_failure() -> None:
    mind = Mind(["Half a"], ["Half a"])
    mind.finishes = False
    async with call(mind) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(3)
        assert c.sounds() == [101, 104]


async def test_whole_sentences_count_even_without_a_finish() -> None:
    mind = Mind(["How can I help?"])
    mind.finishes = False
    async with call(mind) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(3)
        assert c.voice.contexts[0].text == "How can I help?"
        assert c.sounds() == [101, 1]


async def test_what_cannot_work_is_not_tried_again() -> None:
    mind = Mind([REFUSED], ["Never said."])
    async with call(mind) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(3)
        assert len(mind.requests) == 1
        assert c.sounds() == [101, 104]


async def test_a_stream_that_breaks_in_mid_sentence_is_spoken_as_far_as_it_went_then_apologised_for() -> None:
    mind = Mind(["Certainly, on Tuesday we have ", DROPPED])
    async with call(mind) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(5)
        assert c.voice.contexts[0].text == "Certainly, "
        assert c.sounds() == [101, 1, 104]
        assert len(mind.requests) == 1


async def test_a_call_that_fails_turn_after_turn_is_ended() -> None:
    mind = Mind(*[[REFUSED]] * 3)
    async with call(mind) as c:
        await c.greeted()
        for _ in range(3):
            c.says("Hello")
            await c.passes(3)
        outcome = await c.outcome()
    assert (outcome.reason, outcome.ended_by) == ("replies_failed", "fault")
    assert c.sounds() == [101, 104, 105]


@pytest.mark.parametrize("error", [TTS_DROPPED, None], ids=["error", "stall"])
async def test_a_voice_that_fails_before_its_first_audio_is_asked_again(error: ProviderError | None) -> None:
    voice = Voice(Fault(0, error))
    async with call(Mind([SENTENCE]), voice, filler_after_s=30.0) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(8)
        assert [context.text for context in voice.contexts] == [SENTENCE, SENTENCE]
        assert c.sounds() == [101, 2]
        assert [said.text for said in c.diary.of(AgentSaid) if said.kind == "reply"] == [SENTENCE]


async def test_a_voice_that_fails_twice_is_apologised_for_from_the_cache() -> None:
    voice = Voice(Fault(0, TTS_DROPPED), Fault(0, TTS_DROPPED))
    async with call(Mind([SENTENCE]), voice) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(5)
        assert c.sounds() == [101, 104]
        assert not [said for said in c.diary.of(AgentSaid) if said.kind == "reply"]


@pytest.mark.parametrize("error", [TTS_DROPPED, None], ids=["error", "stall"])
async def test_a_voice_that_fails_in_mid_reply_goes_on_with_the_rest(error: ProviderError | None) -> None:
    voice = Voice(Fault(2, error))
    mind = Mind([SENTENCE + " Seven eight."], ["Yes."])
    async with call(mind, voice, filler_after_s=30.0) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(9)
        assert voice.contexts[1].text.split() == ["three", "four", "five", "six.", "Seven", "eight."]
        assert c.phone.all_heard().count(1) == 2 * 2000
        assert c.phone.all_heard().count(2) == 6 * 2000
        c.says("And then?")
        await c.passes(1)
        assert mind.requests[1][-2].content == SENTENCE + " Seven eight."


async def test_a_voice_that_fails_for_good_in_mid_reply_leaves_only_what_was_said_in_the_history() -> None:
    voice = Voice(Fault(2, TTS_REFUSED))
    mind = Mind([SENTENCE], ["Yes."])
    async with call(mind, voice) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(4)
        assert c.sounds() == [101, 1, 104]
        c.says("And then?")
        await c.passes(1)
        assert mind.requests[1][3].content == "One two Sorry, say that again?"


async def test_words_that_an_expired_context_did_not_say_are_said_on_the_next_one() -> None:
    voice = Voice(Fault(2, None, expires=True))
    async with call(Mind(["One two three. Four five. ", 1.0, "Six."]), voice) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(6)
        assert c.phone.all_heard().count(1) == 2 * 2000
        assert c.phone.all_heard().count(2) == 4 * 2000
        assert voice.contexts[1].text.split() == ["three.", "Four", "five.", "Six."]
        assert actions(c) == []


async def test_a_recogniser_that_is_lost_ends_the_call_with_an_apology() -> None:
    async with call() as c:
        await c.greeted()
        c.ear.hears(ProviderDropped("stt", "gone", retryable=False))
        outcome = await c.outcome()
    assert (outcome.reason, outcome.ended_by) == ("stt_failed", "fault")
    assert c.sounds() == [101, 105]
    assert actions(c) == [("stt", "gave_up")]


async def test_a_recogniser_that_ends_unasked_is_lost_too() -> None:
    async with call() as c:
        c.ear.hears(None)
        assert (await c.outcome()).reason == "stt_failed"


async def test_a_defect_ends_the_call_in_order_and_is_raised() -> None:
    no_beat: Any = object()
    async with call(Mind([no_beat])) as c:
        await c.greeted()
        c.says("Hello")
        assert c.task is not None
        with pytest.raises(TypeError):
            await c.task
    assert c.phone.sent[-1].what == "hang_up"
