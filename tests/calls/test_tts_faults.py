"""The synthesiser fails, before its first audio and after."""

import pytest

from bench.simulators.cartesia import DropSpeech, FreezeSocket, SpeechError, StallSpeech
from tests.calls.conftest import Calling
from tests.calls.rig import ask, say

LINES = ["Tell me about the clinic.", "Thank you."]
ANSWER = "We are open every day. " * 4

BEFORE = [DropSpeech(), SpeechError(), SpeechError(with_context_id=False), StallSpeech(), FreezeSocket()]
AFTER = [DropSpeech(after_chunks=3), SpeechError(after_chunks=3), StallSpeech(after_chunks=3)]


@pytest.mark.parametrize("fault", BEFORE, ids=lambda fault: type(fault).__name__)
async def test_reply_is_spoken_by_a_second_context(calling: Calling, fault: object) -> None:
    async with calling(LINES, [ANSWER, "Goodbye."], CARTESIA_ALIVE_S="0.2") as made:
        async with made.call() as live:
            await live.agent_answers(300)
            made.cartesia.faults.add(fault)
            await ask(live)
        [turn] = await made.events("TurnFinished")
        heard = bytes(live.record.agent_channel)
        [failed] = await made.events("ProviderFailed")
    assert turn["outcome"] == "answered"
    assert (failed["provider"], failed["action"]) == ("tts", "retried")
    for text in ANSWER.split(".")[:4]:
        assert (await made.sound_of(text.strip())).strip(b"\xff") in heard


@pytest.mark.parametrize("fault", AFTER, ids=lambda fault: type(fault).__name__)
async def test_call_goes_on_after_a_fault_in_the_middle_of_speech(calling: Calling, fault: object) -> None:
    async with calling(LINES, [ANSWER, "You are welcome."]) as made:
        async with made.call() as live:
            await live.agent_answers(300)
            made.cartesia.faults.add(fault)
            await ask(live, quiet_ms=1500)
            await ask(live)
        turns = await made.events("TurnFinished", 2)
        _, again, *_ = ["".join(context.texts).strip() for context in made.contexts()]
    assert turns[1]["outcome"] == "answered"
    assert again, "the rest is said"
    assert ANSWER.strip().endswith(again), "and none of it is lost"


async def test_dead_voice_is_covered_by_cached_words(calling: Calling) -> None:
    async with calling(LINES, [ANSWER, ANSWER]) as made:
        async with made.call() as live:
            await live.agent_answers(300)
            made.cartesia.faults.add(SpeechError(), times=None)
            before_ms = live.record.agent_audible_ms
            await say(live)
            await live.until(lambda record: record.agent_audible_ms > before_ms + 300)
        said = [event["kind"] for event in made.feed if event["type"] == "AgentSaid"]
    assert "apology" in said or "fault" in said
