"""The answer to the question for a postcode as heard: "why o 24 one j z", "at m eighteen five l d".

The figures are heard well nearly always; the letters before them have to be told from talk.
"""

from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import HOMOPHONES

_LEADS: Final = word_list("answer_leads")
_AREAS: Final = frozenset(
    {"any", "as", "al", "an", "age", "our", "eggs", "cake", "hell", "he", "hey", "hay", "ache"}
)
"""What NE, S, AL, N, H, R, X, K, L and E are heard as."""
_AREAS_TOO: Final = frozenset({"at", "you", "that", "this", "y'all", "we", "oh", "i've", "i'll"})
"""What the first letters are heard as that begin an answer."""
_SPELLED: Final = kinds.LETTER | kinds.PAIR
_BETWEEN: Final = frozenset({"of"})
"""What the pause between letters and figures is heard as."""
_IN_CODES: Final = kinds.NUMBER | kinds.LETTER


def first_of_code(tail: Tail, at: int, begin: int) -> int:
    """Where the code begins of which a rule found the part from `begin` on."""
    before = begin - 1 - (begin > at + 1 and tail.words[begin - 1] in _BETWEEN)
    if begin > at and _is_area(tail, before):
        begin = before
    return at if begin == at + 1 and tail.words[at] in _AREAS_TOO else begin


def is_misheard_code(tail: Tail, at: int) -> bool:
    """ "any 27", "why o 24": what begins a question elsewhere."""
    if not _is_area(tail, at):
        return False
    code = at + 1 + (tail.words[at + 1] in _BETWEEN)
    follows, behind = tail.marks[code], tail.marks[code + 1]
    heard = (
        follows & kinds.HOMOPHONE and behind & (kinds.NUMBER | kinds.HOMOPHONE) and not behind & kinds.STOP
    )
    return bool(follows & _IN_CODES or heard)


def goes_on_as_code(tail: Tail, at: int, end: int) -> bool:
    """The "foxtra" behind a code: no word, no name and no place; the "for peter" of "p j for peter"."""
    if tail.words[at] == "for" and at + 2 == end:
        return bool(tail.marks[at - 1] & _SPELLED) and tail.words[at + 1][0] in tail.words[at - 1]
    odd = tail.marks[at] & kinds.UNKNOWN and not tail.marks[at] & (kinds.PLACE | kinds.RARER)
    return at + 1 == end and bool(odd)


def _is_area(tail: Tail, at: int) -> bool:
    """ "why o 24 one j z", "any one seven": a letter or two of a postcode heard as a word."""
    word = tail.words[at]
    if word == "and":
        return tail.words[at - 1] in ("", ":", ",") or tail.words[at - 1] in _LEADS
    return word in _AREAS or (word in HOMOPHONES and not HOMOPHONES[word].isdecimal())
