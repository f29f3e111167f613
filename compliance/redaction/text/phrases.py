"""Terms of the indexes, found in what was said: whole words, plurals alike, hyphens inside left out."""

from compliance.redaction.text.lexicon import Begun, Phrases, stem
from compliance.redaction.text.near import MARKS
from compliance.redaction.text.tokens import Tail


def may_begin(tail: Tail, at: int, index: Phrases) -> bool:
    """A quick look: False if no term of `index` starts here for what the next word is."""
    word = tail.words[at]
    begun = index.get(word)
    if begun is None and (word[-1:] == "s" or "'" in word):
        begun = index.get(stem(word))
    if begun is None:
        return False
    if begun.alone:
        return True
    second = tail.words[at + 1]
    return second in begun.longer or second in MARKS or second[-1:] == "s" or "'" in second


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
