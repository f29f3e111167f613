"""What start-up made is not looked at by later collections, and collections are timed."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from gateway.garbage import settle, watch_garbage
from gateway.metrics import Metrics


@pytest.fixture
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("thawed")
def test_what_is_there_is_frozen_and_garbage_is_still_found() -> None:
    settle()
    assert gc.get_freeze_count() > 10_000
    loop: list[object] = []
    loop.append(loop)
    del loop
    assert gc.collect() >= 1


async def test_each_collection_is_told() -> None:
    metrics = Metrics()
    watching = asyncio.create_task(watch_garbage(metrics, every_s=0.01))
    told = 0.0
    while not told:
        gc.collect()
        await asyncio.sleep(0.01)
        told = metrics.registry.get_sample_value("gateway_garbage_pause_seconds_count") or 0.0
    watching.cancel()
    await asyncio.wait({watching})
    assert not [each for each in gc.callbacks if getattr(each, "__module__", "") == "gateway.garbage"]
