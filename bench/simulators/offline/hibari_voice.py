"""hibari's neural voice, sentence by sentence.

It holds the GIL while it works, so it belongs in a process of its own. Only the voice inside the wheel is
used and its file's hash is checked: nothing is ever downloaded.
"""

# ruff: noqa: RUF001 - phonetic letters

import re
from collections.abc import Iterator

import numpy as np

from bench.simulators.offline.models import ModelFile
from bench.simulators.offline.word_times import audible_span, weight, word_times
from bench.simulators.sound import Samples, Sound

MODEL = ModelFile(
    package="hibari",
    path="assets/hibari.onnx",
    sha256="5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
    requirement="hibari-tts==0.2.1",
)
# Names that its lexicon does not know and its rules say oddly, in its own alphabet (misaki's).
PRONUNCIATIONS = {
    "Patel": "pətˈɛl",
    "Osei": "OsˈA",
    "Okonkwo": "ˌOkˈɔŋkwO",
    "Siobhan": "ʃəvˈɔn",
    "Nguyen": "ŋwˈin",
}
# The engine begins and ends each sentence with some 300 ms of silence, which a caller would wait through.
LEAD_S = 0.02
TAIL_S = 0.25
_NAMES = re.compile(rf"\b({'|'.join(PRONUNCIATIONS)})\b")
_SEED = 7  # the engine's noise: the same text sounds the same


class HibariVoice:
    """The loaded engine. Raises `ModelUnavailable` when the package or the very model file is missing."""

    name = "hibari"

    def __init__(self, model: ModelFile = MODEL) -> None:
        file = model.locate()
        import hibari

        self._engine = hibari.Hibari(model=str(file))
        self._rate_hz = int(hibari.SAMPLE_RATE)
        for _ in self.speak("Warm up."):
            pass

    def speak(self, text: str) -> Iterator[Sound]:
        """One sound per sentence, as soon as it is made."""
        for sentence in self._engine.split_sentences(text):
            respelt = _NAMES.sub(lambda name: f"[{name[1]}](/{PRONUNCIATIONS[name[1]]}/)", sentence)
            parts = list(self._engine.stream(respelt, seed=_SEED))
            if not parts:
                continue
            samples = trimmed(np.concatenate(parts).astype(np.float32), self._rate_hz)
            words = sentence.split()
            weights = [weight(self._engine.g2p(word)) for word in words]
            yield Sound(samples, self._rate_hz, tuple(word_times(words, weights, samples, self._rate_hz)))


def trimmed(samples: Samples, rate_hz: int) -> Samples:
    """The sentence with no more silence before and after it than `LEAD_S` and `TAIL_S`."""
    (start_s, end_s), _ = audible_span(samples, rate_hz)
    return samples[max(0, round((start_s - LEAD_S) * rate_hz)) : round((end_s + TAIL_S) * rate_hz)]
