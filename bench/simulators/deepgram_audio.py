"""Bytes of a declared encoding to int16 samples at 8 kHz, which is what a hearing listens to.

The simulator decodes by tables of its own instead of borrowing the gateway's: a fault in one must not hide
in both.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import soxr

from bench.simulators.deepgram_hearing import RATE_HZ, Samples

_CONTAINERS: Final = (b"RIFF", b"OggS", b"fLaC", b"ID3", b"\x1aE\xdf\xa3")


class Undecodable(Exception):
    """These bytes are no audio of the declared encoding; the vendor closes with 1008 DATA-0000."""


def _mulaw_table() -> Samples:
    """G.711 mu-law, as in ITU-T G.711 (11/88) table 2, scaled to 16 bits."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    magnitude = ((mantissa << 3) + 132 << exponent) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_table() -> Samples:
    """G.711 A-law, as in ITU-T G.711 (11/88) table 1, scaled to 16 bits."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    low, high = (mantissa << 4) + 8, (mantissa << 4) + 264 << np.maximum(exponent - 1, 0)
    magnitude = np.where(exponent == 0, low, high)
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


_TABLES: Final = {"mulaw": _mulaw_table(), "alaw": _alaw_table()}
DECODABLE: Final = frozenset({*_TABLES, "linear16"})


class AudioDecoder:
    """One connection's decoder. Keeps a half sample between frames and the resampler's state."""

    def __init__(self, encoding: str, sample_rate_hz: int) -> None:
        self._table = _TABLES.get(encoding)
        self._bytes_per_s = sample_rate_hz * (1 if self._table is not None else 2)
        self._odd = b""
        self._started = False
        self._resampled = _resampling(sample_rate_hz)

    def seconds(self, size_bytes: int) -> float:
        """How much audio that many bytes are."""
        return size_bytes / self._bytes_per_s

    def decode(self, data: bytes) -> Samples:
        """The samples in one binary frame. Raises `Undecodable`.

        The vendor hears noise in a control message sent as a binary frame; that is always a client's
        mistake, so here it is refused like any other bytes that are no audio.
        """
        if data.startswith(b'{"type"') or (not self._started and data.startswith(_CONTAINERS)):
            raise Undecodable
        self._started = True
        return self._resampled(self._samples(data))

    def _samples(self, data: bytes) -> Samples:
        if self._table is not None:
            return self._table[np.frombuffer(data, np.uint8)]
        data = self._odd + data
        even = len(data) & ~1
        self._odd = data[even:]
        return np.frombuffer(data[:even], "<i2").astype(np.int16, copy=False)


def _resampling(sample_rate_hz: int) -> Callable[[Samples], Samples]:
    if sample_rate_hz == RATE_HZ:
        return lambda samples: samples
    resampler = soxr.ResampleStream(sample_rate_hz, RATE_HZ, 1, dtype="int16")
    resample: Callable[[Samples], Samples] = resampler.resample_chunk
    return resample
