"""Ordinary calls: greeting, turns, goodbye, silence, keys, and where the time goes."""

import asyncio
from collections.abc import Sequence

import pytest

from pipeline.audio.mulaw import silence
from pipeline.events import (
    AgentSaid,
    CallerSaid,
    CallFinished,
    EagerEndOfTurn,
    EndOfTurn,
    InterimTranscript,
    SpeechStarted,
    ToolCall,
    TurnFinished,
)
from pipeline.ports import Message
from pipeline.turn.timeline import stage_lengths
from tests.pipeline.runner.world import LLM_TOKEN_S, TTS_CHUNK_S, Mind, Phone, call, now_s, stock

GOODBYE = ToolCall("c1", "end_call", "{}")
LOUD = b"\x10\x90" * 80


async def test_a_call_from_greeting_to_goodbye() -> None:
    mind = Mind(["Certainly. Which day?"], ["You are welcome. Goodbye.", GOODBYE])
    async with call(mind) as c:
        await c.greeted()
        c.says("I want a consultation")
        await c.passes(5)
        c.says("That is all, call me on 12")
        outcome = await c.outcome()
    assert (outcome.reason, outcome.ended_by, outcome.turns) == ("goodbye", "agent", 2)
    assert c.sounds() == [101, 1, 2]
    assert c.phone.sent[-1].what == "hang_up"
    assert [(said.kind, said.text) for said in c.diary.of(AgentSaid)] == [
        ("greeting", "Hello, how can I help?"),
        ("reply", "Certainly."),
        ("reply", "Which day?"),
        ("reply", "You are welcome."),
        ("reply", "Goodbye."),
    ]
    assert [said.text for said in c.diary.of(CallerSaid)] == [
        "I want a consultation",
        "That is all, call me on ##",
    ]
    assert isinstance(c.diary.events[-1], CallFinished)


async def test_the_goodbye_is_heard_to_its_end_before_the_line_is_hung_up() -> None:
    async with call(Mind(["Goodbye then.", GOODBYE])) as c:
        await c.greeted()
        c.says("bye")
        await c.outcome()
        assert c.phone.all_heard().count(1) == 4000


async def test_the_history_is_what_the_model_needs() -> None:
    mind = Mind(["Which day?"], ["Good."])
    async with call(mind) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(4)
        c.says("Tuesday")
        await c.passes(1)
    assert [(message.role, message.content) for message in mind.requests[1]] == [
        ("system", "Be brief."),
        ("assistant", "Hello, how can I help?"),
        ("user", "Hello"),
        ("assistant", "Which day?"),
        ("user", "Tuesday"),
    ]


async def test_ttfb_runs_from_the_last_voiced_frame_to_the_first_audible_audio_of_the_reply() -> None:
    async with call(Mind(["Yes. Of course."]), speculation="off") as c:
        await c.greeted()
        for frame in [LOUD] * 10 + [silence(20)] * 10:
            await c.runner.caller_audio(frame)
            await c.passes(0.02)
        c.ear.hears(SpeechStarted(), EagerEndOfTurn("Hello"))
        await c.passes(0.1)
        c.ear.hears(EndOfTurn("Hello"))
        await c.passes(5)
        [turn] = c.diary.of(TurnFinished)
    assert list(turn.stages_s) == [
        "speech_end",
        "eager_end",
        "end_of_turn",
        "llm_request",
        "llm_first_token",
        "first_clause",
        "tts_request",
        "tts_first_audio",
        "first_audio_sent",
    ]
    assert list(turn.stages_s.values()) == sorted(turn.stages_s.values())
    waited_s = 0.22 + 0.1
    assert turn.ttfb_ms == pytest.approx((waited_s + 2 * LLM_TOKEN_S + TTS_CHUNK_S) * 1000, abs=1)
    assert turn.overhead_ms == pytest.approx(0, abs=1e-6)
    assert turn.outcome == "answered"


class Reader(Mind):
    """A model that looks up something before it is asked."""

    LOOKS_UP_S = 0.05

    async def informed(self, messages: Sequence[Message]) -> Sequence[Message]:
        await asyncio.sleep(self.LOOKS_UP_S)
        return [*messages[:-1], Message("system", "A peel is £90."), messages[-1]]


@pytest.mark.parametrize("speculation", ["off", "eager"])
async def test_what_is_looked_up_before_the_request_is_our_time_and_not_the_models(speculation: str) -> None:
    reader = Reader(["It is ninety pounds."])
    async with call(reader, speculation=speculation) as c:
        await c.greeted()
        c.ear.hears(SpeechStarted(), EagerEndOfTurn("How much is a peel?"), EndOfTurn("How much is a peel?"))
        await c.passes(5)
        [turn] = c.diary.of(TurnFinished)
    assert [each.content for each in reader.requests[0][-2:]] == ["A peel is £90.", "How much is a peel?"]
    assert reader.asked_s == [turn.stages_s["llm_request"]]
    lengths_s = stage_lengths(turn.stages_s)
    assert lengths_s["llm_request"] == pytest.approx(Reader.LOOKS_UP_S)
    assert lengths_s["llm_first_token"] == pytest.approx(LLM_TOKEN_S)
    assert turn.overhead_ms == pytest.approx(Reader.LOOKS_UP_S * 1000)


async def test_a_filler_covers_a_slow_model_and_does_not_stop_the_clock() -> None:
    async with call(Mind([3.0, "Here it is."])) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(8)
        [turn] = c.diary.of(TurnFinished)
    assert c.sounds() == [101, 102, 1]
    assert turn.stages_s["first_audio_sent"] - turn.stages_s["end_of_turn"] > 3
    assert "One moment, please." not in str(c.mind.requests)


async def test_a_filler_without_cached_audio_never_sounds_behind_the_reply() -> None:
    bare = {"filler": stock("filler", "One moment, please.", 0.0)}
    mind = Mind([1.55, "Yes."])
    async with call(mind, phrases=bare) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(6)
    assert [context.text for context in c.voice.contexts] == ["One moment, please.", "Yes."]
    assert c.sounds() == [101, 2]


async def test_a_filler_that_is_ready_while_the_reply_sounds_is_dropped() -> None:
    bare = {"filler": stock("filler", "One moment, please.", 0.0)}
    async with call(Mind([1.5, "Yes. ", 1.2, "Done."]), phrases=bare) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(6)
    assert [context.text for context in c.voice.contexts] == ["One moment, please.", "Yes. Done."]
    assert c.sounds() == [101, 2]


async def test_a_greeting_without_cached_audio_is_synthesised() -> None:
    async with call(greeting=stock("greeting", "Hello there.", 0.0)) as c:
        await c.passes(2)
        assert c.voice.contexts[0].text == "Hello there."
    assert c.sounds() == [1]


async def test_silence_is_prompted_then_ends_the_call() -> None:
    async with call(silence_prompt_s=5.0, silence_goodbye_s=4.0) as c:
        outcome = await c.outcome()
    assert (outcome.reason, outcome.ended_by) == ("silence", "agent")
    assert c.sounds() == [101, 103, 106]
    assert outcome.duration_s == pytest.approx(3 * (1 + 2 * Phone.DELAY_S) + 5 + 4, abs=0.1)


async def test_an_answer_to_the_prompt_goes_on_with_the_call() -> None:
    async with call(Mind(["Good."]), silence_prompt_s=8.0) as c:
        await c.passes(10)
        c.says("yes I am here")
        await c.passes(5)
        assert c.sounds() == [101, 103, 1]


async def test_keys_become_the_callers_turn_and_are_not_published() -> None:
    mind = Mind(["Thank you."], ["Thanks."])
    async with call(mind) as c:
        await c.passes(0.3)
        for key in "123456#":
            c.runner.dtmf(key)
        await c.passes(3)
        assert mind.requests[0][-1].content == "(keypad) 123456"
        assert c.cleared() == [pytest.approx(0.3)]
        for key in "99":
            c.runner.dtmf(key)
        await c.passes(1.9)
        assert len(mind.requests) == 1
        await c.passes(0.2)
        assert mind.requests[1][-1].content == "(keypad) 99"
    assert c.diary.of(CallerSaid)[0].text == "(keypad) ******"


async def test_a_turn_that_never_ends_is_forced_and_then_taken_as_heard() -> None:
    mind = Mind(["Good."])
    async with call(mind) as c:
        await c.greeted()
        began_s = now_s()
        c.ear.hears(SpeechStarted(), InterimTranscript("yes"))
        await c.passes(10)
        assert c.ear.forced_s == [pytest.approx(began_s + 6.0)]
        assert mind.requests[0][-1].content == "yes"
        c.ear.hears(EndOfTurn("yes", "forced"))
        await c.passes(1)
        assert len(mind.requests) == 1


async def test_the_recogniser_answers_a_forced_end() -> None:
    mind = Mind(["Good."])
    async with call(mind) as c:
        c.ear.answer_to_force = EndOfTurn("yes please", "forced")
        await c.greeted()
        c.ear.hears(SpeechStarted(), InterimTranscript("yes"))
        await c.passes(8)
        assert mind.requests[0][-1].content == "yes please"


async def test_a_call_has_an_end() -> None:
    async with call(Mind(["Well. " * 100]), max_call_s=20.0) as c:
        await c.greeted()
        c.says("Tell me all")
        outcome = await c.outcome()
    assert (outcome.reason, outcome.ended_by) == ("time_limit", "agent")
    assert outcome.duration_s == pytest.approx(21, abs=0.5)
    assert c.sounds() == [101, 1, 106]


async def test_final_marks_that_never_come_delay_the_end_by_their_cap_only() -> None:
    async with call(Mind(["Goodbye.", GOODBYE])) as c:
        c.phone.returns_marks = False
        await c.greeted()
        c.says("bye")
        began_s = now_s()
        await c.outcome()
        assert now_s() - began_s == pytest.approx(0.25 + 1.0, abs=0.3)


@pytest.mark.parametrize("after_s", [0.0, 0.5, 1.21, 1.3, 1.5, 2.5])
async def test_the_caller_hangs_up_at_any_stage(after_s: float) -> None:
    async with call(Mind(["Certainly. Let me see what there is."])) as c:
        if after_s > 1.2:
            await c.greeted()
            c.says("Hello")
            await c.passes(after_s - 1.2)
        else:
            await c.passes(after_s)
        outcome = await c.hang_up()
    assert (outcome.reason, outcome.ended_by) == ("caller_hung_up", "caller")
    assert not [sent for sent in c.phone.sent if sent.what == "hang_up"]


async def test_a_line_that_breaks_ends_the_call() -> None:
    async with call(Mind(["Certainly."])) as c:
        await c.greeted()
        c.phone.is_open = False
        c.says("Hello")
        outcome = await c.outcome()
    assert outcome.ended_by == "caller"


async def test_a_hang_up_before_the_call_ran_ends_it_at_once() -> None:
    async with call() as c:
        c.runner.line_closed("caller_hung_up")
        assert (await c.outcome()).reason == "caller_hung_up"


async def test_cancelling_the_call_ends_it_and_its_line() -> None:
    async with call(Mind(["Certainly. " * 5])) as c:
        await c.greeted()
        c.says("Hello")
        await c.passes(1)
        assert c.task is not None
        c.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await c.task
    assert c.phone.sent[-1].what == "hang_up"
    assert c.diary.of(CallFinished)


@pytest.mark.parametrize("streams", [True, False])
async def test_without_streaming_nothing_is_spoken_before_the_model_has_ended(streams: bool) -> None:
    mind = Mind(["Certainly. Which day would you like to come?"])
    async with call(mind, clause_streaming=streams) as c:
        await c.greeted()
        c.says("I want a consultation")
        await c.passes(8)
        [turn] = c.diary.of(TurnFinished)
    stages = turn.stages_s
    assert turn.outcome == "answered"
    assert [said.text for said in c.diary.of(AgentSaid)][1:] == [
        "Certainly.",
        "Which day would you like to come?",
    ]
    waited_s = stages["first_clause"] - stages["llm_first_token"]
    assert (waited_s < 4 * LLM_TOKEN_S) is streams
