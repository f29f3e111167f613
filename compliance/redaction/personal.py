"""Dates of birth, addresses, names: known by the question, or by the words around them."""

from collections.abc import Sequence
from typing import Final

from compliance.redaction.lexicon import bare, word_list
from compliance.redaction.spoken import REPEATS, read_element
from compliance.redaction.tokens import Token
from compliance.redaction.view import WAIT, Match, View

_DATE_TOKENS: Final = 14
_MONTHS: Final = word_list("months")
_ORDINALS: Final = word_list("ordinals")
_DATE_WORDS: Final = frozenset({"of", "the", "and", "in"})
_STREETS: Final = word_list("streets")
_NO_STREET: Final = (word_list("not_email") - {"the"}) | _MONTHS | word_list("measures")
_ADDRESS_TOKENS: Final = 7


def date_of_birth(view: View, at: int) -> Match | None:
    """The date that follows when one was named or asked for."""
    if not view.expectation.awaits("DOB") or not _date_part(view, at, at + 1):
        return None
    limit, complete = view.limit(at, _DATE_TOKENS)
    end = at
    last = at
    while end < limit:
        if _date_part(view, end, limit):
            last = end + 1
        elif view.tokens[end].lower not in _DATE_WORDS and view.tokens[end].text not in tuple("/-.,"):
            break
        end += 1
    if end >= limit and not complete:
        return WAIT
    words = view.tokens[at:last]
    figures = sum(len(token.text) for token in words if token.is_digits)
    enough = figures >= 4 or any(token.lower in _MONTHS for token in words) or len(words) >= 3
    return Match(last, "DOB") if enough else None


def _date_part(view: View, at: int, limit: int) -> bool:
    token = view.tokens[at]
    return (
        token.lower in _MONTHS or token.lower in _ORDINALS or read_element(view.tokens, at, limit) is not None
    ) and token.lower not in REPEATS


def address(view: View, at: int) -> Match | None:
    """A number, a few words, a kind of street ("14b Elm Park Road"). Not in the agent's speech."""
    if view.expectation.side == "agent":
        return None
    limit, complete = view.limit(at, _ADDRESS_TOKENS)
    begin = _house_number_end(view, at, limit)
    if begin is None:
        return None
    street: Match | None = None
    for end in range(begin, limit):
        token = view.tokens[end]
        if end > begin and token.lower in _STREETS:
            street = Match(end + 1, "ADDRESS")
        elif not _names_street(view, end, limit):
            return street
    return street if complete else WAIT


def _names_street(view: View, at: int, limit: int) -> bool:
    token = view.tokens[at]
    if not token.is_word or token.lower in _NO_STREET:
        return False
    return read_element(view.tokens, at, limit) is None


def _house_number_end(view: View, at: int, limit: int) -> int | None:
    """Where the house number at `at` ends ("14", "14b", "twenty two")."""
    element = read_element(view.tokens, at, limit)
    if element is None or len(element.digits) > 4 or element.kind not in "duty":
        return None
    end = element.end
    if end < limit and view.tokens[end].before and len(view.tokens[end].text) == 1:
        end += 1
    return end


_LEAD_INS: Final = word_list("name_lead_ins")
_NOT_NAMES: Final = word_list("not_names")
_NAME_TOKENS: Final = 14
_NAME_CHARS: Final = 40


def name(view: View, at: int) -> Match | None:
    """A name heard before in this call, or the words behind "my name is" and "what is your name?"."""
    token = view.tokens[at]
    if bare(token.lower) in view.heard_names:
        return Match(at + 1, "PERSON")
    if not view.expectation.name_may_follow or not _is_name(token):
        return None
    limit, complete = view.limit(at, _NAME_TOKENS)
    end = last = at
    while end < limit and (_is_name(view.tokens[end]) or _joins_name(view.tokens, end)):
        end += 1
        last = end if view.tokens[end - 1].is_word else last
    return WAIT if end >= limit and not complete else Match(last, "PERSON")


def closes_name(token: Token) -> bool:
    """No name follows any more: something else than a lead-in was said."""
    return token.is_word and token.lower not in _LEAD_INS


def _is_name(token: Token) -> bool:
    if not token.is_word or len(token.text) > _NAME_CHARS:
        return False
    return token.lower not in _NOT_NAMES and token.lower not in _LEAD_INS


def _joins_name(tokens: Sequence[Token], at: int) -> bool:
    """A hyphen, or a comma or point between spelled letters."""
    return tokens[at].text == "-" or (tokens[at].text in ",." and len(tokens[at - 1].text) == 1)


def lasting_names(words: Sequence[Token]) -> set[str]:
    """Those words of a masked name that are masked wherever they come again in the call."""
    heard = {bare(word.lower) for word in words if word.is_word}
    return {word for word in heard if len(word) > 2 and word not in _MONTHS}
