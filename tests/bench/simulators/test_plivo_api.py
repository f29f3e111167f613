"""Plivo's own client against the strict server of its REST interface."""

import asyncio

import plivo
import pytest

from bench.simulators.plivo_api import PlivoApiSimulator
from tests.bench.simulators.redirected import redirect

AUTH_ID, CALL = "MA" + "1" * 18, "7c1a8ad4-0d5a-4b0b-9b9e-1f2d3c4b5a69"


async def test_plivos_own_client_ends_a_call_once() -> None:
    async with PlivoApiSimulator(auth_id=AUTH_ID, auth_token="token") as api:
        api.calls.add(CALL)
        client, stranger = (plivo.RestClient(AUTH_ID, token, timeout=20) for token in ("token", "another"))
        for each in (client, stranger):
            redirect(each.session, api.url)
        await asyncio.to_thread(client.calls.hangup, CALL)
        assert api.calls == set()
        with pytest.raises(plivo.exceptions.ResourceNotFoundError):
            await asyncio.to_thread(client.calls.hangup, CALL)
        with pytest.raises(plivo.exceptions.AuthenticationError):
            await asyncio.to_thread(stranger.calls.hangup, CALL)
        client.session.close()
        stranger.session.close()
    assert [each.status for each in api.requests] == [204, 404, 401]


async def test_plivos_own_client_places_lists_and_transfers_a_call() -> None:
    async with PlivoApiSimulator(auth_id=AUTH_ID, auth_token="token") as api:
        api.placed.numbers.add("+442079460018")
        client = plivo.RestClient(AUTH_ID, "token", timeout=20)
        redirect(client.session, api.url)
        made = await asyncio.to_thread(
            client.calls.create,
            from_="442079460018",
            to_="447700900123",
            answer_url="https://gw.example.com/answer",
            machine_detection="true",
            machine_detection_url="https://gw.example.com/machine",
        )
        call_uuid = made.request_uuid
        [call] = api.placed.all
        assert call.call_uuid == call_uuid
        live = await asyncio.to_thread(client.live_calls.list_ids, from_number="442079460018")
        assert (live["calls"], api.placed.page({"status": "queued"})["calls"]) == ([call_uuid], [])
        call.answer()
        told = await asyncio.to_thread(client.live_calls.get, call_uuid)
        assert (told.call_status, told.request_uuid) == ("in-progress", call_uuid)
        moved = await asyncio.to_thread(
            client.calls.transfer, call_uuid, legs="aleg", aleg_url="https://gw.example.com/anew"
        )
        assert (moved.message, api.transferred) == (
            "call transferred",
            {call_uuid: "https://gw.example.com/anew"},
        )
        await asyncio.to_thread(client.calls.hangup, call_uuid)
        [over] = await asyncio.to_thread(client.calls.list, to_number="447700900123")
        assert (over.call_uuid, over.hangup_cause_code) == (call_uuid, 4000)
        with pytest.raises(plivo.exceptions.ResourceNotFoundError):
            await asyncio.to_thread(client.live_calls.get, call_uuid)
        client.session.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"from_": "442079460019"},
        {"to_": "sip"},
        {"machine_detection": "async"},
        {"machine_detection_time": 100},
        {"time_limit": 0},
        {"answer_method": "PUT"},
    ],
    ids=str,
)
async def test_plivos_own_client_is_refused_what_plivo_refuses(wrong: dict[str, object]) -> None:
    async with PlivoApiSimulator(auth_id=AUTH_ID, auth_token="token") as api:
        api.placed.numbers.add("+442079460018")
        client = plivo.RestClient(AUTH_ID, "token", timeout=20)
        redirect(client.session, api.url)
        whole = {"from_": "442079460018", "to_": "447700900123", "answer_url": "https://gw.example.com/a"}
        with pytest.raises(plivo.exceptions.ValidationError):
            await asyncio.to_thread(client.calls.create, **(whole | wrong))
        with pytest.raises(plivo.exceptions.ResourceNotFoundError):
            await asyncio.to_thread(
                client.calls.transfer, CALL, legs="aleg", aleg_url="https://gw.example.com"
            )
        client.session.close()
    assert api.placed.all == []
