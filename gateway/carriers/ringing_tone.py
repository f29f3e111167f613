"""What a caller hears while it rings at somebody else's, for a carrier that does not let them hear it: one
ring of a British exchange and its pause, as a WAV file (16 bits, mono, 8 kHz) to be played in a loop.
"""

import io
import wave
from functools import cache
from typing import Final

import numpy as np

_RATE_HZ: Final = 8_000
_CADENCE_S: Final = ((0.4, True), (0.2, False), (0.4, True), (2.0, False))
_TONES_HZ: Final = (400, 450)
_AMPLITUDE: Final = 3_000
"""Of each tone; about 15 dB below the loudest there is, together."""


@cache
def ringing_tone() -> bytes:
    """The file."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE_HZ)
        for seconds, sounds in _CADENCE_S:
            file.writeframes(_part(seconds, sounds=sounds))
    return sound.getvalue()


def _part(seconds: float, *, sounds: bool) -> bytes:
    times_s = np.arange(round(seconds * _RATE_HZ)) / _RATE_HZ
    if not sounds:
        return bytes(2 * len(times_s))
    tones = sum(np.sin(2 * np.pi * hz * times_s) for hz in _TONES_HZ)
    return (np.asarray(tones) * _AMPLITUDE).astype("<i2").tobytes()
