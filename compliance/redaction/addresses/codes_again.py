"""A postcode or ZIP that is told once more, corrected: "b twelve oh, no, hang on, b twelve nine a h"."""

from typing import Final

from compliance.redaction.addresses.codes import alphanumeric
from compliance.redaction.addresses.zips import is_zip
from compliance.redaction.talk.view import View
from compliance.redaction.text import kinds

_RESTARTING: Final = frozenset(
    [
        "no",
        "wait",
        "sorry",
        "actually",
        "hang",
        "hold",
        "think",
        "mean",
        "meant",
        "that's",
        "it's",
        "tell",
        "not",
    ]
)


def told_again(view: View, begin: int, at: int, end: int) -> bool:
    """Behind what was told of a code, `begin` to `at`, it is told once more, or corrected, before `end`."""
    tail = view.tail
    here = at
    while here < end and not tail.marks[here] & _CODED:
        here += 1
    if _RESTARTING.isdisjoint(tail.words[at:here]) and tail.words[here] != tail.words[begin]:
        return False
    if is_zip(tail, here):
        return True
    code = alphanumeric(view, here)
    return code is not None and code.type == "POSTCODE" and code.whole


_CODED: Final = kinds.LETTER | kinds.NUMBER | kinds.PAIR | kinds.PHONETIC
