"""The answer to the question for a card's or an insurance number as a recogniser heard it: "won too tree".

Of such an answer all words are figures or letters, or what these are heard as.
"""

from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

_SOUNDS: Final = word_list("letter_sounds") - {
    "do",
    "me",
    "we",
    "us",
    "him",
    "yes",
    "may",
    "say",
    "tell",
    "if",
    "use",
}
_FIGURES: Final = kinds.NUMBER | kinds.LETTER | kinds.PHONETIC
_LEAST: Final = 3
_SURE: Final = 2


def is_figures_as_heard(tail: Tail, at: int, end: int) -> bool:
    """ "for oh won", "an be seven oh won to free for dee"; plain figures and letters are for other rules."""
    words = [here for here in range(at, end) if tail.marks[here] & (kinds.WORD | kinds.DIGITS)]
    if len(words) < _LEAST or not all(_may_be_figure(tail, here) for here in words):
        return False
    if all(tail.marks[here] & _FIGURES for here in words):
        return False
    sure = sum(bool(tail.marks[here] & _FIGURES) or _is_misheard(tail, here) for here in words)
    return sure >= _SURE


def are_figures_heard(tail: Tail, at: int, end: int) -> bool:
    """The "so a free, so one free," before a number: what figures are heard as, two at least surely."""
    words = [here for here in range(at, end) if tail.marks[here] & (kinds.WORD | kinds.DIGITS)]
    sure = sum(bool(tail.marks[here] & kinds.NUMBER) or _is_misheard(tail, here) for here in words)
    return sure >= _SURE and all(_may_be_figure(tail, here) for here in words)


def _may_be_figure(tail: Tail, at: int) -> bool:
    return bool(tail.marks[at] & (_FIGURES | kinds.HOMOPHONE | kinds.PAUSE)) or tail.words[at] in _SOUNDS


def _is_misheard(tail: Tail, at: int) -> bool:
    """What hardly stands in a sentence of such words: "ate", "won"."""
    return bool(tail.marks[at] & kinds.HOMOPHONE) and not tail.marks[at] & kinds.STOP
