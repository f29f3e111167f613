"""Calls that come by Telnyx: webhooks, orders over REST and the socket, over real servers."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import TypeAdapter
from websockets.asyncio.client import ClientConnection, connect

from bench.simulators.faults import Refuse
from bench.simulators.telnyx_api import TelnyxApiSimulator, TelnyxCall
from booking.db import org_transaction
from booking.orgs import store_credentials
from compliance.vault import MasterKey, Vault
from gateway.tenancy.credentials import credentials_cell
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import PUBLIC_URL, Gateway, closed

API_KEY = "telnyx-api-key"
PRIVATE, OWN_PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32))), Ed25519PrivateKey.generate()
_ENDS = frozenset({"direction", "from", "to", "state"})


def public_key(private: Ed25519PrivateKey) -> str:
    return base64.b64encode(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


@pytest.fixture
async def api(call_id: str) -> AsyncIterator[TelnyxApiSimulator]:
    async with TelnyxApiSimulator(api_key=API_KEY) as simulator:
        simulator.calls[call_id] = TelnyxCall()
        yield simulator


@pytest.fixture
async def gateway(stack: Stack, vendors: running.Vendors, api: TelnyxApiSimulator) -> AsyncIterator[Gateway]:
    environ = running.environment(
        stack,
        **vendors.environment(),
        TELNYX_API_KEY=API_KEY,
        TELNYX_PUBLIC_KEY=public_key(PRIVATE),
        TELNYX_API_URL=api.url,
        MAX_CALL_S="4",
        CLOSING_S="1",
    )
    async with running.gateway(environ) as served:
        yield served


@pytest.fixture
def call_id() -> str:
    """Which calls are over, Redis remembers."""
    return f"v3:{uuid4().hex}"


def event(kind: str, call_id: str, clinic: Clinic | None = None, **payload: Any) -> dict[str, Any]:
    """As Telnyx tells it: of a stream, and of what was spoken, not who calls whom."""
    told = {
        "call_control_id": call_id,
        "direction": "incoming",
        "from": "+447700900123",
        "to": "+15005550199" if clinic is None else clinic.number,
        "state": "parked",
    } | payload
    if kind.startswith(("streaming.", "call.speak.")):
        told = {name: value for name, value in told.items() if name not in _ENDS}
    data = {"record_type": "event", "event_type": kind, "id": str(uuid4()), "payload": told}
    return {"data": data, "meta": {"attempt": 1}}


async def post(
    gateway: Gateway,
    told: Any,
    private: Ed25519PrivateKey = PRIVATE,
    *,
    at_s: float | None = None,
    signed: bytes | None = None,
) -> httpx.Response:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    timestamp = str(int(time.time() if at_s is None else at_s))
    signature = private.sign(timestamp.encode() + b"|" + (body if signed is None else signed))
    headers = {
        "telnyx-timestamp": timestamp,
        "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
        "content-type": "application/json",
    }
    return await gateway.http.post(gateway.url + "/telnyx/voice", content=body, headers=headers)


def media(gateway: Gateway, url: str) -> connect:
    path = url.removeprefix(PUBLIC_URL.replace("https", "wss"))
    return connect(gateway.url.replace("http", "ws", 1) + path, compression=None, close_timeout=1)


def frame(kind: str, **parts: Any) -> str:
    return json.dumps({"event": kind, "sequence_number": "1", "stream_id": "s-1", **parts})


def start(call_id: str, state: str) -> str:
    media_format = {"encoding": "PCMU", "sample_rate": 8000, "channels": 1}
    part = {"call_control_id": call_id, "client_state": state, "media_format": media_format}
    return frame("start", start=part)


async def until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The first message of this kind."""
    async with asyncio.timeout(20):
        while True:
            told: dict[str, Any] = json.loads(await socket.recv())
            if told["event"] == kind:
                return told


def actions(api: TelnyxApiSimulator) -> list[str]:
    return [command.action for command in api.commands]


async def test_a_call_is_answered_greeted_and_ended_by_rest(
    gateway: Gateway, clinic: Clinic, api: TelnyxApiSimulator, call_id: str, pool: asyncpg.Pool
) -> None:
    ringing = event("call.initiated", call_id, clinic)
    assert (await post(gateway, ringing)).status_code == 200
    assert (await post(gateway, ringing)).status_code == 200  # told twice, ordered once
    [answer] = api.commands
    assert answer.fields["stream_url"] == "wss://gw.example.com/telnyx/media"
    assert answer.fields["stream_bidirectional_mode"] == "rtp"
    async with media(gateway, answer.fields["stream_url"]) as socket:
        await socket.send('{"event":"connected","version":"1.0.0"}')
        await socket.send(start(call_id, answer.fields["client_state"]))
        audio = await until(socket, "media")
        assert len(base64.b64decode(audio["media"]["payload"])) >= 160
        mark = await until(socket, "mark")
        await socket.send(frame("mark", mark=mark["mark"]))
        await socket.send(frame("dtmf", dtmf={"digit": "5"}))
        code, _ = await closed(socket, within_s=30)  # the longest call is over
    await gateway.until_idle()
    assert (code, actions(api), api.calls[call_id].state) == (1000, ["answer", "hangup"], "ended")
    for late in ("streaming.stopped", "call.hangup"):
        told = event(late, call_id, clinic, client_state=answer.fields["client_state"])
        assert (await post(gateway, told)).status_code == 200
    assert actions(api) == ["answer", "hangup"]
    async with org_transaction(pool, clinic.claim) as connection:
        carriers = await connection.fetch("select carrier, carrier_call_id from public.calls")
    assert [tuple(each) for each in carriers] == [("telnyx", call_id)]


async def test_a_lost_stream_is_opened_again_a_bounded_number_of_times(
    gateway: Gateway, clinic: Clinic, api: TelnyxApiSimulator, call_id: str
) -> None:
    await post(gateway, event("call.initiated", call_id, clinic))
    state = api.commands[0].fields["client_state"]
    async with media(gateway, api.commands[0].fields["stream_url"]) as socket:
        await socket.send(start(call_id, state))
        await until(socket, "media")
        socket.transport.abort()
    await gateway.until_idle()
    for _ in range(2):
        await post(gateway, event("streaming.failed", call_id, clinic, client_state=state))
        state = api.commands[-1].fields["client_state"]
    assert actions(api) == ["answer", "streaming_start", "streaming_start"]
    async with media(gateway, api.commands[-1].fields["stream_url"]) as socket:
        await socket.send(start(call_id, state))
        await until(socket, "media")
        await post(gateway, event("call.hangup", call_id, clinic))
        await closed(socket)
    await gateway.until_idle()


async def test_the_last_loss_is_told_to_the_caller_who_is_then_hung_up(
    gateway: Gateway, clinic: Clinic, api: TelnyxApiSimulator, call_id: str
) -> None:
    api.calls[call_id].state = "answered"
    state = base64.b64encode(b'{"attempt":"2"}').decode()
    await post(gateway, event("streaming.failed", call_id, clinic, client_state=state))
    assert "try again later" in api.commands[0].fields["payload"]
    spoken = event("call.speak.ended", call_id, clinic, client_state=api.commands[0].fields["client_state"])
    await post(gateway, spoken)
    assert actions(api) == ["speak", "hangup"]


async def test_a_number_that_is_nobodys_is_told_so_and_hung_up(
    gateway: Gateway, api: TelnyxApiSimulator, call_id: str
) -> None:
    await post(gateway, event("call.initiated", call_id))
    assert actions(api) == ["answer", "speak"]
    assert "not in service" in api.commands[1].fields["payload"]
    await post(
        gateway, event("call.speak.ended", call_id, client_state=api.commands[1].fields["client_state"])
    )
    assert actions(api)[-1] == "hangup"


async def test_telnyxs_own_package_knows_each_order(
    gateway: Gateway, clinic: Clinic, api: TelnyxApiSimulator, call_id: str
) -> None:
    calls = import_module("telnyx.types.calls")
    known = {
        "answer": calls.ActionAnswerParams,
        "streaming_start": calls.ActionStartStreamingParams,
        "speak": calls.ActionSpeakParams,
        "hangup": calls.ActionHangupParams,
    }
    await post(gateway, event("call.initiated", call_id, clinic))
    for told in ("streaming.failed",) * 3 + ("call.speak.ended",):
        await post(gateway, event(told, call_id, client_state=api.commands[-1].fields["client_state"]))
    assert actions(api) == ["answer", "streaming_start", "streaming_start", "speak", "hangup"]
    for command in api.commands:
        as_known = TypeAdapter(known[command.action]).validate_python(command.fields)  # drops what it is not
        assert as_known == command.fields
    await post(gateway, event("call.hangup", call_id, clinic))
    await gateway.until_idle()


async def test_an_order_that_fails_is_asked_for_again_by_the_carrier(
    gateway: Gateway, clinic: Clinic, api: TelnyxApiSimulator, call_id: str
) -> None:
    ringing = event("call.initiated", call_id, clinic)
    api.faults.add(Refuse(500))
    assert (await post(gateway, ringing)).status_code == 503
    assert (await post(gateway, ringing)).status_code == 200
    assert actions(api) == ["answer"]
    await post(gateway, event("call.hangup", call_id, clinic))
    await gateway.until_idle()


async def test_what_is_not_signed_or_too_old_is_forbidden(
    gateway: Gateway, clinic: Clinic, api: TelnyxApiSimulator, call_id: str
) -> None:
    ringing = event("call.initiated", call_id, clinic)
    refused = [
        await post(gateway, ringing, OWN_PRIVATE),
        await post(gateway, ringing, at_s=time.time() - 301),
        await post(gateway, ringing, signed=b"{}"),
        await gateway.http.post(gateway.url + "/telnyx/voice", json=ringing),
    ]
    assert [each.status_code for each in refused] == [403] * 4
    assert (len(gateway.edge.calls), api.commands) == (0, [])


@pytest.mark.parametrize(
    "told",
    [b"", b"{", b"[]", b"\xff", {"data": {}}, {"data": {"event_type": "call.initiated", "id": "x"}}],
    ids=str,
)
async def test_what_is_no_webhook_is_refused(gateway: Gateway, told: Any) -> None:
    assert (await post(gateway, told)).status_code == 400


async def test_ids_that_cannot_be_are_refused(gateway: Gateway, clinic: Clinic) -> None:
    odd_call = event("call.initiated", "v3:\n", clinic)
    odd_event = event("call.initiated", "v3:a", clinic)
    odd_event["data"]["id"] = "a/b"
    assert [(await post(gateway, each)).status_code for each in (odd_call, odd_event)] == [400, 400]


async def test_a_socket_without_a_token_is_closed(gateway: Gateway, call_id: str) -> None:
    async with media(gateway, "wss://gw.example.com/telnyx/media") as socket:
        await socket.send(start(call_id, ""))
        assert await closed(socket) == (1008, "token_forged")


async def test_an_org_with_an_account_of_its_own_is_served_by_that_alone(
    gateway: Gateway, clinic: Clinic, pool: asyncpg.Pool, api: TelnyxApiSimulator, call_id: str
) -> None:
    secret = json.dumps({"api_key": API_KEY, "public_key": public_key(OWN_PRIVATE)})
    vault = Vault([MasterKey(bytes(range(32)))]).for_org(clinic.claim.org_id)
    sealed = vault.seal(secret.encode(), credentials_cell("telnyx"))
    await store_credentials(pool, clinic.claim, "telnyx", sealed)
    ringing = event("call.initiated", call_id, clinic)
    assert (await post(gateway, ringing)).status_code == 403
    assert (await post(gateway, ringing, OWN_PRIVATE)).status_code == 200
    [answer] = api.commands
    assert answer.fields["stream_url"] == f"wss://gw.example.com/telnyx/media/{clinic.claim.org_id}"
    async with media(gateway, answer.fields["stream_url"]) as socket:
        await socket.send(start(call_id, answer.fields["client_state"]))
        await until(socket, "media")
        socket.transport.abort()
    await gateway.until_idle()  # as any other replica, this one knows no such call any more
    for told, ordered in (("streaming.failed", "streaming_start"),) * 2 + (
        ("streaming.failed", "speak"),
        ("call.speak.ended", "hangup"),
    ):
        again = event(told, call_id, client_state=api.commands[-1].fields["client_state"])
        assert (await post(gateway, again)).status_code == 403
        assert (await post(gateway, again, OWN_PRIVATE)).status_code == 200
        assert actions(api)[-1] == ordered
    assert "try again later" in api.commands[-2].fields["payload"]
    await post(gateway, event("call.hangup", call_id, clinic), OWN_PRIVATE)
    await gateway.until_idle()
