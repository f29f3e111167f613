"""Dates of birth that nothing announces: whole dates long ago, and those of this call said again."""

from typing import Final

from compliance.redaction.talk.view import View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, word_list
from compliance.redaction.text.numbering import MONTHS_BEGIN, NTH
from compliance.redaction.text.spoken import read_element
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import TEENS, TENS

_FULL_YEAR: Final = 4
_OLD_TENS: Final = 4
"""The tens of a year said alone that is hardly of this century."""
_NO_DAY: Final = 3
"""The tens of a year that no date to come has yet, where no figure stands before them."""
_RECENT: Final = frozenset({"200", "201"})
_YEARS: Final = frozenset({"2020", "2021", "2022"})
_CENTURIES: Final = frozenset({"19", "20"})
_CENTURY: Final = 100
_TWO_FIGURES: Final = 2
_EVENT_TOKENS: Final = 9
_EVENTS: Final = word_list("dated_events")
"""Shortly before a date these say what happened on it."""


def is_long_ago(tail: Tail, at: int, end: int, *, recent: bool) -> bool:
    """The date ends with a year of the last century: "1967", "nineteen sixty seven", "sixty seven".

    `recent`: or of the first years of this one, "2009", "two thousand and nine", "twenty eleven".
    """
    if recent and "thousand" in tail.words[max(at, end - 3) : end]:
        return True
    if any(tail.words[here] == "nineteen" for here in range(at + 1, end - 1)):
        return True
    if recent and tail.words[end - 2] == "twenty" and tail.marks[end - 1] & kinds.NUMERAL:
        return tail.words[end - 1] in TEENS
    last = tail.words[end - 1]
    if len(last) == _FULL_YEAR and last.isdecimal():
        return last[:2] == "19" or (recent and (last[:3] in _RECENT or last in _YEARS))
    spoken = next((here for here in range(max(at + 1, end - 3), end) if tail.words[here] in TENS), None)
    if spoken is None or _is_minute(tail, at, spoken):
        return False
    return TENS[tail.words[spoken]] >= (_OLD_TENS if tail.marks[spoken - 1] & kinds.NUMERAL else _NO_DAY)


def _is_minute(tail: Tail, at: int, tens: int) -> bool:
    """ "the ninth of June, nine forty": an hour stands before, behind day and month."""
    if not tail.marks[tens - 1] & kinds.NUMERAL:
        return False
    return any(tail.marks[here] & (kinds.MONTH | kinds.ORDINAL) for here in range(at, tens))


def is_day_of_month(tail: Tail, at: int, end: int) -> bool:
    """Day, month and year, the month by its name or as "of the sixth"."""
    if _is_written(tail, at, end):
        return True
    named = sum(bool(tail.marks[here] & (kinds.MONTH | kinds.ORDINAL)) for here in range(at, end))
    month = any(tail.marks[here] & kinds.MONTH for here in range(at, end))
    return named > (not month) and len(_figures(tail, at, end)) > _TWO_FIGURES


def _is_written(tail: Tail, at: int, end: int) -> bool:
    """ "23/09/1957"."""
    figures = all(tail.marks[here] & kinds.DIGITS for here in (at, at + 2, at + 4))
    if end != at + _WRITTEN_TOKENS or not figures:
        return False
    return tail.words[at + 1] == tail.words[at + 3] and len(tail.words[at + 4]) == _FULL_YEAR


_WRITTEN_TOKENS: Final = 5


def names_event(tail: Tail, at: int) -> bool:
    """ "I had my hip done on", "we moved here on": the date at `at` is one of what happened."""
    return any(bare(word) in _EVENTS for word in tail.words[max(at - _EVENT_TOKENS, 0) : at])


def figures_of_date(tail: Tail, at: int, end: int) -> frozenset[int]:
    """Day, month and year, the year without its century; whatever of them is said."""
    return frozenset(_figures(tail, at, end))


def _figures(tail: Tail, at: int, end: int) -> list[int]:
    figures: list[int] = []
    tens = 0
    while at < end:
        word = tail.words[at]
        nth = NTH.get(word)
        if nth is not None:
            figures.append(tens + nth)
            tens = 0
        elif tail.marks[at] & kinds.MONTH:
            figures.append(MONTHS_BEGIN.index(word[:3]) + 1)
        elif tail.marks[at] & kinds.NUMBER:
            element = read_element(tail, at)
            if element is not None:
                tens = _add(tail, element.digits, element.end, figures)
                at = element.end
                continue
        at += 1
    return [*figures, tens] if tens else figures


def _add(tail: Tail, digits: str, end: int, figures: list[int]) -> int:
    """Take a figure in; gives tens that an ordinal may complete."""
    if digits in _CENTURIES and tail.marks[end] & kinds.NUMERAL:
        return 0
    if digits in ("20", "30") and tail.marks[end + (tail.words[end] == "-")] & kinds.ORDINAL:
        return int(digits)
    figures.append(int(digits) % _CENTURY if len(digits) == _FULL_YEAR else int(digits))
    return 0


def is_said_again(view: View, at: int, end: int) -> bool:
    """Day and month, or more, of a date of birth that was said in this call."""
    if view.expects.dated:
        return False
    figures = figures_of_date(view.tail, at, end)
    return len(figures) >= _TWO_FIGURES and view.expects.is_birth(figures)
