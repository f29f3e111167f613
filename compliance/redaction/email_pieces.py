"""Pieces of an e-mail address that is told over several turns."""

from typing import Final

from compliance.redaction import kinds
from compliance.redaction.emails import BARE_PROVIDERS, JOINS, TLDS, is_dot
from compliance.redaction.tokens import Tail
from compliance.redaction.view import View

_PIECE_TOKENS: Final = 14
_IN_PIECES: Final = kinds.LETTER | kinds.NUMBER | kinds.PHONETIC | kinds.SIGN | kinds.FIRST | kinds.LAST


def has_host(tail: Tail, at: int, end: int) -> bool:
    """The address, or its end, holds a host: more of it is hardly to come."""
    if any(tail.words[here] == "@" for here in range(at, end)):
        return True
    return any(
        tail.words[here] in BARE_PROVIDERS or (is_dot(tail, here - 1) and tail.words[here] in TLDS)
        for here in range(at, end)
    )


def email_piece(view: View, at: int) -> int | None:
    """Behind what goes on with an address, if it is all that is said: "underscore rossi seven", "pugh"."""
    tail = view.tail
    if not tail.marks[at] & (kinds.WORD | kinds.DIGITS):
        return None
    end = at
    while end < at + _PIECE_TOKENS and not tail.marks[end] & kinds.END:
        kind = tail.marks[end]
        plain = kind & (kinds.COMMON | kinds.STOP) and not (end > at and tail.words[end - 1] in JOINS)
        if kind & kinds.WORD and plain and not (kind & _IN_PIECES or tail.words[end] in JOINS):
            return None
        end += 1
    if not tail.marks[end] & kinds.END or (end == at + 1 and tail.marks[at] & kinds.SIGN):
        return None
    while end > at and not tail.marks[end - 1] & (kinds.WORD | kinds.DIGITS):
        end -= 1
    return end if end > at else None
