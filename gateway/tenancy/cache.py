"""A look-up through three layers: process memory (seconds), Redis (minutes), the source.

One look-up per key at a time; who else asks meanwhile waits for it. Redis failing makes it slower,
nothing else. When the source fails, a value not older than its Redis life still serves: calls go on while
Postgres is away. Age counts from when the source said it, whichever replica asked.

A change is told to all replicas (`changes`). A look-up that had begun before is answered and forgotten: it
is neither remembered nor put into Redis. If the change could not be told, the old value serves for its Redis
life and one memory life at the most.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Generic, Self, TypeVar

from gateway.errors import OrgUnavailable, SharedStoreAway
from gateway.metrics import Metrics
from gateway.shared_store import SharedStore
from gateway.tenancy.changes import tell_changed
from gateway.tenancy.shelf import Shelved, put_up, take_down
from pipeline.ports import Clock

K = TypeVar("K")
V = TypeVar("V")

_ENTRIES: Final = 4_096


@dataclass(frozen=True, slots=True)
class Lives:
    """How long a layer may answer, in seconds. `unknown_s` is for the answer "there is none", in both.

    `source_s`: how long the source may take to answer. A layer whose life is 0 is neither asked nor filled.
    """

    memory_s: float
    redis_s: float
    unknown_s: float
    source_s: float

    def without_layers(self) -> Self:
        """The source is asked every time."""
        return replace(self, memory_s=0.0, redis_s=0.0)


@dataclass(frozen=True, slots=True)
class Source(Generic[K, V]):
    """Where values come from and how they stand in Redis.

    `shared_key` tells the keys of all sources apart. `load` raises `unavailable` when it cannot tell. `dump`
    never yields empty bytes: those mean "there is none". `parse` raises ValueError for what it does not know.
    """

    name: str
    load: Callable[[K], Awaitable[V | None]]
    unavailable: type[Exception]
    shared_key: Callable[[K], str]
    dump: Callable[[V], bytes]
    parse: Callable[[bytes], V]


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    """`known_at_s`: when the source said it. `read_at_s`: when this process looked it up, wherever; `era`:
    how often it had begun to doubt by then.
    """

    value: V | None
    known_at_s: float
    read_at_s: float
    era: int


@dataclass(eq=False, slots=True)
class _Flight(Generic[V]):
    """A look-up under way. `seen`: what stood in Redis before the source was asked."""

    answer: asyncio.Future[V | None]
    seen: bytes | None = None
    reachable: bool = False
    overtaken: bool = False


class LayeredCache(Generic[K, V]):
    """Look-ups of one kind. They run in `group`, so that whoever gives up does not end another's.

    `since_1970_s`: the clock that replicas compare ages by.
    """

    def __init__(
        self,
        source: Source[K, V],
        lives: Lives,
        *,
        store: SharedStore,
        group: asyncio.TaskGroup,
        clock: Clock,
        metrics: Metrics,
        since_1970_s: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._lives = lives
        self._store = store
        self._group = group
        self._clock = clock
        self._since_1970_s = since_1970_s
        self._counted = {
            layer: metrics.lookups.labels(source.name, layer)
            for layer in ("memory", "redis", "source", "stale")
        }
        self._memory: dict[str, _Entry[V]] = {}
        self._flights: dict[str, _Flight[V]] = {}
        self._era = 0

    async def get(self, key: K) -> V | None:
        """The value, None if there is none. Raises `OrgUnavailable` if no layer can tell."""
        shared_key = self._source.shared_key(key)
        entry = self._memory.get(shared_key)
        if entry is not None and self._is_fresh(entry):
            self._counted["memory"].inc()
            return entry.value
        return await asyncio.shield(self._flight(key, shared_key).answer)

    def lately(self, key: K) -> V | None:
        """What was known last, at once; if that is out of date, it is looked up anew meanwhile.

        For what does no harm if it has just changed. None if nothing is known, or that there is none.
        """
        shared_key = self._source.shared_key(key)
        entry = self._memory.get(shared_key)
        if entry is None or self._lives.memory_s == 0 or self._age_s(entry) >= self._lives.redis_s:
            return None
        fresh = self._is_fresh(entry)
        if not fresh:
            self._flight(key, shared_key)
        self._counted["memory" if fresh else "stale"].inc()
        return entry.value

    def forget_shared(self, shared_key: str) -> None:
        """Drop what this process remembers under this key of Redis, and what it is just finding out."""
        self._memory.pop(shared_key, None)
        flight = self._flights.pop(shared_key, None)
        if flight is not None:
            flight.overtaken = True

    def doubt(self) -> None:
        """What is remembered serves again only once Redis or the source has said it anew."""
        self._era += 1
        for flight in self._flights.values():
            flight.overtaken = True
        self._flights.clear()

    async def forget_everywhere(self, key: K) -> bool:
        """It has changed: drop it here, in Redis and in all replicas. False if Redis could not be told."""
        shared_key = self._source.shared_key(key)
        self.forget_shared(shared_key)
        with suppress(SharedStoreAway):
            await tell_changed(self._store, shared_key)
            return True
        return False

    def _flight(self, key: K, shared_key: str) -> _Flight[V]:
        """The look-up under way, or one that begins now."""
        flight = self._flights.get(shared_key)
        if flight is None:
            flight = self._flights[shared_key] = _Flight(asyncio.get_running_loop().create_future())
            self._group.create_task(self._fly(key, shared_key, flight))
        return flight

    async def _fly(self, key: K, shared_key: str, flight: _Flight[V]) -> None:
        answer = flight.answer
        try:
            value = await self._find(key, shared_key, flight)
        except Exception as error:  # noqa: BLE001  whatever it is belongs to those who asked
            if not answer.cancelled():
                answer.set_exception(error)
                answer.exception()  # retrieved here too: those who asked may all have gone
        else:
            if not answer.cancelled():
                answer.set_result(value)
        finally:
            if self._flights.get(shared_key) is flight:
                del self._flights[shared_key]
            answer.cancel()

    async def _find(self, key: K, shared_key: str, flight: _Flight[V]) -> V | None:
        found, value = await self._from_store(shared_key, flight)
        if found:
            return value
        known_at_s, since_1970_s = self._clock.now_s(), self._since_1970_s()
        try:
            async with asyncio.timeout(self._lives.source_s):
                value = await self._source.load(key)
        except (self._source.unavailable, TimeoutError):
            return self._stale(shared_key)
        self._counted["source"].inc()
        self._remember(shared_key, flight, value, known_at_s)
        if flight.reachable and not flight.overtaken:
            self._group.create_task(self._into_store(shared_key, flight.seen, value, since_1970_s))
        return value

    def _stale(self, shared_key: str) -> V | None:
        entry = self._memory.get(shared_key)
        if entry is None or entry.value is None or self._age_s(entry) >= self._lives.redis_s:
            raise OrgUnavailable(self._source.name)
        self._counted["stale"].inc()
        return entry.value

    async def _from_store(self, shared_key: str, flight: _Flight[V]) -> tuple[bool, V | None]:
        if self._lives.redis_s == 0:
            return False, None
        try:
            flight.seen = await self._store.get(shared_key)
            flight.reachable = True
            shelved = take_down(flight.seen)
            if shelved is None:
                return False, None
            value = self._source.parse(shelved.value) if shelved.value else None
        except (SharedStoreAway, ValueError):
            return False, None
        self._counted["redis"].inc()
        age_s = min(max(self._since_1970_s() - shelved.known_at_s, 0.0), self._lives.redis_s)
        self._remember(shared_key, flight, value, self._clock.now_s() - age_s)
        return True, value

    async def _into_store(
        self, shared_key: str, seen: bytes | None, value: V | None, known_at_s: float
    ) -> None:
        raw = put_up(Shelved(b"" if value is None else self._source.dump(value), known_at_s))
        life_s = self._lives.unknown_s if value is None else self._lives.redis_s
        with suppress(SharedStoreAway):
            await self._store.put_over(shared_key, seen, raw, life_s)

    def _remember(self, shared_key: str, flight: _Flight[V], value: V | None, known_at_s: float) -> None:
        if flight.overtaken:
            return
        self._memory.pop(shared_key, None)
        self._memory[shared_key] = _Entry(value, known_at_s, self._clock.now_s(), self._era)
        if len(self._memory) > _ENTRIES:
            del self._memory[next(iter(self._memory))]

    def _is_fresh(self, entry: _Entry[V]) -> bool:
        life_s = self._lives.memory_s
        if entry.value is None:
            life_s = min(life_s, self._lives.unknown_s)
        return entry.era == self._era and self._clock.now_s() - entry.read_at_s < life_s

    def _age_s(self, entry: _Entry[V]) -> float:
        return self._clock.now_s() - entry.known_at_s
