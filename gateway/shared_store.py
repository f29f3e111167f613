"""What the replicas share: Redis (6.2), in the few commands we use, each tried once and within a deadline.

Everything in it can be lost: whoever uses it goes on without, slower or knowing this process's part alone.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.errors import SharedStoreAway
from gateway.metrics import Metrics


class SharedStore:
    """One client with its pool, connected when first used; an async context manager."""

    def __init__(self, url: str, metrics: Metrics, *, command_s: float) -> None:
        retry = Retry(NoBackoff(), 0)
        self._redis = Redis.from_url(url, socket_connect_timeout=command_s, retry=retry, protocol=2)
        self._metrics = metrics
        self._command_s = command_s

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._redis.aclose()

    async def get(self, key: str) -> bytes | None:
        """Raises `SharedStoreAway`, as all of these."""
        async with self._bounded():
            value = await self._redis.get(key)
        return value if isinstance(value, bytes) else None

    async def put(self, key: str, value: bytes, life_s: float) -> None:
        async with self._bounded():
            await self._redis.set(key, value, px=int(life_s * 1000))

    async def put_first(self, key: str, life_s: float) -> bool:
        """Whether nobody has put this key before."""
        async with self._bounded():
            return bool(await self._redis.set(key, b"1", nx=True, px=int(life_s * 1000)))

    async def forget(self, key: str) -> None:
        async with self._bounded():
            await self._redis.delete(key)

    async def publish(self, channel: str, message: bytes) -> None:
        async with self._bounded():
            await self._redis.publish(channel, message)

    async def answers(self) -> bool:
        """Whether it is there."""
        try:
            async with self._bounded():
                return bool(await self._redis.ping())
        except SharedStoreAway:
            return False

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._command_s):
                yield
        except (RedisError, OSError, TimeoutError) as error:
            self._metrics.shared_store_faults.inc()
            raise SharedStoreAway(type(error).__name__) from None
