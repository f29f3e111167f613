"""One live call: what the gateway wants done with it step by step, the media socket, what is told, the end.

The body of `async with carrier.call(...) as call` is the caller: it speaks, presses keys, waits for what it
hears, hangs up. Leaving the body hangs up if nobody has; what the gateway did wrong is raised then.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, assert_never
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake

from bench.carrier.dialect import CallPlan, CallState, Dialect
from bench.carrier.errors import CallOver, CarrierFault, UpgradeRefused
from bench.carrier.faults import NO_FAULTS, LineFaults
from bench.carrier.record import CallRecord, EndReason
from bench.carrier.steps import ConnectStream, Hangup, Pause, Redirect, Reject, Say, Step
from bench.carrier.stream import MediaStream
from bench.carrier.webhooks import Route
from bench.carrier.wire import Message, Wire

UPGRADE_LIMIT_S: Final = 10.0
CLOSE_LIMIT_S: Final = 2.0
WRITE_LIMIT_BYTES: Final = 512 * 1024
MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
_OF_THE_CALL: Final = ("caller_hung_up", "rest_completed", "fault")


class LiveCall:
    """A call in progress. Conditions are judged once per 20 ms of stream time, so they are exact to the
    frame.
    """

    def __init__(
        self, state: CallState, dialect: Dialect, route: Route, faults: LineFaults = NO_FAULTS
    ) -> None:
        self.plan: CallPlan = state.plan
        self.record: CallRecord = state.record
        self.dialect = dialect
        self._state = state
        self._route = route
        self._faults = faults
        self._stream: MediaStream | None = None
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._started = asyncio.Event()
        self._over = asyncio.Event()
        self._ending: EndReason | None = None
        self._roused = asyncio.Event()
        self._is_pausing = False
        self._replacement: Sequence[Step] | None = None

    # --- the caller's moves ---------------------------------------------------------------------------------

    async def say(self, mulaw: bytes) -> None:
        """Speak (mu-law, 8 kHz) and return when the last byte has been sent. Raises `CallOver`."""
        try:
            await self._live().caller.say(mulaw)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise CallOver(self._reason()) from None

    def fall_silent(self) -> None:
        """Stop speaking in the middle of what `say` was given."""
        self._live().caller.fall_silent()

    async def press(self, digits: str) -> None:
        """Press keys: one message each."""
        for digit in digits:
            await self._live().press(digit)

    def hang_up(self) -> None:
        """Put the phone down: the carrier says so as it does, and closes the socket."""
        self._end("caller_hung_up")

    def drop(self) -> None:
        """Lose the media connection without a word."""
        self._end("dropped")

    async def send_raw(self, message: Message) -> None:
        """Put any message on the media socket."""
        await self._live().send_raw(message)

    def stop_reading(self) -> None:
        """Leave the gateway's messages unread from now on."""
        self._live().stop_reading()

    # --- what the caller waits for --------------------------------------------------------------------------

    async def until(self, condition: Callable[[CallRecord], bool]) -> None:
        """Wait until `condition` holds, judged after each frame. Raises `CallOver` if the call ends first."""
        self._live()
        met = asyncio.get_running_loop().create_future()
        self._waiting.append((lambda: condition(self.record), met))
        ended = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait({met, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            self._waiting = [entry for entry in self._waiting if entry[1] is not met]
        if not met.done():
            raise CallOver(self._reason())

    async def agent_speaks(self, for_ms: int = 20) -> None:
        """Wait until `for_ms` of audible agent speech have been played from now on."""
        target_ms = self.record.agent_audible_ms + for_ms
        await self.until(lambda record: record.agent_audible_ms >= target_ms)

    async def agent_quiet(self, for_ms: int = 800) -> None:
        """Wait until nothing of the agent is queued and none has been audible for `for_ms`, counted from now
        on.
        """
        since_ms = self.record.now_ms

        def quiet(record: CallRecord) -> bool:
            last_ms = max(since_ms, record.last_agent_audible_ms or 0)
            return self.agent_waiting_ms == 0 and record.now_ms - last_ms >= for_ms

        await self.until(quiet)

    async def agent_answers(self, quiet_ms: int = 800) -> None:
        """Wait until the agent has said something from now on and has then been quiet for `quiet_ms`."""
        await self.agent_speaks()
        await self.agent_quiet(quiet_ms)

    async def ended(self) -> CallRecord:
        """Wait until the call is over, status callbacks included."""
        await self._over.wait()
        return self.record

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    @property
    def agent_waiting_ms(self) -> float:
        """How much agent audio is queued and not yet played."""
        return self._stream.playback.waiting_ms if self._stream else 0.0

    # --- orders over REST -----------------------------------------------------------------------------------

    def complete(self) -> bool:
        """Ended over the account's REST interface; False if the call was over."""
        if self.is_over:
            return False
        self._end("rest_completed")
        return True

    def replace(self, steps: Sequence[Step]) -> bool:
        """Another answer from the REST interface: the stream or the pause ends and this is done; False if the
        call was over, or there is neither.
        """
        if self.is_over or not (self._stream or self._is_pausing):
            return False
        self._replacement = steps
        if self._stream is not None:
            self._stream.end("rest_replaced")
        else:
            self._roused.set()
        return True

    def stop_stream(self) -> None:
        """Ended over the REST interface; whoever is told decides what follows."""
        if self._stream is not None:
            self._stream.end("rest_replaced")

    # --- the carrier's work ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """The whole call. Faults of the gateway go into the record; the call ends with them, as it does in
        life.
        """
        self.record.dialled_s = time.monotonic()
        try:
            reason = await self._follow(await self._first_steps())
        except CarrierFault as fault:
            self.record.add_fault(fault)
            reason = "fault"
        self.record.end_reason = reason
        self._stream = None
        try:
            await self.dialect.over()
        except CarrierFault as fault:
            self.record.add_fault(fault)
        finally:
            self._over.set()
            self._started.set()

    async def streaming(self) -> None:
        """Wait until the media stream runs. Raises `CallOver` if there never was one."""
        await self._started.wait()
        self._live()

    async def _first_steps(self) -> Sequence[Step]:
        if self.plan.media_url is not None:
            return [ConnectStream(self.plan.media_url, dict(self.plan.extra_fields))]
        steps = await self.dialect.rings()
        self.record.answered_s = time.monotonic()
        return steps

    async def _follow(self, steps: Sequence[Step]) -> EndReason:
        while steps:
            if self._ending is not None:
                return self._ending
            step, *following = steps
            self.record.steps.append(step)
            match step:
                case ConnectStream():
                    ended, steps = await self._connected(step, following)
                    if ended is not None:
                        return ended
                case Say(text):
                    self.record.spoken_by_carrier.append(text)
                    steps = await self.dialect.said(following)
                case Pause(length_s):
                    await self._paused(length_s)
                    steps = self._replaced() or following
                case Redirect(url):
                    steps = await self.dialect.document(url)
                case Hangup() | Reject():
                    return "answer_ended"
                case _:
                    assert_never(step)
        return self._ending or "answer_ended"

    async def _paused(self, length_s: float) -> None:
        """Shorter for a caller who hangs up meanwhile, or is given another answer."""
        self._is_pausing = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(length_s / self.plan.pace):
                await self._roused.wait()
        self._is_pausing = False

    def _replaced(self) -> Sequence[Step]:
        """What is to be done instead, once; nothing if that is as it was."""
        replacement, self._replacement = self._replacement or (), None
        if replacement and self._ending is None:
            self._roused.clear()
        return replacement

    async def _connected(
        self, step: ConnectStream, following: Sequence[Step]
    ) -> tuple[EndReason | None, Sequence[Step]]:
        """Why the call is over with this stream, None if it is not; and what is to be done then."""
        wire, reason = await self._tried(step)
        if self.plan.media_url is not None:  # there is nobody to be told or asked
            return reason, ()
        if reason in _OF_THE_CALL:
            await self.dialect.stream_over(step, wire, reason)
            return reason, ()
        if replacement := self._replaced():
            return None, replacement
        return None, await self.dialect.stream_ended(step, wire, following, reason)

    async def _tried(self, step: ConnectStream) -> tuple[Wire, EndReason]:
        """The stream, and again as often as the carrier tries what was refused or lost."""
        for left in reversed(range(self.dialect.retries + 1)):
            wire = self.dialect.wire(step)
            self.record.stream_id = wire.stream_id
            try:
                reason = await self._streamed(step, wire)
            except UpgradeRefused as refusal:
                if not self.dialect.survives_refusal:
                    raise
                self.record.add_fault(refusal)
                reason = "refused"
            if reason not in ("dropped", "refused") or not left or self._ending is not None:
                break
        return wire, reason

    async def _streamed(self, step: ConnectStream, wire: Wire) -> EndReason:
        async with self._upgraded(step) as socket:
            self.record.streams += 1
            self.record.streamed_s = self.record.streamed_s or time.monotonic()
            if self.plan.media_url is None:
                await self.dialect.stream_began(step, wire)
            self._stream = MediaStream(
                socket,
                wire,
                self.record,
                on_frame=self._judge_conditions,
                pace=self.plan.pace,
                faults=self._faults,
            )
            if self._ending is not None:
                self._stream.end(self._ending)
            self._started.set()
            try:
                return await self._stream.run()
            finally:
                self._stream = None

    @contextlib.asynccontextmanager
    async def _upgraded(self, step: ConnectStream) -> AsyncIterator[ClientConnection]:
        real = urlsplit(self._route.real_url(step.url))
        signed = self._state.webhooks.headers(self.dialect.signed_upgrade(step))
        try:
            socket = await connect(
                step.url.replace("wss:", "ws:", 1) if real.scheme == "http" else step.url,
                host=real.hostname,
                port=real.port,
                additional_headers={**step.headers, **signed},
                user_agent_header=self.dialect.agent,
                compression=None,
                ping_interval=None,
                open_timeout=UPGRADE_LIMIT_S,
                close_timeout=CLOSE_LIMIT_S,
                write_limit=WRITE_LIMIT_BYTES,
                max_size=MAX_MESSAGE_BYTES,
                proxy=None,
            )
        except (InvalidHandshake, OSError, TimeoutError) as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            fact = f"the upgrade was answered {status or type(error).__name__}"
            raise UpgradeRefused(self.dialect.refusal(), fact, status) from error
        try:
            yield socket
        finally:
            await socket.close()

    def _judge_conditions(self) -> None:
        for condition, met in self._waiting:
            if not met.done() and condition():
                met.set_result(None)

    def _end(self, reason: EndReason) -> None:
        if reason != "dropped":
            self._ending = self._ending or reason
            self._roused.set()
            self._state.end()
        if self._stream is not None:
            self._stream.end(reason)

    def _live(self) -> MediaStream:
        if self._stream is None:
            raise CallOver(self._reason())
        return self._stream

    def _reason(self) -> str:
        return self.record.end_reason or self._ending or "no stream"
