"""A front desk over the real server."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from booking.db import open_pool
from tests.booking.patients import Desk, make_sealer
from tests.booking.working import Workshop
from tests.conftest import Clinic, Stack


@pytest.fixture
async def desk(pool: asyncpg.Pool, clinic: Clinic) -> Desk:
    return Desk(pool, clinic, make_sealer())


@pytest.fixture
async def other_desk(pool: asyncpg.Pool, other_clinic: Clinic) -> Desk:
    return Desk(pool, other_clinic, make_sealer())


@pytest.fixture
async def workshop(stack: Stack, pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Workshop]:
    """An empty queue, before and after."""
    async with await open_pool(stack.postgres.worker, max_size=2) as queue:
        await queue.execute("delete from jobs.pgqueuer; delete from jobs.pgqueuer_schedules")
        yield Workshop(stack, pool, queue, clinic.claim)
        await queue.execute("delete from jobs.pgqueuer; delete from jobs.pgqueuer_schedules")
