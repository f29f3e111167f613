"""What every `SpeechToText` must do, over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script, silence, tone
from bench.simulators.faults import DropSocket
from pipeline.errors import ProviderError
from pipeline.events import (
    EagerEndOfTurn,
    EndOfTurn,
    InterimTranscript,
    SpeechStarted,
    SttEvent,
    TurnResumed,
)
from pipeline.ports import SpeechToText, SttSession
from pipeline.providers.deepgram import Deepgram, DeepgramConfig

LINES = ["I would like an appointment.", "Tuesday please.", "No, that is all."]
FRAME = 160


@asynccontextmanager
async def deepgram(model: str) -> AsyncIterator[tuple[SpeechToText, DeepgramSimulator]]:
    async with DeepgramSimulator(Script(LINES).hearing) as simulator:
        yield Deepgram(DeepgramConfig("test-key", url=simulator.url, model=model, idle_after_s=5)), simulator


IMPLEMENTATIONS = ["flux-general-en", "nova-3"]


async def say(session: SttSession, *pieces: bytes) -> None:
    for piece in pieces:
        for at in range(0, len(piece), FRAME):
            await session.send_audio(piece[at : at + FRAME])
            await asyncio.sleep(0)


async def until(session: SttSession, turns: int) -> list[SttEvent]:
    events = list[SttEvent]()
    async with asyncio.timeout(10):
        async for event in session.events():
            events.append(event)
            if sum(isinstance(seen, EndOfTurn) for seen in events) == turns:
                return events
    return events


def require_turn_grammar(events: Sequence[SttEvent]) -> None:
    """SpeechStarted (Interim | Eager (Resumed | EndOfTurn))* EndOfTurn, over and over."""
    is_open = is_eager = False
    for event in events:
        match event:
            case SpeechStarted():
                assert not is_open
                is_open = True
            case InterimTranscript(text):
                assert is_open
                assert not is_eager
                assert text
            case EagerEndOfTurn(text):
                assert is_open
                assert not is_eager
                assert text
                is_eager = True
            case TurnResumed():
                assert is_eager
                is_eager = False
            case EndOfTurn():
                assert is_open
                is_open = is_eager = False
    assert not is_open


@pytest.mark.parametrize("model", IMPLEMENTATIONS)
async def test_turns_follow_the_grammar_and_carry_all_their_words(model: str) -> None:
    async with deepgram(model) as (recogniser, _), recogniser.session() as session:
        for _ in LINES:
            await say(session, tone(1.4), silence(2.0))
        events = await until(session, len(LINES))
    require_turn_grammar(events)
    assert [event.text for event in events if isinstance(event, EndOfTurn)] == LINES


@pytest.mark.parametrize("model", IMPLEMENTATIONS)
@pytest.mark.parametrize("after_ms", [0, 100, 300, 500, 700, 900, 1000, 1100])
async def test_a_drop_in_mid_turn_loses_no_turn_and_doubles_none(model: str, after_ms: int) -> None:
    async with deepgram(model) as (recogniser, simulator), recogniser.session() as session:
        simulator.faults.add(DropSocket(after_audio_ms=after_ms))
        events = list[SttEvent]()
        for _ in LINES:
            await say(session, tone(1.0), silence(1.6))
            events += await until(session, 1)
        assert simulator.faults.struck
    require_turn_grammar(events)
    assert [event.text for event in events if isinstance(event, EndOfTurn)] == LINES


@pytest.mark.parametrize("model", IMPLEMENTATIONS)
async def test_events_end_with_the_session(model: str) -> None:
    async with deepgram(model) as (recogniser, _):
        async with recogniser.session() as session:
            reading = asyncio.create_task(until(session, 1))
            await asyncio.sleep(0)
        assert await reading == []


@pytest.mark.parametrize("model", IMPLEMENTATIONS)
async def test_forcing_without_a_turn_is_ignored(model: str) -> None:
    async with deepgram(model) as (recogniser, _), recogniser.session() as session:
        await session.force_end_of_turn()
        await say(session, tone(1.0), silence(1.6))
        events = await until(session, 1)
    assert [event.text for event in events if isinstance(event, EndOfTurn)] == LINES[:1]


@pytest.mark.parametrize("model", IMPLEMENTATIONS)
async def test_lost_vendor_is_told_to_the_reader_and_not_to_the_sender(model: str) -> None:
    async with deepgram(model) as (recogniser, simulator), recogniser.session() as session:
        simulator.faults.add(DropSocket(code=1008))
        await say(session, tone(1.0))
        with pytest.raises(ProviderError):
            await until(session, 1)
        await say(session, tone(0.1))
        await session.force_end_of_turn()
