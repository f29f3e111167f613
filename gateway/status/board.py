"""The status for the operators' page: asked when somebody looks, once in a while for all who look."""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

import asyncpg

from booking.db import open_pool
from gateway.status.asked import Question, Sources, Turns, ask
from gateway.status.judged import Status

KEPT_S: Final = 10.0
_GLANCE: Final = Question(chain_s=0.2, within_s=10.0)
"""Long chains are verified whole by `python -m gateway.status`."""


@dataclass(slots=True)
class Board:
    """An async context manager. `worker_url`: role gw_worker's, "" where this process does not know it."""

    pool: asyncpg.Pool
    turns: Turns
    worker_url: str = field(repr=False)
    kept_s: float = KEPT_S
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _worker_pool: asyncpg.Pool | None = None
    _kept: Status | None = None
    _kept_at_s: float = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def status(self) -> Status | None:
        """None where the worker's role is not known. Raises `BookingError` if it cannot be asked."""
        if not self.worker_url:
            return None
        async with self._one:
            if self._kept is None or time.monotonic() - self._kept_at_s > self.kept_s:
                self._kept = await ask(Sources(self.pool, await self._worker(), self.turns), _GLANCE)
                self._kept_at_s = time.monotonic()
            return self._kept

    async def _worker(self) -> asyncpg.Pool:
        if self._worker_pool is None:
            opened = await open_pool(self.worker_url, max_size=1)
            self._worker_pool = await self._stack.enter_async_context(opened)
        return self._worker_pool
