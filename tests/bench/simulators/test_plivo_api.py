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
