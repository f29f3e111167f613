"""Numbers that tell the entities of one call apart: the same value has the same one, whoever says it and how.

"oh seven seven double oh …" and "07700 …" are one telephone number, "the first of May" is "1 May". Where no
rule sees that two values are the same they have two numbers: that says less than could be, and nothing wrong.
"""

from collections.abc import Callable, Mapping
from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.entities import EntityType
from compliance.redaction.text.lexicon import bare, stem
from compliance.redaction.text.spoken import read_element, read_letter
from compliance.redaction.text.tokens import FIRST_TOKEN, Tail

MONTHS_BEGIN: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NTH: Final = {
    word: number
    for number, word in enumerate(
        (
            *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
            *("eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth"),
            *("eighteenth", "nineteenth", "twentieth"),
        ),
        start=1,
    )
} | {"thirtieth": 30}
_LAST_UNIT: Final = 9
_SIGNS: Final = {"dot": ".", "at": "@", "underscore": "_", "dash": "-", "hyphen": "-", "plus": "+"}
_LETTERS: Final = 3
_ARTICLES: Final = frozenset({"a", "an", "the", "my"})
_UK, _US = "44", "1"
_UK_DIGITS, _US_DIGITS = 12, 11


class EntityNumbers:
    """Those of one call, each type counted from 1."""

    def __init__(self) -> None:
        self._given: dict[EntityType, dict[str, int]] = {}

    def number_of(self, entity: EntityType, value: str) -> int:
        """The value's number; a new one if it was not said before."""
        given = self._given.setdefault(entity, {})
        return given.setdefault(_FORMS[entity](_tokens(value)), len(given) + 1)


def _tokens(value: str) -> Tail:
    tail = Tail()
    tail.append(value)
    tail.finish()
    while tail.read(len(tail.words)):
        pass
    return tail


def _pieces(tail: Tail) -> list[str]:
    """What is said piece by piece: numbers as digits, spelled letters together, words, marks."""
    pieces: list[str] = []
    at, spelling = FIRST_TOKEN, False
    while not tail.marks[at] & kinds.END:
        element = None if spelling and tail.words[at] == "o" else read_element(tail, at)
        letter = None if element else read_letter(tail, at)
        if element is not None:
            pieces.append(element.digits)
            at = element.end
        elif letter is not None and spelling:
            pieces[-1] += letter[0]
            at = letter[1]
        elif letter is not None:
            pieces.append(letter[0])
            at = letter[1]
        else:
            pieces += [] if spelling and tail.words[at] == "-" else [bare(tail.words[at])]
            at += 1
        spelling = letter is not None or (spelling and tail.words[at - 1] == "-")
    return pieces


def _code(tail: Tail) -> str:
    """Digits and letters alone."""
    pieces = _pieces(tail)
    return "".join(each for each in pieces if each.isdecimal() or (len(each) <= _LETTERS and each.isalpha()))


def _phone(tail: Tail) -> str:
    """Digits, as dialled at home."""
    digits = "".join(piece for piece in _pieces(tail) if piece.isdecimal()).removeprefix("00")
    if len(digits) == _UK_DIGITS and digits.startswith(_UK):
        return "0" + digits.removeprefix(_UK)
    if len(digits) == _US_DIGITS and digits.startswith(_US):
        return digits.removeprefix(_US)
    return digits


def _email(tail: Tail) -> str:
    return "".join(_SIGNS.get(piece, piece) for piece in _pieces(tail)).strip(".,")


def _birth(tail: Tail) -> str:
    """Day, month and year in figures."""
    figures: list[str] = []
    for piece in _pieces(tail):
        month = piece[:3] in MONTHS_BEGIN and piece.isalpha()
        nth = NTH.get(piece)
        if month:
            figures.append(str(MONTHS_BEGIN.index(piece[:3]) + 1))
        elif nth is not None and figures[-1:] in (["20"], ["30"]) and nth <= _LAST_UNIT:
            figures[-1] = str(int(figures[-1]) + nth)
        elif nth is not None or piece.isdecimal():
            figure = str(int(piece) if nth is None else nth)
            century = figures[-1:] in (["19"], ["20"]) and len(figures) > 1 and len(figure) <= len("55")
            figures[-1:] = [figures[-1] + figure.zfill(2)] if century else [*figures[-1:], figure]
    return "-".join(figures)


def _words(tail: Tail) -> str:
    return " ".join(piece for piece in _pieces(tail) if piece[:1].isalnum())


def _terms(tail: Tail) -> str:
    """As a lexicon has them."""
    pieces = _pieces(tail)
    return " ".join(stem(each) for each in pieces if each[:1].isalnum() and each not in _ARTICLES)


_FORMS: Final[Mapping[EntityType, Callable[[Tail], str]]] = {
    "EMAIL": _email,
    "PHONE": _phone,
    "POSTCODE": _code,
    "ADDRESS": _words,
    "PERSON": _words,
    "DOB": _birth,
    "GOV_ID": _code,
    "CARD": _code,
    "MEDICAL": _terms,
}
