"""Names known by the sentence around them, whatever list they are on or not: "Kneebone is my name".

A recogniser writes a name of no list in lower case like any word, so that only its neighbours tell it.
"""

import re
from typing import Final

from compliance.redaction.medical.medical import has_medical_ending
from compliance.redaction.medical.misspellings import is_misspelled
from compliance.redaction.names.bare_names import is_strange_person
from compliance.redaction.names.name_words import (
    AFTER_STRANGE,
    BEFORE_PLACES,
    LISTED,
    NOT_NAMES,
    PLACES_NAMED,
    VERY_COMMON,
    is_inside,
    is_name,
    name_end,
)
from compliance.redaction.talk.view import GUESSED, LIKELY, Match
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, word_list
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import american, kind_of, mark_words

_OWNED: Final = word_list("owned_things")
"""What is a patient's: "Nkechi's appointment"."""
_NAME_KINDS: Final = word_list("kinds_of_name")
_NAMES: Final = frozenset({"name", "surname", "forename"})
_FAMILIES: Final = frozenset(
    {"family", "household", "twins", "sisters", "brothers", "kids", "children", "boys", "girls", "clan"}
)
mark_words(_NAME_KINDS | _NAMES | _FAMILIES, kinds.NAMING)
RINGING: Final = frozenset({"ring", "call", "phone", "text", "reach", "contact"})
"""What is done to a person "on" a number."""
_DOES: Final = word_list("patients_do")
_DID: Final = word_list("only_persons_did") | {"left", "lives", "fell", "drives", "eats", "drinks", "takes"}
_WE: Final = frozenset({"i", "me", "myself"})
_TO_PEOPLE: Final = word_list("before_people")
_SURELY_TO_PEOPLE: Final = word_list("surely_before_people")
_BEFORE_SUBJECTS: Final = word_list("before_subjects") | {""}
_IS_DOING: Final = word_list("patients_are")
"""Behind "X's": what only people are or do."""
_BEFORE_THINGS: Final = word_list("before_things")
_AUXILIARIES: Final = word_list("auxiliaries")
_DETERMINERS: Final = frozenset(
    {"the", "a", "an", "my", "our", "his", "her", "their", "your", "this", "that"}
)
_WORDY: Final = re.compile(rf".*(?:{'|'.join(sorted(word_list('word_endings')))})")
_NO_SURNAMES: Final = _DOES | _OWNED | AFTER_STRANGE | PLACES_NAMED | {"due", "ready", "able", "free"}
_AFTER_FIRST: Final = frozenset(
    {",", "with", "no", "that's", "it's", "here", "speaking", "but", "please", "spelled", "spelt", "again"}
)
"""Behind a name that a turn begins with."""
_CALL: Final = re.compile(r"(.)\1\1|^[^aeiouy\u00df-\u017f]+$|^(?:u+m+|e+r+m+|u+h+|e+h+m*)$")
"""Calls rather than words: "hmmm", "pfft", "errm"."""
_LEAST_LETTERS: Final = 3


def is_strange(tail: Tail, at: int) -> bool:
    """A word of no list that is built like no English or medical one; or a name seldom met."""
    kind = tail.marks[at]
    if not kind & kinds.UNKNOWN or kind & kinds.CUE or not is_name(tail, at):
        return False
    word = bare(tail.words[at])
    if word in NOT_NAMES:
        return False
    if kind & kinds.SELDOM:
        return True
    if kind & (kinds.RARER | kinds.TERM | kinds.PAIR) or len(word) < _LEAST_LETTERS:
        return False
    if tail.glued[at + 1] and tail.marks[at + 1] & kinds.DIGITS:
        return False
    if has_medical_ending(word) or is_misspelled(tail, at):
        return False
    return not (_WORDY.fullmatch(word) or _CALL.search(word) or _is_british(word))


def _is_british(word: str) -> bool:
    """An English word, in a spelling that the lists lack: "marvellous"."""
    return bool(kind_of(american(word).replace("ll", "l")) & (kinds.COMMON | kinds.RARER))


def framed(tail: Tail, at: int) -> Match | None:
    """The name that begins at `at` if the sentence says that it is one."""
    kind = tail.marks[at]
    if not is_name(tail, at) or bare(tail.words[at]) in NOT_NAMES:
        return None
    strange = is_strange(tail, at)
    written = tail.capital[at] and is_inside(tail, at)
    if not written and not kind & (LISTED | kinds.UNKNOWN):
        return None
    end = name_end(tail, at, strict=True)
    if end is None:
        return None
    if _is_said_to_be_name(tail, end) or _is_family(tail, at, end) or _is_rung(tail, at, end):
        return Match(end, "PERSON", LIKELY)
    if kind & kinds.COMMON and not (written or kind & kinds.MAYBE):
        return None
    if _owns(tail, at, end):
        return Match(end, "PERSON", LIKELY)
    if not strange:
        return None
    plain = with_plain_surname(tail, at, end)
    return Match(plain, "PERSON", GUESSED) if _stands_among_people(tail, at, plain) else None


def with_plain_surname(tail: Tail, at: int, end: int) -> int:
    """Over one ordinary word between a strange one and the end of what is named: "for meifeng onions"."""
    kind = tail.marks[end]
    if tail.words[end] in VERY_COMMON or tail.words[at].endswith("'s"):
        return end
    if end != at + 1 or not kind & (kinds.COMMON | kinds.RARER) or not is_name(tail, end):
        return end
    ends = not tail.marks[end + 1] & kinds.WORD or tail.words[end + 1] in AFTER_STRANGE
    behind_people = tail.words[at - 1] in _TO_PEOPLE or tail.words[at - 1] in _SURELY_TO_PEOPLE
    own = kind & (kinds.BODY | kinds.COMPLAINT | kinds.TERM) or tail.words[end] in _NO_SURNAMES
    return end + 1 if ends and behind_people and not own else end


def _is_said_to_be_name(tail: Tail, end: int) -> bool:
    """ "… is my name", "…'s the surname", "… is my first name"."""
    here = end
    if tail.words[here] in ("is", "was"):
        here += 1
    elif not tail.words[here - 1].endswith("'s"):
        return False
    if tail.words[here] not in _DETERMINERS:
        return False
    here += 1
    here += tail.words[here] in _NAME_KINDS
    return tail.words[here] in _NAMES or (
        tail.words[here - 1] in _NAME_KINDS and not tail.marks[here] & kinds.WORD
    )


def _owns(tail: Tail, at: int, end: int) -> bool:
    """ "Eluned's mum", "Lleucu's appointment"."""
    if not tail.words[end - 1].endswith("'s") or tail.words[at - 1] in _DETERMINERS:
        return False
    here = end + (tail.words[end] in ("new", "next", "last", "old", "first", "other", "little", "elder"))
    return bool(tail.marks[here] & kinds.RELATIVE) or tail.words[here] in _OWNED


def _is_family(tail: Tail, at: int, end: int) -> bool:
    """ "the Fotheringay family", "the Tamihana twins"."""
    if tail.words[at - 1] not in ("the", "whole") or tail.words[end] not in _FAMILIES:
        return False
    kind = tail.marks[end - 1]
    if tail.capital[at] or not kind & (kinds.COMMON | kinds.RARER):
        return True
    return bool(kind & kinds.LAST) and tail.words[end - 1] not in VERY_COMMON | _OF_CHILDREN


_OF_CHILDREN: Final = frozenset({"younger", "older", "elder", "tiny", "smaller", "bigger"})


def _is_rung(tail: Tail, at: int, end: int) -> bool:
    """ "ring Mercy on 07911 …"."""
    return (
        tail.words[end] == "on" and tail.words[at - 1] in RINGING and bool(tail.marks[end + 1] & kinds.NUMBER)
    )


def _stands_among_people(tail: Tail, at: int, end: int) -> bool:
    """A strange word behind what people stand behind, before what only people do, or written like a name."""
    before = tail.words[at - 1]
    acts = tail.words[end] in _AUXILIARIES or tail.words[end] in _DOES
    if before in BEFORE_PLACES or (before in _DETERMINERS and not (before == "that" and acts)):
        return False
    if tail.marks[end] & kinds.STREET or tail.marks[at - 1] & kinds.DOCTOR:
        return False
    if tail.marks[at] & kinds.SELDOM or (end > at + 1 and _are_names(tail, at, end)):
        return True
    if _is_behind_people(tail, at, end) or _does_something(tail, at, end) or _is_written(tail, at):
        return True
    return end == at + 1 and is_strange_person(tail, at)


def _are_names(tail: Tail, at: int, end: int) -> bool:
    return all(_is_name_like(tail, here) for here in range(at, end))


def _is_behind_people(tail: Tail, at: int, end: int) -> bool:
    """ "please tell fenella", "a friend of dashiell's", "for xanthippe"."""
    before = tail.words[at - 1]
    if before in _SURELY_TO_PEOPLE or (
        before == "after" and tail.words[at - 2] in ("look", "looks", "looking")
    ):
        return True
    if before == "of" and tail.marks[at - 2] & kinds.RELATIVE:
        return True
    follows = tail.words[end]
    if not before and follows in _AFTER_FIRST:
        return True
    return before in _TO_PEOPLE and (not tail.marks[end] & kinds.WORD or follows in AFTER_STRANGE)


def _does_something(tail: Tail, at: int, end: int) -> bool:
    """ "whether ngaire is down", "zbigniew's running late", "xiomara and itzel"."""
    before, follows = tail.words[at - 1], tail.words[end]
    if follows in _DOES or follows in ("she's", "he's"):
        return True
    if (follows in _DID and before in _BEFORE_SUBJECTS) or (follows == "and" and tail.words[end + 1] in _WE):
        return True
    acts = follows in _AUXILIARIES or (tail.words[end - 1].endswith("'s") and follows in _IS_DOING)
    if acts and (before in _BEFORE_SUBJECTS or before == "that"):
        return True
    return follows == "and" and _is_name_like(tail, end + 1)


def _is_written(tail: Tail, at: int) -> bool:
    """With a capital within a sentence, and no word that things stand behind before it."""
    return tail.capital[at] and is_inside(tail, at) and tail.words[at - 1] not in _BEFORE_THINGS


def _is_name_like(tail: Tail, at: int) -> bool:
    kind = tail.marks[at]
    if kind & (kinds.PLACE | kinds.STREET):
        return False
    return is_strange(tail, at) or bool(kind & (kinds.FIRST | kinds.LAST) and not kind & kinds.STOP)
