"""Which words a street's name is built of, and when one of every day ends a name."""

from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

COUNTED: Final = word_list("measures")
RARER: Final = word_list("rarer_streets")
_EVERYDAY: Final = word_list("everyday_streets")
NAMING: Final = word_list("street_names")
_NUMBERED: Final = frozenset(
    [
        "acres",
        "ashes",
        "bridges",
        "corners",
        "dials",
        "elms",
        "hills",
        "kings",
        "mile",
        "oaks",
        "sisters",
        "ways",
    ]
)
"""What a street's name counts: "Seven Sisters Road"."""
WORD_CHARS: Final = 30
SURELY: Final = frozenset({"road", "rd", "street", "lane", "avenue", "terrace", "crescent", "gardens"})
"""Kinds of streets that are counted by nothing: "5 Pound Lane"."""
_ALONGSIDE: Final = frozenset({"across", "along", "down", "opposite", "beside", "behind", "past", "towards"})
"""Of no street's name: "a coffee across the road"."""
COMPASS: Final = frozenset(
    {"north", "south", "east", "west", "northeast", "northwest", "southeast", "southwest", "n", "s", "e", "w"}
)
_UNITS: Final = word_list("counted_things")
"""What a number counts in the singular before a thing: "two bed place", "ten stone rise"."""
_ADJECTIVES: Final = word_list("counting_adjectives")
_BEHIND_VERBS: Final = frozenset(
    {"to", "up", "down", "off", "out", "the", "me", "us", "it", "a", "my", "your"}
)
"""What may follow "drive" or "close" where somebody does it."""
_STOPS_OF_STREETS: Final = frozenset({"well", "over", "under", "down", "may"})
"""Words that build sentences, and streets are called by: "st ann's well road"."""
_JOINING: Final = _ALONGSIDE | {"o"}


def is_street(tail: Tail, at: int) -> bool:
    """The word is a kind of street."""
    return bool(tail.marks[at] & kinds.STREET) or tail.words[at] in RARER


def goes_on(tail: Tail, at: int, *, wanted: bool = False, numbered: bool = False) -> bool:
    """A street's name may go on with this word; "the end of the road" is none."""
    if tail.words[at] == "of" and not (numbered or tail.capital[at - 1]):
        return False
    return may_name(tail, at, wanted)


def names_one(tail: Tail, at: int, begin: int, *, wanted: bool, numbered: bool) -> bool:
    """The kind of street at `at` ends a name, rather than being a word of every day."""
    if tail.words[at] not in _EVERYDAY:
        return True
    if numbered and not wanted and not tail.capital[at] and _is_counted(tail, at):
        return False
    before = tail.marks[at - 1]
    if at == begin:
        return wanted and (numbered or tail.capital[at])
    if before & kinds.STOP:
        begins = at - 1 == begin or numbered
        return tail.words[at - 1] == "the" and (tail.capital[at] or (wanted and begins))
    return (
        wanted
        or tail.capital[at]
        or tail.words[at - 1] in NAMING
        or not before & kinds.COMMON
        or bool(before & (kinds.LAST | kinds.ORDINAL))
        or (numbered and (bool(before & kinds.PLACE) or _is_singular(tail, at, begin)))
    )


def _is_counted(tail: Tail, at: int) -> bool:
    """ "a ten mile run", "two storey place", "four green park benches"."""
    follows = tail.marks[at + 1]
    several = (
        tail.words[at + 1].endswith("s")
        and follows & kinds.COMMON
        and not follows & (kinds.STOP | kinds.LAST)
    )
    return not _UNITS.isdisjoint(tail.words[at - 2 : at]) or (bool(several) and not is_street(tail, at + 1))


def _is_singular(tail: Tail, at: int, begin: int) -> bool:
    """ "four elder grove", "nine beech tree close": what a number counts would stand in the plural."""
    if (
        tail.words[at] == "way"
        or tail.words[begin - 1] in ("one", "1", ",")
        or any(
            tail.words[here] in _UNITS
            or tail.words[here] in _ADJECTIVES
            or tail.marks[here] & (kinds.STOP | kinds.NUMBER)
            for here in range(begin, at)
        )
    ):
        return False
    if tail.words[at - 1].endswith(("s", "ed", "ing", "ly", "er", "est")):
        return False
    follows = tail.marks[at + 1]
    return not follows & kinds.COMMON or bool(
        follows & kinds.STOP and tail.words[at + 1] not in _BEHIND_VERBS
    )


def may_name(tail: Tail, at: int, wanted: bool) -> bool:
    """The word may be part of a street's name."""
    kind = tail.marks[at]
    word = tail.words[at]
    if kind & kinds.DIGITS and tail.glued[at + 1] and tail.words[at + 1] in ("st", "nd", "rd", "th"):
        return tail.words[at - 1] in COMPASS
    if word in COUNTED and tail.words[at + 1] in SURELY:
        return True
    if word in COUNTED or not kind & kinds.WORD or len(word) > WORD_CHARS:
        return word in ("-", "'") and tail.glued[at]
    if kind & kinds.STOP or word in _JOINING:
        return _joins_name(tail, at, wanted)
    if kind & kinds.MONTH:
        return tail.capital[at] and wanted
    if kind & kinds.NUMERAL:
        if tail.marks[at + 1] & kinds.ORDINAL:
            return tail.words[at - 1] in COMPASS
        if tail.words[at + 1] in _NUMBERED:
            return True
    return not kind & (kinds.NUMERAL | kinds.REPEAT) or (kind & kinds.ORDINAL) != 0


def _joins_name(tail: Tail, at: int, wanted: bool) -> bool:
    """ "the" before a name or behind "of", "of" within one."""
    if tail.words[at] == "o":
        return bool(tail.marks[at - 1] & tail.marks[at + 1] & kinds.WORD)
    if tail.words[at] in _ALONGSIDE and tail.capital[at]:
        return True
    if tail.words[at] in _STOPS_OF_STREETS and tail.words[at + 1] in SURELY:
        return True
    before = tail.marks[at - 1]
    if tail.words[at] == "the":
        return wanted or not before & kinds.WORD or bool(before & kinds.NUMERAL) or tail.words[at - 1] == "of"
    return tail.words[at] == "of" and not before & kinds.NUMERAL
