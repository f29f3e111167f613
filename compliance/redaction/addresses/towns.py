"""Towns, counties, states and countries of the lists, as addresses name them."""

from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.spoken import read_element
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import TOWNS, mark_words

_TOWN_MOST: Final = 4
_MEASURES: Final = word_list("measures")
_TOWNS: Final = {tuple(town.split()) for town in TOWNS}
_COUNTIES: Final = {town[1] for town in _TOWNS if town[0] == "county" and len(town) == 2}
mark_words({"co"}, kinds.TOWN)
_DISTRICTED: Final = frozenset(
    {"dublin", "cork", "belfast", "london", "leeds", "sheffield", "bristol", "birmingham", "manchester"}
)
"""Towns whose districts are numbered: "Dublin 6"."""


def town(tail: Tail, at: int) -> int | None:
    """A town, county, state or country of the lists, with the number of its district."""
    if not tail.marks[at] & kinds.TOWN:
        return None
    if tail.words[at] == "co":
        return _short_county(tail, at + 1 + (tail.words[at + 1] == "."))
    for length in range(_TOWN_MOST, 0, -1):
        if tuple(tail.words[at + ahead] for ahead in range(length)) in _TOWNS:
            return _district(tail, at + length) if tail.words[at] in _DISTRICTED else at + length
    return None


def _short_county(tail: Tail, at: int) -> int | None:
    """Behind the "Cork" of "Co. Cork"."""
    return at + 1 if tail.words[at] in _COUNTIES else None


def is_sure_town(tail: Tail, at: int) -> bool:
    """A town, and no word of every day in lower case: "reading"."""
    found = town(tail, at)
    return found is not None and (found > at + 1 or tail.capital[at] or not tail.marks[at] & kinds.COMMON)


def _district(tail: Tail, at: int) -> int:
    """ "6", "six west" or "24" behind "Dublin"."""
    number = read_element(tail, at) if tail.marks[at] & (kinds.DIGITS | kinds.NUMERAL) else None
    if number is None or len(number.digits) > 2 or tail.words[number.end] in _MEASURES:
        return at
    return number.end + (tail.words[number.end] in ("w", "west"))
