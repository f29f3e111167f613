"""The Deepgram simulator over real sockets: the vendor's own SDK as a client, and a bare one that
misbehaves.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script, silence, tone
from bench.simulators.faults import DelayMessages, DropSocket, Inject, Refuse, SlowUpgrade, Stall

Message = dict[str, Any]

_NOVA = "/v1/listen?model=nova-3&encoding=mulaw&sample_rate=8000&endpointing=300"
_FLUX = "/v2/listen?model=flux-general-en&encoding=mulaw&sample_rate=8000&eager_eot_threshold=0.5"
_KEY = {"Authorization": "Token test-key"}
_TURN = tone(0.8) + silence(1.0)
_DEADLINE_S = 5.0

# The SDK speaks through the client that websockets keeps for old programs, and says so by warnings.
_sdk = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
async def deepgram() -> AsyncIterator[DeepgramSimulator]:
    lines = ["I would like a consultation please.", "Tuesday at 10:30 please."]
    async with asyncio.timeout(30), DeepgramSimulator(Script(lines).hearing) as simulator:
        yield simulator


@asynccontextmanager
async def _connected(deepgram: DeepgramSimulator, target: str) -> AsyncIterator[ClientConnection]:
    url = deepgram.url.replace("http", "ws") + target
    async with connect(url, additional_headers=_KEY, compression=None, close_timeout=1) as socket:
        yield socket


async def _say(socket: ClientConnection, mulaw: bytes) -> None:
    for at in range(0, len(mulaw), 640):
        await socket.send(mulaw[at : at + 640])


async def _control(socket: ClientConnection, kind: str, **fields: object) -> None:
    await socket.send(json.dumps({"type": kind, **fields}))


async def _next(socket: ClientConnection, wanted: Callable[[Message], bool]) -> Message:
    async with asyncio.timeout(_DEADLINE_S):
        while True:
            message: Message = json.loads(await socket.recv())
            if wanted(message):
                return message


def _event(name: str) -> Callable[[Message], bool]:
    return lambda message: message.get("event") == name


def _kind(name: str) -> Callable[[Message], bool]:
    return lambda message: message.get("type") == name


async def _all_until_close(socket: ClientConnection) -> list[Message]:
    async with asyncio.timeout(_DEADLINE_S):
        return [json.loads(frame) async for frame in socket]


async def _close_of(socket: ClientConnection) -> tuple[int | None, str | None]:
    async with asyncio.timeout(_DEADLINE_S):
        await socket.wait_closed()
    return socket.close_code, socket.close_reason


# --- the vendor's SDK ---


def _sdk_client(deepgram: DeepgramSimulator) -> Any:
    from deepgram import AsyncDeepgramClient
    from deepgram.environment import DeepgramClientEnvironment

    http, ws = deepgram.url, deepgram.url.replace("http", "ws")
    urls = DeepgramClientEnvironment(base=http, production=ws, agent=ws, agent_rest=http)
    return AsyncDeepgramClient(api_key="test-key", environment=urls)


@_sdk
async def test_sdk_hears_a_flux_turn(deepgram: DeepgramSimulator) -> None:
    listen = _sdk_client(deepgram).listen.v2
    async with listen.connect(
        model="flux-general-en",
        encoding="mulaw",
        sample_rate=8000,
        eager_eot_threshold=0.5,
        keyterm=["botox"],
    ) as client:
        for at in range(0, len(_TURN), 640):
            await client.send_media(_TURN[at : at + 640])
        await client.send_configure({"type": "Configure", "thresholds": {"eot_threshold": 0.9}})
        await client.send_force_end_turn()
        await client.send_close_stream()
        heard = [message async for message in client]
    states = [message for message in heard if getattr(message, "event", "Update") != "Update"]
    assert [message.event for message in states] == ["StartOfTurn", "EagerEndOfTurn", "EndOfTurn"]
    assert states[1].transcript == states[2].transcript == "I would like a consultation please."
    assert states[2].trigger == "model"
    assert [message.sequence_id for message in heard] == list(range(len(heard)))
    assert {message.request_id for message in heard} == {deepgram.sessions[0].request_id}
    (configured,) = [message for message in heard if message.type == "ConfigureSuccess"]
    assert (configured.thresholds.eot_threshold, configured.keyterms) == (0.9, ["botox"])


@_sdk
async def test_sdk_hears_nova_results(deepgram: DeepgramSimulator) -> None:
    from deepgram.listen.v1.types import ListenV1Configure

    listen = _sdk_client(deepgram).listen.v1
    async with listen.connect(
        model="nova-3",
        encoding="mulaw",
        sample_rate=8000,
        interim_results=True,
        endpointing=300,
        utterance_end_ms=1000,
        vad_events=True,
        punctuate=True,
        keyterm=["rhinoplasty", "botox"],
        mip_opt_out=True,
        request_options={"additional_query_parameters": {"no_delay": "true"}},
    ) as client:
        await client.send_media(_TURN)
        await client.send_keep_alive()
        await client.send_configure(ListenV1Configure(keyterms=["Tuesday"], features={"numerals": True}))
        await client.send_media(tone(0.56))
        await client.send_finalize()
        await client.send_close_stream()
        heard = [message async for message in client]
    finals = [message for message in heard if message.type == "Results" and message.is_final]
    texts = [message.channel.alternatives[0].transcript for message in finals]
    assert texts == ["I would like a consultation please.", "Tuesday at"]
    assert [(message.speech_final, message.from_finalize) for message in finals] == [
        (True, False),
        (True, True),
    ]
    assert finals[0].metadata.model_info.name == "nova-3"
    kinds = {message.type for message in heard}
    assert kinds == {"SpeechStarted", "Results", "UtteranceEnd", "ConfigureSuccess", "Metadata"}
    assert (heard[-1].type, heard[-1].duration) == ("Metadata", pytest.approx(2.36))
    session = deepgram.sessions[0]
    assert session.params["keyterm"] == ["rhinoplasty", "botox"]
    assert [text["type"] for text in session.texts] == ["KeepAlive", "Configure", "Finalize", "CloseStream"]


@_sdk
async def test_sdk_learns_why_it_was_refused(deepgram: DeepgramSimulator) -> None:
    from deepgram.core.api_error import ApiError

    listen = _sdk_client(deepgram).listen.v1
    with pytest.raises(ApiError) as refused:
        async with listen.connect(model="flux-general-en", encoding="mulaw", sample_rate=8000):
            pass
    assert refused.value.status_code == 400
    headers = refused.value.__context__.headers  # type: ignore[union-attr]
    assert headers["dg-error"] == "Model flux-general-en is only available on /v2/listen."
    assert headers["dg-request-id"]


# --- the upgrade ---


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/v1/listen?model=flux-general-en&encoding=mulaw&sample_rate=8000", 400),
        ("/v2/listen?model=nova-3&encoding=mulaw&sample_rate=8000", 400),
        (_FLUX + "&smart_format=true", 400),
        (_NOVA + "&speling=true", 400),
        ("/v3/listen?model=nova-3", 404),
    ],
)
async def test_a_wrong_request_is_refused_at_the_upgrade(
    deepgram: DeepgramSimulator, target: str, status: int
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with _connected(deepgram, target):
            pass
    response = refused.value.response
    assert response.status_code == status
    body = json.loads(response.body or b"")
    assert body["err_msg"] == response.headers["dg-error"]
    assert body["request_id"] == response.headers["dg-request-id"]


@pytest.mark.parametrize("authorization", [None, "Token wrong", "Basic test-key", "test-key"])
async def test_a_wrong_key_is_refused(deepgram: DeepgramSimulator, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    with pytest.raises(InvalidStatus) as refused:
        async with connect(deepgram.url.replace("http", "ws") + _NOVA, additional_headers=headers):
            pass
    assert refused.value.response.status_code == 401


async def test_a_key_may_come_as_a_sub_protocol(deepgram: DeepgramSimulator) -> None:
    offered = [Subprotocol("token"), Subprotocol("test-key")]
    async with connect(deepgram.url.replace("http", "ws") + _FLUX, subprotocols=offered) as socket:
        assert socket.subprotocol == "token"
        assert await _next(socket, _kind("Connected"))


# --- the stream ---


async def test_an_empty_frame_ends_a_nova_stream(deepgram: DeepgramSimulator) -> None:
    async with _connected(deepgram, _NOVA) as socket:
        await _say(socket, tone(0.6))
        await socket.send(b"")
        heard = await _all_until_close(socket)
        assert [message["type"] for message in heard] == ["Results", "Metadata"]
        assert socket.close_code == 1000
    assert deepgram.sessions[0].notes == ["an empty binary frame was sent"]


@pytest.mark.parametrize("kind", ["KeepAlive", "Finalize", "Nonsense"])
async def test_flux_closes_on_messages_it_does_not_know(deepgram: DeepgramSimulator, kind: str) -> None:
    async with _connected(deepgram, _FLUX) as socket:
        await _control(socket, kind)
        error = await _next(socket, _kind("Error"))
        assert error["code"] == "UNPARSABLE_CLIENT_MESSAGE"
        assert "request_id" not in error
        assert (await _close_of(socket))[0] == 1008


@pytest.mark.parametrize(
    "text", ["hello", "[]", '{"type":"Nonsense"}', '{"type":"Configure","keyterms":"botox"}', "7"]
)
async def test_nova_answers_what_it_cannot_parse_and_goes_on(deepgram: DeepgramSimulator, text: str) -> None:
    async with _connected(deepgram, _NOVA) as socket:
        await socket.send(text)
        error = await _next(socket, _kind("Error"))
        assert (error["variant"], error["message"]) == ("SchemaError", text)
        await _say(socket, _TURN)
        assert (await _next(socket, _kind("Results")))["speech_final"]


@pytest.mark.parametrize(
    ("target", "frame"),
    [
        (_NOVA, b'{"type":"KeepAlive"}'),
        (_NOVA, b"RIFF\x24\x00\x00\x00WAVEfmt "),
        (_FLUX, b"OggS\x00\x02"),
    ],
)
async def test_bytes_that_are_no_audio_close_the_stream(
    deepgram: DeepgramSimulator, target: str, frame: bytes
) -> None:
    async with _connected(deepgram, target) as socket:
        await socket.send(frame)
        code, reason = await _close_of(socket)
    assert code == 1008
    assert (reason or "").startswith("DATA-0000")


@pytest.mark.parametrize("target", [_NOVA, _FLUX])
async def test_nothing_for_too_long_is_net_0001(target: str) -> None:
    async with DeepgramSimulator(Script([]).hearing, idle_s=0.05) as deepgram:
        async with _connected(deepgram, target) as socket:
            code, reason = await _close_of(socket)
        assert code == 1011
        assert (reason or "").startswith("NET-0001")
        errors = [message["code"] for message in deepgram.sessions[0].sent if message["type"] == "Error"]
        assert errors == (["NET-0001"] if target == _FLUX else [])


@pytest.mark.parametrize(("seconds", "notes"), [(0.5, []), (3.0, ["audio came much faster than real time"])])
async def test_audio_far_ahead_of_real_time_is_noted(seconds: float, notes: list[str]) -> None:
    async with DeepgramSimulator(Script([]).hearing, burst_s=1.0) as deepgram:
        async with _connected(deepgram, _FLUX) as socket:
            await _say(socket, silence(seconds))
            await _control(socket, "CloseStream")
            await _close_of(socket)
        assert deepgram.sessions[0].notes == notes


async def test_linear_audio_at_another_rate_is_heard_too(deepgram: DeepgramSimulator) -> None:
    samples = (np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000) * 8000).astype("<i2").tobytes()
    target = _FLUX.replace("mulaw", "linear16").replace("8000", "16000")
    async with _connected(deepgram, target) as socket:
        await _say(socket, samples + bytes(32_000))
        end = await _next(socket, _event("EndOfTurn"))
    assert end["transcript"] == "I would like a consultation please."


async def test_connections_do_not_touch_one_another() -> None:
    pitches = [300 + 150 * number for number in range(12)]
    script = Script({pitch: [f"caller number {pitch} please"] for pitch in pitches})

    async def call(deepgram: DeepgramSimulator, pitch: int) -> str:
        async with _connected(deepgram, _FLUX) as socket:
            await _say(socket, tone(1.0, pitch) + silence(1.0))
            return str((await _next(socket, _event("EndOfTurn")))["transcript"])

    async with DeepgramSimulator(script.hearing) as deepgram, asyncio.TaskGroup() as tasks:
        calls = [tasks.create_task(call(deepgram, pitch)) for pitch in pitches]
    assert [done.result() for done in calls] == [f"caller number {pitch} please" for pitch in pitches]


# --- faults ---


async def test_refusals_by_plan(deepgram: DeepgramSimulator) -> None:
    deepgram.faults.add(Refuse(status=429, message="Too many concurrent requests.", retry_after_s=2))
    with pytest.raises(InvalidStatus) as refused:
        async with _connected(deepgram, _FLUX):
            pass
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "2"
    async with _connected(deepgram, _FLUX) as socket:
        assert await _next(socket, _kind("Connected"))


async def test_a_socket_cut_in_mid_utterance_loses_no_script_line(deepgram: DeepgramSimulator) -> None:
    deepgram.faults.add(DropSocket(after_audio_ms=400))
    async with _connected(deepgram, _FLUX) as socket:
        await _say(socket, tone(0.5))
        assert (await _close_of(socket))[0] == 1006
    async with _connected(deepgram, _FLUX) as socket:
        await _say(socket, _TURN)
        end = await _next(socket, _event("EndOfTurn"))
    assert end["transcript"] == "I would like a consultation please."


async def test_a_planned_close_has_its_code(deepgram: DeepgramSimulator) -> None:
    deepgram.faults.add(DropSocket(code=1011, reason="NET-0000"))
    async with _connected(deepgram, _FLUX) as socket:
        assert await _close_of(socket) == (1011, "NET-0000")


async def test_a_stalled_stream_stays_open_and_mute(deepgram: DeepgramSimulator) -> None:
    async with _connected(deepgram, _FLUX) as socket:
        await _next(socket, _kind("Connected"))
        deepgram.faults.add(Stall())
        await _say(socket, _TURN)
        await _control(socket, "ForceEndTurn")
        async with asyncio.timeout(_DEADLINE_S):
            await (await socket.ping())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.05)
    assert [message["type"] for message in deepgram.sessions[0].sent] == ["Connected"]


async def _flood(socket: ClientConnection) -> None:
    for _ in range(1000):
        await socket.send(bytes(64_000))


async def test_a_server_that_stops_reading_lets_the_client_fill_up(deepgram: DeepgramSimulator) -> None:
    deepgram.faults.add(Stall(reading=False))
    async with _connected(deepgram, _FLUX) as socket:
        flood = asyncio.create_task(_flood(socket))
        done, _ = await asyncio.wait({flood}, timeout=0.5)
        assert not done
        flood.cancel()
        socket.transport.abort()


async def test_planned_frames_come_verbatim_between_the_others(deepgram: DeepgramSimulator) -> None:
    for frame in ("{not json", '{"type":"SomethingNew"}', b"\x00\x01"):
        deepgram.faults.add(Inject(frame))
    async with _connected(deepgram, _FLUX) as socket, asyncio.timeout(_DEADLINE_S):
        frames = [await socket.recv() for _ in range(4)]
    assert {"{not json", '{"type":"SomethingNew"}', b"\x00\x01"} < set(frames)


async def test_messages_and_upgrades_can_be_slow(deepgram: DeepgramSimulator) -> None:
    deepgram.faults.add(SlowUpgrade(0.05))
    deepgram.faults.add(DelayMessages(0.05))
    started_s = asyncio.get_running_loop().time()
    async with _connected(deepgram, _FLUX) as socket:
        await _next(socket, _kind("Connected"))
    assert asyncio.get_running_loop().time() - started_s >= 0.1


async def test_what_a_session_was_is_kept(deepgram: DeepgramSimulator) -> None:
    async with _connected(deepgram, _FLUX) as socket:
        await _say(socket, _TURN)
        await _control(socket, "CloseStream")
        await _close_of(socket)
    (session,) = deepgram.sessions
    async with asyncio.timeout(_DEADLINE_S):
        await session.closed.wait()
    assert session.path == "/v2/listen"
    assert bytes(session.audio) == _TURN
    assert (session.close_code, session.texts) == (1000, [{"type": "CloseStream"}])
