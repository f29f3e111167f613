"""Drugs as a recogniser mishears them: "met forman", "para seat a mol", "sir traline".

What stays of a misheard drug is its consonants, so words are joined and compared by them alone. Only words
that stand where a drug may stand are compared.
"""

from itertools import groupby
from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

_SAME: Final = (("ph", "f"), ("ce", "s"), ("ci", "s"), ("cy", "s"), ("x", "ks"), ("th", "t"))
_SOUNDS: Final = {ord(letter): None for letter in "aeiouyhw' -"} | str.maketrans("cqz", "kks")
_PERSONS: Final = kinds.TITLE | kinds.DOCTOR | kinds.RELATIVE | kinds.FIRST
_OWNERS: Final = frozenset({"your", "our", "their"})
"""No drug is misheard so: "on your windowsill"."""
_LEAST_SOUNDS: Final = 5
_LEAST_LETTERS: Final = 7
_MOST_WORDS: Final = 4


def sounds(word: str) -> str:
    """The consonants of a word, those that sound alike as one."""
    for written, sound in _SAME:
        word = word.replace(written, sound)
    return "".join(letter for letter, _ in groupby(word.translate(_SOUNDS)))


_DRUGS: Final = frozenset(
    heard for drug in word_list("drugs") | word_list("medical") if len(heard := sounds(drug)) >= _LEAST_SOUNDS
)


def drug_end(tail: Tail, at: int) -> int | None:
    """Behind up to four words that sound like a drug if joined; one of them at least is no ordinary word."""
    if tail.words[at] in _OWNERS:
        return None
    joined, strange = "", False
    for here in range(at, at + _MOST_WORDS):
        kind = tail.marks[here]
        if not kind & kinds.WORD or kind & _PERSONS or (kind & kinds.LETTER and not kind & kinds.STOP):
            return None
        strange = strange or not kind & kinds.COMMON
        joined += tail.words[here]
        if strange and len(joined) >= _LEAST_LETTERS and sounds(joined) in _DRUGS:
            return here + 1
    return None
