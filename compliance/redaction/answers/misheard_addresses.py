"""The answer to the question for an address as a recogniser heard it: "the gables can now grow hampton"."""

from typing import Final

from compliance.redaction.answers.replies import begins_sentence
from compliance.redaction.text import kinds
from compliance.redaction.text.tokens import Tail

_MOST_REST: Final = 9
_OF_PLACES: Final = kinds.STREET | kinds.PLACE | kinds.LAST | kinds.UNKNOWN
_NEVER_LAST: Final = kinds.STOP | kinds.RELATIVE | kinds.MONTH
_TELLS: Final = frozenset(
    ["near", "opposite", "by", "behind", "above", "below", "next", "just", "off", "beside"]
) | {
    "but",
    "because",
    "which",
    "if",
    "so",
    "please",
    "thanks",
    "my",
    "your",
    "not",
    "name",
    "postcode",
    "zip",
    "phone",
    "mobile",
    "email",
    "birth",
}
"""What goes on talking of an address."""


def goes_on_as_address(tail: Tail, at: int, end: int) -> bool:
    """What follows a house or a street ends in a street or a town, and nobody does anything in it."""
    while at < end and not tail.marks[at] & kinds.WORD:
        at += 1
    words = [here for here in range(at, end) if tail.marks[here] & kinds.WORD]
    if not words or end - at > _MOST_REST or words[-1] != end - 1:
        return False
    if any(tail.marks[here] & (kinds.NUMBER | kinds.LETTER) for here in range(at, end)):
        return False
    last = tail.marks[end - 1]
    if not last & _OF_PLACES or last & _NEVER_LAST:
        return False
    return not any(_talks(tail, here) for here in words)


def _talks(tail: Tail, at: int) -> bool:
    kind = tail.marks[at]
    if tail.words[at] in _TELLS or tail.words[at].endswith("'s"):
        return True
    return bool(kind & (kinds.RELATIVE | kinds.TITLE) and not kind & kinds.STREET) or begins_sentence(
        tail, at
    )
