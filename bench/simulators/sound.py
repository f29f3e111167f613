"""What a simulated voice makes, and its encodings on the wire.

A voice turns text into `Sound`s, one per sentence or piece, at its own sample rate; the speech server
resamples and encodes them to what the client asked for.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import soxr
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Integers = NDArray[np.int32]
Bytes = NDArray[np.uint8]
Encoding = Literal["pcm_mulaw", "pcm_alaw", "pcm_s16le", "pcm_f32le"]
BYTES_PER_SAMPLE: dict[str, int] = {"pcm_mulaw": 1, "pcm_alaw": 1, "pcm_s16le": 2, "pcm_f32le": 4}


@dataclass(frozen=True, slots=True)
class Word:
    """A written word and when it sounds, in seconds from the start of its `Sound`."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Sound:
    """Speech: float32 mono in -1..1, shape (n,), at `rate_hz`, with its words."""

    samples: Samples
    rate_hz: int
    words: tuple[Word, ...] = ()

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.rate_hz


class VoiceFailed(Exception):
    """The speech engine cannot speak; the message says why, never what."""


class Voice(Protocol):
    """A speech engine shared by all contexts of a server."""

    def speak(self, text: str) -> AsyncGenerator[Sound, None]:
        """The sounds of `text` in order, each as soon as it is made. Closing the generator drops the rest.

        Raises `VoiceFailed`.
        """


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """float32 mono at another rate; the whole of one utterance at once."""
    if from_hz == to_hz:
        return samples
    resampled: Samples = soxr.resample(samples, from_hz, to_hz)
    return resampled


def encode(samples: Samples, encoding: str) -> bytes:
    """float32 mono in -1..1 as raw bytes of a wire encoding."""
    if encoding == "pcm_f32le":
        return samples.astype(np.dtype("<f4")).tobytes()
    pcm: Integers = np.clip(samples * 32767.0, -32768, 32767).astype(np.int32)
    match encoding:
        case "pcm_s16le":
            return pcm.astype(np.dtype("<i2")).tobytes()
        case "pcm_mulaw":
            return _mulaw(pcm).tobytes()
        case "pcm_alaw":
            return _alaw(pcm).tobytes()
    raise ValueError(f"no such encoding: {encoding}")


def _mulaw(pcm: Integers) -> Bytes:
    """ITU-T G.711 mu-law: a sign, three bits of exponent, four of mantissa, all inverted."""
    magnitude = np.minimum(np.abs(pcm), 32635) + 132
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    code: Integers = ~(np.where(pcm < 0, 0x80, 0) | (exponent << 4) | mantissa) & 0xFF
    return code.astype(np.uint8)


def _alaw(pcm: Integers) -> Bytes:
    """ITU-T G.711 A-law: like mu-law, with a linear first segment and every other bit inverted."""
    magnitude = np.where(pcm < 0, -pcm - 1, pcm) >> 4
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 3, 0)
    mantissa = (magnitude >> np.maximum(exponent - 1, 0)) & 0x0F
    code: Integers = (np.where(pcm < 0, 0, 0x80) | (exponent << 4) | mantissa) ^ 0x55
    return code.astype(np.uint8)
