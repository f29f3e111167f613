"""A name beside a name that was just said: "Gray, not Grey", "Brooks or Brookes", "Ezra and Kit"."""

from typing import Final

from compliance.redaction.names.name_frames import is_strange
from compliance.redaction.talk.view import View
from compliance.redaction.text import kinds
from compliance.redaction.text.near import edit_distance
from compliance.redaction.text.tokens import Tail

JOINS: Final = frozenset({"not", "or", "and", "say", "be", ",", "but"})
_LISTED: Final = kinds.FIRST | kinds.MAYBE | kinds.LAST
_BEHIND_BOTH: Final = frozenset({"all", "both", "are", "have", "were", "need", "want"})
_FAR: Final = 2
_LEAST_LETTERS: Final = 3


def is_paired(view: View, at: int) -> bool:
    """The word at `at` stands behind "not", "or" or "and" and a name, and can be a name too."""
    tail = view.tail
    if tail.words[at - 1] == "but":
        return view.person_end >= 0 and _is_enough(tail, at)
    if view.person_end < 0 or tail.words[at - 1] not in JOINS:
        return False
    before = _place_before(tail, at)
    if tail.end(before) != view.person_end:
        return False
    kind = tail.marks[at]
    if tail.words[at - 1] == ",":
        ends = not tail.marks[at + 1] & kinds.WORD or _is_listed_before(tail, at + 1)
        return ends and tail.capital[at] and bool(kind & (_LISTED | kinds.UNKNOWN))
    if tail.words[at - 1] != "and" and _is_near(tail.words[before], tail.words[at]):
        return True
    if kind & kinds.PLACE and not kind & kinds.MAYBE:
        return False
    if kind & kinds.COMMON:
        listed = kind & (kinds.MAYBE | (kinds.LAST if tail.words[at - 1] == "not" else 0))
        ends = not tail.marks[at + 1] & kinds.WORD or tail.words[at + 1] in _BEHIND_BOTH
        ends = ends or (tail.words[at + 1] == "is" and tail.words[at + 2] == "that")
        ends = ends and bool(listed)
        return bool(kind & _LISTED) and (tail.capital[at] or ends)
    return bool(kind & _LISTED) or (bool(kind & kinds.UNKNOWN) and (tail.capital[at] or is_strange(tail, at)))


def _is_listed_before(tail: Tail, at: int) -> bool:
    """The "and Iolo" of "Cerys, Mali and Iolo"."""
    return tail.words[at] == "and" and tail.capital[at + 1] and bool(tail.marks[at + 1] & _LISTED)


def _is_enough(tail: Tail, at: int) -> bool:
    """ "elizabeth but liz is fine", "… but jo will do": a shorter name for the one that was said."""
    if not tail.marks[at] & (_LISTED | kinds.UNKNOWN) or tail.marks[at] & kinds.STOP:
        return False
    told = tail.words[at + 1], tail.words[at + 2]
    return told in _ENOUGH or (tail.words[at].endswith("'s") and tail.words[at + 1] in _FINE)


_FINE: Final = frozenset({"fine", "easier", "ok", "okay"})
_ENOUGH: Final = frozenset({("is", fine) for fine in _FINE}) | {
    ("will", "do"),
    ("for", "short"),
    ("is", "what"),
    ("to", "everyone"),
    ("to", "my"),
    ("on", "the"),
}


def _place_before(tail: Tail, at: int) -> int:
    """The last token before the words that join."""
    here = at - 2
    if tail.words[at - 1] == ",":
        return here
    if tail.words[at - 1] in ("say", "be"):
        here -= tail.words[here] == "should"
        here -= tail.words[here] in ("it", "and", "that")
    return here - (tail.words[here] == ",")


def _is_near(one: str, other: str) -> bool:
    """Two spellings of one name: "Clare" and "Claire"."""
    if one[:1] != other[:1] or min(len(one), len(other)) < _LEAST_LETTERS:
        return False
    return one.startswith(other) or other.startswith(one) or edit_distance(one, other) <= _FAR


def is_offered(tail: Tail, at: int) -> bool:
    """Another spelling follows: "Brooks or Brookes"."""
    here = at + 1 + (tail.words[at + 1] == ",")
    return tail.words[here] in ("or", "not") and _is_near(tail.words[at], tail.words[here + 1])
