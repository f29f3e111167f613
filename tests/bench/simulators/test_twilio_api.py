"""The Twilio REST simulator, driven by Twilio's own SDK."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from bench.simulators.faults import Refuse, Stall
from bench.simulators.twilio_api import TwilioApiSimulator

ACCOUNT = "AC" + "1" * 32
TOKEN = "secret"
CALL = "CA" + "2" * 32


@pytest.fixture
async def simulator() -> AsyncIterator[TwilioApiSimulator]:
    async with TwilioApiSimulator(account_sid=ACCOUNT, auth_token=TOKEN) as server:
        yield server


async def update(simulator: TwilioApiSimulator, sid: str = CALL, token: str = TOKEN, **fields: Any) -> Any:
    async with AsyncTwilioHttpClient() as http:
        client = Client(ACCOUNT, token, http_client=http)
        client.api.base_url = simulator.url
        return await client.calls(sid).update_async(**fields)


async def test_a_call_is_hung_up_and_its_carrier_told() -> None:
    told = []
    async with TwilioApiSimulator(account_sid=ACCOUNT, auth_token=TOKEN, updated=told.append) as simulator:
        call = simulator.add_call(CALL)
        assert (await update(simulator, status="completed")).status == "completed"
    assert told == [call]
    assert simulator.requests[0].form == {"Status": "completed"}


async def test_a_call_gets_a_new_document(simulator: TwilioApiSimulator) -> None:
    call = simulator.add_call(CALL)
    await update(simulator, twiml="<Response><Hangup/></Response>")
    assert call.twiml == "<Response><Hangup/></Response>"
    assert call.status == "in-progress"


@pytest.mark.parametrize(
    ("sid", "token", "status", "fields", "code"),
    [
        (CALL, "wrong", "in-progress", {"status": "completed"}, 20003),
        ("CA" + "3" * 32, "secret", "in-progress", {"status": "completed"}, 20404),
        ("CAnothing", "secret", "in-progress", {"status": "completed"}, 20404),
        (CALL, "secret", "completed", {"status": "completed"}, 20404),
        (CALL, "secret", "completed", {"twiml": "<Response/>"}, 21220),
        (CALL, "secret", "in-progress", {"status": "ended"}, 21218),
        (CALL, "secret", "in-progress", {"status": "canceled"}, 21220),
        (CALL, "secret", "in-progress", {"twiml": "<Response>"}, 12100),
        (CALL, "secret", "in-progress", {"twiml": "<Other/>"}, 12100),
        (CALL, "secret", "in-progress", {"url": "/relative"}, 21205),
        (CALL, "secret", "in-progress", {"url": "https://a.example", "twiml": "<Response/>"}, 20001),
        (CALL, "secret", "in-progress", {}, 20001),
    ],
)
async def test_what_the_vendor_refuses_is_refused(
    simulator: TwilioApiSimulator, sid: str, token: str, status: str, fields: dict[str, str], code: int
) -> None:
    simulator.add_call(CALL, status=status)
    with pytest.raises(TwilioRestException) as refused:
        await update(simulator, sid, token, **fields)
    assert refused.value.code == code


async def test_a_misspelt_field_is_refused(simulator: TwilioApiSimulator) -> None:
    simulator.add_call(CALL)
    url = f"{simulator.url}/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}.json"
    headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, data={"status": "completed"}) as response,
    ):
        assert response.status == 400


async def test_planned_faults_strike(simulator: TwilioApiSimulator) -> None:
    simulator.add_call(CALL)
    simulator.faults.add(Refuse(status=503))
    with pytest.raises(TwilioRestException) as refused:
        await update(simulator, status="completed")
    assert refused.value.status == 503
    simulator.faults.add(Stall())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(update(simulator, status="completed"), 0.2)
