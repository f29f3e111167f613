"""Provider streams, closed when their reader leaves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

Event = TypeVar("Event")


@asynccontextmanager
async def closing(stream: AsyncIterator[Event], within_s: float) -> AsyncIterator[AsyncIterator[Event]]:
    """The stream; whatever ends the block also ends the stream, within `within_s`."""
    try:
        yield stream
    finally:
        aclose = getattr(stream, "aclose", None)
        if aclose is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await aclose()
