"""The caller speaks over the agent."""

from bench.carrier.record import ClearCame, MediaCame
from bench.simulators.cartesia import LateAudio
from tests.calls.conftest import Calling
from tests.calls.rig import VOICE, Rig, say

LONG = "Certainly. " + " ".join(f"Sentence number {n} of a long answer." for n in range(1, 11))
LINES = ["Tell me about the clinic.", "Sorry, I have to stop you there.", "Thank you."]


async def interrupted_call(made: Rig) -> tuple[ClearCame, list[MediaCame]]:
    """A call whose first answer is interrupted: the clear, and all media that came behind it."""
    async with made.call() as live:
        await live.agent_answers(500)
        await say(live)
        await live.agent_speaks(800)
        await say(live)
        await made.events("BargedIn")
        await live.agent_answers(500)
    wire = live.record.wire
    [clear] = [event for event in wire if isinstance(event, ClearCame)]
    later = wire[wire.index(clear) + 1 :]
    return clear, [event for event in later if isinstance(event, MediaCame)]


async def test_answer_is_cleared_and_nothing_of_it_follows(calling: Calling) -> None:
    async with calling(LINES, [LONG, "Go ahead."]) as made:
        made.cartesia.pace.audio_s_per_s = 1.3
        made.cartesia.faults.add(LateAudio(chunks=5))
        clear, media = await interrupted_call(made)
        first, *_, last = [context for context in made.contexts() if "Hello" not in context.texts[0]]
    assert clear.dropped_ms > 0
    assert first.cancelled
    answer_ms = sum([len(await made.sound_of(text)) for text in last.spoken]) / 8
    assert abs(sum(event.length_ms for event in media) - answer_ms) <= 20


async def test_history_holds_what_was_heard_and_no_more(calling: Calling) -> None:
    async with calling(LINES, [LONG, "Go ahead."]) as made:
        await interrupted_call(made)
        [barged] = await made.events("BargedIn")
        told = [each for each in made.asked(1) if each["role"] == "assistant"][-1]["content"]
    assert LONG.startswith(told.rstrip())
    assert told.startswith("Certainly.")
    assert len(told) < len(LONG) / 2
    assert barged["heard"] == told


async def test_heard_words_are_those_that_were_played(calling: Calling) -> None:
    async with calling(LINES, [LONG, "Go ahead."]) as made:
        async with made.call() as live:
            await live.agent_answers(500)
            greeting_ms = live.record.agent_audible_ms
            await say(live)
            await live.agent_speaks(800)
            await say(live)
            await made.events("BargedIn")
            played_ms = live.record.agent_audible_ms - greeting_ms
            await live.agent_answers(500)
        told = [each for each in made.asked(1) if each["role"] == "assistant"][-1]["content"]
    [sound] = [sound async for sound in VOICE.speak(LONG)]
    audible_per_word_ms = [20.0 * sum(map(str.isalnum, word.text)) for word in sound.words]
    heard_ms = sum(audible_per_word_ms[: len(told.split())])
    longest_ms = max(audible_per_word_ms)
    assert abs(heard_ms - played_ms) <= longest_ms + 40


async def test_model_stream_is_cancelled(calling: Calling) -> None:
    async with calling(LINES, [LONG, "Go ahead."], LLM_BETWEEN_TOKENS_S="2", TTS_IDLE_S="2") as made:
        made.chat.pace.between_tokens_s = 0.05
        await interrupted_call(made)
        assert made.chat.requests[0].cancelled
        assert not made.chat.requests[0].finished


async def test_backchannel_does_not_interrupt(calling: Calling) -> None:
    async with calling(["Tell me about the clinic.", "Mhm."], ["A long answer. " * 16]) as made:
        async with made.call() as live:
            await live.agent_answers(500)
            await say(live)
            await live.agent_speaks(600)
            await say(live, 0.3)
            await live.agent_quiet(500)
        [turn] = await made.events("TurnFinished")
    assert turn["outcome"] == "answered"
    assert not [event for event in live.record.wire if isinstance(event, ClearCame)]


async def test_greeting_can_be_interrupted(calling: Calling) -> None:
    async with calling(["I know, I want to book."], ["Of course."]) as made:
        async with made.call() as live:
            await live.agent_speaks(200)
            await say(live)
            await live.agent_answers(500)
        assert [event for event in live.record.wire if isinstance(event, ClearCame)]
        heard = [each for each in made.asked(0) if each["role"] == "assistant"]
    assert not heard or "How can I help" not in heard[0]["content"]
