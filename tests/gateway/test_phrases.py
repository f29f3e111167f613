"""Stock phrases: made once per voice, shared through Redis, never waited for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from gateway.metrics import Metrics
from gateway.phrases import PhraseCache, phrase_key
from gateway.shared_store import SharedStore
from pipeline.errors import ProviderRefused
from pipeline.providers.cartesia import CartesiaConfig
from tests.conftest import Stack


class Clock:
    at_s = 0.0

    def now_s(self) -> float:
        return self.at_s


class Vendor:
    """Makes phrases; counts them; may refuse."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.refuses = False
        self.fault: Exception | None = None
        self.asked = asyncio.Event()

    async def fetch(self, _voice: CartesiaConfig, text: str) -> bytes:
        self.made.append(text)
        self.asked.set()
        if self.refuses:
            raise ProviderRefused("tts", "http_500", retryable=True)
        if self.fault is not None:
            raise self.fault
        return text.encode()


@asynccontextmanager
async def phrases(
    vendor: Vendor, url: str, clock: Clock, *, keeps: bool = True
) -> AsyncIterator[PhraseCache]:
    """A cache; leaving it waits until all that it wanted has been tried."""
    async with SharedStore(url, Metrics(), command_s=1) as store, asyncio.TaskGroup() as group:
        yield PhraseCache(vendor.fetch, store=store, group=group, clock=clock, fetch_s=1, keeps=keeps)


def voice() -> CartesiaConfig:
    return CartesiaConfig(api_key="k", voice=uuid4().hex)


async def wanted(vendor: Vendor, url: str, speaker: CartesiaConfig, clock: Clock, *texts: str) -> PhraseCache:
    """A cache after all that it wanted has been tried."""
    async with phrases(vendor, url, clock) as cache:
        cache.want(speaker, texts)
        cache.want(speaker, texts)
    return cache


async def test_phrase_is_made_once_for_all_replicas(stack: Stack) -> None:
    vendor, speaker = Vendor(), voice()
    first = await wanted(vendor, stack.redis, speaker, Clock(), "Hello.", "Goodbye.")
    second = await wanted(vendor, stack.redis, speaker, Clock(), "Hello.")
    assert (first.get(speaker, "Hello."), second.get(speaker, "Hello.")) == (b"Hello.", b"Hello.")
    assert sorted(vendor.made) == ["Goodbye.", "Hello."]


async def test_a_cache_that_keeps_nothing_makes_nothing(stack: Stack) -> None:
    vendor, speaker = Vendor(), voice()
    await wanted(vendor, stack.redis, speaker, Clock(), "Hello.")
    async with phrases(vendor, stack.redis, Clock(), keeps=False) as cache:
        cache.want(speaker, ["Hello.", "Goodbye."])
    assert cache.get(speaker, "Hello.") is None
    assert vendor.made == ["Hello."]


async def test_what_is_not_there_yet_is_not_waited_for(stack: Stack) -> None:
    async with phrases(Vendor(), stack.redis, Clock()) as cache:
        assert cache.get(voice(), "Hello.") is None


async def test_without_redis_each_process_makes_its_own() -> None:
    vendor, speaker = Vendor(), voice()
    cache = await wanted(vendor, "redis://127.0.0.1:9", speaker, Clock(), "Hello.")
    assert cache.get(speaker, "Hello.") == b"Hello."


async def test_failed_phrase_is_tried_again_but_not_at_once(stack: Stack) -> None:
    vendor, speaker, clock = Vendor(), voice(), Clock()
    vendor.refuses = True
    async with phrases(vendor, stack.redis, clock) as cache:
        cache.want(speaker, ["Hello."])
        await vendor.asked.wait()
        for _ in range(5):  # the failure is noted
            await asyncio.sleep(0)
        vendor.refuses = False
        cache.want(speaker, ["Hello."])
        clock.at_s = 31.0
        cache.want(speaker, ["Hello."])
    assert (len(vendor.made), cache.get(speaker, "Hello.")) == (2, b"Hello.")


async def test_a_fault_that_nobody_expected_ends_nothing_else(stack: Stack) -> None:
    vendor, speaker = Vendor(), voice()
    vendor.fault = ValueError("a key that no header takes")
    async with phrases(vendor, stack.redis, Clock()) as cache:
        cache.want(speaker, ["Hello."])
        await vendor.asked.wait()
        vendor.fault = None
        cache.want(speaker, ["Goodbye."])
    assert cache.get(speaker, "Goodbye.") == b"Goodbye."


async def test_memory_is_bounded_and_what_is_spoken_stays(stack: Stack) -> None:
    vendor, speaker = Vendor(), voice()
    async with SharedStore(stack.redis, Metrics(), command_s=1) as store, asyncio.TaskGroup() as group:
        cache = PhraseCache(
            vendor.fetch, store=store, group=group, clock=Clock(), fetch_s=1, room_bytes=len("One.Two.")
        )
        for text in ("One.", "Two.", "Six."):
            vendor.asked.clear()
            cache.want(speaker, [text])
            async with asyncio.timeout(5):
                while cache.get(speaker, text) is None:  # noqa: ASYNC110  no event tells that it was kept
                    await asyncio.sleep(0.01)
            cache.get(speaker, "One.")
    kept = {text: cache.get(speaker, text) is not None for text in ("One.", "Two.", "Six.")}
    assert kept == {"One.": True, "Two.": False, "Six.": True}


def test_voice_model_and_words_make_the_key_and_the_api_key_does_not() -> None:
    base = CartesiaConfig(api_key="a", voice="v")
    assert phrase_key(base, "x") == phrase_key(CartesiaConfig(api_key="b", voice="v"), "x")
    others = [
        CartesiaConfig(api_key="a", voice="w"),
        CartesiaConfig(api_key="a", voice="v", model="sonic-3.5"),
    ]
    assert len({phrase_key(each, "x") for each in [base, *others]} | {phrase_key(base, "y")}) == 4
