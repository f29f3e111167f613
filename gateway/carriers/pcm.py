"""Audio of carriers that speak 16-bit PCM, little-endian, mono, 8 kHz: to and from our mu-law."""

from typing import Final

import numpy as np

from gateway.errors import MalformedFrame
from pipeline.audio import mulaw

BYTES_PER_SAMPLE: Final = 2
SAMPLE_RATE_HZ: Final = 8_000


def to_mulaw(pcm: bytes) -> bytes:
    """One byte for two. Raises `MalformedFrame` for half a sample."""
    if len(pcm) % BYTES_PER_SAMPLE:
        raise MalformedFrame("half a sample")
    return mulaw.encode(np.frombuffer(pcm, dtype="<i2").astype(np.int16, copy=False))


def from_mulaw(audio: bytes) -> bytes:
    """Two bytes for one."""
    return mulaw.decode(audio).astype("<i2", copy=False).tobytes()
