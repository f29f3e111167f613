"""The word lists beside this module, and how terms are matched: whole words, plurals alike, hyphens left out.

All lists are our own. They are read once, at import; a line is a term, `#` begins a comment.
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Final

from compliance.redaction.tokens import tokenize

Phrases = Mapping[str, Sequence[tuple[str, ...]]]

_UNSTEMMED: Final = frozenset({"hives", "piles"})


def stem(word: str) -> str:
    """The word without what an apostrophe adds ("Botox's", "chemo'll") and without a plural ending.

    It may come out shorter than any dictionary has it.
    """
    word = word.partition("'")[0] or word
    if len(word) < 4 or word[-1] != "s" or word.endswith(("ss", "us")) or word in _UNSTEMMED:
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("shes", "xes", "sses")) else word[:-1]


def words_of(text: str) -> tuple[str, ...]:
    """The stemmed words of a term, hyphens and other marks left out."""
    return tuple(stem(token.lower) for token in tokenize(text) if token.text[0].isalnum())


def phrase_index(terms: Iterable[str]) -> dict[str, list[tuple[str, ...]]]:
    """Terms by their first word, the longest first."""
    index: dict[str, list[tuple[str, ...]]] = {}
    for words in sorted({words_of(term) for term in terms}, key=len, reverse=True):
        if words:
            index.setdefault(words[0], []).append(words)
    return index


def word_list(name: str) -> frozenset[str]:
    """The terms of `words/<name>.txt`."""
    lines = (
        files("compliance.redaction")
        .joinpath("words", f"{name}.txt")
        .read_text(encoding="utf-8")
        .splitlines()
    )
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))
