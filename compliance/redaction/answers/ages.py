"""An age told where a date of birth was asked for: "I'm forty six", "she's coming up to eighty"."""

from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.spoken import read_element
from compliance.redaction.text.tokens import Tail

_AGED: Final = frozenset({"i'm", "she's", "he's", "am", "they're", "he'll", "she'll"})
_OF_AGES: Final = frozenset(
    [
        "nearly",
        "almost",
        "about",
        "only",
        "just",
        "over",
        "under",
        "coming",
        "up",
        "to",
        "going",
        "on",
        "around",
    ]
) | {"approaching", "turning", "still", "now", "past", "already", "well", "into"}
_BEFORE_AGES: Final = frozenset({"turned", "be", "aged", "they're", "age", "turning", "turns"})
_BEHIND_AGES: Final = frozenset({"years", "months", "weeks", "days", "odd", "year", "month", "old"})
_AGE_DIGITS: Final = 2
_OF_DATES: Final = kinds.NUMBER | kinds.MONTH | kinds.ORDINAL | kinds.HOMOPHONE


def tells_age(tail: Tail, at: int, end: int) -> bool:
    """ "I'm forty six", "she's coming up to eighty", "six weeks old" where a date of birth was asked for."""
    here = next((here for here in range(at, end) if tail.marks[here] & (kinds.DIGITS | kinds.NUMERAL)), end)
    age = read_element(tail, here) if here < end else None
    if age is None or len(age.digits) > _AGE_DIGITS:
        return False
    if any(tail.marks[rest] & _OF_DATES and tail.words[rest - 1] != "in" for rest in range(age.end, end)):
        return False
    if here > at and all(tail.words[before] in _OF_AGES for before in range(at + 1, here)):
        return tail.words[at] in _AGED or (tail.words[at] in _OF_AGES and tail.words[age.end] in _BEHIND_AGES)
    return tail.words[here - 1] in _BEFORE_AGES or tail.words[age.end] in _BEHIND_AGES
