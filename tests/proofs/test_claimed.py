"""How a claim comes about and how it ends: armed in one place, never forged, never left on a connection."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from booking import orgs
from booking.db import claims_json, fetch, open_pool, org_transaction
from booking.errors import BookingError
from booking.types import Claim
from tests.conftest import Clinic, Stack

ROOT = Path(__file__).parents[2]
PACKAGES = ("booking", "gateway", "pipeline", "compliance", "bench")
ARMS = re.compile(
    r"request\.jwt|\bapp\.arm\b|\bset_config\b(?!\('search_path')|\bset\s+(local|session)\s+role\b",
    re.IGNORECASE,
)
ARMING = {"booking/db.py"}


def test_only_one_module_arms_a_claim() -> None:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    assert {str(path.relative_to(ROOT)) for path in paths if ARMS.search(path.read_text())} == ARMING


async def test_only_one_function_sets_the_claim(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch(
        """
        select n.nspname || '.' || p.proname as name
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname not in ('pg_catalog', 'information_schema')
          and (p.prosrc ~* 'set_config|set +(local|session) +' or 'request.jwt.claims' ~ any (p.proconfig))
        """
    )
    assert [row["name"] for row in rows] == ["app.arm"]


@pytest.fixture
async def one(stack: Stack) -> AsyncIterator[asyncpg.Pool]:
    """A pool of one connection, so that everyone gets the one the last one had."""
    async with await open_pool(stack.postgres.app, min_size=1, max_size=1) as pool:
        yield pool


async def require_disarmed(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        assert await connection.fetchval("select app.org_id()") is None
        assert await connection.fetchval("select count(*) from public.organizations") == 0
        assert await connection.fetchval("select count(*) from public.slots") == 0


@pytest.mark.parametrize(
    "claims",
    [
        "",
        "null",
        "[]",
        "{}",
        "no JSON",
        '{"org_id": null}',
        '{"org_id": "*"}',
        '{"org_id": ["ORG"]}',
        '{"org_id": {"eq": "ORG"}}',
        '{"org_id": "ORG\' or true --"}',
        '{"ORG_ID": "ORG"}',
        '{"role": "service_role"}',
        '{"app_metadata": {"org_id": "ORG"}}',
        '{"org_id": "", "clinic_id": "ORG"}',
    ],
)
async def test_a_forged_claim_arms_nothing(one: asyncpg.Pool, clinic: Clinic, claims: str) -> None:
    forged = claims.replace("ORG", str(clinic.claim.org_id))
    async with one.acquire() as connection:
        for statement in ("select app.arm($1)", "select * from app.org_profile(app.arm($1))"):
            with pytest.raises(asyncpg.PostgresError):
                await connection.fetch(statement, forged)
    await require_disarmed(one)


async def test_a_claim_of_two_orgs_is_of_one(one: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic) -> None:
    ours, theirs = clinic.claim.org_id, other_clinic.claim.org_id
    both = json.dumps({"org_id": str(ours), "clinic_id": str(theirs), "role": "service_role"})
    async with one.acquire() as connection, connection.transaction():
        await connection.execute("select app.arm($1)", both)
        seen = await connection.fetch("select distinct org_id from public.slots")
    assert [row["org_id"] for row in seen] == [ours]


async def test_an_org_that_nobody_has_sees_nothing(one: asyncpg.Pool, clinic: Clinic) -> None:
    assert await fetch(one, Claim(uuid4()), "org_profile") == []


async def test_a_stale_connection_sees_nothing_of_whoever_had_it_before(
    one: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    for claim in (clinic.claim, other_clinic.claim) * 3:
        profile = await orgs.load_profile(one, claim)
        assert profile is not None
        assert profile.org_id == claim.org_id
        await require_disarmed(one)
        async with org_transaction(one, claim) as connection:
            assert await connection.fetchval("select count(distinct org_id) from public.slots") == 1
        await require_disarmed(one)


async def test_a_failed_or_cancelled_statement_leaves_no_claim(one: asyncpg.Pool, clinic: Clinic) -> None:
    with pytest.raises(BookingError):
        await fetch(one, clinic.claim, "get_slot_hold_status", uuid4())
    await require_disarmed(one)
    with pytest.raises(RuntimeError):
        async with org_transaction(one, clinic.claim):
            raise RuntimeError("half-way")
    await require_disarmed(one)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(armed_for_a_minute(one, clinic.claim), 0.2)
    await require_disarmed(one)


async def armed_for_a_minute(pool: asyncpg.Pool, claim: Claim) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select app.arm($1)", claims_json(claim))
        await connection.execute("select pg_sleep(60)")


async def test_a_killed_connection_is_replaced_by_one_without_a_claim(
    stack: Stack, one: asyncpg.Pool, clinic: Clinic
) -> None:
    admin = await asyncpg.connect(stack.admin)
    try:
        with pytest.raises(BookingError):
            await killed_while_armed(one, clinic.claim, admin)
    finally:
        await admin.close()
    await require_disarmed(one)


async def killed_while_armed(pool: asyncpg.Pool, claim: Claim, admin: asyncpg.Connection) -> None:
    async with org_transaction(pool, claim) as connection:
        await admin.execute("select pg_terminate_backend($1, 5000)", connection.get_server_pid())
        await connection.fetch("select 1")
