"""One open socket to Deepgram: which dialect it speaks and how audio gets onto it.

Audio is written from the `TurnAudio` by position, so live frames and a replay share one path and cannot
overtake each other. Writing never waits: with room in the socket's buffer `send` does not suspend, and a
buffer that has not drained for seconds is a dead link, which is cut so that the session opens another.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, Protocol, Self
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from pipeline.events import SttEvent
from pipeline.providers import deepgram_v1, deepgram_v2
from pipeline.providers.audio_format import AudioFormat
from pipeline.providers.deepgram_config import DeepgramConfig
from pipeline.providers.sockets import open_socket, websocket_url
from pipeline.providers.turn_audio import TurnAudio

_CLOSE_STREAM: Final = '{"type":"CloseStream"}'
_STUCK_S: Final = 8.0


class Turns(Protocol):
    """What both dialects make of their messages; times are seconds of the current socket's audio."""

    open: bool
    covered_s: float
    heard_s: float

    def receive(self, data: bytes) -> list[SttEvent] | None: ...
    def listened(self, until_s: float, *, loud: bool, eager_silence_s: float) -> list[SttEvent]: ...

    def force(self) -> None: ...
    def give_up(self, trigger: Literal["timeout", "forced"]) -> list[SttEvent]: ...
    def socket_lost(self, *, front_lost: bool) -> list[SttEvent]: ...
    def socket_opened(self, replayed_s: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Dialect:
    path: str
    query: Callable[[DeepgramConfig], list[tuple[str, str]]]
    turns: Callable[[], Turns]
    force: str
    keep_alive: str | None


NOVA: Final = Dialect(
    "/v1/listen", deepgram_v1.query, deepgram_v1.NovaTurns, deepgram_v1.FORCE, deepgram_v1.KEEP_ALIVE
)
FLUX: Final = Dialect("/v2/listen", deepgram_v2.query, deepgram_v2.FluxTurns, deepgram_v2.FORCE, None)


def dialect_of(model: str) -> Dialect:
    """A Flux model on /v1/listen is refused with 400, and the other way round."""
    return FLUX if model.startswith("flux") else NOVA


class Link:
    """An open socket, and up to where the session's audio has been written to it."""

    def __init__(
        self, socket: ClientConnection, origin: int, audio: AudioFormat, chunk_bytes: int, close_s: float
    ) -> None:
        self.socket = socket
        self.origin = origin  # the position that is second 0 on this socket
        self.sent = origin
        self._format = audio
        self._stuck_bytes = audio.size(_STUCK_S)
        self._chunk_bytes = chunk_bytes
        self._close_s = close_s
        self._is_shipping = False

    @classmethod
    async def open(cls, config: DeepgramConfig, dialect: Dialect, origin: Callable[[], int]) -> Self:
        """Raises `ProviderError`. `origin` is asked once the socket is open."""
        url = f"{websocket_url(config.url, dialect.path)}?{urlencode(dialect.query(config))}"
        headers = {"Authorization": f"Token {config.api_key}"}
        socket = await open_socket("stt", url, headers, open_s=config.open_s, close_s=config.close_s)
        audio = config.audio
        return cls(socket, origin(), audio, audio.size(config.chunk_ms / 1000), config.close_s)

    def position(self, seconds: float) -> int:
        """A time of this socket as a position of the session, never beyond what has been sent."""
        return min(self.origin + self._format.size(seconds), self.sent)

    async def ship(self, audio: TurnAudio, *, to_the_end: bool = False) -> None:
        """Write what has not been written yet, in whole chunks; `to_the_end` adds the begun one."""
        if self._is_shipping:
            return
        self._is_shipping = True
        try:
            least = 1 if to_the_end else self._chunk_bytes
            while audio.end - self.sent >= least and self._is_writable(audio):
                chunk = audio.read(self.sent, self._chunk_bytes)
                self.sent += len(chunk)
                await self.socket.send(chunk)
        except ConnectionClosed:
            pass  # the reader sees it too, and knows what to do
        finally:
            self._is_shipping = False

    async def say(self, message: str) -> None:
        """Send a control message; it must be text, a binary one is taken for audio."""
        if self.socket.state is State.OPEN:
            with suppress(ConnectionClosed):
                await self.socket.send(message)

    async def close(self) -> None:
        """Take leave and close, within `close_s`; whatever happens, the socket is gone afterwards."""
        try:
            async with asyncio.timeout(self._close_s):
                await self.say(_CLOSE_STREAM)
                await self.socket.close()
        except TimeoutError:
            pass
        finally:
            self.abort()

    def abort(self) -> None:
        self.socket.transport.abort()

    def _is_writable(self, audio: TurnAudio) -> bool:
        stuck = self.socket.transport.get_write_buffer_size() > self._stuck_bytes or audio.start > self.sent
        if stuck:
            self.abort()
        return not stuck and self.socket.state is State.OPEN
