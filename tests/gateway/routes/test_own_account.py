"""An org with a Twilio account of its own: its token signs webhooks and sockets, its REST ends its calls."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
from twilio.request_validator import RequestValidator
from websockets.exceptions import InvalidStatus

from bench.simulators.twilio_api import TwilioApiSimulator
from booking.orgs import store_credentials
from compliance.vault import MasterKey, Vault
from gateway.tenancy.credentials import credentials_cell
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import PUBLIC_URL, Gateway, closed, document, first_audio, frame, start, verbs

OWN_ACCOUNT, OWN_TOKEN = "AC" + "6" * 32, "auth-token-of-the-org"
CALL, ENDED_CALL, OTHER_CALL = ("CA" + uuid4().hex for _ in range(3))  # which calls are over, Redis remembers


def signed(url: str, fields: dict[str, str] | None = None) -> str:
    return str(RequestValidator(OWN_TOKEN).compute_signature(url, fields or {}))


@pytest.fixture
async def own(clinic: Clinic, pool: asyncpg.Pool) -> Clinic:
    """A clinic with its own account."""
    secret = json.dumps({"account_sid": OWN_ACCOUNT, "auth_token": OWN_TOKEN})
    vault = Vault([MasterKey(bytes(range(32)))]).for_org(clinic.claim.org_id)
    sealed = vault.seal(secret.encode(), credentials_cell("twilio"))
    await store_credentials(pool, clinic.claim, "twilio", sealed)
    return clinic


@pytest.fixture
async def api() -> AsyncIterator[TwilioApiSimulator]:
    async with TwilioApiSimulator(account_sid=OWN_ACCOUNT, auth_token=OWN_TOKEN) as simulator:
        simulator.add_call(CALL)
        yield simulator


async def ring(gateway: Gateway, dialled: str, call_id: str = CALL) -> tuple[str, str, str]:
    """The media socket's address and token, and the status address, that answer the org's own webhook."""
    fields = {"CallSid": call_id, "To": dialled}
    url = f"{PUBLIC_URL}/twilio/voice"
    answer = document(await gateway.post("/twilio/voice", fields, signed(url, fields)))
    assert verbs(answer) == ["Connect"]
    stream, parameter = answer.find(".//Stream"), answer.find(".//Parameter[@name='token']")
    assert stream is not None
    assert parameter is not None
    return stream.attrib["url"], parameter.attrib["value"], stream.attrib["statusCallback"]


async def test_process_wide_token_signs_nothing_of_an_org_that_has_its_own(
    gateway: Gateway, own: Clinic
) -> None:
    for path in ("/twilio/voice", "/twilio/after", "/twilio/status"):
        assert (await gateway.post(path, {"CallSid": CALL, "To": own.number})).status_code == 403
    assert len(gateway.edge.calls) == 0


async def test_own_token_signs_webhooks_and_the_socket(gateway: Gateway, own: Clinic) -> None:
    media_url, token, status_url = await ring(gateway, own.number)
    assert media_url == f"{running.MEDIA_URL}/{own.claim.org_id}"
    async with gateway.media(signed(media_url), media_url) as socket:
        await socket.send(start(token, CALL))
        await first_audio(socket)
    await gateway.until_idle()
    told = {"CallSid": CALL, "StreamEvent": "stream-stopped"}
    path = status_url.removeprefix(PUBLIC_URL)
    assert (await gateway.post(path, told, signed(status_url, told))).status_code == 204
    assert (await gateway.post(path, told)).status_code == 403


async def test_process_wide_token_does_not_open_the_orgs_socket(gateway: Gateway, own: Clinic) -> None:
    media_url, _, _ = await ring(gateway, own.number)
    with pytest.raises(InvalidStatus):
        async with gateway.media(gateway.signature(media_url), media_url):
            pass


async def test_own_token_is_no_key_to_other_orgs_calls(
    gateway: Gateway, own: Clinic, other_clinic: Clinic
) -> None:
    theirs = await gateway.token(other_clinic.number, OTHER_CALL)
    media_url, _, status_url = await ring(gateway, own.number)
    async with gateway.media(signed(media_url), media_url) as socket:
        await socket.send(start(theirs, OTHER_CALL))
        assert await closed(socket) == (1008, "token_foreign")
    fields = {"CallSid": OTHER_CALL, "To": own.number, "CallStatus": "completed"}
    for path in ("/twilio/voice", "/twilio/status", status_url.removeprefix(PUBLIC_URL)):
        assert (await gateway.post(path, fields, signed(PUBLIC_URL + path, fields))).status_code == 403
    assert OTHER_CALL in gateway.edge.calls


async def test_a_live_call_of_the_org_is_told_by_its_id(gateway: Gateway, own: Clinic) -> None:
    await ring(gateway, own.number, ENDED_CALL)
    fields = {"CallSid": ENDED_CALL, "CallStatus": "completed"}
    assert (await gateway.post("/twilio/status", fields)).status_code == 403
    url = f"{PUBLIC_URL}/twilio/status"
    assert (await gateway.post("/twilio/status", fields, signed(url, fields))).status_code == 204
    await gateway.until_idle()


async def test_own_account_ends_the_call(
    stack: Stack, own: Clinic, vendors: running.Vendors, api: TwilioApiSimulator
) -> None:
    environ = running.environment(
        stack, **vendors.environment(), TWILIO_API_URL=api.url, MAX_CALL_S="0.3", CLOSING_S="1"
    )
    async with running.gateway(environ) as gateway:
        media_url, token, _ = await ring(gateway, own.number)
        async with gateway.media(signed(media_url), media_url) as socket, asyncio.timeout(20):
            await socket.send(start(token, CALL))
            assert (await closed(socket, 20))[0] == 1000
        await gateway.until_idle()
    assert api.calls[CALL].status == "completed"


async def test_while_the_database_is_away_the_process_wide_token_speaks(
    gateway: Gateway, clinic: Clinic
) -> None:
    await gateway.edge.desk.pool.close()
    refused = await gateway.answer(clinic.number)
    assert verbs(refused) == ["Say", "Hangup"]


async def test_an_orgs_account_reaches_no_live_call_of_another(
    gateway: Gateway, own: Clinic, other_clinic: Clinic
) -> None:
    """It names the other's call, with its own number as the one dialled: by webhook, and on a socket."""
    call_id = "CA" + uuid4().hex
    media_url, early, _ = await ring(gateway, own.number, call_id)
    gateway.edge.calls.line_closed(call_id, "test")
    await gateway.until_idle()
    token = await gateway.token(other_clinic.number, call_id)
    async with gateway.media() as socket, gateway.media(signed(media_url), media_url) as intruder:
        await socket.send(start(token, call_id))
        await first_audio(socket)
        fields = {"CallSid": call_id, "To": own.number}
        for path in ("/twilio/voice", "/twilio/after?attempt=0", "/twilio/status"):
            signature = signed(PUBLIC_URL + path, fields)
            assert (await gateway.post(path, fields, signature)).status_code == 403
        await intruder.send(start(early, call_id))
        assert await closed(intruder) == (1008, "token_foreign")
        assert len(gateway.edge.calls) == 1
        await socket.send(frame("stop"))
        assert (await closed(socket))[0] == 1000
    await gateway.until_idle()
    assert gateway.counted("gateway_calls_total", reason="caller_hung_up") == 1
