"""How a simulated recogniser hears: a port with two implementations, the scripted one here, the neural one in
`offline.hearing`.

The server owns turn taking; a hearing only says where there is voice and which words a stretch of audio
holds. All instants are seconds of audio since the connection began, so that nothing depends on the wall
clock.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 8_000

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Window:
    """One step of voice detection: is there voice in the audio that ends at `end_s`?"""

    end_s: float
    voiced: bool


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word as written (cased, punctuated); `confidence` is 0 to 1."""

    text: str
    start_s: float
    end_s: float
    confidence: float


class Hearing(Protocol):
    """One connection's ears. Called by one task, in the order of the audio."""

    def listen(self, samples: Samples) -> list[Window]:
        """Take int16 mono samples at 8 kHz; return the windows they complete. Cheap enough for the event
        loop.
        """

    async def words(self, start_s: float, end_s: float, *, settled: bool) -> tuple[Word, ...]:
        """The words of the speech that began at `start_s`, as far as heard at `end_s`.

        `settled` after a pause: hear it whole. Otherwise it is a preview, for which an older answer will do.
        """

    def forget(self, before_s: float) -> None:
        """No words before this instant will be asked for again."""


def spread(text: str, start_s: float, end_s: float, confidence: float) -> tuple[Word, ...]:
    """Words with times, for an engine that tells none: each gets time by its length in letters."""
    texts = text.split()
    letters = sum(len(word) for word in texts)
    words: list[Word] = []
    at = start_s
    for word in texts:
        until = at + (end_s - start_s) * len(word) / letters
        words.append(Word(word, round(at, 3), round(until, 3), round(confidence, 3)))
        at = until
    return tuple(words)


# --- scripted: fast and exact, for tests ---

_WINDOW_SAMPLES: Final = 160  # the carrier's frame
_VOICE_RMS: Final = 500.0  # about -36 dBFS: above line noise, below any tone of `tone`
_CLICK_S: Final = 0.09  # shorter sounds say nothing


class Script:
    """What a caller says, in order. Its `hearing` is what a simulator takes.

    A line is used up when its turn is over, so a connection that replaces a dropped one hears the same line
    in the replayed audio. `Script({440: [...], 620: [...]})` tells several callers apart by the pitch of
    their voice.
    """

    def __init__(self, lines: Sequence[str] | Mapping[int, Sequence[str]], *, word_s: float = 0.25) -> None:
        self.word_s = word_s
        voices = lines if isinstance(lines, Mapping) else {0: lines}
        self._lines = {pitch_hz: list(said) for pitch_hz, said in voices.items()}

    def hearing(self) -> "ScriptedHearing":
        """Ears for one connection."""
        return ScriptedHearing(self)

    def voice(self, samples: Samples) -> int:
        """Which of the callers this sounds like."""
        if len(self._lines) == 1:
            return next(iter(self._lines))
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
        pitch_hz = float(spectrum.argmax()) * RATE_HZ / samples.size
        return min(self._lines, key=lambda known_hz: abs(known_hz - pitch_hz))

    def add(self, line: str) -> None:
        """One more line of the only caller, who has not begun to say it."""
        [lines] = self._lines.values()
        lines.append(line)

    def line(self, voice: int, ahead: int) -> str:
        """The line `ahead` places from the next one; empty once the script has run out."""
        lines = self._lines[voice]
        return lines[ahead] if ahead < len(lines) else ""

    def used(self, voice: int, count: int) -> None:
        """These lines have been said and their turn is over."""
        del self._lines[voice][:count]


@dataclass(slots=True)
class _Utterance:
    start_s: float
    end_s: float
    voice: int


def _spoken(utterance: _Utterance) -> bool:
    return utterance.end_s - utterance.start_s >= _CLICK_S


class ScriptedHearing:
    """Finds utterances by their energy and takes the words of the n-th one from a script.

    While an utterance sounds its words come one each `word_s`; once it has ended they are all there.
    Silence of `gap_s` parts two utterances.
    """

    gap_s: Final = 0.3

    def __init__(self, script: Script) -> None:
        self._script = script
        self._pending = np.empty(0, np.int16)
        self._heard_samples = 0
        self._utterances: list[_Utterance] = []

    def listen(self, samples: Samples) -> list[Window]:
        self._pending = np.concatenate((self._pending, samples))
        windows: list[Window] = []
        while self._pending.size >= _WINDOW_SAMPLES:
            frame, self._pending = np.split(self._pending, [_WINDOW_SAMPLES])
            windows.append(self._window(frame))
        return windows

    def _window(self, frame: Samples) -> Window:
        start_s = self._heard_samples / RATE_HZ
        self._heard_samples += frame.size
        end_s = self._heard_samples / RATE_HZ
        voiced = float(np.sqrt(np.mean(frame.astype(np.float64) ** 2))) >= _VOICE_RMS
        if voiced:
            self._hear(frame, start_s, end_s)
        return Window(end_s, voiced)

    def _hear(self, frame: Samples, start_s: float, end_s: float) -> None:
        if self._utterances and start_s - self._utterances[-1].end_s < self.gap_s - 1e-9:
            self._utterances[-1].end_s = end_s
        else:
            self._utterances.append(_Utterance(start_s, end_s, self._script.voice(frame)))

    async def words(self, start_s: float, end_s: float, *, settled: bool) -> tuple[Word, ...]:
        words: list[Word] = []
        ahead: dict[int, int] = {}
        for utterance in filter(_spoken, self._utterances):
            position = ahead.get(utterance.voice, 0)
            ahead[utterance.voice] = position + 1
            if utterance.end_s > start_s and utterance.start_s < end_s:
                words += self._utterance_words(utterance, self._script.line(utterance.voice, position), end_s)
        return tuple(words)

    def _utterance_words(self, utterance: _Utterance, line: str, now_s: float) -> Sequence[Word]:
        words = spread(line, utterance.start_s, utterance.end_s, 0.99)
        if now_s > utterance.end_s + 1e-9:
            return words
        return words[: math.floor((now_s - utterance.start_s) / self._script.word_s + 1e-9)]

    def forget(self, before_s: float) -> None:
        said = [utterance for utterance in self._utterances if utterance.end_s <= before_s]
        self._utterances = self._utterances[len(said) :]
        for utterance in filter(_spoken, said):
            self._script.used(utterance.voice, 1)


def tone(seconds: float, pitch_hz: int = 440) -> bytes:
    """A steady voice for `ScriptedHearing`: mu-law at 8 kHz, -12 dBFS, whole 20 ms frames."""
    frames = round(seconds * 50)
    phase = 2 * np.pi * pitch_hz * np.arange(frames * _WINDOW_SAMPLES) / RATE_HZ
    return _mulaw(np.sin(phase) * 8_000)


def silence(seconds: float) -> bytes:
    """Silence: mu-law at 8 kHz, whole 20 ms frames."""
    return b"\xff" * (round(seconds * 50) * _WINDOW_SAMPLES)


def _mulaw(samples: NDArray[np.float64]) -> bytes:
    """G.711 mu-law encoding, ITU-T G.711 (11/88)."""
    magnitude = np.minimum(np.abs(samples).astype(np.int32), 32_635) + 132
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = magnitude >> exponent + 3 & 15
    sign = np.where(samples < 0, 0x80, 0)
    return bytes((~(sign | exponent << 4 | mantissa) & 0xFF).astype(np.uint8))
