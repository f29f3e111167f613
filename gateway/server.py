"""uvicorn, fitted to calls: it drains before it stops, and drops a peer that does not read.

uvicorn's own answer to SIGTERM closes every WebSocket at once, which would cut live calls; and its closing
handshake leaves a connection open for as long as its buffer cannot be flushed.
"""

import asyncio
import json
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import structlog
import uvicorn
from starlette.applications import Starlette
from uvicorn.lifespan.off import LifespanOff
from uvicorn.lifespan.on import LifespanOn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway import logs
from gateway.calls import Calls
from gateway.garbage import settle
from gateway.settings import Settings

log = structlog.get_logger("gateway.server")

_STOP_S = 5
_UNHEARD = logging.Logger("gateway.unheard", logging.CRITICAL + 1)


class MediaSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, whose connection is gone a bounded time after its application has ended."""

    linger_s = 2.0

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        if not self.disconnected:
            self.loop.call_later(self.linger_s, self.transport.abort)


class GatewayServer(uvicorn.Server):
    """Serves one application; `url` is where, once started."""

    def __init__(self, app: Starlette, settings: Settings) -> None:
        super().__init__(server_config(app, settings))
        self._app = app
        self._settings = settings
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so: one line of JSON on standard output."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(logs.loop_fault)
        try:
            with _unheard(self.lifespan):
                await super().startup(sockets)
        except SystemExit:
            if not self.lifespan.should_exit:
                log.error("cannot_listen", host=self._settings.host, port=self._settings.port)
            raise
        settle()
        log.info("serving", url=self.url)
        sys.stdout.write(json.dumps({"ready": "gateway", "url": self.url}) + "\n")
        sys.stdout.flush()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First signal: no new calls, stop when the live ones have ended. Second, or Ctrl-C: stop now."""
        if self._loop is None or self._draining is not None or sig == signal.SIGINT:
            self.should_exit = True
        else:
            self._loop.call_soon_threadsafe(self._begin_drain)

    def _begin_drain(self) -> None:
        self._draining = self._draining or asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        calls: Calls = self._app.state.edge.calls
        log.info("draining", calls=len(calls))
        emptied = await calls.drained(self._settings.waits.drain_s)
        log.info("drained", outcome="empty" if emptied else "overdue", calls=len(calls))
        self.should_exit = True


@contextmanager
def _unheard(lifespan: LifespanOn | LifespanOff) -> Iterator[None]:
    """The application tells in one line why it does not start; uvicorn would repeat it as a traceback."""
    if isinstance(lifespan, LifespanOff):
        yield
        return
    heard, lifespan.logger = lifespan.logger, _UNHEARD
    try:
        yield
    finally:
        lifespan.logger = heard


def server_config(app: Starlette, settings: Settings) -> uvicorn.Config:
    """No compression on media (base64 of speech does not shrink), no pings (media flow all the time), no
    access log (its lines hold addresses and queries).
    """
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        ws=MediaSocketProtocol,
        ws_max_size=settings.limits.media_frame_bytes,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_STOP_S,
    )
