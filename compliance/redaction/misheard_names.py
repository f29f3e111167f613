"""The answer to the question for a name as a recogniser heard it: "she von kelly", "em oh why oh".

Where a name in such an answer begins that was heard as other words, and what is said of a person without one.
"""

from typing import Final

from compliance.redaction import kinds
from compliance.redaction.lexicon import word_list
from compliance.redaction.name_words import LISTED
from compliance.redaction.relations import OWNERS
from compliance.redaction.tokens import Tail
from compliance.redaction.view import Match

OF_NAMES: Final = word_list("answer_talk") | word_list("answer_leads") | word_list("leads_of_names")
"""Of talk before a name."""
_LEAST_LETTERS: Final = 3
_SURE_LETTERS: Final = 2
_LETTER_NAMES: Final = frozenset(
    {"oh", "ee", "eee", "yew", "ache", "doubleyou", "yoo", "ell", "aitch", "and"}
)
_HEARD_AS_LETTERS: Final = kinds.LETTER | kinds.HOMOPHONE | kinds.REPEAT | kinds.PHONETIC


def is_spelled_as_heard(tail: Tail, at: int, end: int) -> bool:
    """ "em oh why oh", "bee are a m e": nothing but what letters sound like."""
    words = [here for here in range(at, end) if tail.marks[here] & (kinds.WORD | kinds.DIGITS)]
    if len(words) < _LEAST_LETTERS or not all(_is_letter(tail, here) for here in words):
        return False
    sure = sum(tail.words[here] == "oh" or not tail.marks[here] & kinds.STOP for here in words)
    return sure >= _SURE_LETTERS


def _is_letter(tail: Tail, at: int) -> bool:
    return bool(tail.marks[at] & _HEARD_AS_LETTERS) or tail.words[at] in _LETTER_NAMES


def first_of_name(tail: Tail, at: int, begin: int) -> int:
    """ "she von kelly", "in grid larson", "brother stone", "ek a terina": where what was misheard begins."""
    first = here = begin
    while here > max(at, begin - _MOST_PIECES):
        here -= 1
        if tail.words[here] == "." and len(tail.words[here - 1]) == 1:
            continue
        if not (tail.marks[here] & kinds.WORD and _may_be_piece(tail, here)):
            break
        first = here
    return first


def is_joined(tail: Tail, at: int, end: int) -> bool:
    """ "gwen lee and prosser", "harold and twistle": the "and" is a part of the surname as it was heard."""
    surname = tail.marks[at + 1]
    never = kinds.FIRST | kinds.MAYBE | kinds.STOP | kinds.RELATIVE | kinds.COMMON
    return tail.words[at] == "and" and at + 2 == end and not surname & never


def goes_on_misheard(tail: Tail, at: int, end: int) -> bool:
    """The "though lin" of "gwen though lin": a word of sentences, and then the end of a name."""
    if end - at != _REST_WORDS or not tail.marks[at] & kinds.STOP or tail.words[at] in _BETWEEN_NAMES:
        return False
    last = tail.marks[end - 1]
    return bool(last & (LISTED | kinds.UNKNOWN)) and not last & (kinds.STOP | kinds.PLACE | kinds.RARER)


_REST_WORDS: Final = 2
_BETWEEN_NAMES: Final = frozenset(
    {
        "and",
        "or",
        "not",
        "for",
        "from",
        "with",
        "by",
        "at",
        "in",
        "of",
        "on",
        "i'm",
        "it's",
        "is",
        "as",
        "like",
    }
)


def behind_relative(tail: Tail, begin: int, found: Match) -> int:
    """Where the name itself begins, "oh" before it inside."""
    begin = max(begin, found.begin)
    return begin - (tail.words[begin - 1] == "oh" and tail.words[begin - 2] in _BEFORE_NAMES)


def _may_be_piece(tail: Tail, at: int) -> bool:
    """A word, or a letter, that is part of a name as a recogniser took it."""
    word = tail.words[at]
    if word in _HEARD_AS_NAMES:
        own = tail.marks[at + 1] & (kinds.RELATIVE | kinds.CUE) and word == "my"
        return not (tail.marks[at - 1] & kinds.WORD or own or tail.words[at + 1] == ",")
    if tail.marks[at] & kinds.LETTER or word == "of":
        return word != "i" and bool(
            tail.marks[at + 1] & (kinds.UNKNOWN | kinds.LETTER | LISTED) or tail.words[at + 1] == "."
        )
    if tail.marks[at] & kinds.RELATIVE and tail.words[at - 1] in OWNERS:
        return False
    return not (tail.marks[at] & (kinds.STOP | kinds.TITLE) or word in OF_NAMES or word.endswith("'s"))


def only_leads(tail: Tail, at: int, begin: int) -> bool:
    """ "it'll be under", "put it under", "everyone calls me"."""
    if begin > at + _MOST_LEADING:
        return False
    words = [here for here in range(at, begin) if tail.marks[here] & kinds.WORD]
    plain = all(tail.marks[here] & kinds.STOP or tail.words[here] in OF_NAMES for here in words)
    return plain and tail.words[begin - 1] in _BEFORE_NAMES


_MOST_PIECES: Final = 6
_MOST_LEADING: Final = 6
_BEFORE_NAMES: Final = frozenset(
    {"under", "it's", "is", "me", "that's", "say", "called", "as", "be", "says", "to"}
)
_HEARD_AS_NAMES: Final = word_list("heard_as_names")
"""What Siobhan, Ingrid, Arthur and others begin with as misheard."""


def names_nobody(tail: Tail, at: int, end: int) -> bool:
    """ "my little boy", "full name or just first?": ordinary words about a person or a name."""
    words = [here for here in range(at, end) if tail.marks[here] & kinds.WORD]
    if all(tail.marks[here] & _TITLES or tail.words[here] in _BESIDE_TITLES for here in words):
        return True
    if any(not tail.marks[here] & kinds.COMMON for here in words):
        return False
    if any(tail.words[here] in _OF_NOBODY for here in words):
        return True
    return len(words) <= _FEW_WORDS and any(tail.marks[here] & kinds.RELATIVE for here in words)


_FEW_WORDS: Final = 4
_TITLES: Final = kinds.TITLE | kinds.DOCTOR
_BESIDE_TITLES: Final = frozenset(
    {"please", "just", "neither", "is", "it's", "fine", "or", "either", "thanks"}
)
_OF_NOBODY: Final = frozenset(
    {"name", "patient", "myself", "fab", "brilliant", "lovely", "perfect", "person", "someone", "somebody"}
)
