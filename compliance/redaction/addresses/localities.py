"""What follows a street on an address: a flat, a quarter, the town and the county.

Each function gives the index behind what it found, or None; `to_town` how far the address goes.
"""

from typing import Final

from compliance.redaction.addresses.codes import alphanumeric
from compliance.redaction.addresses.dwellings import FLATS, SITES, dwelling, site
from compliance.redaction.addresses.street_words import NAMING, is_street
from compliance.redaction.addresses.streets import (
    TOWN_WORDS,
    beside_street,
    house_name,
    house_number,
    street_name,
)
from compliance.redaction.addresses.towns import town
from compliance.redaction.names.name_words import NOT_NAMES
from compliance.redaction.talk.view import View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

_TAIL_TOKENS: Final = 12
_BEFORE_TOWNS: Final = frozenset({",", ".", "in", "near", "at", "outside", "just"})


def to_town(view: View, at: int) -> int:
    """Over commas and "in" to the town and the county; stops before the postcode."""
    tail = view.tail
    named = town(tail, at)
    end = at if named is not None and named > at + 1 else street_name(tail, at, wanted=False) or at
    limit = end + _TAIL_TOKENS
    here = end
    while here < limit:
        begin = here
        while tail.words[begin] in _BEFORE_TOWNS:
            begin += 1
        behind_comma = begin > here and "," in tail.words[here:begin]
        found = _known_place(tail, begin, here) or (_named_behind(tail, begin) if behind_comma else None)
        if found is None and behind_comma:
            found = _capitals(view, begin) or before_county(tail, begin) or _last_place(tail, begin)
            found = found or _before_code(view, begin)
        if found is None and begin > here and tail.capital[begin]:
            found = before_county(tail, begin)
        if found is None and begin == here == end:
            found = _unlisted(view, begin)
        if found is None:
            return end
        end = here = _on_the_river(tail, found)
    return end


def _named_behind(tail: Tail, at: int) -> int | None:
    """A house, or the street that a building stands in, behind a comma."""
    return house_name(tail, at) or street_name(tail, at, wanted=False)


def _known_place(tail: Tail, at: int, street: int) -> int | None:
    """A town, a quarter, a harbour or park, a flat, another street beside the first."""
    named = town(tail, at)
    if named is not None:
        longer = house_name(tail, at) or street_name(tail, at, wanted=False)
        return longer if longer is not None and longer > named else named + (tail.words[named] in SITES)
    found = _second_dwelling(tail, at) or _quarter(tail, at, street) or site(tail, at)
    return found or beside_street(tail, at) or crossing(tail, at, street)


def crossing(tail: Tail, at: int, street: int) -> int | None:
    """ "and ninth avenue" behind a street: where two of them meet, one by its number."""
    if at != street or tail.words[at] != "and" or not tail.marks[at - 1] & kinds.STREET:
        return None
    if not tail.marks[at + 1] & (kinds.ORDINAL | kinds.DIGITS):
        return None
    number = house_number(tail, at + 1) or at + 2
    figures = number + (tail.words[number] in ("st", "nd", "rd", "th") and tail.glued[number])
    return street_name(tail, at + 1, wanted=False) or (figures + 1 if is_street(tail, figures) else None)


def before_county(tail: Tail, at: int) -> int | None:
    """ "eureka springs, arkansas": a place of no list before one of it, in lower case."""
    for end in (at + 1, at + 2):
        if not _may_be_of_town(tail, end - 1) or tail.words[end - 1] in NOT_NAMES:
            return None
        if tail.words[end] == "," and town(tail, end + 1) is not None:
            return end
    return None


def townland(tail: Tail, at: int) -> int | None:
    """ "Drumlish, Ballinamore, County Leitrim", "Killeens, Co. Cork": places of no list before a county."""
    end = at
    for _ in range(_TOWNLANDS):
        begin = end
        while end < begin + TOWN_WORDS and _may_be_of_town(tail, end) and tail.words[end] not in _COUNTY:
            if tail.marks[end] & kinds.COMMON and not tail.capital[end]:
                return None
            end += 1
        if end == begin:
            return None
        end += tail.words[end] == ","
        if tail.words[end] in _COUNTY:
            return town(tail, end)
    return None


_TOWNLANDS: Final = 3
_COUNTY: Final = frozenset({"county", "co"})


def _before_code(view: View, at: int) -> int | None:
    """ "great gransden s g nineteen three a g": up to three words before the postcode."""
    for end in range(at + 1, at + TOWN_WORDS + 1):
        if not _may_be_of_town(view.tail, end - 1) or view.tail.marks[end - 1] & (kinds.CUE | kinds.PAIR):
            return None
        code = alphanumeric(view, end + (view.tail.words[end] == ","))
        if code is not None and code.type == "POSTCODE":
            return end
    return None


def _last_place(tail: Tail, at: int) -> int | None:
    """A place that ends the turn: "castle bromwich", "poplar"."""
    if tail.marks[at] & kinds.FIRST:
        return None
    end = at + 1
    named = tail.words[at] in NAMING or _last_words(tail, at) is not None
    stop = end + (tail.words[end] in (".", ","))
    if tail.words[at] in NAMING and tail.marks[stop] & kinds.END:
        return end
    return _last_words(tail, at) if named else None


def _second_dwelling(tail: Tail, at: int) -> int | None:
    """The "apartment 12" or "number 3" behind an American street."""
    if tail.words[at] in _PARTS and tail.marks[at + 1] & kinds.NUMBER:
        return house_number(tail, at + 1)
    if tail.words[at] in ("tower", "block", "building") and tail.marks[at + 1] & kinds.LETTER:
        return at + 2
    if tail.words[at + 1] == "floor" and (tail.marks[at] & kinds.ORDINAL or tail.words[at] in _FLOORS):
        return at + 2 + (tail.words[at + 2] in ("flat", "apartment", "maisonette"))
    if tail.words[at] in _CARING and tail.words[at + 1] == "home":
        return at + 2
    if tail.words[at] == "number":
        return house_number(tail, at + 1)
    if tail.words[at] in FLATS:
        number = house_number(tail, at + 1)
        if number is None and tail.marks[at + 1] & kinds.SPELLED:
            return at + 2
        return number or dwelling(tail, at)
    return None


_PARTS: Final = frozenset(
    [
        "lot",
        "trailer",
        "space",
        "berth",
        "pitch",
        "mooring",
        "room",
        "floor",
        "level",
        "block",
        "building",
        "sector",
        "tower",
    ]
)
_FLOORS: Final = word_list("floors")
_CARING: Final = frozenset({"care", "nursing", "residential", "retirement", "rest"})


def _quarter(tail: Tail, at: int, street: int) -> int | None:
    """ "South" right behind a street, and "in Bermondsey": a place of no list."""
    if at == street and tail.words[at] in ("north", "south", "east", "west"):
        return at + 1
    named = tail.words[at - 1] in ("in", "near", "outside") and at > street
    written = tail.words[at - 1] == "in" and tail.capital[at] and tail.words[at + 1] in (",", ".")
    return at + 1 if named and (_fits_town(tail, at) or (written and _is_like_name(tail, at))) else None


def _is_like_name(tail: Tail, at: int) -> bool:
    """The "Katy" of "2214 Magnolia Bend in Katy,"."""
    kind = tail.marks[at]
    return bool(kind & (kinds.FIRST | kinds.MAYBE)) and not kind & (kinds.STOP | kinds.MONTH)


def _fits_town(tail: Tail, at: int) -> bool:
    kind = tail.marks[at]
    return bool(kind & (kinds.UNKNOWN | kinds.LAST)) and not kind & (kinds.COMMON | kinds.ALONE | kinds.STOP)


def _unlisted(view: View, at: int) -> int | None:
    """A place of no list right behind a street: capitalised, before a listed one, or one expected."""
    tail = view.tail
    if tail.marks[at] & (kinds.PAIR | kinds.STOP) or alphanumeric(view, at) is not None:
        return None
    if not tail.capital[at]:
        for end in (at + 1, at + 2):
            if not _may_be_of_town(tail, end - 1):
                break
            if town(tail, end) is not None:
                return end
    if not _fits_town(tail, at):
        return _before_code(view, at) or _expected_place(view, at) or _last_words(tail, at)
    asked = "ADDRESS" in view.expects.asked and bool(tail.marks[at] & kinds.UNKNOWN)
    strange = tail.marks[at] & kinds.UNKNOWN and not tail.marks[at] & kinds.RARER
    if tail.capital[at] or asked or strange:
        return _on_the_river(tail, at + 1)
    return _before_code(view, at) or _expected_place(view, at) or _last_words(tail, at)


def _on_the_river(tail: Tail, at: int) -> int:
    """Over "on the Wold" or "upon Avon" behind a town; "on Monday" is none."""
    if tail.words[at] not in ("on", "upon", "under", "le", "by"):
        return at
    end = at + 1 + (tail.words[at + 1] == "the")
    kind = tail.marks[end]
    placed = tail.capital[end] and tail.capital[at - 1] and not kind & (kinds.MONTH | kinds.STOP)
    return end + 1 if (placed and not kind & kinds.COMMON) or tail.words[end] in _RIVERS else at


_RIVERS: Final = word_list("town_endings")
"""What towns lie on: "on the wold", "upon avon"."""


def _last_words(tail: Tail, at: int) -> int | None:
    """One or two words between a street and the end of the turn: "church lane nether wallop"."""
    for end in (at + 1, at + 2):
        if not _may_be_of_town(tail, end - 1) or tail.words[end - 1] in NOT_NAMES:
            return None
        stop = end + (tail.words[end] in (".", ","))
        if tail.marks[stop] & kinds.END:
            return end if not tail.marks[end - 1] & kinds.COMMON else None
    return None


def _expected_place(view: View, at: int) -> int | None:
    """Where an address was named or asked for: up to three words of which the last is no ordinary one."""
    if not view.expects.awaits("ADDRESS"):
        return None
    tail = view.tail
    for end in range(at, at + TOWN_WORDS):
        if not _may_be_of_town(tail, end) or alphanumeric(view, end) is not None:
            return None
        if _fits_town(tail, end):
            return _on_the_river(tail, end + 1)
    return None


def _may_be_of_town(tail: Tail, at: int) -> bool:
    never = kinds.STOP | kinds.MONTH | kinds.NUMBER | kinds.LETTER | kinds.PHONETIC | kinds.ALONE
    if tail.words[at] in _AT_DOORS:
        return False
    return bool(tail.marks[at] & kinds.WORD) and not tail.marks[at] & never


_AT_DOORS: Final = frozenset({"buzzer", "bell", "doorbell", "intercom", "keysafe", "entrance", "upstairs"})


def _capitals(view: View, at: int) -> int | None:
    """Capitalised words behind a comma: a town of no list."""
    tail = view.tail
    at += tail.words[at] in ("the", "y", "yr") and tail.capital[at + 1]
    end = at
    while end < at + TOWN_WORDS and tail.capital[end] and not tail.marks[end] & kinds.STOP:
        if alphanumeric(view, end) is not None or tail.marks[end] & (kinds.MONTH | kinds.LETTER):
            break
        end += 1
    return None if end == at else end
