"""A whole text as samples at a rate of choice, over real sockets against the simulated vendor."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from bench.simulators.cartesia import (
    CartesiaSimulator,
    DropSpeech,
    FreezeSocket,
    SpeechError,
    SpeechPace,
    StallSpeech,
)
from bench.simulators.offline.tone import TONE_HZ, ToneVoice
from pipeline.errors import ProviderDropped, ProviderError, ProviderRefused, ProviderStalled
from pipeline.providers.cartesia import Cartesia, CartesiaConfig
from pipeline.providers.cartesia_pcm import PcmVoice
from pipeline.providers.cartesia_wire import PcmRate

TEXT = "Goodmorning"
MS_PER_CHAR = 40


@asynccontextmanager
async def vendor(pace: SpeechPace | None = None) -> AsyncIterator[CartesiaSimulator]:
    async with CartesiaSimulator(ToneVoice(ms_per_char=MS_PER_CHAR), pace=pace) as simulator:
        yield simulator


@asynccontextmanager
async def voice(simulator: CartesiaSimulator, **changes: float) -> AsyncIterator[PcmVoice]:
    config = replace(CartesiaConfig("test-key", voice="v", url=simulator.url), **changes)
    client = Cartesia(config)
    try:
        yield PcmVoice(client, config)
    finally:
        await client.aclose()


async def whole(speaker: PcmVoice, text: str = TEXT, rate_hz: PcmRate = 16000) -> bytes:
    async with asyncio.timeout(10), aclosing(speaker.speak(text, rate_hz)) as pieces:
        return b"".join([piece async for piece in pieces])


async def test_each_rate_is_the_vendors_own_and_sounds_as_high_and_as_long() -> None:
    async with vendor() as simulator, voice(simulator) as speaker:
        for rate_hz in get_args(PcmRate):
            samples = np.frombuffer(await whole(speaker, rate_hz=rate_hz), "<i2").astype(np.float64)
            assert samples.size / rate_hz == pytest.approx(len(TEXT) * MS_PER_CHAR / 1000, rel=0.01)
            spectrum = np.abs(np.fft.rfft(samples))
            assert spectrum.argmax() * rate_hz / samples.size == pytest.approx(TONE_HZ, abs=3)
            assert np.abs(samples).max() > 5_000
    assert len(simulator.sockets) == 1
    asked = [message["output_format"] for message in simulator.sockets[0].messages]
    assert [form["sample_rate"] for form in asked] == list(get_args(PcmRate))
    assert {form["encoding"] for form in asked} == {"pcm_s16le"}


async def test_pieces_are_whole_samples_and_come_while_the_rest_is_made() -> None:
    async with vendor(SpeechPace(audio_s_per_s=1.0)) as simulator, voice(simulator) as speaker:
        async with aclosing(speaker.speak("Good morning to you all.", 22050)) as pieces:
            first = await anext(pieces)
            [context] = simulator.contexts
            assert not context.over.is_set()
            assert len(first) % 2 == 0
        async with asyncio.timeout(5):
            await context.over.wait()
        assert context.cancelled


async def test_nothing_to_pronounce_is_asked_of_nobody() -> None:
    async with vendor() as simulator, voice(simulator) as speaker:
        assert await whole(speaker, " … ") == b""
        assert simulator.sockets == []


async def test_what_fails_before_the_first_audio_is_asked_for_once_more() -> None:
    async with vendor() as simulator, voice(simulator) as speaker:
        simulator.faults.add(DropSpeech())
        assert len(await whole(speaker)) > 10_000
        assert len(simulator.sockets) == 2
        simulator.faults.add(SpeechError(500), times=2)
        with pytest.raises(ProviderRefused):
            await whole(speaker)


async def test_what_cannot_work_is_asked_for_once() -> None:
    async with vendor() as simulator, voice(simulator) as speaker:
        simulator.faults.add(SpeechError(402, "quota_exceeded"))
        with pytest.raises(ProviderRefused, match="quota_exceeded"):
            await whole(speaker)
        assert len(simulator.contexts) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [(DropSpeech(after_chunks=2), ProviderDropped), (StallSpeech(after_chunks=2), ProviderStalled)],
)
async def test_a_fault_behind_the_first_audio_is_told_and_not_mended(
    fault: DropSpeech | StallSpeech, error: type[ProviderError]
) -> None:
    async with vendor() as simulator, voice(simulator, idle_s=0.5) as speaker:
        simulator.faults.add(fault)
        with pytest.raises(error):
            await whole(speaker)
        assert len(simulator.contexts) == 1


async def test_a_dead_socket_is_left_for_a_fresh_one() -> None:
    async with vendor() as simulator, voice(simulator, first_audio_s=0.5, alive_s=0.2) as speaker:
        simulator.faults.add(FreezeSocket())
        assert len(await whole(speaker)) > 10_000
        assert len(simulator.sockets) == 2
