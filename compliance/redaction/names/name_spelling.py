"""Names spelled out: runs of letters, and a spelling right behind the name itself."""

from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.spoken import read_letter
from compliance.redaction.text.tokens import Tail

_SPELLED_TOKENS: Final = 60
LEAST_SPELLED: Final = 3
SURELY_SPELLED: Final = 4
_WITHIN_SPELLING: Final = frozenset([",", "-", ".", "um", "uh", "er", "erm", "then", "and", "capital"]) | {
    "space",
    "apostrophe",
    "small",
    "hyphen",
    "dash",
    "another",
}
_BEFORE_SPELLING: Final = frozenset({",", "-", ".", "capital"})
ABBREVIATED: Final = frozenset({("d", "o", "b"), ("n", "h", "s"), ("s", "s", "n")})
"""Spelled behind a name and not of it: "Ann Lee, D O B three …"."""
_BEGINS_SPELLING: Final = kinds.LETTER | kinds.PHONETIC | kinds.REPEAT


def may_be_spelled(tail: Tail, at: int) -> bool:
    """A spelling may begin here, or behind a mark."""
    return bool(tail.marks[at] & _BEGINS_SPELLING) or tail.words[at] in _BEFORE_SPELLING


def is_its_spelling(tail: Tail, at: int, end: int) -> bool:
    """ "grey, g r e y": the first letters are those of the word."""
    letters = [tail.words[place] for place in range(at + 1, end) if tail.marks[place] & kinds.LETTER]
    return tail.words[at].startswith("".join(letters[:2]))


def is_told_by_letters(tail: Tail, at: int) -> bool:
    """ "gray with an e", "Philips with one l": how the word is spelled is told, as of names alone."""
    here = at + 1 + (tail.words[at + 1] == ",")
    if tail.words[here] == "no" or tail.words[here + 1] == "not" or tail.words[here + 2] == "not":
        return _is_told_without(tail, here)
    if tail.words[here] in ("one", "two", "double", "single"):
        letter = tail.marks[here + 1] & kinds.LETTER or tail.words[here + 1] in _LETTERS
        return bool(letter) and not tail.marks[here + 2] & (kinds.LETTER | kinds.NUMBER)
    if tail.words[here] not in ("with", "without") or tail.words[here + 1] not in _COUNTS:
        return False
    if not tail.marks[here + 2] & kinds.LETTER and tail.words[here + 2] not in _LETTERS:
        return False
    return not tail.marks[here + 3] & kinds.WORD or tail.words[here + 3] in _BEHIND_LETTERS


def _is_told_without(tail: Tail, at: int) -> bool:
    """ "moor no e", "mcdonald m c not m a c"."""
    if tail.words[at] == "no":
        letter = tail.marks[at + 1] & kinds.LETTER or tail.words[at + 1] in _LETTERS
        return bool(letter) and (not tail.marks[at + 2] & kinds.WORD or tail.words[at + 2] in _BEHIND_LETTERS)
    here = at + 1 + (tail.words[at + 1] != "not")
    return bool(tail.marks[at] & tail.marks[here - 1] & tail.marks[here + 1] & kinds.LETTER)


_COUNTS: Final = frozenset({"a", "an", "the", "one", "two", "no", "double", "only"})
_LETTERS: Final = frozenset(f"{letter}s" for letter in "bcdefghjklmnpqrstvwxyz") - {"vs", "ms", "es"}
_BEHIND_LETTERS: Final = frozenset(
    {"not", "but", "and", "instead", "at", "in", "on", "like", "as", "please", "or", "then", "yeah"}
)


def spelled_on(tail: Tail, at: int) -> int:
    """Over a spelling of the name right behind it: "Smyth, S M Y T H"."""
    here = at
    while here < at + 3 and tail.words[here] in _BEFORE_SPELLING:
        here += 1
    end = spelled_end(tail, here, LEAST_SPELLED, misheard=False)
    if tuple(tail.words[here : here + 3]) in ABBREVIATED:
        return at
    return at if end is None else _rest_said(tail, at - 1, here, end)


def _rest_said(tail: Tail, word: int, begin: int, end: int) -> int:
    """Over the rest of a name that is spelled by half: "featherstone, f e a t h e r stone"."""
    letters = "".join(tail.words[place] for place in range(begin, end) if tail.marks[place] & kinds.LETTER)
    return end + 1 if letters and tail.words[word] == letters + tail.words[end] else end


def _letter(tail: Tail, at: int, *, misheard: bool) -> tuple[str, int] | None:
    """A letter; where misheard ones count, "oh" is one too."""
    if misheard and tail.words[at] == "oh":
        return "o", at + 1
    return read_letter(tail, at, misheard=misheard)


def _is_spelled_behind(tail: Tail, at: int) -> bool:
    """Two letters right behind: what sounds like one before them is one."""
    return bool(tail.marks[at + 1] & tail.marks[at + 2] & kinds.LETTER)


def _begins_another(tail: Tail, at: int) -> bool:
    """The "then s o r c h a" behind "c a o i m h e": another name, long enough to be known by itself."""
    here = at + (tail.words[at] == ",")
    if tail.words[here] != "then":
        return False
    return all(tail.marks[ahead] & kinds.LETTER for ahead in range(here + 1, here + 1 + SURELY_SPELLED))


def spelled_end(tail: Tail, at: int, least: int, *, misheard: bool) -> int | None:
    """Where a run of at least so many spelled letters ends."""
    if tail.words[at] == "i" and tail.words[at + 1] == "see":
        return None
    here = end = at
    count = 0
    while here < at + _SPELLED_TOKENS:
        letter = _letter(tail, here, misheard=misheard and (count > 0 or _is_spelled_behind(tail, here)))
        if letter is None:
            break
        end = here = letter[1]
        count += len(letter[0])
        if count >= LEAST_SPELLED and _begins_another(tail, here):
            break
        while tail.words[here] in _WITHIN_SPELLING and here < end + 3:
            here += 1
    return end if count >= least and (count > 1) else None
