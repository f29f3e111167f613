"""Compares what was masked with what is marked. Pure: spans in, counts out.

A masked stretch hits a marked one if they overlap and the types agree; ADDRESS and POSTCODE may stand for
one another. It is exact if everything that must be masked is, and nothing beyond the marked stretch but
punctuation and parts of a neighbour that it may stand for. Characters are letters and digits: blanks and
punctuation tell nothing.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.redaction.corpus import TYPES, Case, Entity

Masked = tuple[int, int, str]
"""Start, end, type; offsets of the case's text."""

_PLACES: Final = frozenset({"ADDRESS", "POSTCODE"})


def agree(one: str, other: str) -> bool:
    """May a stretch of one type be masked as the other?"""
    return one == other or {one, other} <= _PLACES


@dataclass(slots=True)
class TypeScore:
    """Marked and masked stretches of a type, and how many of each found a partner."""

    marked: int = 0
    hit: int = 0
    exact: int = 0
    masked: int = 0
    right: int = 0

    @property
    def f1(self) -> float:
        return f1(self.hit, self.marked, self.right, self.masked)


def f1(hit: int, marked: int, right: int, masked: int) -> float:
    """The harmonic mean of recall and precision; 1 where there is nothing to find and nothing found."""
    if not marked and not masked:
        return 1.0
    recall, precision = hit / marked if marked else 0.0, right / masked if masked else 0.0
    return 2 * recall * precision / (recall + precision) if recall + precision else 0.0


@dataclass(frozen=True, slots=True)
class Miss:
    """A marked stretch that is at least partly readable, of the wrong type or not exact; or one too many."""

    case: Case
    type: str
    value: str
    readable: int
    """Letters and digits of it that reach the public text."""


@dataclass(slots=True)
class Quality:
    """Counts over many cases."""

    types: dict[str, TypeScore] = field(default_factory=lambda: {name: TypeScore() for name in sorted(TYPES)})
    characters: int = 0
    readable: int = 0
    full: int = 0
    exact_used: int = 0
    """Masked stretches that share in an exact hit, beyond the first of each."""
    words: int = 0
    cases: int = 0
    leaks: list[Miss] = field(default_factory=list)
    false: list[Miss] = field(default_factory=list)
    leaks_by_file: Counter[str] = field(default_factory=Counter)

    @property
    def marked(self) -> int:
        return sum(score.marked for score in self.types.values())

    @property
    def leak_percent(self) -> float:
        return 100 * self.readable / self.characters if self.characters else 0.0

    @property
    def full_percent(self) -> float:
        return 100 * self.full / self.marked if self.marked else 100.0

    @property
    def overlap_f1(self) -> float:
        hit, right, masked = (self._sum(name) for name in ("hit", "right", "masked"))
        return f1(hit, self.marked, right, masked)

    @property
    def exact_f1(self) -> float:
        exact, masked = self._sum("exact"), self._sum("masked") - self.exact_used
        return f1(exact, self.marked, exact, masked)

    @property
    def false_positives(self) -> int:
        return len(self.false)

    @property
    def false_per_1000_words(self) -> float:
        return 1000 * self.false_positives / self.words if self.words else 0.0

    def _sum(self, name: str) -> int:
        return sum(getattr(score, name) for score in self.types.values())

    def add(self, case: Case, masked: Sequence[Masked]) -> None:
        """Count one case."""
        self.cases += 1
        self.words += case.words
        hidden = {at for start, end, _ in masked for at in range(start, end)}
        for entity in case.entities:
            if telling := telling_characters(case.text, entity):
                self._add_entity(case, entity, masked, len(telling - hidden), len(telling))
        for start, end, kind in masked:
            self._add_masked(case, start, end, kind)

    def _add_entity(
        self, case: Case, entity: Entity, masked: Sequence[Masked], readable: int, characters: int
    ) -> None:
        self.characters += characters
        self.readable += readable
        self.full += not readable
        score = self.types[entity.type]
        score.marked += 1
        partners = [each for each in masked if agree(each[2], entity.type) and overlaps(each, entity)]
        score.hit += bool(partners)
        if partners and is_exact(case, entity, partners):
            score.exact += 1
            self.exact_used += len(partners) - 1
        if readable:
            self.leaks_by_file[case.file] += readable
            self.leaks.append(Miss(case, entity.type, case.text[entity.start : entity.end], readable))

    def _add_masked(self, case: Case, start: int, end: int, kind: str) -> None:
        partners = [
            entity
            for entity in case.entities
            if overlaps((start, end, kind), entity) and agree(kind, entity.type)
        ]
        if partners and not any(telling_characters(case.text, entity) for entity in partners):
            return  # it may be masked and need not be
        credited = next((each for each in partners if each.type == kind), partners[0] if partners else None)
        score = self.types[credited.type if credited else kind]
        score.masked += 1
        score.right += bool(partners)
        if not partners:
            self.false.append(Miss(case, kind, case.text[start:end], 0))


def telling_characters(text: str, entity: Entity) -> set[int]:
    """Places of the letters and digits that have to be masked."""
    return {at for at in range(entity.start, entity.end) if at not in entity.optional and text[at].isalnum()}


def overlaps(masked: Masked, entity: Entity) -> bool:
    """Do they share a character?"""
    return masked[0] < entity.end and entity.start < masked[1]


def is_exact(case: Case, entity: Entity, partners: Iterable[Masked]) -> bool:
    """Do these together mask all of it and, blanks and punctuation apart, nothing else?"""
    covered = {at for start, end, _ in partners for at in range(start, end) if case.text[at].isalnum()}
    allowed = {
        at
        for other in case.entities
        if agree(other.type, entity.type)
        for at in range(other.start, other.end)
    }
    return telling_characters(case.text, entity) <= covered <= allowed
