"""One vendor context: the text of a turn up to a pause, and its audio on the way back."""

import asyncio
from contextlib import suppress
from enum import Enum
from uuid import uuid4

from pipeline.errors import ProviderError, ProviderStalled
from pipeline.events import AudioChunk, SpokenWords
from pipeline.providers.cartesia_link import SpeechLink
from pipeline.providers.cartesia_wire import (
    BYTES_PER_S,
    CartesiaConfig,
    Chunk,
    Done,
    SpeechMessage,
    Timestamps,
    cancel_request,
    text_request,
)


class _Signal(Enum):
    LOOK_AGAIN = "the deadline has changed"
    OVER = "no audio follows"


class Segment:
    """Text goes out through `say`, events come back through `next`; instants are the loop's seconds.

    A segment is over at the vendor's `done`, at an error, or when it is dropped.
    """

    def __init__(self, config: CartesiaConfig, link: SpeechLink, begins_at_s: float) -> None:
        self.id = uuid4().hex
        self.begins_at_s = begins_at_s  # its first audio, in seconds of the turn's audio
        self.audio_s = 0.0
        self.is_over = False
        self.has_failed = False
        self._config = config
        self._link = link
        self._items: asyncio.Queue[AudioChunk | SpokenWords | ProviderError | _Signal] = asyncio.Queue()
        self._asked_s: float | None = None
        self._heard_s: float | None = None
        self._retired_s: float | None = None
        self._is_closed = False
        link.register(self.id, self)

    def has_gone_quiet(self, now_s: float) -> bool:
        """All its text has sounded, as far as can be told, and the vendor may be about to forget it."""
        spoken = self._asked_s is not None and self._heard_s is not None and self._heard_s > self._asked_s
        return spoken and now_s - (self._heard_s or 0.0) > self._config.renew_after_s

    def doubt(self, now_s: float) -> None:
        """If it has waited for its first audio while nothing at all came over the socket, others need not."""
        if self._asked_s is None or self._heard_s is not None:
            return
        if now_s - self._asked_s > self._config.alive_s and self._link.heard_s < self._asked_s:
            self._link.distrust()

    async def say(self, text: str) -> None:
        """Raises `ProviderDropped` if the socket is gone."""
        self._asked_s = _now_s()
        await self._link.send(text_request(self._config, self.id, text, more=True))
        self._items.put_nowait(_Signal.LOOK_AGAIN)

    async def no_more_text(self) -> None:
        """Raises `ProviderDropped` if the socket is gone."""
        if self._is_closed or self.is_over:
            return
        self._is_closed = True
        self._asked_s = _now_s()
        await self._link.send(text_request(self._config, self.id, "", more=False))
        self._items.put_nowait(_Signal.LOOK_AGAIN)

    async def retire(self) -> None:
        """Nothing more is expected of it, and the vendor may have forgotten it: errors are no faults any
        more, and what it still owes after all is waited for briefly.
        """
        self._retired_s = _now_s()
        try:
            await self.no_more_text()
        except ProviderError:
            self._end()

    def drop(self) -> None:
        """Nothing of it is delivered from now on."""
        while not self._items.empty():
            self._items.get_nowait()
        self._end()

    async def cancel_at_vendor(self) -> None:
        """Best effort: text that has not begun is not spoken, and not paid for."""
        with suppress(ProviderError):
            await self._link.send(cancel_request(self.id))

    async def next(self) -> AudioChunk | SpokenWords | None:
        """The next event in order, None once it is over. Raises `ProviderError` on a fault or a stall."""
        while True:
            try:
                async with asyncio.timeout_at(self._deadline_s()):
                    item = await self._items.get()
            except TimeoutError:
                if self._retired_s is None:
                    fault = "audio_stalled" if self.audio_s else "no_first_audio"
                    self.fail(ProviderStalled("tts", fault, retryable=True))
                else:
                    self._end()
                continue
            match item:
                case _Signal.LOOK_AGAIN:
                    continue
                case _Signal.OVER:
                    self._items.put_nowait(item)
                    return None
                case ProviderError():
                    if self._retired_s is None:
                        raise item
                case _:
                    return item

    def receive(self, message: SpeechMessage) -> None:
        self._heard_s = _now_s()
        match message:
            case Chunk(data=data) if data:
                self.audio_s += len(data) / BYTES_PER_S
                self._put(AudioChunk(data))
            case Timestamps(word_timestamps=times) if times is not None:
                self._put(self._spoken(times.words, times.start, times.end))
            case Done():
                self._end()
            case _:
                pass

    def fail(self, error: ProviderError) -> None:
        self.has_failed = True
        self._items.put_nowait(error)
        self._end()

    def _spoken(self, words: list[str], starts: list[float], ends: list[float]) -> SpokenWords:
        shift = self.begins_at_s
        return SpokenWords(
            tuple(words), tuple(start + shift for start in starts), tuple(end + shift for end in ends)
        )

    def _put(self, event: AudioChunk | SpokenWords) -> None:
        if self._items.qsize() < self._config.max_queued_events:
            self._items.put_nowait(event)
        elif not self.is_over:
            self.fail(ProviderStalled("tts", "audio_unread", retryable=False))

    def _end(self) -> None:
        self.is_over = True
        self._link.forget(self.id)
        self._items.put_nowait(_Signal.OVER)

    def _deadline_s(self) -> float | None:
        """None while the vendor owes nothing: text is due to sound, or not all audio has come after the last
        text.
        """
        if self._retired_s is not None:
            return max(self._retired_s, self._heard_s or 0.0) + self._config.retire_s
        if self.is_over or self._asked_s is None:
            return None
        if self._heard_s is None:
            return self._asked_s + self._config.first_audio_s
        owes = self._is_closed or self._asked_s >= self._heard_s
        return max(self._asked_s, self._heard_s) + self._config.idle_s if owes else None


def _now_s() -> float:
    return asyncio.get_running_loop().time()
