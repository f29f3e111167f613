"""E-mail addresses as spoken: "john dot smith at gmail dot com", with letters spelled out if need be."""

from collections.abc import Sequence
from typing import Final

from compliance.redaction.lexicon import word_list
from compliance.redaction.tokens import Token
from compliance.redaction.view import WAIT, Match, View

_LOCAL_TOKENS: Final = 28
_DOMAIN_TOKENS: Final = 10
_LOCAL_CHARS: Final = 64  # RFC 5321 section 4.5.3.1.1
_JOINS: Final = frozenset({"dot", "point", "underscore", "dash", "hyphen", "plus", "minus"})
_JOIN_MARKS: Final = frozenset(".-_+,")
_PROVIDERS: Final = frozenset(
    {"gmail", "googlemail", "hotmail", "outlook", "yahoo", "icloud", "aol", "protonmail", "btinternet"}
)
_TLDS: Final = word_list("top_level_domains")
_NEVER_LOCAL: Final = word_list("not_email")


def spoken_email(view: View, at: int) -> Match | None:
    """ "john dot smith at gmail dot com", with letters spelled out if need be."""
    tokens = view.tokens
    if not _may_be_local(tokens[at]) or tokens[at].text in _JOIN_MARKS or tokens[at].lower in _JOINS:
        return None
    limit, complete = view.limit(at, _LOCAL_TOKENS)
    sign = at + 1
    while sign < limit and tokens[sign].lower not in ("at", "@"):
        if not _may_be_local(tokens[sign]):
            return None
        sign += 1
    if sign >= limit:
        return None if complete else WAIT
    return _spoken_domain(view, sign + 1)


def _may_be_local(token: Token) -> bool:
    if (token.lower in _NEVER_LOCAL and len(token.lower) > 1) or len(token.text) > _LOCAL_CHARS:
        return False
    return token.text[0].isalnum() or token.text in _JOIN_MARKS


def _spoken_domain(view: View, at: int) -> Match | None:
    """Words, "dot", an ending; a well-known provider needs no ending."""
    tokens = view.tokens
    limit, complete = view.limit(at, _DOMAIN_TOKENS)
    end = at
    known = False
    while end < limit and not _is_dot(tokens, end):
        if not (tokens[end].text[0].isalnum() or tokens[end].lower in _JOINS or tokens[end].text in "-"):
            return Match(end, "EMAIL") if known else None
        known = known or tokens[end].lower in _PROVIDERS
        end += 1
        if known and end < limit and not _is_dot(tokens, end):
            return Match(end, "EMAIL")
    if end >= limit:
        return (Match(end, "EMAIL") if known else None) if complete else WAIT
    return _spoken_ending(view, end, limit, complete) or (Match(end, "EMAIL") if known else None)


def _spoken_ending(view: View, at: int, limit: int, complete: bool) -> Match | None:
    end = None
    while at < limit and _is_dot(view.tokens, at):
        if at + 1 >= limit:
            break
        if view.tokens[at + 1].lower not in _TLDS:
            break
        at = end = at + 2
    if at + 1 >= limit and not complete:
        return WAIT
    return None if end is None else Match(end, "EMAIL")


def _is_dot(tokens: Sequence[Token], at: int) -> bool:
    return tokens[at].lower in ("dot", "point") or (tokens[at].text == "." and tokens[at].before != "")
