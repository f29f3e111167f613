"""One media socket, from the carrier's end: 20 ms of the caller out and 20 ms of the agent played, fifty
times a second.

Stream time advances by frames, not by the clock: a late tick is caught up at once, so neither channel loses a
sample.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from bench.carrier.errors import StreamFault
from bench.carrier.faults import NO_FAULTS, Line, LineFaults
from bench.carrier.playback import FRAME_BYTES, FRAME_MS, SILENCE, PlaybackQueue
from bench.carrier.record import CallRecord, ClearCame, EndReason, KeysCame, MarkCame, MarkWentBack, MediaCame
from bench.carrier.wire import Clear, Keys, Mark, Media, Message, Wire

MAX_UNSENT_BYTES = 128 * 1024


@dataclass(slots=True)
class CallerSide:
    """What the caller has still to say and press; silence when there is nothing."""

    _audio: bytearray = field(default_factory=bytearray)
    _said: deque[tuple[int, asyncio.Future[None]]] = field(default_factory=deque)
    _queued: int = 0
    _sent: int = 0

    def say(self, mulaw: bytes) -> asyncio.Future[None]:
        """Queue speech; done when its last byte has been sent, cancelled if it never is."""
        done = asyncio.get_running_loop().create_future()
        self._audio += mulaw
        self._queued += len(mulaw)
        self._said.append((self._queued, done))
        return done

    def fall_silent(self) -> None:
        """Drop what has not been said yet."""
        self._audio.clear()
        self._sent = self._queued
        self._settle()

    def take_frame(self) -> bytes:
        piece = bytes(self._audio[:FRAME_BYTES])
        del self._audio[:FRAME_BYTES]
        self._sent += len(piece)
        self._settle()
        return piece + bytes([SILENCE]) * (FRAME_BYTES - len(piece))

    def leave(self) -> None:
        for _, done in self._said:
            done.cancel()
        self._said.clear()

    def _settle(self) -> None:
        while self._said and self._said[0][0] <= self._sent:
            done = self._said.popleft()[1]
            if not done.done():
                done.set_result(None)


class MediaStream:
    """The live stream of one call. `run` returns why it ended."""

    def __init__(
        self,
        socket: ClientConnection,
        wire: Wire,
        record: CallRecord,
        *,
        on_frame: Callable[[], None],
        pace: float = 1.0,
        faults: LineFaults = NO_FAULTS,
    ) -> None:
        self.caller = CallerSide()
        self.playback = PlaybackQueue(wire.queue_rules)
        self._socket = socket
        self._wire = wire
        self._record = record
        self._on_frame = on_frame
        self._faults = faults
        self._line = Line(faults, record.streams)
        self._frame_s = FRAME_MS / 1000 / pace
        self._started_ms = record.now_ms
        self._ending: EndReason | None = None
        self._overflowed = False
        self._may_read = asyncio.Event()
        self._may_read.set()

    async def run(self) -> EndReason:
        """Play the stream to its end: ours (`end`), the gateway's (socket closed) or a fault of its."""
        reading: asyncio.Task[None] | None = None
        try:
            for message in self._wire.opening():
                await self._socket.send(message)
            reading = asyncio.create_task(self._read())
            await self._pump(reading)
        except ConnectionClosed:
            self._ending = self._ending or "gateway_closed"
        finally:
            await self._stop_reading(reading)
            self.caller.leave()
            self._record.struck.update(self._line.struck)
        return self._ending or "gateway_closed"

    def end(self, reason: EndReason) -> None:
        """End the stream at the next frame: `dropped` tears the connection, anything else says what the
        carrier says at the end, and closes.
        """
        self._ending = self._ending or reason

    async def press(self, digit: str) -> None:
        if not self._line.is_half_dead(self._at_ms):
            await self._socket.send(self._wire.dtmf(digit))

    async def send_raw(self, message: Message) -> None:
        """Send something the carrier never would (garbage, oversized, out of order): for tests of the
        gateway's patience.
        """
        await self._socket.send(message)

    def stop_reading(self) -> None:
        """Become half dead: the socket stays open and caller audio flows, but nothing is read any more."""
        self._may_read.clear()

    @property
    def _at_ms(self) -> int:
        return self._record.now_ms - self._started_ms

    async def _pump(self, reading: "asyncio.Task[None]") -> None:
        clock = asyncio.get_running_loop().time
        due_s = clock()
        while self._ending is None and not reading.done():
            self._record.add_lateness(clock() - due_s)
            await self._tick()
            due_s += self._frame_s
            await asyncio.sleep(max(0.0, due_s - clock()))
        if self._ending == "dropped":
            self._socket.transport.abort()
            await self._socket.wait_closed()
            return
        if not reading.done() and self._ending != "fault" and not self._line.is_half_dead(self._at_ms):
            for message in (*self._line.rest(), *self._wire.closing()):
                await self._socket.send(message)
        await self._socket.close()

    async def _tick(self) -> None:
        agent, _, marks = self.playback.take_frame()
        caller = self.caller.take_frame()
        at_ms = self._at_ms
        self._record.add_frame(caller, agent)
        self._record.sent_s.append(time.monotonic())
        self._line.audio(self._wire.audio(caller, at_ms), at_ms)
        if self._socket.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._lose_frame(at_ms)
        else:
            await self._send_due(at_ms)
        await self._return_marks(marks, flushed=False)
        self._strike(at_ms)
        self._on_frame()

    def _strike(self, at_ms: int) -> None:
        """What is planned for an instant."""
        faults = self._faults
        if faults.deaf is not None and at_ms >= faults.deaf and self._may_read.is_set():
            self._record.struck["deaf"] += 1
            self.stop_reading()
        if faults.close is not None and at_ms >= faults.close and self._record.streams == 1:
            self._record.struck["close"] += 1
            self.end("dropped")

    async def _send_due(self, at_ms: int) -> None:
        for message in self._line.due(at_ms):
            await self._socket.send(message)

    def _lose_frame(self, at_ms: int) -> None:
        self._line.due(at_ms)
        if self._record.dropped_inbound_frames == 0:
            self._record.add_fault(StreamFault(self._wire.slow_reader, "the gateway reads too slowly"))
        self._record.dropped_inbound_frames += 1

    async def _return_marks(self, names: list[str], *, flushed: bool) -> None:
        for name in names:
            self._record.wire.append(MarkWentBack(self._record.now_ms, name, flushed))
            await self._acknowledge(self._wire.mark(name))

    async def _acknowledge(self, message: Message) -> None:
        self._line.acknowledgement(message, self._at_ms)
        await self._send_due(self._at_ms)

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                await self._may_read.wait()
                await self._take(message)
                if self._ending == "fault":
                    return
        except ConnectionClosed:
            return

    async def _take(self, message: Message) -> None:
        try:
            await self._obey(message)
        except StreamFault as fault:
            self._record.add_fault(fault)
            objection = self._wire.objection(fault)
            if objection is None:
                self.end("fault")
            else:
                await self._socket.send(objection)

    async def _obey(self, message: Message) -> None:
        order = self._wire.order(message)
        now_ms = self._record.now_ms
        match order:
            case Media(mulaw):
                waiting_ms, came_s = self.playback.waiting_ms, time.monotonic()
                self._record.wire.append(MediaCame(now_ms, len(mulaw) / 8, mulaw, came_s, waiting_ms))
                if not self.playback.queue(mulaw):
                    self._overflow()
            case Mark(name):
                self._record.wire.append(MarkCame(now_ms, name))
                await self._return_marks(self.playback.mark(name), flushed=False)
            case Clear():
                marks, dropped_ms = self.playback.clear()
                self._record.wire.append(ClearCame(now_ms, dropped_ms, time.monotonic()))
                await self._return_marks(marks, flushed=True)
                for told in self._wire.cleared():
                    await self._acknowledge(told)
            case Keys(digits):
                self._record.wire.append(KeysCame(now_ms, digits))
            case _:
                assert_never(order)

    def _overflow(self) -> None:
        if not self._overflowed:
            self._overflowed = True
            rule = self._wire.queue_rules.overflow
            self._record.add_fault(StreamFault(rule, "more audio queued than is held"))

    async def _stop_reading(self, reading: "asyncio.Task[None] | None") -> None:
        self._record.close_codes.append(self._socket.close_code)
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
