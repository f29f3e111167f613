"""Postal addresses: a house and a street wherever they are said; more where one is asked for."""

from typing import Final

from compliance.redaction import kinds
from compliance.redaction.codes import alphanumeric
from compliance.redaction.lexicon import word_list
from compliance.redaction.spoken import read_element
from compliance.redaction.tokens import Tail
from compliance.redaction.view import GUESSED, LIKELY, SURE, Match, View
from compliance.redaction.vocabulary import TOWNS

_STREET_WORDS: Final = 5
_TAIL_TOKENS: Final = 12
_FREE_TOKENS: Final = 8
_WORD_CHARS: Final = 30
_TOWNS: Final = {tuple(town.split()) for town in TOWNS}
_TOWN_WORDS: Final = 3
_NO_STREET: Final = word_list("measures")
_NAMELESS: Final = frozenset(
    {"drive", "way", "close", "place", "rise", "park", "row", "court", "hill", "square", "walk"}
)
"""Kinds of streets that are words of every day too; they need a name or a capital before them."""


def address(view: View, at: int) -> Match | None:
    """An address that begins at `at`, up to the town."""
    tail = view.tail
    kind = tail.marks[at]
    wanted = view.expects.awaits("ADDRESS")
    if tail.words[at] == "a" and tail.words[at + 1] == "hundred":
        return _from_hundred(view, at, wanted=wanted)
    end = _dwelling(tail, at) if kind & kinds.DWELLING else None
    if end is not None:
        return Match(_to_town(view, _after_dwelling(view, end)), "ADDRESS", SURE)
    if kind & (kinds.DIGITS | kinds.NUMERAL):
        street = _numbered_street(tail, at, wanted)
        if street is not None:
            return Match(_to_town(view, street), "ADDRESS", LIKELY)
    return _answer(view, at) if wanted else None


def _from_hundred(view: View, at: int, *, wanted: bool) -> Match | None:
    """ "a hundred and eighty eight Queens Lane"."""
    street = _numbered_street(view.tail, at + 1, wanted)
    return None if street is None else Match(_to_town(view, street), "ADDRESS", LIKELY)


def free_address(view: View, at: int) -> Match | None:
    """A street without a number, before a known town: "Rose Cottage, Mill Lane, Kettering"."""
    tail = view.tail
    if tail.starts[at] < view.no_street_before:
        return None
    here = at
    while here < at + _FREE_TOKENS and (tail.words[here] == "," or _names_street(tail, here, wanted=False)):
        if here > at and tail.marks[here] & kinds.STREET and _is_street(tail, here, at):
            after = here + 1 + (tail.words[here + 1] == ",")
            if _town(tail, after) is not None:
                return Match(_to_town(view, here + 1), "ADDRESS", LIKELY)
        here += 1
    view.no_street_before = tail.starts[here]
    return None


def _dwelling(tail: Tail, at: int) -> int | None:
    """ "flat 2", "apartment 4B", "number fourteen": where it ends; None if no street can follow it."""
    here = at + 1
    if tail.words[here] in ("number", "#"):
        here += 1
    number = _house_number(tail, here)
    if (
        number is None
        and tail.words[at] in ("flat", "apartment", "apt", "unit")
        and tail.marks[here] & kinds.SPELLED
    ):
        number = here + 1
    if number is None:
        return None
    if tail.words[at] in ("flat", "apartment", "apt", "penthouse"):
        return number
    follows = number + (tail.words[number] == ",")
    return (
        number
        if _street_name(tail, follows, wanted=False) is not None or _numbered_street(tail, follows, False)
        else None
    )


def _after_dwelling(view: View, at: int) -> int:
    """Over a comma, a house's name, and the numbered street behind a flat."""
    tail = view.tail
    follows = at + (tail.words[at] in (",", ".", "at", "-"))
    street = _numbered_street(tail, follows, True) or _street_name(tail, follows, wanted=True)
    return at if street is None else street


def _house_number(tail: Tail, at: int) -> int | None:
    """Where the house number at `at` ends ("14", "14b", "twenty two", "one oh five", "12-14")."""
    if not tail.marks[at] & (kinds.DIGITS | kinds.NUMERAL | kinds.REPEAT):
        return None
    element = read_element(tail, at)
    if element is None or len(element.digits) > 5 or element.kind not in "dutyrhz":
        return None
    end = element.end
    for _ in range(4):
        follows = end + (element.kind != "d" and tail.words[end] == "and")
        numeral = tail.marks[follows] & (kinds.NUMERAL | kinds.REPEAT)
        more = read_element(tail, follows) if numeral else None
        if element.kind == "d" or more is None or more.kind not in "uztyhr":
            break
        end = more.end
    if tail.marks[end] & kinds.LETTER and (tail.glued[end] or tail.words[end] not in ("a", "i", "o")):
        return end + 1
    if tail.words[end] in ("-", "/") and tail.glued[end] and tail.marks[end + 1] & kinds.DIGITS:
        return end + 2
    return end


def _numbered_street(tail: Tail, at: int, wanted: bool) -> int | None:
    number = _house_number(tail, at)
    if number is None:
        return None
    begin = number + (tail.words[number] == ",")
    return _street_name(tail, begin, wanted=wanted) or _nameless_street(tail, begin)


def _nameless_street(tail: Tail, at: int) -> int | None:
    """ "the paddocks", before a town."""
    if tail.words[at] != "the" or tail.marks[at + 1] & kinds.STOP or not tail.marks[at + 1] & kinds.WORD:
        return None
    follows = at + 2 + (tail.words[at + 2] == ",")
    sure = tail.marks[follows] & kinds.TOWN and not tail.marks[follows] & kinds.COMMON
    return at + 2 if sure else None


def _street_name(tail: Tail, at: int, *, wanted: bool) -> int | None:
    """Some words and a kind of street, the longest."""
    here = at
    end = None
    while here < at + _STREET_WORDS:
        kind = tail.marks[here]
        if kind & kinds.STREET and (here > at or tail.words[at - 1] == "the") and _is_street(tail, here, at):
            end = here + 1
        elif end is not None or not _names_street(tail, here, wanted):
            break
        here += 1
        if tail.words[here] == "." and tail.glued[here] and end == here:
            break
    return end


def _is_street(tail: Tail, at: int, begin: int) -> bool:
    if tail.words[at] not in _NAMELESS:
        return True
    before = tail.marks[at - 1]
    return (
        at > begin
        and not before & kinds.STOP
        and (tail.capital[at] or not before & kinds.COMMON or bool(before & kinds.LAST))
    )


def _names_street(tail: Tail, at: int, wanted: bool) -> bool:
    kind = tail.marks[at]
    word = tail.words[at]
    if word in _NO_STREET or not kind & kinds.WORD or len(word) > _WORD_CHARS:
        return word in ("-", "'") and tail.glued[at]
    if kind & kinds.STOP:
        return word == "the" or (word == "of" and not tail.marks[at - 1] & kinds.NUMERAL)
    if kind & kinds.MONTH:
        return tail.capital[at] and wanted
    return not kind & (kinds.NUMERAL | kinds.REPEAT) or (kind & kinds.ORDINAL) != 0


def _to_town(view: View, at: int) -> int:
    """Over commas and "in" to the town and the county; stops before the postcode."""
    tail = view.tail
    end = _street_name(tail, at, wanted=False) or at
    limit = end + _TAIL_TOKENS
    here = end
    while here < limit:
        begin = here
        while tail.words[begin] in (",", "in", "near", "."):
            begin += 1
        town = _town(tail, begin) or _second_dwelling(tail, begin) or _quarter(tail, begin, here)
        if town is None and begin > here and "," in tail.words[here:begin]:
            town = _capitals(view, begin)
        if town is None:
            return end
        end = here = town
    return end


def _second_dwelling(tail: Tail, at: int) -> int | None:
    """The "apartment 12" behind an American street."""
    return _dwelling(tail, at) if tail.words[at] in ("apartment", "apt", "flat", "unit", "suite") else None


def _quarter(tail: Tail, at: int, street: int) -> int | None:
    """ "South" right behind a street, and "in Bermondsey": a place of no list."""
    if at == street and tail.words[at] in ("north", "south", "east", "west"):
        return at + 1
    named = tail.words[at - 1] == "in" and at > street
    fits = tail.marks[at] & (kinds.UNKNOWN | kinds.LAST) and not tail.marks[at] & (kinds.COMMON | kinds.TERM)
    return at + 1 if named and fits else None


def _town(tail: Tail, at: int) -> int | None:
    if not tail.marks[at] & kinds.TOWN:
        return None
    for length in range(_TOWN_WORDS, 0, -1):
        if tuple(tail.words[at + ahead] for ahead in range(length)) in _TOWNS:
            return at + length
    return None


def _capitals(view: View, at: int) -> int | None:
    """Capitalised words behind a comma: a town of no list."""
    tail = view.tail
    end = at
    while end < at + _TOWN_WORDS and tail.capital[end] and not tail.marks[end] & kinds.STOP:
        if alphanumeric(view, end) is not None or tail.marks[end] & kinds.MONTH:
            break
        end += 1
    return None if end == at else end


def _answer(view: View, at: int) -> Match | None:
    """Where an address was asked for or named: a house's name, a street without a number, a town."""
    tail = view.tail
    kind = tail.marks[at]
    if tail.words[at] == "the":
        house = _house_name(tail, at + 1)
        return (
            None if house is None else Match(_to_town(view, _after_dwelling(view, house)), "ADDRESS", GUESSED)
        )
    if kind & (kinds.STOP | kinds.LEAD) or not kind & (kinds.WORD | kinds.DIGITS):
        return None
    number = _house_number(tail, at)
    if number is not None:
        follows = number + (tail.words[number] == ",")
        if tail.marks[follows] & kinds.WORD and not tail.marks[follows] & (kinds.STOP | kinds.COMMON):
            return Match(_to_town(view, _run_of_names(view, follows)), "ADDRESS", GUESSED)
        return None
    street = _street_name(tail, at, wanted=True)
    if street is not None:
        return Match(_to_town(view, street), "ADDRESS", LIKELY)
    town = _town(tail, at)
    if town is not None:
        return Match(_to_town(view, town), "ADDRESS", GUESSED)
    end = _house_name(tail, at)
    return None if end is None else Match(_to_town(view, _after_dwelling(view, end)), "ADDRESS", GUESSED)


def _house_name(tail: Tail, at: int) -> int | None:
    """ "Rose Cottage", "The Old Rectory"."""
    for end in range(at, at + 4):
        if tail.words[end] in _HOUSES and end > at:
            return end + 1
        if tail.marks[end] & (kinds.STOP | kinds.END) or not tail.marks[end] & kinds.WORD:
            return None
    return None


_HOUSES: Final = word_list("houses")


def _run_of_names(view: View, at: int) -> int:
    tail = view.tail
    end = at
    while end < at + _STREET_WORDS and tail.marks[end] & kinds.WORD and not tail.marks[end] & kinds.STOP:
        if alphanumeric(view, end) is not None:
            break
        end += 1
    return end
