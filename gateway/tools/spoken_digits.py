"""Digits as callers say or models write them: "four two", "421 903", "double oh seven", "nine hundred"."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

_DIGITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("zero", "oh", "o", "nought", "naught", "nil"), "0"),
    **{
        word: str(value)
        for value, word in enumerate(
            ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"), start=1
        )
    },
}
# As recognisers write a digit that stands by itself.
_MISHEARD: Final[Mapping[str, str]] = {"to": "2", "too": "2", "for": "4", "fore": "4", "won": "1", "ate": "8"}
_TEENS: Final[Mapping[str, str]] = {
    word: str(value)
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
        ),
        start=10,
    )
}
_TENS: Final[Mapping[str, str]] = {
    word: str(value)
    for value, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), start=2
    )
}
_NOUGHTS: Final[Mapping[str, str]] = {"hundred": "00", "thousand": "000"}
_REPEATS: Final[Mapping[str, int]] = {"double": 2, "triple": 3, "treble": 3}
_TOKEN: Final = re.compile(r"[0-9]+|[a-z]+")

NUMBER_WORDS: Final = frozenset({*_DIGITS, *_TEENS, *_TENS, *_NOUGHTS, *_REPEATS})


def digits_said(text: str) -> str:
    """All digits in it, one after the other; other words do not count.

    >>> digits_said("It's four two one, nine oh three.")
    '421903'
    >>> digits_said("oh seven seven double oh nine hundred one two three")
    '07700900123'
    """
    return "".join(_digits(_TOKEN.findall(text.casefold()), _DIGITS))


def code_said(text: str, length: int) -> str | None:
    """A code of so many digits; None if that is not what was said. Digits that were heard as words count if
    that makes it whole.
    """
    words = _TOKEN.findall(text.casefold())
    for known in (_DIGITS, {**_DIGITS, **_MISHEARD}):
        digits = "".join(_digits(words, known))
        if len(digits) == length:
            return digits
    return None


def _digits(words: list[str], known: Mapping[str, str]) -> Iterator[str]:
    at = 0
    while at < len(words):
        word = words[at]
        following = words[at + 1] if at + 1 < len(words) else ""
        digit = following if following.isdigit() and len(following) == 1 else known.get(following)
        at += 1
        if word.isdigit():
            yield word
        elif word in _REPEATS and digit is not None:
            yield digit * _REPEATS[word]
            at += 1
        elif word in _TENS:
            unit = known.get(following, "0")
            yield _TENS[word] + unit
            at += unit != "0"
        else:
            yield known.get(word) or _TEENS.get(word) or _NOUGHTS.get(word) or ""
