"""Streets named in talk as where somebody lives: "it's Pat from Corporation Road", "her flat on Duke Street".

A street alone may be anything: where the clinic is, where the bus stops. What stands before it tells.
"""

from typing import Final

from compliance.redaction.talk.view import View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

_LOOK_BACK: Final = 7
_LINK_WORDS: Final = 5
_GENERIC: Final = word_list("any_street")
"""Call a street what many are: "the high street", "a main road"."""
_NO_HOME: Final = word_list("on_streets")
"""Behind a street's name these are what is named after it: "the Mill Road surgery"."""
_WAYS: Final = word_list("ways_taken")
"""Tell of a way that is taken: "turn left into Mill Road"."""
_PLACING: Final = frozenset({"on", "in", "at", "of", "off", "to", "from", "near", "round"})
_LINKS: Final = frozenset(
    [
        *_PLACING,
        *("over", "up", "down", "here", "there", "again", "calling", "ringing", "speaking", "phoning"),
        *("just", "out", "back", "still", "now", ",", "around", "corner", "the", "road", "along", "right"),
        *("top", "end", "bottom", "only"),
    ]
)
_HOMES: Final = word_list("homes")
"""Tell that somebody lives in the street that is named next."""
_HELD: Final = frozenset({"me", "us", "him", "her", "you", "them"})
_ALONG: Final = frozenset({"on", "up", "off", "along", "down"})
_THERE: Final = frozenset(
    {"i'm", "you're", "she's", "he's", "they're", "mum's", "mam's", "dad's", "nan's", "mom's"}
)


def is_home(view: View, begin: int, end: int) -> bool:
    """The street from `begin` to `end` is told as where somebody lives."""
    tail = view.tail
    if tail.words[end] in _NO_HOME or is_generic(tail, begin, end):
        return False
    if _is_behind_person(view, begin):
        return True
    article = tail.words[begin - 1] == "the" and tail.words[begin - 2] in _ALONG
    if tail.words[begin - 1] not in _PLACING and not article:
        return False
    before = tail.words[begin - _LOOK_BACK : begin]
    if not _WAYS.isdisjoint(before):
        return False
    return not _HOMES.isdisjoint(before) or _is_there(tail, begin)


def lives_in(tail: Tail, at: int) -> bool:
    """ "she lives down in", "I'm over in", "we're living near": somebody's town may follow."""
    if tail.words[at - 1] not in _IN:
        return False
    here = at - 2
    while tail.words[here] in _ABOUT and here > at - _LINK_WORDS:
        here -= 1
    if tail.words[here] in ("live", "living") and not _ONCE.isdisjoint(tail.words[here - 2 : here]):
        return False
    return tail.words[here] in _LIVING or (here < at - 2 and tail.words[here] in _THERE)


_ONCE: Final = frozenset({"was", "were", "used", "been"})
_IN: Final = frozenset({"in", "near", "outside"})
_ABOUT: Final = frozenset(
    {"over", "down", "up", "out", "just", "now", "still", "both", "all", "here", "back"}
)
_LIVING: Final = frozenset({"live", "lives", "living", "resident"})


def is_generic(tail: Tail, begin: int, end: int) -> bool:
    """Many streets are called like that: "the high street"."""
    return all(
        tail.words[here] in _GENERIC or tail.marks[here] & kinds.STOP for here in range(begin, end - 1)
    )


def _is_behind_person(view: View, at: int) -> bool:
    """Nothing but small words stands between a person's name and what begins here."""
    if view.person_end < 0:
        return False
    tail = view.tail
    here = at
    while tail.starts[here - 1] >= view.person_end and here > at - _LINK_WORDS:
        here -= 1
        if tail.words[here] not in _LINKS:
            return False
    return here < at and tail.starts[here - 1] < view.person_end


def _is_there(tail: Tail, at: int) -> bool:
    """ "I'm just up the road on", "she's over at"."""
    here = at - 1
    while tail.words[here] in _LINKS and here > at - _LOOK_BACK:
        here -= 1
    if tail.words[at - 1] == "at" and tail.words[at - 2] in _HELD:
        return True
    if tail.words[at - 2] == "be" and tail.words[at - 4 : at - 2] == ["used", "to"]:
        return True
    return tail.words[here] in _THERE
