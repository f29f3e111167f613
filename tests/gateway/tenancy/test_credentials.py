"""An org's own keys: sealed in Postgres and Redis, opened for the call, used instead of the process's."""

import asyncpg

from booking.orgs import store_credentials
from compliance.vault import MasterKey, Vault
from gateway.tenancy.credentials import OrgKeys, credentials_cell, open_keys
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import Gateway

SECRET = "cartesia-key-of-the-org"


async def seal(gateway: Gateway, pool: asyncpg.Pool, clinic: Clinic, provider: str, key: str) -> bytes:
    vault = gateway.edge.desk.vault.for_org(clinic.claim.org_id)
    sealed = vault.seal(key.encode(), credentials_cell(provider))
    await store_credentials(pool, clinic.claim, provider, sealed)
    return sealed


async def test_own_key_takes_the_place_of_the_process_wide_one(
    gateway: Gateway, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    await seal(gateway, pool, clinic, "cartesia", SECRET)
    desk = gateway.edge.desk
    keys = await open_keys(desk.credentials, desk.vault, clinic.claim.org_id)
    assert keys == OrgKeys(cartesia=SECRET)
    assert desk.clients.voice(keys, None).api_key == SECRET
    assert SECRET not in repr(keys)


async def test_nothing_in_redis_is_open(
    gateway: Gateway, pool: asyncpg.Pool, clinic: Clinic, stack: Stack
) -> None:
    sealed = await seal(gateway, pool, clinic, "cartesia", SECRET)
    desk = gateway.edge.desk
    await open_keys(desk.credentials, desk.vault, clinic.claim.org_id)
    async with running.shared_store(stack) as store:
        kept = await store.get(f"gw:credentials:{clinic.claim.org_id}")
    assert kept is not None
    assert sealed in kept
    assert SECRET.encode() not in kept


async def test_unreadable_key_is_left_out(gateway: Gateway, pool: asyncpg.Pool, clinic: Clinic) -> None:
    foreign = Vault([MasterKey.generate()]).for_org(clinic.claim.org_id)
    await store_credentials(pool, clinic.claim, "llm", foreign.seal(b"x", credentials_cell("llm")))
    await store_credentials(pool, clinic.claim, "deepgram", b"not sealed at all")
    desk = gateway.edge.desk
    assert await open_keys(desk.credentials, desk.vault, clinic.claim.org_id) == OrgKeys()
