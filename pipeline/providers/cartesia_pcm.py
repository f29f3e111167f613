"""Cartesia for whoever plays the audio elsewhere: a whole text as PCM at a rate of their choice.

The text is known whole, so it is one vendor context that nothing is added to; contexts of several texts share
the key's socket. What fails before the first audio, and may work if it is asked for again, is asked for once
more, on a fresh socket if the old one is gone.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Final
from uuid import uuid4

from pipeline.errors import ProviderError, ProviderStalled
from pipeline.providers.cartesia import Cartesia
from pipeline.providers.cartesia_link import SpeechLink
from pipeline.providers.cartesia_wire import (
    CartesiaConfig,
    Chunk,
    Done,
    PcmRate,
    SpeechMessage,
    cancel_request,
    is_speakable,
    pcm_format,
    text_request,
)

SAMPLE_BYTES: Final = 2


class PcmVoice:
    """One voice over a socket that others share; it owns nothing."""

    def __init__(self, client: Cartesia, config: CartesiaConfig) -> None:
        self._client = client
        self._config = config

    async def speak(self, text: str, rate_hz: PcmRate) -> AsyncGenerator[bytes, None]:
        """Signed 16-bit little-endian mono at `rate_hz`, whole samples in each piece, as it is made; nothing
        for a text without anything to pronounce.

        Closing it early ends the speech at the vendor too. Raises `ProviderError`.
        """
        if not is_speakable(text):
            return
        for may_retry in (True, False):
            begun = False
            try:
                async with aclosing(self._once(text, rate_hz)) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece
                return
            except ProviderError as failure:
                if begun or not (may_retry and failure.retryable):
                    raise

    async def _once(self, text: str, rate_hz: PcmRate) -> AsyncGenerator[bytes, None]:
        link = await self._client.link()
        said = _Said(self._config, link)
        link.register(said.id, said)
        try:
            await said.ask(text, rate_hz)
            while (piece := await said.next()) is not None:
                yield piece
        finally:
            link.forget(said.id)
            if not said.is_over:
                await said.cancel_at_vendor()


class _Said:
    """One text and its audio on the way back; a `Receiver` of its socket."""

    def __init__(self, config: CartesiaConfig, link: SpeechLink) -> None:
        self.id = uuid4().hex
        self.is_over = False
        self._config = config
        self._link = link
        self._pieces: asyncio.Queue[bytes | ProviderError | None] = asyncio.Queue()
        self._odd = b""
        self._begun = False

    async def ask(self, text: str, rate_hz: PcmRate) -> None:
        """Raises `ProviderDropped` if the socket is gone."""
        output = pcm_format(rate_hz)
        await self._link.send(
            text_request(self._config, self.id, text, more=False, output=output, timestamps=False)
        )

    async def next(self) -> bytes | None:
        """The next audio, None behind the last. Raises `ProviderError`."""
        try:
            async with asyncio.timeout(self._config.idle_s if self._begun else self._config.first_audio_s):
                piece = await self._pieces.get()
        except TimeoutError:
            if not self._begun:
                self._link.distrust()
            fault = "audio_stalled" if self._begun else "no_first_audio"
            raise ProviderStalled("tts", fault, retryable=True) from None
        if isinstance(piece, ProviderError):
            raise piece
        self._begun = True
        return piece

    def receive(self, message: SpeechMessage) -> None:
        match message:
            case Chunk(data=data):
                self._add(self._odd + data)
            case Done():
                self._end(None)
            case _:
                pass

    def fail(self, error: ProviderError) -> None:
        self._end(error)

    async def cancel_at_vendor(self) -> None:
        """Best effort."""
        with suppress(ProviderError):
            await self._link.send(cancel_request(self.id))

    def _add(self, audio: bytes) -> None:
        whole = len(audio) - len(audio) % SAMPLE_BYTES
        self._odd = audio[whole:]
        waiting, most = self._pieces.qsize(), self._config.max_queued_events
        if whole and waiting < most:
            self._pieces.put_nowait(audio[:whole])
        elif waiting == most:
            self._pieces.put_nowait(ProviderStalled("tts", "audio_unread", retryable=False))

    def _end(self, how: ProviderError | None) -> None:
        if not self.is_over:
            self.is_over = True
            self._pieces.put_nowait(how)
