"""What follows a street on an address: a flat, a quarter, the town and the county.

Each function gives the index behind what it found, or None; `to_town` how far the address goes.
"""

from typing import Final

from compliance.redaction import kinds
from compliance.redaction.codes import alphanumeric
from compliance.redaction.dwellings import FLATS, dwelling
from compliance.redaction.lexicon import word_list
from compliance.redaction.name_words import NOT_NAMES
from compliance.redaction.streets import TOWN_WORDS, house_number, street_name, town
from compliance.redaction.tokens import Tail
from compliance.redaction.view import View

_TAIL_TOKENS: Final = 12
_BEFORE_TOWNS: Final = frozenset({",", ".", "in", "near", "at", "outside", "just"})


def to_town(view: View, at: int) -> int:
    """Over commas and "in" to the town and the county; stops before the postcode."""
    tail = view.tail
    named = town(tail, at)
    end = at if named is not None and named > at + 1 else street_name(tail, at, wanted=False) or at
    limit = end + _TAIL_TOKENS
    here = end
    while here < limit:
        begin = here
        while tail.words[begin] in _BEFORE_TOWNS:
            begin += 1
        found = town(tail, begin) or _second_dwelling(tail, begin) or _quarter(tail, begin, here)
        if found is None and begin > here and "," in tail.words[here:begin]:
            found = _capitals(view, begin)
        if found is None and begin == here == end:
            found = _unlisted(view, begin)
        if found is None:
            return end
        end = here = _on_the_river(tail, found)
    return end


def _second_dwelling(tail: Tail, at: int) -> int | None:
    """The "apartment 12" or "number 3" behind an American street."""
    if tail.words[at] in ("lot", "trailer", "space") and tail.marks[at + 1] & kinds.NUMBER:
        return house_number(tail, at + 1)
    if tail.words[at] == "number":
        return house_number(tail, at + 1)
    if tail.words[at] in FLATS:
        number = house_number(tail, at + 1)
        if number is None and tail.marks[at + 1] & kinds.SPELLED:
            return at + 2
        return number or dwelling(tail, at)
    return None


def _quarter(tail: Tail, at: int, street: int) -> int | None:
    """ "South" right behind a street, and "in Bermondsey": a place of no list."""
    if at == street and tail.words[at] in ("north", "south", "east", "west"):
        return at + 1
    named = tail.words[at - 1] in ("in", "near", "outside") and at > street
    return at + 1 if named and _fits_town(tail, at) else None


def _fits_town(tail: Tail, at: int) -> bool:
    kind = tail.marks[at]
    return bool(kind & (kinds.UNKNOWN | kinds.LAST)) and not kind & (kinds.COMMON | kinds.ALONE | kinds.STOP)


def _unlisted(view: View, at: int) -> int | None:
    """A place of no list right behind a street: capitalised, before a listed one, or one expected."""
    tail = view.tail
    if tail.marks[at] & (kinds.PAIR | kinds.STOP) or alphanumeric(view, at) is not None:
        return None
    if not tail.capital[at]:
        for end in (at + 1, at + 2):
            if not _may_be_of_town(tail, end - 1):
                break
            if town(tail, end) is not None:
                return end
    if not _fits_town(tail, at):
        return _expected_place(view, at) or _last_words(tail, at)
    asked = "ADDRESS" in view.expects.asked and bool(tail.marks[at] & kinds.UNKNOWN)
    strange = tail.marks[at] & kinds.UNKNOWN and not tail.marks[at] & kinds.RARER
    if tail.capital[at] or asked or strange:
        return _on_the_river(tail, at + 1)
    return _expected_place(view, at) or _last_words(tail, at)


def _on_the_river(tail: Tail, at: int) -> int:
    """Over "on the Wold" or "upon Avon" behind a town; "on Monday" is none."""
    if tail.words[at] not in ("on", "upon", "under", "le", "by"):
        return at
    end = at + 1 + (tail.words[at + 1] == "the")
    kind = tail.marks[end]
    placed = tail.capital[end] and tail.capital[at - 1] and not kind & (kinds.MONTH | kinds.STOP)
    return end + 1 if (placed and not kind & kinds.COMMON) or tail.words[end] in _RIVERS else at


_RIVERS: Final = word_list("town_endings")
"""What towns lie on: "on the wold", "upon avon"."""


def _last_words(tail: Tail, at: int) -> int | None:
    """One or two words between a street and the end of the turn: "church lane nether wallop"."""
    for end in (at + 1, at + 2):
        if not _may_be_of_town(tail, end - 1) or tail.words[end - 1] in NOT_NAMES:
            return None
        stop = end + (tail.words[end] in (".", ","))
        if tail.marks[stop] & kinds.END:
            return end if not tail.marks[end - 1] & kinds.COMMON else None
    return None


def _expected_place(view: View, at: int) -> int | None:
    """Where an address was named or asked for: up to three words of which the last is no ordinary one."""
    if not view.expects.awaits("ADDRESS"):
        return None
    tail = view.tail
    for end in range(at, at + TOWN_WORDS):
        if not _may_be_of_town(tail, end) or alphanumeric(view, end) is not None:
            return None
        if _fits_town(tail, end):
            return _on_the_river(tail, end + 1)
    return None


def _may_be_of_town(tail: Tail, at: int) -> bool:
    never = kinds.STOP | kinds.MONTH | kinds.NUMBER | kinds.LETTER | kinds.PHONETIC | kinds.ALONE
    return bool(tail.marks[at] & kinds.WORD) and not tail.marks[at] & never


def _capitals(view: View, at: int) -> int | None:
    """Capitalised words behind a comma: a town of no list."""
    tail = view.tail
    end = at
    while end < at + TOWN_WORDS and tail.capital[end] and not tail.marks[end] & kinds.STOP:
        if alphanumeric(view, end) is not None or tail.marks[end] & (kinds.MONTH | kinds.LETTER):
            break
        end += 1
    return None if end == at else end
