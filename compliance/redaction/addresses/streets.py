"""What addresses are built of: house numbers, streets, houses with a name, towns.

Each function looks at the tokens from one place on and gives the index behind what it found, or None.
"""

from typing import Final

from compliance.redaction.addresses.street_words import (
    COMPASS,
    COUNTED,
    NAMING,
    RARER,
    SURELY,
    WORD_CHARS,
    goes_on,
    is_street,
    may_name,
    names_one,
)
from compliance.redaction.addresses.towns import is_sure_town, town
from compliance.redaction.names.name_words import NOT_NAMES
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.spoken import read_element
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import mark_words

TOWN_WORDS: Final = 3
STREET_WORDS: Final = 5
_HOUSE_DIGITS: Final = 5
_NUMBER_PARTS: Final = 4
_HOUSE_NAME_WORDS: Final = 4
_HOUSES: Final = word_list("houses")
mark_words(RARER | _HOUSES | {"home"}, kinds.WAY)
CELTIC_ARTICLES: Final = frozenset({"na", "nan", "y", "yr", "an", "ap", "o"})
_HIGHWAYS: Final = frozenset({"highway", "hwy", "route", "rte", "interstate", "freeway", "turnpike"})
_BEFORE_ROUTES: Final = frozenset({"county", "state", "us", "rural", "old", "farm", "north", "south", "east"})
_ALONE: Final = frozenset(
    {"broadway", "strand", "parade", "esplanade", "promenade", "quayside", "cornmarket"}
)
"""Streets that are called by this one word."""
_IN_FRONT: Final = frozenset(
    [
        "rue",
        "via",
        "calle",
        "camino",
        "avenida",
        "paseo",
        "rua",
        "chemin",
        "viale",
        "strada",
        "boulevard",
        "route",
    ]
)
_ROMANCE: Final = frozenset(
    {"de", "del", "des", "du", "la", "las", "los", "le", "les", "el", "da", "do", "di"}
)
_IN_HOUSES: Final = frozenset({"number", "apartment", "apt", "unit", "flat", "suite"})
_BEFORE_NUMBERS: Final = frozenset({"at", "to", "from", "is", "it's", "i'm", "we're", "round"})
_ROWS: Final = frozenset({"cottages", "bungalows", "villas", "mansions", "almshouses", "maisonettes"})
mark_words(_ROWS, kinds.WAY)
_BUILT: Final = _ROWS | {"tower", "house", "court", "lodge", "apartments"}
_WAYS: Final = kinds.STREET | kinds.WAY
_BEFORE_ROWS: Final = frozenset({"at", "to", "from", "is"})
_BEFORE_ALL: Final = frozenset({"", ":", ",", "no", "it's", "that's"})
_QUARTERS: Final = frozenset({"ne", "nw", "se", "sw"})


def house_number(tail: Tail, at: int) -> int | None:
    """ "14", "14b", "fourteen b", "twenty two", "one oh five", "12-14", "nineteen and a half"."""
    if not tail.marks[at] & (kinds.DIGITS | kinds.NUMERAL | kinds.REPEAT):
        return None
    element = read_element(tail, at)
    if element is None or len(element.digits) > _HOUSE_DIGITS or element.kind not in "dutyrhz":
        return None
    end = element.end
    if element.kind != "d":
        end = _spoken_number(tail, end)
    if tail.words[end] == "and" and tail.words[end + 1] == "a" and tail.words[end + 2] == "half":
        return end + 3
    if tail.words[end] == "1" and tail.words[end + 1] == "/" and tail.words[end + 2] == "2":
        return end + 3
    if _is_house_letter(tail, end):
        end += 1
        if tail.glued[end] and tail.glued[end - 1] and tail.marks[end] & kinds.DIGITS:
            return end + 1
        return _spoken_number(tail, end + 2) if _is_stroke(tail, end) else end
    if tail.words[end] in ("-", "/") and tail.glued[end] and tail.marks[end + 1] & kinds.DIGITS:
        return end + 2
    if _is_stroke(tail, end):
        return _spoken_number(tail, end + 2)
    return end


def _is_stroke(tail: Tail, at: int) -> bool:
    """The "stroke" of "eleven b stroke two"."""
    return tail.words[at] in ("slash", "stroke") and bool(tail.marks[at + 1] & kinds.NUMBER)


def _spoken_number(tail: Tail, end: int) -> int:
    """Behind the further words of a spoken number; the "twenty" of "five twenty first street" is none."""
    for _ in range(_NUMBER_PARTS):
        follows = end + (tail.words[end] == "and")
        if not tail.marks[follows] & (kinds.NUMERAL | kinds.REPEAT):
            break
        more = read_element(tail, follows)
        if more is None or more.kind not in "uztyhrk":
            break
        end = more.end
    return end


def _is_house_letter(tail: Tail, at: int) -> bool:
    """The letter of "14b"; "a" alone is an article unless a street follows."""
    if not tail.marks[at] & kinds.LETTER:
        return False
    if tail.glued[at] or tail.words[at] not in ("a", "i", "o", "n", "s", "e", "w"):
        return True
    if tail.words[at] != "a":
        return False
    if tail.words[at + 1] in (",", ".", "?") or tail.marks[at + 1] & kinds.END:
        return True
    street = street_name(tail, at + 1, wanted=False) or _nameless_street(tail, at + 1)
    return street is not None or numbered_street(tail, at + 1) is not None


def begins_street(tail: Tail, at: int) -> bool:
    """A street with or without a number, or a house with a name, begins here."""
    return (
        street_name(tail, at, wanted=False) is not None
        or numbered_street(tail, at) is not None
        or house_and_street(tail, at) is not None
    )


def numbered_street(tail: Tail, at: int, *, wanted: bool = False) -> int | None:
    """ "14 Elm Park Road", "nine the paddocks Swindon", "12 Brackenhill, Kettering"."""
    number = house_number(tail, at)
    if (
        number is None
        or (tail.words[number] in COUNTED and tail.words[number + 1] not in SURELY)
        or tail.words[number] == "way"
        or (number == at + 1 and tail.words[at] == "oh")
    ):
        return None
    begin = number + (tail.words[number] == ",")
    found = route(tail, begin) or street_name(tail, begin, wanted=wanted, numbered=True)
    if found is None and number - at > 1 and tail.marks[number] & kinds.ORDINAL:
        found = street_name(tail, number - 1, wanted=wanted, numbered=True)
    if found is None and tail.marks[begin] & kinds.WORD and _may_begin(tail, begin):
        found = (
            _street_in_front(tail, begin)
            or _celtic_street(tail, begin)
            or _nameless_street(tail, begin)
            or _one_word_street(tail, at, begin)
            or _surname_street(tail, at, begin)
            or _american_street(tail, at, begin)
            or _placed_name(tail, begin)
            or _numbered_house(tail, begin, wanted=wanted)
        )
    if found is not None:
        return found + (tail.words[found] in _BUILT and (tail.capital[found] or tail.words[found] in _ROWS))
    if begin > number and tail.glued[at + 1]:
        return numbered_street(tail, begin)
    return _lettered(tail, at, number) or (_in_plain_words(tail, at, number) if tail.held & _WAYS else None)


def _lettered(tail: Tail, at: int, number: int) -> int | None:
    """ "one twenty nine c street southeast": what looked like the number's letter is the street's name."""
    lettered = number > at + 1 and tail.marks[number - 1] & kinds.LETTER and not tail.glued[number - 1]
    return _behind_kind(tail, number + 1) if lettered and tail.marks[number] & kinds.STREET else None


def _may_begin(tail: Tail, at: int) -> bool:
    """No name begins with a word that builds sentences but for "the"."""
    return not tail.marks[at] & kinds.STOP or tail.words[at] == "the"


def _in_plain_words(tail: Tail, at: int, number: int) -> int | None:
    """Two numbers, a street of two words of every day, a row of houses: none without a kind of street."""
    begin = number + (tail.words[number] == ",")
    return _from_two_numbers(tail, number) or _before_town(tail, begin) or _row(tail, at, begin)


def _placed_name(tail: Tail, at: int) -> int | None:
    """ "Sycamore, apt 12", "6 Frobisher, off Drake Road": a name without a kind, by what stands behind it."""
    for end in (at + 1, at + 2):
        kind = tail.marks[end - 1]
        if not kind & kinds.WORD or kind & (kinds.STOP | kinds.MONTH | kinds.NUMERAL):
            return None
        if kind & kinds.COMMON and tail.words[end - 1] not in NAMING:
            return None
        follows = end + (tail.words[end] == ",")
        flat = tail.words[follows] in _IN_HOUSES and tail.marks[follows + 1] & kinds.NUMBER
        if flat or beside_street(tail, end) is not None:
            return end
    return None


def _street_in_front(tail: Tail, at: int) -> int | None:
    """ "rue Saint-Denis", "calle ocho", "via Verdi", "camino real": the kind goes before the name."""
    if tail.words[at] not in _IN_FRONT:
        return None
    end = at + 1
    while end < at + STREET_WORDS + 1 and (tail.words[end] in _ROMANCE or _is_dash(tail, end)):
        end += 1
    if not _is_foreign(tail, end):
        return None
    while end < at + STREET_WORDS + 1 and (_is_foreign(tail, end) or _is_dash(tail, end)):
        end += 1
    return end


def _is_foreign(tail: Tail, at: int) -> bool:
    kind = tail.marks[at]
    if not kind & kinds.WORD or kind & (kinds.STOP | kinds.MONTH):
        return False
    return tail.capital[at] or not kind & kinds.COMMON


def _is_dash(tail: Tail, at: int) -> bool:
    return tail.words[at] == "-" and tail.glued[at]


def _from_two_numbers(tail: Tail, at: int) -> int | None:
    """ "seventy seven to seventy nine high street", "12 and 14 Mill Lane": from the word between them on."""
    if tail.words[at] not in ("to", "and", "through", "or") or not tail.marks[at + 1] & kinds.NUMBER:
        return None
    second = house_number(tail, at + 1)
    return None if second is None else street_name(tail, second, wanted=False, numbered=True)


def _before_town(tail: Tail, at: int) -> int | None:
    """ "sixteen pelican court naples florida": two words of every day that a town follows."""
    street = street_name(tail, at, wanted=True, numbered=True)
    if street is None:
        return None
    follows = street + (tail.words[street] == ",")
    strange = tail.marks[follows] & kinds.WORD and not tail.marks[follows] & kinds.STOP
    return street if is_sure_town(tail, follows) or (strange and is_sure_town(tail, follows + 1)) else None


def _row(tail: Tail, number: int, at: int) -> int | None:
    """ "at six railway cottages", "five mews cottages rear of twenty Mill Lane": houses in a row."""
    end = at
    while end < at + STREET_WORDS and tail.words[end] not in _ROWS:
        if not may_name(tail, end, wanted=False):
            return None
        end += 1
    if end == at or tail.words[end] not in _ROWS:
        return None
    placed = tail.words[number - 1] in _BEFORE_ROWS or beside_street(tail, end + 1) is not None
    placed = placed or (tail.words[number - 1] in _BEFORE_ALL and _is_closed(tail, end + 1))
    return end + 1 if placed or town(tail, end + 1 + (tail.words[end + 1] == ",")) is not None else None


def _is_closed(tail: Tail, at: int) -> bool:
    """Nothing more, a mark or a number stands here."""
    return not tail.marks[at] & kinds.WORD or bool(tail.marks[at] & kinds.SPELLED)


def beside_street(tail: Tail, at: int) -> int | None:
    """ "rear of twenty fulham palace road", "off Mill Lane"."""
    here = at + (tail.words[at] == ",")
    here += tail.words[here] in ("to", "at")
    here += tail.words[here] == "the"
    if tail.words[here] in ("rear", "back") and tail.words[here + 1] == "of":
        here += 2
    elif tail.words[here] == "off" and here <= at + 1:
        here += 1
    else:
        return None
    return numbered_street(tail, here) or street_name(tail, here, wanted=False)


def _one_word_street(tail: Tail, number: int, begin: int) -> int | None:
    """ "at two sixty one deansgate", "at number eight ashgrove": a word of no list, a number of no time."""
    kind = tail.marks[begin]
    if not kind & kinds.UNKNOWN or kind & kinds.RARER or tail.words[begin] in NOT_NAMES:
        return None
    if tail.marks[begin + 1] & kinds.STREET:
        return None
    if tail.words[number - 1] == "number":
        return begin + 1 if tail.words[number - 2] in _BEFORE_NUMBERS else None
    if tail.words[number - 1] not in _BEFORE_NUMBERS:
        return None
    return begin + 1 if tail.capital[begin] or begin > number + 2 else None


def _surname_street(tail: Tail, number: int, begin: int) -> int | None:
    """ "at 12 Fenwick": written with a capital behind figures."""
    if tail.words[number - 1] != "at" or not tail.marks[number] & kinds.DIGITS or not tail.capital[begin]:
        return None
    kind = tail.marks[begin]
    never = kinds.FIRST | kinds.MAYBE | kinds.COMMON | kinds.STOP | kinds.MONTH | kinds.TITLE | kinds.DOCTOR
    named = kind & (kinds.LAST | kinds.PLACE) and not kind & never
    return begin + 1 if named and not tail.capital[begin + 1] else None


def _american_street(tail: Tail, number: int, begin: int) -> int | None:
    """ "six eleven east main", "1904 Elm in Tulsa": a long number, a compass point or a town, and no kind."""
    if begin == number + 1 and len(tail.words[number]) < _LONG_HOUSE:
        return None
    pointed = tail.words[begin] in COMPASS and not tail.marks[begin] & kinds.LETTER
    here = begin + pointed
    kind = tail.marks[here]
    if not kind & kinds.WORD or kind & (kinds.STOP | kinds.MONTH | kinds.NUMERAL):
        return None
    if tail.words[here] in COUNTED or (kind & kinds.COMMON and tail.words[here] not in _MAINLY):
        return None
    follows = here + 1 + (tail.words[here + 1] in (",", "in"))
    placed = follows > here + 1 and is_sure_town(tail, follows)
    return here + 1 if pointed or placed else None


_LONG_HOUSE: Final = 3
_MAINLY: Final = NAMING | {"main"}


def _celtic_street(tail: Tail, at: int) -> int | None:
    """Welsh, Gaelic and Irish names, which have the kind of street in front: "Tan y Bryn", "Cois Abhainn"."""
    article = tail.words[at + 1] in CELTIC_ARTICLES
    end = at + 3 if article else at + 2
    for place in (at, end - 1):
        kind = tail.marks[place]
        if not kind & kinds.WORD or kind & (kinds.STOP | kinds.MONTH | kinds.NUMERAL | kinds.ALONE):
            return None
        if not article and (kind & (kinds.COMMON | kinds.RARER) or not kind & kinds.UNKNOWN):
            return None
    return end


def _numbered_house(tail: Tail, at: int, *, wanted: bool) -> int | None:
    """ "42 The Maltings": a house with a name behind a number."""
    house = house_name(tail, at)
    if house is None or not (wanted or tail.words[at] == "the" or all(tail.capital[at:house])):
        return None
    return house


def route(tail: Tail, at: int) -> int | None:
    """ "Highway 12", "County Road five", "Old Route 9 North"."""
    here = at
    while tail.words[here] in _BEFORE_ROUTES and here < at + 3:
        here += 1
    if tail.words[here] not in _HIGHWAYS and not (here > at and tail.words[here] in ("road", "rd")):
        return None
    number = house_number(tail, here + 1)
    if number is None:
        return None
    return number + (tail.words[number] in COMPASS)


def _nameless_street(tail: Tail, at: int) -> int | None:
    """A name without a kind of street, before a town ("the paddocks", "Brackenhill"), or "The Shambles"."""
    begin = at + (tail.words[at] == "the")
    if begin > at and tail.capital[at] and tail.capital[begin] and not tail.marks[begin] & kinds.STOP:
        return begin + 1 + tail.capital[begin + 1]
    end = begin
    while end < begin + 2 and _may_be_place(tail, end, at):
        end += 1
        follows = end + (tail.words[end] == ",")
        if is_sure_town(tail, follows) or (begin > at and town(tail, follows) is not None):
            return end
    return None


def _may_be_place(tail: Tail, at: int, begin: int) -> bool:
    kind = tail.marks[at]
    if not kind & kinds.WORD or kind & (kinds.STOP | kinds.MONTH | kinds.NUMERAL):
        return False
    if kind & kinds.ALONE and not tail.capital[at]:
        return False
    article = tail.words[begin] == "the"
    return article or tail.capital[at] or not kind & kinds.COMMON or tail.words[at] in NAMING


def street_name(tail: Tail, at: int, *, wanted: bool, numbered: bool = False) -> int | None:
    """Some words and a kind of street, the longest; with the compass point and route number behind it."""
    here = at
    end = None
    limit = at + STREET_WORDS
    while here < limit:
        whole = numbered or tail.capital[here]
        article = tail.words[at - 1] == "the" or (here == at + 1 and tail.words[at] == "the")
        if (
            is_street(tail, here)
            and (here > at or (article and whole))
            and names_one(tail, here, at, wanted=wanted, numbered=numbered)
        ):
            end = here + 1
        elif end is not None or not goes_on(tail, here, wanted=wanted, numbered=numbered):
            break
        limit += tail.words[here] == "-"
        here += 1
        if tail.words[here] == "." and tail.glued[here] and end == here:
            break
    if end is None:
        return _single_word(tail, at) if numbered else None
    return _behind_kind(tail, end)


def _single_word(tail: Tail, at: int) -> int | None:
    """ "1500 Broadway", "12 The Green", "9 Avenue B"."""
    at += tail.words[at] == "the"
    if tail.words[at] in _ALONE:
        return at + 1
    lettered = tail.words[at] in ("avenue", "ave", "street") and tail.marks[at + 1] & kinds.LETTER
    return at + 2 if lettered and tail.words[at + 1] not in ("a", "i") else None


def _behind_kind(tail: Tail, end: int) -> int:
    """ "Road North", "Road NE", "Highway 12", "Hill Cottages"."""
    if tail.words[end - 1] in _HIGHWAYS:
        end = house_number(tail, end) or end
    end += tail.words[end] in _ROWS
    if tail.words[end] in _QUARTERS and not tail.marks[end + 1] & (kinds.NUMBER | kinds.LETTER):
        return end + 1
    if tail.words[end] in COMPASS and not tail.marks[end] & kinds.LETTER:
        end += not tail.marks[end + 1] & (kinds.LAST | kinds.TOWN) or tail.words[end + 1] in COMPASS
    return end


def house_name(tail: Tail, at: int) -> int | None:
    """ "Rose Cottage", "The Old Rectory"."""
    begin = at + (tail.words[at] == "the")
    ahead = tail.words[begin : begin + _HOUSE_NAME_WORDS]
    if len(ahead) == _HOUSE_NAME_WORDS and _HOUSES.isdisjoint(ahead) and "home" not in ahead:
        return None
    for end in range(begin, begin + _HOUSE_NAME_WORDS):
        if end > at and (_is_named(tail, at, end) or (_is_care_home(tail, end) and end > begin + 1)):
            return end + 1
        kind = tail.marks[end]
        if kind & (kinds.STOP | kinds.END) or (kind & kinds.NUMERAL and _is_behind_word(tail, begin, end)):
            return None
        if not kind & kinds.WORD or len(tail.words[end]) > WORD_CHARS:
            return None
    return None


def _is_behind_word(tail: Tail, begin: int, at: int) -> bool:
    """The "nineteen" of "olive bagshaw nineteen chapel street": a number within no name of a house."""
    return at > begin and not tail.marks[at - 1] & (kinds.NUMERAL | kinds.DWELLING)


def _is_named(tail: Tail, at: int, end: int) -> bool:
    """The kind of house at `end` ends a name; "the house" in lower case is any."""
    word = tail.words[end]
    if word == "house" and not tail.capital[end] and tail.words[end - 1] in _ANY_HOUSE:
        return False
    return word in _HOUSES and (
        word != "house" or end > at + 1 or tail.words[at] != "the" or tail.capital[end]
    )


_ANY_HOUSE: Final = frozenset(
    {
        "cold",
        "new",
        "warm",
        "whole",
        "big",
        "other",
        "empty",
        "same",
        "wrong",
        "right",
        "entire",
        "family",
        "own",
    }
)
"""What any house is, and none is called."""


def _is_care_home(tail: Tail, at: int) -> bool:
    return tail.words[at] == "home" and tail.words[at - 1] in ("care", "nursing", "residential", "retirement")


def house_and_street(tail: Tail, at: int) -> int | None:
    """A house with a name, then its street: "Rose Cottage, Mill Lane", "Willow Barn 3 Church Road"."""
    house = house_name(tail, at)
    if house is None:
        return None
    follows = house + (tail.words[house] == ",")
    return street_name(tail, follows, wanted=False) or numbered_street(tail, follows)
