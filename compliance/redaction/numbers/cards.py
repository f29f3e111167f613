"""When a card expires: "04/31", "oh four thirty", "April twenty nine", where that was named or asked for."""

from typing import Final

from compliance.redaction.talk.view import SURE, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import stem, word_list
from compliance.redaction.text.spoken import read_element
from compliance.redaction.text.tokens import Tail

_PARTS: Final = 4
_LAPSING: Final = word_list("lapsing")
"""What expires as well: "the voucher is valid until March"."""
_LAPSING_TOKENS: Final = 10
_JOINS: Final = frozenset({"/", "-", "slash", "of", "and", "stroke"})


def expiry(view: View, at: int) -> Match | None:
    """A month and a year."""
    if not view.expects.awaits("EXPIRY"):
        return None
    tail = view.tail
    if any(stem(tail.words[at - back]) in _LAPSING for back in range(1, _LAPSING_TOKENS + 1)):
        return None
    here = at
    end = None
    for _ in range(_PARTS):
        if tail.marks[here] & kinds.MONTH:
            here = end = here + 1
        else:
            element = read_element(tail, here)
            if element is None or len(element.digits) > 4:
                break
            here = end = element.end
        here = _behind_joins(view, here)
    if end is None or _is_part(view, at, end) or _has_day(view, at, end):
        return None
    return Match(_behind_year(tail, end), "CARD", SURE)


def _behind_joins(view: View, at: int) -> int:
    """Over "of", "/" and an apostrophe; over a comma where the date was asked for."""
    joins = _JOINS | {","} if "EXPIRY" in view.expects.asked else _JOINS
    at += view.tail.words[at] in joins
    return at + (view.tail.words[at] in _APOSTROPHES and bool(view.tail.marks[at + 1] & kinds.DIGITS))


_APOSTROPHES: Final = frozenset({"'", "\u2018", "\u2019"})


def _behind_year(tail: Tail, at: int) -> int:
    """ "August next year"."""
    return at + 2 if tail.words[at] in ("this", "next") and tail.words[at + 1] == "year" else at


def _has_day(view: View, at: int, end: int) -> bool:
    """ "31 December 2026": no card expires on a day, so only the answer to the question for it is one."""
    tail = view.tail
    if "EXPIRY" in view.expects.asked:
        return _has_written_day(tail, at, end) and not view.expects.in_play("CARD")
    if tail.marks[at] & kinds.MONTH:
        before = at - 1 - (tail.words[at - 1] in ("of", "th", "st", "nd", "rd"))
        return bool(tail.marks[before] & (kinds.NUMBER | kinds.ORDINAL))
    if tail.marks[at - 1] & kinds.MONTH and tail.marks[at - 2] & (kinds.NUMBER | kinds.ORDINAL):
        return True
    return any(tail.marks[here] & kinds.MONTH for here in range(at + 1, end - 1))


_ORDINAL_ENDINGS: Final = frozenset({"th", "st", "nd", "rd"})


def _has_written_day(tail: Tail, at: int, end: int) -> bool:
    """ "the 9th of June 2031": of a passport."""
    if tail.words[end] in _ORDINAL_ENDINGS:
        return bool(tail.glued[end])
    month = at if tail.marks[at] & kinds.MONTH else at - 1
    before = month - 1 - (tail.words[month - 1] == "of")
    return bool(tail.marks[month] & kinds.MONTH) and tail.words[before] in _ORDINAL_ENDINGS


def _is_part(view: View, at: int, end: int) -> bool:
    """One word in a sentence: a month without a year, or a figure that counts something."""
    tail = view.tail
    if end > at + 1 or (tail.marks[at] & kinds.DIGITS and len(tail.words[at]) == _PARTS):
        return False
    if tail.marks[at] & kinds.MONTH:
        return "EXPIRY" not in view.expects.asked
    return bool(tail.marks[end] & kinds.STOP)
