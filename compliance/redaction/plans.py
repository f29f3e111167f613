"""Which rules look at a token, in the order of precedence.

That depends on what the token can be, on what is expected, and, once the turn is known to its end, on what it
holds at all: without a street or a house no address begins but by a number, without an "at" no e-mail.
"""

from collections.abc import Callable, Iterator
from functools import reduce
from operator import or_
from typing import Final

from compliance.redaction.addresses.address_pieces import (
    street_alone,
    the_building_alone,
    town_alone,
    town_of_somebody,
)
from compliance.redaction.addresses.addresses import address, free_address
from compliance.redaction.addresses.code_pieces import code_piece
from compliance.redaction.addresses.codes import alphanumeric
from compliance.redaction.addresses.named_houses import called_house, house_before_number
from compliance.redaction.addresses.said_back import said_back, street_said_back
from compliance.redaction.addresses.zips import county_by_zip, town_by_zip
from compliance.redaction.emails.emails import email_of_small_word, spoken_email
from compliance.redaction.medical.acronyms import acronym
from compliance.redaction.medical.allergens import taken_or_shunned
from compliance.redaction.medical.medical import begun, medical, term_like_name
from compliance.redaction.medical.told_on import told_in_phrases, told_on
from compliance.redaction.names.names import name, name_of_common_word
from compliance.redaction.numbers.cards import expiry
from compliance.redaction.numbers.dates import date_of_birth
from compliance.redaction.numbers.numbers import number
from compliance.redaction.numbers.patterns import written_email, written_safe
from compliance.redaction.talk.passed import idiom, kept
from compliance.redaction.talk.view import Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.tokens import Tail

Rule = Callable[[View, int], Match | None]
_Table = tuple[tuple[int, Rule], ...]

AWAITING: Final = 1
"""Something was named or asked for."""
NAMING: Final = 2
"""A name may stand here, or names were heard in the call."""
KEPT: Final = 4
"""The org has names that are never masked."""
NEAR: Final = 8
"""The org has services, which may be misheard."""
AILING: Final = 32
"""An ailment was named just before."""
PLACED: Final = 64
"""An address was given, read back or asked for right before."""
TAKING: Final = 16
"""The talk is of allergies, or of what somebody takes."""

_FIGURES: Final = kinds.DIGITS | kinds.NUMERAL
_CODED: Final = kinds.SPELLED | kinds.PAIR | kinds.REPEAT
_MEDICAL: Final = kinds.TERM | kinds.BODY | kinds.MODIFIER | kinds.UNKNOWN | kinds.HARM | kinds.FRAMED
_LISTED: Final = kinds.FIRST | kinds.MAYBE | kinds.LAST | kinds.UNKNOWN | kinds.LETTER
_LIKE_NAMES: Final = kinds.FIRST | kinds.MAYBE | kinds.LAST
_NAMES: Final = _LISTED | kinds.TITLE | kinds.DOCTOR | kinds.RELATIVE
_STREETS: Final = kinds.TOWN | kinds.FIRST | kinds.MAYBE | kinds.LAST | kinds.UNKNOWN | kinds.COMMON
_IN_EMAIL: Final = kinds.WORD | kinds.DIGITS
_IN_EMAIL_TOO: Final = kinds.LETTER | kinds.SIGN
_RULES: Final[_Table] = (
    (kinds.AT, written_email),
    (kinds.MONTH | kinds.ORDINAL | kinds.ARTICLE | _FIGURES, date_of_birth),
    (kinds.DWELLING | kinds.LETTER | _FIGURES | kinds.REPEAT, address),
    (kinds.DIGITS | kinds.MARK, written_safe),
    (_CODED, alphanumeric),
    (kinds.NUMBER | kinds.MARK, number),
    (_STREETS, free_address),
    (_MEDICAL, medical),
    (_NAMES, name),
)
"""Which kinds of tokens each rule looks at."""
_AWAITING_RULES: Final[_Table] = (
    (kinds.AT, written_email),
    (_FIGURES | kinds.MONTH, expiry),
    (kinds.MONTH | kinds.ORDINAL | kinds.ARTICLE | kinds.IDIOM | _FIGURES, date_of_birth),
    (kinds.WORD | kinds.DIGITS, address),
    (kinds.DIGITS | kinds.MARK, written_safe),
    (_CODED | _FIGURES | kinds.HOMOPHONE | kinds.UNKNOWN, alphanumeric),
    (kinds.NUMBER | kinds.MARK, number),
    (_STREETS, free_address),
    (_MEDICAL, medical),
    (_NAMES | kinds.PHONETIC, name),
)
"""The same where something was named or asked for."""
_BY_TALK: Final = ((TAKING, taken_or_shunned), (AILING, told_on))
"""What only what was said before tells."""
_TELLING: Final = (
    kinds.SIGN | kinds.JOIN,
    kinds.STREET | kinds.WAY,
    kinds.NUMBER,
    kinds.ORDINAL,
    kinds.NAMING,
    kinds.ACRONYM,
)
"""Kinds without any of which in the turn some rule finds nothing."""
_ANY_TELLING: Final = reduce(or_, _TELLING)


class Plan(dict[int, tuple[Rule, ...]]):
    """The rules that look at a token, by its kinds; worked out as they come: some hundreds."""

    def __init__(self, mode: int, held: int) -> None:
        self._mode = mode
        self._held = held

    def __missing__(self, kind: int) -> tuple[Rule, ...]:
        rules = dict.fromkeys(_rules(kind, self._mode, self._held))
        self[kind] = found = _SAME.setdefault(tuple(rules), tuple(rules))
        return found


_SAME: Final[dict[tuple[Rule, ...], tuple[Rule, ...]]] = {}
_PLANS: Final[dict[tuple[int, int], Plan]] = {}


def plan_of(mode: int, held: int) -> Plan:
    """The plan for a mode, in a turn that holds tokens of these kinds, or may hold them."""
    key = mode, held & _ANY_TELLING
    plan = _PLANS.get(key)
    if plan is None:
        plain = sum(told for told in _TELLING if held & told)
        plan = _PLANS[key] = _PLANS.get((mode, plain)) or Plan(mode, plain)
        _PLANS[mode, plain] = plan
    return plan


def _rules(kind: int, mode: int, held: int) -> Iterator[Rule]:
    for rule in _all_rules(kind, mode):
        lighter = _lighter(rule, kind, mode, held)
        if lighter is not None:
            yield lighter


def _all_rules(kind: int, mode: int) -> Iterator[Rule]:
    if mode & KEPT and kind & kinds.WORD:
        yield kept
    if kind & kinds.IDIOM:
        yield idiom
    if kind & kinds.AT:
        yield written_email
    if kind & _IN_EMAIL:
        yield spoken_email
    if kind & (kinds.ACRONYM | kinds.LETTER):
        yield acronym
    yield from _said_back(kind)
    yield from _of_places(kind, mode)
    if kind & kinds.TERM and kind & _FIGURES:
        yield medical
    elif kind & kinds.WORD:
        yield from _early(kind, mode)
    yield from (rule for looked_at, rule in _tables(mode) if kind & looked_at)
    if kind & kinds.WORD and not kind & kinds.STOP:
        yield from (rule for told, rule in _BY_TALK if mode & told)
    elif kind & kinds.TOLD and mode & AILING:
        yield told_in_phrases


def _of_places(kind: int, mode: int) -> Iterator[Rule]:
    """Pieces of an address, and towns that somebody lives in."""
    if mode & PLACED and kind & _STREETS and not kind & kinds.STOP:
        yield town_alone
    elif mode & PLACED and kind & kinds.ARTICLE:
        yield the_building_alone
    if kind & kinds.TOWN and not kind & kinds.STOP:
        yield town_of_somebody


def _said_back(kind: int) -> Iterator[Rule]:
    """Pieces of values, and places beside ZIPs."""
    if kind & (kinds.SPELLED | kinds.PAIR) and not kind & kinds.STOP:
        yield said_back
        yield code_piece
    if kind & kinds.TOWN:
        yield town_by_zip
    if kind & _STREETS and not kind & kinds.STOP:
        yield street_said_back
        yield street_alone
        yield county_by_zip


def _tables(mode: int) -> _Table:
    return _AWAITING_RULES if mode & AWAITING else _RULES


def _early(kind: int, mode: int) -> Iterator[Rule]:
    """What goes before the tables: misheard services, names where one may follow."""
    if mode & NEAR:
        yield medical
    if mode & NAMING:
        if kind & _CODED:
            yield alphanumeric
        if kind & kinds.TERM and kind & _LIKE_NAMES:
            yield term_like_name
        if not kind & kinds.STOP:
            yield called_house
        yield name


def _lighter(rule: Rule, kind: int, mode: int, held: int) -> Rule | None:
    """What of the rule may find something at such a token in such a turn."""
    if rule is spoken_email:
        return _lighter_email(kind, mode, held)
    if rule is acronym:
        return rule if held & kinds.ACRONYM else None
    if rule is free_address:
        return _lighter_address(kind, held)
    if rule is town_by_zip or rule is county_by_zip:
        return rule if held & kinds.NUMBER else None
    if rule is street_said_back or rule is street_alone:
        return rule if held & (kinds.STREET | kinds.WAY) else None
    if rule is date_of_birth and kind & kinds.ARTICLE and not held & (kinds.NUMBER | kinds.ORDINAL):
        return None
    if rule is medical and not mode & NEAR:
        return _LIGHTER_MEDICAL.get(kind & (_MEDICAL | kinds.ALONE), rule)
    if kind & kinds.LETTER and kind & kinds.STOP and not mode & (AWAITING | NAMING):
        return _OF_STOP_LETTERS.get(rule, rule)
    plain = kind & kinds.COMMON and kind & _NAMES == kinds.LAST
    if rule is name and plain and not (mode & NAMING or held & kinds.NAMING):
        return name_of_common_word
    return rule


_LIGHTER_MEDICAL: Final[dict[int, Rule]] = dict.fromkeys(
    (kinds.TERM, kinds.FRAMED, kinds.TERM | kinds.FRAMED), begun
)
"""For words that only begin terms or phrases."""


def _code_of_stop_letter(view: View, at: int) -> Match | None:
    """ "A hundred and two Elm Road", "I P one": what begins with a letter that is a word."""
    return alphanumeric(view, at) if _is_spelled(view.tail, at + 1) else None


def _address_of_stop_letter(view: View, at: int) -> Match | None:
    return address(view, at) if _is_spelled(view.tail, at + 1) else None


def _name_of_stop_letter(view: View, at: int) -> Match | None:
    return name(view, at) if _is_spelled(view.tail, at + 1) else None


def _is_spelled(tail: Tail, at: int) -> bool:
    """What follows a letter is one too, a figure, a mark, or what stands before them."""
    return bool(tail.marks[at] & _BEHIND_LETTERS) or tail.words[at] in _BEFORE_EXAMPLES


_BEHIND_LETTERS: Final = kinds.SPELLED | kinds.PAIR | kinds.NUMBER | kinds.PAUSE
_BEFORE_EXAMPLES: Final = frozenset({"for", "like", "as", "capital"})
_OF_STOP_LETTERS: Final[dict[Rule, Rule]] = {
    address: _address_of_stop_letter,
    alphanumeric: _code_of_stop_letter,
    name: _name_of_stop_letter,
}
"""Rules for "i" and "a"."""


def _lighter_email(kind: int, mode: int, held: int) -> Rule | None:
    if not held & (kinds.SIGN | kinds.JOIN) and not mode & AWAITING:
        return None
    return email_of_small_word if kind & kinds.STOP and not kind & _IN_EMAIL_TOO else spoken_email


def _lighter_address(kind: int, held: int) -> Rule | None:
    if kind & kinds.STOP and not kind & kinds.ARTICLE:
        return None  # no street begins with a word that builds sentences but for "the"
    if held & (kinds.STREET | kinds.WAY):
        return free_address
    return house_before_number if held & kinds.NUMBER else None
