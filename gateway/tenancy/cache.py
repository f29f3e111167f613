"""A look-up through three layers: process memory (seconds), Redis (minutes), the source.

One look-up per key at a time; who else asks meanwhile waits for it. Redis failing makes it slower,
nothing else. When the source fails, a value not older than its Redis life still serves: calls go on while
Postgres is away.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from gateway.errors import OrgUnavailable, SharedStoreAway
from gateway.metrics import Metrics
from gateway.shared_store import SharedStore
from pipeline.ports import Clock

K = TypeVar("K")
V = TypeVar("V")

_ENTRIES: Final = 4_096


@dataclass(frozen=True, slots=True)
class Lives:
    """How long a layer may answer, in seconds. `unknown_s` is for the answer "there is none", in both.

    `source_s`: how long the source may take to answer.
    """

    memory_s: float
    redis_s: float
    unknown_s: float
    source_s: float


@dataclass(frozen=True, slots=True)
class Source(Generic[K, V]):
    """Where values come from and how they stand in Redis.

    `load` raises `unavailable` when it cannot tell. `dump` never yields empty bytes: those mean "there is
    none". `parse` raises ValueError for what it does not know.
    """

    name: str
    load: Callable[[K], Awaitable[V | None]]
    unavailable: type[Exception]
    shared_key: Callable[[K], str]
    dump: Callable[[V], bytes]
    parse: Callable[[bytes], V]


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    value: V | None
    known_at_s: float


class LayeredCache(Generic[K, V]):
    """Look-ups of one kind. They run in `group`, so that whoever gives up does not end another's."""

    def __init__(
        self,
        source: Source[K, V],
        lives: Lives,
        *,
        store: SharedStore,
        group: asyncio.TaskGroup,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._source = source
        self._lives = lives
        self._store = store
        self._group = group
        self._clock = clock
        self._metrics = metrics
        self._memory: dict[K, _Entry[V]] = {}
        self._flights: dict[K, asyncio.Future[V | None]] = {}

    async def get(self, key: K) -> V | None:
        """The value, None if there is none. Raises `OrgUnavailable` if no layer can tell."""
        entry = self._memory.get(key)
        if entry is not None and self._age_s(entry) < self._memory_life_s(entry):
            self._count("memory")
            return entry.value
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.get_running_loop().create_future()
            self._group.create_task(self._fly(key, flight))
        return await asyncio.shield(flight)

    def forget(self, key: K) -> None:
        """Drop what this process remembers."""
        self._memory.pop(key, None)

    async def forget_everywhere(self, key: K) -> bool:
        """Drop it from Redis too, as far as that answers. Other processes' memory lives on for seconds."""
        self.forget(key)
        with suppress(SharedStoreAway):
            await self._store.forget(self._source.shared_key(key))
            return True
        return False

    async def _fly(self, key: K, flight: asyncio.Future[V | None]) -> None:
        try:
            value = await self._find(key)
        except Exception as error:  # noqa: BLE001  whatever it is belongs to those who asked
            if not flight.cancelled():
                flight.set_exception(error)
                flight.exception()  # retrieved here too: those who asked may all have gone
        else:
            if not flight.cancelled():
                flight.set_result(value)
        finally:
            self._flights.pop(key, None)
            flight.cancel()

    async def _find(self, key: K) -> V | None:
        found, value = await self._from_store(key)
        if found:
            self._count("redis")
            self._remember(key, value)
            return value
        try:
            async with asyncio.timeout(self._lives.source_s):
                value = await self._source.load(key)
        except (self._source.unavailable, TimeoutError):
            return self._stale(key)
        self._count("source")
        self._remember(key, value)
        self._group.create_task(self._into_store(key, value))
        return value

    def _stale(self, key: K) -> V | None:
        entry = self._memory.get(key)
        if entry is None or entry.value is None or self._age_s(entry) >= self._lives.redis_s:
            raise OrgUnavailable(self._source.name)
        self._count("stale")
        return entry.value

    async def _from_store(self, key: K) -> tuple[bool, V | None]:
        try:
            raw = await self._store.get(self._source.shared_key(key))
            if raw is None:
                return False, None
            return True, self._source.parse(raw) if raw else None
        except (SharedStoreAway, ValueError):
            return False, None

    async def _into_store(self, key: K, value: V | None) -> None:
        raw = b"" if value is None else self._source.dump(value)
        life_s = self._lives.unknown_s if value is None else self._lives.redis_s
        with suppress(SharedStoreAway):
            await self._store.put(self._source.shared_key(key), raw, life_s)

    def _remember(self, key: K, value: V | None) -> None:
        self._memory.pop(key, None)
        self._memory[key] = _Entry(value, self._clock.now_s())
        if len(self._memory) > _ENTRIES:
            del self._memory[next(iter(self._memory))]

    def _age_s(self, entry: _Entry[V]) -> float:
        return self._clock.now_s() - entry.known_at_s

    def _memory_life_s(self, entry: _Entry[V]) -> float:
        return (
            self._lives.memory_s
            if entry.value is not None
            else min(self._lives.memory_s, self._lives.unknown_s)
        )

    def _count(self, layer: str) -> None:
        self._metrics.lookups.labels(self._source.name, layer).inc()
