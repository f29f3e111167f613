"""Conditions, symptoms, procedures and drugs: a first word list, and "heart problems"-like pairs.

Terms are matched as whole words, plurals and participles alike, British and American spellings both, and an
org's own services also as they are misheard. Generic words of a clinic (appointment, consultation, surgery as
a place, check-up) are not medical.
"""

from collections.abc import Iterable
from typing import Final

from compliance.redaction.lexicon import Phrases, bases, stem, word_list, words_of
from compliance.redaction.near import MARKS
from compliance.redaction.view import WAIT, Match, View

GENERIC: Final = word_list("generic")

BODY_PARTS: Final = word_list("body_parts")
COMPLAINTS: Final = word_list("complaints")


def service_terms(names: Iterable[str]) -> set[str]:
    """What is medical in the names of an org's services: "Botox injections" gives itself and "botox"."""
    terms: set[str] = set()
    for name in names:
        specific = [word for word in words_of(name) if word not in GENERIC]
        if specific:
            terms |= {name, " ".join(specific)}
            terms.add(" ".join(word for word in specific if word not in _MANNERS) or name)
    return terms


_MANNERS: Final = frozenset({"injection", "jab", "procedure", "course", "package"})
"""What callers leave out of a service's name. Alone they are its name all the same."""

LEXICON: Final = word_list("medical")


def phrase(view: View, at: int, index: Phrases) -> Match | None:
    """The longest term of `index` that starts here; hyphens inside do not matter. The type is left open."""
    for words in index.get(stem(view.tokens[at].lower), ()):
        match = _phrase_match(view, at, words)
        if match is not None:
            return match
    return None


def _phrase_match(view: View, at: int, words: tuple[str, ...]) -> Match | None:
    for word in words:
        at = _after_marks(view, at)
        if at >= len(view.tokens):
            return None if view.ended else WAIT
        if stem(view.tokens[at].lower) != word:
            return None
        at += 1
    return Match(at, None)


def _after_marks(view: View, at: int) -> int:
    while at < len(view.tokens) and view.tokens[at].text in MARKS and view.tokens[at].before:
        at += 1
    return at


def medical(view: View, at: int) -> Match | None:
    """A known term, one of the org's services nearly said, or a part of the body with something wrong."""
    if not view.tokens[at].is_word:
        return None
    found = phrase(view, at, view.medical) or _participle(view, at)
    near = None if found is WAIT else _near(view, at)
    if found is WAIT or near is WAIT:
        return WAIT
    ends = [match.end for match in (found, near) if match is not None]
    return Match(max(ends), "MEDICAL") if ends else _complaint(view, at)


def _participle(view: View, at: int) -> Match | None:
    known = any((base,) in view.medical.get(base, ()) for base in bases(view.tokens[at].lower))
    return Match(at + 1, None) if known else None


def _near(view: View, at: int) -> Match | None:
    first = view.tokens[at].lower
    if not view.near.may_begin(first):
        return Match(at + 1, None) if view.near.picks(first, None) else None
    after = _after_marks(view, at + 1)
    if after >= len(view.tokens) and not view.ended:
        return WAIT
    second = view.tokens[after].lower if after < len(view.tokens) and view.tokens[after].is_word else None
    picked = view.near.picks(first, second)
    return Match(after + 1 if picked == 2 else at + 1, None) if picked else None


def _complaint(view: View, at: int) -> Match | None:
    if stem(view.tokens[at].lower) not in BODY_PARTS:
        return None
    if at + 1 >= len(view.tokens):
        return None if view.ended else WAIT
    return Match(at + 2, "MEDICAL") if stem(view.tokens[at + 1].lower) in COMPLAINTS else None
