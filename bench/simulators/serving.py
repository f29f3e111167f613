"""One aiohttp application on one loopback port, for the length of an `async with`.

aiohttp and not Starlette, because a simulator must also do what a framework spares its users: abort a TCP
connection in the middle of an answer, end a body early, refuse an upgrade with any status.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bench.simulators.faults import Faults, Refuse, Stall

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# How long a handler may go on after the server was told to stop, before it is cancelled.
SHUTDOWN_S = 0.5


class RunningServer:
    """Serves `app` from `start` to `stop`; a client that goes away cancels the handler that served it."""

    def __init__(self, app: web.Application, host: str, port: int) -> None:
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S
        )
        self._host = host
        self._port = port

    async def start(self) -> int:
        """Bind and listen; returns the port, which the system chose if it was 0."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        return self._port

    async def stop(self) -> None:
        await self._runner.cleanup()


def reset_connection(request: web.Request) -> None:
    """Break the TCP connection at once: the peer sees a reset or a body that ends too soon."""
    transport: Any = request.transport
    if transport is not None:
        transport.abort()


async def stall() -> None:
    """Say nothing until the client gives up or the server stops (either cancels the handler)."""
    await asyncio.Event().wait()


async def refusal(faults: Faults) -> Refuse | None:
    """How a request is to be refused by plan; one that is to stall gets no answer at all."""
    if faults.take(Stall):
        await stall()
    return faults.take(Refuse)
