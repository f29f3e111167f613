"""Vonage's own client against the strict server of its voice REST interface."""

import asyncio
from typing import Any

import pytest
import vonage_http_client as http_client
import vonage_voice

from bench.simulators.vonage_api import VonageApiSimulator
from tests.bench.simulators.redirected import redirect
from tests.gateway.vonage_application import OTHER_PEM, OURS, PUBLIC_KEY

CALL, HOST = "63f61863-4a51-4f6b-86e1-46edebcf9356", "api.nexmo.com"


def client(url: str, private_key: str = OURS.private_key) -> Any:
    """Theirs knows https alone: whatever it sends goes to `url`."""
    auth = http_client.Auth(application_id=OURS.application_id, private_key=private_key)
    theirs = http_client.HttpClient(auth, http_client.HttpClientOptions(api_host=HOST, timeout=20))
    redirect(theirs._session, url)
    return vonage_voice.Voice(theirs)


async def test_vonages_own_client_finds_a_call_and_ends_it_once() -> None:
    async with VonageApiSimulator(application_id=OURS.application_id, public_key=PUBLIC_KEY) as api:
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
