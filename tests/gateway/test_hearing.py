"""The right recogniser opens before the media come, for orgs too that are heard in a way of their own."""

import asyncio
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script
from booking.orgs import store_credentials
from gateway.gear import turbo_settings
from gateway.hearing import Hearing
from gateway.prewarm import PROCESS_KEYS, Clients
from gateway.settings import load
from gateway.tenancy.credentials import OrgKeys, credentials_cell
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import VENDOR_KEY, first_audio, start

OWN_KEY = "deepgram-key-of-the-org"


@pytest.fixture
async def deepgram() -> AsyncIterator[DeepgramSimulator]:
    async with DeepgramSimulator(Script([]).hearing, keys={VENDOR_KEY, OWN_KEY}) as simulator:
        yield simulator


def live(deepgram: DeepgramSimulator) -> list[tuple[str, str]]:
    """Key and model of each session that is open."""
    return [(each.key, each.params["model"][0]) for each in deepgram.sessions if not each.closed.is_set()]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  the simulator has no event for it
            await asyncio.sleep(0.01)


async def test_an_orgs_own_recogniser_opens_while_the_phone_rings(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic, vendors: running.Vendors, deepgram: DeepgramSimulator
) -> None:
    around = running.Vendors(deepgram, vendors.chat, vendors.cartesia)
    async with running.gateway(running.environment(stack, **around.environment())) as gateway:
        vault = gateway.edge.desk.vault.for_org(clinic.claim.org_id)
        sealed = vault.seal(OWN_KEY.encode(), credentials_cell("deepgram"))
        await store_credentials(pool, clinic.claim, "deepgram", sealed)
        token = await gateway.token(clinic.number)
        await until(lambda: [key for key, _ in live(deepgram)] == [OWN_KEY])
        before = len(deepgram.sessions)
        async with gateway.media() as socket:
            await socket.send(start(token))
            await first_audio(socket)
            assert (len(deepgram.sessions), [key for key, _ in live(deepgram)]) == (before, [OWN_KEY])
        await gateway.until_idle()
    assert [text["type"] for text in deepgram.sessions[-1].texts][:1] == ["Configure"]


async def test_only_what_is_heard_otherwise_is_opened_again(
    stack: Stack, deepgram: DeepgramSimulator
) -> None:
    settings = load(
        running.environment(stack, DEEPGRAM_URL=deepgram.url, TURBO_STT_MODEL="nova-3"), env_file=None
    )
    usual, turbo = Clients(settings), Clients(turbo_settings(settings))
    async with asyncio.TaskGroup() as group:
        hearing = Hearing(group)
        first = hearing.open(usual, PROCESS_KEYS)
        await first.session(5)
        assert hearing.open(usual, OrgKeys(llm="of-the-org")) is first
        hearing.open(turbo, PROCESS_KEYS)
        await until(lambda: live(deepgram) == [(VENDOR_KEY, "nova-3")])
        hearing.open(turbo, OrgKeys(deepgram=OWN_KEY))
        await until(lambda: live(deepgram) == [(OWN_KEY, "nova-3")])
        hearing.close()
    await until(lambda: live(deepgram) == [])
    assert len(deepgram.sessions) == 3
