"""A raw socket's audio as its client writes it, to and from our mu-law. Pure; one stream's each."""

from collections.abc import Mapping
from typing import Final, Literal

import numpy as np

from gateway.carriers.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ
from gateway.errors import MalformedFrame
from pipeline.audio import mulaw
from pipeline.audio.mulaw import Samples
from pipeline.audio.resample import Doubler, Halver

Encoding = Literal["mulaw", "pcm_s16le"]
SampleRate = Literal[8000, 16000]

_SAMPLE_BYTES: Final[Mapping[Encoding, int]] = {"mulaw": 1, "pcm_s16le": BYTES_PER_SAMPLE}


class RawSound:
    """One stream's, both ways."""

    def __init__(self, encoding: Encoding, sample_rate: SampleRate) -> None:
        self._encoding = encoding
        self._halver = Halver() if sample_rate != SAMPLE_RATE_HZ else None
        self._doubler = Doubler() if sample_rate != SAMPLE_RATE_HZ else None
        self.bytes_per_ms = sample_rate // 1000 * _SAMPLE_BYTES[encoding]

    def heard(self, audio: bytes) -> bytes:
        """mu-law of what the client sent; none if that is less than a sample of ours. Raises `MalformedFrame`
        for half a sample.
        """
        if len(audio) % _SAMPLE_BYTES[self._encoding]:
            raise MalformedFrame("half a sample")
        if self._halver is None and self._encoding == "mulaw":
            return audio
        samples = self._read(audio)
        return mulaw.encode(samples if self._halver is None else self._halver.feed(samples))

    def said(self, audio: bytes) -> bytes:
        """What the client is sent for this mu-law."""
        if self._doubler is None and self._encoding == "mulaw":
            return audio
        samples = mulaw.decode(audio)
        return self._written(samples if self._doubler is None else self._doubler.feed(samples))

    def cleared(self) -> None:
        """Nothing of what was said before sounds on in what follows."""
        if self._doubler is not None:
            self._doubler.forget()

    def _read(self, audio: bytes) -> Samples:
        if self._encoding == "mulaw":
            return mulaw.decode(audio)
        return np.frombuffer(audio, dtype="<i2").astype(np.int16, copy=False)

    def _written(self, samples: Samples) -> bytes:
        if self._encoding == "mulaw":
            return mulaw.encode(samples)
        return samples.astype("<i2", copy=False).tobytes()
