"""Cartesia's WebSocket messages, both ways. Pure.

Source: Cartesia docs, TTS WebSocket and contexts, API version 2026-08-14, read 2026-11. Audio arrives as
base64 in JSON; msgspec decodes it straight into bytes, the cheapest way found.
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from pipeline.errors import ProviderRefused
from pipeline.providers.sockets import can_retry_status

if TYPE_CHECKING:  # the package takes long to import, and commands that never speak read these settings too
    from cartesia.types import RawOutputFormatParam, SupportedLanguage

API_VERSION: Final = "2026-08-14"
BYTES_PER_S: Final = 8000
PHONE_FORMAT: "Final[RawOutputFormatParam]" = {
    "container": "raw",
    "encoding": "pcm_mulaw",
    "sample_rate": 8000,
}
PcmRate = Literal[8000, 16000, 22050, 24000, 44100, 48000]
"""Samples a second that the vendor makes."""
_CODE: Final = re.compile(r"[a-z0-9_]{1,40}")


@dataclass(frozen=True, slots=True)
class CartesiaConfig:
    """`url`: http, https, ws or wss, without the path. Times in seconds."""

    api_key: str = field(repr=False)
    voice: str
    url: str = "https://api.cartesia.ai"
    model: str = "sonic-3"
    language: "SupportedLanguage" = "en"

    open_s: float = 3.0
    close_s: float = 1.0
    alive_s: float = 1.0  # a socket that answers neither text nor ping for so long is dead
    first_audio_s: float = 3.0  # from the first text to the first audio
    idle_s: float = 3.0  # between audio while text is unspoken
    renew_after_s: float = 0.7  # a vendor context dies 1 s after its last audio: later text takes a new one
    retire_s: float = 0.5  # how long more audio of the old one is waited for then
    phrase_s: float = 15.0  # for a whole phrase over HTTP
    max_queued_events: int = 2000


class Chunk(msgspec.Struct, tag="chunk"):
    context_id: str
    data: bytes = b""


class WordTimes(msgspec.Struct):
    words: list[str] = []
    start: list[float] = []
    end: list[float] = []


class Timestamps(msgspec.Struct, tag="timestamps"):
    context_id: str
    word_timestamps: WordTimes | None = None


class Done(msgspec.Struct, tag="done"):
    context_id: str


class Failure(msgspec.Struct, tag="error"):
    context_id: str | None = None
    status_code: int | None = None
    error_code: str | None = None


class Malformed(msgspec.Struct):
    """A message of a known type that does not parse: a hole in its context's audio."""

    context_id: str


class _Envelope(msgspec.Struct):
    type: str
    context_id: str | None = None


SpeechMessage = Chunk | Timestamps | Done | Failure | Malformed
_decoder: Final[msgspec.json.Decoder[Chunk | Timestamps | Done | Failure]] = msgspec.json.Decoder(
    Chunk | Timestamps | Done | Failure
)
_envelopes: Final = msgspec.json.Decoder(_Envelope)


def decode(data: bytes) -> SpeechMessage | None:
    """None for what is not needed (flush_done, types to come) and for garbage that names no context."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _malformed(data)


def _malformed(data: bytes) -> Malformed | None:
    try:
        envelope = _envelopes.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    known = envelope.type in ("chunk", "done", "error")
    return Malformed(envelope.context_id) if known and envelope.context_id else None


def pcm_format(rate_hz: PcmRate) -> "RawOutputFormatParam":
    """Signed 16-bit little-endian samples, mono."""
    return {"container": "raw", "encoding": "pcm_s16le", "sample_rate": rate_hz}


def text_request(
    config: CartesiaConfig,
    context_id: str,
    text: str,
    *,
    more: bool,
    output: "RawOutputFormatParam" = PHONE_FORMAT,
    timestamps: bool = True,
) -> str:
    """Append `text` to a context. Every other field must stay the same on one context, so it is sent each
    time.

    Clauses are cut on our side, hence no server-side buffering (its default of 3 s would be added to every
    turn).
    """
    request = {
        "model_id": config.model,
        "transcript": text,
        "voice": {"mode": "id", "id": config.voice},
        "language": config.language,
        "context_id": context_id,
        "continue": more,
        "max_buffer_delay_ms": 0,
        "output_format": output,
        "add_timestamps": timestamps,
    }
    return msgspec.json.encode(request).decode()


def cancel_request(context_id: str) -> str:
    """Stop what has not begun; what is being made keeps coming and must be dropped here."""
    return msgspec.json.encode({"context_id": context_id, "cancel": True}).decode()


def is_speakable(text: str) -> bool:
    """Whether there is anything to pronounce: the first text of a context must have something."""
    return any(letter.isalnum() for letter in text)


def refusal(failure: Failure) -> ProviderRefused:
    """The vendor's error as ours, named by its machine-readable code or else by its status."""
    status = failure.status_code or 500
    code = failure.error_code or ""
    fault = code if _CODE.fullmatch(code) else f"status_{status}"
    return ProviderRefused("tts", fault, retryable=can_retry_status(status))
