"""Numbers and letters as people say them: "oh seven seven double oh", "nine hundred thousand", "S for sugar".

A run of digits and number words becomes a list of elements, each with the digits it stands for and a kind:
`d` written digits, `z` zero, `u` one to nine, `t` ten to nineteen, `y` twenty to ninety-nine, `h` hundred,
`k` thousand, `m` million, `r` a repeated digit ("double five"), `c` a digit as a recogniser mishears it.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import (
    HOMOPHONES,
    PHONETIC,
    REPEATS,
    SCALES,
    TEENS,
    TENS,
    UNITS,
    ZEROS,
)

_GAP_TOKENS: Final = 8
_CARDINAL: Final = re.compile(r"(?:(?:[utyd]h)?[utyd]?[km])*(?:[utyd]h)?[utyd]?")
_ASIDE_PHRASES: Final = tuple(tuple(phrase.split()) for phrase in word_list("asides"))
_ASIDES: Final = {
    words[0]: tuple(sorted((each for each in _ASIDE_PHRASES if each[0] == words[0]), key=len, reverse=True))
    for words in _ASIDE_PHRASES
}

_CODE_REMARK: Final = 4
"""The words of "that's the York code", said of the first digits."""


class Element(NamedTuple):
    """One spoken or written piece of a number; `start` and `end` are token indices."""

    digits: str
    kind: str
    start: int
    end: int


def digits_of(text: str) -> str:
    """Decimal digits of any script as ASCII."""
    return text if text.isascii() else "".join(str(int(char)) for char in text)


def digits_in(text: str) -> str:
    """The digits of a number as it was written or said: "double seven, oh twenty one" are "77021"."""
    digits, times, tens = "", 1, ""
    for word in _PIECE.findall(text.lower()):
        if word in REPEATS:
            times = REPEATS[word]
            continue
        if word in TENS:
            digits, tens = digits + tens, f"{TENS[word]}0"
            continue
        unit = UNITS.get(word)
        piece = f"{tens[0]}{unit}" if tens and unit else tens + (_digits_of_word(word) or "")
        digits, times, tens = digits + piece * times, 1, ""
    return digits + tens


def _digits_of_word(word: str) -> str | None:
    if word.isdecimal():
        return digits_of(word)
    scale = SCALES.get(word)
    return scale[0] if scale is not None else TEENS.get(word) or digit_word(word)


_PIECE: Final = re.compile(r"[^\W\d_]+|\d+")


def digit_word(word: str) -> str | None:
    """The digit that one word stands for, if it does."""
    return "0" if word in ZEROS else UNITS.get(word)


def read_element(tail: Tail, at: int, *, misheard: bool = False) -> Element | None:
    """The number element that starts at `at`; `misheard`: homophones of digits count ("to", "ate")."""
    kind = tail.marks[at]
    word = tail.words[at]
    if kind & kinds.DIGITS:
        return Element(digits_of(word), "d", at, at + 1)
    if kind & kinds.NUMERAL:
        return _read_numeral(tail, at, word)
    if kind & kinds.REPEAT:
        return _read_repeat(tail, at, misheard=misheard)
    if misheard and kind & kinds.HOMOPHONE and HOMOPHONES[word].isdecimal():
        return Element(HOMOPHONES[word], "c", at, at + 1)
    return None


def _read_numeral(tail: Tail, at: int, word: str) -> Element:
    if word in ZEROS:
        return Element("0", "z", at, at + 1)
    if word in UNITS:
        return Element(UNITS[word], "u", at, at + 1)
    if word in TEENS:
        return Element(TEENS[word], "t", at, at + 1)
    if word in SCALES:
        digits, scale = SCALES[word]
        return Element(digits, scale, at, at + 1)
    tens = TENS[word]
    follows = at + 1
    if tail.words[follows] == "-" and tail.glued[follows]:
        follows += 1
    if tail.words[follows] in UNITS:
        return Element(f"{tens}{UNITS[tail.words[follows]]}", "y", at, follows + 1)
    return Element(f"{tens}0", "y", at, at + 1)


def _read_repeat(tail: Tail, at: int, *, misheard: bool) -> Element | None:
    word = tail.words[at + 1]
    digit = digits_of(word) if tail.marks[at + 1] & kinds.DIGITS else digit_word(word)
    if digit is None and misheard:
        digit = HOMOPHONES.get(word)
    if digit is None or len(digit) != 1 or not digit.isdecimal():
        return None
    return Element(digit * REPEATS[tail.words[at]], "r", at, at + 2)


def skip_gap(tail: Tail, at: int, *, asides: bool = False) -> int:
    """The first token from `at` on that is no filler or mark; `asides`: "sorry, let me see" are some too."""
    end = at + _GAP_TOKENS
    while at < end:
        if tail.marks[at] & kinds.PAUSE and not (tail.glued[at] and tail.marks[at] & kinds.WORD):
            at += 1
            continue
        aside = _aside(tail, at) if asides else 0
        if not aside:
            break
        at += aside
    return at


def _aside(tail: Tail, at: int) -> int:
    """How many words of an aside begin at `at`: none if no aside does."""
    if tail.words[at] == "that's" and tail.words[at + 1] == "the" and tail.words[at + 3] == "code":
        return _CODE_REMARK
    for words in _ASIDES.get(tail.words[at], ()):
        if all(tail.words[at + ahead] == word for ahead, word in enumerate(words)):
            return len(words)
    return 0


def read_letter(tail: Tail, at: int, *, misheard: bool = False) -> tuple[str, int] | None:
    """The letters that start at `at` and the index behind: "S", "Sierra", "double A", "S for sugar"."""
    kind = tail.marks[at]
    word = tail.words[at]
    if kind & kinds.LETTER:
        if word == "i" and not misheard and _is_pronoun(tail, at):
            return None
        return word, _skip_example(tail, _behind_xray(tail, at) - 1, word)
    if kind & kinds.PHONETIC:
        return PHONETIC[word], at + 1
    if kind & kinds.REPEAT:
        if tail.marks[at + 1] & kinds.REPEAT:
            return None
        single = read_letter(tail, at + 1, misheard=misheard)
        return (single[0] * REPEATS[word], single[1]) if single and len(single[0]) == 1 else None
    if word == "double" or not misheard or not kind & kinds.HOMOPHONE:
        return None
    return HOMOPHONES[word], _skip_example(tail, at, HOMOPHONES[word])


def _is_pronoun(tail: Tail, at: int) -> bool:
    """ "… R O U X, and I need": somebody does something, or did."""
    follows = tail.words[at + 1]
    return follows in _DONE or (tail.marks[at + 1] & kinds.COMMON > 0 and follows.endswith("ed"))


_DONE: Final = word_list("after_pronouns") - {"like", "mean"}


def _behind_xray(tail: Tail, at: int) -> int:
    """Behind the letter, and the rest of "x-ray" if that is how it is said."""
    if tail.words[at] != "x":
        return at + 1
    ray = at + 1 + (tail.words[at + 1] == "-")
    return ray + 1 if tail.words[ray] == "ray" else at + 1


def _skip_example(tail: Tail, at: int, letter: str) -> int:
    """Behind "for sugar", "as in sugar", "like sugar" after a letter that it begins with."""
    words = tail.words
    follows = at + 1
    if words[follows] in (",", "-", "."):
        follows += 1
    if words[follows] in ("for", "like"):
        follows += 1
    elif words[follows] == "as":
        follows += 2 if words[follows + 1] in ("in", "for") else 1
    else:
        return at + 1
    if words[follows] in ("a", "the"):
        follows += 1
    example = words[follows]
    if example == letter == "x":
        return _behind_xray(tail, follows)
    return follows + 1 if len(example) > 1 and example[0] == letter else at + 1


def is_cardinal(elements: Sequence[Element]) -> bool:
    """One amount, such as "two hundred and fifty" or "nine hundred thousand"."""
    kinds = "".join(element.kind for element in elements)
    return bool(set(kinds) & set("hkm")) and _CARDINAL.fullmatch(kinds) is not None


def is_price(elements: Sequence[Element]) -> bool:
    """Hundreds and then pence: "one hundred and twelve fifty"."""
    pence = elements[-1].kind in "ty" and len(elements) > 1
    return pence and elements[-2].kind in "hty" and is_cardinal(elements[:-1])


def is_times(elements: Sequence[Element]) -> bool:
    """One or more times of day read out: "nine fifteen, nine forty five, ten thirty"."""
    return len(elements) > 1 and _reads_times(elements, 0)


def _reads_times(elements: Sequence[Element], at: int) -> bool:
    """Hours with minutes up to the end; "eleven, eleven twenty and twelve forty" begins with a full hour."""
    while at < len(elements):
        if not _is_hour(elements[at]):
            return False
        minute = _minute_at(elements, at + 1)
        if elements[at].kind == "t" and at + 2 < len(elements) and _is_hour(elements[at + 1]):
            return _reads_times(elements, at + 1) or (minute is not None and _reads_times(elements, minute))
        if minute is None:
            return at >= _TWO_TIMES and at == len(elements) - 1
        at = minute
    return True


_TWO_TIMES: Final = 4
"""Hours with minutes, before a last full hour: "nine fifteen, ten thirty and eleven"."""


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
    """ "2019, 2021", "twenty nineteen and twenty twenty one"."""
    if all(element.kind == "d" and 1900 <= int(element.digits) <= 2099 for element in elements):
        return True
    pairs = list(zip(elements[::2], elements[1::2], strict=False))
    return len(elements) % 2 == 0 and all(
        first.kind in "ty" and first.digits in ("19", "20") and last.kind in "ty" for first, last in pairs
    )


def is_counting(elements: Sequence[Element]) -> bool:
    """A list of small numbers that rises in small steps: "9, 10, 11, 12"."""
    if any(element.kind in "zrhkm" or element.digits.startswith("0") for element in elements):
        return False
    values = [int(element.digits) for element in elements]
    return 10 <= max(values) <= 99 and all(0 < b - a <= 5 for a, b in pairwise(values))
