"""mu-law (ITU-T G.711), 8 bits a sample: to and from int16, by table.

A byte is stored with all bits inverted: 0xFF is silence, 0x7F its negative twin.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

SAMPLE_RATE_HZ: Final = 8000
BYTES_PER_S: Final = SAMPLE_RATE_HZ
SILENCE: Final = 0xFF

_BIAS: Final = 132
_CLIP: Final = 32635


def _expanded() -> Samples:
    code = ~np.arange(256, dtype=np.uint8)
    exponent = (code >> 4) & 7
    mantissa = (code & 15).astype(np.int32)
    magnitude = (((mantissa << 3) + _BIAS) << exponent) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


DECODED: Final[Samples] = _expanded()
"""int16 value of each of the 256 codes, shape (256,)."""


def _compressed() -> npt.NDArray[np.uint8]:
    sample = np.arange(-32768, 32768, dtype=np.int32)
    # As the reference coder does it: on 14 bits, so that a negative sample rounds away from zero.
    biased = np.minimum(np.abs(sample >> 2), _CLIP >> 2) + (_BIAS >> 2)
    exponent = np.floor(np.log2(biased)).astype(np.int32) - 5
    mantissa = (biased >> (exponent + 1)) & 15
    code = np.where(sample < 0, 0x80, 0) | (exponent << 4) | mantissa
    return np.roll((~code & 0xFF).astype(np.uint8), 32768)


_ENCODED: Final = _compressed()


def decode(mulaw: bytes) -> Samples:
    """int16 mono, shape (n,), 8 kHz."""
    return DECODED[np.frombuffer(mulaw, dtype=np.uint8)]


def encode(samples: Samples) -> bytes:
    """One byte a sample from int16 mono, shape (n,)."""
    return _ENCODED[samples.view(np.uint16)].tobytes()


def duration_s(mulaw: bytes | bytearray) -> float:
    return len(mulaw) / BYTES_PER_S


def silence(duration_ms: int) -> bytes:
    return bytes([SILENCE]) * (duration_ms * BYTES_PER_S // 1000)
