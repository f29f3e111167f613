"""The live feed of calls: public events on a Redis channel per org, for whoever watches. Never waited for.

The queue is bounded; when Redis is slow or away the oldest events go and are counted.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from gateway.errors import SharedStoreAway
from gateway.metrics import Metrics
from gateway.shared_store import SharedStore


def channel(org_id: UUID) -> str:
    """Where an org's events are published."""
    return f"gw:feed:{org_id}"


class Feed:
    """Publishes in a task of its own, `run`."""

    def __init__(self, store: SharedStore, metrics: Metrics, *, size: int) -> None:
        self._store = store
        self._metrics = metrics
        self._queue: deque[tuple[str, bytes]] = deque(maxlen=size)
        self._filled = asyncio.Event()

    def publish(self, org_id: UUID, event: Mapping[str, Any]) -> None:
        """Queue one JSON object. Returns at once; never raises."""
        if len(self._queue) == self._queue.maxlen:
            self._metrics.feed_dropped.inc()
        self._queue.append((channel(org_id), msgspec.json.encode(event)))
        self._filled.set()

    async def run(self) -> None:
        """Publish what is queued, until cancelled."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            await self.flush()

    async def flush(self) -> None:
        """Publish all that is queued; what Redis does not take is dropped and counted."""
        while self._queue:
            name, message = self._queue.popleft()
            try:
                await self._store.publish(name, message)
            except SharedStoreAway:
                self._metrics.feed_dropped.inc()

    async def close(self, within_s: float) -> None:
        """Publish what is left; what a slow Redis does not take in time is dropped and counted."""
        try:
            async with asyncio.timeout(within_s):
                await self.flush()
        except TimeoutError:
            self._metrics.feed_dropped.inc(len(self._queue))
            self._queue.clear()
