"""Whether a reply is made of the words that replies without a value are made of.

A misheard name may be any words at all ("you need a traditional", "i was blackheaded"); what people say
instead of giving one comes from some two thousand words.
"""

from collections.abc import Iterable
from typing import Final

from compliance.redaction.names.name_words import LISTED
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, bases, stem, word_list
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import kind_of

_SAID: Final = frozenset[str]().union(
    *map(word_list, ("said_in_replies", "reply_words", "done_in_replies", "evasions"))
)
_FEW_WORDS: Final = 6
_PLAIN: Final = kinds.STOP | kinds.RELATIVE | kinds.LEAD | kinds.NUMERAL | kinds.ORDINAL


def is_plain(tail: Tail, at: int) -> bool:
    """The word is one of those, or builds sentences."""
    word = tail.words[at]
    if tail.marks[at] & _PLAIN or word in _SAID:
        return True
    if "'" in word:
        word = bare(word)
        return word in _SAID or bool(kind_of(word) & _PLAIN)
    return stem(word) in _SAID or not _SAID.isdisjoint(bases(word))


def are_plain(tail: Tail, words: Iterable[int]) -> bool:
    """All of these words are."""
    return all(is_plain(tail, at) for at in words)


def holds_odd_word(tail: Tail, at: int, end: int) -> bool:
    """Of a few words one is of no such reply, and no name by itself: "you need a traditional"."""
    words = [here for here in range(at, end) if tail.marks[here] & kinds.WORD]
    if len(words) > _FEW_WORDS or any(_is_spelled(tail, here) for here in words):
        return False
    return any(
        tail.marks[here] & kinds.COMMON and not (is_plain(tail, here) or is_name_alone(tail, here - 1))
        for here in words
    )


def is_name_alone(tail: Tail, at: int) -> bool:
    """A name, and no other word."""
    return bool(tail.marks[at] & LISTED) and not tail.marks[at] & kinds.COMMON


def is_odd_talk(tail: Tail, at: int, end: int) -> bool:
    """ "which the gate looks like": the same without a figure, a letter or a word that is none."""
    common = all(tail.marks[here] & kinds.COMMON for here in range(at, end))
    return common and holds_odd_word(tail, at, end)


def _is_spelled(tail: Tail, at: int) -> bool:
    return bool(tail.marks[at] & kinds.LETTER) and not tail.marks[at] & kinds.STOP
