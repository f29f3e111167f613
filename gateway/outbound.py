"""The caller's line as the pipeline sees it, over a carrier's socket.

Audio goes out as soon as it comes, cut into frames of 20 to 100 ms (smaller ones jitter); the carrier
queues it and plays it in order, so nothing is paced here. A rest shorter than 20 ms waits for the audio
or the mark behind it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import structlog
from starlette.websockets import WebSocketDisconnect, WebSocketDisconnected

from gateway.carriers.events import CarrierAction, Clear, Mark, PlayAudio
from pipeline.errors import LineClosed
from pipeline.ports import Line

log = structlog.get_logger("gateway.line")

BYTES_PER_MS: Final = 8
SMALLEST_FRAME_BYTES: Final = 20 * BYTES_PER_MS
STALLED: Final = "send_stalled"
"""Why a line is closed whose carrier does not read."""


class Socket(Protocol):
    """The sending half of an accepted WebSocket."""

    async def send_text(self, data: str) -> None: ...

    async def send_bytes(self, data: bytes) -> None: ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


class SocketLine(Line, Protocol):
    """The caller's line as its call holds it: with the socket beneath, which ends with the call."""

    @property
    def closed(self) -> str | None:
        """Why nothing more can be sent, None while the line is good."""

    async def close(self, code: int, reason: str) -> None:
        """Close the socket, once, within a bounded time. Never raises."""

    def no_more(self, reason: str) -> None:
        """Nothing more can be sent, or need be."""


class Outbound:
    """One stream's outgoing half; satisfies `SocketLine`.

    `encode` makes a carrier's frames, `end_call` ends the call at the carrier and may raise what it likes.
    """

    def __init__(
        self,
        socket: Socket,
        encode: Callable[[CarrierAction], Sequence[str | bytes]],
        end_call: Callable[[str], Awaitable[None]],
        *,
        frame_ms: int = 100,
        send_s: float = 5.0,
        close_s: float = 2.0,
    ) -> None:
        self._socket = socket
        self._encode = encode
        self._end_call = end_call
        self._frame_bytes = frame_ms * BYTES_PER_MS
        self._send_s = send_s
        self._close_s = close_s
        self._rest = b""
        self._epoch = 0
        self._closed: str | None = None
        self._close_sent = False
        self.sent_ms = 0.0

    @property
    def closed(self) -> str | None:
        """Why nothing more can be sent, None while the line is good."""
        return self._closed

    async def play(self, mulaw: bytes) -> None:
        """Queue audio at the carrier. What a `clear` overtakes is dropped. Raises `LineClosed`."""
        audio = self._rest + mulaw if self._rest else mulaw
        whole = len(audio) - len(audio) % self._frame_bytes
        keep = 0 if len(audio) - whole >= SMALLEST_FRAME_BYTES else len(audio) - whole
        end = len(audio) - keep
        self._rest = audio[end:]
        await self._send_audio(audio[:end])

    async def mark(self, name: str) -> None:
        """Label what has been queued so far. Raises `LineClosed`."""
        rest, self._rest = self._rest, b""
        await self._send_audio(rest)
        await self._send(Mark(name))

    async def clear(self) -> None:
        """Drop what is queued here and at the carrier. Raises `LineClosed`."""
        self._epoch += 1
        self._rest = b""
        await self._send(Clear())

    async def hang_up(self, reason: str) -> None:
        """End the call at the carrier, then close the socket. Never raises."""
        try:
            await self._end_call(reason)
        except Exception as error:  # noqa: BLE001  the edge of the call: told, and the socket closes all the same
            log.warning("hang_up_failed", reason=reason, error=type(error).__name__)
        await self.close(1000, reason)

    async def close(self, code: int, reason: str) -> None:
        """Close the socket, once, within a bounded time. Never raises."""
        self.no_more(reason)
        if self._close_sent:
            return
        self._close_sent = True
        try:
            async with asyncio.timeout(self._close_s):
                await self._socket.close(code, reason)
        except (WebSocketDisconnect, WebSocketDisconnected, RuntimeError, OSError, TimeoutError):
            return  # the peer was gone already, or will be dropped by the server

    def no_more(self, reason: str) -> None:
        """Nothing more can be sent, or need be."""
        self._closed = self._closed or reason

    async def _send_audio(self, audio: bytes) -> None:
        epoch = self._epoch
        for start in range(0, len(audio), self._frame_bytes):
            if epoch != self._epoch:
                return
            frame = audio[start : start + self._frame_bytes]
            await self._send(PlayAudio(frame))
            self.sent_ms += len(frame) / BYTES_PER_MS

    async def _send(self, action: CarrierAction) -> None:
        if self._closed is not None:
            raise LineClosed(self._closed)
        try:
            async with asyncio.timeout(self._send_s):
                for message in self._encode(action):
                    if isinstance(message, str):
                        await self._socket.send_text(message)
                    else:
                        await self._socket.send_bytes(message)
        except TimeoutError:
            self._closed = STALLED
            raise LineClosed(STALLED) from None
        except (WebSocketDisconnect, WebSocketDisconnected, RuntimeError, OSError):
            self.no_more("socket_closed")
            raise LineClosed("socket_closed") from None
