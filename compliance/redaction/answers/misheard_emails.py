"""The answer to the question for an e-mail address as a recogniser heard it: "see you dot dike at me.com".

The host is heard well nearly always; where the address begins has to be told from what was heard before it.
"""

from typing import Final

from compliance.redaction.emails.email_asides import aside
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

_LEADS: Final = word_list("answer_leads") | word_list("answer_talk") | {"no"}
_HOSTS: Final = word_list("mail_providers")
_FEW: Final = 3
_MOST_BEFORE: Final = 5
_MOST_REST: Final = 6
_ARTICLES: Final = frozenset({"i", "a"})
_INSIDE: Final = frozenset({"and", "the", "in", "or", "of", "then", "a"})
"""What a part of the first half was heard as."""


def holds_address(tail: Tail, at: int, end: int) -> bool:
    """A sign or a host stands here: whatever else it sounds like, it is an address."""
    return any(
        tail.marks[here] & (kinds.JOIN | kinds.AT) or (tail.words[here] in _HOSTS and here > at)
        for here in range(at, end)
    )


def first_of_address(tail: Tail, at: int, begin: int) -> int:
    """Where the address begins of which a rule found the part from `begin` on."""
    here = _over_joined(tail, at, begin)
    if at < here <= at + _FEW and not any(_leads(tail, piece) for piece in range(at, here)):
        return at
    if here - at > _MOST_BEFORE or not _may_begin(tail, at):
        return here
    pieces = range(at + 1, here)
    whole = all(tail.words[piece] in _INSIDE or not _leads(tail, piece) for piece in pieces)
    return at if whole else here


def goes_on_as_email(tail: Tail, at: int, end: int) -> bool:
    """The ". dot com" or "dot you kay" behind what a rule took for the whole of it."""
    rest = range(at, end)
    return (
        len(rest) <= _MOST_REST
        and any(tail.marks[here] & kinds.JOIN for here in rest)
        and not any(tail.marks[here] & kinds.SIGN or tail.words[here] == "," for here in rest)
    )


def behind_leads(tail: Tail, at: int, end: int) -> int:
    """Behind what plainly leads to the address that was found at `at`: "should be", "all one word"."""
    here = at
    while here < end - 1 and not tail.marks[here + 1] & kinds.JOIN:
        behind = aside(tail, here)
        if behind > here:
            here = behind + (tail.words[behind] == ",")
        elif tail.words[here] in _PLAIN_LEADS and not tail.marks[here + 1] & kinds.SIGN:
            here += 1
        else:
            break
    return here


_PLAIN_LEADS: Final = word_list("leads_of_emails") - {
    "you",
    "my",
    "the",
    "no",
    "not",
    "so",
    "just",
    "i",
    "capital",
    "can",
} | {
    "should",
    "be",
    "would",
    "it'll",
}


def _over_joined(tail: Tail, at: int, begin: int) -> int:
    """Over "see you dot" and their like: what stands before a sign is of the address."""
    here = begin
    while here > at + 1 and tail.marks[here - 1] & kinds.JOIN:
        here -= 2
    return here


def _may_begin(tail: Tail, at: int) -> bool:
    """A word of no sentence, or a letter on its own."""
    kind = tail.marks[at]
    if kind & kinds.LETTER:
        return tail.words[at] not in _ARTICLES
    return bool(kind & kinds.WORD) and not kind & (kinds.COMMON | kinds.RELATIVE | kinds.TITLE)


def _leads(tail: Tail, at: int) -> bool:
    """The word leads to an address, or something ends before it."""
    word = tail.words[at]
    return (word in _LEADS and word not in _MISHEARD_LEADS) or word == ","


_MISHEARD_LEADS: Final = frozenset({"you", "be"})
"""Letters that sound like leads."""
