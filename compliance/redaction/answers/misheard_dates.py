"""The answer to the question for a date of birth as a recogniser heard it: "twenty fifth of a for".

Where such a date begins of which only the rest was heard well, and what of it may come behind the year.
"""

from typing import Final

from compliance.redaction.answers.plain_words import is_name_alone, is_plain
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

PIECES: Final = word_list("pieces_of_dates")
"""What a recogniser splits off: the "teen" of "for teen", the "tember" of "sep tember"."""
_OF_DATES: Final = kinds.NUMBER | kinds.ORDINAL | kinds.MONTH
_MISHEARD_FIGURES: Final = frozenset({"ate", "won", "free", "sicks", "sick's", "nein", "fife", "teenth"})
_BEHIND_DATES: Final = frozenset(
    ["at", "for", "and", "on", "no", "not", "sorry", "wait", "he's", "she's", "they're", "i'm", "so"]
) | frozenset({"she'll", "he'll"})
"""What goes on talking of a date, or corrects it."""
_REST_TOKENS: Final = 6
_PIECE_TOKENS: Final = 3


def first_figure(tail: Tail, at: int, begin: int) -> int:
    """ "twenty fifth of a for nineteen ninety one": the first figure, well heard or not."""
    figures = (
        here
        for here in range(at, begin)
        if (tail.marks[here] & _OF_DATES and (tail.words[here] != "one" or here == at))
        or tail.words[here] in _MISHEARD_FIGURES
    )
    first = next(figures, begin)
    if first == begin > at + 2 and tail.words[begin - 2] == "of":
        first = begin - 2
    if first == begin and _is_odd_before(tail, at, begin):
        return at
    first = _first_misheard(tail, at, first)
    while at < first == begin and tail.marks[first - 1] & kinds.UNKNOWN:
        first = begin = first - 1
        first = begin = first - bool(first > at and tail.marks[first - 1] & kinds.LETTER)
    while at < first < begin and tail.marks[first - 1] & kinds.UNKNOWN:
        first -= 1
    if at < first < begin and (tail.words[first] in PIECES or tail.words[first - 1] == "the"):
        first -= 1
    return first


def _is_odd_before(tail: Tail, at: int, begin: int) -> bool:
    """ "the force of the ambulance is 1981": a few words, not all of which are of talk."""
    words = [here for here in range(at, begin) if tail.marks[here] & kinds.WORD]
    if len(words) > _MOST_ODD or any(_names(tail, here) for here in words):
        return False
    return any(not (is_plain(tail, here) or tail.marks[here] & kinds.CUE) for here in words)


def _names(tail: Tail, at: int) -> bool:
    """Somebody, or a place."""
    return is_name_alone(tail, at) or bool(tail.marks[at] & kinds.PLACE)


_MOST_ODD: Final = 6


def _first_misheard(tail: Tail, at: int, begin: int) -> int:
    """ "for the april …", "story the night of december": where a day should be that was not heard."""
    if not (tail.marks[begin] & kinds.MONTH or tail.words[begin] == "of"):
        return begin
    here = begin - (tail.words[begin - 1] == "on" and tail.words[begin - 2] not in _BEFORE_DAYS)
    while here > max(at, begin - _MOST_OF_DAY) and tail.words[here - 1] not in _BEFORE_DAYS:
        here -= 1
    return here


_MOST_OF_DAY: Final = 4
_BEFORE_DAYS: Final = frozenset(
    [
        "born",
        "is",
        "it's",
        "was",
        "on",
        "i'm",
        "birthday",
        "that's",
        "that",
        "be",
        "in",
        "yes",
        "no",
        ",",
        ".",
    ]
) | {"well", "so", "back", "think", "been", "say", "said", "birth", "year", "years", "last", "this", "just"}


def is_rest_of_date(tail: Tail, at: int, end: int) -> bool:
    """ "the ate of june" behind the year."""
    if PIECES.intersection(tail.words[at : min(end, at + _PIECE_TOKENS)]):
        return True
    if tail.words[at] in ("an", "and") and tail.marks[at + 1] & kinds.HOMOPHONE and at + 2 == end:
        return True
    if tail.words[at] in _BEHIND_DATES:
        return False
    return at < end <= at + _REST_TOKENS and any(tail.marks[here] & _OF_DATES for here in range(at, end))
