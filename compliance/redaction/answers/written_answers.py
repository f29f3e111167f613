"""An answer in which the value stands in writing, whole, as a clause of its own: "ours? LA22 9HH, I think".

Nothing of such a value was misheard, so what is said beside it is none of it.
"""

import re
from typing import Final

from compliance.redaction.answers.misheard_figures import are_figures_heard
from compliance.redaction.talk.view import Match
from compliance.redaction.text import kinds
from compliance.redaction.text.entities import EntityType
from compliance.redaction.text.tokens import Tail

_MONTHS: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_SHAPES: Final[dict[EntityType, re.Pattern[str]]] = {
    "POSTCODE": re.compile(r"(?i)[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}"),
    "PHONE": re.compile(r"\+?(?:[-(). ]*\d){10,13}"),
    "DOB": re.compile(
        rf"(?i)\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTHS})[a-z]*,? (?:19|20)\d\d"
        rf"|(?:{_MONTHS})[a-z]* \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d"
        r"|\d{1,2}([./-])\d{1,2}\1(?:19|20)\d\d"
    ),
}
_PAUSES: Final = frozenset({",", ".", "?", "!", ";"})


def written_answer(tail: Tail, at: int, end: int, entity: EntityType) -> Match | None:
    """The value of the answer from `at` to `end` if it is such a clause and only talk stands before it."""
    shape = _SHAPES.get(entity)
    begin = at
    for here in range(at + 1, end + 1) if shape else ():
        if here < end and (tail.words[here] not in _PAUSES or tail.glued[here + 1]):
            continue
        if shape and shape.fullmatch(tail.between(tail.starts[begin], tail.end(here - 1))):
            if entity == "PHONE" and are_figures_heard(tail, at, begin):
                return None
            return Match(here, entity, begin=begin)
        if not all(_is_talk(tail, each) for each in range(begin, here)):
            break
        begin = here + 1
    return None


def _is_talk(tail: Tail, at: int) -> bool:
    """No figure, no name, no word of no list."""
    kind = tail.marks[at]
    return tail.words[at] == "one" or (bool(kind & (kinds.COMMON | kinds.STOP)) and not kind & kinds.NUMBER)
