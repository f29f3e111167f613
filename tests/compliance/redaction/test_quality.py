"""Redaction on the labelled corpus: floors that a change may raise, never lower.

The goals are those of `python -m bench redaction`; figures of one part: leak % and F1 over marked cases and
hard negatives, false positives per 1,000 words. Speed is measured by the bench, not here.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from bench.redaction.corpus import TYPES, Case, read_corpus
from bench.redaction.score import Scores, StreamScores, score_streamed, score_whole
from bench.redaction.streaming import CUTS
from compliance.redaction import Redactor, find

CORPUS = Path(__file__).parent / "corpus"
PARTS = ("dev", "held", "third", "fresh")
"""Judged whole and streamed."""
WHOLE_PARTS = (*PARTS, "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "eleventh", "twelfth")
"""Judged whole."""

FLOORS = {
    "dev": {
        "leak_percent": 0.2,
        "full_percent": 99.1,
        "f1_overlap": 0.994,
        "f1_exact": 0.98,
        "f1_of_any_type": 0.98,
        "noisy_leak_percent": 1.4,
    },
    "held": {
        "leak_percent": 0.3,
        "full_percent": 99.3,
        "f1_overlap": 0.996,
        "f1_exact": 0.992,
        "f1_of_any_type": 0.99,
        "noisy_leak_percent": 1.5,
    },
    "third": {
        "leak_percent": 0.3,
        "full_percent": 99.3,
        "f1_overlap": 0.996,
        "f1_exact": 0.99,
        "f1_of_any_type": 0.99,
        "noisy_leak_percent": 0.2,
    },
    "fourth": {
        "leak_percent": 0.3,
        "full_percent": 99.4,
        "f1_overlap": 0.994,
        "f1_exact": 0.97,
        "f1_of_any_type": 0.985,
        "noisy_leak_percent": 0.3,
    },
    "fifth": {
        "leak_percent": 1.3,
        "full_percent": 97.1,
        "f1_overlap": 0.982,
        "f1_exact": 0.96,
        "f1_of_any_type": 0.95,
        "noisy_leak_percent": 0.9,
    },
    "sixth": {
        "leak_percent": 0.4,
        "full_percent": 99.3,
        "f1_overlap": 0.994,
        "f1_exact": 0.977,
        "f1_of_any_type": 0.975,
        "noisy_leak_percent": 1.0,
    },
    "seventh": {
        "leak_percent": 0.7,
        "full_percent": 98.7,
        "f1_overlap": 0.987,
        "f1_exact": 0.972,
        "f1_of_any_type": 0.953,
        "noisy_leak_percent": 1.0,
    },
    "eighth": {
        "leak_percent": 0.6,
        "full_percent": 98.7,
        "f1_overlap": 0.984,
        "f1_exact": 0.965,
        "f1_of_any_type": 0.97,
        "noisy_leak_percent": 0.6,
    },
    "ninth": {
        "leak_percent": 0.7,
        "full_percent": 98.6,
        "f1_overlap": 0.984,
        "f1_exact": 0.95,
        "f1_of_any_type": 0.96,
        "noisy_leak_percent": 0.4,
    },
    "eleventh": {
        "leak_percent": 0.3,
        "full_percent": 99.3,
        "f1_overlap": 0.993,
        "f1_exact": 0.97,
        "f1_of_any_type": 0.96,
        "noisy_leak_percent": 0.9,
    },
    "twelfth": {
        "leak_percent": 1.1,
        "full_percent": 98.2,
        "f1_overlap": 0.978,
        "f1_exact": 0.93,
        "f1_of_any_type": 0.935,
        "noisy_leak_percent": 1.7,
    },
    "fresh": {
        "leak_percent": 2.0,
        "full_percent": 96.7,
        "f1_overlap": 0.98,
        "f1_exact": 0.95,
        "f1_of_any_type": 0.96,
        "noisy_leak_percent": 0.0,
    },
}
PROBES_LEAK_PERCENT = 7.0
PROBES_F1_OVERLAP = 0.97
TALK_LEAK_PERCENT = 0.5
TALK_F1_OVERLAP = 0.96
TALK_ORDINARY_FALSE_PER_1000_WORDS = 1.5
TALK_NEGATIVES_FALSE_PER_1000_WORDS = 5.0
ORDINARY_FALSE_PER_1000_WORDS = 0.15
NEGATIVES_FALSE_PER_1000_WORDS = 0.5
STREAMED_LEAK_POINTS = 0.3
HELD_BACK_P95 = 85


@cache
def cases(part: str) -> list[Case]:
    return read_corpus(CORPUS / part)


@cache
def whole(part: str) -> Scores:
    return score_whole(cases(part), find)


@cache
def streamed(part: str, cut: str) -> StreamScores:
    return score_streamed(cases(part), Redactor, CUTS[cut])


AT_MOST: dict[str, Callable[[Scores], float]] = {
    "leak_percent": lambda scores: scores.main.leak_percent,
    "noisy_leak_percent": lambda scores: scores.noisy.leak_percent,
}
AT_LEAST: dict[str, Callable[[Scores], float]] = {
    "full_percent": lambda scores: scores.main.full_percent,
    "f1_overlap": lambda scores: scores.main.overlap_f1,
    "f1_exact": lambda scores: scores.main.exact_f1,
    "f1_of_any_type": lambda scores: min(score.f1 for score in scores.main.types.values()),
}


@pytest.mark.parametrize("part", WHOLE_PARTS)
@pytest.mark.parametrize("figure", AT_MOST)
def test_what_should_be_low_stays_low(figure: str, part: str) -> None:
    assert AT_MOST[figure](whole(part)) <= FLOORS[part][figure]


@pytest.mark.parametrize("part", WHOLE_PARTS)
@pytest.mark.parametrize("figure", AT_LEAST)
def test_what_should_be_high_stays_high(figure: str, part: str) -> None:
    assert AT_LEAST[figure](whole(part)) >= FLOORS[part][figure]


@pytest.mark.parametrize("part", WHOLE_PARTS)
def test_little_is_taken_wrongly(part: str) -> None:
    assert whole(part).ordinary.false_per_1000_words <= ORDINARY_FALSE_PER_1000_WORDS
    assert whole(part).negatives.false_per_1000_words <= NEGATIVES_FALSE_PER_1000_WORDS


@pytest.mark.parametrize("part", WHOLE_PARTS)
def test_nothing_of_the_must_not_list_is_taken(part: str) -> None:
    assert [miss.value for miss in whole(part).must_not.false] == []


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("cut", CUTS)
def test_streaming_leaks_no_more_than_the_whole_text(cut: str, part: str) -> None:
    more = streamed(part, cut).scores.main.leak_percent - whole(part).main.leak_percent
    assert more <= STREAMED_LEAK_POINTS


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("cut", [cut for cut in CUTS if cut != "turn at once"])
def test_little_is_held_back(cut: str, part: str) -> None:
    assert streamed(part, cut).held_at(0.95) <= HELD_BACK_P95


@pytest.mark.parametrize("part", PARTS)
def test_what_is_published_does_not_depend_on_the_cuts(part: str) -> None:
    leaks = {cut: streamed(part, cut).scores.main.leak_percent for cut in CUTS}
    assert len(set(leaks.values())) == 1, leaks


def test_complaints_told_in_whole_phrases_are_known() -> None:
    """The hard lines of `probes`; ordinary words beside them stay."""
    probes = score_whole(cases("probes"), find)
    assert probes.main.leak_percent <= PROBES_LEAK_PERCENT
    assert probes.main.overlap_f1 >= PROBES_F1_OVERLAP
    assert probes.negatives.false_per_1000_words <= NEGATIVES_FALSE_PER_1000_WORDS


def test_little_is_taken_of_hard_talk() -> None:
    """The lines of `talk`: replies without a value, questions long over, idioms, values amid talk."""
    talk = score_whole(cases("talk"), find)
    assert talk.main.leak_percent <= TALK_LEAK_PERCENT
    assert talk.main.overlap_f1 >= TALK_F1_OVERLAP
    assert talk.ordinary.false_per_1000_words <= TALK_ORDINARY_FALSE_PER_1000_WORDS
    assert talk.negatives.false_per_1000_words <= TALK_NEGATIVES_FALSE_PER_1000_WORDS


def test_the_seventh_part_covers_every_type_and_kind() -> None:
    """What its scores were while it was unseen stands in docs/compliance.md."""
    seventh = cases("seventh")
    assert {entity.type for case in seventh for entity in case.entities} == TYPES
    assert len(seventh) >= 1_400
    assert sum(case.words for case in seventh if case.file == "ordinary") >= 6_000
    assert sum(case.file in ("negatives", "must_not") for case in seventh) >= 290


def test_the_eighth_part_covers_every_type_and_kind() -> None:
    """As the seventh: measured first, then rules were written beside it."""
    eighth = cases("eighth")
    assert {entity.type for case in eighth for entity in case.entities} == TYPES
    assert len(eighth) >= 1_000
    assert sum(case.words for case in eighth if case.file == "ordinary") >= 4_500
    assert sum(case.file in ("negatives", "must_not") for case in eighth) >= 210


def test_the_ninth_part_covers_every_type_and_kind() -> None:
    """Size and mixture alone: it holds no floors."""
    ninth = cases("ninth")
    assert {entity.type for case in ninth for entity in case.entities} == TYPES
    assert len(ninth) >= 540
    assert sum(case.words for case in ninth if case.file == "ordinary") >= 2_000
    assert sum(case.file in ("negatives", "must_not") for case in ninth) >= 110


def test_the_tenth_part_covers_every_type_and_kind() -> None:
    """Size and mixture alone: it holds no floors."""
    tenth = cases("tenth")
    assert {entity.type for case in tenth for entity in case.entities} == TYPES
    assert len(tenth) >= 600
    assert sum(case.words for case in tenth if case.file == "ordinary") >= 2_500
    assert sum(case.file in ("negatives", "must_not") for case in tenth) >= 120


def test_the_twelfth_part_covers_every_type_and_kind() -> None:
    """Size and mixture."""
    twelfth = cases("twelfth")
    assert {entity.type for case in twelfth for entity in case.entities} == TYPES
    assert len(twelfth) >= 600
    assert sum(case.words for case in twelfth if case.file == "ordinary") >= 2_500
    assert sum(case.file in ("negatives", "must_not") for case in twelfth) >= 120


def test_the_fourteenth_part_covers_every_type_and_kind() -> None:
    """Size and mixture alone: it holds no floors."""
    fourteenth = cases("fourteenth")
    assert {entity.type for case in fourteenth for entity in case.entities} == TYPES
    assert len(fourteenth) >= 630
    assert sum(case.words for case in fourteenth if case.file == "ordinary") >= 4_000
    assert sum(case.file in ("negatives", "must_not") for case in fourteenth) >= 140


def test_the_thirteenth_part_covers_every_type_and_kind() -> None:
    """Size and mixture."""
    thirteenth = cases("thirteenth")
    assert {entity.type for case in thirteenth for entity in case.entities} == TYPES
    assert len(thirteenth) >= 600
    assert sum(case.words for case in thirteenth if case.file == "ordinary") >= 4_000
    assert sum(case.file in ("negatives", "must_not") for case in thirteenth) >= 120


def test_the_eleventh_part_covers_every_type_and_kind() -> None:
    """Size and mixture."""
    eleventh = cases("eleventh")
    assert {entity.type for case in eleventh for entity in case.entities} == TYPES
    assert len(eleventh) >= 600
    assert sum(case.words for case in eleventh if case.file == "ordinary") >= 2_500
    assert sum(case.file in ("negatives", "must_not") for case in eleventh) >= 120
