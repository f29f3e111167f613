"""The host of a spoken e-mail address: "gmail dot com", "b t internet", "bright dash care dot co dot uk"."""

from typing import Final

from compliance.redaction.emails.email_asides import aside
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

DOMAIN_TOKENS: Final = 16
BARE_PROVIDERS: Final = word_list("mail_providers")
"""Hosts that need no ending."""
_ASKED_PROVIDERS: Final = word_list("mail_hosts_asked")
"""Hosts that need none where an address was asked for or named."""
TLDS: Final = word_list("top_level_domains")
_ENDING_LETTERS: Final = 4


def is_dot(tail: Tail, at: int) -> bool:
    if tail.words[at] == "." and tail.glued[at]:
        return tail.glued[at + 1] or tail.words[at + 1] in _USUAL_ENDINGS
    return tail.words[at] in ("dot", "point", "period")


_USUAL_ENDINGS: Final = frozenset({"com", "co", "org", "net", "uk", "ie", "edu", "gov"})


def domain(tail: Tail, at: int, *, own_words: bool = False) -> int | None:
    """Where the host that begins at `at` ends: words, "dot", an ending; a well-known provider needs none.

    `own_words`: an ending of no list counts even behind "the" and its like.
    """
    limit = at + DOMAIN_TOKENS
    paused = tail.words[at] == ","
    at += paused
    end = at
    known: int | None = None
    while end < limit and not is_dot(tail, end):
        kind = tail.marks[end]
        word = tail.words[end]
        if word == "," and (paused or is_dot(tail, end + 1) or aside(tail, end + 1) > end + 1):
            end += 1
            continue
        if kind & kinds.END or not (kind & (kinds.WORD | kinds.DIGITS) or word == "-"):
            return known
        behind = aside(tail, end)
        if behind > end:
            end = behind
            continue
        if known is not None:
            return ending_without_dot(tail, end) or known
        end += 1
        asked = own_words and end == at + 1 and word in _ASKED_PROVIDERS and not tail.marks[end] & kinds.WORD
        health = word == "nhs" and tail.words[end] == "net"
        if asked or health or word in BARE_PROVIDERS or "".join(tail.words[at:end]) in BARE_PROVIDERS:
            known = end
    own = not any(tail.marks[here] & kinds.STOP for here in range(at, end))
    return ending(tail, end, limit, any_word=own or own_words) or known


def ending(tail: Tail, at: int, limit: int, *, any_word: bool = False) -> int | None:
    """Behind the last ending that is known; `any_word`: or behind the word that follows the last "dot"."""
    end = strange = None
    while at < limit:
        at += tail.words[at] == "," and is_dot(tail, at + 1)
        if not is_dot(tail, at):
            break
        label = at + 1 + (tail.words[at + 1] == ",")
        spelled = _spelled_ending(tail, label)
        if spelled is not None or is_top_level(tail, label):
            at = end = spelled or label + 1
        elif tail.marks[label] & kinds.WORD and end is None and not tail.marks[label] & kinds.END:
            strange = label + 1 if _is_own_ending(tail, label) else strange
            at = label + 1
            while at < limit and tail.marks[at] & kinds.WORD and not is_dot(tail, at):
                at += 1
        else:
            break
    return end or (strange if any_word else None)


def _is_own_ending(tail: Tail, at: int) -> bool:
    """ "dot family", "dot plumbing": any word may end a host since anybody may buy endings."""
    never = kinds.STOP | kinds.NUMBER | kinds.LETTER | kinds.MONTH
    return tail.words[at - 1] == "dot" and not tail.marks[at] & never


def is_top_level(tail: Tail, at: int) -> bool:
    """ "com", or the two letters of any country."""
    return tail.words[at] in TLDS or bool(tail.marks[at] & kinds.PAIR)


def _spelled_ending(tail: Tail, at: int) -> int | None:
    """ "c o m", "u k"."""
    end = at
    while end < at + _ENDING_LETTERS and tail.marks[end] & kinds.LETTER:
        end += 1
        if end > at + 1 and "".join(tail.words[at:end]) in TLDS:
            return end
    return None


def ending_without_dot(tail: Tail, at: int) -> int | None:
    """ "gmail com", as some recognisers write it."""
    if tail.words[at] == "com" or (tail.words[at] == "net" and tail.words[at - 1] == "nhs"):
        return at + 1
    return at + 2 if tail.words[at] == "co" and tail.words[at + 1] == "uk" else None
