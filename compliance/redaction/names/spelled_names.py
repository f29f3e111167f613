"""Names spelled out that nobody asked for: long runs of letters, those of a name heard, "m c or m a c"."""

from typing import Final

from compliance.redaction.names.name_spelling import ABBREVIATED, LEAST_SPELLED, SURELY_SPELLED, spelled_end
from compliance.redaction.talk.view import GUESSED, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.entities import EntityType
from compliance.redaction.text.tokens import Tail


def spelled_name(view: View, at: int) -> Match | None:
    """The name whose letters begin at `at`."""
    tail = view.tail
    letters = spelled_end(tail, at, SURELY_SPELLED, misheard=False) or _heard_spelled(view, at)
    letters = letters or _spelled_behind(view, at) or _mac_end(view, at)
    if letters is None or _lists_letters(tail, at, letters) or view.expects.named("CODE"):
        return None
    return Match(_over_surname(tail, letters), _type(view), GUESSED)


def _type(view: View) -> EntityType:
    """Of what the letters are: of an address or an e-mail address where the talk is of one."""
    expects = view.expects
    if expects.awaits("ADDRESS"):
        return "ADDRESS"
    named = expects.awaits("PERSON") or "PERSON" in expects.answered | expects.found
    return "EMAIL" if not named and expects.in_play("EMAIL") else "PERSON"


def _over_surname(tail: Tail, at: int) -> int:
    """ "j a c q u i smith": the surname behind a first name that was spelled."""
    kind = tail.marks[at]
    surname = kind & kinds.LAST and not kind & (kinds.STOP | kinds.STREET)
    ends = not tail.marks[at + 1] & (kinds.WORD | kinds.NUMBER)
    return at + 1 if surname and (ends or not kind & kinds.COMMON) else at


def _heard_spelled(view: View, at: int) -> int | None:
    """ "b a k" behind "zuzanna bak": the letters of a name heard before."""
    tail = view.tail
    end = at
    while tail.marks[end] & kinds.LETTER and end < at + _SPELLED_BACK:
        end += 1
    letters = "".join(tail.words[at:end])
    return end if len(letters) >= LEAST_SPELLED and letters in view.names else None


def _spelled_behind(view: View, at: int) -> int | None:
    """ "k i a are a": nothing but letters, as they were heard, in the turn behind a name."""
    tail = view.tail
    if "PERSON" not in view.expects.answered or tail.words[at - 1] not in ("", ":"):
        return None
    if tuple(tail.words[at : at + 3]) in ABBREVIATED:
        return None
    end = spelled_end(tail, at, LEAST_SPELLED, misheard=True)
    if end is None or (tail.marks[end] & (kinds.WORD | kinds.NUMBER) and tail.words[end] not in _SAID_BACK):
        return None
    return end


_SAID_BACK: Final = frozenset({"yes", "yeah", "yep", "right", "ok", "okay", "then"})


def _mac_end(view: View, at: int) -> int | None:
    """ "is that m c or m a c", behind a name."""
    tail = view.tail
    if "PERSON" not in view.expects.answered or tail.words[at - 1] not in _BEFORE_MAC:
        return None
    for letters in _MAC:
        end = at + len(letters)
        if tuple(tail.words[at:end]) == letters and not tail.marks[end] & (kinds.LETTER | kinds.NUMBER):
            return end
    return None


_MAC: Final = (("m", "c"), ("m", "a", "c"))
_BEFORE_MAC: Final = frozenset({"that", "it", "it's", "or", "with", "just", "not", "an", "is"})
_SPELLED_BACK: Final = 16


def _lists_letters(tail: Tail, at: int, end: int) -> bool:
    """ "a C and then a D": letters that are spoken of."""
    return any(
        tail.words[here - 1] in ("and", "then") and tail.words[here] == "a" for here in range(at + 1, end)
    )
