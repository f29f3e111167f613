"""Medical words as somebody writes them who only heard them: "hemorroids", "migren", "insuline", "astma".

A word of no list at all is compared with the terms that have the same consonants; few letters may differ.
"""

from typing import Final

from compliance.redaction.medical.drug_sounds import sounds
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import stem, word_list
from compliance.redaction.text.near import edit_distance
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import MEDICAL, american

_NAMES: Final = kinds.SELDOM | kinds.FIRST | kinds.LAST | kinds.MAYBE | kinds.PLACE
_LISTED: Final = _NAMES | kinds.RARER | kinds.COMMON
_LEAST_LETTERS: Final = 5
_LONG: Final = 8
_LEAST_SOUNDS: Final = 2
_FEW_SOUNDS: Final = 3
_NAMED: Final = word_list("brands") | word_list("not_names")


def _by_sounds() -> dict[str, tuple[str, ...]]:
    heard: dict[str, set[str]] = {}
    for term in {*MEDICAL, *map(stem, MEDICAL), *map(american, MEDICAL)}:
        if term.isalpha() and len(term) >= _LEAST_LETTERS and len(key := sounds(term)) >= _LEAST_SOUNDS:
            heard.setdefault(key, set()).add(term)
    return {key: tuple(terms) for key, terms in heard.items()}


_TERMS: Final = _by_sounds()


def is_misspelled(tail: Tail, at: int) -> bool:
    """The word at `at` is of no list and sounds like a medical term of one word."""
    kind = tail.marks[at]
    word = stem(tail.words[at])
    if not kind & kinds.UNKNOWN or kind & _LISTED or len(word) < _LEAST_LETTERS or word in _NAMED:
        return False
    key = sounds(word)
    return any(_is_near(word, term, key) for term in _TERMS.get(key, ()))


def _is_near(word: str, term: str, key: str) -> bool:
    if word[0] != term[0]:
        return False
    most = 1 if len(key) <= _FEW_SOUNDS else 3 if max(len(word), len(term)) >= _LONG else 2
    return edit_distance(word, term) <= most
