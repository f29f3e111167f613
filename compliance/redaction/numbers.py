"""Phones, cards and other long numbers, written or said digit by digit.

Validity does not decide: a number that is long enough, named or asked for is masked whatever its check digit
says. Amounts, times, dates and counting are told apart by how they are built.
"""

from collections.abc import Sequence
from typing import Final

from compliance.redaction.entities import EntityType
from compliance.redaction.expectation import Expectation
from compliance.redaction.lexicon import word_list
from compliance.redaction.patterns import written_safe
from compliance.redaction.spoken import (
    REPEATS,
    Element,
    is_cardinal,
    is_counting,
    is_date,
    is_times,
    read_element,
    skip_gap,
)
from compliance.redaction.view import WAIT, Match, View

_RUN_TOKENS: Final = 48
_SURE_DIGITS: Final = 7
_CARD_DIGITS: Final = range(13, 20)
_WHOLE_DIGITS: Final = 10
_AWAITED_DIGITS: Final = 3
_SPELLED_DIGITS: Final = 5
_UNITS_OF_MEASURE: Final = word_list("measures")


def number(view: View, at: int) -> Match | None:
    """Phones, cards and other long numbers, written or said digit by digit."""
    tokens = view.tokens
    begin = at
    if tokens[at].text in "+(" and at + 1 < len(tokens) and tokens[at + 1].is_digits:
        begin = at + 1
    limit, complete = view.limit(at, _RUN_TOKENS)
    elements, stop = _read_run(view, begin, limit)
    if stop >= limit and not complete and (elements or tokens[begin].lower in REPEATS):
        return WAIT
    if not elements:
        return None
    end = elements[-1].end
    follows = tokens[end].lower if end < len(tokens) else ""
    kind = _number_type(elements, view.expectation, plus=tokens[at].text == "+", follows=follows)
    said = sum(len(element.digits) for element in elements)
    return Match(end, kind, runs_on=stop >= len(tokens) and said < _WHOLE_DIGITS)


def _read_run(view: View, at: int, limit: int) -> tuple[list[Element], int]:
    """The elements of one number from `at` on, and the index of the first token known not to belong to it."""
    tokens = view.tokens
    elements: list[Element] = []
    while at < limit:
        begin = skip_gap(tokens, at, limit) if elements else at
        if begin >= limit:
            return elements, limit
        if written_safe(view, begin) is not None:
            break
        element = read_element(tokens, begin, limit)
        if element is None:
            waits = begin + 1 >= limit and tokens[begin].lower in REPEATS
            return elements, limit if waits else begin
        elements.append(element)
        at = element.end
    return elements, at


def _number_type(
    elements: Sequence[Element], expectation: Expectation, *, plus: bool, follows: str
) -> EntityType | None:
    digits = "".join(element.digits for element in elements)
    for slot in ("CARD", "GOV_ID", "PHONE", "POSTCODE"):
        if expectation.awaits(slot) and len(digits) >= _AWAITED_DIGITS and not is_times(elements):
            return _type_by_length(digits, slot)
    if follows in _UNITS_OF_MEASURE and digits[0] != "0":
        return None
    if is_cardinal(elements) or is_times(elements) or is_date(elements) or is_counting(elements):
        return None
    if expectation.awaits("CODE"):
        return _type_by_length(digits, "PHONE") if len(digits) > 9 else None
    if len(digits) >= _SURE_DIGITS or (plus and len(digits) >= _SPELLED_DIGITS):
        return _type_by_length(digits, "PHONE")
    spelled = all(element.kind in "zur" or len(element.digits) == 1 for element in elements)
    if len(digits) >= _SPELLED_DIGITS and (spelled or digits[0] == "0"):
        return "PHONE"
    return None


def _type_by_length(digits: str, otherwise: EntityType) -> EntityType:
    """A number of a card's length is one, unless something else was named or it begins like a phone."""
    if otherwise == "PHONE" and len(digits) in _CARD_DIGITS and digits[0] in "23456":
        return "CARD"
    if otherwise == "POSTCODE" and len(digits) > _SURE_DIGITS:
        return "PHONE"
    return otherwise
