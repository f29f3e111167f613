"""The audio that a recogniser is given: a phone's mu-law, or samples of 16 bits at any rate. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

_LOUD: Final = 1000
"""|sample| of 16 bits: -30 dBFS."""


def _magnitude(code: int) -> int:
    """ITU-T G.711 mu-law code to 14-bit magnitude scaled to 16 bits, sign dropped."""
    value = ~code & 0x7F
    return (((value & 0x0F) << 3) + 0x84 << (value >> 4)) - 0x84


_QUIET_CODES: Final = bytes(code for code in range(256) if _magnitude(code) < _LOUD)


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Mono. `linear16` is signed 16-bit little-endian. Positions and sizes are in bytes, whole samples."""

    encoding: Literal["mulaw", "linear16"] = "mulaw"
    rate_hz: int = 8000

    @property
    def sample_bytes(self) -> int:
        return 1 if self.encoding == "mulaw" else 2

    def size(self, seconds: float) -> int:
        """How many bytes last so long, the begun sample left out."""
        return int(seconds * self.rate_hz) * self.sample_bytes

    def seconds(self, size: int) -> float:
        """How long so many bytes last."""
        return size / (self.rate_hz * self.sample_bytes)

    def silence(self, seconds: float) -> bytes:
        return (b"\xff" if self.encoding == "mulaw" else b"\0") * self.size(seconds)

    def is_loud(self, audio: bytes) -> bool:
        """Whether a quarter of the samples exceed -30 dBFS: speech, or noise that a recogniser should answer
        to.

        >>> PHONE.is_loud(b"\\xff" * 160), PHONE.is_loud(b"\\x80" * 160)
        (False, True)
        """
        if self.encoding == "mulaw":
            return len(audio.translate(None, _QUIET_CODES)) * 4 > len(audio)
        samples = np.frombuffer(audio, "<i2")
        loud = np.count_nonzero((samples >= _LOUD) | (samples <= -_LOUD))
        return int(loud) * 4 > samples.size


PHONE: Final = AudioFormat()
"""mu-law (G.711), 8 kHz: 8 bytes a millisecond."""
