"""Vonage's own client against the strict server of its voice REST interface."""

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import vonage_http_client as http_client
import vonage_voice
from vonage_voice.models import CreateCallRequest, ListCallsFilter

from bench.simulators.vonage_api import VonageApiSimulator
from bench.simulators.vonage_ncco import ncco_fault
from gateway.vonage_key import application_token
from tests.bench.simulators.redirected import redirect
from tests.gateway.vonage_application import OTHER_PEM, OURS, PUBLIC_KEY

CALL, HOST = "63f61863-4a51-4f6b-86e1-46edebcf9356", "api.nexmo.com"
NUMBER, CONTACT = "442079460018", "447700900123"
PLACED: dict[str, Any] = {
    "to": [{"type": "phone", "number": CONTACT}],
    "from": {"type": "phone", "number": NUMBER},
    "answer_url": ["https://gw.example.com/answer"],
    "answer_method": "POST",
    "event_url": ["https://gw.example.com/event"],
    "advanced_machine_detection": {"behavior": "continue", "mode": "default", "beep_timeout": 45},
    "ringing_timer": 25,
    "length_timer": 1020,
}
DIAL: dict[str, Any] = {
    "action": "connect",
    "from": NUMBER,
    "endpoint": [{"type": "phone", "number": CONTACT, "onAnswer": {"url": "https://gw.example.com/a"}}],
    "eventUrl": ["https://gw.example.com/e"],
    "timeout": 20,
    "limit": 900,
}


@asynccontextmanager
async def simulator() -> AsyncIterator[VonageApiSimulator]:
    async with VonageApiSimulator(application_id=OURS.application_id, public_key=PUBLIC_KEY) as api:
        api.placed.numbers.add(NUMBER)
        yield api


def client(url: str, private_key: str = OURS.private_key) -> Any:
    """Theirs knows https alone: whatever it sends goes to `url`."""
    auth = http_client.Auth(application_id=OURS.application_id, private_key=private_key)
    theirs = http_client.HttpClient(auth, http_client.HttpClientOptions(api_host=HOST, timeout=20))
    redirect(theirs._session, url)
    return vonage_voice.Voice(theirs)


async def test_vonages_own_client_finds_a_call_and_ends_it_once() -> None:
    async with simulator() as api:
        api.calls.add(CALL)
        voice = client(api.url)
        calls, following = await asyncio.to_thread(voice.list_calls)
        assert ([each.uuid for each in calls], following) == ([CALL], None)
        await asyncio.to_thread(voice.hangup, CALL)
        assert api.calls == set()
        for theirs, error in (
            (voice, http_client.NotFoundError),
            (client(api.url, OTHER_PEM), http_client.AuthenticationError),
        ):
            with pytest.raises(error):
                await asyncio.to_thread(theirs.hangup, CALL)
            theirs.http_client._session.close()
    assert [each.status for each in api.requests] == [200, 204, 404, 401]


async def test_vonages_own_client_places_a_call_finds_and_transfers_it() -> None:
    asked = CreateCallRequest(**{**PLACED, "from_": PLACED["from"]})
    async with simulator() as api:
        voice = client(api.url)
        made = await asyncio.to_thread(voice.create_call, asked)
        [call] = api.placed.all
        assert (made.uuid, made.status, made.direction) == (call.uuid, "started", "outbound")
        assert (call.to, call.from_) == (CONTACT, NUMBER)
        assert (await asyncio.to_thread(voice.get_call, made.uuid)).status == "started"
        past, later = ((datetime.now(UTC) + timedelta(hours=each)).strftime("%FT%TZ") for each in (-1, 1))
        for start, expected in ((past, [made.uuid]), (later, [])):
            found, _ = await asyncio.to_thread(voice.list_calls, ListCallsFilter(date_start=start))
            assert [each.uuid for each in found] == expected
        document = [
            vonage_voice.models.Talk(text="Goodbye."),
            vonage_voice.models.Connect(**DIAL, from_=NUMBER),
        ]
        await asyncio.to_thread(voice.transfer_call_ncco, made.uuid, document)
        [(transferred, actions)] = api.documents
        assert (transferred, [each["action"] for each in actions]) == (made.uuid, ["talk", "connect"])
        voice.http_client._session.close()


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"to": [{"type": "phone", "number": "+447700900123"}]}, "to"),
        ({"to": []}, "to"),
        ({"from": {"type": "phone", "number": "442079460099"}}, "from"),
        ({"random_from_number": True}, "random_from_number"),
        ({"ncco": [{"action": "talk", "text": "Hello."}]}, "answer_url"),
        ({"answer_url": "https://gw.example.com/answer"}, "answer_url"),
        ({"event_url": ["/event"]}, "event_url"),
        ({"event_method": "PUT"}, "event_method"),
        ({"advanced_machine_detection": {"mode": "default"}}, "advanced_machine_detection"),
        (
            {"advanced_machine_detection": {"behavior": "continue", "beep_timeout": 5}},
            "advanced_machine_detection",
        ),
        ({"ringing_timer": 121}, "ringing_timer"),
        (
            {"advanced_machine_detection": {"behavior": "continue", "beep_timeout": 45.0}},
            "advanced_machine_detection",
        ),
        ({"ringing_timer": True}, "ringing_timer"),
        ({"length_timer": "60"}, "length_timer"),
        ({"ring_timer": 20}, "ring_timer"),
    ],
)
async def test_a_call_that_vonage_would_not_place_is_refused(changes: dict[str, Any], parameter: str) -> None:
    async with simulator() as api:
        status, told = await asked(api, "POST", "", PLACED | changes)
        assert (status, told["invalid_parameters"][0]["name"]) == (400, parameter)
        assert api.placed.all == []


async def asked(api: VonageApiSimulator, method: str, path: str, body: Any) -> tuple[int, Any]:
    token = application_token(OURS.application_id, OURS.private_key, now_s=datetime.now().timestamp())
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.request(method, f"{api.url}/v1/calls{path}", json=body) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, None),
        ({"from": "+442079460018"}, "connect: from"),
        ({"eventUrl": "https://gw.example.com/e"}, "connect: eventUrl"),
        ({"limit": 7201}, "connect: limit"),
        ({"limit": 60.0}, "connect: limit"),
        ({"timeout": True}, "connect: timeout"),
        ({"onAnswer": {}}, "connect: unknown field onAnswer"),
        ({"endpoint": [{"type": "phone", "number": "0207"}]}, "connect: number"),
        ({"endpoint": [{"type": "phone", "number": CONTACT, "onAnswer": {}}]}, "connect: onAnswer"),
        ({"endpoint": [{"type": "app", "user": "x"}]}, "connect: endpoint"),
        ({"action": "dance"}, "ncco: an unknown action"),
    ],
)
def test_a_document_is_refused_by_what_is_wrong_with_it(change: dict[str, Any], fault: str | None) -> None:
    assert ncco_fault([copy.deepcopy(DIAL) | change]) == fault
    assert ncco_fault([]) == "ncco: a list of actions"
    assert ncco_fault([{"action": "notify", "payload": {}}]) == "notify: payload and eventUrl"
    assert ncco_fault([{"action": "talk", "text": " "}]) == "talk: text"
