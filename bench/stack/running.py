"""An embedded server for as long as a block lasts, without its starting and stopping holding up the loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Server(Protocol[T_co]):
    """`EmbeddedPostgres`, `EmbeddedRedis`: `start` tells where it answers."""

    def start(self) -> T_co: ...

    def stop(self) -> None: ...


@asynccontextmanager
async def running(server: Server[T]) -> AsyncIterator[T]:
    """Where it answers. Raises what its `start` raises; then it is stopped all the same."""
    try:
        yield await asyncio.to_thread(server.start)
    finally:
        await asyncio.to_thread(server.stop)
