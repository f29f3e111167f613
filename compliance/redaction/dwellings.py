"""Where in a building somebody lives, and boxes for letters: "flat 2", "top floor flat", "PO box 42".

Each function looks at the tokens from one place on and gives the index behind what it found, or None.
"""

from typing import Final

from compliance.redaction import kinds
from compliance.redaction.lexicon import word_list
from compliance.redaction.spoken import read_element
from compliance.redaction.streets import (
    COUNTED,
    TOWN_WORDS,
    begins_street,
    house_name,
    house_number,
    numbered_street,
    street_name,
)
from compliance.redaction.tokens import Tail

FLATS: Final = frozenset({"flat", "apartment", "apt", "unit", "suite", "penthouse", "maisonette", "studio"})
_FLOORS: Final = word_list("floors")
_ON_FLOORS: Final = frozenset({"flat", "apartment", "maisonette", "floor"})


def dwelling(tail: Tail, at: int) -> int | None:
    """ "flat 2", "apartment 4B", "basement flat", "number fourteen"; None if it may be something else."""
    word = tail.words[at]
    if word in _FLOORS:
        return _floor(tail, at)
    here = at + 1
    if word == "number":
        return numbered_street(tail, here)
    if tail.words[here] in ("number", "#"):
        here += 1
    number = _flat_number(tail, here) if word in FLATS else house_number(tail, here)
    if number is None and (word in FLATS or word == "block") and tail.marks[here] & kinds.SPELLED:
        number = here + 1
    if number is None or word in ("flat", "apartment", "apt", "penthouse", "maisonette"):
        return number
    follows = number + (tail.words[number] == ",")
    named = begins_street(tail, follows) or house_name(tail, follows) is not None
    named = named or (word == "unit" and street_name(tail, follows, wanted=True) is not None)
    return number if named or (tail.words[follows] in FLATS and dwelling(tail, follows)) else None


def _flat_number(tail: Tail, at: int) -> int | None:
    """The number of a flat, which may have that of the house right behind: "flat two sixty one Elm Road"."""
    if tail.marks[at] & kinds.NUMERAL:
        first = read_element(tail, at)
        if first is not None and begins_street(tail, first.end) and tail.marks[first.end] & kinds.NUMBER:
            return first.end
    return house_number(tail, at)


def _floor(tail: Tail, at: int) -> int | None:
    """ "basement flat", "first floor", "top floor flat", before a street."""
    here = at + 1
    while tail.words[here] in _ON_FLOORS and here <= at + 2:
        here += 1
    if here == at + 1 and (tail.words[at] != "basement" or tail.words[here] != ","):
        return None
    if tail.marks[here] & (kinds.NUMBER | kinds.LETTER) and not begins_street(tail, here):
        here = house_number(tail, here) or here + 1
    follows = here + (tail.words[here] in (",", "at", "of"))
    follows += tail.words[follows] == "number"
    if tail.words[here - 1] in ("flat", "apartment") and tail.marks[follows] & (kinds.DIGITS | kinds.NUMERAL):
        number = house_number(tail, follows)
        return here if number is not None and tail.words[number] not in COUNTED else None
    return here if begins_street(tail, follows) else None


def post_box(tail: Tail, at: int) -> int | None:
    """ "PO box 42", "P O box forty two"."""
    begin = at + 1 if tail.words[at] == "po" else at
    if begin == at:
        while tail.words[begin] in ("p", "o", ".") and begin < at + TOWN_WORDS + 1:
            begin += 1
    return house_number(tail, begin + 1) if begin > at and tail.words[begin] == "box" else None
