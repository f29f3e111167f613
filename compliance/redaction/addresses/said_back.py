"""What the other side says back of a value, to be sure: "M fourteen?", "was that N A K?", "Lostock Avenue?".

A piece of a value carries too little to be known by its shape. Right behind the value, and before a question
mark or the end of what is said, it is taken for one.
"""

import re
from typing import Final

from compliance.redaction.addresses.streets import house_number, street_name
from compliance.redaction.talk.cues import Slot
from compliance.redaction.talk.view import GUESSED, LIKELY, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.entities import EntityType
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.spoken import read_element, read_letter
from compliance.redaction.text.tokens import Tail

_OUTWARD: Final = re.compile(r"(?!NI)[A-Z]{2}\d[A-Z\d]?|[BEGLMNSW]\d[A-Z\d]?")
"""The first half of a postcode."""
_ROUTING_KEYS: Final = word_list("routing_keys")
_NEAR_CODES: Final[frozenset[Slot]] = frozenset({"POSTCODE", "ADDRESS"})
_SPELLED: Final[tuple[EntityType, ...]] = ("EMAIL", "PERSON", "POSTCODE")
"""What is spelled back, the likeliest first."""
INITIALS: Final = frozenset(
    {
        "nhs",
        "gp",
        "id",
        "ni",
        "mri",
        "ct",
        "ok",
        "pm",
        "am",
        "tv",
        "uk",
        "us",
        "usa",
        "er",
        "ecg",
        "ent",
        "hr",
    }
    | {"dob", "ssn", "pa", "bp", "pcr", "hrt", "ivf", "llc", "np", "rn", "md", "xray", "aandp", "pin"}
)
"""Letters that stand for something else than a value."""
_GOES_ON: Final = frozenset({"that's", "is", "yes", "yeah", "and", "so", "or"})
_CHARS: Final = 4
_LETTERS: Final = 16
_ASKING: Final = frozenset(
    {"that", "that's", "it", "it's", "say", "said", "or", "be", "meant", "mean", "not"}
)
"""Before a street that is asked for once more: "is that Elm Road?"."""
_SHOWING: Final = frozenset(
    {"as", "me", "got", "have", "gives", "shows", "on", "in", "up", "for", ":", "", "be"}
)
"""Before a street that is read out for the postcode just given: "that's coming up as Elm Road"."""
_AREAS: Final = word_list("postcode_areas")
_AREA_FIGURES: Final = 2
_GRADES: Final = {(area, str(year)) for area in ("fy", "st", "ct") for year in range(9)}
"""Of doctors in training, not districts: "FY1", "ST3"."""
_SHORT_NUMBER: Final = 3
_ZIP_DIGITS: Final = 5
_WITH_NUMBERS: Final = frozenset({"house", "door", "flat", "apartment", "building", "property"})
_BEFORE_NUMBER: Final = frozenset(
    [
        "",
        ":",
        ",",
        ".",
        "it's",
        "its",
        "at",
        "that's",
        "is",
        "and",
        "no",
        "i'm",
        "we're",
        "still",
        "but",
        "the",
    ]
)
_BEHIND_HOUSE: Final = frozenset({"not", "now", "and", "but", "sorry", "actually", "yes", "yeah", "i"})
_BEFORE_HOUSE: Final = frozenset({"", ":", ",", "no", "it's", "sorry", "actually", "not", "nope"})


def said_back(view: View, at: int) -> Match | None:
    """A piece of a value that was given right before."""
    half = half_of_code(view, at)
    if half is not None:
        return half
    expects = view.expects
    if not expects.answered:
        return None
    if view.tail.marks[at - 1] & kinds.SPELLED:
        return None
    entity = next((each for each in _SPELLED if each in expects.answered), None)
    end = None if entity is None else _spelling(view.tail, at)
    if end is None or not (expects.side == "agent" or view.tail.words[end] == "?"):
        return None
    return Match(end, entity, GUESSED)


def half_of_code(view: View, at: int) -> Match | None:
    """ "M fourteen", "BN3": the first half of the postcode that was given, or of an address read back."""
    expects = view.expects
    if _NEAR_CODES.isdisjoint(expects.given | expects.read_back):
        asked = "POSTCODE" in expects.asked or view.tail.words[at - 1] == "the"
        return None if asked else _written_half(view.tail, at)
    end = _outward(view.tail, at)
    closed = end is not None and (_is_closed(view.tail, end) or view.tail.words[end] in _GOES_ON)
    return Match(end, "POSTCODE", GUESSED, runs_on=True) if end is not None and closed else None


_SERVING: Final = frozenset(["cover", "covers", "covering", "deliver", "delivers", "serve", "serves", "van"])
_SERVED_TOKENS: Final = 6


def _written_half(tail: Tail, at: int) -> Match | None:
    """ "HX1", "BN1 6", "EC1M": written in capitals, of an area of Britain, by itself."""
    area = tail.words[at]
    if area not in _AREAS or not tail.capital[at] or not tail.glued[at + 1]:
        return None
    if not _SERVING.isdisjoint(tail.words[at - _SERVED_TOKENS : at]):
        return None  # "do you cover KT12"
    figures = tail.words[at + 1]
    if not tail.marks[at + 1] & kinds.DIGITS or len(figures) > _AREA_FIGURES or (area, figures) in _GRADES:
        return None
    end = at + 2
    end += bool(tail.marks[end] & kinds.LETTER) and tail.glued[end] and tail.capital[end]
    inward = tail.marks[end] & kinds.DIGITS and len(tail.words[end]) == 1 and not tail.glued[end]
    end += bool(inward)
    if tail.glued[end] and tail.marks[end] & kinds.WORD:
        return None  # "the GU10s" are bulbs
    return Match(end, "POSTCODE", GUESSED, whole=False) if _is_closed(tail, end) else None


def street_said_back(view: View, at: int) -> Match | None:
    """ "is that Elm Avenue?": a street without a number, which the agent asks or which was given before."""
    tail = view.tail
    expects = view.expects
    given = expects.street_given(tail.words[at])
    if given and tuple(tail.words[at : at + len(given)]) == given:
        return Match(at + len(given), "ADDRESS", LIKELY)
    if _is_whence(view, at):
        end = street_name(tail, at, wanted=False)
        return Match(end, "ADDRESS", GUESSED) if end is not None and _is_closed(tail, end) else None
    if tail.words[at - 1] not in _ASKING and tail.words[at - 1] not in _SHOWING:
        return None
    if tail.words[at - 1] in _SHOWING and "POSTCODE" not in expects.given:
        return None
    asks = expects.side == "agent" and tail.words[at - 1] in ("that", "say")
    if not asks and _NEAR_CODES.isdisjoint(expects.given | expects.read_back):
        return None
    end = street_name(tail, at, wanted=False)
    closed = end is not None and (_is_closed(tail, end) or tail.words[end] in ("or", "not"))
    return Match(end, "ADDRESS", GUESSED) if end is not None and closed else None


def street_in(tail: Tail, at: int, end: int) -> tuple[str, ...]:
    """The words of the street in an address, such as "fir tree rise"; empty if it names none."""
    last = next((here for here in range(at + 1, end) if tail.marks[here] & kinds.STREET), at)
    begin = last
    while begin > at and tail.marks[begin - 1] & kinds.WORD and not tail.marks[begin - 1] & _NO_STREET:
        begin -= 1
    return tuple(tail.words[begin : last + 1]) if begin < last else ()


_NO_STREET: Final = kinds.NUMBER | kinds.STOP | kinds.LETTER | kinds.DWELLING


def _is_whence(view: View, at: int) -> bool:
    """ "I'm Nia from Penarth Road", "you're at Brudenell Grove"."""
    tail = view.tail
    if tail.words[at - 1] == "at":
        return tail.words[at - 2] in ("you're", "still")
    gap = tail.starts[at - 1] - view.person_end
    return tail.words[at - 1] == "from" and view.person_end >= 0 and gap <= 1


def number_of_house(view: View, at: int) -> Match | None:
    """ "number 58", "door number 87", "no, nineteen": a house's number alone."""
    tail = view.tail
    if not (_is_told_as_house(view, at) or _corrects_house(view, at)):
        return None
    end = house_number(tail, at)
    closed = end is not None and not tail.marks[end + (tail.words[end] == ",")] & kinds.NUMBER
    if end is None or not closed or (tail.marks[end] & kinds.WORD and tail.words[end] not in _BEHIND_HOUSE):
        return None
    return Match(end, "ADDRESS", GUESSED)


def _is_told_as_house(view: View, at: int) -> bool:
    """ "house number's", "door number is"; "number" alone where an address or a postcode is in play."""
    words = view.tail.words
    if words[at - 1] in ("be", "not", "as") and "number" in words[at - _LABEL_TOKENS : at]:
        return not _WITH_NUMBERS.isdisjoint(words[at - _LABEL_TOKENS : at])
    label = at - 1 - (words[at - 1] == "is")
    if words[label] == "house" and view.expects.in_play("POSTCODE"):
        return True
    if words[label] not in ("number", "number's"):
        return False
    expects = view.expects
    if words[label - 1] in _WITH_NUMBERS or "ADDRESS" in expects.asked:
        return True
    return words[label - 1] in _BEFORE_NUMBER and any(expects.in_play(slot) for slot in _NEAR_CODES)


def _corrects_house(view: View, at: int) -> bool:
    """ "no, nineteen" right after an address was read back or asked for; "one" alone is no number."""
    tail = view.tail
    if tail.words[at - 1] in _PUTTING_RIGHT and "ADDRESS" in view.expects.found:
        return _is_all_said(tail, at)
    if "ADDRESS" not in view.expects.asked or tail.words[at - 1] not in _BEFORE_HOUSE:
        return False
    if "ADDRESS" not in view.expects.read_back and not _is_all_said(tail, at):
        return False
    return tail.words[at] not in ("one", "oh") or bool(tail.marks[at + 1] & kinds.NUMBER)


_LABEL_TOKENS: Final = 14
"""So far behind "the house number" what it should be may follow: "… on the form, it should be 118"."""
_PUTTING_RIGHT: Final = frozenset({"not", "no", "sorry", "actually", "wait", "on", "mean"})
"""Right before a house's number that takes the place of one just said: "no, hang on, nine d"."""


def _is_all_said(tail: Tail, at: int) -> bool:
    """A short number, and nothing but a postcode behind it."""
    end = house_number(tail, at)
    if (
        end is None
        or end > at + _SHORT_NUMBER
        or (len(tail.words[at]) == _ZIP_DIGITS and tail.marks[at] & kinds.DIGITS)
    ):
        return False
    follows = tail.marks[end + (tail.words[end] in (",", "."))]
    return bool(follows & (kinds.END | kinds.SPELLED | kinds.PAIR))


def _is_closed(tail: Tail, at: int) -> bool:
    """Nothing but a mark follows, and no more figures behind it."""
    if tail.marks[at] & kinds.END:
        return True
    return tail.words[at] in ("?", ",", ".") and not tail.marks[at + 1] & (kinds.NUMBER | kinds.SPELLED)


def _outward(tail: Tail, at: int) -> int | None:
    """Behind letters and figures that make the first half of a postcode."""
    chars, end, here = "", None, at
    while len(chars) < _CHARS:
        piece = _piece(tail, here, first=not chars)
        if piece is None:
            break
        chars, here = chars + piece[0].upper(), piece[1]
        if _OUTWARD.fullmatch(chars) or chars.lower() in _ROUTING_KEYS:
            end = here
    return end if end == here else None


def _piece(tail: Tail, at: int, *, first: bool) -> tuple[str, int] | None:
    kind = tail.marks[at]
    if kind & kinds.NUMBER:
        figure = None if first else read_element(tail, at)
        plain = figure is not None and len(figure.digits) <= 2 and figure.kind in "dutyzr"
        return (figure.digits, figure.end) if figure is not None and plain else None
    if kind & kinds.SPELLED:
        return read_letter(tail, at)
    return (tail.words[at], at + 1) if first and kind & kinds.PAIR else None


def _spelling(tail: Tail, at: int) -> int | None:
    """Behind two letters or more at the end of a question: "N A K?", "P for Papa, M for Mike?"."""
    letters, end, here = "", at, at
    while len(letters) < _LETTERS and tail.marks[here] & (kinds.SPELLED | kinds.REPEAT):
        letter = read_letter(tail, here)
        if letter is None:
            break
        letters, end = letters + letter[0], letter[1]
        here = end + (tail.words[end] in (",", "-", "."))
    asked = tail.words[end] == "?" or bool(tail.marks[end] & kinds.END)
    told = letters not in INITIALS or "for" in tail.words[at:end]
    return end if len(letters) > 1 and asked and told else None
