"""Sessions over real sockets against the simulated vendor, on both protocols."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest

from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script, silence, tone
from bench.simulators.faults import DropSocket, Inject, Refuse, SlowUpgrade, Stall
from pipeline.audio.mulaw import decode
from pipeline.errors import ProviderDropped, ProviderRefused, ProviderStalled
from pipeline.events import EndOfTurn, SpeechStarted, SttEvent
from pipeline.providers.audio_format import AudioFormat
from pipeline.providers.deepgram import Deepgram, DeepgramConfig, DeepgramSession

MODELS = ["flux-general-en", "nova-3", "nova-2"]
LINES = ["I would like a rhinoplasty.", "Tuesday please.", "No, that is all."]
FRAME = 160

pytestmark = pytest.mark.parametrize("model", MODELS)


@asynccontextmanager
async def vendor(lines: Sequence[str] = LINES) -> AsyncIterator[DeepgramSimulator]:
    async with DeepgramSimulator(Script(lines).hearing) as simulator:
        yield simulator


def config(simulator: DeepgramSimulator, model: str) -> DeepgramConfig:
    """Quick to notice faults, slow to feed silence: audio comes faster than real time here."""
    return DeepgramConfig(
        "test-key", url=simulator.url, model=model, backoff_s=0.01, idle_after_s=5.0, mute_after_s=5.0
    )


async def say(session: DeepgramSession, *pieces: bytes) -> None:
    for piece in pieces:
        for at in range(0, len(piece), FRAME):
            await session.send_audio(piece[at : at + FRAME])
            await asyncio.sleep(0)


async def turn(session: DeepgramSession) -> list[SttEvent]:
    """The events up to and with the next end of turn."""
    events = list[SttEvent]()
    async with asyncio.timeout(10), aclosing(session.events()) as coming:  # type: ignore[type-var]
        async for event in coming:
            events.append(event)
            if isinstance(event, EndOfTurn):
                return events
    raise AssertionError("the session ended first")


def announced_once(events: Sequence[SttEvent]) -> bool:
    return isinstance(events[0], SpeechStarted) and events.count(SpeechStarted()) == 1


async def test_turns_are_heard_one_after_the_other(model: str) -> None:
    async with vendor() as simulator, Deepgram(config(simulator, model)).session() as session:
        for line in LINES:
            await say(session, tone(1.2), silence(1.6))
            events = await turn(session)
            assert announced_once(events)
            assert events[-1] == EndOfTurn(line, "model")
    assert [sent.close_code for sent in simulator.sessions] == [1000]
    assert simulator.sessions[0].texts[-1] == {"type": "CloseStream"}


async def test_audio_goes_out_untouched_in_the_agreed_pieces(model: str) -> None:
    spoken = tone(0.4)
    async with vendor() as simulator, Deepgram(config(simulator, model)).session() as session:
        await say(session, b"", spoken, silence(1.2))
        await turn(session)
    assert bytes(simulator.sessions[0].audio).startswith(spoken)
    assert not simulator.sessions[0].notes


@pytest.mark.parametrize("code", [None, 1011, 1000])
async def test_drop_in_mid_utterance_loses_no_turn_and_ends_it_once(model: str, code: int | None) -> None:
    async with vendor() as simulator, Deepgram(config(simulator, model)).session() as session:
        simulator.faults.add(DropSocket(after_audio_ms=700, code=code))
        await say(session, tone(1.0))
        await simulator.sessions[0].closed.wait()
        await say(session, tone(0.6), silence(1.6))
        first = await turn(session)
        await say(session, tone(1.0), silence(1.6))
        second = await turn(session)
        assert (first[-1], announced_once(first)) == (EndOfTurn(LINES[0], "model"), True)
        assert (second[-1], announced_once(second)) == (EndOfTurn(LINES[1], "model"), True)
        assert session.reconnects == 1


async def test_drop_between_turns_brings_no_turn_back(model: str) -> None:
    async with vendor() as simulator, Deepgram(config(simulator, model)).session() as session:
        await say(session, tone(1.0), silence(1.6))
        assert (await turn(session))[-1] == EndOfTurn(LINES[0], "model")
        simulator.faults.add(DropSocket())
        await say(session, silence(0.4))
        await simulator.sessions[0].closed.wait()
        await say(session, tone(1.0), silence(1.6))
        events = await turn(session)
        assert (events[-1], announced_once(events)) == (EndOfTurn(LINES[1], "model"), True)


async def test_speech_during_the_outage_is_heard(model: str) -> None:
    async with vendor() as simulator, Deepgram(config(simulator, model)).session() as session:
        simulator.faults.add(SlowUpgrade(0.3))
        simulator.faults.add(DropSocket())
        await say(session, silence(0.2))
        await simulator.sessions[0].closed.wait()
        await say(session, tone(1.0), silence(1.6))
        assert (await turn(session))[-1] == EndOfTurn(LINES[0], "model")


async def test_refused_reconnects_are_tried_again_later(model: str) -> None:
    async with vendor() as simulator, Deepgram(config(simulator, model)).session() as session:
        simulator.faults.add(Refuse(503), times=2)
        simulator.faults.add(Refuse(429))
        simulator.faults.add(DropSocket(after_audio_ms=500))
        await say(session, tone(1.0), silence(1.6))
        events = await turn(session)
        assert (events[-1], announced_once(events)) == (EndOfTurn(LINES[0], "model"), True)


async def test_vendor_that_keeps_dropping_is_given_up(model: str) -> None:
    async with vendor() as simulator, Deepgram(config(simulator, model)).session() as session:
        simulator.faults.add(DropSocket(), times=None)
        await say(session, tone(1.0))
        with pytest.raises(ProviderDropped, match="keeps_dropping"):
            await turn(session)
        with pytest.raises(ProviderDropped):
            await turn(session)
        await say(session, tone(0.1))


@pytest.mark.parametrize(("status", "tries"), [(400, 1), (401, 1), (402, 1), (403, 1), (503, 2), (429, 2)])
async def test_refusals_at_the_start_are_told_apart(model: str, status: int, tries: int) -> None:
    async with vendor() as simulator:
        simulator.faults.add(Refuse(status), times=None)
        with pytest.raises(ProviderRefused) as refusal:
            async with Deepgram(config(simulator, model)).session():
                pass
    assert (refusal.value.fault, refusal.value.retryable) == (f"http_{status}", tries > 1)
    assert len(simulator.faults.struck) == tries


async def test_refusal_in_mid_call_is_not_repeated(model: str) -> None:
    async with vendor() as simulator, Deepgram(config(simulator, model)).session() as session:
        simulator.faults.add(Refuse(402), times=None)
        simulator.faults.add(DropSocket())
        await say(session, tone(0.5))
        with pytest.raises(ProviderRefused, match="http_402"):
            await turn(session)


async def test_wrong_audio_is_not_sent_again(model: str) -> None:
    async with vendor() as simulator, Deepgram(config(simulator, model)).session() as session:
        simulator.faults.add(DropSocket(code=1008, reason="DATA-0000"))
        await say(session, tone(0.5))
        with pytest.raises(ProviderRefused, match="closed_1008"):
            await turn(session)
    assert len(simulator.sessions) == 1


async def test_nobody_there(model: str) -> None:
    async with vendor() as simulator:
        gone = config(simulator, model)
    with pytest.raises(ProviderDropped, match="unreachable"):
        async with Deepgram(gone).session():
            pass


async def test_vendor_that_does_not_answer_the_upgrade(model: str) -> None:
    async with vendor() as simulator:
        simulator.faults.add(SlowUpgrade(0.3), times=None)
        hasty = replace(config(simulator, model), open_s=0.05)
        with pytest.raises(ProviderStalled, match="open_timeout"):
            async with Deepgram(hasty).session():
                pass


async def test_quiet_line_still_ends_the_turn(model: str) -> None:
    async with vendor() as simulator:
        feeding = replace(config(simulator, model), idle_after_s=0.05)
        async with Deepgram(feeding).session() as session:
            await say(session, tone(1.0))
            assert (await turn(session))[-1] == EndOfTurn(LINES[0], "model")


async def test_forced_end_is_answered(model: str) -> None:
    async with vendor() as simulator, Deepgram(config(simulator, model)).session() as session:
        await session.force_end_of_turn()
        await say(session, tone(1.1))
        events = session.events()
        async with asyncio.timeout(5):
            assert await anext(events) == SpeechStarted()
        await session.force_end_of_turn()
        events_left = await turn(session)
        assert isinstance(events_left[-1], EndOfTurn)
        assert events_left[-1].trigger == "forced"


async def test_forced_end_without_an_answer_ends_with_the_words_known(model: str) -> None:
    async with vendor() as simulator:
        hasty = replace(config(simulator, model), force_wait_s=0.05)
        async with Deepgram(hasty).session() as session:
            simulator.faults.add(Stall(after_audio_ms=1100))
            await say(session, tone(1.2))
            events = session.events()
            async with asyncio.timeout(5):
                assert await anext(events) == SpeechStarted()
            await session.force_end_of_turn()
            first = await turn(session)
            assert isinstance(first[-1], EndOfTurn)
            assert first[-1].trigger == "forced"
            await say(session, silence(0.5), tone(1.0), silence(1.6))
            second = await turn(session)
            assert announced_once(second)


async def test_mute_socket_is_replaced_and_the_turn_heard_again(model: str) -> None:
    async with vendor() as simulator:
        watchful = replace(config(simulator, model), mute_after_s=0.2)
        async with Deepgram(watchful).session() as session:
            simulator.faults.add(Stall(after_audio_ms=600))
            await say(session, tone(1.0))
            await simulator.sessions[0].closed.wait()
            await say(session, tone(0.2), silence(1.6))
            events = await turn(session)
            assert (events[-1], announced_once(events)) == (EndOfTurn(LINES[0], "model"), True)
            assert session.reconnects >= 1


async def test_turn_that_every_socket_is_mute_about_ends_all_the_same(model: str) -> None:
    async with vendor() as simulator:
        watchful = replace(config(simulator, model), mute_after_s=0.2, idle_after_s=0.05)
        async with Deepgram(watchful).session() as session:
            await say(session, tone(1.1))
            events = session.events()
            async with asyncio.timeout(5):
                assert await anext(events) == SpeechStarted()
            simulator.faults.add(Stall(), times=None)
            ended = (await turn(session))[-1]
            assert isinstance(ended, EndOfTurn)
            assert ended.trigger == "timeout"


@pytest.mark.parametrize(
    "frame", ["garbage", '{"type":"SomethingNew"}', b"\x00\xff", "[]", '{"type":"TurnInfo"}']
)
async def test_odd_messages_are_skipped(model: str, frame: str | bytes) -> None:
    async with vendor() as simulator, Deepgram(config(simulator, model)).session() as session:
        simulator.faults.add(Inject(frame, after_audio_ms=300))
        await say(session, tone(1.0), silence(1.6))
        assert (await turn(session))[-1] == EndOfTurn(LINES[0], "model")
        assert session.reconnects == 0


async def test_leaving_is_quick_even_if_the_vendor_no_longer_reads(model: str) -> None:
    async with vendor() as simulator:
        curt = replace(config(simulator, model), close_s=0.05)
        async with asyncio.timeout(5), Deepgram(curt).session() as session:
            simulator.faults.add(Stall(reading=False))
            await say(session, tone(0.5))


async def test_cancelled_call_leaves_nothing_open(model: str) -> None:
    async with vendor() as simulator:
        entered = asyncio.Event()

        async def call() -> None:
            async with Deepgram(config(simulator, model)).session() as session:
                entered.set()
                await turn(session)

        calling = asyncio.create_task(call())
        await entered.wait()
        calling.cancel()
        await asyncio.wait({calling})
        async with asyncio.timeout(5):
            await simulator.sessions[0].closed.wait()


async def test_sessions_do_not_hear_each_other(model: str) -> None:
    voices = {440: ["First."], 620: ["Second."]}
    async with vendor_of(voices) as simulator:
        deepgram = Deepgram(config(simulator, model))
        async with deepgram.session() as first, deepgram.session() as second:
            await asyncio.gather(
                say(first, tone(0.8), silence(1.6)), say(second, tone(0.8, pitch_hz=620), silence(1.6))
            )
            assert (await turn(first))[-1] == EndOfTurn("First.", "model")
            assert (await turn(second))[-1] == EndOfTurn("Second.", "model")


@asynccontextmanager
async def vendor_of(voices: dict[int, list[str]]) -> AsyncIterator[DeepgramSimulator]:
    async with DeepgramSimulator(Script(voices).hearing) as simulator:
        yield simulator


async def test_audio_of_another_rate_goes_as_it_is_and_is_replayed_in_whole_samples(model: str) -> None:
    """A drop at an odd instant; each sample is another than its neighbours, so its place is known."""
    wide = AudioFormat("linear16", 44_100)
    narrow = decode(tone(1.6) + silence(1.6))
    at_s = np.arange(wide.size(3.2) // wide.sample_bytes) / wide.rate_hz
    spoken = np.interp(at_s, np.arange(narrow.size) / 8_000, narrow)
    sound = (spoken + np.arange(spoken.size) % 90).astype("<i2").tobytes()
    async with vendor() as simulator:
        async with Deepgram(replace(config(simulator, model), audio=wide)).session() as session:
            simulator.faults.add(DropSocket(after_audio_ms=733))
            for at in range(0, len(sound), 3_058):
                await session.send_audio(sound[at : at + 3_058])
                await asyncio.sleep(0)
                if at == 30 * 3_058:
                    await simulator.sessions[0].closed.wait()
            events = await turn(session)
        first, second = simulator.sessions
    assert (events[-1], announced_once(events)) == (EndOfTurn(LINES[0], "model"), True)
    assert (first.params["encoding"], first.params["sample_rate"]) == (["linear16"], ["44100"])
    assert sound.startswith(bytes(first.audio))
    assert sound.find(bytes(second.audio)) % wide.sample_bytes == 0
