"""Where in a building somebody lives, and boxes for letters: "flat 2", "top floor flat", "PO box 42".

Each function looks at the tokens from one place on and gives the index behind what it found, or None.
"""

from typing import Final

from compliance.redaction.addresses.street_words import COUNTED
from compliance.redaction.addresses.streets import (
    CELTIC_ARTICLES,
    TOWN_WORDS,
    begins_street,
    house_name,
    house_number,
    numbered_street,
    street_name,
)
from compliance.redaction.addresses.towns import town
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.spoken import read_element
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import mark_words

FLATS: Final = frozenset({"flat", "apartment", "apt", "unit", "suite", "penthouse", "maisonette", "studio"})
_CELTIC: Final = word_list("celtic_houses")
_WELSH: Final = word_list("welsh_houses")
"""What Welsh names begin with, before an article."""
_OF_HOUSES: Final = _CELTIC | _WELSH
mark_words(_OF_HOUSES, kinds.DWELLING | kinds.WAY)
_BEFORE_CELTIC: Final = frozenset({"at", "is", "in", "from", "to", "it's", "we're", "i'm", "called", ":"})
_FLOORS: Final = word_list("floors")
_WITHIN: Final = FLATS | {"berth", "mooring", "slip", "pitch", "number", "house"}
_BOATS: Final = frozenset({"narrowboat", "houseboat", "barge"})
_BOAT_WORDS: Final = 3
_ROUTES: Final = frozenset({"rural", "star", "route", "rr", "r", "hc", "highway", "contract", "delivery"})
_ROUTE_WORDS: Final = 3
_SECTIONS: Final = frozenset({"phase", "block", "section", "zone", "stage", "sector", "room"})
SITES: Final = word_list("sites")
"""What boats lie in and caravans stand on: "marina"."""
_PARKS: Final = frozenset({"park", "site", "estate", "village", "court"})
_OF_PARKS: Final = frozenset(
    ["caravan", "holiday", "trailer", "home", "homes", "leisure", "business", "industrial", "trading", "rv"]
)
_SITE_WORDS: Final = 5
_ON_FLOORS: Final = frozenset({"flat", "apartment", "maisonette", "floor"})


def dwelling(tail: Tail, at: int) -> int | None:
    """ "flat 2", "apartment 4B", "basement flat", "number fourteen"; None if it may be something else."""
    word = tail.words[at]
    if word in _FLOORS:
        return _floor(tail, at)
    if word in _ROUTES:
        return _box_on_route(tail, at)
    if word in _BOATS:
        return _boat(tail, at)
    here = at + 1
    if word == "number":
        return numbered_street(tail, here) or _number_on_street(tail, here)
    if tail.words[here] in ("number", "#"):
        here += 1
    number = _flat_number(tail, here) if word in FLATS else house_number(tail, here)
    if (
        number is None
        and (word in FLATS or word in ("block", "pontoon", "tower", "building"))
        and tail.marks[here] & kinds.SPELLED
    ):
        number = here + 1
    if number is None or word in ("flat", "apartment", "apt", "penthouse", "maisonette"):
        return number
    follows = over_sections(tail, number + (tail.words[number] == ","))
    named = begins_street(tail, follows) or house_name(tail, follows) is not None
    named = named or site(tail, follows) is not None
    named = named or (follows > number + 1 and street_name(tail, follows, wanted=True) is not None)
    named = named or (word == "unit" and street_name(tail, follows, wanted=True) is not None)
    return number if named or (tail.words[follows] in _WITHIN and dwelling(tail, follows)) else None


def _number_on_street(tail: Tail, at: int) -> int | None:
    """ "number forty on Sandpiper Crescent", "number 3 in the High Street"."""
    number = house_number(tail, at)
    if number is None or tail.words[number] not in ("on", "in", "along", "down"):
        return None
    return street_name(tail, number + 1, wanted=False)


def _boat(tail: Tail, at: int) -> int | None:
    """ "narrowboat Kingfisher, Braunston marina"."""
    for end in range(at + 2, at + 2 + _BOAT_WORDS):
        if not tail.marks[end - 1] & kinds.WORD or tail.marks[end - 1] & kinds.STOP:
            return None
        if site(tail, end + (tail.words[end] == ",")) is not None:
            return end
    return None


def over_sections(tail: Tail, at: int) -> int:
    """Behind "phase two," or "block C," of what is being built."""
    while tail.words[at] in _SECTIONS and tail.marks[at + 1] & (kinds.NUMBER | kinds.SPELLED):
        number = house_number(tail, at + 1) or at + 2
        at = number + (tail.words[number] == ",")
    return at


def site(tail: Tail, at: int) -> int | None:
    """ "Sandy Bay holiday park", "gosport marina", "port solent"."""
    if tail.words[at] == "port" and tail.marks[at + 1] & kinds.WORD and not tail.marks[at + 1] & kinds.STOP:
        return at + 2
    for here in range(at, at + _SITE_WORDS):
        word = tail.words[here]
        if here > at and (word in SITES or (word in _PARKS and tail.words[here - 1] in _OF_PARKS)):
            return here + 1
        kind = tail.marks[here]
        if not kind & kinds.WORD or (kind & kinds.STOP and here > at):
            return None
    return None


def _flat_number(tail: Tail, at: int) -> int | None:
    """The number of a flat, which may have that of the house right behind: "flat two sixty one Elm Road"."""
    if tail.marks[at] & kinds.NUMERAL:
        first = read_element(tail, at)
        if first is not None and begins_street(tail, first.end) and tail.marks[first.end] & kinds.NUMBER:
            return first.end
    return house_number(tail, at)


def _floor(tail: Tail, at: int) -> int | None:
    """ "basement flat", "first floor", "top floor flat", before a street."""
    ground = tail.words[at] in ("upper", "lower") and tail.words[at + 1] == "ground"
    begin = here = at + 1 + ground
    while tail.words[here] in _ON_FLOORS and here <= begin + 1:
        here += 1
    here += here > begin and tail.words[here] in ("left", "right", "front", "rear", "back")
    if here == begin and ((tail.words[at] != "basement" and not ground) or tail.words[here] != ","):
        return None
    if tail.marks[here] & (kinds.NUMBER | kinds.LETTER) and not begins_street(tail, here):
        here = house_number(tail, here) or here + 1
    follows = here + (tail.words[here] in (",", "at", "of"))
    follows += tail.words[follows] == "number"
    if tail.words[here - 1] in ("flat", "apartment") and tail.marks[follows] & (kinds.DIGITS | kinds.NUMERAL):
        number = house_number(tail, follows)
        return here if number is not None and tail.words[number] not in COUNTED else None
    return here if begins_street(tail, follows) or _house_on_floor(tail, follows) else None


def over_floor(tail: Tail, at: int) -> int:
    """Behind "4th floor," where the number of a street follows."""
    if tail.words[at + 1] not in ("st", "nd", "rd", "th") or tail.words[at + 2] != "floor":
        return at
    follows = at + _FLOOR_TOKENS + (tail.words[at + _FLOOR_TOKENS] == ",")
    return follows if tail.marks[follows] & kinds.NUMBER else at


_FLOOR_TOKENS: Final = 3


def _house_on_floor(tail: Tail, at: int) -> bool:
    """ "… number nine oh four, arlington tower", "… Kingfisher House, Salford"."""
    number = house_number(tail, at)
    if number is not None:
        return house_name(tail, number + (tail.words[number] == ",")) is not None
    house = house_name(tail, at)
    return house is not None and town(tail, house + (tail.words[house] == ",")) is not None


def _box_on_route(tail: Tail, at: int) -> int | None:
    """ "rural route two box eighteen", "HC 66 Box 12", "star route box nineteen", "R R 2 box 5"."""
    here = at
    while tail.words[here] in _ROUTES and here < at + _ROUTE_WORDS:
        here += 1
    here = house_number(tail, here) or here
    here += tail.words[here] == ","
    return house_number(tail, here + 1) if tail.words[here] == "box" else None


def celtic_house(tail: Tail, at: int) -> int | None:
    """ "Ty Gwyn", "Taigh na Coille": Welsh, Gaelic and Irish names begin with the kind of house or road."""
    if tail.words[at] in _WELSH and tail.words[at + 1] in ("y", "yr"):
        return at + 3 if tail.marks[at + 2] & kinds.WORD else None
    if tail.words[at] in _WELSH and tail.words[at + 1] in _OF_HOUSES and tail.capital[at]:
        return at + 2 if tail.capital[at + 1] else None
    if tail.words[at] not in _CELTIC:
        return None
    article = tail.words[at + 1] in CELTIC_ARTICLES
    end = at + 1 + article
    kind = tail.marks[end]
    if not kind & kinds.WORD or kind & (kinds.STOP | kinds.MONTH | kinds.NUMERAL):
        return None
    if not (tail.capital[at] and tail.capital[end]) and kind & kinds.COMMON:
        return None
    if article or _is_before_place(tail, end + 1):
        return end + 1
    named = kind & (kinds.FIRST | kinds.MAYBE | kinds.LAST)
    return end + 1 if not named and tail.words[at - 1] in _BEFORE_CELTIC else None


def _is_before_place(tail: Tail, at: int) -> bool:
    if tail.words[at] == "," and tail.capital[at + 1] and not tail.marks[at + 1] & kinds.STOP:
        return True
    follows = at + (tail.words[at] == ",")
    return tail.words[follows] in _CELTIC or town(tail, follows) is not None


def post_box(tail: Tail, at: int) -> int | None:
    """ "PO box 42", "P O box forty two"; the "R R 2 box 5" of a rural route."""
    if tail.words[at] == "r":
        return _box_on_route(tail, at)
    if tail.words[at + 1] == "office" and tail.words[at + 2] == "box":
        return house_number(tail, at + 3)
    begin = at + 1 if tail.words[at] == "po" else at
    if begin == at:
        while tail.words[begin] in ("p", "o", ".") and begin < at + TOWN_WORDS + 1:
            begin += 1
    return house_number(tail, begin + 1) if begin > at and tail.words[begin] == "box" else None
