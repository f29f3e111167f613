"""Answers kept for repeated API requests: how the old ones go. Keeping them is the gateway's."""

from typing import Final

import asyncpg

from booking import db

BATCH: Final = 1000


async def forget_old_requests(worker_pool: asyncpg.Pool, *, batch: int = BATCH) -> int:
    """Delete answers whose time is over, of all orgs; how many. On a pool of role `gw_worker`."""
    gone: int = await db.fetch_value(worker_pool, "select app.forget_old_requests($1)", batch)
    return gone


async def sweep_requests(worker_pool: asyncpg.Pool) -> None:
    """All of them, batch by batch."""
    while await forget_old_requests(worker_pool) == BATCH:
        pass
