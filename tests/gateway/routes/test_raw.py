"""Calls whose audio the clinic's own client brings: announced over the API, then over the raw socket."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect

from bench.simulators.cartesia import CartesiaSimulator
from bench.simulators.chat import ChatSimulator
from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script, tone
from bench.simulators.offline.tone import ToneVoice
from bench.simulators.replies import Call, Reply, ScriptedModel
from booking.db import org_transaction
from booking.staff import issue_token
from gateway.carriers.pcm import from_mulaw
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import Gateway, closed

GUIDE = Path(__file__).parents[3] / "docs" / "raw-audio.md"
CALLER = "+447700900123"
LONG = "Certainly. " + " ".join(f"Sentence number {n} of a long answer." for n in range(1, 9))
LINES = ["Tell me about the clinic.", "Sorry, I have to stop you there.", "Thank you, that is all."]
QUICK = {"SILENCE_PROMPT_S": "30", "FILLER_AFTER_S": "10", "MARK_WAIT_S": "0.5", "CLOSING_S": "10"}


@pytest.fixture
async def chat() -> AsyncIterator[ChatSimulator]:
    goodbye = Reply("Goodbye.", (Call("end_call", {}),))
    async with ChatSimulator(
        ScriptedModel([LONG, "Go ahead.", goodbye], otherwise="Very well.")
    ) as simulator:
        yield simulator


@pytest.fixture
async def gateway(stack: Stack, chat: ChatSimulator) -> AsyncIterator[Gateway]:
    async with (
        DeepgramSimulator(Script(LINES, word_s=0.1).hearing) as deepgram,
        CartesiaSimulator(ToneVoice(ms_per_char=20.0)) as cartesia,
    ):
        vendors = running.Vendors(deepgram, chat, cartesia).environment()
        environ = running.environment(stack, **vendors, **QUICK, MEDIA_START_S="1", MEDIA_FRAME_BYTES="65000")
        async with running.gateway(environ) as served:
            yield served


@pytest.fixture
async def token(pool: asyncpg.Pool, clinic: Clinic) -> str:
    return (await issue_token(pool, clinic.claim, name="softphone", scopes=["calls:stream"])).secret


async def post(gateway: Gateway, token: str, **told: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}
    return await gateway.http.post(gateway.url + "/api/v1/audio-calls", json=told, headers=headers)


async def announced(gateway: Gateway, token: str, **told: Any) -> dict[str, Any]:
    response = await post(gateway, token, **told)
    assert response.status_code == 201, response.text
    opening: dict[str, Any] = response.json()
    assert opening["url"] == "wss://gw.example.com/raw/media"
    assert opening["start"]["call_id"] == opening["call_id"]
    return opening


def media(gateway: Gateway) -> connect:
    return connect(gateway.url.replace("http", "ws", 1) + "/raw/media", compression=None, close_timeout=1)


async def first_audio(socket: ClientConnection) -> bytes:
    async with asyncio.timeout(20):
        while not isinstance(message := await socket.recv(), bytes):
            pass
    return message


async def test_a_lost_socket_is_opened_again_with_another_token(gateway: Gateway, token: str) -> None:
    opening = await announced(gateway, token)
    async with media(gateway) as socket:
        await socket.send(json.dumps(opening["start"]))
        await first_audio(socket)
        socket.transport.abort()
    await gateway.until_idle()
    async with media(gateway) as again:
        await again.send(json.dumps(opening["start"]))
        assert await closed(again) == (1008, "token_replayed")
    second = await announced(gateway, token, call_id=opening["call_id"])
    assert (second["call_id"], second["start"] == opening["start"]) == (opening["call_id"], False)
    async with media(gateway) as socket:
        await socket.send(json.dumps(second["start"] | {"encoding": "mulaw"}))
        assert len(await first_audio(socket)) <= 800  # 100 ms
        await socket.send('{"type":"dtmf","digit":"5"}')
        await socket.send('{"type":"stop"}')
        assert await closed(socket) == (1000, "caller_hung_up")
    await gateway.until_idle()


async def test_only_a_token_of_the_clinic_with_the_scope_announces_its_calls(
    gateway: Gateway, clinic: Clinic, other_clinic: Clinic, pool: asyncpg.Pool, token: str
) -> None:
    other = (await issue_token(pool, other_clinic.claim, name="x", scopes=["calls:stream"])).secret
    desk = (await issue_token(pool, clinic.claim, name="desk", scopes=["slots:read", "org:write"])).secret
    opening = await announced(gateway, token, caller=None)
    assert opening["call_id"].startswith(clinic.claim.org_id.hex)
    assert (await post(gateway, desk)).status_code == 403
    assert (await post(gateway, "cvg_nobody")).status_code == 401
    theirs = await post(gateway, other, call_id=opening["call_id"])
    assert (theirs.status_code, theirs.json()["pointer"]) == (422, "$.call_id")
    for odd in (
        {"caller": "anonymous"},
        {"caller": "07700900123"},
        {"call_id": "CA1"},
        {"call_id": "a\n"},
        {"x": 1},
    ):
        assert (await post(gateway, token, **odd)).status_code == 422, odd
    gateway.edge.calls.draining = True
    assert (await post(gateway, token)).status_code == 503
    assert gateway.counted("gateway_refused_total", reason="draining") == 1


async def test_a_socket_without_a_good_start_is_closed_with_the_reason(gateway: Gateway, token: str) -> None:
    opening, other = await announced(gateway, token), await announced(gateway, token)
    start = opening["start"]
    for sent, reason in (
        ([start | {"token": ""}], "token_forged"),
        ([start | {"token": other["start"]["token"]}], "token_foreign"),
        ([{"type": "dtmf", "digit": "1"}], "start_overdue"),
        ([{"type": "unheard-of"}] * 51, "too_much_garbage"),
    ):
        async with media(gateway) as socket:
            for each in sent:
                await socket.send(json.dumps(each))
            assert await closed(socket) == (1008, reason)
    expired = await announced(gateway, token)
    gateway.edge.admission._now_s = lambda: 4e9
    async with media(gateway) as socket:
        await socket.send(json.dumps(expired["start"]))
        assert await closed(socket) == (1008, "token_expired")


async def test_bad_frames_are_counted_and_the_call_goes_on_until_one_cannot_be_borne(
    gateway: Gateway, token: str
) -> None:
    opening = await announced(gateway, token)
    async with media(gateway) as socket:
        await socket.send(json.dumps(opening["start"]))
        for garbage in (
            "{",
            '{"type":"mark"}',
            bytes(3),
            '{"type":"new"}',
            json.dumps(opening["start"])[:40],
        ):
            await socket.send(garbage)
        await first_audio(socket)
        await socket.send(json.dumps(opening["start"] | {"call_id": "another"}))
        await socket.send(json.dumps(opening["start"]))
        assert await closed(socket) == (1011, "second_start")
    assert gateway.counted("gateway_bad_frames_total", reason="malformed") == 5
    assert gateway.counted("gateway_bad_frames_total", reason="foreign_stream") == 1
    second = await announced(gateway, token)
    async with media(gateway) as socket:
        await socket.send(json.dumps(second["start"]))
        await first_audio(socket)
        await socket.send(bytes(65_002))
        assert (await closed(socket))[0] == 1009
    await gateway.until_idle()


# --- the client in the guide --------------------------------------------------------------------------------


def client(url: str) -> Callable[..., Awaitable[None]]:
    """The guide's, as it stands there; but its socket leads to where the gateway is served."""
    [code] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    space: dict[str, Any] = {}
    exec(compile(code, str(GUIDE), "exec"), space)  # noqa: S102  our own document
    place, real = url.replace("http", "ws", 1), space["websockets"].connect
    space["websockets"] = SimpleNamespace(
        connect=lambda told: real(told.replace("wss://gw.example.com", place))
    )
    call: Callable[..., Awaitable[None]] = space["call"]
    return call


@dataclass
class Caller:
    """Says something once the greeting is over, interrupts the answer, and thanks for the next one."""

    heard: list[bool] = field(default_factory=list)
    to_say: list[bytes] = field(default_factory=list)
    said_at: list[int] = field(default_factory=list)

    def speaker(self, frame: bytes) -> None:
        self.heard.append(bool(np.frombuffer(frame, "<i2").any()))

    def microphone(self) -> bytes:
        since = self.heard[self.said_at[-1] if self.said_at else 0 :]
        interrupts = len(self.said_at) == 1 and sum(since) >= 60
        if interrupts or (len(self.said_at) != 1 and any(since) and not any(since[-30:])):
            pcm = from_mulaw(tone(0.6))
            self.to_say += [pcm[at : at + 320] for at in range(0, len(pcm), 320)]
            self.said_at.append(len(self.heard))
        return self.to_say.pop(0) if self.to_say else bytes(320)


async def test_the_client_of_the_guide_is_heard_interrupts_and_is_hung_up(
    gateway: Gateway, clinic: Clinic, chat: ChatSimulator, pool: asyncpg.Pool, token: str
) -> None:
    """Closed in order, or it would raise; and the model knows of the first answer what was played of it."""
    caller = Caller()
    async with asyncio.timeout(60):
        await client(gateway.url)(gateway.url, token, CALLER, caller.microphone, caller.speaker)
    await gateway.until_idle()
    assert len(chat.requests) == 3
    told = [each for each in chat.requests[1].messages if each["role"] == "assistant"][-1]["content"]
    assert LONG.startswith(told.rstrip())
    first, second, _ = caller.said_at
    silent = next(at for at in range(second, len(caller.heard)) if not any(caller.heard[at : at + 15]))
    assert abs(sum(map(str.isalnum, told)) - sum(caller.heard[first:silent])) <= 25  # a letter sounds a frame
    async with org_transaction(pool, clinic.claim) as connection:
        [row] = await connection.fetch("select carrier, carrier_call_id from public.calls")
    assert (row["carrier"], row["carrier_call_id"][:32]) == ("raw", clinic.claim.org_id.hex)
    assert (await post(gateway, token, call_id=row["carrier_call_id"])).status_code == 409
