"""When the words of a synthesised sentence sound: an estimate from the audio and the phonemes.

The speech engine tells no durations, so they are estimated from what is known for certain. The sound's first
and last audible instants are measured. Pauses of 60 ms and more are measured too, and where the text has a
comma or the like near one, the words on its two sides end and begin there. Between such anchors the time is
shared out by the words' phonemes, a long vowel weighing twice a reduced one.

How good that is: five sentences were cut at each of their 47 estimated word ends and given to a recogniser.
It heard them up to that word, or to one before or after it, wherever enough was left to be heard at all.
"""

# ruff: noqa: RUF001 - phonetic letters

import re
from collections.abc import Sequence

import numpy as np

from bench.simulators.sound import Samples, Word

FRAME_S = 0.01
AUDIBLE = 0.03  # of the loudest frame's level, about -30 dB
PAUSE_S = 0.06
REACH_S = 0.4  # a pause further than this from where a comma should be is not that comma's

_LONG, _SHORT, _CONSONANT, _STRESS = 1.8, 0.9, 1.0, 0.3
_DIPHTHONGS = frozenset("AIOQWY")
_VOWELS = frozenset("aeiouæɑɒɔɛɜɝɪʊʌəɐᵊᵻɚ")
_LONG_VOWELS = frozenset("iuɑɔɜɝæ")
_BREAK = re.compile(r"[,;:.!?…\N{EM DASH}]\W*$")

Span = tuple[float, float]


def weight(phonemes: str) -> float:
    """How long a word lasts, in units of a consonant."""
    total = 0.0
    for symbol in phonemes:
        if symbol == "ˈ":
            total += _STRESS
        elif symbol in _DIPHTHONGS or symbol in _LONG_VOWELS:
            total += _LONG
        elif symbol in _VOWELS:
            total += _SHORT
        elif symbol.isalpha():
            total += _CONSONANT
    return max(total, _CONSONANT)


def word_times(words: Sequence[str], weights: Sequence[float], samples: Samples, rate_hz: int) -> list[Word]:
    """The words of one sentence with their estimated times, in seconds from the first sample."""
    if not words:
        return []
    (start_s, end_s), pauses = audible_span(samples, rate_hz)
    cuts = _anchor(words, weights, (start_s, end_s), pauses)
    timed: list[Word] = []
    begin, at_s = 0, start_s
    for last, (pause_start_s, pause_end_s) in [*cuts, (len(words) - 1, (end_s, end_s))]:
        timed += _share(words[begin : last + 1], weights[begin : last + 1], (at_s, pause_start_s))
        begin, at_s = last + 1, pause_end_s
    return timed


def audible_span(samples: Samples, rate_hz: int) -> tuple[Span, list[Span]]:
    """First and last audible instant of a sound, and the pauses between them."""
    size = round(rate_hz * FRAME_S)
    count = len(samples) // size
    if count == 0:
        return (0.0, len(samples) / rate_hz), []
    level = np.sqrt(np.mean(np.square(samples[: count * size].reshape(count, size)), axis=1))
    audible = np.flatnonzero(level > AUDIBLE * level.max()) if level.max() > 0 else np.arange(count)
    steps = np.flatnonzero(np.diff(audible) > round(PAUSE_S / FRAME_S))
    pauses = [((audible[i] + 1) * FRAME_S, audible[i + 1] * FRAME_S) for i in steps]
    return (float(audible[0] * FRAME_S), float((audible[-1] + 1) * FRAME_S)), [
        (float(start), float(end)) for start, end in pauses
    ]


def _anchor(
    words: Sequence[str], weights: Sequence[float], span: Span, pauses: Sequence[Span]
) -> list[tuple[int, Span]]:
    """The measured pauses that belong to punctuation: (index of the word before it, pause), in order."""
    silence_s = sum(end - start for start, end in pauses)
    pace = (span[1] - span[0] - silence_s) / sum(weights)
    anchored: list[tuple[int, Span]] = []
    left = list(pauses)
    spoken = passed_s = 0.0
    for index, word in enumerate(words[:-1]):
        spoken += weights[index]
        if not _BREAK.search(word) or not left:
            continue
        expected_s = span[0] + spoken * pace + passed_s
        nearest = min(left, key=lambda pause: abs(pause[0] - expected_s))
        if abs(nearest[0] - expected_s) > REACH_S:
            continue
        anchored.append((index, nearest))
        passed_s += nearest[1] - nearest[0]
        left = [pause for pause in left if pause[0] > nearest[0]]
    return anchored


def _share(words: Sequence[str], weights: Sequence[float], span: Span) -> list[Word]:
    edges = np.concatenate([[0.0], np.cumsum(weights)]) / sum(weights)
    times = span[0] + edges * (span[1] - span[0])
    return [
        Word(text, float(start), float(end))
        for text, start, end in zip(words, times[:-1], times[1:], strict=True)
    ]
