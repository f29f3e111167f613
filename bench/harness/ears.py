"""The simulated recogniser's hearing in a run: it reads a turn's number and knows its words and its length.

What it is told it hears exactly, whatever the voice says: the bench measures time, not recognition. From the
click on, the turn is voiced for as long as its audio is; audio without a click is told by its energy.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.harness.click import BITS, read_click
from bench.harness.turns import Turn, Turns
from bench.simulators.deepgram_hearing import RATE_HZ, Samples, Window, Word, spread

_FRAME: Final = 160
_ONSET: Final = 8_000  # |sample|: a click's are twice as loud, a voice's rarely
_EPSILON_S: Final = 1e-6
_UPDATE_LEAD_S: Final = 0.125  # interim words come each 0.25 s: on average so much after they are known


@dataclass(frozen=True, slots=True)
class _Heard:
    turn: Turn
    start_s: float

    @property
    def end_s(self) -> float:
        return self.start_s + self.turn.speech_s

    @property
    def known_s(self) -> float:
        """From when on all its words can be told."""
        stable_ms = self.turn.delays.stable_ms
        if stable_ms is None:
            return self.end_s + _EPSILON_S
        return max(self.start_s, self.end_s + stable_ms / 1000 - _UPDATE_LEAD_S)


class TimedEars:
    """One connection's. Satisfies `bench.simulators.deepgram_hearing.Hearing`."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._rest: Samples = np.empty(0, np.int16)
        self._at = 0
        self._heard: list[_Heard] = []

    def listen(self, samples: Samples) -> list[Window]:
        self._rest = np.concatenate((self._rest, samples)) if self._rest.size else samples
        windows = []
        while self._rest.size >= _FRAME:
            windows.append(self._window(self._rest[:_FRAME]))
            self._rest = self._rest[_FRAME:]
        return windows

    def _window(self, frame: Samples) -> Window:
        start_s = self._at / RATE_HZ
        self._at += _FRAME
        end_s = self._at / RATE_HZ
        if not self._speaking(start_s):
            self._look_for_click(frame, start_s)
        return Window(end_s, self._speaking(start_s))

    def _speaking(self, at_s: float) -> bool:
        return bool(self._heard) and at_s < self._heard[-1].end_s - _EPSILON_S

    def _look_for_click(self, frame: Samples, start_s: float) -> None:
        if abs(int(frame[0])) < _ONSET:
            return
        turn_id = read_click(frame[:BITS])
        turn = None if turn_id is None else self._turns.by_id(turn_id)
        if turn is not None:
            self._heard.append(_Heard(turn, start_s))

    async def words(self, start_s: float, end_s: float, *, settled: bool) -> tuple[Word, ...]:
        words: list[Word] = []
        for heard in self._heard:
            if heard.end_s > start_s and heard.start_s < end_s:
                words += _words_by(heard, end_s)
        return tuple(words)

    def forget(self, before_s: float) -> None:
        self._heard = [heard for heard in self._heard if heard.end_s > before_s]


def _words_by(heard: _Heard, now_s: float) -> tuple[Word, ...]:
    """The words come evenly until all are known; the last one not before."""
    words = spread(heard.turn.line, heard.start_s, heard.end_s, 0.99)
    if now_s >= heard.known_s - _EPSILON_S:
        return words
    share = (now_s - heard.start_s) / (heard.known_s - heard.start_s)
    return words[: min(len(words) - 1, int(share * len(words)))]
