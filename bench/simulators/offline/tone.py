"""A voice for tests: a tone, the same for the same text, no model.

Each character lasts `ms_per_char`; letters and digits sound, everything else is silence. So the length of a
reply, its audible words and their times are known exactly.
"""

from collections.abc import AsyncGenerator

import numpy as np

from bench.simulators.sound import Samples, Sound, Word

RATE_HZ = 8000
TONE_HZ = 440.0
AMPLITUDE = 0.3


class ToneVoice:
    """Says a text as one `Sound` at 8 kHz."""

    def __init__(self, *, ms_per_char: float = 60.0) -> None:
        self._samples_per_char = round(RATE_HZ * ms_per_char / 1000)

    async def speak(self, text: str) -> AsyncGenerator[Sound, None]:
        audible = np.array([character.isalnum() for character in text], dtype=bool)
        gate = np.repeat(audible, self._samples_per_char)
        at_s = np.arange(len(gate)) / RATE_HZ
        samples: Samples = (AMPLITUDE * np.sin(2 * np.pi * TONE_HZ * at_s) * gate).astype(np.float32)
        yield Sound(samples, RATE_HZ, self._words(text))

    def _words(self, text: str) -> tuple[Word, ...]:
        char_s = self._samples_per_char / RATE_HZ
        words: list[Word] = []
        at = 0
        for written in text.split():
            at = text.index(written, at)
            words.append(Word(written, at * char_s, (at + len(written)) * char_s))
            at += len(written)
        return tuple(words)
