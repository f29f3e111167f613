"""Clients of many keys and voices: shared by calls, and gone when they have not been used for long."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from bench.simulators.cartesia import CartesiaSimulator, SocketRecord
from bench.simulators.offline.tone import ToneVoice
from booking.orgs import store_credentials
from gateway.gear import turbo_settings
from gateway.prewarm import PROCESS_KEYS, SPARE_CLIENTS, Clients
from gateway.settings import load
from gateway.tenancy.credentials import OrgKeys, credentials_cell
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import VENDOR_KEY, first_audio, start

OWN_KEY = "cartesia-key-of-the-org"


@pytest.fixture
async def cartesia() -> AsyncIterator[CartesiaSimulator]:
    keys = {VENDOR_KEY, OWN_KEY, "first", "second"}
    async with CartesiaSimulator(ToneVoice(), keys=keys) as simulator:
        yield simulator


def sockets_of(cartesia: CartesiaSimulator, key: str) -> list[SocketRecord]:
    return [each for each in cartesia.sockets if each.headers["Authorization"] == f"Bearer {key}"]


async def warmed(clients: Clients, key: str) -> None:
    """A call in this key's name, as far as its voice goes."""
    keys = OrgKeys(cartesia=key)
    with clients.lease(keys):
        await clients.tts(keys, None).warm_up()


async def closed(socket: SocketRecord) -> None:
    async with asyncio.timeout(10):
        await socket.closed.wait()


async def test_voices_and_profiles_of_a_key_share_its_socket(
    stack: Stack, cartesia: CartesiaSimulator
) -> None:
    environ = running.environment(stack, CARTESIA_URL=cartesia.url, TURBO_TTS_MODEL="sonic-3.5")
    settings = load(environ, env_file=None)
    async with Clients(settings) as usual, Clients(turbo_settings(settings), usual=usual) as turbo:
        for clients, voice in ((usual, None), (usual, "another-voice"), (turbo, None)):
            async with clients.tts(PROCESS_KEYS, voice).context() as context:
                await context.push("Good morning.")
                await context.finish()
                assert [event async for event in context.events()]
    [socket] = cartesia.sockets
    spoken = {(message["voice"]["id"], message["model_id"]) for message in socket.messages}
    assert len(spoken) == 3


async def test_a_key_that_is_not_used_any_more_loses_its_socket(
    stack: Stack, cartesia: CartesiaSimulator
) -> None:
    settings = load(running.environment(stack, CARTESIA_URL=cartesia.url), env_file=None)
    async with Clients(settings, spare=1) as clients:
        await clients.tts(PROCESS_KEYS, None).warm_up()
        await warmed(clients, "first")
        await warmed(clients, "second")
        [gone], [kept] = sockets_of(cartesia, "first"), sockets_of(cartesia, "second")
        await closed(gone)
        await warmed(clients, "second")
        assert len(sockets_of(cartesia, "second")) == 1
        [own] = sockets_of(cartesia, VENDOR_KEY)
        assert not kept.closed.is_set()
        assert not own.closed.is_set()


async def test_many_other_keys_do_not_close_what_a_call_speaks_over(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic, vendors: running.Vendors, cartesia: CartesiaSimulator
) -> None:
    around = running.Vendors(vendors.deepgram, vendors.chat, cartesia)
    async with running.gateway(running.environment(stack, **around.environment())) as gateway:
        vault = gateway.edge.desk.vault.for_org(clinic.claim.org_id)
        sealed = vault.seal(OWN_KEY.encode(), credentials_cell("cartesia"))
        await store_credentials(pool, clinic.claim, "cartesia", sealed)
        token = await gateway.token(clinic.number)
        async with gateway.media() as socket:
            await socket.send(start(token))
            await first_audio(socket)
            [own] = sockets_of(cartesia, OWN_KEY)
            others_come(gateway.edge.desk.clients)
            await asyncio.sleep(0.2)  # long enough for a socket to close that should not
            await first_audio(socket)
            assert not own.closed.is_set()
        await gateway.until_idle()
        others_come(gateway.edge.desk.clients)
        await closed(own)


def others_come(clients: Clients) -> None:
    """As many short calls in the names of other keys as are kept."""
    for number in range(SPARE_CLIENTS):
        keys = OrgKeys(cartesia=f"key-{number}")
        with clients.lease(keys):
            clients.tts(keys, None)
