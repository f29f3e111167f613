"""Whose requests of Vapi's custom services count for whom, and under whose keys they are served."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping

import asyncpg
import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from booking.orgs import store_credentials
from compliance.vault import MasterKey, Vault
from gateway.tenancy.credentials import credentials_cell
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.at_vapi import HEADERS, LLM_KEY, envelope, environment, voice_request

OWN_SECRET = "secret-of-the-orgs-own-account"
OWN = {"X-Vapi-Secret": OWN_SECRET, "Authorization": f"Bearer {OWN_SECRET}"}
PROCESS = HEADERS | {"Authorization": f"Bearer {LLM_KEY}"}
SERVED = {"voice": 200, "llm": 200, "transcriber": 101}
NOT_SERVED = dict.fromkeys(SERVED, 401)


@pytest.fixture
async def gateway(stack: Stack, vendors: running.Vendors) -> AsyncIterator[running.Gateway]:
    async with running.gateway(environment(stack, vendors)) as served:
        yield served


@pytest.fixture
async def own(other_clinic: Clinic, pool: asyncpg.Pool) -> Clinic:
    """A clinic with an account of its own at Vapi."""
    account = {"api_key": "own-key", "auth": {"kind": "secret", "secret": OWN_SECRET}}
    await keep(pool, other_clinic, "vapi", json.dumps(account))
    return other_clinic


async def keep(pool: asyncpg.Pool, clinic: Clinic, provider: str, secret: str) -> None:
    vault = Vault([MasterKey(bytes(range(32)))]).for_org(clinic.claim.org_id)
    sealed = vault.seal(secret.encode(), credentials_cell(provider))
    await store_credentials(pool, clinic.claim, provider, sealed)


async def statuses(
    gateway: running.Gateway, headers: Mapping[str, str], number: str, whose: str = ""
) -> dict[str, int]:
    """What each service answers to a request about this number at this address."""
    spoken = await post(gateway, f"/vapi/voice{whose}", voice_request("Hello", 8000, number), headers)
    completion = {"messages": [{"role": "user", "content": "Hi"}]} | envelope(number)
    thought = await post(gateway, f"/vapi/llm{whose}/chat/completions", completion, headers)
    upgraded = 101
    try:
        url = gateway.url.replace("http", "ws", 1) + f"/vapi/transcriber{whose}"
        async with connect(url, additional_headers=headers, compression=None):
            pass
    except InvalidStatus as refusal:
        upgraded = refusal.response.status_code
    return {"voice": spoken.status_code, "llm": thought.status_code, "transcriber": upgraded}


async def post(
    gateway: running.Gateway, path: str, body: object, headers: Mapping[str, str]
) -> httpx.Response:
    return await gateway.http.post(gateway.url + path, json=body, headers=dict(headers))


async def test_an_account_is_served_for_its_own_org_alone(
    gateway: running.Gateway, clinic: Clinic, own: Clinic
) -> None:
    """The transcriber hears no number, so a bare address of it is the process's."""
    at_own, at_other = f"/{own.claim.org_id}", f"/{clinic.claim.org_id}"
    assert await statuses(gateway, OWN, own.number, at_own) == SERVED
    assert await statuses(gateway, PROCESS, clinic.number) == SERVED
    assert await statuses(gateway, PROCESS, clinic.number, at_other) == SERVED
    assert await statuses(gateway, PROCESS, own.number, at_own) == NOT_SERVED
    assert await statuses(gateway, OWN, own.number, at_other) == NOT_SERVED
    assert await statuses(gateway, OWN, own.number) == NOT_SERVED
    assert await statuses(gateway, PROCESS, own.number) == NOT_SERVED | {"transcriber": 101}
    assert await statuses(gateway, {}, clinic.number) == NOT_SERVED


@pytest.mark.parametrize("path", ["/vapi/voice", "/vapi/llm/chat/completions"])
async def test_of_what_nobody_signed_not_even_the_body_is_taken_in(
    gateway: running.Gateway, path: str
) -> None:
    """The body never comes; whoever waited for it would answer nothing."""
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST {path} HTTP/1.1\r\nHost: gw\r\nContent-Length: 4000000\r\n\r\n".encode())
    async with asyncio.timeout(5):
        assert b" 401 " in await reader.readline()
    writer.close()


async def test_an_org_is_served_under_its_own_keys(
    gateway: running.Gateway, vendors: running.Vendors, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    for provider in ("deepgram", "llm", "cartesia"):
        await keep(pool, clinic, provider, f"{provider}-key-that-no-vendor-knows")
    found = await statuses(gateway, PROCESS, clinic.number)
    assert (found["voice"], found["llm"]) == (503, 503)
    assert [request.headers["Authorization"] for request in vendors.chat.requests] == [
        "Bearer llm-key-that-no-vendor-knows"
    ]
