"""Terms of the indexes, found in what was said: whole words, plurals alike, hyphens inside left out."""

from collections.abc import Callable

from compliance.redaction.text.lexicon import Begun, Phrases, bare, stem
from compliance.redaction.text.near import MARKS
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import KINDS


class Followers(dict[str, frozenset[str] | None]):
    """Of a word, those that may follow it where something begins with both; None if any may.

    `tell`: what is so by each of some lists. Worked out as words come, and kept of known ones.
    """

    def __init__(self, *tell: Callable[[str], frozenset[str] | None]) -> None:
        self._tell = tell

    def __missing__(self, word: str) -> frozenset[str] | None:
        found: frozenset[str] | None = frozenset()
        for tell in self._tell:
            told = tell(word)
            found = None if told is None or found is None else found | told
        if word in KINDS:
            self[word] = found
        return found


def followers_in(index: Phrases) -> Callable[[str], frozenset[str] | None]:
    """Of a word, those that follow it in the terms of `index`; None if it is one alone."""

    def tell(word: str) -> frozenset[str] | None:
        begun = [index[form] for form in {word, stem(word)} if form in index]
        if any(each.alone for each in begun):
            return None
        return frozenset(second for each in begun for second in each.longer)

    return tell


def may_begin(tail: Tail, at: int, followers: Followers) -> bool:
    """A quick look at two words: False if nothing of the lists begins with them."""
    known = followers[tail.words[at]]
    if known is None:
        return True
    second = tail.words[at + 1]
    if second in known or second in MARKS:
        return True
    return (second[-1:] == "s" or "'" in second) and (stem(second) in known or bare(second) in known)


def phrase(tail: Tail, at: int, index: Phrases) -> int | None:
    """Where the longest term of `index` that starts here ends; hyphens inside do not matter."""
    begun = index.get(stem(tail.words[at]))
    return None if begun is None else longest(tail, at, begun)


def longest(tail: Tail, at: int, begun: Begun) -> int | None:
    """The same among the terms of one first word, the one at `at`."""
    if not begun.longer:
        return at + 1
    second = after_marks(tail, at + 1)
    word = tail.words[second]
    end = _behind(tail, second, begun.longer.get(word, ()))
    stemmed = stem(word)
    if stemmed != word:
        end = max(end, _behind(tail, second, begun.longer.get(stemmed, ())))
    return end or (at + 1 if begun.alone else None)


def _behind(tail: Tail, second: int, rests: tuple[tuple[str, ...], ...]) -> int:
    """Behind the longest term whose second word is there; 0 if none fits."""
    for rest in rests:
        end = _rest_end(tail, second, rest)
        if end:
            return end
    return 0


def _rest_end(tail: Tail, second: int, rest: tuple[str, ...]) -> int:
    here = second + 1
    for word in rest:
        here = after_marks(tail, here)
        said = tail.words[here]
        if said != word and stem(said) != word:
            return 0
        here += 1
    return here


def after_marks(tail: Tail, at: int) -> int:
    """Behind what may stand inside a term as a space does."""
    while tail.words[at] in MARKS and tail.glued[at]:
        at += 1
    return at
