"""Redaction on the labelled corpus: floors that a change may raise, never lower.

The goals are those of `python -m bench redaction`; figures of one part: leak % and F1 over marked cases and
hard negatives, false positives per 1,000 words. Speed is measured by the bench, not here.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from bench.redaction.corpus import Case, read_corpus
from bench.redaction.score import Scores, StreamScores, score_streamed, score_whole
from bench.redaction.streaming import CUTS
from compliance.redaction import Redactor, find

DEV = Path(__file__).parent / "corpus" / "dev"

FLOORS = {
    "leak_percent": 1.6,
    "full_percent": 97.3,
    "f1_overlap": 0.983,
    "f1_exact": 0.963,
    "f1_of_any_type": 0.955,
    "noisy_leak_percent": 2.0,
    "ordinary_false_per_1000_words": 0.15,
    "negatives_false_per_1000_words": 0.5,
    "streamed_leak_points": 0.3,
    "held_back_p95": 85,
}


@cache
def cases() -> list[Case]:
    return read_corpus(DEV)


@cache
def whole() -> Scores:
    return score_whole(cases(), find)


@cache
def streamed(cut: str) -> StreamScores:
    return score_streamed(cases(), Redactor, CUTS[cut])


AT_MOST: dict[str, Callable[[], float]] = {
    "leak_percent": lambda: whole().main.leak_percent,
    "noisy_leak_percent": lambda: whole().noisy.leak_percent,
    "ordinary_false_per_1000_words": lambda: whole().ordinary.false_per_1000_words,
    "negatives_false_per_1000_words": lambda: whole().negatives.false_per_1000_words,
}
AT_LEAST: dict[str, Callable[[], float]] = {
    "full_percent": lambda: whole().main.full_percent,
    "f1_overlap": lambda: whole().main.overlap_f1,
    "f1_exact": lambda: whole().main.exact_f1,
    "f1_of_any_type": lambda: min(score.f1 for score in whole().main.types.values()),
}


@pytest.mark.parametrize("figure", AT_MOST)
def test_what_should_be_low_stays_low(figure: str) -> None:
    assert AT_MOST[figure]() <= FLOORS[figure]


@pytest.mark.parametrize("figure", AT_LEAST)
def test_what_should_be_high_stays_high(figure: str) -> None:
    assert AT_LEAST[figure]() >= FLOORS[figure]


def test_nothing_of_the_must_not_list_is_taken() -> None:
    assert [miss.value for miss in whole().must_not.false] == []


@pytest.mark.parametrize("cut", CUTS)
def test_streaming_leaks_no_more_than_the_whole_text(cut: str) -> None:
    more = streamed(cut).scores.main.leak_percent - whole().main.leak_percent
    assert more <= FLOORS["streamed_leak_points"]


@pytest.mark.parametrize("cut", [cut for cut in CUTS if cut != "turn at once"])
def test_little_is_held_back(cut: str) -> None:
    assert streamed(cut).held_at(0.95) <= FLOORS["held_back_p95"]


def test_what_is_published_does_not_depend_on_the_cuts() -> None:
    leaks = {cut: streamed(cut).scores.main.leak_percent for cut in CUTS}
    assert len(set(leaks.values())) == 1, leaks
