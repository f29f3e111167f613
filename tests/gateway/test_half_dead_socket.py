"""A peer that stops reading, over a real socket: its connection is dropped, others feel nothing."""

import asyncio
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from gateway.carriers import twilio
from gateway.carriers.events import CarrierAction
from gateway.outbound import Outbound
from gateway.server import server_config
from gateway.settings import load
from pipeline.errors import LineClosed
from tests.conftest import Stack
from tests.gateway import running

SPEECH = b"\x55" * 80_000


def frame(action: CarrierAction) -> tuple[str]:
    return (twilio.encode(action, "MZ1"),)


async def endless_speech(socket: WebSocket) -> None:
    """Plays until the line is closed, as a call would."""

    async def nothing(_reason: str) -> None:
        pass

    await socket.accept()
    line = Outbound(socket, frame, nothing, send_s=0.3, close_s=0.3)
    try:
        while True:
            await line.play(SPEECH)
            await asyncio.sleep(0)
    except LineClosed:
        await line.close(1011, "over")


@asynccontextmanager
async def serving(stack: Stack) -> AsyncIterator[uvicorn.Server]:
    app = Starlette(routes=[WebSocketRoute("/", endless_speech)])
    config = server_config(app, load(running.environment(stack), env_file=None))
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.01)
    yield server
    server.should_exit = True
    await task


def deaf_socket(port: int) -> sockets.socket:
    """A connection with a small window, whose owner will not read."""
    plain = sockets.socket()
    plain.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
    plain.connect(("127.0.0.1", port))
    plain.setblocking(False)
    return plain


async def test_peer_that_does_not_read_is_dropped(stack: Stack) -> None:
    async with serving(stack) as server:
        port = server.servers[0].sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/", compression=None, close_timeout=0.1) as healthy:
            async with connect(
                f"ws://127.0.0.1:{port}/",
                sock=deaf_socket(port),
                compression=None,
                close_timeout=0.1,
                max_queue=1,
            ) as deaf:
                deaf.transport.pause_reading()
                async with asyncio.timeout(10):
                    while len(server.server_state.connections) > 1:
                        await healthy.recv()
            assert await healthy.recv()
