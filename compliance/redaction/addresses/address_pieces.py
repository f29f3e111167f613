"""Pieces of an address that make a turn of their own: "no, sixty-one", "Larch Close?", "and is that Leeds".

A piece carries too little to be known anywhere else. Here nothing but small words stands beside it, and most
count only where an address was given, read back or asked for right before.
"""

from typing import Final

from compliance.redaction.addresses.code_pieces import figures_of_code
from compliance.redaction.addresses.localities import to_town
from compliance.redaction.addresses.street_words import COUNTED, NAMING, is_street, may_name
from compliance.redaction.addresses.streets import house_name, house_number, street_name
from compliance.redaction.addresses.talked_streets import is_generic, lives_in
from compliance.redaction.addresses.towns import is_sure_town, town
from compliance.redaction.names.name_words import NOT_NAMES
from compliance.redaction.talk.cues import Slot
from compliance.redaction.talk.view import GUESSED, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

_LEADS: Final = word_list("before_pieces")
_TRAILS: Final = word_list("behind_pieces")
_LOOK_BACK: Final = 8
_NUMBER_TOKENS: Final = 4
_HOUSE_DIGITS: Final = 4
_FIGURED: Final[frozenset[Slot]] = frozenset({"PHONE", "DOB", "CARD", "GOV_ID", "EXPIRY", "CODE"})
_OTHERS: Final = _FIGURED - {"PHONE"}
_ANY: Final = frozenset({"street", "road", "front", "back", "end", "building", "buildings", "st", "rd"})
_NAMES: Final = 2
_FLOORS: Final = word_list("floors")
_ANY_HOUSE: Final = frozenset(
    ["house", "flat", "farm", "flats", "cottage", "building", "home", "hall", "annexe", "bungalow", "caravan"]
) | frozenset({"apartments", "apartment", "cabin", "boat", "loft", "chapel", "church", "school", "works"})
_SURE_HOUSES: Final = frozenset(
    {"farm", "cottage", "house", "court", "lodge", "barn", "bungalow", "cottages", "farmhouse", "villas"}
)
_STAYING: Final = frozenset(
    ["i'm", "we're", "she's", "he's", "they're", "still", "live", "lives", "mum's", "dad's", "door", "it"]
)
_AGED: Final = frozenset({"i'm", "he's", "she's", "they're", "turned", "turning"})
"""Before a number alone these tell an age."""
_ENDING: Final = frozenset({".", "?", "!"})
_CODES: Final = frozenset({"POSTCODE"})
_PIECES: Final = kinds.NUMBER | kinds.STREET | kinds.PLACE
_TOWARDS: Final = frozenset({"in", "near", "that's", "at", "it's"})
_SURE: Final = word_list("streets") - {"hill", "park", "row", "square", "place", "way", "st", "dr"}


def number_alone(view: View, at: int) -> Match | None:
    """ "Sixty-one. Six one.", "it's eighteen", "one six or six oh": a house's number and no more."""
    if not (_is_told(view) or "ADDRESS" in view.expects.found) or _is_of_other(view):
        return figures_of_code(view, at)
    tail = view.tail
    end = house_number(tail, at)
    if end is None or end > at + _NUMBER_TOKENS or tail.words[at] in ("oh", "o", "zero", "0"):
        return None
    if len(tail.words[at]) > _HOUSE_DIGITS and tail.marks[at] & kinds.DIGITS:
        return None
    if tail.words[at - 1] in _AGED:
        return None
    if tail.words[at - 1] == "at" and tail.words[at - 2] in _STAYING:
        return Match(end, "ADDRESS", GUESSED) if _is_last(tail, end) else None
    if not _is_told(view) or not _is_first(tail, at):
        return None
    if _is_last(tail, end) or _is_thanked(tail, end) or _is_before_another(tail, end):
        return Match(end, "ADDRESS", GUESSED)
    named = _behind_names(tail, end)
    return Match(named, "ADDRESS", GUESSED) if named > end and _is_last(tail, named) else None


def _is_thanked(tail: Tail, at: int) -> bool:
    """ "86, thank you. And the street?"."""
    return tail.words[at + (tail.words[at] == ",")] in ("thank", "thanks", "lovely", "perfect", "great")


def _is_of_other(view: View) -> bool:
    """Figures are told, or asked for, of something else than a house."""
    expects = view.expects
    if "PHONE" in expects.answered and "ADDRESS" not in expects.answered:
        return True
    return not (_OTHERS if "ADDRESS" in expects.given else _FIGURED).isdisjoint(expects.asked)


def _behind_names(tail: Tail, at: int) -> int:
    """Behind the one or two words of a name: "eighteen fernhill"."""
    end = at
    while end < at + _NAMES and may_name(tail, end, wanted=True) and tail.words[end] not in COUNTED:
        if tail.marks[end] & kinds.COMMON and not tail.capital[end] and tail.words[end] not in NAMING:
            break
        end += 1
    return end


def _is_before_another(tail: Tail, at: int) -> bool:
    """ "or six oh", ". Six one.": the same number once more, or another."""
    follows = at + (tail.words[at] in (",", ".", "or", "not"))
    follows += follows > at and tail.words[follows] in ("or", "not")
    if follows == at or not tail.marks[follows] & kinds.NUMBER:
        return False
    end = house_number(tail, follows)
    return end is not None and end <= follows + _NUMBER_TOKENS and _is_last(tail, end)


def street_alone(view: View, at: int) -> Match | None:
    """ "Larch Close.", "is it saint johns road or saint johns avenue", "same building, Regent Court"."""
    tail = view.tail
    if tail.words[at] in _LEADS or not _is_first(tail, at):
        return None
    told = _is_told(view) or "ADDRESS" in view.expects.found
    end = _any_street(tail, at) if told else _sure_street(view, at)
    if end is None or (is_generic(tail, at, end) and end > at + 1):
        return None
    end = max(end, to_town(view, end) if told else end)
    closed = tail.words[end] in _ENDING or _is_last(tail, end)
    closed = closed or (tail.words[end] in ("or", "not") and _is_street(tail, end + 1))
    if not closed or (tail.words[at - 1] in ("on", "in") and not told):
        return None
    return Match(end, "ADDRESS", GUESSED)


def the_street_alone(view: View, at: int) -> Match | None:
    """ "the avenue", "it's The Crescent": where a street was asked for."""
    tail = view.tail
    named = is_street(tail, at + 1) and tail.words[at + 1] not in _ANY
    whole = named and _is_first(tail, at) and _is_last(tail, at + 2)
    return Match(at + 2, "ADDRESS", GUESSED) if whole else None


def the_building_alone(view: View, at: int) -> Match | None:
    """ "the mill": what a building is called, where an address was given or asked for."""
    tail = view.tail
    end = house_name(tail, at) if _is_told(view) and _is_first(tail, at) else None
    if end is None or end > at + _NAMES + 1 or tail.words[end - 1] in _ANY_HOUSE or not _is_last(tail, end):
        return None
    return Match(end, "ADDRESS", GUESSED)


def _any_street(tail: Tail, at: int) -> int | None:
    """Behind a street or a house, also one of a common name: an address is in play."""
    alone = at + 1 if tail.marks[at] & kinds.STREET else None
    return street_name(tail, at, wanted=True) or house_name(tail, at) or alone


def _floor(tail: Tail, at: int) -> int | None:
    """ "basement flat", "top floor"."""
    return at + 2 if tail.words[at] in _FLOORS and tail.words[at + 1] in ("flat", "floor") else None


def _sure_street(view: View, at: int) -> int | None:
    """Behind a street whose kind is no surname, as "Park" and "Hill" are."""
    tail = view.tail
    if view.expects.name_open:
        return None
    end = street_name(tail, at, wanted=False)
    if end is not None and tail.words[end - 1] in _SURE:
        return end
    house = house_name(tail, at)
    named = house is not None and house > at + 1 and tail.words[house - 1] in _SURE_HOUSES
    return house if named and (all(tail.capital[at:house]) or tail.words[at - 1] == "still") else None


def _is_street(tail: Tail, at: int) -> bool:
    end = street_name(tail, at, wanted=True)
    if end is None:
        end = at + 1 if is_street(tail, at) else None
    return end is not None and _is_last(tail, end)


def town_alone(view: View, at: int) -> Match | None:
    """ "no, Manchester", "and that's in Edinburgh", "is that near Tonyrefail"."""
    tail = view.tail
    if tail.words[at] in _LEADS or not _is_first(tail, at):
        return None
    end = town(tail, at) or _strange_town(view, at) or _floor(tail, at)
    if end is None:
        return None
    other = town(tail, end + 1) if tail.words[end] == "or" else None
    return Match(end, "ADDRESS", GUESSED) if _is_last(tail, end if other is None else other) else None


def _strange_town(view: View, at: int) -> int | None:
    """Behind a place of no list, where no name was asked for."""
    tail = view.tail
    kind = tail.marks[at]
    if view.expects.name_open or tail.words[at] in NOT_NAMES or tail.words[at - 1] not in _TOWARDS:
        return None
    if kind & kinds.UNKNOWN and not kind & kinds.RARER:
        return at + 1
    listed = kind & (kinds.LAST | kinds.RARER | kinds.FIRST) and not kind & (kinds.COMMON | kinds.STOP)
    return at + 1 if listed and tail.words[at - 1] in ("in", "near") else None


def town_of_somebody(view: View, at: int) -> Match | None:
    """ "she lives down in Bridport", "I'm over in Penarth"."""
    tail = view.tail
    end = town(tail, at) if lives_in(tail, at) and is_sure_town(tail, at) else None
    return None if end is None else Match(to_town(view, end), "ADDRESS", GUESSED)


def _is_told(view: View) -> bool:
    """An address was given, asked for or read back right before."""
    expects = view.expects
    return expects.placed and not expects.given | expects.read_back | expects.asked <= _CODES


def _is_first(tail: Tail, at: int) -> bool:
    """Nothing but small words, or another piece of figures before "or", stands before it in the turn."""
    here = at - 1
    stop = at - _LOOK_BACK
    while here > stop and tail.words[here] in _LEADS:
        if tail.words[here] in ("or", ".") and tail.marks[here - 1] & _PIECES:
            return True
        here -= 1
    return tail.words[here] in ("", ":", "?")


def _is_last(tail: Tail, at: int) -> bool:
    """Nothing but small words follows."""
    here = at
    while not tail.marks[here] & kinds.END:
        if tail.words[here] not in _TRAILS or here > at + _LOOK_BACK:
            return False
        here += 1
    return True
