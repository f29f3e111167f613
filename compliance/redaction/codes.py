"""Postcodes and national insurance numbers: letters and digits, written or spelled."""

import re
from typing import Final

from compliance.redaction.spoken import REPEATS, digit_word, digits_of, skip_gap
from compliance.redaction.view import WAIT, Match, View

_NINO: Final = re.compile(r"[A-Z]{2}\d{6}[A-D]")
_POSTCODE: Final = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\d[ABD-HJLNP-UW-Z]{2}")
_CODE_TOKENS: Final = 20
_CODE_CHARS: Final = 10


def alphanumeric(view: View, at: int) -> Match | None:
    """ "SW1A 2AA", "S W one A two double A", "QQ 12 34 56 C"."""
    limit, complete = view.limit(at, _CODE_TOKENS)
    chars = ""
    while len(chars) < _CODE_CHARS:
        begin = skip_gap(view.tokens, at, limit) if chars else at
        piece, at = _code_piece(view, begin, limit) if begin < limit else ("", limit)
        if not piece:
            return WAIT if at >= limit and not complete else None
        chars += piece
        if not chars[0].isalpha() or (len(chars) >= 3 and chars[:3].isalpha()):
            return None
        match = _code_match(view, chars, at)
        if match is not None:
            return match
    return None


def _code_piece(view: View, at: int, limit: int) -> tuple[str, int]:
    """Upper-case characters that the token stands for; none if it cannot be part of a code."""
    tokens = view.tokens
    token = tokens[at]
    if token.is_digits:
        return (digits_of(token.text), at + 1) if len(token.text) <= 6 else ("", at)
    if token.lower in REPEATS:
        if at + 1 >= limit:
            return "", limit
        single, end = _code_piece(view, at + 1, limit)
        return (single * REPEATS[token.lower], end) if len(single) == 1 else ("", at)
    if len(token.text) == 1 and token.is_word:
        return token.text.upper(), at + 1
    digit = digit_word(token.lower)
    if digit is not None:
        return digit, at + 1
    glued = token.before or (at + 1 < len(tokens) and tokens[at + 1].before and tokens[at + 1].is_digits)
    if len(token.text) == 2 and token.is_word and (token.text.isupper() or glued) and token.text.isascii():
        return token.text.upper(), at + 1
    return "", at


def _code_match(view: View, chars: str, end: int) -> Match | None:
    if _NINO.fullmatch(chars):
        return Match(end, "GOV_ID")
    if not _POSTCODE.fullmatch(chars):
        return None
    ordinal = view.tokens[end - 1].lower in ("st", "nd", "rd", "th") and view.tokens[end - 1].text.islower()
    if ordinal and not view.expectation.awaits("POSTCODE"):
        return None
    return Match(end, "POSTCODE")
