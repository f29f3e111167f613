"""Dates of birth told from today ("the first of this month") or by the year alone."""

from typing import Final

from compliance.redaction.talk.view import View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.spoken import Element, read_element
from compliance.redaction.text.tokens import Tail

_WHICH: Final = frozenset({"this", "last"})
_MEASURES: Final = word_list("measures")
_MOST_DAYS: Final = 31
_MOST_MONTHS: Final = 12
_SHORT_YEAR: Final = 2


def behind_relative(tail: Tail, at: int) -> int | None:
    """Behind "this year", ", last year", "of this month", "of last month"; None if nothing of it follows."""
    here = at + (tail.words[at] in (",", "of"))
    told = tail.words[here] in _WHICH and tail.words[here + 1] in ("year", "month")
    return here + 2 if told else None


def bare_year(view: View, at: int) -> int | None:
    """Behind "seventy nine", "oh six" or "54", which are years where the year of birth was asked for."""
    tail = view.tail
    first = read_element(tail, at) if tail.marks[at] & (kinds.DIGITS | kinds.NUMERAL) else None
    if first is None or first.kind not in "dytz":
        return None
    last = read_element(tail, first.end) if first.kind in "tz" else None
    digits = first.digits + (last.digits if last is not None else "")
    end = first.end if last is None else last.end
    if len(digits) != _SHORT_YEAR or tail.words[end] in _MEASURES:
        return None
    return end


def is_day_month_year(tail: Tail, at: int, end: int) -> bool:
    """ "one one eighty", "3 4 85": three figures that fit, with no more of them behind."""
    if tail.marks[end] & kinds.NUMBER or tail.words[end] in _MEASURES:
        return False
    parts: list[Element] = []
    while at < end:
        if parts and tail.words[at] in ("/", "-", "."):
            at += 1
            continue
        part = read_element(tail, at) if tail.marks[at] & (kinds.DIGITS | kinds.NUMERAL) else None
        if part is None:
            return False
        parts.append(part)
        at = part.end
    if [len(part.digits) for part in parts[2:]] != [_SHORT_YEAR]:
        return False
    first, second = int(parts[0].digits), int(parts[1].digits)
    return (
        0 < min(first, second) <= _MOST_MONTHS and max(first, second) <= _MOST_DAYS and parts[2].kind in "dyt"
    )
