"""Shapes in writing: e-mail addresses, and the dates, times and prices that no other rule may take."""

import re
from typing import Final

from compliance.redaction.talk.view import SURE, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.tokens import Tail

_EMAIL: Final = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@(?:[\w-]+\.)+[^\W\d_]{2,}|[\w.+-]+@[\w-]+")
_SAFE: Final = re.compile(
    r"""
      (?:19|20)\d\d-\d\d?-\d\d?(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?(?![-\d])  # 2023-01-15T10:30:00Z
    | \d{1,2}/\d{1,2}/(?:\d{4}|\d\d)(?![/\d])  # 15/01/2023
    | \d{1,2}([.-])\d{1,2}\1(?:19|20)\d\d(?!\1?\d)  # 15.01.2023
    | (?:19|20)\d\d[-\u2013/](?:19|20)\d\d(?!\d)  # 2019-2021
    | (?:[01]?\d|2[0-4])[:.][0-5]\d(?![.:]?\d)(?:[-\u2013][012]?\d[:.][0-5]\d(?![.:]?\d))?  # 9.15-9.45
    | (?:10|127|172|192)(?:\.\d{1,3}){3}(?![.\d])  # 192.168.0.1
    | \d{1,3}(?:,\d{3})+(?:\.\d+)?(?![,\d])  # 1,250,000
    """,
    re.VERBOSE,
)
_SPOKEN_JOINS: Final = frozenset({"dot", "point", "underscore", "dash", "hyphen", "plus"})
_MOST_NAMES: Final = 2
_PRICE: Final = re.compile(r"[£$€]\d[\d,]*(?:\.\d+)?[kKmM]?")


def written_email(view: View, at: int) -> Match | None:
    """ "john@example.com"; called at any token of a unit that holds, or may hold, the sign."""
    tail = view.tail
    if "@" not in tail.between(tail.starts[at], tail.unit_end(at)):
        return None
    end = view.unit_match(_EMAIL, at)
    if end is not None and tail.words[end] == "dot" and tail.marks[end + 1] & kinds.WORD:
        end += 2  # "t.ford@nhs dot net"
    return None if end is None else Match(end, "EMAIL", SURE)


def begin_of_written(tail: Tail, at: int, sign: int, *, asked: bool) -> int:
    """Where the address begins whose "@" stands at `sign` without a blank before it, at `at` at the earliest.

    Words before it are of the address if a sign that is spoken out joins them ("john dot smith@…"), or if
    they are letters or figures; `asked`: or if nothing else stands before them in the answer.
    """
    here = _begin_of_unit(tail, at, sign)
    while here > at:
        before = here - 1
        if tail.words[before] in _SPOKEN_JOINS:
            here = _begin_of_unit(tail, at, max(at, before - 1))
        elif tail.marks[before] & (kinds.LETTER | kinds.DIGITS | kinds.NUMERAL | kinds.REPEAT):
            here = before
        else:
            break
    whole = asked and here - at <= _MOST_NAMES and all(_may_be_name(tail, each) for each in range(at, here))
    return at if whole else here


def _begin_of_unit(tail: Tail, at: int, here: int) -> int:
    while here > at and tail.glued[here]:
        here -= 1
    return here


def _may_be_name(tail: Tail, at: int) -> bool:
    listed = kinds.FIRST | kinds.MAYBE | kinds.LAST | kinds.UNKNOWN
    return bool(tail.marks[at] & listed) and tail.words[at + 1] not in (",", ".")


def written_safe(view: View, at: int) -> Match | None:
    """Dates, times, prices and grouped thousands in figures: not entities, and no part of a number either."""
    tail = view.tail
    if tail.words[at] in ("£", "$", "€"):
        end = view.unit_match(_PRICE, at)
        return None if end is None else Match(end, None)
    if not tail.marks[at] & kinds.DIGITS or not tail.glued[at + 1]:
        return None
    if tail.glued[at] and tail.words[at - 1] in ("+", "-", ".", "/"):
        return None
    end = view.unit_match(_SAFE, at)
    return None if end is None else Match(end, None)
