"""Numbers as people say them: "oh seven seven double oh", "nine hundred thousand", "ten thirty", "07700 900".

A run of digits and number words becomes a list of elements, each with the digits it stands for and a kind:
`d` written digits, `z` zero, `u` one to nine, `t` ten to nineteen, `y` twenty to ninety-nine, `h` hundred,
`k` thousand, `m` million, `r` a repeated digit ("double five").
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from compliance.redaction.tokens import Token

_UNITS: Final = {
    word: str(value + 1)
    for value, word in enumerate(("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
}
_ZERO: Final = frozenset({"zero", "oh", "o", "nought", "naught"})
_TEENS: Final = {
    word: str(value + 10)
    for value, word in enumerate(
        (
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        )
    )
}
_TENS: Final = {
    word: value + 2
    for value, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
    )
}
_SCALES: Final = {"hundred": ("00", "h"), "thousand": ("000", "k"), "million": ("000000", "m")}
REPEATS: Final = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
_GAP_MARKS: Final = frozenset("-\u2013.()/,")
_GAP_WORDS: Final = frozenset({"um", "uh", "er", "erm", "mm", "and", "then", "dash", "hyphen", "space"})
_GAP_TOKENS: Final = 3

_CARDINAL: Final = re.compile(r"(?:(?:[utyd]h)?[utyd]?[km])*(?:[utyd]h)?[utyd]?")


@dataclass(frozen=True, slots=True)
class Element:
    """One spoken or written piece of a number; `start` and `end` are token indices."""

    digits: str
    kind: str
    start: int
    end: int


def digits_of(text: str) -> str:
    """Decimal digits of any script as ASCII."""
    return "".join(str(int(char)) for char in text)


def digit_word(word: str) -> str | None:
    """The digit that one word stands for, if it does."""
    return "0" if word in _ZERO else _UNITS.get(word)


def read_element(tokens: Sequence[Token], at: int, limit: int) -> Element | None:
    """The number element that starts at `at`, reading no token at `limit` or after."""
    token = tokens[at]
    if token.is_digits:
        return Element(digits_of(token.text), "d", at, at + 1)
    word = token.lower
    if word in _ZERO:
        return Element("0", "z", at, at + 1)
    if word in _UNITS:
        return Element(_UNITS[word], "u", at, at + 1)
    if word in _TEENS:
        return Element(_TEENS[word], "t", at, at + 1)
    if word in _SCALES:
        digits, kind = _SCALES[word]
        return Element(digits, kind, at, at + 1)
    if word in _TENS:
        return _read_tens(tokens, at, limit)
    if word in REPEATS:
        return _read_repeat(tokens, at, limit)
    return None


def _read_tens(tokens: Sequence[Token], at: int, limit: int) -> Element:
    tens = _TENS[tokens[at].lower]
    follows = at + 1
    if follows < limit and tokens[follows].text == "-" and tokens[follows].before:
        follows += 1
    if follows < limit and tokens[follows].lower in _UNITS:
        return Element(f"{tens}{_UNITS[tokens[follows].lower]}", "y", at, follows + 1)
    return Element(f"{tens}0", "y", at, at + 1)


def _read_repeat(tokens: Sequence[Token], at: int, limit: int) -> Element | None:
    if at + 1 >= limit:
        return None
    token = tokens[at + 1]
    digit = digits_of(token.text) if token.is_digits else digit_word(token.lower)
    if digit is None or len(digit) != 1:
        return None
    return Element(digit * REPEATS[tokens[at].lower], "r", at, at + 2)


def is_gap(token: Token) -> bool:
    """May stand between two pieces of one number."""
    return token.text in _GAP_MARKS or token.lower in _GAP_WORDS


def skip_gap(tokens: Sequence[Token], at: int, limit: int) -> int:
    end = min(limit, at + _GAP_TOKENS)
    while at < end and is_gap(tokens[at]):
        at += 1
    return at


def is_cardinal(elements: Sequence[Element]) -> bool:
    """One amount, such as "two hundred and fifty" or "nine hundred thousand"."""
    kinds = "".join(element.kind for element in elements)
    return bool(set(kinds) & set("hkm")) and _CARDINAL.fullmatch(kinds) is not None


def is_times(elements: Sequence[Element]) -> bool:
    """One or more times of day read out: "nine fifteen, nine forty five, ten thirty"."""
    at = 0
    while at < len(elements):
        minute = _minute_at(elements, at + 1)
        if not _is_hour(elements[at]) or minute is None:
            return False
        at = minute
    return bool(elements)


def _is_hour(element: Element) -> bool:
    return element.kind in "utd" and element.digits[0] != "0" and 1 <= int(element.digits) <= 12


def _minute_at(elements: Sequence[Element], at: int) -> int | None:
    """Where the spoken minute that starts at `at` ends ("fifteen", "forty five", "oh five"), if one does."""
    if at < len(elements) and elements[at].kind in "ty" and int(elements[at].digits) <= 59:
        return at + 1
    if at + 1 < len(elements) and elements[at].kind == "z" and elements[at + 1].kind == "u":
        return at + 2
    return None


def is_date(elements: Sequence[Element]) -> bool:
    """Day, month, year in figures or words: "12 05 1955", "twelve five nineteen fifty five"."""
    if any(element.kind not in "dzuty" or len(element.digits) > 4 for element in elements):
        return False
    values = [int(element.digits) for element in elements]
    if len(values) == 4 and values[2] in (19, 20):
        values = [values[0], values[1], values[2] * 100 + values[3]]
    if len(values) != 3:
        return False
    if 1900 <= values[0] <= 2099:
        values.reverse()
    first, second, year = values
    return 1900 <= year <= 2099 and 1 <= min(first, second) <= 12 and 1 <= max(first, second) <= 31


def is_years(elements: Sequence[Element]) -> bool:
    return all(element.kind == "d" and 1900 <= int(element.digits) <= 2099 for element in elements)


def is_counting(elements: Sequence[Element]) -> bool:
    """A list of small numbers that rises in small steps: "9, 10, 11, 12"."""
    if any(element.kind in "zrhkm" or element.digits.startswith("0") for element in elements):
        return False
    values = [int(element.digits) for element in elements]
    return 10 <= max(values) <= 99 and all(0 < b - a <= 5 for a, b in pairwise(values))
