"""Calls that come by Vonage: webhooks, answers as NCCO and the socket, over real servers."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from bench.simulators.cartesia import CartesiaSimulator
from bench.simulators.chat import ChatSimulator
from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script
from bench.simulators.offline.tone import ToneVoice
from bench.simulators.replies import Call, Reply, ScriptedModel
from bench.simulators.vonage_api import VonageApiSimulator
from booking.db import org_transaction
from booking.orgs import store_credentials
from compliance.vault import MasterKey, Vault
from gateway.carriers.vonage import FRAME_BYTES, FRAME_MS
from gateway.routes.vonage import LEAD_S
from gateway.tenancy.credentials import VonageAccount, credentials_cell
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.phone import Clear, Mark, Phone
from tests.gateway.running import PUBLIC_URL, Gateway, closed
from tests.gateway.vonage_application import OTHER_PEM, OURS, PUBLIC_KEY, bearer

ITS_OWN = VonageAccount(str(uuid4()), OTHER_PEM, "another-signature-secret-of-32-b!")
LONG = "Certainly. " + " ".join(f"Sentence number {n} of a long answer." for n in range(1, 21))
LINES = ["Tell me about the clinic.", "Sorry, I have to stop you there.", "Thank you, that is all."]
QUICK = {"SILENCE_PROMPT_S": "30", "FILLER_AFTER_S": "10", "MARK_WAIT_S": "0.5", "CLOSING_S": "10"}


@pytest.fixture
async def api() -> AsyncIterator[VonageApiSimulator]:
    async with VonageApiSimulator(application_id=OURS.application_id, public_key=PUBLIC_KEY) as simulator:
        yield simulator


@pytest.fixture
async def chat() -> AsyncIterator[ChatSimulator]:
    goodbye = Reply("Goodbye.", (Call("end_call", {}),))
    async with ChatSimulator(
        ScriptedModel([LONG, "Go ahead.", goodbye], otherwise="Very well.")
    ) as simulator:
        yield simulator


@pytest.fixture
async def gateway(stack: Stack, api: VonageApiSimulator, chat: ChatSimulator) -> AsyncIterator[Gateway]:
    async with (
        DeepgramSimulator(Script(LINES, word_s=0.1).hearing) as deepgram,
        CartesiaSimulator(ToneVoice(ms_per_char=20.0)) as cartesia,
    ):
        vendors = running.Vendors(deepgram, chat, cartesia).environment()
        async with running.gateway(
            running.environment(stack, **vendors, **QUICK, **settings(api.url))
        ) as served:
            yield served


def settings(api_url: str) -> dict[str, str]:
    return {
        "VONAGE_APPLICATION_ID": OURS.application_id,
        "VONAGE_PRIVATE_KEY": OURS.private_key.replace("\n", "\\n"),
        "VONAGE_SIGNATURE_SECRET": OURS.signature_secret,
        "VONAGE_API_URL": api_url,
    }


@pytest.fixture
def call_id() -> str:
    """Which calls are over, Redis remembers."""
    return str(uuid4())


async def post(
    gateway: Gateway, path: str, told: Any, account: VonageAccount = OURS, **signing: Any
) -> httpx.Response:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    headers = {"Authorization": bearer(body, account, **signing), "Content-Type": "application/json"}
    return await gateway.http.post(gateway.url + path, content=body, headers=headers)


def ringing(call_id: str, dialled: str, **more: Any) -> dict[str, Any]:
    """Numbers come without their plus."""
    told = {"uuid": call_id, "conversation_uuid": f"CON-{call_id}", "from": "447700900123"}
    return {**told, "to": dialled.lstrip("+"), **more}


def event(call_id: str, dialled: str, status: str) -> dict[str, Any]:
    return ringing(call_id, dialled, status=status, direction="inbound", timestamp="2026-11-21T12:00:00.000Z")


def leg_event(connected: dict[str, Any], status: str, **changes: Any) -> dict[str, Any]:
    """Of the socket's own leg: another uuid, and our headers."""
    [endpoint] = connected["endpoint"]
    told = {"from": connected["from"], "to": endpoint["uri"], "uuid": str(uuid4()), "status": status}
    return {**told, "conversation_uuid": "CON-1", "headers": endpoint["headers"], **changes}


def ncco(response: httpx.Response) -> list[dict[str, Any]]:
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    actions: list[dict[str, Any]] = response.json()
    return actions


def spoken(response: httpx.Response) -> str:
    [talk] = ncco(response)
    assert talk["action"] == "talk"
    return str(talk["text"])


def stream_in(response: httpx.Response) -> dict[str, Any]:
    """The action that opens it; behind that we are told if the call goes on."""
    [action, notify] = ncco(response)
    assert (action["action"], notify["action"]) == ("connect", "notify")
    return action | {"left": notify["eventUrl"][0]}


def path_of(url: str) -> str:
    return url.removeprefix(PUBLIC_URL)


async def connected(
    gateway: Gateway, call_id: str, clinic: Clinic, account: VonageAccount = OURS
) -> dict[str, Any]:
    return stream_in(await post(gateway, "/vonage/voice", ringing(call_id, clinic.number), account))


def media(gateway: Gateway, action: dict[str, Any], authorization: str | None = None) -> connect:
    [endpoint] = action["endpoint"]
    path = endpoint["uri"].removeprefix(PUBLIC_URL.replace("https", "wss"))
    return connect(
        gateway.url.replace("http", "ws", 1) + path,
        additional_headers={"Authorization": bearer(None) if authorization is None else authorization},
        compression=None,
        close_timeout=1,
    )


def first_frame(action: dict[str, Any], **changes: Any) -> str:
    [endpoint] = action["endpoint"]
    told = {"event": "websocket:connected", "content-type": endpoint["content-type"]}
    return json.dumps({**told, **endpoint["headers"], **changes})


def ordered(text: str) -> Mark | Clear | None:
    told = json.loads(text)
    if told == {"action": "clear"}:
        return Clear('{"event":"websocket:cleared"}')
    assert told["action"] == "notify"
    return Mark(json.dumps({"event": "websocket:notify", "payload": told["payload"]}))


async def first_audio(socket: ClientConnection) -> bytes:
    async with asyncio.timeout(20):
        while not isinstance(message := await socket.recv(), bytes):
            pass
    return message


async def test_a_call_is_connected_to_a_signed_socket_or_told_that_its_number_is_nobodys(
    gateway: Gateway, clinic: Clinic, call_id: str
) -> None:
    action = await connected(gateway, call_id, clinic)
    [endpoint] = action.pop("endpoint")
    left = urlsplit(action.pop("left"))
    assert (left.path, dict(parse_qsl(left.query))["callUuid"]) == (
        f"/vonage/left/{clinic.claim.org_id}", call_id,
    )  # fmt: skip
    assert action == {
        "action": "connect",
        "from": clinic.number.lstrip("+"),
        "eventType": "synchronous",
        "eventUrl": [f"{PUBLIC_URL}/vonage/after/{clinic.claim.org_id}"],
        "eventMethod": "POST",
        "limit": 900 + 120,
    }
    headers = endpoint.pop("headers")
    assert endpoint == {
        "type": "websocket",
        "uri": "wss://gw.example.com/vonage/media",
        "content-type": "audio/l16;rate=8000",
        "authorization": {"type": "vonage"},
    }
    assert (headers["callUuid"], headers["attempt"]) == (call_id, "0")
    assert len(json.dumps(headers)) <= 512
    assert "447700900123" not in json.dumps(headers)
    again = await connected(gateway, call_id, clinic)
    assert (again["endpoint"][0]["headers"]["token"] != headers["token"], len(gateway.edge.calls)) == (
        True,
        1,
    )
    withheld = ringing(str(uuid4()), clinic.number) | {"from": "anonymous"}
    served = stream_in(await post(gateway, "/vonage/voice", withheld))
    assert served["action"] == "connect"
    for nobodys in ("+15005550199", "anonymous"):
        assert "not in service" in spoken(
            await post(gateway, "/vonage/voice", ringing(str(uuid4()), nobodys))
        )


async def test_a_call_is_heard_interrupted_and_hung_up_by_rest(
    gateway: Gateway, clinic: Clinic, api: VonageApiSimulator, chat: ChatSimulator, call_id: str,
    pool: asyncpg.Pool,
) -> None:  # fmt: skip
    api.calls.add(call_id)
    action = await connected(gateway, call_id, clinic)
    async with media(gateway, action) as socket:
        await socket.send(bytes(FRAME_BYTES))  # audio may come before its first frame of text
        await socket.send(first_frame(action))
        phone = Phone(socket, ordered)
        talking = asyncio.create_task(phone.run())
        await phone.hears_all()
        await phone.says()
        greeting = phone.audible_frames
        await phone.hears(60)
        await phone.says()
        await phone.until(lambda: bool(phone.played_at_clears))
        heard = phone.audible_frames - greeting
        await phone.hears_all()
        await socket.send('{"event":"websocket:dtmf","digit":"5","duration":260}')
        await phone.says()
        async with asyncio.timeout(30):
            await talking
    await gateway.until_idle()
    assert (socket.close_code, api.calls) == (1000, set())
    assert phone.sizes == {FRAME_BYTES}
    lead = LEAD_S * 1000 / FRAME_MS
    assert lead / 2 < phone.most_queued < lead * 1.5  # a phone that plays late holds more
    told = [each for each in chat.requests[1].messages if each["role"] == "assistant"][-1]["content"]
    assert LONG.startswith(told.rstrip())
    sounded = sum(map(str.isalnum, told))  # a character sounds for a frame
    assert abs(sounded - heard) <= 25
    assert ncco(await post(gateway, path_of(action["eventUrl"][0]), leg_event(action, "disconnected"))) == []
    async with org_transaction(pool, clinic.claim) as connection:
        carriers = await connection.fetch("select carrier, carrier_call_id from public.calls")
    assert [tuple(each) for each in carriers] == [("vonage", call_id)]
    assert gateway.counted("gateway_carrier_requests_total", carrier="vonage", outcome="done") == 1
    assert gateway.counted("gateway_bad_frames_total", reason="before_start") == 1


async def test_a_lost_socket_is_asked_for_again_a_bounded_number_of_times(
    gateway: Gateway, clinic: Clinic, call_id: str
) -> None:
    action = await connected(gateway, call_id, clinic)
    after = path_of(action["eventUrl"][0])
    async with media(gateway, action) as socket:
        await socket.send(first_frame(action))
        await first_audio(socket)
        for status in ("started", "ringing", "answered"):
            answered = await post(gateway, after, leg_event(action, status))
            assert (answered.status_code, answered.content) == (204, b"")
        socket.transport.abort()
    await gateway.until_idle()
    async with media(gateway, action) as again:
        await again.send(first_frame(action))
        assert await closed(again) == (1008, "token_replayed")
    second = stream_in(await post(gateway, after, leg_event(action, "disconnected")))
    assert second["endpoint"][0]["headers"]["attempt"] == "1"
    async with media(gateway, second) as socket:
        await socket.send(first_frame(second))
        await first_audio(socket)
        ended = await post(gateway, "/vonage/event", event(call_id, clinic.number, "completed"))
        assert ended.status_code == 204
        await closed(socket)
    await gateway.until_idle()
    assert ncco(await post(gateway, "/vonage/voice", ringing(call_id, clinic.number))) == []
    assert ncco(await post(gateway, after, leg_event(second, "disconnected"))) == []
    other = str(uuid4())
    unheard = await connected(gateway, str(uuid4()), clinic)  # of whose stream's end no event came
    again = stream_in(await post(gateway, path_of(unheard["left"]), {"payload": {"told": "left"}}))
    assert again["endpoint"][0]["headers"]["attempt"] == "1"
    left = path_of(second["left"])
    assert ncco(await post(gateway, left, {"payload": {}})) == []  # that call is over
    assert (await post(gateway, left, {}, ITS_OWN)).status_code == 403
    assert (await post(gateway, left.partition("?")[0], {})).status_code == 400
    used_up = leg_event(action, "failed", headers={"callUuid": other, "attempt": "2"})
    assert "try again later" in spoken(await post(gateway, after, used_up))


async def test_what_is_no_webhook_or_not_signed_by_the_account_is_refused(
    gateway: Gateway, clinic: Clinic, call_id: str
) -> None:
    """Unsigned, by another, too old, for another body, without one, for another product or application."""
    paths = ("/vonage/voice", "/vonage/event", f"/vonage/after/{clinic.claim.org_id}")
    told = event(call_id, clinic.number, "disconnected")
    for path in paths:
        refused = [
            await gateway.http.post(gateway.url + path, json=told),
            await post(gateway, path, told, ITS_OWN),
            await post(gateway, path, told, at_s=1_700_000_000),
            await post(gateway, path, told, payload_hash="0" * 64),
            await post(gateway, path, told, payload_hash=None),
            await post(gateway, path, told, application_id=None),
            await post(gateway, path, told, application_id=str(uuid4())),
        ]
        assert [each.status_code for each in refused] == [403] * 7, path
    assert (await gateway.http.get(gateway.url + paths[0])).status_code == 405
    assert len(gateway.edge.calls) == 0
    await what_is_no_webhook_is_refused(gateway, clinic, call_id)


async def what_is_no_webhook_is_refused(gateway: Gateway, clinic: Clinic, call_id: str) -> None:
    after = f"/vonage/after/{clinic.claim.org_id}"
    for told in (b"", b"{", b"[]", b"\xff", b'{"uuid":', {"uuid": 7}, {"to": ["x"]}, b"[" * 5000):
        assert (await post(gateway, "/vonage/voice", told)).status_code == 400, told
    for odd in (None, "", "a b", "x" * 65, "u\n"):
        assert (
            await post(gateway, "/vonage/voice", ringing(call_id, clinic.number, uuid=odd))
        ).status_code == 400
        lost = {"status": "disconnected", "headers": {"callUuid": odd}}
        assert (await post(gateway, after, lost)).status_code == 400
    assert (await post(gateway, after, {"status": "disconnected", "headers": None})).status_code == 400
    assert (await post(gateway, after, {"status": "answered", "headers": None})).status_code == 204
    assert (await post(gateway, "/vonage/event", {"reason": "Syntax error in NCCO"})).status_code == 204
    assert (await post(gateway, "/vonage/voice", b" " * 70_000)).status_code == 413
    unknown = event(call_id, clinic.number, "something-new")
    assert (await post(gateway, "/vonage/event", unknown)).status_code == 204


async def test_an_upgrade_or_a_first_frame_that_is_not_good_is_refused(
    gateway: Gateway, clinic: Clinic, call_id: str
) -> None:
    action = await connected(gateway, call_id, clinic)
    for authorization in ("", bearer(None, ITS_OWN), bearer(None, at_s=1_700_000_000)):
        with pytest.raises(InvalidStatus) as refused:
            async with media(gateway, action, authorization):
                pass
        assert refused.value.response.status_code == 403
    for changes, reason in (({"token": ""}, "token_forged"), ({"callUuid": "another"}, "token_foreign")):
        async with media(gateway, action) as socket:
            await socket.send(first_frame(action, **changes))
            assert await closed(socket) == (1008, reason)
    async with media(gateway, action) as socket:
        await socket.send(first_frame(action))
        for garbage in (
            "{",
            '{"event":"websocket:notify"}',
            bytes(3),
            bytes(40_000),
            '{"event":"websocket:new"}',
        ):
            await socket.send(garbage)
        await first_audio(socket)  # the call goes on
    await gateway.until_idle()
    assert gateway.counted("gateway_bad_frames_total", reason="malformed") == 4


async def test_an_org_with_an_application_of_its_own_is_served_by_that_alone(
    gateway: Gateway, clinic: Clinic, pool: asyncpg.Pool, call_id: str
) -> None:
    secret = json.dumps(
        {
            "application_id": ITS_OWN.application_id,
            "private_key": ITS_OWN.private_key,
            "signature_secret": ITS_OWN.signature_secret,
        }
    )
    vault = Vault([MasterKey(bytes(range(32)))]).for_org(clinic.claim.org_id)
    await store_credentials(
        pool, clinic.claim, "vonage", vault.seal(secret.encode(), credentials_cell("vonage"))
    )
    assert (await post(gateway, "/vonage/voice", ringing(call_id, clinic.number))).status_code == 403
    action = await connected(gateway, call_id, clinic, ITS_OWN)
    assert action["endpoint"][0]["uri"] == f"wss://gw.example.com/vonage/media/{clinic.claim.org_id}"
    with pytest.raises(InvalidStatus):
        async with media(gateway, action):
            pass
    async with media(gateway, action, bearer(None, ITS_OWN)) as socket:
        await socket.send(first_frame(action))
        await first_audio(socket)
        after, ended = path_of(action["eventUrl"][0]), leg_event(action, "disconnected")
        assert (await post(gateway, after, ended)).status_code == 403
    await gateway.until_idle()


async def test_without_a_process_wide_application_only_orgs_with_their_own_are_served(
    stack: Stack, clinic: Clinic, call_id: str
) -> None:
    async with running.gateway(running.environment(stack)) as gateway:
        assert (await post(gateway, "/vonage/voice", ringing(call_id, clinic.number))).status_code == 403
