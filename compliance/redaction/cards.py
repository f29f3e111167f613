"""When a card expires: "04/31", "oh four thirty", "April twenty nine", where that was named or asked for."""

from typing import Final

from compliance.redaction import kinds
from compliance.redaction.lexicon import stem, word_list
from compliance.redaction.spoken import read_element
from compliance.redaction.view import SURE, Match, View

_PARTS: Final = 4
_LAPSING: Final = word_list("lapsing")
"""What expires as well: "the voucher is valid until March"."""
_LAPSING_TOKENS: Final = 7
_JOINS: Final = frozenset({"/", "-", "slash", "of", "and", "stroke"})


def expiry(view: View, at: int) -> Match | None:
    """A month and a year."""
    if not view.expects.awaits("EXPIRY"):
        return None
    tail = view.tail
    if any(stem(tail.words[at - back]) in _LAPSING for back in range(1, _LAPSING_TOKENS + 1)):
        return None
    here = at
    end = None
    for _ in range(_PARTS):
        if tail.marks[here] & kinds.MONTH:
            here = end = here + 1
        else:
            element = read_element(tail, here)
            if element is None or len(element.digits) > 4:
                break
            here = end = element.end
        if tail.words[here] in _JOINS:
            here += 1
    return None if end is None else Match(end, "CARD", SURE)
