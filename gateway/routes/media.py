"""The media sockets: admit a call's stream, guard its frames, and hand it to the call.

What makes no sense is counted and skipped, up to a limit. Frames in the wrong place are counted too but end
no call: those before the `start` and those of another stream are skipped, audio out of order is heard. A
second `start`, frames much faster than audio, and silence of the carrier end the stream with a reason.
Oversized frames are the server's to refuse (1009).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, Generic
from uuid import UUID

import structlog
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketState

from gateway.call import CALLER_HUNG_UP, Call
from gateway.caller import PARAMETER, Ends, open_ends
from gateway.carriers.codec import Codec
from gateway.carriers.events import CallEnded, CallerAudio, CallStarted, CarrierEvent
from gateway.errors import (
    CarrierRefused,
    ForeignFrame,
    FrameObjected,
    LateFrame,
    MalformedFrame,
    TokenRefused,
    UnknownFrame,
)
from gateway.handover import TRANSFERRED, HandOver, HandoverOrder
from gateway.metrics import Metrics
from gateway.outbound import SMALLEST_FRAME_BYTES, STALLED, Outbound, SocketLine
from gateway.pace import Pace
from gateway.paced import PacedLine
from gateway.placing import longest_in_all_s
from gateway.routes.edge import Carrier, Edge, edge_of
from gateway.settings import Limits, Waits
from gateway.tenancy.accounts import A, Signer
from pipeline.errors import LineClosed

log = structlog.get_logger("gateway.media")

# RFC 6455 section 7.4.1: our reasons for closing.
POLICY: Final = 1008
TOO_BIG: Final = 1009
_CLOSED_IN_ORDER: Final = frozenset({1000, 1005})  # section 7.4.1; 1005 stands for a close without a code
# The conversation was broken off by us: the carrier is to come back, to another replica or a fresh call here.
CUT_SHORT: Final = "cancelled"
_BURST_S: Final = 10.0  # a network that stalled delivers so much audio at once


class FrameRate:
    """A bucket that fills with `per_s` frames of 20 ms a second and holds `_BURST_S` of them."""

    def __init__(self, per_s: int, now_s: float) -> None:
        self._per_s = per_s
        self._left = self._most = per_s * _BURST_S
        self._at_s = now_s

    def takes(self, now_s: float, frames: int = 1) -> bool:
        """Count them. False if that is one too many."""
        self._left = min(self._most, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        self._left -= frames
        return self._left >= 0


class Inbound:
    """The receiving half of one stream. `ended` says why there is no more, "" while there is."""

    def __init__(
        self, socket: WebSocket, codec: Codec, waits: Waits, limits: Limits, metrics: Metrics
    ) -> None:
        self._socket = socket
        self._codec = codec
        self._waits = waits
        self._limits = limits
        self._metrics = metrics
        self._now_s = asyncio.get_running_loop().time
        self.heard_at_s = self._now_s()
        self._rate = FrameRate(limits.media_frames_per_s, self.heard_at_s)
        self._garbage = 0
        self._decoded: deque[CarrierEvent] = deque()
        self._last_audio = CallerAudio(b"", 0)
        self.ended = ""

    async def started(self) -> CallStarted | None:
        """The stream's `start`, None if it did not come in time or the stream ended before it."""
        try:
            async with asyncio.timeout(self._waits.media_start_s):
                while not self.ended:
                    event = await self._next()
                    if isinstance(event, CallStarted):
                        return event
                    if event is not None:
                        self._count("before_start")
        except TimeoutError:
            self.ended = "start_overdue"
        return None

    async def events(self) -> AsyncIterator[CarrierEvent]:
        """What follows the `start`, until the stream ends."""
        while not self.ended or self._decoded:
            event = await self._next()
            if isinstance(event, CallStarted):
                self.ended = "second_start"
            elif isinstance(event, CallEnded):
                self.ended = CALLER_HUNG_UP
            elif event is not None:
                self._check_order(event)
                yield event

    async def _next(self) -> CarrierEvent | None:
        """The next event, None after a frame without. Sets `ended` when no more frames will come."""
        if not self._decoded:
            self._decoded.extend(await self._received())
        return self._decoded.popleft() if self._decoded else None

    async def _received(self) -> Sequence[CarrierEvent]:
        """What one frame says."""
        message = await self._socket.receive()
        self.heard_at_s = self._now_s()
        if message["type"] == "websocket.disconnect":
            self.ended = self.ended or self._closed_with(message.get("code"))
        elif not self._rate.takes(self.heard_at_s):
            self.ended = "too_many_frames"
        else:
            text = message.get("text")
            return self._events_in(message["bytes"] if text is None else text)
        return ()

    def _closed_with(self, code: int | None) -> str:
        if code == TOO_BIG:
            self._count("oversized")
            return "oversized_frame"
        in_order = self._codec.ends_by_close and code in _CLOSED_IN_ORDER
        return CALLER_HUNG_UP if in_order else "socket_lost"

    def _events_in(self, frame: str | bytes) -> Sequence[CarrierEvent]:
        try:
            return self._no_faster_than_speech(self._codec.decode(frame))
        except UnknownFrame:
            self._count("unknown")
        except FrameObjected as objection:
            self._count("objected")
            log.warning("frame_objected", code=objection.code)
        except ForeignFrame:
            self._count("foreign_stream")
        except LateFrame:
            self._count("late")
        except MalformedFrame as fault:
            self._skip(fault.reason)
        return ()

    def _no_faster_than_speech(self, events: Sequence[CarrierEvent]) -> Sequence[CarrierEvent]:
        """A long frame counts as many: what is heard costs by its length."""
        heard = sum(len(event.mulaw) for event in events if isinstance(event, CallerAudio))
        more = heard // SMALLEST_FRAME_BYTES - 1
        if more > 0 and not self._rate.takes(self.heard_at_s, more):
            self.ended = "too_many_frames"
            return ()
        return events

    def _check_order(self, event: CarrierEvent) -> None:
        if isinstance(event, CallerAudio):
            if event.is_behind(self._last_audio):
                self._count("out_of_order")
            self._last_audio = event

    def _count(self, reason: str) -> None:
        self._metrics.bad_frames.labels(reason).inc()

    def _skip(self, reason: str) -> None:
        self._count(reason)
        self._garbage += 1
        if self._garbage > self._limits.media_garbage_frames:
            self.ended = "too_much_garbage"


class Stream:
    """One admitted stream; satisfies `gateway.call.Media`."""

    def __init__(
        self, inbound: Inbound, line: SocketLine, ends: Ends, hand_over: HandOver | None = None
    ) -> None:
        self._inbound = inbound
        self.line = line
        self.ends = ends
        self.hand_over = hand_over

    @property
    def ended(self) -> str:
        return self._inbound.ended

    @property
    def heard_at_s(self) -> float:
        """When the last frame came, on the loop's clock."""
        return self._inbound.heard_at_s

    def is_silent(self, idle_s: float) -> bool:
        return asyncio.get_running_loop().time() - self.heard_at_s >= idle_s

    def events(self) -> AsyncIterator[CarrierEvent]:
        return self._inbound.events()

    async def give_up(self, reason: str) -> None:
        """Close from our side; the events end with this reason."""
        self._inbound.ended = self._inbound.ended or reason
        await self.line.close(POLICY, reason)


@dataclass(frozen=True, slots=True)
class Door(Generic[A]):
    """What is a carrier's own at its media sockets. `signed`: by this account, for this address. `pace`: of
    one whose carrier holds little of what it is sent.
    """

    path: str
    carrier: Callable[[Edge], Carrier[A]]
    codec: Callable[[], Codec]
    signed: Callable[[A, str, Headers], bool]
    pace: Callable[[], Pace] | None = None

    def routes(self) -> list[WebSocketRoute]:
        """The second is for orgs with an account of their own: it tells whose key signs."""

        async def enter(socket: WebSocket) -> None:
            await media(socket, self)

        return [WebSocketRoute(self.path, enter), WebSocketRoute(self.path + "/{org:uuid}", enter)]


async def media(socket: WebSocket, door: Door[A]) -> None:
    """One call's audio, from the upgrade to the end."""
    edge = edge_of(socket)
    carrier = door.carrier(edge)
    signer = await _signer(socket, edge, door)
    if signer is None:
        edge.metrics.refused.labels("signature").inc()
        log.warning("upgrade_forged")
        await edge.refusals.record(socket.path_params.get("org"), "media_refused", "media")
        await socket.send_denial_response(Response(status_code=403))
        return
    await socket.accept()
    codec = door.codec()
    inbound = Inbound(socket, codec, edge.settings.waits, edge.settings.limits, edge.metrics)
    try:
        await _Entry(edge, carrier, signer, socket, codec, inbound, door.pace).serve()
    finally:
        await _close(socket, inbound, edge)


async def _until_over(call: Call, stream: Stream, idle_s: float) -> None:
    """The call reads the socket now; this only watches that there is something to read."""
    while not call.over.is_set():
        try:
            async with asyncio.timeout_at(stream.heard_at_s + idle_s):
                await call.over.wait()
        except TimeoutError:
            if stream.is_silent(idle_s):
                await stream.give_up("carrier_silent")
                await call.over.wait()


async def _signer(socket: WebSocket, edge: Edge, door: Door[A]) -> Signer[A] | None:
    """The account that signed the upgrade. Its address names the org where that has an account of its own."""
    accounts = door.carrier(edge).accounts
    if edge.settings.local_bench:
        return accounts.process
    named: UUID | None = socket.path_params.get("org")
    url = edge.settings.media_url(door.path + ("" if named is None else f"/{named}"))

    def is_signed_by(account: A) -> bool:
        return door.signed(account, url, socket.headers)

    async def org() -> UUID | None:
        return named

    return await accounts.signer(is_signed_by, org)


@dataclass(frozen=True, slots=True)
class _Entry(Generic[A]):
    """A socket that its carrier's account has signed, from its `start` on."""

    edge: Edge
    carrier: Carrier[A]
    signer: Signer[A]
    socket: WebSocket
    codec: Codec
    inbound: Inbound
    pace: Callable[[], Pace] | None

    async def serve(self) -> None:
        edge = self.edge
        start = await self.inbound.started()
        if start is None:
            return
        org_id = await self._admitted(start)
        if org_id is None:
            return
        ends = open_ends(edge.desk.vault, org_id, start.call_id, start.parameters.get(PARAMETER, ""))
        call = edge.calls.expect_again(self.carrier.name, start.call_id, org_id, ends)
        handed_over = asyncio.Event()
        line = self._line(start, handed_over)
        stream = Stream(self.inbound, line, ends, self._hand_over(call, start, handed_over))
        edge.calls.join(call, stream)
        try:
            async with _sent_on(line, stream), self._limited(start.call_id, ends):
                await _until_over(call, stream, edge.settings.waits.media_idle_s)
        except asyncio.CancelledError:  # the server gives this request up: the call must let go of its socket
            call.line_closed("server_stopped")
            raise

    @asynccontextmanager
    async def _limited(self, call_id: str, ends: Ends) -> AsyncIterator[None]:
        """While the stream lasts, its carrier is told when to end the call by itself, if it is not yet."""
        if self.carrier.limit is None or ends.placed_id is not None:
            yield
            return
        async with asyncio.TaskGroup() as group:
            limiting = group.create_task(self._limit(call_id, self.carrier.limit))
            try:
                yield
            finally:
                limiting.cancel()

    async def _limit(self, call_id: str, limit: Callable[[str, A, int], Awaitable[None]]) -> None:
        """Most calls are over before that."""
        settings = self.edge.settings
        await asyncio.sleep(settings.waits.call_limited_s)
        try:
            await limit(call_id, self.signer.account, longest_in_all_s(settings))
        except (CarrierRefused, OSError, TimeoutError) as error:
            log.warning("call_not_limited", stream=call_id, error=type(error).__name__)

    async def _admitted(self, start: CallStarted) -> UUID | None:
        """The org of the stream's token; under the local-bench switch a token may be missing."""
        edge, text = self.edge, start.parameters.get("token", "")
        if edge.settings.local_bench and not text:
            return edge.settings.default_org
        try:
            token = await edge.admission.take(text, start.call_id)
            owner = edge.calls.org_of(start.call_id)
            if not self.signer.speaks_for(token.org_id) or owner not in (None, token.org_id):
                raise TokenRefused("foreign")
        except TokenRefused as refusal:
            edge.metrics.refused.labels(f"token_{refusal.reason}").inc()
            log.warning("token_refused", stream=start.call_id, reason=refusal.reason)
            await edge.refusals.record(edge.calls.org_of(start.call_id), "media_refused", "media")
            self.inbound.ended = f"token_{refusal.reason}"
            return None
        return token.org_id

    def _hand_over(self, call: Call, start: CallStarted, handed_over: asyncio.Event) -> HandOver | None:
        """Whatever ends here from then on, the call goes on elsewhere: it is not hung up."""
        order_of = self.carrier.hand_over
        if order_of is None:
            return None

        async def hand_over(order: HandoverOrder) -> None:
            handed_over.set()
            try:
                told = replace(order, told=start.parameters)
                await order_of(start.call_id, self.signer.account, told)
            except BaseException:
                handed_over.clear()
                raise
            if self.carrier.keeps_stream:  # once whoever gave the order has seen that it was taken
                asyncio.get_running_loop().call_soon(call.line_closed, TRANSFERRED)

        return hand_over

    def _line(self, start: CallStarted, handed_over: asyncio.Event) -> Outbound | PacedLine:
        line = self._line_at_once(start, handed_over)
        if self.pace is None:
            return line
        return PacedLine(line, self.pace(), asyncio.get_running_loop().time)

    def _line_at_once(self, start: CallStarted, handed_over: asyncio.Event) -> Outbound:
        edge, waits = self.edge, self.edge.settings.waits

        async def end_call(reason: str) -> None:
            if reason == CUT_SHORT or handed_over.is_set():
                return
            await edge.endings.mark_over(start.call_id)
            await self.carrier.hang_up(start.call_id, self.signer.account)

        return Outbound(
            self.socket,
            self.codec.encode,
            end_call,
            frame_ms=edge.settings.limits.outbound_frame_ms,
            send_s=waits.media_send_s,
            close_s=waits.media_close_s,
        )


@asynccontextmanager
async def _sent_on(line: Outbound | PacedLine, stream: Stream) -> AsyncIterator[None]:
    """While it lasts, what a paced line keeps back goes out in its time."""
    if isinstance(line, Outbound):
        yield
        return
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(_send_on(line, stream))
        try:
            yield
        finally:
            sending.cancel()


async def _send_on(line: PacedLine, stream: Stream) -> None:
    """A carrier that does not read ends the stream. That its socket is gone, its other half tells."""
    try:
        await line.run()
    except LineClosed:
        if line.closed == STALLED:
            await stream.give_up(STALLED)
    except Exception as error:
        log.error("sending_failed", exc_info=error)
        await stream.give_up("sending_failed")


async def _close(socket: WebSocket, inbound: Inbound, edge: Edge) -> None:
    """Close what nobody has closed yet, with the reason."""
    if socket.application_state is not WebSocketState.CONNECTED:
        return
    reason = inbound.ended or "not_admitted"
    log.warning("stream_closed", reason=reason)
    try:
        async with asyncio.timeout(edge.settings.waits.media_close_s):
            await socket.close(POLICY, reason)
    except (RuntimeError, OSError, TimeoutError):
        return  # the peer was faster
