"""A crowd that misses costs the database one statement: real Postgres, real Redis, 500 callers at once."""

import asyncio

import asyncpg

from bench.credentials import Statements, count_statements
from booking.orgs import store_credentials
from compliance.vault import MasterKey, Vault
from gateway.metrics import Metrics
from gateway.shared_store import SharedStore
from gateway.tenancy.cache import LayeredCache, Lives
from gateway.tenancy.credentials import OrgKeys, credentials_cell, credentials_source, open_keys
from tests.conftest import Clinic, Stack
from tests.gateway.tenancy.test_layers import Clock

CALLERS = 500
LIVES = Lives(memory_s=5, redis_s=300, unknown_s=15, source_s=3)


async def test_500_callers_of_one_org_share_one_statement(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    """Once for an org that has keys, once for one that has none: then nobody asks again at all."""
    vault, statements = Vault([MasterKey.generate()]), Statements()
    sealed = vault.for_org(clinic.claim.org_id).seal(b"key-of-the-org", credentials_cell("llm"))
    await store_credentials(pool, clinic.claim, "llm", sealed)
    await count_statements(pool, 4, statements)
    async with (
        SharedStore(stack.redis, Metrics(), command_s=2) as store,
        asyncio.TaskGroup() as group,
    ):
        cache = LayeredCache(
            credentials_source(pool), LIVES, store=store, group=group, clock=Clock(), metrics=Metrics()
        )
        for org, keys in ((clinic, OrgKeys(llm="key-of-the-org")), (other_clinic, OrgKeys())):
            statements.count = 0
            asking = (open_keys(cache, vault, org.claim.org_id) for _ in range(CALLERS))
            assert await asyncio.gather(*asking) == [keys] * CALLERS
            assert statements.count == 1
            assert await open_keys(cache, vault, org.claim.org_id) == keys
            assert statements.count == 1
