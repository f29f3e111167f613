"""Which of a clinic's services a caller asks about, from their own words. Pure: words in, an id out.

A service is meant by its name, by a synonym, or by its name without the general word at the end (of
"Rhinoplasty consultation" the first word). What is heard badly ("rino plasty") counts if it is close to one
name alone.
A name that the caller turns down ("no filler", "not a nose job") does not count; of several, the last. What
turns a name down stands in the same clause: "No, a nose job." corrects, and asks for one.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final
from uuid import UUID

from booking.types import Service

_GENERAL: Final = frozenset(
    {"appointment", "consult", "consultation", "procedure", "session", "surgery", "treatment"}
)
_DECLINED: Final = frozenset(
    {"no", "not", "without", "never", "dont", "didnt", "isnt", "wasnt", "wouldnt", "instead", "than"}
)
_DECLINES_WITHIN: Final = 3  # words between "not" and the name: "don't want a nose job"
_CLOSE: Final = 0.87
_SHORTEST_CLOSE: Final = 7  # letters: shorter names are too much like other words
_SHORTEST_SINGULAR: Final = 4
_APOSTROPHES: Final = re.compile("['\N{RIGHT SINGLE QUOTATION MARK}]")
_WORD: Final = re.compile(r"[a-z0-9]+")
# A clause's end; not the points and commas within "P.R.P." or "1,500".
_CLAUSE_END: Final = re.compile(r"[,.;:!?](?!\w)|[\N{EN DASH}\N{EM DASH}]")


def words_of(text: str) -> list[str]:
    """Words without accents, hyphens, apostrophes and plurals."""
    return [word for clause in _clauses_of(text) for word in clause]


def _clauses_of(text: str) -> list[list[str]]:
    return [_words_of(clause) for clause in _CLAUSE_END.split(text)]


def _words_of(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text.casefold()))
    return [_singular(word) for word in _WORD.findall(plain.encode("ascii", "ignore").decode())]


def _singular(word: str) -> str:
    if len(word) > _SHORTEST_SINGULAR and word.endswith("ies"):
        return word[:-3] + "y"
    plural = len(word) > _SHORTEST_SINGULAR and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if plural else word


@dataclass(frozen=True, slots=True)
class _Name:
    words: tuple[str, ...]
    service_id: UUID

    @property
    def letters(self) -> str:
        return "".join(self.words)


class Procedures:
    """What a clinic's services are called. It holds nothing of a caller."""

    def __init__(self, services: Sequence[Service]) -> None:
        told = [
            _Name(tuple(words_of(name)), service.id)
            for service in services
            for name in (service.name, *service.synonyms)
        ]
        self._names = [*filter(lambda name: name.words, told), *_shortened(told)]
        self._names.sort(key=lambda name: len(name.letters), reverse=True)

    def asked(self, said: str) -> UUID | None:
        """The service that is asked about in these words; None if none is, or it is turned down."""
        clauses = _clauses_of(said)
        words = [word for clause in clauses for word in clause]
        found = list(self._exact(words)) or list(self._close(words))
        begins = [sum(map(len, clauses[:index])) for index in range(len(clauses))]
        wanted = [each for each in found if not _declined(words, begins, each[0])]
        return max(wanted, key=lambda each: each[0])[1] if wanted else None

    def _exact(self, words: Sequence[str]) -> Iterable[tuple[int, UUID]]:
        """Each name where it stands; within a longer name a shorter one is not meant."""
        taken: set[int] = set()
        for name in self._names:
            length = len(name.words)
            for start in range(len(words) - length + 1):
                place = set(range(start, start + length))
                if tuple(words[start : start + length]) == name.words and not place & taken:
                    taken |= place
                    yield start, name.service_id

    def _close(self, words: Sequence[str]) -> Iterable[tuple[int, UUID]]:
        """Up to three words that sound like one name, and of one service alone."""
        names = [name for name in self._names if len(name.letters) >= _SHORTEST_CLOSE]
        for start in range(len(words)):
            for length in (1, 2, 3):
                heard = "".join(words[start : start + length])
                close = {name.service_id for name in names if _is_close(heard, name.letters)}
                if start + length <= len(words) and len(close) == 1:
                    yield start, close.pop()


def _shortened(names: Sequence[_Name]) -> list[_Name]:
    """Names without the general words at their end, as far as each is left to one service."""
    short: dict[tuple[str, ...], set[UUID]] = {}
    for name in names:
        words = name.words
        while len(words) > 1 and words[-1] in _GENERAL:
            words = words[:-1]
        if words != name.words and not set(words) <= _GENERAL:
            short.setdefault(words, set()).add(name.service_id)
    taken = {name.words for name in names}
    return [
        _Name(words, next(iter(owners)))
        for words, owners in short.items()
        if len(owners) == 1 and words not in taken
    ]


def _is_close(heard: str, name: str) -> bool:
    if abs(len(heard) - len(name)) > len(name) // 5 or heard[:1] != name[:1]:
        return False
    return SequenceMatcher(None, heard, name, autojunk=False).ratio() >= _CLOSE


def _declined(words: Sequence[str], begins: Sequence[int], start: int) -> bool:
    """`begins`: where clauses begin."""
    clause = max(begin for begin in begins if begin <= start)
    return any(word in _DECLINED for word in words[max(start - _DECLINES_WITHIN, clause) : start])
