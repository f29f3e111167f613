"""The wire of a custom transcriber, sans I/O: Vapi's start and audio in, what was heard out.

Vapi docs, "Custom transcriber" (read 2026-11): after a `start` in text come binary frames of interleaved
16-bit samples, cut anywhere; channel 0 is the caller, channel 1 the assistant, whose words are known. Other
text makes no difference: some of Vapi's servers send more than is documented.
"""

from dataclasses import dataclass
from typing import Final, Literal

import msgspec
import numpy as np

from gateway.errors import MalformedFrame
from gateway.vapi.wire_json import decoded

SAMPLE_BYTES: Final = 2
LOWEST_HZ: Final = 8_000
HIGHEST_HZ: Final = 48_000
_CHANNELS: Final = (1, 2)


@dataclass(frozen=True, slots=True)
class Start:
    """How the audio will come."""

    rate_hz: int
    channels: int


class _Text(msgspec.Struct, rename="camel"):
    type: str = ""
    encoding: str = ""
    container: str = ""
    sample_rate: float = 0
    channels: int = 0


_texts: Final = msgspec.json.Decoder(_Text)


def read_text(frame: str) -> Start | None:
    """The start that this frame is, None for any other text. Raises `MalformedFrame` for what is no JSON
    object, and for a start of audio that cannot be heard: the message says what is asked for.
    """
    try:
        text = decoded(_texts, frame)
    except (msgspec.DecodeError, RecursionError):
        raise MalformedFrame("a text frame must be a JSON object") from None
    if text.type != "start":
        return None
    rate_hz = int(text.sample_rate)
    if text.encoding != "linear16" or text.container not in ("raw", ""):
        raise MalformedFrame("encoding must be linear16, container raw", reason="start")
    if rate_hz != text.sample_rate or not LOWEST_HZ <= rate_hz <= HIGHEST_HZ:
        raise MalformedFrame(f"sampleRate must be {LOWEST_HZ} to {HIGHEST_HZ}", reason="start")
    if text.channels not in _CHANNELS:
        raise MalformedFrame("channels must be 1 or 2", reason="start")
    return Start(rate_hz, text.channels)


class CallerChannel:
    """Channel 0 of frames that are cut anywhere: what is left of one goes before the next."""

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._rest = b""

    def feed(self, frame: bytes) -> bytes:
        """The caller's samples that this frame completes: signed 16-bit little-endian, mono."""
        audio = self._rest + frame if self._rest else frame
        whole = len(audio) - len(audio) % (SAMPLE_BYTES * self._channels)
        self._rest = audio[whole:]
        if self._channels == 1:
            return audio[:whole]
        return np.frombuffer(audio[:whole], "<i2").reshape(-1, self._channels)[:, 0].tobytes()


def heard(text: str, kind: Literal["partial", "final"]) -> str:
    """The caller's words. A partial stands until the next, a final for good; `text` is not empty."""
    frame = {
        "type": "transcriber-response",
        "transcription": text,
        "channel": "customer",
        "transcriptType": kind,
    }
    return msgspec.json.encode(frame).decode()


def failed(fault: str) -> str:
    """The last frame: nothing more will be heard."""
    return msgspec.json.encode({"type": "error", "error": fault}).decode()
