"""The words of one org beside the built-in ones: its services are medical, its people are kept."""

from collections.abc import Iterable
from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import Phrases, phrase_index, word_list, words_of
from compliance.redaction.text.near import NearTerms
from compliance.redaction.text.vocabulary import TERMS, kind_of

GENERIC: Final = word_list("generic")
_MANNERS: Final = frozenset({"injection", "jab", "procedure", "course", "package"})
"""What callers leave out of a service's name. Alone they are its name all the same."""
_TITLES: Final = kinds.DOCTOR | kinds.TITLE
_NAME: Final = kinds.FIRST | kinds.MAYBE | kinds.LAST


def service_terms(names: Iterable[str]) -> set[str]:
    """What is medical in the names of an org's services: "Botox injections" gives itself and "botox"."""
    terms: set[str] = set()
    for name in names:
        specific = [word for word in words_of(name) if word not in GENERIC]
        if specific:
            terms |= {name, " ".join(specific)}
            terms.add(" ".join(word for word in specific if word not in _MANNERS) or name)
    return terms


def kept_terms(names: Iterable[str]) -> set[str]:
    """How the org's people and its name are said: "Dr Amir Patel", "Amir Patel", "Amir", "Patel"."""
    terms: set[str] = set()
    for name in names:
        words = words_of(name)
        untitled = [word for word in words if not kind_of(word) & _TITLES]
        terms |= {name, " ".join(untitled)}
        if len(untitled) <= 3:
            terms |= {word for word in untitled if kind_of(word) & _NAME or not kind_of(word) & kinds.COMMON}
    return terms


class Lexis:
    """All terms of one org. `kept` phrases are never masked but as an answer to the question for a name."""

    def __init__(self, services: Iterable[str] = (), keep: Iterable[str] = ()) -> None:
        own = service_terms(services)
        self.own: Phrases = phrase_index(own)
        self.kept: Phrases = phrase_index(kept_terms(keep))
        self.near = NearTerms(own)
        self.hears_near = bool(self.near)
        """Some service may be nearly said."""

    def is_term(self, word: str) -> bool:
        """This word alone is a medical term."""
        return any(index[word].alone for index in (TERMS, self.own) if word in index)
