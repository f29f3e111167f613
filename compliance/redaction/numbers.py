"""Phones, cards and other long numbers, written or said digit by digit.

Validity does not decide: a number that is long enough, named or asked for is masked whatever its check digit
says. Amounts, times, dates and counting are told apart by how they are built.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
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
    is_years,
    read_element,
    skip_gap,
)
from compliance.redaction.tokens import Token
from compliance.redaction.view import WAIT, Match, View

_RUN_TOKENS: Final = 48
_SURE_DIGITS: Final = 7
_CARD_DIGITS: Final = range(13, 20)
_WHOLE_DIGITS: Final = 10
_AWAITED_DIGITS: Final = 3
_SPELLED_DIGITS: Final = 5
_NUMBER_SLOTS: Final[tuple[EntityType, ...]] = ("CARD", "GOV_ID", "PHONE", "POSTCODE")
_MEASURES: Final = word_list("measures")


@dataclass(frozen=True, slots=True)
class _Said:
    """A run of digits and number words; `groups` are its elements between commas, `follows` comes next."""

    elements: Sequence[Element]
    groups: Sequence[Sequence[Element]]
    digits: str
    plus: bool
    follows: str


def number(view: View, at: int) -> Match | None:
    """A phone, card or other long number, or (untyped) an amount, a time, a date: all of it at once."""
    tokens = view.tokens
    begin = at + _opens_number(tokens, at)
    limit, complete = view.limit(at, _RUN_TOKENS)
    elements, stop = _read_run(view, begin, limit)
    if stop >= limit and not complete and (elements or tokens[begin].lower in REPEATS):
        return WAIT
    if not elements:
        return None
    end = elements[-1].end
    said = _Said(
        elements=elements,
        groups=_comma_groups(tokens, elements),
        digits="".join(element.digits for element in elements),
        plus=tokens[at].text == "+",
        follows=tokens[end].lower if end < len(tokens) else "",
    )
    runs_on = stop >= len(tokens) and len(said.digits) < _WHOLE_DIGITS
    return Match(end, _number_type(said, view.expectation), runs_on)


def _opens_number(tokens: Sequence[Token], at: int) -> bool:
    """A plus or a bracket right before a digit."""
    return (
        tokens[at].text in "+("
        and at + 1 < len(tokens)
        and tokens[at + 1].is_digits
        and tokens[at + 1].before != ""
    )


def _comma_groups(tokens: Sequence[Token], elements: Sequence[Element]) -> list[list[Element]]:
    groups = [[elements[0]]]
    for before, element in pairwise(elements):
        if any(token.text == "," for token in tokens[before.end : element.start]):
            groups.append([])
        groups[-1].append(element)
    return groups


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


def _number_type(said: _Said, expectation: Expectation) -> EntityType | None:
    digits = said.digits
    for slot in _NUMBER_SLOTS:
        if expectation.awaits(slot) and len(digits) >= _AWAITED_DIGITS and not is_times(said.elements):
            return _type_by_length(digits, slot)
    if _is_amount(said):
        return None
    if expectation.awaits("CODE"):
        return _type_by_length(digits, "PHONE") if len(digits) >= _WHOLE_DIGITS else None
    if len(digits) >= _SURE_DIGITS or (said.plus and len(digits) >= _SPELLED_DIGITS):
        return _type_by_length(digits, "PHONE")
    spelled = all(element.kind in "zur" or len(element.digits) == 1 for element in said.elements)
    if len(digits) >= _SPELLED_DIGITS and (spelled or digits[0] == "0"):
        return "PHONE"
    return None


def _is_amount(said: _Said) -> bool:
    """Counts, measures or dates something."""
    if said.follows in _MEASURES and said.digits[0] != "0":
        return True
    return is_counting(said.elements) or all(_is_plain(group) for group in said.groups)


def _is_plain(group: Sequence[Element]) -> bool:
    return is_cardinal(group) or is_times(group) or is_date(group) or is_years(group)


def _type_by_length(digits: str, otherwise: EntityType) -> EntityType:
    """A number of a card's length is one, unless something else was named or it begins like a phone."""
    if otherwise == "PHONE" and len(digits) in _CARD_DIGITS and digits[0] in "23456":
        return "CARD"
    if otherwise == "POSTCODE" and len(digits) > _SURE_DIGITS:
        return "PHONE"
    return otherwise
