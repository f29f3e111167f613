"""Names that are no person's here: of codes, halls, makes and pubs ("CAS-2231", "the Albert Hall")."""

from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, word_list
from compliance.redaction.text.tokens import Tail


def is_of_things(tail: Tail, at: int, end: int) -> bool:
    """The name from `at` to `end` is that of a thing, by what stands right beside it."""
    before = tail.words[at - 1]
    if before in _BEFORE_PLACES and _is_named_place(tail, at):
        return True
    if end > at + 1 and tail.words[end - 1] in _FIRM_WORDS:
        return True
    if end == at + 1 and (_is_code(tail, at) or _is_day(tail, at)):
        return True
    follows = bare(tail.words[end])
    if follows in _NAMED_THINGS and not tail.words[end - 1].endswith("'s"):
        return before in _ARTICLES or tail.capital[end]
    if tail.words[end - 1].endswith("'s"):
        return False
    if before in _BEHIND_THE and tail.words[at - 2] == "the":
        return end == at + 1
    if before != "the":
        return False
    return _is_house(tail, at) if end == at + 1 else tail.words[at - 2] in _AT_PLACES


_BEHIND_THE: Final = frozenset({"new", "latest", "prince", "king", "queen", "duke", "earl"})
"""Behind "the", before a name that is a book's or a pub's: "the new Osman", "the Prince Albert"."""
_NAMED_THINGS: Final = word_list("things_named")
_FIRM_WORDS: Final = word_list("firm_words")
_ARTICLES: Final = frozenset({"the", "a", "an", "that", "this", "some", "those", "these"})
_BEFORE_PLACES: Final = frozenset({"royal", "north", "south", "fort", "mount", "loch", "hms", "ss"})
"""Behind these a name is a place's, a ship's or a hospital's: "the Royal Victoria"."""


_AT_PLACES: Final = frozenset(
    {"at", "to", "in", "near", "opposite", "from", "by", "outside", "past", "behind"}
)


def _is_named_place(tail: Tail, at: int) -> bool:
    """ "North Carolina", "the royal victoria"; a person may be called North too."""
    return not tail.capital[at - 1] or tail.capital[at]


def _is_code(tail: Tail, at: int) -> bool:
    """ "CAS-2231", "AXP 771"."""
    end = at + 1
    if tail.words[end] == "-" and tail.glued[end]:
        return tail.glued[end + 1] and bool(tail.marks[end + 1] & kinds.DIGITS)
    written = tail.between(tail.starts[at], tail.end(at))
    return bool(tail.marks[end] & kinds.DIGITS) and len(written) > 1 and written.isupper()


def _is_day(tail: Tail, at: int) -> bool:
    """ "Mon-Thu 8 to 6": the day, told beside another or before its hours."""
    if tail.words[at] != "thu":
        return False
    return tail.words[at - 1] == "-" or tail.words[at + 1] == "-" or bool(tail.marks[at + 1] & kinds.NUMBER)


def _is_house(tail: Tail, at: int) -> bool:
    """ "the George is opposite": a pub or a ship, one first name alone, and no word of whom it could be."""
    return bool(tail.marks[at] & kinds.FIRST) and tail.words[at + 1] in _HOUSES_DO


_HOUSES_DO: Final = frozenset(
    ["is", "was", "opposite", "next", "across", "round", "does", "do", "for", "on", "pub", "hotel", "inn"]
)
