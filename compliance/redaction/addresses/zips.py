"""Towns beside a ZIP, and ZIPs beside a town: "Tucson, Arizona, 85719", "three oh three oh nine Atlanta"."""

from typing import Final

from compliance.redaction.addresses.localities import to_town
from compliance.redaction.addresses.towns import is_sure_town, town
from compliance.redaction.talk.view import LIKELY, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.spoken import read_element
from compliance.redaction.text.tokens import Tail

_ZIP_DIGITS: Final = 5
_GAP: Final = 2
"""A comma and a white space, in characters."""


def town_by_zip(view: View, at: int) -> Match | None:
    """A town, with its state, right before or behind a ZIP."""
    tail = view.tail
    end = town(tail, at)
    if end is None:
        return None
    state = town(tail, _over_comma(tail, end)) or end
    if is_zip(tail, _over_comma(tail, state)):
        return Match(state, "ADDRESS", LIKELY)
    return Match(to_town(view, end), "ADDRESS", LIKELY) if _is_behind_zip(view, at) else None


def county_by_zip(view: View, at: int) -> Match | None:
    """ "three seven two one five, Davidson County"."""
    named = view.tail.words[at + 1] == "county" and _is_behind_zip(view, at)
    return Match(at + 2, "ADDRESS", LIKELY) if named else None


def is_before_place(tail: Tail, at: int) -> bool:
    """A town or a county follows."""
    here = _over_comma(tail, at)
    county = tail.words[here + 1] == "county" and not tail.marks[here] & kinds.STOP
    return county or is_sure_town(tail, here)


def _is_behind_zip(view: View, at: int) -> bool:
    """Right behind a ZIP; a town alone behind a British postcode says no more than that."""
    tail = view.tail
    near = 0 <= tail.starts[at] - view.expects.code_end <= _GAP
    figure = tail.marks[at - 1 - (tail.words[at - 1] == ",")] & kinds.NUMBER
    return near and bool(figure) and is_before_place(tail, at)


def _over_comma(tail: Tail, at: int) -> int:
    return at + (tail.words[at] == ",")


def is_zip(tail: Tail, at: int) -> bool:
    """Five digits, said or written, and no more of them."""
    digits = ""
    while tail.marks[at] & (kinds.DIGITS | kinds.NUMERAL | kinds.REPEAT):
        element = read_element(tail, at)
        if element is None or element.kind in "hkm" or len(digits) >= _ZIP_DIGITS:
            return False
        digits, at = digits + element.digits, element.end
    return len(digits) == _ZIP_DIGITS
