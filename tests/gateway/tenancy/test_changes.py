"""A change reaches every replica: over a real Redis, with two of them, also when the connection is cut."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from gateway.metrics import Metrics
from gateway.shared_store import SharedStore
from gateway.tenancy.cache import LayeredCache, Lives
from gateway.tenancy.changes import Changes, tell_changed
from tests.conftest import Stack
from tests.gateway.tenancy.test_layers import Clock, Numbers

LIVES = Lives(memory_s=1000, redis_s=3000, unknown_s=1000, source_s=1)
NUMBER = "+44"


class Replica:
    """One process's cache of numbers and its ear for changes."""

    def __init__(self, numbers: Numbers, store: SharedStore, group: asyncio.TaskGroup) -> None:
        metrics = Metrics()
        self.clock = Clock()
        self.store = store
        self.cache = LayeredCache(
            numbers.source(), LIVES, store=store, group=group, clock=self.clock, metrics=metrics
        )
        self.changes = Changes(store, [self.cache], quiet_s=0.2, retry_s=0.01)

    async def until_says(self, expected: UUID | None) -> None:
        async with asyncio.timeout(3):
            while await self.cache.get(NUMBER) != expected:  # noqa: ASYNC110  nothing tells a caller
                await asyncio.sleep(0.002)


@asynccontextmanager
async def replica(numbers: Numbers, url: str) -> AsyncIterator[Replica]:
    async with SharedStore(url, Metrics(), command_s=1) as store, asyncio.TaskGroup() as group:
        made = Replica(numbers, store, group)
        listening = group.create_task(made.changes.run())
        try:
            async with asyncio.timeout(3):
                await made.changes.heard.wait()
            yield made
        finally:
            listening.cancel()


@asynccontextmanager
async def two(numbers: Numbers, url: str) -> AsyncIterator[tuple[Replica, Replica]]:
    async with AsyncExitStack() as closing:
        yield (
            await closing.enter_async_context(replica(numbers, url)),
            await closing.enter_async_context(replica(numbers, url)),
        )


def changed(numbers: Numbers) -> UUID:
    numbers.known[NUMBER] = uuid4()
    return numbers.known[NUMBER]


async def test_what_one_replica_changes_the_other_forgets_at_once(stack: Stack) -> None:
    numbers = Numbers()
    before = changed(numbers)
    async with two(numbers, stack.redis) as (here, there):
        assert [await here.cache.get(NUMBER), await there.cache.get(NUMBER)] == [before, before]
        after = changed(numbers)
        assert await there.cache.get(NUMBER) == before
        assert await here.cache.forget_everywhere(NUMBER)
        await there.until_says(after)
        await here.until_says(after)
    assert numbers.asked == 2, "the second replica had it from Redis, before and after"


async def test_what_is_nobodys_is_somebodys_at_once(stack: Stack) -> None:
    numbers = Numbers()
    async with two(numbers, stack.redis) as (here, there):
        assert [await here.cache.get(NUMBER), await there.cache.get(NUMBER)] == [None, None]
        after = changed(numbers)
        await here.cache.forget_everywhere(NUMBER)
        await there.until_says(after)


@pytest.mark.parametrize("overtaken_before_its_answer", [True, False])
async def test_an_answer_from_before_the_change_never_lands_behind_it(
    stack: Stack, overtaken_before_its_answer: bool
) -> None:
    """It is on its way while the change is told: heard of in time, or only when it has answered."""
    numbers = Numbers()
    before = changed(numbers)
    async with two(numbers, stack.redis) as (here, there):
        numbers.gate.clear()
        asking = asyncio.create_task(there.cache.get(NUMBER))
        await until(lambda: numbers.asked == 1)
        numbers.answer = before  # read before the change, told after it
        after = changed(numbers)
        if overtaken_before_its_answer:
            await here.cache.forget_everywhere(NUMBER)
            await asyncio.sleep(0.05)  # the news is there
            numbers.gate.set()
        else:
            there.cache.forget_shared = lambda shared_key: None  # type: ignore[method-assign]  # news late
            await here.cache.forget_everywhere(NUMBER)
            numbers.gate.set()
        assert await asking == before
        await asyncio.sleep(0.05)  # what it put into Redis, had it been let, would be there
        numbers.answer = None
        async with replica(numbers, stack.redis) as third:
            assert await third.cache.get(NUMBER) == after
        if overtaken_before_its_answer:
            assert await there.cache.get(NUMBER) == after


async def test_after_a_lost_connection_nothing_remembered_serves_unasked(stack: Stack) -> None:
    numbers = Numbers()
    before = changed(numbers)
    async with replica(numbers, stack.redis) as there:
        assert await there.cache.get(NUMBER) == before
        after = changed(numbers)
        async with Redis.from_url(stack.redis) as redis:
            await redis.set(numbers.source().shared_key(NUMBER), b"C" * 17)  # and its message is lost
            assert await redis.client_kill_filter(_type="pubsub") >= 1
        await there.until_says(after)
        await until(there.changes.heard.is_set)
        later = changed(numbers)
        await tell_changed(there.store, numbers.source().shared_key(NUMBER))
        await there.until_says(later)


async def test_a_quiet_connection_stays(stack: Stack) -> None:
    numbers = Numbers()
    async with replica(numbers, stack.redis) as there:
        await asyncio.sleep(0.7)  # tried three times meanwhile
        assert there.changes.heard.is_set()
        after = changed(numbers)
        await tell_changed(there.store, numbers.source().shared_key(NUMBER))
        await there.until_says(after)


async def test_without_redis_a_change_reaches_nobody_and_says_so() -> None:
    numbers = Numbers()
    before = changed(numbers)
    async with (
        SharedStore("redis://127.0.0.1:9", Metrics(), command_s=1) as store,
        asyncio.TaskGroup() as group,
    ):
        alone = Replica(numbers, store, group)
        assert await alone.cache.get(NUMBER) == before
        after = changed(numbers)
        assert not await alone.cache.forget_everywhere(NUMBER)
        assert await alone.cache.get(NUMBER) == after


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(3):
        while not condition():  # noqa: ASYNC110  conditions of any kind
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("steps", range(0, 60, 2))
async def test_it_stops_when_told_to_however_far_its_connecting_is(stack: Stack, steps: int) -> None:
    """A gateway that cannot listen on its port stops in the very moment in which this connects."""
    async with SharedStore(stack.redis, Metrics(), command_s=1) as store:
        listening = asyncio.create_task(Changes(store, (), quiet_s=30, retry_s=30).run())
        for _ in range(steps):
            await asyncio.sleep(0)
        listening.cancel()
        ended, _ = await asyncio.wait({listening}, timeout=3)
        listening.cancel()  # so that a failure ends here, too
        await asyncio.wait({listening})
    assert ended
