"""Cartesia as `TextToSpeech`: one warm WebSocket per key, one vendor context per turn, in any voice.

The vendor's SDK is not used on the socket: it never notices a close in mid-turn, drops errors that name no
context, strands the reader on cancel and cannot reconnect (cartesia 4.2.0). It makes the cached phrases
(`fetch_phrase`).

The vendor closes a socket after some minutes without use; that is no fault. Whatever ends a socket, another
one is opened at once, before a turn needs it, but once only until somebody asks for one again: a clinic that
nobody calls keeps none.
"""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Final, Self

import cartesia
import structlog
from cartesia import AsyncCartesia, DefaultAsyncHttpxClient

from pipeline.errors import ProviderDropped, ProviderError, ProviderRefused, ProviderStalled
from pipeline.events import SpeechFinished, TtsEvent
from pipeline.providers.cartesia_link import SpeechLink
from pipeline.providers.cartesia_segment import Segment
from pipeline.providers.cartesia_wire import PHONE_FORMAT, CartesiaConfig, is_speakable
from pipeline.providers.models import refuse_retired
from pipeline.providers.sockets import can_retry_status, http_url, tls_context, websocket_url

__all__ = ["Cartesia", "CartesiaConfig", "CartesiaContext", "CartesiaVoice", "fetch_phrase"]

log: Final = structlog.get_logger(__name__)


class Cartesia:
    """Owns the socket. Raises `ModelRetired`, and ValueError for a URL of another scheme, when it is made."""

    def __init__(self, config: CartesiaConfig) -> None:
        refuse_retired("tts", config.model)
        if websocket_url(config.url, "").startswith("wss:"):
            tls_context()
        self._config = config
        self._link: SpeechLink | None = None
        self._opening: asyncio.Task[SpeechLink] | None = None
        self._links: set[SpeechLink] = set()
        self._is_wanted = False
        self._is_closed = False

    def context(self) -> "CartesiaContext":
        """One turn's speech, to be entered with `async with`."""
        return CartesiaContext(self, self._config)

    def voiced(self, config: CartesiaConfig) -> "CartesiaVoice":
        """Another voice, model or language over the same socket: each context names its own.

        Raises `ModelRetired`, and ValueError if the socket is another key's or server's.
        """
        if (config.url, config.api_key) != (self._config.url, self._config.api_key):
            raise ValueError("the socket is another key's or another server's")
        return CartesiaVoice(self, config)

    async def warm_up(self) -> None:
        """See `TextToSpeech`. Costs nothing while the socket is open."""
        try:
            await self.link()
        except ProviderError as failure:
            log.info("tts_not_warm", fault=failure.fault)

    async def link(self) -> SpeechLink:
        """The open socket, or a fresh one; those who ask at the same time share one attempt."""
        self._is_wanted = True
        if self._link is not None and self._link.takes_contexts:
            return self._link
        if self._is_closed:
            raise ProviderDropped("tts", "client_closed", retryable=False)
        return await asyncio.shield(self._opened())

    async def aclose(self) -> None:
        """Closes the socket, within `open_s` and `close_s`; contexts still open fail."""
        self._is_closed = True
        if self._opening is not None:
            await asyncio.wait({self._opening})
        await asyncio.gather(*(link.close() for link in self._links))

    def _opened(self) -> "asyncio.Task[SpeechLink]":
        if self._opening is None:
            self._opening = asyncio.create_task(self._open(), name="cartesia-open")
            self._opening.add_done_callback(_look_at_outcome)
        return self._opening

    def _ended(self, link: SpeechLink) -> None:
        self._links.discard(link)
        if link is self._link and self._is_wanted and not self._is_closed:
            self._is_wanted = False
            self._opened()

    async def _open(self) -> SpeechLink:
        try:
            link = await SpeechLink.open(self._config)
        finally:
            self._opening = None
        self._links.add(link)
        link.on_end(lambda: self._ended(link))
        self._link = link
        return link


class CartesiaVoice:
    """One voice over a socket that others share; it owns nothing. Made by `Cartesia.voiced`."""

    def __init__(self, client: Cartesia, config: CartesiaConfig) -> None:
        refuse_retired("tts", config.model)
        self._client = client
        self._config = config

    def context(self) -> "CartesiaContext":
        """One turn's speech, to be entered with `async with`."""
        return CartesiaContext(self._client, self._config)

    async def warm_up(self) -> None:
        """See `TextToSpeech`. Warms the socket for all its voices."""
        await self._client.warm_up()


class CartesiaContext:
    """One turn's speech: one vendor context, or several in a row where the text paused for so long that the
    vendor had to be expected to forget the first.
    """

    def __init__(self, client: Cartesia, config: CartesiaConfig) -> None:
        self._client = client
        self._config = config
        self._segments: list[Segment] = []
        self._held = ""  # text with nothing to pronounce in it yet
        self._is_finished = False
        self._is_cancelled = False
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._client.link()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for segment in self._segments:
            segment.doubt(_now_s())
        unfinished = [segment for segment in self._segments if not segment.is_over or self._is_cancelled]
        self.cancel()
        for segment in unfinished:
            await segment.cancel_at_vendor()

    async def push(self, text: str) -> None:
        """See `TtsContext`. Raises `ProviderError` if the vendor cannot be reached."""
        if self._is_cancelled or (self._segments and self._segments[-1].has_failed):
            return  # `events` tells of the failure
        self._held += text
        if not self._has_live_segment() and not is_speakable(self._held):
            return
        segment = await self._segment_for_text()
        if segment is not None:
            text, self._held = self._held, ""
            await segment.say(text)

    async def finish(self) -> None:
        """See `TtsContext`."""
        self._is_finished = True
        self._changed.set()
        last = self._segments[-1] if self._segments else None
        if last is None or last.is_over or self._is_cancelled:
            return
        await (last.retire() if last.has_gone_quiet(_now_s()) else last.no_more_text())

    async def events(self) -> AsyncIterator[TtsEvent]:
        """See `TtsContext`. For one reader; a cancelled context ends without `SpeechFinished`."""
        index = 0
        while await self._has_segment(index):
            while (event := await self._segments[index].next()) is not None:
                yield event
            index += 1
        if not self._is_cancelled:
            yield SpeechFinished()

    def cancel(self) -> None:
        """See `TtsContext`. The vendor is told when the context is left."""
        self._is_cancelled = True
        self._changed.set()
        for segment in self._segments:
            segment.drop()

    def _has_live_segment(self) -> bool:
        return bool(self._segments) and not self._segments[-1].is_over

    async def _segment_for_text(self) -> Segment | None:
        """None if the context was cancelled meanwhile."""
        last = self._segments[-1] if self._segments else None
        if last is not None and not last.is_over and not last.has_gone_quiet(_now_s()):
            return last
        if last is not None:
            await last.retire()
        link = await self._client.link()
        if self._is_cancelled:
            return None
        begins_at_s = last.begins_at_s + last.audio_s if last is not None else 0.0
        segment = Segment(self._config, link, begins_at_s)
        self._segments.append(segment)
        self._changed.set()
        return segment

    async def _has_segment(self, index: int) -> bool:
        """Waits for the segment to be opened; False if none will be."""
        while not self._is_cancelled and index >= len(self._segments):
            if self._is_finished:
                return False
            self._changed.clear()
            await self._changed.wait()
        return not self._is_cancelled


async def fetch_phrase(config: CartesiaConfig, text: str) -> bytes:
    """A whole phrase as mu-law, 8 kHz, from `POST /tts/bytes`: for greetings and stock phrases, made once and
    kept.

    Raises `ModelRetired`, or `ProviderError` when the vendor refuses or cannot be reached; retries nothing.
    """
    refuse_retired("tts", config.model)
    base = http_url(config.url)
    transport = DefaultAsyncHttpxClient(verify=tls_context())
    async with AsyncCartesia(
        api_key=config.api_key, base_url=base, timeout=config.phrase_s, max_retries=0, http_client=transport
    ) as client:
        try:
            response = await client.tts.generate(
                model_id=config.model,
                transcript=text,
                voice=config.voice,
                language=config.language,
                output_format=PHONE_FORMAT,
            )
            return await response.read()
        except cartesia.APIStatusError as answer:
            status = answer.status_code
            raise ProviderRefused("tts", f"http_{status}", retryable=can_retry_status(status)) from None
        except cartesia.APITimeoutError:
            raise ProviderStalled("tts", "phrase_timeout", retryable=True) from None
        except cartesia.APIConnectionError:
            raise ProviderDropped("tts", "unreachable", retryable=True) from None


def _look_at_outcome(opening: asyncio.Task[SpeechLink]) -> None:
    """Those who waited have been told; if all have left, the failure is nobody's."""
    if not opening.cancelled():
        opening.exception()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
