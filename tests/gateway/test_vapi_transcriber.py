"""The custom transcriber, by a real WebSocket client with real samples: what is heard, told and kept."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import asyncpg
import numpy as np
import pytest
import redis.asyncio
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bench.simulators.cartesia import CartesiaSimulator
from bench.simulators.chat import ChatSimulator
from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script, silence, tone
from bench.simulators.faults import DropSocket, Refuse
from bench.simulators.offline.tone import ToneVoice
from bench.simulators.replies import ScriptedModel
from booking.db import org_transaction
from booking.vapi_calls import open_vapi_call
from compliance.consent import withhold_words
from gateway.consent import WITHHELD
from gateway.feed import channel
from gateway.vapi.sharing import call_id_of
from pipeline.audio.mulaw import decode
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.at_vapi import CALL, HEADERS, environment

SAID = "This is Rosalind Franklin, my number is 07700 900123."
NEXT = "I have had a rhinoplasty."
REFUSAL = "Please don't record this call."
AFTER = "I'd like to come on Tuesday."
START = {"type": "start", "encoding": "linear16", "container": "raw", "sampleRate": 16000, "channels": 2}


@pytest.fixture
async def vendors() -> AsyncIterator[running.Vendors]:
    async with (
        DeepgramSimulator(Script([SAID, NEXT, REFUSAL, AFTER]).hearing) as deepgram,
        ChatSimulator(ScriptedModel([])) as chat,
        CartesiaSimulator(ToneVoice()) as cartesia,
    ):
        yield running.Vendors(deepgram, chat, cartesia)


@pytest.fixture
async def gateway(stack: Stack, vendors: running.Vendors) -> AsyncIterator[running.Gateway]:
    waits = {"MEDIA_IDLE_S": "2", "MEDIA_START_S": "2", "DEEPGRAM_OPEN_ATTEMPTS": "1"}
    async with running.gateway(environment(stack, vendors, MEDIA_GARBAGE_FRAMES="3", **waits)) as served:
        yield served


def at(gateway: running.Gateway, whose: str = "", *, signed: bool = True) -> connect:
    url = gateway.url.replace("http", "ws", 1) + "/vapi/transcriber" + whose
    return connect(url, additional_headers=HEADERS if signed else {}, compression=None, close_timeout=1)


def caller(mulaw: bytes, rate_hz: int = 16000) -> np.ndarray[Any, np.dtype[np.int16]]:
    """The caller's samples, each another than its neighbours."""
    samples = np.repeat(decode(mulaw), rate_hz // 8000)
    return (samples + np.arange(samples.size) % 90).astype("<i2")


def interleaved(channel_0: np.ndarray[Any, np.dtype[np.int16]]) -> bytes:
    """With an assistant on channel 1 that never stops talking."""
    other = (8_000 * np.sin(np.arange(channel_0.size) / 9)).astype("<i2")
    return np.stack([channel_0, other], axis=1).astype("<i2").tobytes()


async def stream(socket: ClientConnection, audio: bytes, *, piece: int = 6_397) -> None:
    """Cut anywhere but between samples."""
    for place in range(0, len(audio), piece):
        await socket.send(audio[place : place + piece])
        await asyncio.sleep(0.002)


async def heard(socket: ClientConnection, finals: int = 1) -> list[dict[str, str]]:
    frames: list[dict[str, str]] = []
    async with asyncio.timeout(20):
        while sum(frame.get("transcriptType") == "final" for frame in frames) < finals:
            frames.append(json.loads(await socket.recv()))
    return frames


async def ended(socket: ClientConnection) -> tuple[list[dict[str, str]], int | None]:
    """What still comes, and the code that the socket is closed with."""
    frames = []
    try:
        async with asyncio.timeout(10):
            while True:
                frames.append(json.loads(await socket.recv()))
    except ConnectionClosed:
        return frames, socket.close_code


async def test_the_caller_alone_is_heard_and_only_vapi_is_told_their_words(
    gateway: running.Gateway, vendors: running.Vendors, clinic: Clinic, stack: Stack
) -> None:
    said = caller((tone(1.2) + silence(1.8)) * 4)
    store = redis.asyncio.from_url(stack.redis)
    with capture_logs() as logged:
        async with store, store.pubsub() as feed:
            await feed.subscribe(channel(clinic.claim.org_id))
            async with at(gateway, f"/{clinic.claim.org_id}?call={CALL}") as socket:
                await socket.send(json.dumps(START))
                await stream(socket, interleaved(said))
                frames = await heard(socket, finals=4)
            shown = [json.loads(each["data"]) async for each in _messages(feed, 4)]
    finals = [frame["transcription"] for frame in frames if frame["transcriptType"] == "final"]
    partials = [frame["transcription"] for frame in frames if frame["transcriptType"] == "partial"]
    assert finals == [SAID, NEXT, REFUSAL, AFTER]
    assert partials
    assert all(partials)
    assert all(before != after for before, after in pairwise(partials))
    assert {(frame["type"], frame["channel"]) for frame in frames} == {("transcriber-response", "customer")}
    [session] = vendors.deepgram.sessions
    assert session.params["encoding"] == ["linear16"]
    assert session.params["sample_rate"] == ["16000"]
    assert said.tobytes().startswith(bytes(session.audio[: len(said.tobytes())]))
    assert len(session.audio) > 0.9 * len(said.tobytes())
    call_id = str(call_id_of(clinic.claim.org_id, CALL))
    assert [(each["call_id"], each["turn"]) for each in shown] == [(call_id, turn) for turn in (1, 2, 3, 4)]
    assert [each["text"] == WITHHELD for each in shown] == [False, False, True, True]
    public = json.dumps(shown) + json.dumps(logged, default=str)
    assert "caller_said" in public
    for word in ("Rosalind", "Franklin", "07700", "900123", "rhinoplasty"):
        assert word not in public
    await served(gateway, done=1)


async def test_a_process_that_is_to_stop_waits_for_those_it_hears(gateway: running.Gateway) -> None:
    async with at(gateway) as socket:
        await socket.send(json.dumps(START | {"channels": 1}))
        await stream(socket, caller(tone(1.2) + silence(1.8)).tobytes())
        draining = asyncio.create_task(gateway.edge.calls.drained(within_s=10))
        await heard(socket)
        assert not draining.done()
    assert await draining


async def test_a_refusal_on_the_calls_record_holds_here_too(
    gateway: running.Gateway, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    org_id, now = clinic.claim.org_id, datetime.now(UTC)
    call_id, wait = call_id_of(org_id, CALL), timedelta(minutes=15)
    await open_vapi_call(pool, clinic.claim, call_id=call_id, vapi_id=CALL, started_at=now, ask_after=wait)
    async with org_transaction(pool, clinic.claim) as connection:
        await withhold_words(connection, org_id, call_id)
    with capture_logs() as logged:
        async with at(gateway, f"/{org_id}?call={CALL}") as socket:
            await socket.send(json.dumps(START | {"channels": 1}))
            await stream(socket, caller(tone(1.2) + silence(1.8)).tobytes())
            assert (await heard(socket))[-1]["transcription"] == SAID
        await served(gateway, done=1)
    assert [each["text"] for each in logged if each["event"] == "caller_said"] == [WITHHELD]


async def served(gateway: running.Gateway, **outcomes: int) -> None:
    """So many sockets have come to these ends, soon: the recogniser is closed first."""
    async with asyncio.timeout(10):
        for outcome, times in outcomes.items():
            told = {"service": "transcriber", "outcome": outcome}
            while gateway.counted("gateway_vapi_served_total", **told) != times:  # noqa: ASYNC110  nothing tells a caller
                await asyncio.sleep(0.02)


async def _messages(feed: redis.asyncio.client.PubSub, count: int) -> AsyncIterator[dict[str, Any]]:
    async with asyncio.timeout(10):
        while count:
            message = await feed.get_message(ignore_subscribe_messages=True, timeout=1)
            if message is not None:
                count -= 1
                yield message


async def test_what_is_no_start_or_no_audio_has_its_stated_answer(gateway: running.Gateway) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with at(gateway, signed=False):
            raise AssertionError("it was let in")
    assert refusal.value.response.status_code == 401
    for wrong in ({"encoding": "mulaw"}, {"container": "wav"}, {"sampleRate": 4000}, {"channels": 6}):
        async with at(gateway) as socket:
            await socket.send(json.dumps(START | wrong))
            [told], code = await ended(socket)
            assert (told["type"], code) == ("error", 1003)
            assert " must be " in told["error"]
    async with at(gateway) as socket:
        await socket.send(json.dumps(START))
        await socket.send(json.dumps({"type": "model-output", "output": "x"}))
        await socket.send(json.dumps(START))
        assert await ended(socket) == ([{"type": "error", "error": "second_start"}], 1008)
    async with at(gateway) as socket:
        await socket.send(b"\0" * 640)
        for _ in range(4):
            await socket.send("{")
        assert await ended(socket) == ([{"type": "error", "error": "too_much_garbage"}], 1008)
    assert gateway.counted("gateway_bad_frames_total", reason="before_start") == 1
    assert gateway.counted("gateway_bad_frames_total", reason="malformed") == 4
    assert gateway.counted("gateway_bad_frames_total", reason="start") == 4
    await served(gateway, invalid=4, cut=2, refused=1)


async def test_a_lost_recogniser_is_replaced_and_one_that_refuses_is_told(
    gateway: running.Gateway, vendors: running.Vendors
) -> None:
    async with at(gateway) as socket:
        await socket.send(json.dumps(START | {"channels": 1, "sampleRate": 8000}))
        vendors.deepgram.faults.add(DropSocket(after_audio_ms=700))
        await stream(socket, caller(tone(1.2) + silence(1.8), 8000).tobytes(), piece=321)
        frames = await heard(socket)
        assert [frame["transcription"] for frame in frames if frame["transcriptType"] == "final"] == [SAID]
    assert len(vendors.deepgram.sessions) == 2
    vendors.deepgram.faults.add(Refuse(401), times=None)
    async with at(gateway) as socket:
        await socket.send(json.dumps(START))
        assert await ended(socket) == ([{"type": "error", "error": "recogniser_failed"}], 1011)
