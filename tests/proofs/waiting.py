"""Knowing that somebody waits for a lock, without waiting for time to pass."""

import asyncio
from collections.abc import Collection
from typing import Any

import asyncpg

_WAITING = """
select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
"""
DEADLINE_S = 10.0


async def wait_for_waiters(keeper: asyncpg.Connection, tasks: Collection[asyncio.Task[Any]]) -> None:
    """Until each of the tasks, which have a connection each, stands at a lock or has come to its end.

    `keeper` sees all connections. Raises `TimeoutError` after `DEADLINE_S`.
    """
    async with asyncio.timeout(DEADLINE_S):
        while await keeper.fetchval(_WAITING) < sum(not task.done() for task in tasks):
            pass
