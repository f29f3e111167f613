"""A TCP relay in front of a server: counts the connections that a client makes and sees it close them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Relay:
    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self.url = ""
        self.connections = 0
        self.client_left = asyncio.Event()
        self._serving: set[asyncio.Task[None]] = set()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        serving = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = await asyncio.open_connection(self._target.hostname, self._target.port)
        async with asyncio.TaskGroup() as both:
            both.create_task(_pump(upstream[0], writer))
            await _pump(reader, upstream[1])
            self.client_left.set()

    async def ended(self) -> None:
        """All connections are closed on both sides."""
        await asyncio.gather(*self._serving)

    def listens_at(self, port: int) -> None:
        self.url = self._target._replace(netloc=f"127.0.0.1:{port}").geturl()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the reading side ends; a write that fails means that the other direction ends too."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def relay(url: str) -> AsyncIterator[Relay]:
    between = Relay(url)
    server = await asyncio.start_server(between.serve, "127.0.0.1", 0)
    between.listens_at(server.sockets[0].getsockname()[1])
    try:
        yield between
    finally:
        server.close()
        await server.wait_closed()
        await between.ended()
