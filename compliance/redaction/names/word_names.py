"""First names that are words of every day as well, told by what only people say, do or are.

"It's Rose, I rang earlier", "grace speaking", "Joy is my sister", "if Willow's got a slot": a recogniser
writes them like any word, so that their neighbours on both sides have to tell.
"""

from typing import Final

from compliance.redaction.names.relations import OWNERS
from compliance.redaction.talk.view import LIKELY, Match
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, word_list
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import mark_words

mark_words({"will", "may"}, kinds.MAYBE)

_STATES: Final = word_list("states_like_names")
_THINGS: Final = word_list("things_like_names")
"""Colours, stones, spices, seasons and what else "it's" may be said of: "it's ginger", "it's summer"."""
_GOOD_DAY: Final = frozenset(["hi", "hello", "hiya", "hey", "morning", "afternoon", "evening"])
_GREETINGS: Final = _GOOD_DAY | frozenset(
    [
        "",
        ".",
        "!",
        ",",
        ":",
        "yes",
        "yeah",
        "again",
        "there",
        "oh",
        "well",
        "so",
        "ok",
        "okay",
        "um",
        "er",
        "sorry",
        "no",
        "right",
        "erm",
        "love",
        "dear",
        "mate",
        "darling",
    ]
)
_MYSELF: Final = frozenset({"i", "i'm", "i've", "i'd", "i'll", "we've", "we're", "we'd"})
_SPEAKING: Final = frozenset({"speaking", "calling", "ringing", "phoning", "here"})
_REACHING: Final = frozenset(
    {"ringing", "calling", "phoning", "booking", "asking", "enquiring", "rang", "behalf"}
)
_THEY: Final = frozenset({"he's", "she's", "who's", "who", "he", "she", "he'll", "she'll", "they're"})
_ASKING_WHETHER: Final = frozenset(
    {"if", "whether", "that", "when", "because", "where", "think", "hope", "sure"}
)
_ARE: Final = word_list("patients_are")
_OF_DIARY: Final = frozenset(
    {"booked", "down", "registered", "filed", "listed", "saved", "account", "booking"}
)
_FOR_SHORT: Final = frozenset({"everyone", "everybody", "they", "most", "we", "for", "people", "my"})


def called_by_word(tail: Tail, at: int) -> Match | None:
    """The name at `at`, if it is one: only the word itself, and a surname right behind it."""
    word = bare(tail.words[at])
    if _is_booked(tail, at) or _is_greeted(tail, at, word):
        return Match(at + 1, "PERSON", LIKELY)
    if _is_whole(tail, at, word):
        return Match(at + 2, "PERSON", LIKELY)
    if _is_said_twice(tail, at):
        return Match(at + 3, "PERSON", LIKELY)
    if _is_said_again(tail, at):
        return Match(at + 1, "PERSON", LIKELY)
    if word == "will" and _has_plain_surname(tail, at):
        return Match(at + 2, "PERSON", LIKELY)
    month = bool(tail.marks[at] & kinds.MONTH)
    if (_speaks(tail, at) and (word not in _STATES or _is_all(tail, at))) or (
        not month and _is_somebodys(tail, at)
    ):
        return Match(at + 1, "PERSON", LIKELY)
    if _is_said_to_be(tail, at, word) or _is_from(tail, at) or (month and _is_named(tail, at)):
        return Match(at + 1, "PERSON", LIKELY)
    if word in _STATES or tail.marks[at] & kinds.STOP:
        return None
    found = not month and _is_told_of(tail, at)
    found = found or _is_introduced(tail, at, word, month=month)
    return Match(at + 1, "PERSON", LIKELY) if found else None


def _is_named(tail: Tail, at: int) -> bool:
    """ "my name's april i know like the month"."""
    before, earlier = tail.words[at - 1], tail.words[at - 2]
    if before not in ("name's", "called") and (before, earlier) not in (("is", "name"), ("names", "my")):
        return False
    return not (tail.marks[at + 1] & (kinds.NUMBER | kinds.ORDINAL) or tail.capital[at + 1])


def _speaks(tail: Tail, at: int) -> bool:
    """ "grace speaking", "hi, it's april here"."""
    before = tail.words[at - 1]
    if tail.words[at + 1] not in _SPEAKING or before not in _GREETINGS | {"it's", "its", "is"}:
        return False
    return (
        tail.words[at + 1] != "here"
        or not tail.marks[at + 2] & kinds.WORD
        or tail.words[at + 2] in _MYSELF
        or tail.words[at + 2] in _FROM
        or tail.words[at + 2] == tail.words[at]
    )


def _is_all(tail: Tail, at: int) -> bool:
    """ "precious speaking", and nothing else."""
    alone = tail.words[at - 1] in ("", ":") and tail.words[at + 1] == "speaking"
    return alone and not tail.marks[at + 2] & kinds.WORD


def _is_introduced(tail: Tail, at: int, word: str, *, month: bool) -> bool:
    """ "I'm dawn, Olivia's mum", "hi it's rose I've an appointment", "this is hope from upstairs"."""
    before, follows = tail.words[at - 1], tail.words[at + 1]
    ends = not tail.marks[at + 1] & (kinds.WORD | kinds.NUMBER)
    if before in _HELLO - {"there", "again"} and follows in ("it's", "its", "i'm", "this"):
        return word not in _THINGS
    if before == "i'm" and (follows in _MYSELF or follows in _MINE) and tail.words[at - 2] in _HELLO:
        return True
    if before in ("i'm", "am"):
        return ends or (follows in _FROM and not month) or (month and follows in ("and", "i", "i'm", "i've"))
    if before == "is" and tail.words[at - 2] == "this":
        sure = word not in _THINGS or tail.words[at - 3] in _HELLO or tail.words[at - 3] in _SAYING_YES
        return (not month and ends and sure) or follows in _MYSELF or follows in _FROM
    if before in ("only", "just") and tail.words[at - 2] in ("it's", "its", "that's"):
        return not month and (word not in _THINGS or tail.words[at - 3] in _HELLO)
    if before in ("it's", "its", "that's") and tail.words[at - 2] in _GREETINGS:
        if month or word in _THINGS:
            greets = tail.words[at - 2] in _HELLO
            behind = tail.words[at + 2] if follows == "," else follows
            goes_on = follows == "and" and tail.words[at + 2] in ("my", "the", "i", "i'm", "i've")
            return greets and (behind in _MYSELF or goes_on or (follows == "from" and not month))
        greeted = tail.words[at - 2] in _HELLO and (ends or follows in _FROM)
        return follows in _MYSELF or greeted or follows == ","
    if before in ("say", "says") and tail.words[at - 2] in _EVERYBODY:
        return True
    if before == "me" and tail.words[at - 2] == "call" and tail.words[at - 3] in _EVERYBODY:
        return True
    called = before in ("me", "him", "her") and tail.words[at - 2] in _CALLING
    return called and (follows in _FOR_SHORT or ends)


def _is_from(tail: Tail, at: int) -> bool:
    """ "hello it's frank from number nine", "hi, may from upstairs here"."""
    if tail.words[at + 1] not in ("from", "down", "over") or tail.marks[at + 2] & (kinds.MONTH | kinds.ALONE):
        return False
    greets = tail.words[at - 2] in _HELLO or (not tail.words[at - 2] and tail.words[at] not in _THINGS)
    if tail.words[at - 1] not in ("it's", "its", "i'm") or not greets:
        return False
    behind = tail.words[at + 2]
    return behind not in _FROM_THINGS and (behind != "the" or tail.words[at] not in _THINGS)


_FROM_THINGS: Final = frozenset({"a", "my", "what", "that", "when"})


def _is_said_to_be(tail: Tail, at: int, word: str) -> bool:
    """ "is that jack", "so that's barry", "it is joe again": no thing is called so, and nothing follows."""
    if word in _STATES or tail.marks[at] & (kinds.MONTH | kinds.PLACE | kinds.STOP):
        return False
    follows = tail.words[at + 1]
    if tail.words[at - 1] == "that" and tail.words[at - 2] == "was" and follows == "i":
        return True
    if word in _THINGS:
        return False
    if tail.words[at - 1] in ("it's", "its") and follows in ("i'm", "i've", "i'd"):
        return True
    if tail.marks[at + 1] & (kinds.WORD | kinds.NUMBER) and follows not in _AGAIN:
        return False
    before, earlier = tail.words[at - 1], tail.words[at - 2]
    if before in ("it's", "its", "that's"):
        return earlier in _BEFORE_THAT and not tail.marks[at] & kinds.RARER
    return (before, earlier) in _SAID_TO_BE and tail.words[at - 3] in _BEFORE_THAT


_AGAIN: Final = frozenset({"again", "isn't", "is", "sorry", "please", "speaking"})
_SAID_TO_BE: Final = frozenset({("that", "is"), ("is", "it"), ("is", "this"), ("is", "that"), ("this", "is")})
"""A word that names stand behind, and the word before it."""
_BEFORE_THAT: Final = frozenset(
    ["", ":", ".", "!", "?", ",", "so", "oh", "and", "hello", "hi", "yes", "yeah", "no", "ok", "okay"]
) | {"sorry"}
_MINE: Final = frozenset({"my", "can", "could", "just", "ringing", "calling", "phoning"})
_SAYING_YES: Final = frozenset({"yes", "yeah", "yep", "speaking", "sure", "no"})
_FROM: Final = frozenset({"from", "again", "and", "on", "at", "about", "returning"})
_HELLO: Final = _GOOD_DAY | frozenset(
    [
        "there",
        "again",
        "dear",
        "love",
        "mate",
    ]
)
_EVERYBODY: Final = frozenset({"everyone", "everybody", "people", "friends", "family", "they"})
_CALLING: Final = frozenset({"call", "calls", "called"})


def _is_somebodys(tail: Tail, at: int) -> bool:
    """ "Joy is my sister", "willow's our eldest"."""
    here = at + 1
    if tail.words[here] in ("is", "was"):
        here += 1
    elif not tail.words[at].endswith("'s"):
        return False
    return tail.words[here] in OWNERS and bool(tail.marks[here + 1] & kinds.RELATIVE)


def _is_told_of(tail: Tail, at: int) -> bool:
    """ "ringing for don he's my dad", "if willow's got a slot", "is ruby with you"."""
    before, follows = tail.words[at - 1], tail.words[at + 1]
    if before == "is" and follows == "with" and tail.words[at + 2] in ("you", "us"):
        return True
    if _is_tagged(tail, at):
        return True
    if before in ("for", "about", "of") and tail.words[at - 2] in _REACHING:
        here = at + 1 + (follows == ",")
        return tail.words[here] in _THEY or not tail.marks[at + 1] & (kinds.WORD | kinds.NUMBER)
    owns = tail.words[at].endswith("'s")
    return owns and before in _ASKING_WHETHER and follows in _ARE


def _is_tagged(tail: Tail, at: int) -> bool:
    """ "anything sooner for grace she's down for the twelfth", "what about chase can he come"."""
    follows = tail.words[at + 1]
    if follows in ("she's", "he's"):
        return tail.words[at - 1] in _BEFORE_TAGGED
    asks = follows in ("can", "is", "does", "has", "will", "could", "did", "was", "should")
    return asks and tail.words[at + 2] in ("he", "she") and bare(tail.words[at]) not in _THINGS_TOLD


_BEFORE_TAGGED: Final = frozenset({"for", "about", "with", "of", "is", "it's", "and", "called", "bring"})
_THINGS_TOLD: Final = frozenset(
    {"summer", "autumn", "spring", "winter", "christmas", "easter", "art", "will"}
)


def _is_whole(tail: Tail, at: int, word: str) -> bool:
    """ "hello it's sunny gill again", "I'm rich tanner": a surname, and behind it the caller speaks on."""
    follows = tail.marks[at + 1]
    if not follows & kinds.LAST or follows & (kinds.STOP | kinds.MONTH):
        return False
    if follows & kinds.STREET and tail.marks[at + 2] & kinds.WORD:
        return False
    before = tail.words[at - 1]
    if before not in ("it's", "its", "i'm", "name's") and (tail.words[at - 2], before) not in _SPEAKERS:
        return False
    behind = tail.words[at + 2]
    ends = not tail.marks[at + 2] & (kinds.WORD | kinds.NUMBER)
    speaks = behind in _MYSELF or behind in _SPEAKING or behind in _FROM or behind in _SAYING_YES
    plain = word in _STATES and follows & (kinds.MAYBE | kinds.COMMON) and (before != "i'm" or word in _HUES)
    return speaks or (ends and not plain and before != "is")


_HUES: Final = frozenset(
    {"blue", "brown", "green", "golden", "red", "grey", "gray", "long", "early", "happy"}
)
_SPEAKERS: Final = frozenset({("this", "is"), ("name", "is")})


def _has_plain_surname(tail: Tail, at: int) -> bool:
    """ "from will tucker", "for will hargreaves"."""
    surname = tail.marks[at + 1] & kinds.LAST and not tail.marks[at + 1] & (kinds.STOP | kinds.COMMON)
    return bool(surname) and tail.words[at - 1] in _BEFORE_WHOLE_NAMES


_BEFORE_WHOLE_NAMES: Final = frozenset(
    {"from", "for", "with", "under", "about", "see", "and", "of", "by", "is", "it's", "i'm", ","}
)


def _is_said_twice(tail: Tail, at: int) -> bool:
    """ "I'm pearl pearl hutchinson"."""
    surname = tail.marks[at + 2]
    if tail.words[at] != tail.words[at + 1] or surname & kinds.STOP:
        return False
    return bool(surname & kinds.LAST or (surname & kinds.UNKNOWN and not surname & kinds.COMMON))


def _is_said_again(tail: Tail, at: int) -> bool:
    """ "it's joy joy from upstairs", "mark here mark davenport", "cliff it's cliff from the post office"."""
    if tail.words[at - 1] not in _BEFORE_TWICE:
        return False
    if tail.words[at] == tail.words[at + 1]:
        named = tail.marks[at + 2] & (kinds.LAST | kinds.FIRST | kinds.UNKNOWN)
        if tail.words[at - 1] in ("it's", "its", "i'm") and tail.words[at] not in _STATES:
            return True
        return bool(named) or tail.words[at + 2] in _FROM or tail.words[at + 2] in _SPEAKING
    between = tail.words[at + 1] in _SPEAKING or tail.words[at + 1] in ("it's", "its", ",", ".")
    return between and tail.words[at + 2] == tail.words[at]


_BEFORE_TWICE: Final = frozenset(
    ["", ":", ".", ",", "it's", "its", "i'm", "is", "name's", "hello", "hi", "hiya", "hey", "yes", "here"]
)


def _is_greeted(tail: Tail, at: int, word: str) -> bool:
    """ "hi it's frank I need"; with a capital also "It's Will, I rang earlier"."""
    if tail.words[at - 1] not in ("it's", "its") or word in ("early", "long", "lovely"):
        return False
    if tail.words[at - 2] in _HELLO:
        ends = not tail.marks[at + 1] & (kinds.WORD | kinds.NUMBER) and word not in _HUES
        return tail.words[at + 1] in _MYSELF or ends
    alone = not tail.capital[at + 1] and tail.words[at + 1] == ","
    return tail.capital[at] and alone and tail.words[at + 2] in _MYSELF


def _is_booked(tail: Tail, at: int) -> bool:
    """ "it's booked under love"."""
    if tail.words[at - 1] != "under" or tail.marks[at + 1] & (kinds.WORD | kinds.NUMBER):
        return False
    return any(tail.words[here] in _OF_DIARY for here in range(at - 4, at - 1))


def filed_under(tail: Tail, at: int) -> Match | None:
    """ "it'll be under carpenter", "it's under Holt, June Holt", "it's under farthing rafe farthing"."""
    surname = tail.marks[at] & (kinds.LAST | kinds.MAYBE) and not tail.marks[at] & kinds.STOP
    if tail.words[at - 1] != "under" or not surname or tail.words[at] in _UNDER:
        return None
    ends = not tail.marks[at + 1] & (kinds.WORD | kinds.NUMBER) or tail.words[at + 1] == "that's"
    ends = ends or tail.words[at + 2] == tail.words[at]
    filed = tail.words[at - 2] in _FILED or any(
        tail.words[here] in _OF_DIARY for here in range(at - 4, at - 1)
    )
    return Match(at + 1, "PERSON", LIKELY) if ends and filed else None


_FILED: Final = frozenset({"be", "it's", "its", "is", "put", "was", "it", "come", "try", "look", "that's"})
_UNDER: Final = word_list("under_things")
"""What "it's under" goes on with where nobody's name follows: "under way"."""
