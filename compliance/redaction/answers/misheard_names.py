"""The answer to the question for a name as a recogniser heard it: "she von kelly", "em oh why oh".

Where a name in such an answer begins that was heard as other words, and what is said of a person without one.
"""

from typing import Final

from compliance.redaction.answers.plain_words import is_plain
from compliance.redaction.answers.replies import begins_sentence
from compliance.redaction.names.name_words import LISTED
from compliance.redaction.names.relations import OF_KIN, OWNERS
from compliance.redaction.talk.view import Match
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

OF_NAMES: Final = word_list("answer_talk") | word_list("answer_leads") | word_list("leads_of_names")
"""Of talk before a name."""
_LEAST_LETTERS: Final = 3
_SURE_LETTERS: Final = 2
_LETTER_NAMES: Final = frozenset(
    {"oh", "ee", "eee", "yew", "ache", "doubleyou", "yoo", "ell", "aitch", "and"}
)
_LETTER_SOUNDS: Final = _LETTER_NAMES | word_list("letter_sounds")
_FEW_LETTERS: Final = 4
_MANY_LETTERS: Final = 6
_HEARD_AS_LETTERS: Final = kinds.LETTER | kinds.HOMOPHONE | kinds.REPEAT | kinds.PHONETIC


def is_spelled_as_heard(tail: Tail, at: int, end: int) -> bool:
    """ "em oh why oh", "kay he a are an he", "f for sugar, c h for hotel": hardly anything but letters."""
    words = [here for here in range(at, end) if tail.marks[here] & (kinds.WORD | kinds.DIGITS)]
    sure = sum(tail.words[here] == "oh" or _is_sure_letter(tail, here) for here in words)
    if len(words) < _LEAST_LETTERS or sure < (_SURE_LETTERS if len(words) < _MANY_LETTERS else 1):
        return False
    strict = len(words) < _FEW_LETTERS
    said = sum(_is_letter(tail, here, strict=strict) for here in words)
    told = sum(_TOLD_LETTER * _tells_letter(tail, here) for here in words[1:-1])
    if said + told >= len(words):
        return True
    ends = _is_letter(tail, words[-1], strict=True) and not tail.marks[words[0]] & kinds.NUMBER
    return ends and sure >= _FEW_LETTERS and said + told >= _MOSTLY * len(words)


def _is_letter(tail: Tail, at: int, *, strict: bool) -> bool:
    names = _LETTER_NAMES if strict else _LETTER_SOUNDS
    return bool(tail.marks[at] & _HEARD_AS_LETTERS) or tail.words[at] in names


def _is_sure_letter(tail: Tail, at: int) -> bool:
    return bool(tail.marks[at] & _HEARD_AS_LETTERS) and not tail.marks[at] & kinds.STOP


def _tells_letter(tail: Tail, at: int) -> bool:
    """The "for" of "f for sugar", with the word behind it."""
    told = tail.words[at] in ("for", "as", "like") and tail.marks[at - 1] & (kinds.LETTER | kinds.PAIR)
    return bool(told) and not tail.marks[at + 1] & _HEARD_AS_LETTERS


_TOLD_LETTER: Final = 1
_MOSTLY: Final = 0.75


def ends_in_name(tail: Tail, at: int, end: int) -> bool:
    """ "same goldberg", "how biff a cabulator": a few words, the last one of no sentence."""
    words = range(at, end)
    if not 1 < len(words) <= _MOST_JOINED or not all(tail.marks[here] & kinds.WORD for here in words):
        return False
    if tail.marks[end - 1] & kinds.STOP or not any(_is_of_name(tail, here) for here in words[1:]):
        return False
    return tail.words[at] not in _BEFORE_OWN_NAME and not any(tail.marks[here] & kinds.CUE for here in words)


def _is_of_name(tail: Tail, at: int) -> bool:
    kind = tail.marks[at]
    return bool(kind & (LISTED | kinds.UNKNOWN)) and not kind & (kinds.COMMON | kinds.RARER)


_MOST_JOINED: Final = 4
_BEFORE_OWN_NAME: Final = frozenset(
    [
        "sorry",
        "hello",
        "hi",
        "thanks",
        "speaking",
        "pardon",
        "lovely",
        "great",
        "perfect",
        "bye",
        "just",
        "only",
    ]
)
"""What is said to somebody, or of oneself, and is no part of a name."""


def first_of_name(tail: Tail, at: int, begin: int) -> int:
    """ "she von kelly", "in grid larson", "brother stone", "ek a terina": where what was misheard begins."""
    first = here = begin
    while here > max(at, begin - _MOST_PIECES):
        here -= 1
        if tail.words[here] == "." and len(tail.words[here - 1]) == 1:
            continue
        if not (tail.marks[here] & kinds.WORD and _may_be_piece(tail, here, begins=here == at)):
            break
        first = here
    heard = 0 < begin - at <= _SURE_LETTERS and tail.marks[begin] & kinds.UNKNOWN
    heard = heard and not (tail.words[at] == "under" and tail.words[at - 1] in ("it's", "be", "is"))
    if heard and all(tail.words[here] in _HEARD_AS_NAMES for here in range(at, begin)):
        return at
    return first


def _is_joined(tail: Tail, at: int, end: int) -> bool:
    """ "gwen lee and prosser", "harold and twistle": the "and" is a part of the surname as it was heard."""
    surname = tail.marks[at + 1]
    never = kinds.FIRST | kinds.MAYBE | kinds.STOP | kinds.RELATIVE | kinds.COMMON
    return tail.words[at] == "and" and at + 2 == end and not surname & never


def goes_on_misheard(tail: Tail, at: int, end: int) -> bool:
    """The "though lin" of "gwen though lin": a word of sentences, and then the end of a name."""
    if tail.words[at] == ",":
        if _is_odd_clause(tail, at + 1, end):
            return True
        at += tail.words[at + 1] == "a"
    if 1 < end - at <= _ODD_WORDS + 1 and tail.words[end - 1] in _DANGLING:
        return True
    if _is_odd_rest(tail, at, end) or _is_spelled_rest(tail, at, end):
        return True
    if _is_joined(tail, at, end) or (tail.words[at] in _JOINS and _is_rest_of_name(tail, at + 1, end)):
        return True
    if end - at != _REST_WORDS or not tail.marks[at] & kinds.STOP or tail.words[at] in _BETWEEN_NAMES:
        return False
    last = tail.marks[end - 1]
    return bool(last & (LISTED | kinds.UNKNOWN)) and not last & (kinds.STOP | kinds.PLACE | kinds.RARER)


def _is_odd_rest(tail: Tail, at: int, end: int) -> bool:
    """The "a legal flirt" of "jeremiah, a legal flirt": nothing that is said of a person."""
    at += tail.words[at] == ","
    if not 1 < end - at <= _ODD_WORDS or tail.words[at] not in _BEFORE_ODD:
        return False
    words = range(at, end)
    if not all(tail.marks[here] & kinds.WORD for here in words) or tail.marks[end - 1] & kinds.STOP:
        return False
    told = kinds.TERM | LISTED | kinds.TOWN | kinds.TITLE | kinds.DOCTOR | kinds.CUE
    return any(
        not (is_plain(tail, here) or tail.marks[here] & told or tail.marks[here - 1] & LISTED)
        for here in words
    )


def _is_spelled_rest(tail: Tail, at: int, end: int) -> bool:
    """The "the A. R. D. and the I" of "gardner, the A. R. D. and the I"."""
    words = [here for here in range(at, end) if tail.marks[here] & kinds.WORD]
    letters = sum(bool(tail.marks[here] & kinds.LETTER) for here in words)
    return letters > 1 and all(
        tail.marks[here] & kinds.LETTER or tail.words[here] in _BEFORE_ODD for here in words
    )


_ODD_WORDS: Final = 4
_DANGLING: Final = frozenset({"who", "i", "be", "and", "the", "a", "an", "of", "or", "by"})
"""Ends no sentence: "heartbreak, and who"."""
_BEFORE_ODD: Final = frozenset({"a", "an", "the", "and", "is", "or", "are", "all", "of", "in"})
"""What the middle of a name is heard as."""


def never_leads(tail: Tail, at: int, begin: int) -> bool:
    """ "not in", "all of them you're" before a name at `begin`: nothing that leads to one."""
    word = tail.words[begin - 1]
    if (word == "to" and tail.words[begin - 2] in _SPOKEN_TO) or tail.marks[begin] & kinds.LETTER:
        return False
    return begin - at <= _ODD_WORDS and word in _NEVER_BEFORE


_SPOKEN_TO: Final = frozenset({"speaking", "talking", "spoke", "changed", "answers", "back", "married"})
_NEVER_BEFORE: Final = word_list("never_before_names")


def _is_odd_clause(tail: Tail, at: int, end: int) -> bool:
    """The "he wore things" of "abdullah, he wore things": nobody tells that of a person."""
    if end - at != _CLAUSE_WORDS or tail.words[at] not in ("he", "she", "they"):
        return False
    plain = kinds.COMMON | kinds.UNKNOWN
    words = range(at + 1, end)
    if begins_sentence(tail, at) or not all(tail.marks[here] & plain for here in words):
        return False
    return not any(tail.marks[here] & (kinds.STOP | kinds.RELATIVE | kinds.CUE) for here in words)


_CLAUSE_WORDS: Final = 3


def says_it_again(tail: Tail, begin: int, end: int, last: int) -> bool:
    """ "late. this is late": nothing but the same name behind it, and what leads to it."""
    name = tail.words[begin:end]
    again = last - len(name)
    if not end < again <= end + _MOST_AGAIN or tail.words[again:last] != name:
        return False
    return all(tail.words[here] in _AGAIN or not tail.marks[here] & kinds.WORD for here in range(end, again))


_MOST_AGAIN: Final = 4
_AGAIN: Final = frozenset(
    {"this", "is", "it's", "that's", "my", "name", "name's", "yes", "yeah", "i'm", "it", "and"}
)


def _is_rest_of_name(tail: Tail, at: int, end: int) -> bool:
    """The "watch a crew" of "blessing and watch a crew": words in which nobody does anything."""
    if (
        not 1 < end - at < _MOST_JOINED
        or tail.marks[end - 1] & kinds.STOP
        or tail.marks[at] & (kinds.FIRST | kinds.MAYBE)
    ):
        return False
    never = kinds.CUE | kinds.RELATIVE | kinds.TITLE | kinds.DOCTOR | kinds.NUMBER | kinds.MONTH
    if tail.words[end - 1] in _EVERYDAY:
        return False
    return all(
        tail.marks[here] & kinds.WORD
        and not tail.marks[here] & never
        and tail.words[here] not in _DOERS
        and not tail.words[here].endswith(("ing", "'s", "'m", "n't", "ed"))
        for here in range(at, end)
    )


_JOINS: Final = frozenset({"and", "or", "the", "an", "are", "all"})
_EVERYDAY: Final = word_list("common")
_DOERS: Final = frozenset(
    [
        "i",
        "we",
        "you",
        "he",
        "she",
        "it",
        "they",
        "that",
        "this",
        "my",
        "your",
        "can",
        "is",
        "was",
        "for",
        "just",
        "then",
    ]
)
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


def tells_on_of_person(tail: Tail, at: int, end: int) -> bool:
    """ "after my dad", "mostly", "same surname", "we only registered him": ordinary words of somebody."""
    if _begins_clause(tail, at, end):
        return True
    if (
        tail.words[at - 1] in (".", "!")
        and tail.marks[at] & kinds.FIRST
        and not tail.marks[at] & kinds.COMMON
    ):
        return True
    if tail.marks[at] & kinds.RELATIVE and tail.words[at - 1][-1:] == "s":
        return True
    words = [here for here in range(at, end) if tail.marks[here] & (kinds.WORD | kinds.DIGITS)]
    if not all(tail.marks[here] & kinds.COMMON and not tail.marks[here] & kinds.LETTER for here in words):
        return False
    asks = len(words) >= _LEAST_LETTERS and tail.words[at] in _ASKING
    return asks or any(tail.words[here] in _TOLD_ON for here in words)


def before_clause(tail: Tail, at: int, end: int) -> int:
    """Where it is told how the word at `at` is written or meant: "winter like the season"; else `end`."""
    last = min(end, at + _MOST_PIECES)
    named = tail.marks[at] & LISTED
    told = (
        here
        for here in range(at + 1, last)
        if _tells_of_name(tail, here, end)
        or (named and tail.words[here] in _SAYS_OF_SELF and end - here >= _CLAUSE_WORDS)
    )
    return next(told, end)


_SAYS_OF_SELF: Final = frozenset({"i'm", "i've", "we're", "we've", "everyone", "everybody"})


def _tells_of_name(tail: Tail, at: int, end: int) -> bool:
    return at + 1 < end and (tail.words[at], tail.words[at + 1]) in _TELLING


def _begins_clause(tail: Tail, at: int, end: int) -> bool:
    """ "everyone calls me Bob", "surname malinowska", "like the season, i know", "i'm the tenant"."""
    if _tells_of_name(tail, at, end) or (tail.words[at] in _NAMED_ON and at + 1 < end):
        return True
    return tail.words[at] in _CLAUSES and end - at >= _CLAUSE_WORDS


_NAMED_ON: Final = frozenset({"surname", "surname's", "spelled", "spelt"})
_TELLING: Final = frozenset(
    [(which, "name") for which in ("last", "family", "second", "middle", "maiden", "first", "married")]
    + [("like", "the"), ("just", "like"), ("as", "in"), ("all", "one"), ("short", "for")]
    + [("i", "think"), ("i", "know"), ("i", "don't"), ("they", "call"), ("one", "word"), ("two", "words")]
    + [("from", "the"), ("it's", "pronounced"), ("believe", "it")]
    + [(how, what) for how in ("with", "without") for what in ("a", "an", "one", "two", "no")]
)
"""What begins to tell of a name, or another one."""
_CLAUSES: Final = frozenset(
    ["everyone", "everybody", "people", "friends", "i'm", "i've", "we", "we've", "we're", "they've", "most"]
)


def behind_told(tail: Tail, at: int, begin: int) -> int:
    """Where the name begins behind "that would be my father in law", "it's my brother"; else `at`."""
    words = [here for here in range(at, begin) if tail.marks[here] & kinds.WORD]
    plain = all(tail.marks[here] & _BUILDING or tail.words[here] in OF_NAMES | _OF_KIN for here in words)
    told = any(
        tail.marks[here] & kinds.RELATIVE
        and (here == at or tail.words[here - 1] in OWNERS or tail.words[here - 2] in OWNERS)
        for here in words
    )
    return begin if plain and told else at


_BUILDING: Final = kinds.STOP | kinds.RELATIVE
_OF_KIN: Final = OF_KIN | {"in", "law", "oh", "sorry", "um", "er"}
_ASKING: Final = frozenset({"what", "how", "when", "where", "which", "could", "would", "did", "have"})
_TOLD_ON: Final = word_list("told_of_people")
"""What no misheard name sounds like."""


def behind_relative(tail: Tail, begin: int, found: Match) -> int:
    """Where the name itself begins, "oh" before it inside."""
    begin = max(begin, found.begin)
    return begin - (tail.words[begin - 1] == "oh" and tail.words[begin - 2] in _BEFORE_NAMES)


def _may_be_piece(tail: Tail, at: int, *, begins: bool) -> bool:
    """A word, or a letter, that is part of a name as a recogniser took it; `begins`: it begins the answer."""
    word = tail.words[at]
    if word == "law" and tail.words[at - 1] == "in":
        return False
    if word == "me" and tail.marks[at + 1] & (kinds.FIRST | kinds.PAUSE):
        return False
    if word in _HEARD_AS_NAMES:
        own = tail.marks[at + 1] & (kinds.RELATIVE | kinds.CUE) and word == "my"
        inside = tail.marks[at - 1] & kinds.WORD and not (begins and word not in _BEFORE_NAMES)
        return not (inside or own or tail.words[at + 1] == ",")
    if tail.marks[at] & kinds.LETTER or word == "of":
        return word != "i" and bool(
            tail.marks[at + 1] & (kinds.UNKNOWN | kinds.LETTER | LISTED) or tail.words[at + 1] == "."
        )
    if tail.marks[at] & kinds.RELATIVE and (tail.words[at - 1] in OWNERS or tail.words[at - 1] in OF_KIN):
        return False
    return not (tail.marks[at] & (kinds.STOP | kinds.TITLE) or word in OF_NAMES or word.endswith("'s"))


def is_brief_name(tail: Tail, at: int, end: int) -> bool:
    """ "home by land", "would head": two or three words that are no sentence, and lead to no name."""
    words = range(at, end)
    if (
        len(words) > _BRIEF
        or not tail.marks[end - 1] & kinds.COMMON
        or not all(tail.marks[here] & kinds.WORD for here in words)
    ):
        return False
    if any(tail.words[here] in _BEFORE_NAMES or tail.words[here] in _BEFORE_OTHERS for here in (at, end - 2)):
        return False
    never = kinds.RELATIVE | kinds.TITLE | kinds.DOCTOR | kinds.NAMING
    return not any(
        tail.words[here] in _DOERS or "'" in tail.words[here] or tail.marks[here] & never for here in words
    )


_BRIEF: Final = 3
_BEFORE_OTHERS: Final = frozenset(
    {"for", "with", "and", "to", "from", "of", "hi", "hello", "thanks", "sorry", "just"}
)


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


_DOERS_ALONE: Final = frozenset({"he", "she", "they"})
_DONE_TO: Final = frozenset({"it", "him", "her", "them", "that", "me"})


def names_nobody(tail: Tail, at: int, end: int) -> bool:
    """ "my little boy", "full name or just first?": ordinary words about a person or a name."""
    words = [here for here in range(at, end) if tail.marks[here] & kinds.WORD]
    if words and tail.words[words[0]] in _DOERS_ALONE and tail.words[words[-1]] in _DONE_TO:
        return True
    if all(tail.marks[here] & _TITLES or tail.words[here] in _BESIDE_TITLES for here in words):
        return True
    if tail.marks[at] & kinds.TITLE or any(not tail.marks[here] & kinds.COMMON for here in words):
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
