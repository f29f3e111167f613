"""Calls that come by Plivo: webhooks, documents and the socket, over real servers."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import asyncpg
import httpx
import pytest
from plivo import plivoxml
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from bench.simulators.plivo_api import PlivoApiSimulator
from booking.db import org_transaction
from booking.orgs import store_credentials
from compliance.vault import MasterKey, Vault
from gateway.carriers.plivo_answers import LONGEST_S
from gateway.carriers.plivo_signature import plivo_signature
from gateway.tenancy.credentials import credentials_cell
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import PUBLIC_URL, Gateway, closed

ACCOUNT, TOKEN, NONCE = "MA" + "1" * 18, "plivo-auth-token", "12345678901234567890"
OWN_ACCOUNT, OWN_TOKEN = "MA" + "2" * 18, "auth-token-of-the-org"


@pytest.fixture
async def api() -> AsyncIterator[PlivoApiSimulator]:
    async with PlivoApiSimulator(auth_id=ACCOUNT, auth_token=TOKEN) as simulator:
        yield simulator


@pytest.fixture
async def gateway(stack: Stack, vendors: running.Vendors, api: PlivoApiSimulator) -> AsyncIterator[Gateway]:
    environ = running.environment(
        stack,
        **vendors.environment(),
        PLIVO_AUTH_ID=ACCOUNT,
        PLIVO_AUTH_TOKEN=TOKEN,
        PLIVO_API_URL=api.url,
        MAX_CALL_S="4",
        CLOSING_S="1",
    )
    async with running.gateway(environ) as served:
        yield served


@pytest.fixture
def call_id() -> str:
    """Which calls are over, Redis remembers."""
    return str(uuid4())


def headers(url: str, fields: Mapping[str, str] | None = None, token: str = TOKEN) -> dict[str, str]:
    pairs = None if fields is None else list(fields.items())
    return {
        "X-Plivo-Signature-V3": plivo_signature(token, url, NONCE, pairs),
        "X-Plivo-Signature-V3-Nonce": NONCE,
    }


async def post(gateway: Gateway, path: str, fields: Mapping[str, str], token: str = TOKEN) -> httpx.Response:
    signed = headers(PUBLIC_URL + path, fields, token)
    return await gateway.http.post(gateway.url + path, data=dict(fields), headers=signed)


def ringing(call_id: str, dialled: str) -> dict[str, str]:
    """Numbers come without their plus."""
    return {"CallUUID": call_id, "From": "447700900123", "To": dialled.lstrip("+"), "CallStatus": "ringing"}


def document(response: httpx.Response) -> ElementTree.Element:
    assert response.status_code == 200, response.status_code
    assert response.headers["content-type"].startswith("application/xml")
    return ElementTree.fromstring(response.content)  # noqa: S314  our own document


def spoken(response: httpx.Response) -> str:
    speak, hangup = document(response)
    assert (speak.tag, hangup.tag) == ("Speak", "Hangup")
    return speak.text or ""


async def stream_of(
    gateway: Gateway, call_id: str, clinic: Clinic, token: str = TOKEN
) -> ElementTree.Element:
    stream, _ = document(await post(gateway, "/plivo/voice", ringing(call_id, clinic.number), token))
    return stream


def media(gateway: Gateway, url: str, token: str = TOKEN) -> connect:
    path = url.removeprefix(PUBLIC_URL.replace("https", "wss"))
    return connect(
        gateway.url.replace("http", "ws", 1) + path,
        additional_headers=headers(url, token=token),
        compression=None,
        close_timeout=1,
    )


def frame(event: str, **parts: Any) -> str:
    return json.dumps({"event": event, "sequenceNumber": 1, "streamId": "s-1", **parts})


def start(call_id: str, extra_headers: str) -> str:
    media_format = {"encoding": "audio/x-mulaw", "sampleRate": 8000}
    part = {"callId": call_id, "streamId": "s-1", "accountId": ACCOUNT, "mediaFormat": media_format}
    return frame("start", start=part, extra_headers="{" + extra_headers.replace("=", ": ") + "}")


async def until(socket: ClientConnection, event: str) -> dict[str, Any]:
    """The first message of this kind."""
    async with asyncio.timeout(20):
        while True:
            told: dict[str, Any] = json.loads(await socket.recv())
            if told["event"] == event:
                return told


async def test_the_answer_is_what_the_vendors_own_package_writes(
    gateway: Gateway, clinic: Clinic, call_id: str
) -> None:
    response = await post(gateway, "/plivo/voice", ringing(call_id, clinic.number))
    stream, redirect = document(response)
    written = plivoxml.ResponseElement()
    written.add(
        plivoxml.StreamElement(
            content=stream.text,
            bidirectional=True,
            keepCallAlive=True,
            audioTrack="inbound",
            contentType="audio/x-mulaw;rate=8000",
            streamTimeout=LONGEST_S,
            statusCallbackUrl=f"{PUBLIC_URL}/plivo/status",
            statusCallbackMethod="POST",
            extraHeaders=stream.attrib["extraHeaders"],
        )
    )
    written.add(plivoxml.RedirectElement(redirect.text, method="POST"))
    theirs = ElementTree.fromstring(written.to_string())  # noqa: S314  the vendor's package wrote it
    assert [(each.tag, each.attrib, each.text) for each in theirs] == [
        (each.tag, each.attrib, each.text) for each in (stream, redirect)
    ]
    assert stream.text == "wss://gw.example.com/plivo/media"


async def test_a_call_is_greeted_heard_and_ended_by_rest(
    gateway: Gateway, clinic: Clinic, api: PlivoApiSimulator, call_id: str, pool: asyncpg.Pool
) -> None:
    api.calls.add(call_id)
    stream = await stream_of(gateway, call_id, clinic)
    async with media(gateway, str(stream.text)) as socket:
        await socket.send(start(call_id, stream.attrib["extraHeaders"]))
        audio = (await until(socket, "playAudio"))["media"]
        assert (audio["contentType"], audio["sampleRate"]) == ("audio/x-mulaw", 8000)
        assert len(base64.b64decode(audio["payload"])) > 0
        checkpoint = await until(socket, "checkpoint")
        assert checkpoint["streamId"] == "s-1"
        await socket.send(frame("playedStream", name=checkpoint["name"]))
        await socket.send(frame("dtmf", dtmf={"track": "inbound", "digit": "5", "timestamp": "1"}))
        await socket.send(frame("unheard-of"))
        code, _ = await closed(socket, within_s=30)  # the longest call is over
    await gateway.until_idle()
    assert (code, api.calls) == (1000, set())
    told = ringing(call_id, clinic.number) | {"CallStatus": "in-progress"}
    [hangup] = document(await post(gateway, "/plivo/after?attempt=0", told))
    assert hangup.tag == "Hangup"
    async with org_transaction(pool, clinic.claim) as connection:
        carriers = await connection.fetch("select carrier, carrier_call_id from public.calls")
    assert [tuple(each) for each in carriers] == [("plivo", call_id)]
    assert gateway.counted("gateway_carrier_requests_total", carrier="plivo", outcome="done") == 1


async def test_a_lost_stream_is_asked_for_again_and_its_token_is_another(
    gateway: Gateway, clinic: Clinic, call_id: str
) -> None:
    first = await stream_of(gateway, call_id, clinic)
    async with media(gateway, str(first.text)) as socket:
        await socket.send(start(call_id, first.attrib["extraHeaders"]))
        await until(socket, "playAudio")
        socket.transport.abort()
    await gateway.until_idle()
    async with media(gateway, str(first.text)) as again:  # Plivo itself tries the old address once more
        await again.send(start(call_id, first.attrib["extraHeaders"]))
        assert await closed(again) == (1008, "token_replayed")
    told = ringing(call_id, clinic.number) | {"CallStatus": "in-progress"}
    stream, redirect = document(await post(gateway, "/plivo/after?attempt=0", told))
    assert redirect.text == f"{PUBLIC_URL}/plivo/after?attempt=1"
    async with media(gateway, str(stream.text)) as socket:
        await socket.send(start(call_id, stream.attrib["extraHeaders"]))
        await until(socket, "playAudio")
        assert (await post(gateway, "/plivo/hangup", told | {"CallStatus": "completed"})).status_code == 204
        await closed(socket)
    await gateway.until_idle()
    [hangup] = document(await post(gateway, "/plivo/voice", told))
    assert hangup.tag == "Hangup"  # a replay of the first webhook opens nothing


async def test_numbers_that_are_nobodys_are_told_so(gateway: Gateway, call_id: str) -> None:
    assert "not in service" in spoken(await post(gateway, "/plivo/voice", ringing(call_id, "+15005550199")))
    assert "not in service" in spoken(await post(gateway, "/plivo/voice", ringing(call_id, "anonymous")))


@pytest.mark.parametrize("path", ["/plivo/voice", "/plivo/after", "/plivo/hangup", "/plivo/status"])
async def test_what_is_not_signed_by_the_account_is_forbidden(
    gateway: Gateway, clinic: Clinic, call_id: str, path: str
) -> None:
    fields = ringing(call_id, clinic.number)
    assert (await post(gateway, path, fields, token="another")).status_code == 403
    assert (await gateway.http.post(gateway.url + path, data=fields)).status_code == 403
    signed = headers(PUBLIC_URL + path, fields)
    changed = fields | {"From": "447700900999"}
    assert (await gateway.http.post(gateway.url + path, data=changed, headers=signed)).status_code == 403
    assert len(gateway.edge.calls) == 0


@pytest.mark.parametrize("call_uuid", [None, "", "a b", "x" * 65])
async def test_a_webhook_without_a_call_is_refused(gateway: Gateway, call_uuid: str | None) -> None:
    fields = {} if call_uuid is None else {"CallUUID": call_uuid}
    assert (await post(gateway, "/plivo/voice", fields)).status_code == 400


async def test_an_upgrade_without_a_signature_is_forbidden(gateway: Gateway) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with media(gateway, "wss://gw.example.com/plivo/media", "another"):
            pass
    assert refused.value.response.status_code == 403


async def test_an_org_with_an_account_of_its_own_is_served_by_that_alone(
    gateway: Gateway, clinic: Clinic, pool: asyncpg.Pool, call_id: str
) -> None:
    secret = json.dumps({"auth_id": OWN_ACCOUNT, "auth_token": OWN_TOKEN})
    vault = Vault([MasterKey(bytes(range(32)))]).for_org(clinic.claim.org_id)
    sealed = vault.seal(secret.encode(), credentials_cell("plivo"))
    await store_credentials(pool, clinic.claim, "plivo", sealed)
    assert (await post(gateway, "/plivo/voice", ringing(call_id, clinic.number))).status_code == 403
    stream = await stream_of(gateway, call_id, clinic, OWN_TOKEN)
    assert stream.text == f"wss://gw.example.com/plivo/media/{clinic.claim.org_id}"
    with pytest.raises(InvalidStatus):
        async with media(gateway, str(stream.text)):
            pass
    async with media(gateway, str(stream.text), OWN_TOKEN) as socket:
        await socket.send(start(call_id, stream.attrib["extraHeaders"]))
        await until(socket, "playAudio")
    await gateway.until_idle()


async def test_without_a_process_wide_account_only_orgs_with_their_own_are_served(
    stack: Stack, clinic: Clinic, call_id: str
) -> None:
    async with running.gateway(running.environment(stack)) as gateway:
        fields = ringing(call_id, clinic.number)
        assert (await post(gateway, "/plivo/voice", fields)).status_code == 403
        assert (await post(gateway, "/plivo/voice", fields, token="")).status_code == 403
