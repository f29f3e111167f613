"""Pieces of an e-mail address: told over several turns, without its sign, or its first half alone."""

from typing import Final

from compliance.redaction.emails.email_hosts import BARE_PROVIDERS, TLDS, ending, ending_without_dot, is_dot
from compliance.redaction.talk.view import GUESSED, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.tokens import Tail

JOINS: Final = frozenset({"dot", "point", "underscore", "dash", "hyphen", "plus", "minus", "period"})
SMALL_WORDS: Final = frozenset(
    {"the", "my", "just", "all", "me", "we", "her", "his", "our", "not", "no", "so"}
)
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
    if tail.marks[at] & kinds.SIGN and not tail.marks[at + 1] & (kinds.WORD | kinds.DIGITS):
        return None
    while end < at + _PIECE_TOKENS and not tail.marks[end] & kinds.END:
        kind = tail.marks[end]
        joined = (end > at and tail.words[end - 1] in JOINS) or is_dot(tail, end + 1)
        plain = kind & (kinds.COMMON | kinds.STOP) and not joined
        if kind & kinds.WORD and plain and not (kind & _IN_PIECES or tail.words[end] in JOINS):
            return None
        end += 1
    if not tail.marks[end] & kinds.END:
        return None
    while end > at and not tail.marks[end - 1] & (kinds.WORD | kinds.DIGITS):
        end -= 1
    return end if end > at else None


def without_sign(view: View, at: int, stop: int) -> Match | None:
    """A piece of an address that is known; where one was asked for: without its "at", or its first half."""
    tail = view.tail
    told = view.expects.in_play("EMAIL") or view.expects.awaits("EMAIL")
    corrected = tail.words[at - 1] == "not" and "EMAIL" in view.expects.found
    end = _written_piece(tail, at) if told and (corrected or view.expects.waiting()) else None
    if end is not None:
        return Match(end, "EMAIL", GUESSED, whole=False)
    if told or _is_plainly_joined(tail, at, stop):
        end = _joined(tail, at, stop)
    if end is None and view.expects.awaits("EMAIL"):
        end = _last_part(tail, at, stop)
    return None if end is None else Match(end, "EMAIL", GUESSED, whole=False)


def _last_part(tail: Tail, at: int, stop: int) -> int | None:
    end = None
    for place in range(at, stop):
        if tail.words[place] in BARE_PROVIDERS:
            end = ending(tail, place + 1, stop + 1) or ending_without_dot(tail, place + 1) or place + 1
        elif is_dot(tail, place) and tail.words[place + 1] in TLDS and place > at:
            end = ending(tail, place, place + 8)
    return end


def _joined(tail: Tail, at: int, stop: int) -> int | None:
    """ "d d underscore walsh", "lucy dot b" of an address that is known: behind the last piece."""
    joins = [here for here in range(at + 1, stop) if tail.words[here] in _JOIN_WORDS]
    if tail.words[at] in SMALL_WORDS or not joins:
        return None
    last = joins[-1] + 1 + (tail.words[joins[-1] + 1] == ",")
    if not tail.marks[last] & (kinds.WORD | kinds.DIGITS) or last >= stop:
        return None
    end = here = last + 1
    while here < stop and (
        tail.marks[here] & (kinds.LETTER | kinds.NUMBER) or tail.words[here] in (",", "-")
    ):
        here += 1
        end = here if tail.words[here - 1] not in (",", "-") else end
    return end


def _written_piece(tail: Tail, at: int) -> int | None:
    """ "e.clancey" of an address: words that marks join without a space."""
    end = at + 1
    while tail.words[end] in (".", "_", "-") and tail.glued[end] and tail.glued[end + 1]:
        if not tail.marks[end + 1] & (kinds.WORD | kinds.DIGITS):
            return None
        end += 2 + bool(tail.glued[end + 2] and tail.marks[end + 2] & kinds.DIGITS)
    joined = any(tail.words[here] in (".", "_") for here in range(at, end))
    return end if joined and tail.marks[at] & kinds.WORD else None


def _is_plainly_joined(tail: Tail, at: int, stop: int) -> bool:
    """ "dan underscore rowe", "P R I Y A, dot, N": what is no name, asked for or not."""
    joins = [here for here in range(at + 1, stop) if tail.words[here] in ("underscore", "dot")]
    if not joins or not _OF_ACCOUNTS.isdisjoint(tail.words[max(at - 3, 0) : at]) or tail.words[at] == "w":
        return False
    spelled = all(tail.marks[here] & (kinds.LETTER | kinds.PAUSE) for here in range(at, joins[0]))
    if tail.words[joins[0]] == "underscore":
        names = not (tail.marks[at] | tail.marks[at + 1]) & kinds.COMMON
        return spelled or joins[0] == at + 1 or (joins[0] == at + _NAMES_BEFORE and names)
    return (spelled and joins[0] > at + 1) or (joins[0] == at + 1 and _is_name_dot_name(tail, at))


def _is_name_dot_name(tail: Tail, at: int) -> bool:
    """ "jamie dot lee", and not "Aunt Dot Lee"."""
    if tail.words[at] == "www" or tail.words[at + 2] in TLDS:
        return False
    before, after = tail.marks[at], tail.marks[at + 2]
    named = before & _NAMES and not before & kinds.COMMON and after & (_NAMES | kinds.LETTER)
    return bool(named) and not (tail.capital[at + 1] or after & kinds.STOP)


_NAMES_BEFORE: Final = 2
_NAMES: Final = kinds.FIRST | kinds.LAST | kinds.UNKNOWN


_OF_ACCOUNTS: Final = frozenset({"called", "network", "wifi", "fi", "password", "file", "folder", "login"})
"""Before names of other things that have an underscore in them."""


_JOIN_WORDS: Final = frozenset({"dot", "underscore", "hyphen", "dash"})
