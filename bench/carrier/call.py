"""One live call: the webhook, the answer document verb by verb, the media socket, status callbacks, the end.

The body of `async with carrier.call(...) as call` is the caller: it speaks, presses keys, waits for what it
hears, hangs up. Leaving the body hangs up if nobody has; what the gateway did wrong is raised then.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake

from bench.carrier.errors import CallOver, CarrierFault, TwimlRejected, UpgradeRefused
from bench.carrier.frames import FrameWriter
from bench.carrier.record import CallRecord, EndReason
from bench.carrier.stream import MediaStream
from bench.carrier.twiml import ConnectStream, Hangup, Pause, Redirect, Reject, Say, Verb, parse_twiml
from bench.carrier.webhooks import Route, Webhooks

MAX_DOCUMENTS = 10
UPGRADE_LIMIT_S = 10.0
CLOSE_LIMIT_S = 2.0
HANG_UP_LIMIT_S = 20.0
WRITE_LIMIT_BYTES = 512 * 1024
MAX_MESSAGE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What is fixed before the phone rings. Addresses are public ones; `pace` 1 is real time.

    With `media_url` there is no webhook: the call goes straight to that socket.
    """

    account_sid: str
    call_sid: str
    dialled: str
    caller: str
    voice_url: str
    status_url: str | None
    pace: float = 1.0
    extra_fields: tuple[tuple[str, str], ...] = ()
    media_url: str | None = None


class LiveCall:
    """A call in progress. Conditions are judged once per 20 ms of stream time, so they are exact to the
    frame.
    """

    def __init__(
        self, plan: CallPlan, route: Route, webhooks: Webhooks, new_sid: Callable[[str], str]
    ) -> None:
        self.plan = plan
        self.record = CallRecord(plan.call_sid, new_sid("MZ"))
        self._route = route
        self._webhooks = webhooks
        self._new_sid = new_sid
        self._stream: MediaStream | None = None
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._started = asyncio.Event()
        self._over = asyncio.Event()
        self._ending: EndReason | None = None
        self._replacement: bytes | None = None
        self._status_sequence = 0

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
        """Press keys: one dtmf message each."""
        for digit in digits:
            await self._live().press(digit)

    def hang_up(self) -> None:
        """Put the phone down: Twilio says stop and closes the socket."""
        self._end("caller_hung_up")

    def drop(self) -> None:
        """Lose the media connection without a word."""
        self._end("dropped")

    async def send_raw(self, message: str | bytes) -> None:
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
        """`Status=completed` from the account's REST API; False if the call was over."""
        if self.is_over:
            return False
        self._end("rest_completed")
        return True

    def replace(self, twiml: bytes) -> bool:
        """`Twiml=` from the REST API: the stream ends and this document runs; False if the call was over."""
        parse_twiml(twiml, self.plan.voice_url)
        if self.is_over or self._stream is None:
            return False
        self._replacement = twiml
        self._stream.end("rest_replaced")
        return True

    # --- the carrier's work ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """The whole call. Faults of the gateway go into the record; the call ends with them, as it does in
        life.
        """
        try:
            reason = await self._follow(await self._answered())
        except CarrierFault as fault:
            self.record.faults.append(fault)
            reason = "fault"
        self.record.end_reason = reason
        self._stream = None
        try:
            await self._status("completed")
        except CarrierFault as fault:
            self.record.faults.append(fault)
        finally:
            self._over.set()
            self._started.set()

    async def streaming(self) -> None:
        """Wait until the media stream runs. Raises `CallOver` if there never was one."""
        await self._started.wait()
        self._live()

    async def _answered(self) -> list[Verb]:
        if self.plan.media_url is not None:
            return [ConnectStream(self.plan.media_url, dict(self.plan.extra_fields))]
        return await self._fetch(self.plan.voice_url)

    async def _follow(self, verbs: list[Verb]) -> EndReason:
        while verbs:
            if self._ending is not None:
                return self._ending
            verb, *verbs = verbs
            match verb:
                case ConnectStream():
                    reason = await self._connect(verb)
                    if reason in ("caller_hung_up", "rest_completed", "fault"):
                        return reason
                    verbs = await self._after_stream(verb, verbs)
                case Say(text):
                    self.record.spoken_by_carrier.append(text)
                case Pause(length_s):
                    await asyncio.sleep(length_s / self.plan.pace)
                case Redirect(url):
                    verbs = await self._fetch(url)
                case Hangup() | Reject():
                    return "twiml_ended"
        return "twiml_ended"

    async def _after_stream(self, verb: ConnectStream, following: list[Verb]) -> list[Verb]:
        if self._replacement is not None:
            document, self._replacement = self._replacement, None
            return parse_twiml(document, self.plan.voice_url)
        return await self._fetch(verb.action) if verb.action else following

    async def _fetch(self, url: str) -> list[Verb]:
        self.record.documents += 1
        if self.record.documents > MAX_DOCUMENTS:
            raise TwimlRejected(12100, "the call goes round in circles")
        status = "ringing" if self.record.documents == 1 else "in-progress"
        document = await self._webhooks.document(url, self._fields(status))
        return parse_twiml(document, url)

    async def _connect(self, verb: ConnectStream) -> EndReason:
        if self.record.streams:
            self.record.stream_sid = self._new_sid("MZ")
        async with self._upgraded(verb) as socket:
            self.record.streams += 1
            await self._stream_status(verb, "stream-started")
            return await self._run_stream(socket, verb)

    async def _run_stream(self, socket: ClientConnection, verb: ConnectStream) -> EndReason:
        writer = FrameWriter(self.plan.account_sid, self.plan.call_sid, self.record.stream_sid)
        self._stream = MediaStream(
            socket, writer, self.record, on_frame=self._judge_conditions, pace=self.plan.pace
        )
        if self._ending is not None:
            self._stream.end(self._ending)
        self._started.set()
        reason = await self._stream.run(dict(verb.parameters))
        self._stream = None
        await self._stream_status(verb, "stream-error" if reason == "fault" else "stream-stopped")
        return reason

    @contextlib.asynccontextmanager
    async def _upgraded(self, verb: ConnectStream) -> AsyncIterator[ClientConnection]:
        real = urlsplit(self._route.real_url(verb.url))
        try:
            socket = await connect(
                verb.url.replace("wss:", "ws:", 1) if real.scheme == "http" else verb.url,
                host=real.hostname,
                port=real.port,
                additional_headers={"x-twilio-signature": self._webhooks.signature(verb.url)},
                user_agent_header="TwilioMediaStreams/1.0",
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
            raise UpgradeRefused(
                f"the upgrade was answered {status or type(error).__name__}", status
            ) from error
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
        if self._stream is not None:
            self._stream.end(reason)

    def _live(self) -> MediaStream:
        if self._stream is None:
            raise CallOver(self._reason())
        return self._stream

    def _reason(self) -> str:
        return self.record.end_reason or self._ending or "no stream"

    # --- form fields ----------------------------------------------------------------------------------------

    def _fields(self, status: str) -> dict[str, str]:
        return {
            "AccountSid": self.plan.account_sid,
            "ApiVersion": "2010-04-01",
            "CallSid": self.plan.call_sid,
            "CallStatus": status,
            "Called": self.plan.dialled,
            "Caller": self.plan.caller,
            "Direction": "inbound",
            "From": self.plan.caller,
            "To": self.plan.dialled,
            "CallerName": "",
            **dict(self.plan.extra_fields),
        }

    async def _status(self, status: str) -> None:
        if self.plan.status_url is None:
            return
        fields = self._fields(status) | {
            "CallDuration": str(self.record.now_ms // 1000),
            "SequenceNumber": str(self._status_sequence),
            "Timestamp": format_datetime(datetime.now(UTC)),
        }
        self._status_sequence += 1
        await self._webhooks.notify(self.plan.status_url, fields)

    async def _stream_status(self, verb: ConnectStream, event: str) -> None:
        if verb.status_callback is None:
            return
        fields = {
            "AccountSid": self.plan.account_sid,
            "CallSid": self.plan.call_sid,
            "StreamSid": self.record.stream_sid,
            "StreamName": verb.name or self.record.stream_sid,
            "StreamEvent": event,
            "Timestamp": datetime.now(UTC).isoformat(),
        }
        if event == "stream-error":
            fields["StreamError"] = str(self.record.faults[-1])
        await self._webhooks.notify(verb.status_callback, fields)
