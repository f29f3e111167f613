"""What a number is: by what was asked for or named, by its shape, by the words around it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from compliance.redaction.addresses.zips import is_before_place
from compliance.redaction.numbers.check_digits import is_luhn, is_nhs
from compliance.redaction.talk.dialogue import Expectation
from compliance.redaction.talk.view import GUESSED, LIKELY, SURE, View
from compliance.redaction.text import kinds
from compliance.redaction.text.entities import EntityType
from compliance.redaction.text.lexicon import stem, word_list
from compliance.redaction.text.spoken import (
    Element,
    is_cardinal,
    is_counting,
    is_date,
    is_price,
    is_times,
    is_years,
)
from compliance.redaction.text.tokens import Tail

_CODE_DIGITS: Final = range(3, 5)
"""The code on a card's back."""
_ON_CARDS: Final = frozenset({"CARD", "EXPIRY"})
_YEAR_DIGITS: Final = 4
_DATE_DIGITS: Final = range(6, 9)
_SURE_DIGITS: Final = 7
_CARD_DIGITS: Final = range(13, 20)
AWAITED_DIGITS: Final = 3
SPELLED_DIGITS: Final = 5
NUMBER_SLOTS: Final[tuple[EntityType, ...]] = ("CARD", "GOV_ID", "PHONE", "POSTCODE")
WHOLE: Final[dict[EntityType, int]] = {"CARD": 16, "GOV_ID": 9, "PHONE": 10, "POSTCODE": 5}
_MEASURES: Final = word_list("measures")
_LATER_CUES: Final[dict[str, EntityType]] = {
    "mobile": "PHONE", "phone": "PHONE", "landline": "PHONE", "cell": "PHONE", "telephone": "PHONE",
    "whatsapp": "PHONE", "card": "CARD", "visa": "CARD", "mastercard": "CARD", "nhs": "GOV_ID",
    "ssn": "GOV_ID",
    "social": "GOV_ID", "insurance": "GOV_ID", "cvv": "CARD", "cvc": "CARD", "security": "CARD",
    "zip": "POSTCODE",
}  # fmt: skip
_LATER_TOKENS: Final = 7
_TELLING: Final = frozenset({"that's", "thats", "that", "it's", "the", "which", "is"})
CORRECTING: Final = frozenset(
    {"no", "not", "wait", "sorry", "actually", "correction", "scratch", "rather", "mean"}
)
_CORRECTED_TOKENS: Final = 4
_CORRECTED_DIGITS: Final = 2
_PRICED: Final = frozenset(
    {
        "cost",
        "costs",
        "costing",
        "price",
        "prices",
        "priced",
        "pay",
        "paid",
        "paying",
        "charge",
        "charged",
        "charges",
    }
    | {
        "deposit",
        "fee",
        "fees",
        "total",
        "quote",
        "quoted",
        "bill",
        "balance",
        "spend",
        "spent",
        "save",
        "worth",
    }
)
_REFERENCES: Final = word_list("references")
_REACHING: Final = frozenset({"call", "ring", "text", "reach", "contact", "on", "tel", "dial"})
_REFERENCE_TOKENS: Final = 6
_PHONE_DIGITS: Final = (10, 11)
_STATES: Final = word_list("states")
_STATE_LETTERS: Final = word_list("state_letters")
_ZIP_DIGITS: Final = (5, 9)
_ID_DIGITS: Final = (9, 10)
_PRICE_TOKENS: Final = 4
_PRICE_DIGITS: Final = 9


class Said(NamedTuple):
    """A run of digits and number words; `groups` are its elements between commas, `follows` comes next.

    `is_route`: so few digits behind "the" that a bus or a road may be called so. `is_all`: nothing else is
    said in the turn.
    """

    elements: Sequence[Element]
    groups: Sequence[Sequence[Element]]
    digits: str
    plus: bool
    dashed: bool
    follows: str
    is_route: bool
    is_all: bool


def number_type(view: View, said: Said) -> tuple[EntityType | None, float]:
    digits = said.digits
    expects = view.expects
    if _is_public(view.tail, said):
        return None, 0.0
    if "DOB" in expects.asked and not expects.names_other("DOB") and _may_be_of_birth(expects, digits):
        return "DOB", GUESSED
    slot = _slot(expects, said)
    if slot is not None:
        if is_nhs(digits) and expects.awaits("GOV_ID") and not expects.named("PHONE"):
            return "GOV_ID", SURE
        return _type_by_shape(said, slot), SURE
    if _is_ending(view, said):
        return _type_of_ending(view, said), GUESSED
    if _is_amount(said) or _is_range(view.tail, said):
        return None, 0.0
    part = _part_read_back(view, said)
    if part is not None:
        return part, GUESSED
    stale = _stale_type(expects, digits)
    if stale is not None:
        return stale, LIKELY
    corrected = _corrected_type(view, said)
    if corrected is not None:
        return corrected, GUESSED
    return _type_by_talk(view, said)


def _type_by_talk(view: View, said: Said) -> tuple[EntityType | None, float]:
    """The type of a number that was not asked for, by what is said around it."""
    digits = said.digits
    expects = view.expects
    if "EMAIL" in expects.read_back and said.is_all:
        return "EMAIL", GUESSED
    if len(digits) < _PRICE_DIGITS and _is_priced(view.tail, said.elements[0].start):
        return None, 0.0
    if expects.named("CODE") and len(digits) in _CODE_DIGITS and not expects.found.isdisjoint(_ON_CARDS):
        return "CARD", LIKELY
    if len(digits) in _CARD_DIGITS and digits[0] in "3456" and is_luhn(digits) and expects.named("CODE"):
        return "CARD", LIKELY
    if expects.awaits("CODE") or _is_reference(view.tail, said):
        phone = len(digits) in (10, 11) and digits[0] == "0" and digits[1] in "1237"
        if not (phone or said.plus):
            expects.referred(digits)
        return ("PHONE", GUESSED) if phone or said.plus else (None, 0.0)
    if len(digits) in _CODE_DIGITS and _later_cue(view.tail, said.elements[-1].end) == "CARD":
        return "CARD", LIKELY
    return _unexpected_type(view, said) if len(digits) >= SPELLED_DIGITS else (None, 0.0)


def _is_public(tail: Tail, said: Said) -> bool:
    """ "have you called 999?"; "my old phone was a 3310"."""
    before = tail.words[said.elements[0].start - 1]
    if len(said.digits) == AWAITED_DIGITS:
        return before in _DIALLED and said.digits in _PUBLIC_LINES
    return before == "a" and len(said.digits) < SPELLED_DIGITS


_PUBLIC_LINES: Final = frozenset({"999", "111", "101", "112", "911", "211", "311", "988", "105", "119"})
"""Anyone's to call: emergencies, health, police, crisis."""
_DIALLED: Final = frozenset(
    ["call", "called", "calling", "ring", "rang", "rung", "ringing", "phone", "phoned", "dial", "dialled"]
) | {"dialed", "dialling", "to", "with"}


def _may_be_of_birth(expects: Expectation, digits: str) -> bool:
    """Figures of a date that is none as it was heard; a year."""
    if len(digits) == _YEAR_DIGITS:
        return digits[:2] in ("19", "20")
    return len(digits) in _DATE_DIGITS and not any(slot in expects.asked for slot in NUMBER_SLOTS)


def _unexpected_type(view: View, said: Said) -> tuple[EntityType | None, float]:
    """The type of a number that was neither named nor asked for."""
    tail = view.tail
    digits = said.digits
    later = _later_cue(tail, said.elements[-1].end)
    if later is not None:
        return _type_by_shape(said, later), SURE
    written = [len(each.digits) for each in said.elements] == [3, 3, 4] and not said.dashed
    rung = tail.words[said.elements[0].start - 1] in _REACHING
    if written and not rung and digits[0] in "4679" and is_nhs(digits):
        return "GOV_ID", GUESSED
    known = view.expects.given
    if "GOV_ID" in known and (is_nhs(digits) or (len(digits) in _ID_DIGITS and "PHONE" not in known)):
        return "GOV_ID", LIKELY
    if len(digits) in _ZIP_DIGITS and _is_zip(tail, said):
        return "POSTCODE", LIKELY
    if digits.startswith("00") and len(digits) < _PHONE_DIGITS[0]:
        return None, 0.0
    otherwise: EntityType = "CARD" if _ON_CARDS & known and "PHONE" not in known else "PHONE"
    if otherwise == "PHONE" and _is_of_things(tail, said):
        return None, 0.0
    if len(digits) >= _SURE_DIGITS or said.plus:
        return _type_by_shape(said, otherwise), LIKELY
    spelled = all(element.kind in "zur" or len(element.digits) == 1 for element in said.elements)
    return (otherwise, GUESSED) if spelled or (digits[0] == "0" != digits[1]) else (None, 0.0)


def _is_of_things(tail: Tail, said: Said) -> bool:
    """ "fifty two eighteen, one forty", "0x80070057": sizes and codes, too short for a whole telephone's."""
    if len(said.digits) >= _PHONE_DIGITS[0] or said.plus:
        return False
    start = said.elements[0].start
    if tail.glued[start] and tail.marks[start - 1] & kinds.WORD:
        return True
    sizes = sum(element.kind in "ty" for element in said.elements)
    return sizes >= _SIZES and all(element.kind in "uty" for element in said.elements)


_SIZES: Final = 3


def _is_reference(tail: Tail, said: Said) -> bool:
    """An order, a claim or the like stands shortly before, and the number is no phone's by its length."""
    start = said.elements[0].start
    if len(said.digits) in _PHONE_DIGITS or said.plus:
        return False
    for back in range(1, _REFERENCE_TOKENS + 1):
        word = tail.words[start - back]
        if word in _LATER_CUES or word in _REACHING:
            return False
        if word in _REFERENCES or stem(word) in _REFERENCES:
            return True
    return False


def _part_read_back(view: View, said: Said) -> EntityType | None:
    """ "was that seven double two nine?": a part of a number that is known."""
    if len(said.digits) not in _PART_DIGITS or said.follows in _MEASURES or is_times(said.elements):
        return None
    if len(said.elements) == 1 and said.digits[0] != "0":
        return None
    return view.expects.part_of_said(said.digits)


def _is_ending(view: View, said: Said) -> bool:
    """ "the one ending three oh six", "the number ends in four oh nine"."""
    single = all(element.kind in "zur" for element in said.elements)
    enough = len(said.digits) in _PART_DIGITS or (len(said.digits) > 1 and single)
    if said.follows in _MEASURES or not enough:
        return False
    if single and _stands_at_end(view.tail, said.elements[-1].end):
        return True
    before = _before_ending(view.tail, said)
    if _ENDING.isdisjoint(before[-2:]) or _ENDED.isdisjoint(before):
        return False
    if is_times(said.elements) and _NUMBERED.isdisjoint(before):
        return False
    return not (view.expects.awaits("CODE") or _is_reference(view.tail, said))


def _stands_at_end(tail: Tail, at: int) -> bool:
    """ "four six one at the end"."""
    words = tail.words
    if words[at] != "at" or words[at + 1] != "the" or words[at + 2] != "end":
        return False
    return words[at + 3] != "of"


def _type_of_ending(view: View, said: Said) -> EntityType:
    known = view.expects.part_of_said(said.digits) if len(said.digits) in _PART_DIGITS else None
    card = not _OF_CARDS.isdisjoint(_before_ending(view.tail, said)) or view.expects.awaits("CARD")
    return known or ("CARD" if card else "PHONE")


def _before_ending(tail: Tail, said: Said) -> list[str]:
    return tail.words[max(said.elements[0].start - _ENDING_TOKENS, 0) : said.elements[0].start]


_PART_DIGITS: Final = range(3, 9)
_ENDING_TOKENS: Final = 9
_OF_CARDS: Final = frozenset(
    ["card", "cards", "declined", "paid", "pay", "paying", "payment", "charged", "refund", "refunded"]
) | frozenset(
    {"debit", "visa", "mastercard", "amex", "barclays", "barclaycard", "monzo", "credit", "account"}
)
"""Before the ending of a card's number rather than a telephone's."""
_ENDING: Final = frozenset({"ending", "ends", "ended", "end"})
_NUMBERED: Final = frozenset({"number's", "number", "mobile", "phone", "cell", "landline", "card"})
_ENDED: Final = frozenset(
    {"mine", "number's", "number", "mobile", "phone", "cell", "landline", "one", "it's", "that's", "is"}
)


def _stale_type(expects: Expectation, digits: str) -> EntityType | None:
    """Of a whole number for which the caller was asked before the talk moved on."""
    for slot in ("CARD", "GOV_ID"):
        if slot in expects.stale and len(digits) >= WHOLE[slot] and not expects.named("CODE"):
            return slot
    return None


def _corrected_type(view: View, said: Said) -> EntityType | None:
    """The type of the number in play if this corrects it: "no, one four, not one three"."""
    if len(said.digits) < _CORRECTED_DIGITS or said.follows in _MEASURES or is_times(said.elements):
        return None
    start = said.elements[0].start
    before = view.tail.words[max(start - _CORRECTED_TOKENS, 0) : start]
    if CORRECTING.isdisjoint(before):
        return None
    return next((slot for slot in NUMBER_SLOTS if view.expects.in_play(slot)), None)


def _is_priced(tail: Tail, at: int) -> bool:
    """A word about money stands shortly before."""
    return any(tail.words[at - back] in _PRICED for back in range(1, _PRICE_TOKENS + 1))


def _slot(expects: Expectation, said: Said) -> EntityType | None:
    """The number named or asked for, the named one first."""
    cut_short = any(expects.unfinished(slot) for slot in ("PHONE", "CARD")) and said.is_all
    if (len(said.digits) < AWAITED_DIGITS and not cut_short) or not expects.waiting():
        return None
    if is_times(said.elements) and not (expects.awaits("CARD") or expects.awaits("GOV_ID")):
        return None
    if said.follows in _MEASURES and len(said.digits) < _SURE_DIGITS:
        return None
    if said.digits.startswith("00") and len(said.digits) < _PHONE_DIGITS[0] and expects.named("PHONE"):
        return None
    for slot in NUMBER_SLOTS:
        if expects.named(slot):
            asked = _asked_for(expects, said.digits) if slot == "CARD" else None
            if asked is not None:
                return asked
            return None if slot == "PHONE" and said.is_route and slot not in expects.asked else slot
    if expects.named("CODE"):
        return None
    if said.digits in expects.references:
        return None
    return _asked_for(expects, said.digits) or next(
        (slot for slot in NUMBER_SLOTS if expects.awaits(slot)), None
    )


def _asked_for(expects: Expectation, digits: str) -> EntityType | None:
    """What was asked for beside a card, by its length: "the zip code on the card?", "it's on a card, …"."""
    if "POSTCODE" in expects.asked and len(digits) in _ZIP_DIGITS:
        return "POSTCODE"
    return "GOV_ID" if "GOV_ID" in expects.asked and len(digits) in _ID_DIGITS else None


def _is_zip(tail: Tail, said: Said) -> bool:
    """Beside a state, a town or a county, or written like "02139-4307"."""
    if [len(each.digits) for each in said.elements] == [5, 4] and said.dashed:
        return True
    start, end = said.elements[0].start, said.elements[-1].end
    words = tail.words[start - 2 : start]
    if len(said.elements) == 1 and words[1] in ("from", "in") and words[0] in _LIVING:
        return True
    return _behind_state(tail, start) or (len(said.digits) == _ZIP_DIGITS[0] and is_before_place(tail, end))


_LIVING: Final = frozenset(
    {"calling", "phoning", "ringing", "live", "lives", "based", "i'm", "located", "over", "am"}
)
"""Before "from" or "in" and a ZIP."""


def _behind_state(tail: Tail, at: int) -> bool:
    """One of the United States, or its two letters, stands right before."""
    at -= tail.words[at - 1] in (",", ".")
    before = tail.words[at - 1]
    if before in _STATES or f"{tail.words[at - 2]} {before}" in _STATES:
        return True
    return before in _STATE_LETTERS and tail.capital[at - 1] and tail.words[at - 2] != ""


def _later_cue(tail: Tail, at: int) -> EntityType | None:
    """What is said of the number right behind it: "… is my mobile"."""
    at += tail.words[at] == "," and tail.words[at + 1] in _TELLING
    for ahead in range(at, at + _LATER_TOKENS):
        word = tail.words[ahead]
        if word in _LATER_CUES:
            return _LATER_CUES[word]
        if not tail.marks[ahead] & kinds.STOP and word not in ("number", "contact", "best"):
            return None
    return None


def _is_amount(said: Said) -> bool:
    """Counts, measures or dates something."""
    if said.plus:
        return False
    if said.follows in _MEASURES and said.digits[0] != "0":
        return True
    return (
        is_counting(said.elements)
        or is_price(said.elements)
        or is_times(said.elements)
        or all(_is_plain(group) for group in said.groups)
    )


def _is_range(tail: Tail, said: Said) -> bool:
    """ "between two hundred and two hundred and fifty"."""
    hundreds = sum(element.kind in "hk" for element in said.elements)
    return hundreds > 1 and tail.words[said.elements[0].start - 1] in ("between", "from", "about", "around")


def _is_plain(group: Sequence[Element]) -> bool:
    return is_cardinal(group) or is_times(group) or is_date(group) or is_years(group)


def _type_by_shape(said: Said, otherwise: EntityType) -> EntityType:
    """A number that can only be something else than what was expected is that."""
    digits = said.digits
    length = len(digits)
    if otherwise == "PHONE" and length in _CARD_DIGITS and digits[0] in "23456" and not said.plus:
        return "CARD" if is_luhn(digits) or length >= 15 else "PHONE"
    if otherwise == "PHONE" and said.dashed and [len(each.digits) for each in said.elements] == [3, 2, 4]:
        return "GOV_ID"
    sizes = [len(each.digits) for each in said.elements]
    if otherwise == "CARD" and (is_nhs(digits) or sizes == [3, 3, 4]):
        return "GOV_ID"
    if otherwise == "PHONE" and sizes[:3] == [4, 4, 4] and digits[0] in "3456":
        return "CARD"
    if (
        otherwise in ("POSTCODE", "GOV_ID", "CARD")
        and not (otherwise == "GOV_ID" and is_nhs(digits))
        and length in (10, 11)
        and digits[:2] in ("07", "02", "01")
    ):
        return "PHONE"
    if otherwise == "POSTCODE" and length > 9:
        return "PHONE"
    return otherwise
