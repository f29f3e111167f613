"""Conditions, symptoms, procedures and drugs: a first word list, and "heart problems"-like pairs.

Terms are matched as whole words, plurals alike, British and American spellings both. Generic words of a
clinic (appointment, consultation, surgery as a place, check-up) are not medical.
"""

from collections.abc import Iterable
from typing import Final

from compliance.redaction.lexicon import Phrases, stem, word_list, words_of
from compliance.redaction.view import WAIT, Match, View

GENERIC: Final = word_list("generic")

BODY_PARTS: Final = word_list("body_parts")
COMPLAINTS: Final = word_list("complaints")


def service_terms(names: Iterable[str]) -> set[str]:
    """What is medical in the names of an org's services: "Botox treatment" gives itself and "botox"."""
    terms: set[str] = set()
    for name in names:
        specific = [word for word in words_of(name) if word not in GENERIC]
        if specific:
            terms |= {name, " ".join(specific)}
    return terms


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
        while at < len(view.tokens) and view.tokens[at].text == "-" and view.tokens[at].before:
            at += 1
        if at >= len(view.tokens):
            return None if view.ended else WAIT
        if stem(view.tokens[at].lower) != word:
            return None
        at += 1
    return Match(at, None)


def medical(view: View, at: int) -> Match | None:
    """A known term, or a part of the body with something wrong."""
    found = phrase(view, at, view.medical)
    if found is not None:
        return found if found is WAIT else Match(found.end, "MEDICAL")
    if stem(view.tokens[at].lower) not in BODY_PARTS:
        return None
    if at + 1 >= len(view.tokens):
        return None if view.ended else WAIT
    return Match(at + 2, "MEDICAL") if stem(view.tokens[at + 1].lower) in COMPLAINTS else None
