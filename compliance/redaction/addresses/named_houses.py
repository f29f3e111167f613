"""Houses with a name, known by the place, street, flat or postcode behind it: "Rosebank, Mill Lane"."""

from typing import Final

from compliance.redaction.addresses.codes import alphanumeric
from compliance.redaction.addresses.dwellings import FLATS, celtic_house
from compliance.redaction.addresses.localities import to_town
from compliance.redaction.addresses.streets import house_name, house_number, numbered_street, street_name
from compliance.redaction.addresses.towns import town
from compliance.redaction.names.name_words import NOT_NAMES
from compliance.redaction.talk.view import GUESSED, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

_BEFORE_HOUSES: Final = frozenset({"at", "is", "in", "from", "to", "it's", "we're", "of", ":"})


def named_house(tail: Tail, at: int) -> int | None:
    """ "The Old Forge," before a place of no list: all with capitals."""
    house = house_name(tail, at)
    if house is None or tail.words[house] != "," or house - at < 2 or not all(tail.capital[at:house]):
        return None
    follows = house + 1 + (tail.words[house + 1] in ("near", "in", "outside"))
    return house if tail.capital[follows] and not tail.marks[follows] & (kinds.STOP | kinds.MONTH) else None


def written_house(tail: Tail, at: int) -> int | None:
    """A house called by its name in capitals, before a place or a numbered street."""
    named = named_house(tail, at) if tail.words[at - 1] == "," else None
    return named or house_and_number(tail, at)


def house_in_town(tail: Tail, at: int) -> int | None:
    """ "rosebank cottage pitlochry", "the hayloft, manor farm, Malvern": before a town of the lists."""
    house = house_name(tail, at) or _once_public(tail, at)
    if house is None or house == at + 1:
        return None
    any_one = tail.words[at] == "the" and tail.words[house] != "," and not tail.capital[house - 1]
    last = house - any_one  # "in the annexe" is in any
    strange = any(is_strange_place(tail, here) for here in range(at, last))
    if strange and tail.words[at - 1] in _BEFORE_HOUSES:
        return house
    if _is_before_flat(tail, house) or _is_lone(tail, at, house) or _is_before_street(tail, at, house):
        return house
    if tail.words[house] == "on" and tail.words[at - 1] in _BEFORE_HOUSES and all(tail.capital[at:house]):
        return street_name(tail, house + 1, wanted=False)
    if tail.words[house] in ("in", "near") and all(
        tail.marks[here] & kinds.COMMON for here in range(at, house)
    ):
        return None
    follows = house + (tail.words[house] in (",", "in", "near"))
    second = house_name(tail, follows)
    if second is not None:
        house, follows = second, second + (tail.words[second] in (",", "in", "near"))
    if tail.words[at - 1] not in _BEFORE_HOUSES and not (
        tail.words[at] == "the" or all(tail.capital[at:house])
    ):
        return None
    return house if town(tail, follows) is not None or _is_strange_town(tail, at, house) else None


_LONE: Final = frozenset({"farm", "farmhouse", "cottage", "barn", "croft", "steading", "lodge"})
"""Stand by themselves, away from any street."""
_GROWN: Final = word_list("grown_houses")
"""What houses of the country are called by: "ivy cottage"."""


def _is_before_flat(tail: Tail, at: int) -> bool:
    """ "oakwood court flat seven"."""
    return tail.words[at] in FLATS and house_number(tail, at + 1) is not None


def _is_lone(tail: Tail, at: int, house: int) -> bool:
    """ "it's hilltop farm near Hawes"."""
    if tail.words[house - 1] not in _LONE or tail.words[at - 1] not in _BEFORE_HOUSES:
        return False
    if house == at + 2 and tail.words[at] in _GROWN and not tail.marks[house + 1] & kinds.NUMBER:
        return True
    near = tail.words[house] in ("in", "near") and tail.words[at] != "the"
    return near and _is_place(tail, house + 1)


def _once_public(tail: Tail, at: int) -> int | None:
    """ "The Old Post Office": what a house was before."""
    old = tail.words[at] == "the" and tail.words[at + 1] == "old"
    return at + _ONCE_TOKENS if old and (tail.words[at + 2], tail.words[at + 3]) in _ONCE else None


_ONCE_TOKENS: Final = 4
_ONCE: Final = frozenset(
    [("post", "office"), ("police", "station"), ("fire", "station"), ("railway", "station")]
) | frozenset([("signal", "box"), ("telephone", "exchange"), ("ticket", "office"), ("school", "rooms")])


def _is_before_street(tail: Tail, at: int, house: int) -> bool:
    """ "The Old Post Office, Barsham Road": both with capitals."""
    if tail.words[at] != "the" or tail.words[house] != "," or house < at + 3:
        return False
    written = all(tail.capital[at:house]) and tail.capital[house + 1]
    return written and street_name(tail, house + 1, wanted=False) is not None


def _is_place(tail: Tail, at: int) -> bool:
    """A town, or what is no word of every day."""
    kind = tail.marks[at]
    strange = kind & (kinds.UNKNOWN | kinds.LAST) and not kind & (kinds.COMMON | kinds.STOP | kinds.MONTH)
    return bool(strange) or town(tail, at) is not None


def _is_strange_town(tail: Tail, at: int, house: int) -> bool:
    """ "the old police house, Tattenhall": behind the comma stands a place of no list."""
    if tail.words[at] != "the" or house < at + 3 or tail.words[house] != ",":
        return False
    never = kinds.FIRST | kinds.MAYBE | kinds.STOP | kinds.MONTH | kinds.TITLE | kinds.DOCTOR | kinds.COMMON
    return tail.capital[house + 1] and not tail.marks[house + 1] & never


def house_before_code(view: View, at: int) -> int | None:
    """ "hillside farm, tarvin, CH3 8NF": a house, a place of no list and the postcode."""
    tail = view.tail
    house = house_name(tail, at)
    if house is None or tail.words[house] != ",":
        return None
    for end in (house + 2, house + 3):
        if tail.marks[end - 1] & (kinds.STOP | kinds.MONTH) or not tail.marks[end - 1] & kinds.WORD:
            return None
        code = alphanumeric(view, end + (tail.words[end] == ","))
        if code is not None and code.type == "POSTCODE":
            return end
    return None


def called_house(view: View, at: int) -> Match | None:
    """ "the house name's Dunroamin, Ferry Road"; "Ty Gwyn, Lon Las": a house, where a name may stand."""
    tail = view.tail
    named = tail.words[at - 1] in _NAMES_IT
    if not named and not tail.marks[at] & kinds.DWELLING:
        return None
    end = celtic_house(tail, at)
    if end is None and named and _BUILT.intersection(tail.words[at - 3 : at]):
        strange = tail.marks[at] & kinds.UNKNOWN or (tail.capital[at] and tail.marks[at] & kinds.WORD)
        end = at + 1 if strange and not tail.marks[at] & kinds.STOP else None
        if end is not None and tail.capital[at] and tail.capital[end] and not tail.marks[end] & kinds.STOP:
            end += 1
    return None if end is None else Match(to_town(view, after_house(tail, end)), "ADDRESS", GUESSED)


_NAMES_IT: Final = frozenset({"name", "name's", "named", "called", "is"})
_BUILT: Final = frozenset({"house", "cottage", "home", "bungalow", "farm", "house's", "cottage's"})


def house_before_number(view: View, at: int) -> Match | None:
    """ "Dunroamin, 5 Copse", in a turn that holds no kind of street and of house."""
    tail = view.tail
    if tail.words[at + 1] != ",":
        return None
    end = _strange_house(tail, at)
    return None if end is None else Match(to_town(view, end), "ADDRESS", GUESSED)


def house_and_number(tail: Tail, at: int) -> int | None:
    """ "Rose Cottage, 52 Mill Lane"; "Dunroamin, 5 Copse End"."""
    house = house_name(tail, at)
    street = None if house is None else numbered_street(tail, house + (tail.words[house] == ","))
    return _strange_house(tail, at) if street is None else street


def _strange_house(tail: Tail, at: int) -> int | None:
    """A word of no list, with a capital, before a street."""
    if not tail.capital[at]:
        return None
    if tail.words[at + 1] != "," or not is_strange_place(tail, at):
        return _house_of_words(tail, at)
    named = street_name(tail, at + 2, wanted=False) if tail.words[at - 1] in _BEFORE_HOUSES else None
    return named or numbered_street(tail, at + 2) or celtic_house(tail, at + 2)


def _house_of_words(tail: Tail, at: int) -> int | None:
    """ "Windy Ridge, Back Lane, Great Ayton": two words with capitals before a street and a comma."""
    if tail.words[at + 2] != "," or not tail.capital[at + 1] or tail.words[at - 1] not in _BEFORE_WORDS:
        return None
    never = kinds.FIRST | kinds.MAYBE | kinds.STOP | kinds.MONTH | kinds.TITLE | kinds.DOCTOR | kinds.NUMBER
    if tail.marks[at] & never or tail.marks[at + 1] & (kinds.LAST | kinds.STOP) & ~kinds.COMMON:
        return None
    end = street_name(tail, at + 3, wanted=False)
    return end if end is not None and tail.words[end] in (",", ".") and tail.capital[at + 3] else None


_BEFORE_WORDS: Final = frozenset({"", ":", "at", "is", "it's", "we're", "i'm", "to"})


def after_house(tail: Tail, at: int) -> int:
    """Over a comma and the street behind a house's name."""
    follows = at + (tail.words[at] in (",", "at", "on"))
    street = numbered_street(tail, follows, wanted=True) or street_name(tail, follows, wanted=True)
    second = house_name(tail, follows) if street is not None else None
    return max(street or at, second or at)


def is_strange_place(tail: Tail, at: int) -> bool:
    kind = tail.marks[at]
    if not kind & kinds.UNKNOWN or kind & (kinds.RARER | kinds.ALONE):
        return False
    return tail.words[at] not in NOT_NAMES
