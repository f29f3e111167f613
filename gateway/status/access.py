"""What a gateway asks the status of: the pool that it has, and one connection of the worker's role, opened
when it is first needed. Without that role's address nothing can be asked.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import asyncpg

from booking.db import open_pool
from gateway.status.asked import Sources, Turns


@dataclass(slots=True)
class Access:
    """An async context manager. `worker_url`: role gw_worker's, "" where this process does not know it."""

    pool: asyncpg.Pool
    turns: Turns
    worker_url: str = field(repr=False)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _sources: Sources | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def known(self) -> bool:
        return bool(self.worker_url)

    async def sources(self) -> Sources:
        """Raises `BookingError` if the database does not answer."""
        async with self._opening:
            if self._sources is None:
                opened = await open_pool(self.worker_url, max_size=1)
                worker_pool = await self._stack.enter_async_context(opened)
                self._sources = Sources(self.pool, worker_pool, self.turns)
            return self._sources
