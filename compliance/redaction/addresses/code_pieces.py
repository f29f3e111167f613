"""Pieces of a postcode that put it right, or say it again: "no, it's W Q at the end", "fifteen one five"."""

from typing import Final

from compliance.redaction.addresses.said_back import INITIALS
from compliance.redaction.talk.cues import Slot
from compliance.redaction.talk.view import GUESSED, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.spoken import read_element, read_letter
from compliance.redaction.text.tokens import Tail

_CHARS: Final = 4
_FIGURES: Final = 4
_OTHERS: Final[frozenset[Slot]] = frozenset({"PERSON", "EMAIL", "GOV_ID", "PHONE"})
_BEFORE: Final = frozenset(
    ["", ":", ",", ".", "it's", "no", "yes", "yeah", "sorry", "not", "is", "and", "that's", "that", "um"]
) | {"er", "so"}
_BEHIND: Final = frozenset({"at", "thank", "thanks", "yes", "yeah", "not", "sorry", "for", "then", "lovely"})


def code_piece(view: View, at: int) -> Match | None:
    """Two letters or more, or one told by a word, where a postcode was given or read back right before."""
    if not is_code_told(view):
        return None
    tail = view.tail
    if tail.words[at - 1] not in _BEFORE:
        return None
    chars, end = _letters(tail, at)
    told = "for" in tail.words[at:end] or (len(chars) > 1 and chars.lower() not in INITIALS)
    if not told or not _is_closed(tail, end):
        return None
    return Match(end, "POSTCODE", GUESSED, whole=False)


def figures_of_code(view: View, at: int) -> Match | None:
    """ "fifteen one five": nothing but a few figures in the turn."""
    tail = view.tail
    if not is_code_told(view) or tail.words[at - 1] not in _BEFORE:
        return None
    here, count = at, 0
    while tail.marks[here] & kinds.NUMBER and count <= _FIGURES:
        element = read_element(tail, here)
        if element is None or len(element.digits) > 2:
            return None
        count += 1
        here = element.end
        here += tail.words[here] == "," and bool(tail.marks[here + 1] & kinds.NUMBER)
    whole = tail.marks[here + (tail.words[here] in (".", "?", ","))] & kinds.END
    return Match(here, "POSTCODE", GUESSED, whole=False) if count > 1 and whole else None


def is_code_told(view: View) -> bool:
    """A postcode, and no address, was given, read back or asked for again, and nothing else is asked for."""
    expects = view.expects
    near = expects.given | expects.read_back | (expects.asked & expects.answered)
    return "POSTCODE" in near and "ADDRESS" not in near and _OTHERS.isdisjoint(expects.asked)


def _letters(tail: Tail, at: int) -> tuple[str, int]:
    """The letters from `at` on, and the token behind them."""
    chars, end, here = "", at, at
    while len(chars) < _CHARS and tail.marks[here] & (kinds.SPELLED | kinds.REPEAT):
        letter = read_letter(tail, here)
        if letter is None:
            break
        chars, end = chars + letter[0], letter[1]
        here = end + (tail.words[end] in (",", "-") and bool(tail.marks[end + 1] & kinds.SPELLED))
    return chars, end


def _is_closed(tail: Tail, at: int) -> bool:
    return not tail.marks[at] & (kinds.WORD | kinds.DIGITS) or tail.words[at] in _BEHIND
