"""The caller's line where the carrier holds little of what it is sent: the rest waits here, and goes in time.

What is played is taken at once, as on any other line, and what is due of it goes at once: so a clear never
waits behind audio, and what was heard follows from the clock in the same way. Marks keep their place.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, assert_never

from gateway.carriers.events import Mark, PlayAudio
from gateway.outbound import BYTES_PER_MS, SMALLEST_FRAME_BYTES, Outbound
from gateway.pace import Pace
from pipeline.audio.framing import Framer
from pipeline.errors import LineClosed

FRAME_S: Final = SMALLEST_FRAME_BYTES / BYTES_PER_MS / 1000
MOST_S: Final = 600.0
"""More speech than this at once is a defect, and the line is given up."""
_REST_S: Final = 0.1


class PacedLine:
    """One stream's outgoing half; satisfies `gateway.outbound.SocketLine`. `run` sends what became due."""

    def __init__(self, line: Outbound, pace: Pace, now_s: Callable[[], float]) -> None:
        self._line = line
        self._pace = pace
        self._now_s = now_s
        self._framer = Framer(SMALLEST_FRAME_BYTES)
        self._waiting: deque[PlayAudio | Mark] = deque()
        self._news = asyncio.Event()
        self._sending = asyncio.Lock()

    @property
    def closed(self) -> str | None:
        """Why nothing more can be sent, None while the line is good."""
        return self._line.closed

    async def play(self, mulaw: bytes) -> None:
        """Queue audio; a rest shorter than a frame waits for what follows. Raises `LineClosed`."""
        for frame in self._framer.feed(mulaw):
            self._put(PlayAudio(frame))
        await self._send_due()

    async def mark(self, name: str) -> None:
        """Label what has been queued so far. Raises `LineClosed`."""
        if rest := self._framer.flush():
            self._put(PlayAudio(rest))
        self._put(Mark(name))
        await self._send_due()

    async def clear(self) -> None:
        """Drop what is queued here and at the carrier. Raises `LineClosed`."""
        self._drop()
        self._pace.cleared()
        self._news.set()
        await self._line.clear()

    async def hang_up(self, reason: str) -> None:
        """End the call at the carrier, then close the socket. Never raises."""
        self._drop()
        await self._line.hang_up(reason)

    async def close(self, code: int, reason: str) -> None:
        """Close the socket, once, within a bounded time. Never raises."""
        self._drop()
        await self._line.close(code, reason)

    def no_more(self, reason: str) -> None:
        """Nothing more can be sent, or need be."""
        self._drop()
        self._line.no_more(reason)

    async def run(self) -> None:
        """Send what becomes due, until cancelled. Raises `LineClosed`."""
        while True:
            await self._until_due()
            await self._send_due()

    async def _until_due(self) -> None:
        while (wait_s := self._wait_s()) > 0:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if math.isinf(wait_s) else max(wait_s, _REST_S)):
                    await self._news.wait()

    def _wait_s(self) -> float:
        if not self._waiting:
            return math.inf
        is_audio = isinstance(self._waiting[0], PlayAudio)
        return self._pace.wait_s(self._now_s()) if is_audio else 0.0

    async def _send_due(self) -> None:
        async with self._sending:
            while self._wait_s() == 0:
                await self._send(self._waiting.popleft())

    async def _send(self, action: PlayAudio | Mark) -> None:
        match action:
            case PlayAudio(mulaw):
                self._pace.sent(self._now_s())
                await self._line.play(mulaw)
            case Mark(name):
                await self._line.mark(name)
            case _:
                assert_never(action)

    def _put(self, action: PlayAudio | Mark) -> None:
        if self._line.closed is None and len(self._waiting) * FRAME_S >= MOST_S:
            self._line.no_more("too_far_ahead")
        if self._line.closed is not None:
            raise LineClosed(self._line.closed)
        if not self._waiting:
            self._news.set()
        self._waiting.append(action)

    def _drop(self) -> None:
        self._waiting.clear()
        self._framer.flush()
