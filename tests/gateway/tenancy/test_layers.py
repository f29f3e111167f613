"""The layered look-up over a real Redis: what answers when, and what happens when a layer is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway.errors import OrgUnavailable
from gateway.metrics import Metrics
from gateway.shared_store import SharedStore
from gateway.tenancy.cache import LayeredCache, Lives, Source
from tests.conftest import Stack

LIVES = Lives(memory_s=5, redis_s=300, unknown_s=2, source_s=1)
NOWHERE = "redis://127.0.0.1:9"


class SourceAway(Exception):
    """The source cannot tell."""


class Clock:
    def __init__(self) -> None:
        self.at_s = 100.0

    def now_s(self) -> float:
        return self.at_s


class Numbers:
    """A source that counts how often it is asked; `gate` holds its answers up, `answer` is an old one."""

    def __init__(self) -> None:
        self.known: dict[str, UUID] = {}
        self.answer: UUID | None = None
        self.asked = 0
        self.away = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.prefix = uuid4().hex

    async def load(self, number: str) -> UUID | None:
        self.asked += 1
        await self.gate.wait()
        if self.away:
            raise SourceAway
        return self.answer or self.known.get(number)

    def source(self) -> Source[str, UUID]:
        return Source(
            name="number",
            load=self.load,
            unavailable=SourceAway,
            shared_key=lambda number: f"test:{self.prefix}:{number}",
            dump=lambda org_id: org_id.bytes,
            parse=lambda raw: UUID(bytes=raw),
        )


@asynccontextmanager
async def cache(
    numbers: Numbers, url: str, clock: Clock, lives: Lives = LIVES, **options: Any
) -> AsyncIterator[LayeredCache[str, UUID]]:
    metrics = Metrics()
    async with SharedStore(url, metrics, command_s=1) as store, asyncio.TaskGroup() as group:
        yield LayeredCache(
            numbers.source(), lives, store=store, group=group, clock=clock, metrics=metrics, **options
        )


async def test_memory_answers_for_seconds_then_redis(stack: Stack) -> None:
    numbers, clock, org = Numbers(), Clock(), uuid4()
    numbers.known["+44"] = org
    async with cache(numbers, stack.redis, clock) as layers:
        assert await layers.get("+44") == org
        assert await layers.get("+44") == org
    async with cache(numbers, stack.redis, clock) as another_replica:
        assert await another_replica.get("+44") == org
    assert numbers.asked == 1


async def test_without_layers_the_source_is_asked_every_time(stack: Stack) -> None:
    numbers, clock, org = Numbers(), Clock(), uuid4()
    numbers.known["+44"] = org
    async with cache(numbers, stack.redis, clock) as another_replica:  # what it puts up is not read
        assert await another_replica.get("+44") == org
    async with cache(numbers, stack.redis, clock, lives=LIVES.without_layers()) as bare:
        assert [await bare.get("+44"), await bare.get("+44"), await bare.get("+1")] == [org, org, None]
        numbers.away = True
        with pytest.raises(OrgUnavailable):
            await bare.get("+44")
    assert numbers.asked == 5


async def test_what_is_nobodys_is_remembered_too(stack: Stack) -> None:
    numbers, clock = Numbers(), Clock()
    async with cache(numbers, stack.redis, clock) as layers:
        assert [await layers.get("+1"), await layers.get("+1")] == [None, None]
    async with cache(numbers, stack.redis, clock) as another_replica:
        assert await another_replica.get("+1") is None
    assert numbers.asked == 1


async def test_what_was_known_lately_is_told_at_once_and_looked_up_anew(stack: Stack) -> None:
    numbers, clock, before, after = Numbers(), Clock(), uuid4(), uuid4()
    async with cache(numbers, NOWHERE, clock) as layers:
        assert layers.lately("+44") is None, "nobody has asked"
        numbers.known["+44"] = before
        assert await layers.get("+44") == layers.lately("+44") == before
        numbers.known["+44"] = after
        clock.at_s += LIVES.memory_s
        assert (layers.lately("+44"), numbers.asked) == (before, 1)
        assert await layers.get("+44") == layers.lately("+44") == after
        assert numbers.asked == 2, "one look-up for both"
        clock.at_s += LIVES.redis_s
        assert layers.lately("+44") is None, "that is too old"
    async with cache(numbers, stack.redis, clock, lives=LIVES.without_layers()) as bare:
        assert await bare.get("+44") == after
        assert bare.lately("+44") is None


async def test_those_who_ask_together_share_one_flight(stack: Stack) -> None:
    numbers, org = Numbers(), uuid4()
    numbers.known["+44"] = org
    numbers.gate.clear()
    async with cache(numbers, stack.redis, Clock()) as layers:
        asking = [asyncio.create_task(layers.get("+44")) for _ in range(20)]
        await asyncio.sleep(0)
        asking[0].cancel()
        numbers.gate.set()
        answers = await asyncio.gather(*asking, return_exceptions=True)
    assert answers[1:] == [org] * 19
    assert isinstance(answers[0], asyncio.CancelledError)
    assert numbers.asked == 1


async def test_without_redis_it_is_only_slower() -> None:
    numbers, clock, org = Numbers(), Clock(), uuid4()
    numbers.known["+44"] = org
    async with cache(numbers, NOWHERE, clock) as layers:
        assert await layers.get("+44") == org
        clock.at_s += LIVES.memory_s
        assert await layers.get("+44") == org
    assert numbers.asked == 2


async def test_without_source_what_was_known_still_serves_for_a_while() -> None:
    numbers, clock, org = Numbers(), Clock(), uuid4()
    numbers.known["+44"] = org
    async with cache(numbers, NOWHERE, clock) as layers:
        await layers.get("+44")
        numbers.away = True
        clock.at_s += LIVES.redis_s - 1
        assert await layers.get("+44") == org
        clock.at_s += 2
        with pytest.raises(OrgUnavailable):
            await layers.get("+44")
        with pytest.raises(OrgUnavailable):
            await layers.get("+1")


async def test_age_counts_from_when_the_source_said_it_whichever_replica_asked(stack: Stack) -> None:
    numbers, clock, org = Numbers(), Clock(), uuid4()
    numbers.known["+44"] = org
    async with cache(numbers, stack.redis, clock, since_1970_s=lambda: 1000.0) as layers:
        assert await layers.get("+44") == org
    clock.at_s += LIVES.redis_s - 1
    async with cache(numbers, stack.redis, clock, since_1970_s=lambda: 999.0 + LIVES.redis_s) as another:
        assert await another.get("+44") == org  # Redis, whose clock is its own, has kept it
        await forget_in_redis(stack, numbers)
        numbers.away = True
        clock.at_s += 0.5
        assert await another.get("+44") == org
        clock.at_s += LIVES.memory_s
        with pytest.raises(OrgUnavailable):
            await another.get("+44")


async def forget_in_redis(stack: Stack, numbers: Numbers) -> None:
    async with SharedStore(stack.redis, Metrics(), command_s=1) as store:
        await store.forget(numbers.source().shared_key("+44"))


async def test_a_fault_in_the_source_is_those_who_asked_alone(stack: Stack) -> None:
    numbers = Numbers()

    async def load(_number: str) -> UUID | None:
        raise ZeroDivisionError

    metrics = Metrics()
    async with SharedStore(stack.redis, metrics, command_s=1) as store, asyncio.TaskGroup() as group:
        source = Source("broken", load, SourceAway, numbers.source().shared_key, bytes, UUID)
        layers = LayeredCache(source, LIVES, store=store, group=group, clock=Clock(), metrics=metrics)
        with pytest.raises(ZeroDivisionError):
            await layers.get("+44")


async def test_nonsense_in_redis_counts_as_nothing(stack: Stack) -> None:
    numbers, org = Numbers(), uuid4()
    numbers.known["+44"] = org
    async with SharedStore(stack.redis, Metrics(), command_s=1) as store:
        await store.put(numbers.source().shared_key("+44"), b"nonsense", 60)
    async with cache(numbers, stack.redis, Clock()) as layers:
        assert await layers.get("+44") == org
