"""The live feed never holds anybody up: not a call, not the stop of the process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from gateway.feed import Feed
from gateway.metrics import Metrics
from gateway.shared_store import SharedStore


@asynccontextmanager
async def black_hole() -> AsyncIterator[str]:
    """The URL of a Redis that accepts everybody and answers nobody."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    async with server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_closing_is_bounded_however_much_is_left() -> None:
    metrics = Metrics()
    async with black_hole() as url, SharedStore(url, metrics, command_s=0.2) as store:
        feed = Feed(store, metrics, size=1_000)
        for number in range(100):
            feed.publish(uuid4(), {"number": number})
        async with asyncio.timeout(2):
            await feed.close(0.3)
    dropped = metrics.registry.get_sample_value("gateway_feed_dropped_total")
    assert dropped is not None
    assert dropped >= 98
