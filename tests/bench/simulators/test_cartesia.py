"""The Cartesia simulator, driven by Cartesia's own SDK and, where that forgives, by a bare WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import cartesia
import pytest
from cartesia import AsyncCartesia
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bench.simulators.cartesia import (
    CartesiaSimulator,
    DropSpeech,
    FreezeSocket,
    LateAudio,
    SpeechError,
    SpeechLimits,
    StallSpeech,
)
from bench.simulators.faults import Inject, Refuse
from bench.simulators.offline.tone import ToneVoice

MULAW = {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000}
VERSION = "2026-08-14"


@pytest.fixture
async def simulator() -> AsyncIterator[CartesiaSimulator]:
    async with CartesiaSimulator(
        ToneVoice(ms_per_char=50), limits=SpeechLimits(context_expiry_s=0.2)
    ) as server:
        yield server


@pytest.fixture
async def sdk(simulator: CartesiaSimulator) -> AsyncIterator[AsyncCartesia]:
    ws_url = simulator.url.replace("http", "ws")
    client = AsyncCartesia(
        api_key="test-key", base_url=simulator.url, websocket_base_url=ws_url, max_retries=0
    )
    async with client:
        yield client


@asynccontextmanager
async def socket(
    simulator: CartesiaSimulator, *, key: str = "test-key", version: str | None = VERSION
) -> AsyncIterator[ClientConnection]:
    headers = {"Authorization": f"Bearer {key}"}
    if version:
        headers["Cartesia-Version"] = version
    url = simulator.url.replace("http", "ws") + "/tts/websocket"
    async with connect(url, additional_headers=headers, compression=None) as connection:
        yield connection


def request(context_id: str = "c1", transcript: str = "Hello there. ", **fields: Any) -> str:
    message = {
        "model_id": "sonic-3",
        "transcript": transcript,
        "voice": {"mode": "id", "id": "v"},
        "language": "en",
        "context_id": context_id,
        "continue": True,
        "max_buffer_delay_ms": 0,
        "output_format": MULAW,
        "add_timestamps": True,
    }
    return json.dumps({key: value for key, value in {**message, **fields}.items() if value is not ...})


async def answer(connection: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await asyncio.wait_for(connection.recv(), 5))
    return message


async def answers_until(connection: ClientConnection, kind: str) -> list[dict[str, Any]]:
    seen = [await answer(connection)]
    while seen[-1]["type"] != kind:
        seen.append(await answer(connection))
    return seen


async def test_sdk_speaks_two_pushes_a_flush_and_finishes(
    simulator: CartesiaSimulator, sdk: AsyncCartesia
) -> None:
    async with sdk.tts.websocket_connect(websocket_connection_options={"compression": None}) as connection:
        context = connection.context(
            model_id="sonic-3",
            voice={"mode": "id", "id": "v"},
            language="en",
            output_format=MULAW,  # type: ignore[arg-type]
            add_timestamps=True,
            max_buffer_delay_ms=0,
            timeout=5,
        )
        await context.push("Hello, ")
        await context.push("", flush=True)
        await context.push("world.")
        await context.no_more_inputs()
        events = [event async for event in context.receive()]
    kinds = [event.type for event in events]
    assert kinds[-1] == "done"
    assert kinds.count("flush_done") == 1
    audio = b"".join(event.audio for event in events if event.type == "chunk")
    assert len(audio) == 8 * 50 * len("Hello, world.")
    words = [w for event in events if event.type == "timestamps" for w in event.word_timestamps.words]
    assert words == ["Hello,", "world."]
    assert simulator.contexts[0].texts == ["Hello, ", "", "world.", ""]


async def test_word_times_run_on_over_the_texts_of_a_context(simulator: CartesiaSimulator) -> None:
    async with socket(simulator) as connection:
        await connection.send(request(transcript="One two "))
        await connection.send(request(transcript="three.", **{"continue": False}))
        seen = await answers_until(connection, "done")
    times = [message["word_timestamps"] for message in seen if message["type"] == "timestamps"]
    assert times[0] == {"words": ["One", "two"], "start": [0.0, 0.2], "end": [0.15, 0.35]}
    assert times[1] == {"words": ["three."], "start": [0.4], "end": [0.7]}


async def test_two_contexts_interleave_on_one_socket(simulator: CartesiaSimulator) -> None:
    async with socket(simulator) as connection:
        await connection.send(request("a", "A long enough sentence. ", **{"continue": False}))
        await connection.send(request("b", "Another long sentence. ", **{"continue": False}))
        order = [message["context_id"] for message in await answers_until(connection, "done")]
    assert set(order) == {"a", "b"}
    assert order != sorted(order)


async def test_text_waits_for_its_sentence_when_the_server_buffers(simulator: CartesiaSimulator) -> None:
    async with socket(simulator) as connection:
        for piece in ("The first ", "one. And ", "the second"):
            await connection.send(request(transcript=piece, max_buffer_delay_ms=2000))
        await connection.send(request(transcript="", max_buffer_delay_ms=2000, **{"continue": False}))
        await answers_until(connection, "done")
    assert simulator.contexts[0].spoken == ["The first one. ", "And the second"]


async def test_a_buffered_rest_is_spoken_after_its_delay(simulator: CartesiaSimulator) -> None:
    async with socket(simulator) as connection:
        await connection.send(request(transcript="no end in sight", max_buffer_delay_ms=50))
        assert (await answer(connection))["type"] == "chunk"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"model_id": "sonic-2"}, "model_sunsetted"),
        ({"model_id": "sonic-turbo"}, "model_sunsetted"),
        ({"model_id": "sonic-turbo-2025-03-07"}, "model_sunsetted"),
        ({"model_id": "sonic-9"}, None),
        ({"model_id": ...}, None),
        ({"voice": ...}, None),
        ({"voice": {"mode": "embedding", "embedding": [0.1]}}, None),
        ({"output_format": {**MULAW, "container": "wav"}}, None),
        ({"output_format": {**MULAW, "encoding": "mulaw"}}, None),
        ({"output_format": {**MULAW, "sample_rate": 11025}}, None),
        ({"output_format": {**MULAW, "sample_rate": 8000.0}}, None),
        ({"output_format": ...}, None),
        ({"transcript": ...}, None),
        ({"transcript": " ... "}, None),
        ({"max_buffer_delay_ms": 5001}, None),
        ({"max_buffer_delay_ms": True}, None),
        ({"language": "en", "locale": "en-GB"}, None),
        ({"generation_config": {"speed": 2}}, None),
        ({"generation_config": {"speed": True}}, None),
        ({"add_timestamp": True}, None),
        ({"continue": "yes"}, None),
    ],
)
async def test_a_wrong_request_is_answered_by_an_error(
    simulator: CartesiaSimulator, fields: dict[str, Any], code: str | None
) -> None:
    async with socket(simulator) as connection:
        await connection.send(request(**fields))
        error = await answer(connection)
        await connection.send(request("c2", **{"continue": False}))
        assert (await answers_until(connection, "done"))[-1]["context_id"] == "c2"
    assert (error["type"], error["done"], error["context_id"]) == ("error", True, "c1")
    assert error["status_code"] in range(400, 500)
    assert error["error_code"] == code


@pytest.mark.parametrize("frame", ["no json", "[]", b"\x00\x01", request(context_id=...)])  # type: ignore[arg-type]
async def test_what_names_no_context_gets_an_error_without_one(
    simulator: CartesiaSimulator, frame: str | bytes
) -> None:
    async with socket(simulator) as connection:
        await connection.send(frame)
        error = await answer(connection)
    assert error["type"] == "error"
    assert "context_id" not in error


@pytest.mark.parametrize(
    "change",
    [
        {"voice": {"mode": "id", "id": "w"}},
        {"add_timestamps": ...},
        {"output_format": {**MULAW, "sample_rate": 16000}},
        {"max_buffer_delay_ms": 10},
    ],
)
async def test_a_field_that_changes_within_a_context_ends_it(
    simulator: CartesiaSimulator, change: dict[str, Any]
) -> None:
    async with socket(simulator) as connection:
        await connection.send(request())
        await connection.send(request(**change))
        error = (await answers_until(connection, "error"))[-1]
    assert error["context_id"] == "c1"
    assert simulator.contexts[0].ended == "failed"


async def test_an_id_is_over_once_its_context_is_done(simulator: CartesiaSimulator) -> None:
    async with socket(simulator) as connection:
        await connection.send(request(**{"continue": False}))
        await answers_until(connection, "done")
        await connection.send(request())
        assert (await answer(connection))["type"] == "error"


async def test_a_context_expires_after_its_last_audio(simulator: CartesiaSimulator) -> None:
    async with socket(simulator) as connection:
        await connection.send(request())
        await answers_until(connection, "chunk")
        await asyncio.wait_for(simulator.contexts[0].over.wait(), 5)
        await connection.send(request())
        await answers_until(connection, "error")
    assert simulator.contexts[0].ended == "expired"


async def test_a_cancel_drops_what_has_not_begun_and_ends_what_has(simulator: CartesiaSimulator) -> None:
    simulator.pace.audio_s_per_s = 5
    async with socket(simulator) as connection:
        await connection.send(request(transcript="Twenty characters..."))
        await connection.send(request(transcript="This is never spoken."))
        await answer(connection)
        await connection.send(json.dumps({"context_id": "c1", "cancel": True}))
        seen = await answers_until(connection, "done")
    assert sum(message["type"] == "chunk" for message in seen) == 9
    assert simulator.contexts[0].spoken == ["Twenty characters..."]
    assert simulator.contexts[0].cancelled


async def test_late_audio_follows_a_cancel_when_planned(simulator: CartesiaSimulator) -> None:
    simulator.faults.add(LateAudio(chunks=2))
    async with socket(simulator) as connection:
        await connection.send(request(transcript="Hi"))
        await answers_until(connection, "timestamps")
        await connection.send(json.dumps({"context_id": "c1", "cancel": True}))
        seen = await answers_until(connection, "done")
    assert [message["type"] for message in seen] == ["chunk", "chunk", "done"]


async def test_too_many_contexts_are_limited(simulator: CartesiaSimulator) -> None:
    simulator.limits.max_contexts = 1
    async with socket(simulator) as connection:
        await connection.send(request("a"))
        await connection.send(request("b"))
        error = (await answers_until(connection, "error"))[-1]
    assert (error["status_code"], error["error_code"], error["context_id"]) == (
        429,
        "concurrency_limited",
        "b",
    )


async def test_older_versions_get_plain_errors(simulator: CartesiaSimulator) -> None:
    async with socket(simulator, version="2025-04-16") as connection:
        await connection.send(request(model_id="sonic-2"))
        error = await answer(connection)
    assert error["error"] == "Model sunsetted: sonic-2 was switched off."
    assert "error_code" not in error


@pytest.mark.parametrize(
    ("key", "version", "status"), [("wrong", VERSION, 401), ("test-key", None, 400), ("test-key", "new", 400)]
)
async def test_an_upgrade_needs_a_key_and_a_version(
    simulator: CartesiaSimulator, key: str, version: str | None, status: int
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket(simulator, key=key, version=version):
            pass
    assert refused.value.response.status_code == status


async def test_an_idle_socket_is_closed_however_often_it_is_pinged(simulator: CartesiaSimulator) -> None:
    assert simulator.limits.idle_socket_s == 300, "the documented limit"
    simulator.limits.idle_socket_s = 0.2
    async with socket(simulator) as connection, asyncio.timeout(10):
        with suppress(ConnectionClosed):
            while True:
                await (await connection.ping())
    assert connection.close_code == 1000


async def test_a_frozen_socket_answers_nothing_any_more(simulator: CartesiaSimulator) -> None:
    simulator.faults.add(FreezeSocket())
    async with socket(simulator) as connection:
        await (await connection.ping())
        await connection.send(request())
        pong = asyncio.ensure_future(await connection.ping())
        heard = asyncio.create_task(connection.recv())
        done, _ = await asyncio.wait({pong, heard}, timeout=0.3)
        heard.cancel()
        connection.transport.abort()
    assert not done


async def test_planned_faults_strike_where_they_should(simulator: CartesiaSimulator) -> None:
    simulator.faults.add(Inject("not json"))
    simulator.faults.add(SpeechError(status=429, error_code="concurrency_limited", after_chunks=1))
    async with socket(simulator) as connection:
        await connection.send(request())
        assert await connection.recv() == "not json"
        seen = await answers_until(connection, "error")
        assert [message["type"] for message in seen] == ["chunk", "timestamps", "error"]
        simulator.faults.add(SpeechError(with_context_id=False))
        await connection.send(request("c2"))
        assert "context_id" not in await answer(connection)
        simulator.faults.add(StallSpeech(after_chunks=1))
        await connection.send(request("c3"))
        await answers_until(connection, "timestamps")
        await connection.send(request("c4", **{"continue": False}))
        assert {message["context_id"] for message in await answers_until(connection, "done")} == {"c4"}
        simulator.faults.add(DropSpeech())
        await connection.send(request("c5"))
        with pytest.raises(ConnectionClosed):
            await connection.recv()
    assert connection.close_code == 1006


async def test_an_upgrade_is_refused_when_planned(simulator: CartesiaSimulator) -> None:
    simulator.faults.add(Refuse(status=503))
    with pytest.raises(InvalidStatus):
        async with socket(simulator):
            pass
    async with socket(simulator):
        pass


async def test_sdk_fetches_bytes(simulator: CartesiaSimulator, sdk: AsyncCartesia) -> None:
    async with sdk.tts.with_streaming_response.generate(
        model_id="sonic-3",
        transcript="One moment, please.",
        voice={"mode": "id", "id": "v"},
        output_format=MULAW,  # type: ignore[arg-type]
    ) as response:
        audio = b"".join([chunk async for chunk in response.iter_bytes()])
    assert len(audio) == 8 * 50 * len("One moment, please.")
    assert simulator.requests[0].body["transcript"] == "One moment, please."


async def test_sdk_fetches_a_wav_file(sdk: AsyncCartesia) -> None:
    response = await sdk.tts.generate(
        model_id="sonic-3",
        transcript="Hello",
        voice={"mode": "id", "id": "v"},
        output_format={"container": "wav", "encoding": "pcm_s16le", "sample_rate": 16000},
    )
    wav = await response.read()
    assert wav[:4] == b"RIFF"
    assert len(wav) == 44 + 5 * 50 * 32


async def test_sdk_sees_the_refusal_of_a_retired_model(sdk: AsyncCartesia) -> None:
    with pytest.raises(cartesia.APIStatusError) as refused:
        await sdk.tts.generate(
            model_id="sonic-2",
            transcript="Hello",
            voice={"mode": "id", "id": "v"},
            output_format=MULAW,  # type: ignore[arg-type]
        )
    body: Any = refused.value.body
    assert body["error_code"] == "model_sunsetted"


async def test_sdk_lists_and_gets_voices(sdk: AsyncCartesia) -> None:
    voices = [voice async for voice in sdk.voices.list()]
    assert (await sdk.voices.get(voices[0].id)).name == voices[0].name
    with pytest.raises(cartesia.NotFoundError):
        await sdk.voices.get("nobody")


async def test_the_server_leaves_nothing_behind_an_open_socket(simulator: CartesiaSimulator) -> None:
    async with socket(simulator) as connection:
        await connection.send(request())
        await answer(connection)
        await connection.close()
        await asyncio.wait_for(simulator.sockets[0].closed.wait(), 5)
    assert simulator.active_contexts == 0
    assert simulator.contexts[0].ended == "abandoned"
