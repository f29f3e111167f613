"""Names of East and South-East Asia, said in syllables: "chen mei ling", "park ji woo", "nguyen thi hoa".

Many of the syllables are English words or of no list, so that only the run of them tells the name.
"""

from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, word_list
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import kind_of, mark_words

_SURNAMES: Final = word_list("syllabic_surnames")
_SYLLABLES: Final = word_list("name_syllables")
mark_words({"li", "ng"}, kinds.MAYBE)
BEGINS_SYLLABIC: Final = frozenset(word for word in _SURNAMES | _SYLLABLES if not kind_of(word) & kinds.STOP)
"""The words that such a name may begin with."""
_MOST_SYLLABLES: Final = 4
_LEAST_UNTOLD: Final = 2
"""Syllables that are no English words, where no name was asked for or announced."""


def syllabic_end(tail: Tail, at: int, *, told: bool) -> int | None:
    """Behind the name of syllables that begins at `at`; `told`: a name was asked for or announced."""
    here = at
    surnames = strange = 0
    while here < at + _MOST_SYLLABLES and _is_syllable(tail, here):
        surnames += bare(tail.words[here]) in _SURNAMES
        strange += not tail.marks[here] & kinds.COMMON
        here += 1
    while here > at and tail.marks[here - 1] & kinds.STOP and _goes_on(tail, here):
        here -= 1
    least = 1 if told or tail.capital[at] else _LEAST_UNTOLD
    whole = here > at + 1 and surnames and (strange >= least)
    return here if whole else None


def _is_syllable(tail: Tail, at: int) -> bool:
    word = bare(tail.words[at])
    return word in _SYLLABLES or word in _SURNAMES


def _goes_on(tail: Tail, at: int) -> bool:
    """The sentence goes on with a word that builds sentences."""
    return bool(tail.marks[at] & kinds.WORD)
