"""A phone at the far end of a socket whose audio is binary PCM: it plays, speaks and gives marks back, in
real time. It knows no carrier: what marks and clears look like it is told.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from bench.simulators.deepgram_hearing import tone
from gateway.carriers.pcm import from_mulaw

FRAME_S, FRAME_BYTES = 0.02, 320
_SILENCE = bytes(FRAME_BYTES)


@dataclass(frozen=True)
class Mark:
    """A label behind audio; `back` is the message that tells of it."""

    back: str


@dataclass(frozen=True)
class Clear:
    """Drop what is queued, marks included; `told` says that it was done."""

    told: str


@dataclass
class Phone:
    """`read` turns a text message into what it orders, None if nothing."""

    socket: ClientConnection
    read: Callable[[str], Mark | Clear | None]
    queue: deque[bytes | Mark] = field(default_factory=deque)
    to_say: deque[bytes] = field(default_factory=deque)
    played: list[bytes] = field(default_factory=list)
    played_at_clears: list[int] = field(default_factory=list)
    most_queued: int = 0
    sizes: set[int] = field(default_factory=set)
    _ticked: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until the socket is closed."""
        speaking = asyncio.create_task(self._speak())
        try:
            with suppress(ConnectionClosed):
                async for message in self.socket:
                    await self._take(message)
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)

    @property
    def audible_frames(self) -> int:
        return sum(np.frombuffer(frame, "<i2").any() for frame in self.played)

    async def says(self, seconds: float = 0.6) -> None:
        """One utterance; returns when it has been sent."""
        pcm = from_mulaw(tone(seconds))
        self.to_say.extend(pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES))
        await self.until(lambda: not self.to_say)

    async def hears(self, frames: int) -> None:
        """So many audible frames from now on."""
        wanted = self.audible_frames + frames
        await self.until(lambda: self.audible_frames >= wanted)

    async def hears_all(self, quiet_s: float = 0.5) -> None:
        """Something from now on, and then nothing for a while."""
        await self.hears(1)
        quiet = 0.0
        while quiet < quiet_s:
            before = len(self.played)
            await asyncio.sleep(0.05)
            quiet = quiet + 0.05 if len(self.played) == before and not self.queue else 0.0

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                await self._ticked.wait()

    async def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.sizes.add(len(message))
            self.queue.extend(message[at : at + FRAME_BYTES] for at in range(0, len(message), FRAME_BYTES))
            self.most_queued = max(self.most_queued, len(self.queue))
            return
        match self.read(message):
            case Mark() as mark:
                self.queue.append(mark)
            case Clear(told):
                self.queue.clear()
                self.played_at_clears.append(len(self.played))
                await self.socket.send(told)

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        with suppress(ConnectionClosed):
            for tick in itertools.count(1):
                while self.queue and isinstance(mark := self.queue[0], Mark):
                    self.queue.popleft()
                    await self.socket.send(mark.back)
                if self.queue and isinstance(frame := self.queue.popleft(), bytes):
                    self.played.append(frame)
                await self.socket.send(self.to_say.popleft() if self.to_say else _SILENCE)
                self._ticked.set()
                self._ticked.clear()
                await asyncio.sleep(max(0.0, began_s + tick * FRAME_S - loop.time()))
