"""What the rest is built on: Postgres, Redis, the metrics, and the group of what runs beside the calls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg

from booking.db import open_pool
from gateway.clock import MonotonicClock
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.shared_store import SharedStore


@dataclass(frozen=True, slots=True)
class Foundation:
    """Open as long as the process runs."""

    settings: Settings
    pool: asyncpg.Pool
    store: SharedStore
    group: asyncio.TaskGroup
    metrics: Metrics
    clock: MonotonicClock


@asynccontextmanager
async def open_foundation(settings: Settings) -> AsyncIterator[Foundation]:
    """Raises `BookingError` for a database that is not as it should be."""
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        pool = await _open_pool(settings)
        stack.push_async_callback(_close_pool, pool, settings.waits.call_close_s)
        store = await stack.enter_async_context(
            SharedStore(settings.redis_url, metrics, command_s=settings.waits.redis_s)
        )
        group = await stack.enter_async_context(asyncio.TaskGroup())
        yield Foundation(settings, pool, store, group, metrics, MonotonicClock())


async def _open_pool(settings: Settings) -> asyncpg.Pool:
    return await open_pool(
        settings.database_url,
        max_size=settings.limits.database_connections,
        statement_timeout_s=settings.waits.database_s,
    )


async def _close_pool(pool: asyncpg.Pool, within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s):
            await pool.close()
    except TimeoutError:
        pool.terminate()
