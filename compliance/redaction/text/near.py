"""A clinic's own services as a recogniser mishears them: "rhino plasti", "bow tox".

A word, or two joined, is near a term if it begins with the same letter and few letters differ. Common words
are near nothing; of two words one may be common.
"""

from collections.abc import Iterable
from typing import Final

from compliance.redaction.text.lexicon import bare, stem, word_list, words_of

MARKS: Final = frozenset("-\u2010\u2011\u2013/'")
"""What may stand inside a term as a space does."""

_COMMON: Final = word_list("common") | word_list("not_names") | word_list("measures") | word_list("months")
_LEAST_TERM: Final = 5
_LEAST_SAID: Final = 6
_FAR: Final = 99


class NearTerms:
    """Terms to be near to, each joined into one word."""

    def __init__(self, terms: Iterable[str]) -> None:
        self._terms: dict[str, set[str]] = {}
        for term in terms:
            joined = "".join(words_of(term))
            if len(joined) >= _LEAST_TERM:
                self._terms.setdefault(joined[0], set()).add(joined)

    def __bool__(self) -> bool:
        return bool(self._terms)

    def may_begin(self, word: str) -> bool:
        """This word may be the first of two."""
        return any(len(word) <= len(term) for term in self._terms.get(word[0], ()))

    def word(self, word: str) -> int:
        """How far this word is from a term; `_FAR` if it is near none."""
        return _FAR if len(word) < _LEAST_SAID or is_common(word) else self._distance(stem(word))

    def pair(self, first: str, second: str) -> int:
        """How far two words said as one are from a term."""
        said = bare(first) + stem(second)
        if said in self._terms.get(said[0], ()):
            return 0
        return _FAR if is_common(first) and is_common(second) else self._distance(said)

    def picks(self, first: str, second: str | None) -> int:
        """How many words from `first` on are near a term: none, one or two."""
        alone = self.word(first)
        both = _FAR if second is None else self.pair(first, second)
        if both < alone or (both == alone < _FAR and second and not is_common(second)):
            return 2
        return int(alone < _FAR)

    def _distance(self, said: str) -> int:
        if len(said) < _LEAST_SAID:
            return _FAR
        terms = self._terms.get(said[0], ())
        return min((_within(said, term) for term in terms), default=_FAR)


def is_common(word: str) -> bool:
    return word in _COMMON or bare(word) in _COMMON or stem(word) in _COMMON


def _within(said: str, term: str) -> int:
    """The edit distance if it is small for a term of this length, else `_FAR`."""
    most = 1 if len(term) < 8 else 2 if len(term) < 11 else 3
    if abs(len(said) - len(term)) > most or len(set(said) ^ set(term)) > 2 * most:
        return _FAR
    far = edit_distance(said, term)
    return far if far <= most else _FAR


def edit_distance(one: str, other: str) -> int:
    """How many letters to change, add or leave out."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        corner, row[0] = row[0], number
        for at, against in enumerate(other, 1):
            changed = corner + (letter != against)
            corner = row[at]
            row[at] = min(changed, corner + 1, row[at - 1] + 1)
    return row[-1]
