"""The pool: which roles it refuses, what a call costs, what errors become."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from booking.db import open_pool, org_transaction
from booking.errors import BookingUnavailable, UnsafeRole, ValueInvalid
from booking.holds import claim_slot
from booking.slots import next_available
from tests.conftest import Clinic, Stack

_UNSAFE = {
    "superuser": "create role {} login superuser password 'pw'",
    "bypassing": "create role {} login bypassrls password 'pw'",
    "member of the owner": "create role {} login password 'pw' in role gw_owner",
    "member of a member": (
        "create role {0}_group in role gw_owner; create role {0} login password 'pw' in role {0}_group"
    ),
    "member of a superuser": (
        "create role {0}_group superuser; create role {0} login password 'pw' in role {0}_group"
    ),
    "member of a bypassing role": (
        "create role {0}_group bypassrls; create role {0} login password 'pw' in role {0}_group"
    ),
    "member of the resolver": "create role {} login password 'pw' in role gw_resolver",
}


@pytest.fixture(params=_UNSAFE)
async def unsafe_url(request: pytest.FixtureRequest, stack: Stack) -> AsyncIterator[str]:
    name = f"t_{uuid4().hex}"
    admin = await asyncpg.connect(stack.admin)
    await admin.execute(_UNSAFE[request.param].format(name))
    parts = urlsplit(stack.postgres.app)
    yield parts._replace(netloc=f"{name}:pw@").geturl()
    await admin.execute(f"drop role {name}; drop role if exists {name}_group")
    await admin.close()


async def test_a_role_that_could_see_every_org_is_refused(unsafe_url: str) -> None:
    with pytest.raises(UnsafeRole):
        await open_pool(unsafe_url)


async def test_the_owner_is_refused(stack: Stack) -> None:
    with pytest.raises(UnsafeRole, match="gw_owner"):
        await open_pool(stack.postgres.owner)


async def test_no_server_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(BookingUnavailable):
        await open_pool(f"postgresql://gw_app:pw@/gateway?host={tmp_path}")


async def test_a_lock_held_too_long_is_unavailable(stack: Stack, clinic: Clinic) -> None:
    async with await open_pool(stack.postgres.app, max_size=2, statement_timeout_s=0.2) as pool:
        (slot,) = await next_available(
            pool, clinic.claim, service_id=clinic.service_ids[0], after=datetime.now(UTC), limit=1
        )
        async with org_transaction(pool, clinic.claim) as connection:
            await connection.execute("select from slots where id = $1 for update", slot.id)
            with pytest.raises(BookingUnavailable):
                await claim_slot(
                    pool, clinic.claim, slot_id=slot.id, call_id=uuid4(), ttl=timedelta(minutes=1)
                )


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta(days=2), "soon"])
async def test_a_ttl_that_makes_no_sense_is_refused(
    pool: asyncpg.Pool, clinic: Clinic, ttl: timedelta
) -> None:
    with pytest.raises(ValueInvalid):
        await claim_slot(pool, clinic.claim, slot_id=uuid4(), call_id=uuid4(), ttl=ttl)


async def test_a_connection_cut_under_a_statement_is_unavailable_and_the_next_one_works(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    async def cut_short() -> None:
        async with org_transaction(pool, clinic.claim) as connection:
            await admin.execute("select pg_terminate_backend($1)", connection.get_server_pid())
            await connection.fetch("select pg_sleep(10)")

    admin = await asyncpg.connect(stack.admin)
    with pytest.raises(BookingUnavailable):
        await cut_short()
    await admin.close()
    assert await next_available(pool, clinic.claim, service_id=clinic.service_ids[0], after=datetime.now(UTC))
