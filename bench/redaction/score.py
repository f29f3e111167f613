"""Scores one way of finding entities on a corpus: whole texts, and streamed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bench.harness.figures import percentile
from bench.redaction.corpus import ENTITY_FREE, Case
from bench.redaction.quality import Masked, Quality
from bench.redaction.streaming import CallRedactor, Cutter, stream

NOISY = "noisy"
"""The file of answers that were spoken and heard again; they are scored apart."""

Find = Callable[[str], Sequence[Masked]]


@dataclass(frozen=True, slots=True)
class Scores:
    """`main`: marked cases and hard negatives. The rest: one kind of file each."""

    main: Quality = field(default_factory=Quality)
    noisy: Quality = field(default_factory=Quality)
    ordinary: Quality = field(default_factory=Quality)
    negatives: Quality = field(default_factory=Quality)
    must_not: Quality = field(default_factory=Quality)

    def add(self, case: Case, masked: Sequence[Masked]) -> None:
        if case.file == NOISY:
            self.noisy.add(case, masked)
        elif case.file in ENTITY_FREE:
            {"ordinary": self.ordinary, "negatives": self.negatives, "must_not": self.must_not}[
                case.file
            ].add(case, masked)
        if case.file not in (NOISY, "ordinary"):
            self.main.add(case, masked)


@dataclass(slots=True)
class StreamScores:
    """One way of cutting: what leaks, and what is held back."""

    scores: Scores = field(default_factory=Scores)
    held_back: list[int] = field(default_factory=list)
    """Characters fed and not yet published, after each feed."""
    means: list[float] = field(default_factory=list)
    """The same, averaged over each case's feeds."""

    def held_at(self, share: float) -> int:
        return round(percentile(self.held_back, 100 * share)) if self.held_back else 0

    def mean_at(self, share: float) -> float:
        return percentile(self.means, 100 * share) if self.means else 0.0


def score_whole(cases: Iterable[Case], find: Find) -> Scores:
    """Each case's text at once."""
    scores = Scores()
    for case in cases:
        scores.add(case, find(case.text))
    return scores


def score_streamed(cases: Iterable[Case], start: Callable[[], CallRedactor], cut: Cutter) -> StreamScores:
    """Each case a call of its own, both sides fed in order."""
    streamed = StreamScores()
    for case in cases:
        one = stream(case, start(), cut)
        streamed.scores.add(case, one.masked)
        streamed.held_back += one.held_back
        if one.held_back:
            streamed.means.append(sum(one.held_back) / len(one.held_back))
    return streamed
