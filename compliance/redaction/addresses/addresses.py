"""Postal addresses: a house and a street wherever they are said; more where one is asked for."""

from typing import Final

from compliance.redaction.addresses.address_pieces import number_alone, the_street_alone
from compliance.redaction.addresses.codes import alphanumeric
from compliance.redaction.addresses.dwellings import (
    celtic_house,
    dwelling,
    over_floor,
    over_sections,
    post_box,
    site,
)
from compliance.redaction.addresses.localities import before_county, crossing, to_town, townland
from compliance.redaction.addresses.named_houses import (
    after_house,
    house_and_number,
    house_before_code,
    house_in_town,
    is_strange_place,
    named_house,
    written_house,
)
from compliance.redaction.addresses.said_back import number_of_house
from compliance.redaction.addresses.street_words import COMPASS, goes_on, is_street, may_name
from compliance.redaction.addresses.streets import (
    STREET_WORDS,
    house_name,
    house_number,
    numbered_street,
    route,
    street_name,
)
from compliance.redaction.addresses.talked_streets import is_generic, is_home, lives_in
from compliance.redaction.addresses.towns import is_sure_town, town
from compliance.redaction.talk.view import GUESSED, LIKELY, SURE, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

_FREE_TOKENS: Final = 8
_KINDS_OF_STREETS: Final = kinds.STREET | kinds.WAY
_BEFORE_PRONOUN: Final = frozenset(
    {"the", "this", "that", "other", "which", "have", "got", "need", "want", "another", "any", "new", "old"}
)
"""Before a "one" that is no number."""


def address(view: View, at: int) -> Match | None:
    """An address that begins at `at`, up to the town."""
    tail = view.tail
    kind = tail.marks[at]
    wanted = view.expects.awaits("ADDRESS")
    if tail.words[at] == "a" and tail.words[at + 1] == "hundred":
        return _from_hundred(view, at, wanted=wanted)
    box = _box_or_grid(tail, at) if kind & kinds.LETTER or tail.words[at] in ("po", "post") else None
    end = dwelling(tail, at) if kind & kinds.DWELLING else None
    if box is not None or end is not None:
        return Match(to_town(view, box or _after_dwelling(view, end or at)), "ADDRESS", SURE)
    house = celtic_house(tail, at) if kind & kinds.DWELLING else None
    if house is not None:
        return Match(to_town(view, after_house(tail, house)), "ADDRESS", LIKELY)
    if kind & (kinds.DIGITS | kinds.NUMERAL):
        if tail.words[at] == "one" and tail.words[at - 1] in _BEFORE_PRONOUN:
            return None
        if tail.words[at + 1] == "of" and tail.words[at + 2] in ("the", "a", "our", "your"):
            return None
        street = numbered_street(tail, over_floor(tail, at), wanted=wanted)
        if street is not None:
            return Match(to_town(view, street), "ADDRESS", LIKELY)
    if kind & kinds.NUMBER:
        alone = number_of_house(view, at) or number_alone(view, at) or _street_before_code(view, at)
        if alone is not None:
            return alone._replace(end=to_town(view, alone.end))
    return _answer(view, at) if wanted else None


def _box_or_grid(tail: Tail, at: int) -> int | None:
    """ "PO box 42"; "N7834 Town Line Road", where houses are numbered by the grid of the county."""
    if tail.glued[at + 1] and tail.marks[at + 1] & kinds.DIGITS:
        return numbered_street(tail, at + 1)
    return post_box(tail, at)


def _street_before_code(view: View, at: int) -> Match | None:
    """ "thirty two elm tree close b s sixteen seven q t": its postcode is right behind."""
    tail = view.tail
    street = numbered_street(tail, at, wanted=True) if tail.held & _KINDS_OF_STREETS else None
    if street is None or not any(tail.marks[here] & _KINDS_OF_STREETS for here in range(at, street)):
        return None
    end = to_town(view, street)
    code = alphanumeric(view, end + (tail.words[end] == ","))
    return Match(end, "ADDRESS", LIKELY) if code is not None and code.type == "POSTCODE" else None


def _from_hundred(view: View, at: int, *, wanted: bool) -> Match | None:
    """ "a hundred and eighty eight Queens Lane"."""
    street = numbered_street(view.tail, at + 1, wanted=wanted)
    if street is not None:
        return Match(to_town(view, street), "ADDRESS", LIKELY)
    number = house_number(view.tail, at + 1) if wanted else None
    if number is None:
        return None
    named = _unnamed_street(view, at, number)
    alone = named is None and view.tail.words[at - 1] in _BEFORE_PLAIN_NUMBER
    return Match(number, "ADDRESS", GUESSED) if alone and _ends_there(view.tail, number) else named


_BEFORE_PLAIN_NUMBER: Final = frozenset({"", ":", "it's", "its", "number", "is", "number's"})


def _ends_there(tail: Tail, at: int) -> bool:
    """Nothing that is counted follows: a mark, or "and"."""
    return not tail.marks[at] & (kinds.WORD | kinds.NUMBER) or tail.words[at] in ("and", "yes", "yeah")


def free_address(view: View, at: int) -> Match | None:
    """A street without a number, behind a house's name or before a known town: "Mill Lane, Kettering"."""
    tail = view.tail
    if tail.starts[at] < view.no_street_before:
        named = written_house(tail, at) if tail.capital[at] else None
        return None if named is None else Match(to_town(view, named), "ADDRESS", GUESSED)
    if tail.marks[at] & kinds.STOP and tail.words[at] != "the":
        return None
    here = at + (tail.words[at] == "the")
    while here < at + _FREE_TOKENS and (tail.words[here] == "," or goes_on(tail, here)):
        if here > at and is_street(tail, here):
            end = _free_street(view, at, here)
            if end is not None:
                return Match(to_town(view, end), "ADDRESS", LIKELY)
            corrected = _corrected_street(tail, at, here)
            if corrected is not None:
                return corrected
        here += 1
    named = named_house(tail, at) if tail.capital[at] and "," in tail.words[at:here] else None
    named = named or house_in_town(tail, at) or house_and_number(tail, at) or house_before_code(view, at)
    if named is not None:
        return Match(to_town(view, named), "ADDRESS", GUESSED)
    article = next((place for place in range(at + 1, here) if tail.words[place] == "the"), here)
    view.no_street_before = tail.starts[article]
    return None


def _free_street(view: View, at: int, here: int) -> int | None:
    """Behind the street whose kind is at `here`: before a town, behind a house's name, or somebody's home."""
    tail = view.tail
    house = house_name(tail, at)
    begin = at
    if house is not None and house <= here:
        begin = house + (tail.words[house] == ",")
    else:
        begin = _behind_comma(tail, at, here)
    end = street_name(tail, begin, wanted=False)
    if end is None or end <= here:
        return None
    after = end + (tail.words[end] == ",")
    if (begin > at and house is not None) or town(tail, after) is not None:
        return end
    if _is_numbered_behind(tail, after) or crossing(tail, end, end) is not None:
        return end
    return end if begin == at and is_home(view, begin, end) else None


def _is_numbered_behind(tail: Tail, at: int) -> bool:
    """ "Bramble Way, number 16", "…, I think it's number 16"; "the number nine bus" is no house."""
    limit = at + _DOUBTS
    while tail.words[at] in _DOUBTING and at < limit:
        at += 1
    number = house_number(tail, at + 1) if tail.words[at] in ("number", "number's") else None
    return number is not None and tail.words[number] not in _ON_WHEELS


def _corrected_street(tail: Tail, at: int, here: int) -> Match | None:
    """ "it should say west view terrace not west new terrace": each of the two."""
    said = (place + 1 for place in range(here - 1, at - 1, -1) if tail.words[place] in _SAYS)
    begin = next(said, at)
    end = street_name(tail, begin, wanted=False)
    if end is None or end <= here:
        return None
    if is_generic(tail, begin, end):
        return None
    if _is_changed(tail, begin, end):
        return Match(end, "ADDRESS", LIKELY, begin=begin)
    corrected = _is_put_right(tail, end) or _puts_right(tail, begin)
    return Match(end, "ADDRESS", LIKELY, begin=begin) if corrected else None


def _is_changed(tail: Tail, begin: int, end: int) -> bool:
    """ "change it from Ridge Road to Ridge Avenue": each of the two."""
    if tail.words[begin - 1] == "from" and tail.words[end] == "to":
        changed = not _CHANGING.isdisjoint(tail.words[begin - _CORRECTING : begin])
        return changed and street_name(tail, end + 1, wanted=False) is not None
    return (
        tail.words[begin - 1] == "to"
        and is_street(tail, begin - 2)
        and "from" in tail.words[begin - 8 : begin]
    )


_CHANGING: Final = frozenset(
    {"change", "changed", "moved", "moving", "update", "updated", "changing", "switch"}
)


def _is_put_right(tail: Tail, at: int) -> bool:
    """ ", not Elm Rise", "instead of Elm Rise", "but it should be Elm Rise": another street for this one."""
    follows = at + (tail.words[at] == ",")
    if tail.words[follows] not in _BETWEEN:
        return False
    limit = follows + _CORRECTING
    while follows < limit and not tail.marks[follows] & kinds.END:
        follows += 1
        if tail.words[follows - 1] in _BEFORE_RIGHT and street_name(tail, follows, wanted=False) is not None:
            return True
    return False


def _puts_right(tail: Tail, at: int) -> bool:
    """Another street, and "not" or its like, stand before this one."""
    if tail.words[at - 1] not in _BEFORE_RIGHT:
        return False
    before = range(at - 2, at - _CORRECTING, -1)
    return any(is_street(tail, here) for here in before) and not _BETWEEN.isdisjoint(
        tail.words[at - _CORRECTING : at]
    )


_CORRECTING: Final = 8
_BETWEEN: Final = frozenset({"not", "instead", "rather", "but", "on"})
"""Behind the one of two streets: "instead of", "on the form but it should be"."""
_BEFORE_RIGHT: Final = frozenset({"not", "of", "than", "be", "been", "it's", "say", "to"})


_DOUBTS: Final = 4
_DOUBTING: Final = frozenset(
    {"i", "think", "it's", "its", "that's", "at", "the", "door", "house", "it", "is", "and", "we're", "i'm"}
)
_ON_WHEELS: Final = frozenset({"bus", "buses", "tram", "train"})
_SAYS: Final = frozenset(
    {"say", "says", "read", "reads", "written", "wrote", "put", "got", "spelt", "spelled"}
)
"""Before a street that is corrected."""
_BESIDE: Final = frozenset({"near", "above", "below", "opposite", "behind", "beside", "next"})
"""Not the first word of an address: "near the park"."""


def _behind_comma(tail: Tail, at: int, here: int) -> int:
    """Where the street's own name begins."""
    return next((place + 1 for place in range(here - 1, at, -1) if tail.words[place] == ","), at)


def _after_dwelling(view: View, at: int) -> int:
    """Over a comma, a house's name, and the numbered street behind a flat."""
    tail = view.tail
    follows = at + (tail.words[at] in (",", ".", "at", "of", "-"))
    follows += tail.words[follows] == "number"
    follows = over_sections(tail, follows)
    house = house_name(tail, follows) or _strange_building(view, follows)
    street = numbered_street(tail, follows, wanted=True) or street_name(tail, follows, wanted=True)
    if house is not None and (street is None or (house < street and not _is_part(tail, house, street))):
        return after_house(tail, house)
    return _unkind_street(view, follows) or site(tail, follows) or at if street is None else street


def _strange_building(view: View, at: int) -> int | None:
    """ "flat nineteen the atrium", "apartment 904 at the Lumina": what a building of flats is called."""
    tail = view.tail
    if tail.words[at] != "the" or not tail.marks[at + 1] & kinds.WORD or tail.marks[at + 1] & kinds.STOP:
        return None
    named = tail.capital[at + 1] or tail.marks[at + 1] & (kinds.UNKNOWN | kinds.RARER)
    return at + 2 if named or "ADDRESS" in view.expects.asked else None


def _is_part(tail: Tail, house: int, street: int) -> bool:
    """What looks like a house is of the street's name: "old mill wynd", not "Rose Cottage, Mill Lane"."""
    return street == house + 1 and tail.words[house] != ","


def _unkind_street(view: View, at: int) -> int | None:
    """Behind a flat: a number and a name that says no kind of street, "20 Long Acre"."""
    tail = view.tail
    number = house_number(tail, at)
    if number is None or not may_name(tail, number, wanted=True) or tail.marks[number] & kinds.STOP:
        return None
    if tail.capital[number]:
        return _run_of_names(view, number)
    towns = (end for end in range(number + 1, number + STREET_WORDS) if town(tail, end) is not None)
    return next(towns, number + 1)


def _answer(view: View, at: int) -> Match | None:
    """Where an address was asked for or named: a house's name, a street without a number, a town."""
    tail = view.tail
    kind = tail.marks[at]
    if tail.words[at] in _BESIDE or _is_any_road(tail, at):
        return None
    if tail.words[at] == "the":
        beside = tail.words[at - 1] in _BESIDE or _is_next_to(tail, at)
        return None if beside else _house(view, at) or the_street_alone(view, at) or _inn(view, at)
    if kind & (kinds.STOP | kinds.LEAD) or not kind & (kinds.WORD | kinds.DIGITS):
        return None
    if alphanumeric(view, at) is not None:
        return None
    number = house_number(tail, at)
    if number is not None:
        return _unnamed_street(view, at, number)
    road = route(tail, at)
    if road is not None:
        return Match(to_town(view, road), "ADDRESS", LIKELY)
    house = house_name(tail, at)
    street = street_name(tail, at, wanted=True)
    if (street or house) is not None and _is_amid_talk(tail, at):
        return None
    if street is not None and (house is None or _is_part(tail, house, street)):
        return Match(to_town(view, street), "ADDRESS", LIKELY)
    found = town(tail, at)
    if found is not None:
        return Match(to_town(view, found), "ADDRESS", GUESSED) if _town_counts(view, at, found) else None
    return _in_county(view, at) or _house(view, at) or _lived_in(view, at) or _before_street(view, at)


def _is_amid_talk(tail: Tail, at: int) -> bool:
    """ "the only way", "a cheap house", "you keep track": what stands before leads to no address."""
    if tail.capital[at] or not tail.marks[at] & kinds.COMMON or not tail.marks[at - 1] & kinds.WORD:
        return False
    if tail.words[at - 1] == "the" and not tail.marks[at - 2] & kinds.WORD:
        return False
    return tail.words[at - 1] not in _BEFORE_BARE


_BEFORE_BARE: Final = word_list("before_bare_streets")
"""Words that a street or a house is said behind, where one was asked for."""


def _inn(view: View, at: int) -> Match | None:
    """ "the Royal Oak on Chapel Street", "the Travelodge, London Road": all with capitals."""
    tail = view.tail
    end = at + 1
    while end < at + STREET_WORDS and tail.capital[end] and not tail.marks[end] & kinds.STOP:
        if tail.words[end] in _CARED_FOR:
            return None
        end += 1
    if end == at + 1 or tail.words[end] not in ("on", "in", ",") or not tail.capital[end + 1]:
        return None
    street = street_name(tail, end + 1, wanted=False)
    return None if street is None else Match(to_town(view, street), "ADDRESS", GUESSED)


_CARED_FOR: Final = frozenset(
    [
        "clinic",
        "surgery",
        "practice",
        "hospital",
        "centre",
        "center",
        "pharmacy",
        "dental",
        "medical",
        "health",
    ]
)
"""Who is there is no resident."""


def _is_any_road(tail: Tail, at: int) -> bool:
    """ "main road"; "near the high street"."""
    if tail.words[at - 1] == "the" and tail.words[at - 2] in _BESIDE:
        return True
    any_way = tail.words[at] in ("other", "right", "wrong") and tail.words[at + 1] in ("way", "end", "side")
    return any_way or (tail.words[at] in ("main", "same") and is_street(tail, at + 1))


def _in_county(view: View, at: int) -> Match | None:
    end = townland(view.tail, at) if view.tail.held & kinds.TOWN else None
    return None if end is None else Match(to_town(view, end), "ADDRESS", LIKELY)


def _is_next_to(tail: Tail, at: int) -> bool:
    return tail.words[at - 1] == "to" and tail.words[at - 2] in ("next", "close", "opposite")


def _lived_in(view: View, at: int) -> Match | None:
    """ "I live in Penrhyndeudraeth", "moving to Ballinacurra, County Cork", "at ty newydd": of no list."""
    tail = view.tail
    if tail.words[at] in COMPASS and lives_in(tail, at) and (tail.capital[at + 1] or town(tail, at + 1)):
        return Match(to_town(view, at + 2), "ADDRESS", GUESSED)
    if tail.words[at - 1] == "called" and (tail.capital[at] or tail.marks[at] & kinds.UNKNOWN):
        return Match(to_town(view, after_house(tail, at + 1)), "ADDRESS", GUESSED)
    if tail.words[at - 1] not in ("in", "near", "to", "at", "from"):
        return None
    county = before_county(tail, at) if tail.capital[at] else None
    if county is not None:
        return Match(to_town(view, county), "ADDRESS", GUESSED)
    if not is_strange_place(tail, at):
        return None
    end = at + 1
    while is_strange_place(tail, end) or (tail.words[end] == "-" and tail.glued[end]):
        end += 1
    whole = to_town(view, end)
    sure = tail.words[at - 1] in ("in", "near") or whole > at + 1 or not tail.marks[end] & kinds.WORD
    return Match(whole, "ADDRESS", GUESSED) if sure else None


def _before_street(view: View, at: int) -> Match | None:
    """ "Craigellachie, Station Road": a house of no list before a comma and its street."""
    tail = view.tail
    end = at + 1 if not tail.capital[at + 1] else at + 2
    if tail.words[end] != "," or not tail.capital[at]:
        return None
    street = street_name(tail, end + 1, wanted=True) or numbered_street(tail, end + 1)
    return None if street is None else Match(to_town(view, street), "ADDRESS", GUESSED)


def _house(view: View, at: int) -> Match | None:
    if view.tail.words[at] in _KINDS_OF_FLATS and view.tail.words[at - 1] == "the":
        return None
    end = house_name(view.tail, at)
    if end is None or (view.tail.words[at] == "the" and is_street(view.tail, end)):
        return None  # "the Mill Road branch"
    if view.tail.words[at] == "the" and _is_no_house(view.tail, at, end):
        return None
    return Match(to_town(view, after_house(view.tail, end)), "ADDRESS", GUESSED)


def _is_no_house(tail: Tail, at: int, end: int) -> bool:
    """ "the flats over you", "dumped in the hall", "the sheltered flats now"; "the Hall, Milton" is one."""
    if tail.words[at + 1] in _KINDS_OF_FLATS:
        return True
    within = tail.words[at + 1] in _ROOMS and tail.words[end] != ","
    return end == at + 2 and (within or tail.words[at + 1] in _NO_HOUSES)


_ROOMS: Final = frozenset({"hall", "lodge", "annexe", "annex"})
_KINDS_OF_FLATS: Final = frozenset({"sheltered", "retirement", "student", "council", "new", "other", "same"})
_NO_HOUSES: Final = frozenset({"flats", "flat", "point", "farm", "house", "apartments", "building", "works"})
"""Behind "the" alone these are no address: "I live in the flats over you"."""


def _town_counts(view: View, at: int, end: int) -> bool:
    """A town alone is an address if one was asked for, or as one of two: "Denver, Colorado"."""
    if "ADDRESS" in view.expects.asked:
        return True
    if lives_in(view.tail, at) and is_sure_town(view.tail, at):
        return True
    return to_town(view, end) > end or view.tail.words[at - 1] in ("is", "'s", ":")


def _unnamed_street(view: View, at: int, number: int) -> Match | None:
    """Words behind a house number that name no kind of street."""
    tail = view.tail
    follows = number + (tail.words[number] == ",")
    kind = tail.marks[follows]
    if not kind & kinds.WORD or kind & (kinds.STOP | kinds.MONTH) or tail.words[follows] in _BEHIND_SUMS:
        return None
    if not may_name(tail, follows, wanted=True) or _is_of_date(tail, follows):
        return None
    end = _run_of_names(view, follows)
    common = kind & kinds.COMMON and not tail.capital[follows]
    common = common and ("ADDRESS" not in view.expects.asked or _is_counted(tail, at, number, end))
    if common and not (end > follows + 1 and _ends_like_place(tail, end)):
        return None
    return Match(to_town(view, end), "ADDRESS", GUESSED)


def _is_of_date(tail: Tail, at: int) -> bool:
    """The "th" of "moved to the 19th"."""
    return tail.glued[at] and tail.words[at] in ("th", "st", "nd", "rd")


def _is_counted(tail: Tail, at: int, number: int, end: int) -> bool:
    """ "one thing", "two mornings a week", "five other people that": a sentence about what is counted."""
    if tail.words[at - 1] == "number":
        return False
    if tail.words[number - 1] == "one" or _is_amid_talk(tail, at):
        return True
    return bool(tail.marks[end] & kinds.STOP) and tail.words[end] not in _BEHIND_BARE


_BEHIND_BARE: Final = frozenset({"in", "near", "and", "at", "off", "by", "it's", "that's"})


_BEHIND_SUMS: Final = frozenset(
    {"yet", "left", "more", "each", "altogether", "total", "extra", "quid", "odd", "whichever's", "whichever"}
)


def _ends_like_place(tail: Tail, end: int) -> bool:
    kind = tail.marks[end - 1]
    return bool(kind & (kinds.PLACE | kinds.UNKNOWN | kinds.LAST)) and not kind & kinds.COMMON


def _run_of_names(view: View, at: int) -> int:
    tail = view.tail
    end = at
    while end < at + STREET_WORDS and tail.marks[end] & kinds.WORD and not tail.marks[end] & kinds.STOP:
        if alphanumeric(view, end) is not None:
            break
        end += 1
    return end
