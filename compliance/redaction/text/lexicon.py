"""The word lists beside this module, and how terms are matched: whole words, plurals alike, hyphens left out.

The lists are read once, at import; a line is a term, `#` begins a comment.
"""

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Final, NamedTuple


class Begun(NamedTuple):
    """The terms that begin with one word: whether it is one alone; the longer ones by their second word, each
    as the words behind that, the longest first.
    """

    alone: bool
    longer: Mapping[str, tuple[tuple[str, ...], ...]]


Phrases = Mapping[str, Begun]

_UNSTEMMED: Final = frozenset({"aids", "hives", "piles", "chills", "bloods"})
_BASE_LETTERS: Final = 4
_JOINED_LETTERS: Final = 6
_CONTRACTED: Final = ("'s", "'ll", "'d", "'ve", "'re")
_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+")


_ALONE: Final = Begun(alone=True, longer={})


def bare(word: str) -> str:
    """The word without what an apostrophe adds to it ("botox's", "chemo'll"); "can't" stays."""
    while word.endswith(_CONTRACTED):
        word = word[: word.rindex("'")]
    return word


def stem(word: str) -> str:
    """The word without what an apostrophe adds and without a plural ending.

    It may come out shorter than any dictionary has it.
    """
    if "'" in word:
        word = bare(word)
    if len(word) < 4 or word[-1] != "s" or word.endswith(("ss", "us", "is")) or word in _UNSTEMMED:
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith("aches"):
        return word[:-1]
    return word[:-2] if word.endswith(("shes", "xes", "sses", "ches")) else word[:-1]


def bases(word: str) -> tuple[str, ...]:
    """What the word may be a form of: "botoxed" of "botox", "bruising" of "bruise", "scanned" of "scan"."""
    if not word.endswith(("d", "g")):
        word = stem(word)
    base = word.removesuffix("ed") if word.endswith("ed") else word.removesuffix("ing")
    if base == word or len(base) < _BASE_LETTERS:
        return ()
    return (base, base + "e", base[:-1]) if base[-1] == base[-2] else (base, base + "e")


def words_of(text: str) -> tuple[str, ...]:
    """The stemmed words of a term, hyphens and other marks left out."""
    return tuple(stem(word) for word in _WORD.findall(text.lower().replace("\u2019", "'")))


def phrase_index(terms: Iterable[str]) -> dict[str, Begun]:
    """Terms by their first word; those of several words also as one word."""
    split = {words_of(term) for term in terms} - {()}
    joined = {
        ("".join(words),) for words in split if len(words) > 1 and sum(map(len, words)) >= _JOINED_LETTERS
    }
    longer: dict[str, dict[str, list[tuple[str, ...]]]] = {}
    for words in sorted(split | joined, key=len, reverse=True):
        if len(words) > 1:
            longer.setdefault(words[0], {}).setdefault(words[1], []).append(words[2:])
    index = {words[0]: _ALONE for words in split | joined if len(words) == 1}
    for first, rests in longer.items():
        index[first] = Begun(first in index, {second: tuple(each) for second, each in rests.items()})
    return index


def lines_of(name: str) -> list[str]:
    """The lines of `words/<name>.txt` but for comments."""
    file = files("compliance.redaction").joinpath("words", f"{name}.txt")
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def word_list(name: str) -> frozenset[str]:
    """The terms of `words/<name>.txt`."""
    return frozenset(lines_of(name))
