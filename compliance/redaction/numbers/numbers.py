"""Phones, cards and other long numbers, written or said digit by digit.

Validity does not decide: a number that is long enough, named or asked for is masked whatever its check digit
says. Check digits only tell types apart. Amounts, times, dates and counting are known by how they are built.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from compliance.redaction.numbers.number_types import (
    AWAITED_DIGITS,
    CORRECTING,
    NUMBER_SLOTS,
    SPELLED_DIGITS,
    WHOLE,
    Said,
    number_type,
)
from compliance.redaction.numbers.patterns import written_safe
from compliance.redaction.talk.view import Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.spoken import Element, is_times, read_element, skip_gap
from compliance.redaction.text.tokens import Tail

_RUN_TOKENS: Final = 56
_CLOCK_PARTS: Final = 3
_HOURS: Final = 4
_BEFORE_HOURS: Final = frozenset({"between", "after", "before", "until", "till"})
"""Before so few digits these tell when: "not between nine and three"."""
_CHECK_LETTERS: Final = 2
_PPS_DIGITS: Final = 7
"""Of a personal public service number of Ireland, before its letters: "7451208FA"."""
_ROUTE_DIGITS: Final = 3
_WHOLE_DIGITS: Final = 10
_BRITISH_DIGITS: Final = 11
_BETWEEN: Final = frozenset({"and", "then", ",", ";", "."})
_BEFORE_ONE: Final = frozenset(
    {
        "new",
        "old",
        "other",
        "this",
        "that",
        "right",
        "correct",
        "current",
        "wrong",
        "my",
        "first",
        "second",
        "last",
    }
)
_AFTER_ONE: Final = frozenset(
    {"is", "was", "ends", "starts", "begins", "has", "would", ",", ":", "with", "."}
)
_BEFORE_DIGITS: Final = frozenset(
    {"is", "it's", "that's", "and", "then", "was", "on", "number", "yes", "in", "ends"}
)
_RESTARTING: Final = CORRECTING - {"sorry", "not", "mean"}


def number(view: View, at: int) -> Match | None:
    """A phone, card or other long number, or (untyped) an amount, a time, a date: all of it at once."""
    tail = view.tail
    begin = at
    if _is_pronoun(tail, at):
        return None
    if tail.words[at] in ("+", "(", "plus", "not"):
        begin += 1
    if not tail.marks[begin] & (kinds.NUMBER | kinds.HOMOPHONE):
        return None
    elements = _without_minutes(tail, _read_run(view, begin))
    if _counts_last(tail, begin, elements):
        return Match(begin + 1, None)
    if not elements or (elements[0].end == begin + 1 and len(elements) == 1 and _is_letter_o(tail, begin)):
        return None
    end = elements[-1].end
    said = Said(
        elements=elements,
        groups=_comma_groups(tail, elements),
        digits="".join(element.digits for element in elements),
        plus=tail.words[at] in ("+", "plus"),
        dashed=any(tail.words[element.end] == "-" for element in elements[:-1]),
        follows=tail.words[end],
        is_all=tail.words[at - 1] in ("", ":") and _ends_turn(tail, end),
        is_route=tail.words[at - 1] == "the" and sum(len(each.digits) for each in elements) <= _ROUTE_DIGITS,
    )
    clock = len(elements) == _CLOCK_PARTS and not said.is_all and _is_clock(tail, elements)
    if clock or (tail.words[at - 1] in _BEFORE_HOURS and len(said.digits) <= _HOURS):
        return Match(end, None)
    entity, confidence = number_type(view, said)
    if tail.words[at] == "not" and not (entity == "PHONE" and _lacks_nought(said.digits)):
        return None
    if entity is None:
        return Match(end, None)
    if entity == "PHONE" and _is_pps(tail, said.digits, end):
        entity, end = "GOV_ID", end + 1
    end = _behind_letters(tail, end) if entity == "GOV_ID" else end
    short = len(said.digits) < WHOLE.get(entity, 0)
    return Match(end, entity, confidence, runs_on=short and _ends_turn(tail, end), whole=not short)


def _is_pps(tail: Tail, digits: str, end: int) -> bool:
    """ "7451208FA": a letter or two right behind seven digits."""
    letters = tail.words[end] if tail.glued[end] and len(digits) == _PPS_DIGITS else ""
    return letters.isalpha() and len(letters) <= _CHECK_LETTERS


def _is_clock(tail: Tail, elements: Sequence[Element]) -> bool:
    """ "five to nine", heard as three digits."""
    if [element.kind for element in elements[1:]] not in (["c", "u"], ["c", "t"]):
        return False
    return tail.words[elements[1].start] == "to" and elements[0].kind in "uty"


def _behind_letters(tail: Tail, at: int) -> int:
    """Behind the one or two letters that end a number of Ireland's: "1234567 T", "… seven t a"."""
    end = at
    while tail.marks[end] & kinds.LETTER and end < at + _CHECK_LETTERS:
        end += 1
    return at if tail.marks[end] & kinds.WORD else end


def _lacks_nought(digits: str) -> bool:
    """A British number but for its first digit: that was the "not" before it."""
    return len(digits) in (9, 10) and digits[0] in "1237"


def _is_pronoun(tail: Tail, at: int) -> bool:
    """The "one" of "the new one is"."""
    if tail.words[at] != "one" or tail.marks[at - 1] & kinds.NUMBER:
        return False
    before = tail.marks[at - 1] & kinds.COMMON and tail.words[at - 1] not in _BEFORE_DIGITS
    if before and tail.words[at + 1] == ",":
        return True
    return tail.words[at - 1] in _BEFORE_ONE and tail.words[at + 1] in _AFTER_ONE


def _without_minutes(tail: Tail, elements: list[Element]) -> list[Element]:
    """The times of "ten thirty and ten past two" without the minutes of the last."""
    timed = len(elements) > 1 and tail.words[elements[-1].end] in _BEHIND_MINUTES
    return elements[:-1] if timed and is_times(elements[:-1]) else elements


def _counts_last(tail: Tail, at: int, elements: Sequence[Element]) -> bool:
    """The "four" of "the last four, two two one nine"; the "oh" of "oh, nineteen seventy nine"."""
    digits = sum(len(element.digits) for element in elements[1:])
    if tail.words[at - 1] in _LASTS and digits:
        return elements[0].digits in _COUNTED and int(elements[0].digits) == digits
    year = [element.kind for element in elements[1:]] in (["t", "y"], ["t", "t"], ["y", "y"], ["y", "t"])
    return tail.words[at] == "oh" and year and elements[1].digits in _CENTURIES


_BEHIND_MINUTES: Final = frozenset({"past", "to"})
_LASTS: Final = frozenset({"last", "first", "final"})
_COUNTED: Final = frozenset({"2", "3", "4", "5", "6"})
_CENTURIES: Final = frozenset({"18", "19", "20"})


def _is_letter_o(tail: Tail, at: int) -> bool:
    """The letter, in a spelling: "o k a f o r"; that of "c/o"; the "oh," before an answer."""
    if tail.words[at] != "o":
        return tail.words[at] == "oh" and tail.words[at + 1] in (",", ".", "-", "!")
    return bool(tail.marks[at + 1] & kinds.LETTER) or (tail.glued[at] and tail.words[at - 1] == "/")


def _ends_turn(tail: Tail, at: int) -> bool:
    """Nothing but a mark or two follows."""
    return any(tail.marks[at + ahead] & kinds.END for ahead in range(3)) and not (
        tail.marks[at] & kinds.WORD or tail.marks[at + 1] & kinds.WORD
    )


def _comma_groups(tail: Tail, elements: Sequence[Element]) -> list[list[Element]]:
    groups = [[elements[0]]]
    for before, element in pairwise(elements):
        if "," in tail.words[before.end : element.start]:
            groups.append([])
        groups[-1].append(element)
    return groups


def _read_run(view: View, at: int) -> list[Element]:
    """The elements of one number from `at` on."""
    tail = view.tail
    expects = view.expects
    asked = expects.awaits_any(NUMBER_SLOTS)
    elements: list[Element] = []
    limit = at + _RUN_TOKENS
    said = 0
    while at < limit:
        begin = skip_gap(tail, at, asides=asked or said >= SPELLED_DIGITS) if elements else at
        if elements and tail.words[begin] == "not" and _is_nought(tail, begin, elements, asked=asked):
            elements.append(Element("0", "z", begin, begin + 1))
            said, at = said + 1, begin + 1
            continue
        if not tail.marks[begin] & (kinds.NUMBER | kinds.HOMOPHONE):
            break
        if (
            tail.marks[begin] & kinds.DIGITS
            and not (asked or elements)
            and written_safe(view, begin) is not None
        ):
            break
        if elements and written_safe(view, begin) is not None:
            break
        if said >= SPELLED_DIGITS and _corrects(tail, begin, at):
            break
        if said == _BRITISH_DIGITS and _is_another(tail, elements, begin, at):
            break
        element = read_element(tail, begin, misheard=asked and bool(elements))
        if element is None or (element.kind == "c" and not _number_goes_on(tail, element.end)):
            break
        elements.append(element)
        said += len(element.digits)
        at = element.end
    return elements


def _is_nought(tail: Tail, at: int, elements: Sequence[Element], *, asked: bool) -> bool:
    """The "not" in "oh seven four not five": a nought misheard within a number that is not whole yet."""
    said = sum(len(element.digits) for element in elements)
    if said >= _WHOLE_DIGITS or said < (AWAITED_DIGITS if asked else 2):
        return False
    if not asked and elements[0].digits[0] != "0":
        return False
    follows = skip_gap(tail, at + 1)
    return bool(tail.marks[follows] & kinds.NUMBER) or tail.words[follows] == "not"


def _is_another(tail: Tail, elements: Sequence[Element], at: int, since: int) -> bool:
    """Behind a whole British number and "and", "then" or a comma another begins."""
    first = read_element(tail, at)
    begins = first is not None and first.digits[0] == elements[0].digits[0] == "0"
    return begins and any(tail.words[place] in _BETWEEN for place in range(since, at))


def _corrects(tail: Tail, at: int, since: int) -> bool:
    """ "no" or "wait" since then: what follows takes the place of what was said."""
    return any(tail.words[place] in _RESTARTING for place in range(since, at))


def _number_goes_on(tail: Tail, at: int) -> bool:
    """A misheard digit counts only between others or at the end of what is said."""
    after = skip_gap(tail, at)
    if tail.marks[after] & kinds.HOMOPHONE:
        after = skip_gap(tail, after + 1)
    return bool(tail.marks[after] & (kinds.NUMBER | kinds.END))
