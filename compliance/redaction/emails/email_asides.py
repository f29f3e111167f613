"""What callers say of the spelling of an e-mail address: "all one word", "no spaces", "with two z's"."""

from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

_ASIDE_PHRASES: Final = sorted(
    (tuple(each.split()) for each in word_list("email_asides")), key=len, reverse=True
)
_ASIDES: Final = {
    first: tuple(words for words in _ASIDE_PHRASES if words[0] == first)
    for first in {words[0] for words in _ASIDE_PHRASES}
}
_SPELLING: Final = frozenset({"that's", "spelt", "spelled"})
"""Before letters that only spell what was said."""
ASIDE_STARTS: Final = frozenset({"with", *_SPELLING, *_ASIDES})


def aside(tail: Tail, at: int) -> int:
    """Behind what a caller says of the spelling: "all one word", "no spaces", "with an e"; else `at`."""
    if tail.words[at] == "with":
        return _behind_spelling(tail, at)
    if tail.words[at] in _SPELLING:
        end = at + 1
        while tail.marks[end] & kinds.LETTER:
            end += 1
        if end > at + 2:
            return end
    for words in _ASIDES.get(tail.words[at], ()):
        if all(tail.words[at + ahead] == word for ahead, word in enumerate(words)):
            return at + len(words)
    return at


def _behind_spelling(tail: Tail, at: int) -> int:
    """Behind "with an e", "with two z's", "with two ls and i e"; else `at`."""
    if tail.words[at + 1] not in _COUNTING or not _is_letters(tail, at + 2):
        return at
    end = at + 3
    while _is_letters(tail, end) or (tail.words[end] in ("and", "then") and _is_letters(tail, end + 1)):
        end += 1
    return end


def _is_letters(tail: Tail, at: int) -> bool:
    """ "e", "z's", "ls"."""
    word = tail.words[at]
    several = len(word) <= _SEVERAL and word[1:] in ("s", "'s") and word not in ("is", "us", "as")
    return bool(tail.marks[at] & kinds.LETTER) or several


_COUNTING: Final = frozenset({"a", "an", "one", "two", "double", "three", "no", "just", "the"})
_SEVERAL: Final = 3
