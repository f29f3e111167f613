"""A telephone's mu-law at 8 kHz as 16-bit PCM, little-endian, at 8, 16 or 24 kHz, and back.

Rates are whole multiples of 8 kHz, so samples between are drawn on straight lines, and taken out by their
mean: what a recogniser hears is a telephone either way.
"""

import numpy as np

from pipeline.audio import mulaw

TELEPHONE_HZ = 8000


class Upsampler:
    """One direction of one stream: each frame goes on from the last sample of the one before."""

    def __init__(self, rate_hz: int) -> None:
        self._times = rate_hz // TELEPHONE_HZ
        self._last = 0.0

    def pcm(self, audio: bytes) -> bytes:
        """`times` samples for each byte."""
        samples = mulaw.decode(audio)
        if self._times == 1 or not samples.size:
            return samples.astype("<i2", copy=False).tobytes()
        known = np.concatenate(([self._last], samples.astype(np.float64)))
        at = np.arange(1, samples.size * self._times + 1) / self._times
        self._last = float(samples[-1])
        return np.interp(at, np.arange(known.size), known).round().astype("<i2").tobytes()


def telephone(pcm: bytes, rate_hz: int) -> bytes:
    """mu-law of whole telephone samples, one byte each."""
    samples = np.frombuffer(pcm, dtype="<i2")
    times = rate_hz // TELEPHONE_HZ
    if times > 1:
        samples = samples.reshape(-1, times).mean(axis=1).round()
    return mulaw.encode(samples.astype(np.int16))
