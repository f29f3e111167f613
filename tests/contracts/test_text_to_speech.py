"""What every `TextToSpeech` must do, over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.simulators.cartesia import CartesiaSimulator
from bench.simulators.offline.tone import ToneVoice
from pipeline.events import AudioChunk, SpeechFinished, SpokenWords, TtsEvent
from pipeline.ports import TextToSpeech, TtsContext
from pipeline.providers.cartesia import Cartesia, CartesiaConfig


@asynccontextmanager
async def voice() -> AsyncIterator[TextToSpeech]:
    async with CartesiaSimulator(ToneVoice(ms_per_char=10)) as simulator:
        cartesia = Cartesia(CartesiaConfig("test-key", voice="v", url=simulator.url))
        try:
            yield cartesia
        finally:
            await cartesia.aclose()


async def rest(context: TtsContext) -> list[TtsEvent]:
    async with asyncio.timeout(10):
        return [event async for event in context.events()]


async def test_speech_ends_with_exactly_one_finish() -> None:
    async with voice() as speaker, speaker.context() as context:
        await context.push("Good ")
        await context.push("morning.")
        await context.finish()
        events = await rest(context)
    assert [isinstance(event, SpeechFinished) for event in events].index(True) == len(events) - 1


async def test_words_lie_within_the_audio_and_in_order() -> None:
    async with voice() as speaker, speaker.context() as context:
        for clause in ("Dr. Patel is free on Tuesday, ", "at half past ten. ", "Shall I hold that?"):
            await context.push(clause)
        await context.finish()
        events = await rest(context)
    length_s = sum(len(event.mulaw) for event in events if isinstance(event, AudioChunk)) / 8000
    times = [
        (start, end)
        for event in events
        if isinstance(event, SpokenWords)
        for start, end in zip(event.starts_s, event.ends_s, strict=True)
    ]
    assert times == sorted(times)
    assert all(0 <= start <= end <= length_s + 0.001 for start, end in times)


async def test_text_may_be_pushed_while_audio_is_read() -> None:
    async with voice() as speaker, speaker.context() as context:
        reading = asyncio.create_task(rest(context))
        await context.push("Good ")
        await asyncio.sleep(0)
        await context.push("morning.")
        await context.finish()
        assert (await reading)[-1] == SpeechFinished()


async def test_cancel_ends_a_waiting_reader_and_later_text_is_dropped() -> None:
    async with voice() as speaker, speaker.context() as context:
        reading = asyncio.create_task(rest(context))
        await asyncio.sleep(0)
        context.cancel()
        context.cancel()
        await context.push("Not this.")
        await context.finish()
        assert await reading == []


async def test_warming_up_never_fails() -> None:
    async with voice() as speaker:
        await speaker.warm_up()
        await speaker.warm_up()
    await speaker.warm_up()
