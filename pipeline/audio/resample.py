"""Between 8 and 16 kHz, piece by piece: what comes out does not depend on where the pieces were cut.

One linear-phase low-pass for both ways: flat to 3.4 kHz, the upper end of a telephone's band, and 50 dB down
from 4.6 kHz on. It delays the sound by `DELAY_SAMPLES` of the higher rate.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.audio.mulaw import Samples

_TAPS: Final = 47
DELAY_SAMPLES: Final = _TAPS // 2
_BETA: Final = 4.6  # Kaiser's window: how far the stop band is down


def _low_pass() -> npt.NDArray[np.float32]:
    """Half of the higher rate's band; its gain is 1."""
    at = np.arange(_TAPS) - _TAPS // 2
    taps = np.sinc(at / 2) * np.kaiser(_TAPS, _BETA)
    return np.asarray(taps / taps.sum(), np.float32)


_FILTER: Final = _low_pass()


class Halver:
    """16 kHz to 8 kHz, of one stream."""

    def __init__(self) -> None:
        self._before = np.zeros(_TAPS - 1, np.float32)
        self._odd = 0

    def feed(self, samples: Samples) -> Samples:
        """int16 mono, shape (n,): every other sample of what the filter lets through."""
        if not len(samples):
            return samples
        whole = np.concatenate((self._before, samples.astype(np.float32)))
        kept = np.convolve(whole, _FILTER, "valid")[self._odd :: 2]
        self._odd = (self._odd + len(samples)) % 2
        self._before = whole[-(_TAPS - 1) :]
        return _int16(kept)


class Doubler:
    """8 kHz to 16 kHz, of one stream."""

    def __init__(self) -> None:
        self._before = np.zeros(_TAPS - 1, np.float32)

    def feed(self, samples: Samples) -> Samples:
        """int16 mono, shape (n,), to shape (2 n,)."""
        if not len(samples):
            return samples
        spread = np.zeros(2 * len(samples), np.float32)
        spread[::2] = samples
        whole = np.concatenate((self._before, spread))
        self._before = whole[-(_TAPS - 1) :]
        return _int16(2 * np.convolve(whole, _FILTER, "valid"))

    def forget(self) -> None:
        """What follows has nothing to do with what came before."""
        self._before[:] = 0


def _int16(sound: npt.NDArray[np.float32]) -> Samples:
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
