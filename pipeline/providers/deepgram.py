"""Deepgram as `SpeechToText`: /v1/listen (Nova) and /v2/listen (Flux) behind the same turn events.

A session outlives its sockets. The audio of the open turn is kept (some seconds of it), and when a socket
drops, or stays open and says nothing, a new one hears it again: the turn is announced once and ended once.
Deepgram processes at most about 1.25 times real time (docs, read 2026-11), so what is too old is not
replayed; the words already known of it are kept instead.

Audio goes in messages of `chunk_ms`, by default the carrier's frames of 20 ms as they come. For Flux the
vendor strongly advises 80 ms (docs, read 2026-11): that is 12 messages a second instead of 50, but a server
that works in smaller steps hears the end of a word up to 60 ms late, on the eager end and on the end alike.

The vendor's SDK is not used here: it exposes no timeouts, close codes or compression switch, has no
reconnect, blocks the loop at first use, and costs ten times the CPU per message.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Final, Self

import structlog
from websockets.exceptions import ConnectionClosed

from pipeline.errors import ProviderDropped, ProviderError, ProviderRefused, ProviderStalled
from pipeline.events import InterimTranscript, SttEvent
from pipeline.providers.deepgram_config import DeepgramConfig
from pipeline.providers.deepgram_keyterms import configure, fitting, is_refusal
from pipeline.providers.deepgram_link import Link, dialect_of
from pipeline.providers.deepgram_watch import Chore, Watch
from pipeline.providers.models import refuse_retired
from pipeline.providers.sockets import tls_context, websocket_url
from pipeline.providers.turn_audio import TurnAudio

__all__ = ["Deepgram", "DeepgramConfig", "DeepgramSession"]

log: Final = structlog.get_logger(__name__)

_SILENCE_S: Final = 0.1
_SETTLED_AFTER_S: Final = 10.0
_WRONG_DATA: Final = 1008


class Deepgram:
    """Makes sessions. Raises `ModelRetired`, and ValueError for a URL of another scheme, when it is made."""

    def __init__(self, config: DeepgramConfig) -> None:
        refuse_retired("stt", config.model)
        if websocket_url(config.url, "").startswith("wss:"):
            tls_context()
        self._config = config

    def session(self) -> "DeepgramSession":
        """One call's recogniser, to be entered with `async with`."""
        return DeepgramSession(self._config)


class _EventQueue:
    """Events on their way to the call. Full means that nobody reads: previews go, anything else ends the
    session.
    """

    def __init__(self, limit: int) -> None:
        self._items: asyncio.Queue[SttEvent | ProviderError | None] = asyncio.Queue()
        self._limit = limit

    def put(self, event: SttEvent) -> None:
        if self._items.qsize() < self._limit:
            self._items.put_nowait(event)
        elif not isinstance(event, InterimTranscript):
            raise ProviderStalled("stt", "events_unread", retryable=False)

    def end(self, failure: ProviderError | None = None) -> None:
        self._items.put_nowait(failure)

    async def drain(self) -> AsyncIterator[SttEvent]:
        while not isinstance(item := await self._items.get(), ProviderError | None):
            yield item
        self.end(item)
        if item is not None:
            raise item


class DeepgramSession:
    """One call's recogniser. Entering opens the socket, leaving closes it; both may happen in different
    tasks.
    """

    def __init__(self, config: DeepgramConfig) -> None:
        self._config = config
        self._format = config.audio
        self._silence = config.audio.silence(_SILENCE_S)
        self._dialect = dialect_of(config.model)
        self._turns = self._dialect.turns()
        self._audio = TurnAudio()
        self._events = _EventQueue(config.max_queued_events)
        self._link: Link | None = None
        self._configure: str | None = None  # what every socket is told first
        self._forced_at = 0
        self._failures = 0  # sockets in a row that failed to open or never said a word
        self._mutes = 0  # sockets in a row that went mute
        self._watch = self._new_watch()
        self._task: asyncio.Task[None] | None = None
        self._alarm: asyncio.Timeout | None = None  # ends the wait for the vendor's next message
        self.reconnects = 0

    async def __aenter__(self) -> Self:
        link = await self._connect(self._config.open_attempts)
        self._task = asyncio.create_task(self._run(link), name="deepgram-session")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is None:
            return
        self._task.cancel()
        try:
            await asyncio.wait({self._task})
        finally:
            if self._link is not None:
                self._link.abort()
            self._events.end()
        if not self._task.cancelled():
            self._task.result()

    async def send_audio(self, audio: bytes) -> None:
        """See `SttSession`. While no socket is open the newest seconds are kept for the next."""
        if not audio:
            return  # an empty message would end the stream
        loud = self._format.is_loud(audio)
        self._watch.audio_came(_now_s(), self._format.seconds(len(audio)), loud=loud)
        await self._take(audio)
        self._listen(loud=loud)

    def events(self) -> AsyncIterator[SttEvent]:
        """See `SttSession`. For one reader."""
        return self._events.drain()

    async def force_end_of_turn(self) -> None:
        """See `SttSession`. If the vendor does not answer within `force_wait_s`, the words known are the
        turn.
        """
        if not self._turns.open:
            return
        self._forced_at = self._audio.end
        if self._link is None:
            self._give_up_forced()
            return
        self._turns.force()
        self._watch.forced(_now_s())
        if self._alarm is not None and not self._alarm.expired():
            self._alarm.reschedule(self._due_s())
        await self._link.ship(self._audio, to_the_end=True)
        await self._link.say(self._dialect.force)

    async def set_keyterms(self, terms: Sequence[str]) -> None:
        """See `TakesKeyterms`. Nova-2 and older take none in mid-stream."""
        self._configure = configure(self._config.model, fitting(terms))
        if self._configure is not None and self._link is not None:
            await self._link.say(self._configure)

    async def _run(self, link: Link) -> None:
        try:
            while True:
                fault = await self._serve(link)
                link = await self._replace_link(fault)
        except ProviderError as failure:
            log.warning("stt_session_lost", fault=failure.fault)
            self._events.end(failure)
        except Exception:
            self._events.end(ProviderDropped("stt", "adapter_failed", retryable=False))
            raise
        finally:
            if self._link is not None:
                await self._link.close()

    async def _serve(self, link: Link) -> str:
        """Read and keep the socket going until it is of no more use; says why."""
        while True:
            try:
                data = await self._next_message(link)
            except ConnectionClosed as closed:
                return _fault_of(closed)
            if data is not None:
                self._receive(link, data)
            elif fault := await self._do_chore(link):
                return fault

    async def _next_message(self, link: Link) -> bytes | None:
        """None if something else is due first."""
        try:
            async with asyncio.timeout_at(self._due_s()) as self._alarm:
                return await link.socket.recv(decode=False)
        except TimeoutError:
            return None
        finally:
            self._alarm = None

    def _due_s(self) -> float:
        return self._watch.due_s(turn_open=self._turns.open)

    def _receive(self, link: Link, data: bytes) -> None:
        events = self._turns.receive(data)
        if events is None:
            if is_refusal(data):
                log.warning("stt_keyterms_refused", model=self._config.model)
            return
        now_s = _now_s()
        self._watch.heard(now_s)
        self._failures = self._mutes = 0
        self._audio.forget(link.position(self._turns.covered_s))
        self._publish(events)

    def _listen(self, *, loud: bool) -> None:
        if self._link is None:
            return
        until_s = self._format.seconds(self._audio.end - self._link.origin)
        for event in self._turns.listened(until_s, loud=loud, eager_silence_s=self._config.eager_silence_s):
            self._events.put(event)

    def _publish(self, events: list[SttEvent]) -> None:
        for event in events:
            self._events.put(event)
        if not self._turns.open:
            self._watch.turn_ended()

    async def _do_chore(self, link: Link) -> str | None:
        match self._watch.check(_now_s(), turn_open=self._turns.open):
            case Chore.FEED_SILENCE:
                await self._take(self._silence)
            case Chore.KEEP_ALIVE if self._dialect.keep_alive:
                await link.say(self._dialect.keep_alive)
            case Chore.FORCE_LAPSED:
                self._give_up_forced()
                return "force_unanswered"
            case Chore.MUTE:
                return self._gone_mute()
            case _:
                pass
        return None

    def _gone_mute(self) -> str:
        """A second socket in a row that says nothing of the turn: it ends with the words known."""
        self._mutes += 1
        if self._mutes > 1:
            self._publish(self._turns.give_up("timeout"))
            self._audio.forget(self._audio.end)
        return "mute"

    def _give_up_forced(self) -> None:
        self._publish(self._turns.give_up("forced"))
        self._audio.forget(self._forced_at)

    async def _replace_link(self, fault: str) -> Link:
        self._drop_link()
        link = await self._connect(self._config.attempts)
        self.reconnects += 1
        replayed_ms = round(1000 * self._format.seconds(self._audio.end - link.origin))
        log.warning("stt_reconnected", fault=fault, replayed_ms=replayed_ms)
        return link

    def _drop_link(self) -> None:
        link, self._link = self._link, None
        if link is None:
            return
        link.abort()
        if _now_s() - self._watch.opened_s > _SETTLED_AFTER_S:
            self._failures = 0
        front_lost = self._audio.front_lost
        resume_s = self._turns.heard_s if front_lost else self._turns.covered_s
        self._audio.forget(link.position(resume_s))
        forced = self._watch.is_forcing
        self._publish(self._turns.socket_lost(front_lost=front_lost))
        if forced:
            self._give_up_forced()

    async def _connect(self, attempts: int) -> Link:
        """Open a socket and let it hear the audio kept. Raises the last refusal, or `ProviderDropped`."""
        refusal: ProviderError = ProviderDropped("stt", "keeps_dropping", retryable=True)
        while self._failures < attempts:
            if self._failures:
                await asyncio.sleep(self._backoff_s())
            self._failures += 1
            try:
                link = await Link.open(self._config, self._dialect, lambda: self._audio.start)
            except ProviderError as error:
                if not error.retryable:
                    raise
                refusal = error
            else:
                return await self._adopt(link)
        raise refusal

    async def _adopt(self, link: Link) -> Link:
        self._link = link
        self._watch = self._new_watch()
        self._turns.socket_opened(self._format.seconds(self._audio.end - link.origin))
        try:
            if self._configure is not None:  # not in the address: refused there, it would cost the socket
                await link.say(self._configure)
            await link.ship(self._audio)
        except asyncio.CancelledError:
            link.abort()
            raise
        return link

    def _backoff_s(self) -> float:
        full_s = min(self._config.backoff_s * 2.0 ** (self._failures - 1), self._config.backoff_max_s)
        return full_s * random.uniform(0.5, 1.0)  # noqa: S311 - keeps calls from reconnecting in step

    def _new_watch(self) -> Watch:
        patience = 2.0 ** max(self._mutes - 1, 0)
        keeps_alive = self._dialect.keep_alive is not None
        return Watch(self._config, _SILENCE_S, keeps_alive, opened_s=_now_s(), patience=patience)

    async def _take(self, audio: bytes) -> None:
        """Send audio if a socket is open, and keep what a replay would need."""
        self._audio.append(audio)
        if self._link is not None:
            await self._link.ship(self._audio)
        if self._link is not None and not self._turns.open:
            kept = self._audio.end - self._format.size(self._config.preroll_s)
            self._audio.forget(min(kept, self._link.sent))
        self._audio.trim(self._format.size(self._config.replay_max_s))


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _fault_of(closed: ConnectionClosed) -> str:
    """Raises `ProviderRefused` where another socket would fare no better."""
    code = closed.rcvd.code if closed.rcvd else 1006
    if code == _WRONG_DATA:
        raise ProviderRefused("stt", "closed_1008", retryable=False) from None
    return f"closed_{code}"
