"""Postcodes, national insurance numbers and ZIP codes: letters and digits, written or spelled."""

import re
from typing import Final

from compliance.redaction.talk.view import GUESSED, SURE, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.entities import EntityType
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.spoken import digits_of, read_element, read_letter, skip_gap
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import HOMOPHONES

_NINO: Final = re.compile(r"[A-Z]{2}\d{6}[A-Z]")
_BEGINS_NINO: Final = re.compile(r"[A-Z]{2}\d{3}")
_POSTCODE: Final = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}")
_STRICT: Final = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\d[ABD-HJLNP-UW-Z]{2}")
_EIRCODE: Final = re.compile(r"[AC-FHKNPRTV-Y](?:\d\d|6W)[AC-FHKNPRTV-Y\d]{4}")
"""Ireland's; elsewhere than where a postcode is expected only behind one of its routing keys."""
_ROUTING_KEYS: Final = word_list("routing_keys")
_ONE_LETTER_AREAS: Final = frozenset("BEGLMNSW")
_CODE_CHARS: Final = 10
_ID_CHARS: Final = 16
_LICENCE_LETTERS: Final = 5
_WHOLE_ID: Final = 9
_EIRCODE_HALF: Final = 5
_CODE_TOKENS: Final = 40
_CONTINUERS: Final = word_list("continuers")
_HALF: Final = 2
_CODES: Final[tuple[EntityType, ...]] = ("POSTCODE", "GOV_ID")
_NO_LETTERS: Final = word_list("not_names")
"""Short words of no dictionary that are words all the same: "app"."""


def alphanumeric(view: View, at: int) -> Match | None:
    """ "SW1A 2AA", "S W one A two double A", "QQ 12 34 56 C"; what is near one where it was asked for."""
    expects = view.expects
    awaited = next((slot for slot in _CODES if expects.awaits(slot)), None) if expects.waiting() else None
    if view.tail.marks[at] & kinds.STOP and view.tail.marks[at] & kinds.PAIR and not view.tail.glued[at + 1]:
        return None
    if view.tail.words[at] == "see" and view.tail.words[at - 1] in _SEEING:
        return None
    chars = ""
    here = end = at
    shorter: Match | None = None
    most = _ID_CHARS if awaited == "GOV_ID" else _CODE_CHARS
    if view.expects.named("CODE") and _is_plate(view.tail, at):
        return None
    while len(chars) < most and here < at + _CODE_TOKENS:
        aside = awaited is not None or _BEGINS_NINO.match(chars) is not None
        begin = skip_gap(view.tail, here, asides=aside) if chars else here
        begin += view.tail.words[begin] == "capital" and bool(view.tail.marks[begin + 1] & kinds.LETTER)
        if len(chars) >= _WHOLE_ID - 1 and _is_speaker(view.tail, begin):
            break
        piece = _letter_o(view.tail, begin, chars) or _code_piece(
            view.tail, begin, misheard=awaited is not None, first=not chars
        )
        if piece is None:
            break
        chars += piece[0]
        here = end = piece[1]
        if not awaited and (not chars[0].isalpha() or (len(chars) >= 3 and chars[:3].isalpha())):
            return None
        match = _code_match(view, chars, end, awaited=awaited is not None)
        if match is not None and not _may_go_on(chars):
            return match
        shorter = match or shorter
    return shorter or (_near_code(view, chars, at, end, awaited) if awaited else None)


def _is_speaker(tail: Tail, at: int) -> bool:
    """The "I" of "943 476 5919, and I was told"."""
    if tail.words[at] != "i":
        return tail.words[at] == "a" and tail.words[at + 1] == "letter"
    follows = tail.marks[at + 1]
    return bool(follows & kinds.WORD) and not follows & (kinds.LETTER | kinds.NUMBER)


_PLATES: Final = frozenset({"registration", "reg", "plate"})
_PLATE_TOKENS: Final = 5


def _is_plate(tail: Tail, at: int) -> bool:
    """ "the registration is L X twelve …": a car's."""
    return not _PLATES.isdisjoint(tail.words[max(at - _PLATE_TOKENS, 0) : at])


def _may_go_on(chars: str) -> bool:
    """ "T12AB", "E53HK": of Ireland, if two characters follow."""
    return len(chars) == _EIRCODE_HALF and chars[:3].lower() in _ROUTING_KEYS


_SEEING: Final = frozenset({"me", "i", "you", "we", "can", "to", "us", "let's", "i'll", "could", "see"})
"""Before "see" where it is no C misheard: "let me see"."""


def _near_code(view: View, chars: str, at: int, end: int, awaited: EntityType) -> Match | None:
    """What was said where a code was asked for and is none by its shape: misheard, or a half of it."""
    digits = sum(char.isdecimal() for char in chars)
    if awaited == "POSTCODE" and not chars[:1].isalpha() and _is_only_behind_address(view):
        return None
    said = view.tail.words[at:end]
    if _CONTINUERS.issuperset(said) or chars == "COOP" or (said[-1] == "see" and "i" in said):
        return None
    if chars and view.expects.unfinished("POSTCODE") and _is_whole_turn(view, at, end):
        return Match(end, awaited, GUESSED, runs_on=True, whole=False)
    if awaited == "GOV_ID" and chars.isalpha() and len(chars) <= _HALF and _is_whole_turn(view, at, end):
        return Match(end, awaited, GUESSED, runs_on=True, whole=False)
    if len(chars) < _HALF or digits == len(chars):
        return None
    again = "POSTCODE" in view.expects.answered and _is_whole_turn(view, at, end)
    if not digits and len(chars) < 3 and not (again or _is_by_examples(view, at, end)):
        return None
    if not digits and awaited == "POSTCODE" and _is_only_behind_address(view):
        return Match(end, "ADDRESS", GUESSED, whole=False)
    if end == at + 1 and (not digits or view.tail.marks[at] & kinds.COMMON):
        return None
    return Match(end, awaited, GUESSED, runs_on=len(chars) < 5 or chars[-1].isdecimal(), whole=False)


def _is_only_behind_address(view: View) -> bool:
    """A postcode may follow, for an address was told in this turn; none was asked for or told yet."""
    expects = view.expects
    return "ADDRESS" in expects.found and "POSTCODE" not in expects.found | expects.asked


def _is_by_examples(view: View, at: int, end: int) -> bool:
    """ "P for Peter, Q for Queenie": nothing else is said."""
    return view.tail.words[at:end].count("for") >= _HALF and _is_whole_turn(view, at, end)


def _is_whole_turn(view: View, at: int, end: int) -> bool:
    """Nothing else is said: the "eight" and the "G N" of a postcode told piece by piece."""
    before, follows = view.tail.words[at - 1], view.tail.marks[end + (view.tail.words[end] in (".", ","))]
    return before in ("", ":") and bool(follows & kinds.END)


def _letter_o(tail: Tail, at: int, chars: str) -> tuple[str, int] | None:
    """The O of "S O sixteen" and "O X four", which elsewhere is a nought: no district begins with one."""
    if tail.words[at] not in ("o", "oh") or len(chars) > 1 or chars.isdecimal():
        return None
    if not chars and not (tail.words[at] == "o" and tail.marks[at + 1] & kinds.LETTER):
        return None
    letter = read_letter(tail, at)
    return ("O", at + 1) if letter is None else ("O", letter[1])


def _code_piece(tail: Tail, at: int, *, misheard: bool, first: bool) -> tuple[str, int] | None:
    """Upper-case characters that the token stands for; None if it cannot be part of a code."""
    kind = tail.marks[at]
    word = tail.words[at]
    if kind & kinds.DIGITS:
        return (digits_of(word), at + 1) if len(word) <= 6 else None
    if first and misheard and len(word) == _LICENCE_LETTERS and _is_licence(tail, at):
        return word.upper(), at + 1
    if kind & kinds.REPEAT and tail.words[at + 1] not in ("u", "you"):
        letters = read_letter(tail, at, misheard=misheard)
        if letters is not None:
            return letters[0].upper(), letters[1]
    if kind & (kinds.NUMERAL | kinds.REPEAT):
        element = read_element(tail, at)
        if element is not None and element.kind not in "hkm":
            return element.digits, element.end
    if word == "double" and tail.words[at + 1] in ("u", "you"):
        return "W", at + 2
    if len(word) == _HALF and first and _is_before_digits(tail, at):
        return word.upper(), at + 1
    told = tail.words[at + 1] in ("for", "as") and tail.words[at + 2][:1] == HOMOPHONES.get(word)
    letters = _letters(tail, at, misheard=misheard and (told or not (first and kind & kinds.STOP)))
    if letters is not None:
        return letters
    return (word.upper(), at + 1) if _is_letter_group(tail, at, misheard) else None


def _is_licence(tail: Tail, at: int) -> bool:
    """The "MORGA" of "MORGA 753116 SM9IJ": a driver's, which begins with five letters and six digits."""
    behind = at + 1
    return bool(tail.marks[behind] & kinds.DIGITS) and len(tail.words[behind]) == _LICENCE_LETTERS + 1


def _is_before_digits(tail: Tail, at: int) -> bool:
    """Written in one with figures: the "AY" of "AY160870B"."""
    return tail.words[at].isascii() and tail.glued[at + 1] and bool(tail.marks[at + 1] & kinds.DIGITS)


def _letters(tail: Tail, at: int, *, misheard: bool) -> tuple[str, int] | None:
    letter = read_letter(tail, at, misheard=misheard)
    return None if letter is None else (letter[0].upper(), letter[1])


def _is_letter_group(tail: Tail, at: int, misheard: bool) -> bool:
    """Two letters written together: "SW", or glued to a digit; where asked for, up to three unknown ones."""
    word = tail.words[at]
    kind = tail.marks[at]
    if not kind & kinds.WORD or kind & kinds.CUE or not word.isascii() or "'" in word:
        return False
    if len(word) == 2:
        if tail.glued[at] or (tail.glued[at + 1] and tail.marks[at + 1] & kinds.DIGITS):
            return True
        return not kind & kinds.STOP and (
            tail.capital[at] or misheard or bool(tail.marks[at + 1] & kinds.NUMBER)
        )
    return misheard and len(word) == 3 and bool(kind & kinds.UNKNOWN) and word not in _NO_LETTERS


def _code_match(view: View, chars: str, end: int, *, awaited: bool) -> Match | None:
    if _NINO.fullmatch(chars) and not view.expects.named("CODE"):
        return Match(end, "GOV_ID", SURE)
    if _EIRCODE.fullmatch(chars) and (awaited or chars[:3].lower() in _ROUTING_KEYS):
        return Match(end, "POSTCODE", SURE)
    if (
        awaited
        and chars[1:2].isdecimal()
        and chars[0] not in _ONE_LETTER_AREAS
        and len(chars) == _EIRCODE_HALF
    ):
        return None
    if not (_POSTCODE if awaited else _STRICT).fullmatch(chars):
        return None
    ordinal = view.tail.words[end - 1] in ("st", "nd", "rd", "th") and not view.tail.capital[end - 1]
    return None if ordinal and not awaited else Match(end, "POSTCODE", SURE)
