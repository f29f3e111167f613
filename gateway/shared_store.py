"""What the replicas share: Redis (6.2), in the few commands we use, each tried once and within a deadline.

Everything in it can be lost: whoever uses it goes on without, slower or knowing this process's part alone.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from gateway.errors import SharedStoreAway
from gateway.metrics import Metrics

_PUT_OVER: Final = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""


class SharedStore:
    """One client with its pool, connected when first used; an async context manager."""

    def __init__(self, url: str, metrics: Metrics, *, command_s: float) -> None:
        retry = Retry(NoBackoff(), 0)
        # Time is bounded here: with a `socket_timeout` the client writes under `asyncio.wait_for`, which
        # before Python 3.12 loses a cancellation that comes as the write ends: its task never stops.
        self._redis = Redis.from_url(
            url, socket_timeout=None, socket_connect_timeout=command_s, retry=retry, protocol=2
        )
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

    async def put_over(self, key: str, seen: bytes | None, value: bytes, life_s: float) -> bool:
        """Put it if under the key there still is what was `seen` there. Whether that was so."""
        async with self._bounded():
            put = self._redis.eval(_PUT_OVER, 1, key, seen or b"", value, int(life_s * 1000))
            return bool(await put == 1)

    async def put_and_tell(self, key: str, value: bytes, life_s: float, channel: str, message: bytes) -> None:
        """Put it and publish the message, both or neither: who hears it finds the value there."""
        async with self._bounded(), self._redis.pipeline(transaction=True) as both:
            both.set(key, value, px=int(life_s * 1000))
            both.publish(channel, message)
            await both.execute()

    async def add_to_window(
        self, key: str, scores: Mapping[bytes, float], *, oldest: float, most: int, life_s: float
    ) -> list[bytes]:
        """Add members to a sorted set; drop what scores below `oldest` and all but the `most` highest; the
        rest.
        """
        async with self._bounded(), self._redis.pipeline(transaction=True) as window:
            window.zadd(key, dict(scores))
            window.zremrangebyscore(key, "-inf", f"({oldest!r}")
            window.zremrangebyrank(key, 0, -most - 1)
            window.pexpire(key, int(life_s * 1000))
            window.zrange(key, 0, -1)
            members: list[bytes] = (await window.execute())[-1]
        return members

    async def newest(self, key: str, most: int) -> list[bytes]:
        """The members of a sorted set that score highest, lowest of them first."""
        async with self._bounded():
            members = await self._redis.zrange(key, -most, -1)
        return [member for member in members if isinstance(member, bytes)]

    @asynccontextmanager
    async def listening(self, channel: str, *, quiet_s: float) -> AsyncIterator[AsyncIterator[bytes]]:
        """What is published from now on; entered once the server has confirmed that.

        A connection on which nothing comes for `quiet_s` is tried. Raises `SharedStoreAway` when it is lost,
        and messages with it.
        """
        async with self._redis.pubsub() as pubsub:
            async with self._bounded():
                await pubsub.subscribe(channel)
                await _next(pubsub, self._command_s)
            yield self._messages(pubsub, quiet_s)

    async def _messages(self, pubsub: PubSub, quiet_s: float) -> AsyncIterator[bytes]:
        while True:
            async with self._translated():
                message = await _next(pubsub, quiet_s)
                if message is None:
                    await pubsub.ping()
                    message = await _next(pubsub, self._command_s)
                if message is None or message["type"] == "subscribe":  # the client's own reconnecting: a gap
                    raise RedisConnectionError
            if message["type"] == "message":
                yield message["data"]

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
        async with self._translated(), asyncio.timeout(self._command_s):
            yield

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except (RedisError, OSError, TimeoutError) as error:
            self._metrics.shared_store_faults.inc()
            raise SharedStoreAway(type(error).__name__) from None


async def _next(pubsub: PubSub, within_s: float) -> dict[str, Any] | None:
    """The next message of whatever kind, None if none came."""
    message: dict[str, Any] | None = await pubsub.get_message(timeout=within_s)
    return message
