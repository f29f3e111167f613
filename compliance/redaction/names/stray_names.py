"""Names that nothing announces: known by the lists, by capitals and by the words right beside them."""

from typing import Final

from compliance.redaction.names.name_frames import is_strange
from compliance.redaction.names.name_spelling import is_its_spelling, is_told_by_letters, spelled_on
from compliance.redaction.names.name_words import (
    BEFORE_PLACES,
    BRANDS,
    LISTED,
    NAME_WORDS,
    NOT_NAMES,
    PARTICLES,
    PLACES_NAMED,
    VERY_COMMON,
    is_inside,
    is_name,
    name_end,
)
from compliance.redaction.names.relations import OWNERS
from compliance.redaction.names.titles import TITLED
from compliance.redaction.talk.view import GUESSED, LIKELY, Match
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, word_list
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import kind_of

_HERE: Final = frozenset({"here", "speaking", "calling", "again", "ringing", "phoning"})
_HERE_TOKENS: Final = 5


def initialled(tail: Tail, at: int) -> Match | None:
    """ "J Whitcombe", "R. T. Ashby"."""
    if tail.words[at - 1] in ("a", "an", "no") and tail.words[at - 2] in ("with", "without", ","):
        return None
    before = tail.words[at - 1]
    if tail.words[at] == "v" and tail.marks[at - 1] & kinds.WORD and before not in _BEFORE_INITIALS:
        return None  # "rangers v celtic"
    here = at
    while tail.marks[here] & kinds.LETTER and here < at + NAME_WORDS:
        if tail.marks[here] & kinds.STOP and not (tail.capital[here] and tail.words[here + 1] == "."):
            return None
        here += 1 + (tail.words[here + 1] == ".")
    kind = tail.marks[here]
    fits = kind & (kinds.LAST | kinds.FIRST) and not kind & (kinds.COMMON | kinds.PLACE | kinds.MONTH)
    fits = fits or (kind & LISTED and tail.capital[at] and tail.capital[here])
    fits = fits or (not tail.words[at - 1] and is_strange(tail, here))
    if not fits or not is_name(tail, here) or tail.glued[at]:
        return None
    return Match(name_end(tail, here, strict=False) or here + 1, "PERSON", LIKELY)


_BEFORE_INITIALS: Final = frozenset({"put", "under", "for", "it's", "is", "name", "as", "me", "of", "to"})


def by_neighbours(tail: Tail, at: int) -> Match | None:
    """A word that can be a name, before a surname or "speaking"."""
    if _is_no_name(tail, at) or (tail.words[at - 1] == "the" and tail.words[at - 2] in _AT_PLACES):
        return None
    kind, follows = tail.marks[at], tail.marks[at + 1]
    if (
        kind & kinds.MAYBE
        and tail.words[at + 1] in ("hyphen", "dash", "-")
        and tail.marks[at + 2] & _FIRST_NAMES
    ):
        return Match(name_end(tail, at, strict=True) or at + 1, "PERSON", LIKELY)
    found = _before_surname(tail, at, kind, follows)
    if found is not None:
        return found
    unknown = kind & kinds.UNKNOWN and tail.capital[at] and tail.capital[at + 1] and is_inside(tail, at)
    unknown = unknown and tail.words[at - 1] not in BEFORE_PLACES
    if unknown and follows & kinds.LAST and not follows & (kinds.COMMON | kinds.STREET):
        return Match(name_end(tail, at, strict=True) or at + 1, "PERSON", LIKELY)
    written = tail.capital[at] and tail.capital[at + 1]
    unworded = not kind & kinds.COMMON and tail.words[at - 1] not in BEFORE_PLACES
    if (
        kind & kinds.MAYBE
        and follows & kinds.UNKNOWN
        and (written or (unworded and is_strange(tail, at + 1)))
    ):
        return Match(name_end(tail, at, strict=True) or at + 1, "PERSON", LIKELY)
    if kind & kinds.MAYBE and not kind & (kinds.MONTH | kinds.PLACE) and _is_addressed(tail, at):
        return Match(at + 1, "PERSON", GUESSED)
    if (tail.capital[at] or not kind & (kinds.COMMON | kinds.RARER)) and _says_here(tail, at):
        return Match(name_end(tail, at, strict=True) or at + 1, "PERSON", LIKELY)
    if kind & (kinds.LAST | kinds.MAYBE | kinds.UNKNOWN) and is_name(tail, at):
        spelled = spelled_on(tail, at + 1)
        if spelled > at + 1 and (not kind & kinds.COMMON or is_its_spelling(tail, at, spelled)):
            return Match(spelled, "PERSON", LIKELY)
    return None


_AT_PLACES: Final = frozenset(
    {"at", "to", "in", "near", "opposite", "from", "by", "outside", "past", "behind"}
)
_FIRST_NAMES: Final = kinds.FIRST | kinds.MAYBE | kinds.LAST
_OF_WORDS: Final = ("ed", "ing", "ly", "able", "less", "ful", "ness")
_BEFORE_MONTHS: Final = frozenset(
    [
        "in",
        "of",
        "by",
        "until",
        "till",
        "this",
        "next",
        "last",
        "since",
        "from",
        "during",
        "mid",
        "early",
        "late",
    ]
)
_SAID_OF_PEOPLE: Final = frozenset(
    ["young", "star", "lovely", "happy", "darling", "lady", "man", "angel", "long", "early", "love", "lucky"]
) | {"tiny", "ever", "german", "guy", "deep", "junior", "sunshine", "precious"}
"""Before a first name these are no name themselves: "young tyler", "you're a star debbie"."""


def _is_no_name(tail: Tail, at: int) -> bool:
    """A firm, a word that is never one, or one said of people before their names: "young tyler"."""
    word = tail.words[at]
    if bare(word) in BRANDS or (word in NOT_NAMES and not tail.marks[at] & kinds.MAYBE):
        return True
    if tail.marks[at] & kinds.MONTH and tail.words[at - 1] in _BEFORE_MONTHS:
        return True
    return word in _SAID_OF_PEOPLE and bool(tail.marks[at + 1] & kinds.FIRST) and not tail.capital[at]


def _before_surname(tail: Tail, at: int, kind: int, follows: int) -> Match | None:
    """ "mark hodgson", "Ola Whitcombe"."""
    surname = bool(follows & (kinds.LAST | kinds.FIRST)) and not follows & (kinds.STREET | kinds.STOP)
    surname = surname and bool(kind & kinds.MAYBE or not follows & kinds.PLACE)
    if surname and not kind & kinds.STREET:
        sure = kind & kinds.MAYBE and not follows & kinds.COMMON and not kind & kinds.STOP
        both = not (kind | follows) & (kinds.COMMON | kinds.PLACE)
        both = both and bool(kind & LISTED or not tail.words[at].endswith(_OF_WORDS))
        both = both or _is_written_whole(tail, at)
        if sure or both or (tail.capital[at] and tail.capital[at + 1] and not kind & kinds.COMMON):
            return Match(name_end(tail, at, strict=True) or at + 2, "PERSON", LIKELY)
    return None


def _is_written_whole(tail: Tail, at: int) -> bool:
    """ "Mark Young", "Bill Frost": two words that are names too, with capitals, and none around them."""
    if not (tail.capital[at] and tail.capital[at + 1] and tail.marks[at] & kinds.MAYBE):
        return False
    if tail.marks[at] & kinds.STOP and not is_inside(tail, at):
        return False
    around = tail.capital[at + 2] or (
        tail.capital[at - 1] and is_inside(tail, at) and tail.words[at - 1] != "i'm"
    )
    own = tail.marks[at + 1] & (kinds.STREET | kinds.MONTH) or bare(tail.words[at + 2]) in PLACES_NAMED
    own = own or tail.words[at] in _HUES
    return not (around or own or tail.marks[at] & kinds.MONTH or tail.words[at - 1] in BEFORE_PLACES)


_HUES: Final = frozenset(
    {"blue", "brown", "green", "golden", "red", "grey", "gray", "silver", "royal", "white"}
)
"""With a capital before another these are rather of things: "Blue Cross"."""


def spoken_of(tail: Tail, at: int) -> Match | None:
    """A word that can be a name, of which only a person's spelling or doings are told."""
    letters = tail.words[at + 1] in _BEFORE_LETTERS or tail.marks[at + 1] & kinds.LETTER
    spelled = bool(letters) and _is_spelled_person(tail, at)
    found = spelled or _is_likened(tail, at) or _is_shortened(tail, at)
    found = found or bool(tail.marks[at] & kinds.MAYBE and _is_asked_after(tail, at))
    return Match(at + 1, "PERSON", LIKELY) if found else None


_BEFORE_LETTERS: Final = frozenset({"with", "without", ",", "no", "one", "two", "double", "single"})


def _is_shortened(tail: Tail, at: int) -> bool:
    """ "kit short for christopher", "bea for short"."""
    if (tail.words[at + 1], tail.words[at + 2]) not in (("short", "for"), ("for", "short")):
        return False
    return bool(tail.marks[at] & (LISTED | kinds.UNKNOWN)) and tail.words[at - 1] not in _ARTICLES


def _is_likened(tail: Tail, at: int) -> bool:
    """ "rose as in the flower", "nelson like the column": by what else is called so."""
    follows, behind = tail.words[at + 1], tail.words[at + 2]
    if not ((follows == "as" and behind == "in") or (follows == "like" and behind in ("the", "a"))):
        return False
    named = tail.marks[at] & (kinds.MAYBE | kinds.LAST) and not tail.marks[at] & kinds.STOP
    if not named or tail.words[at - 1] not in _BEFORE_LIKENED:
        return False
    here = at + 3 + (tail.words[at + 3] in ("the", "a"))
    return any(not tail.marks[ahead] & kinds.WORD for ahead in (here, here + 1, here + 2))


_BEFORE_LIKENED: Final = frozenset(
    {"", ":", ",", ".", "it's", "yes", "yeah", "surname", "name", "name's", "is", "that's", "i'm", "um", "er"}
) | {"its", "names", "under", "surnames", "say"}


def _is_spelled_person(tail: Tail, at: int) -> bool:
    """ "gray with an e": no thing, as behind an article."""
    listed = (tail.marks[at] & (kinds.LAST | kinds.MAYBE) and is_name(tail, at)) or is_strange(tail, at)
    asked = tail.words[at - 1] == "that" and tail.words[at - 2] in ("is", "was")
    return bool(listed) and (asked or tail.words[at - 1] not in _ARTICLES) and is_told_by_letters(tail, at)


_ARTICLES: Final = frozenset({"a", "an", "the", "my", "your", "some", "any", "this", "that", "no", "with"})


def _is_asked_after(tail: Tail, at: int) -> bool:
    """ "Is Ruby joining you?", "Has Poppy had …": at the beginning of a question, with a capital."""
    if not tail.capital[at] or tail.words[at - 1] not in _ASKING or tail.marks[at] & kinds.MONTH:
        return False
    begins = not tail.words[at - 2] or tail.words[at - 2] in _BEFORE_QUESTIONS
    return begins and tail.words[at + 1] in _ASKED_AFTER


_ASKING: Final = frozenset(
    ["is", "will", "does", "has", "was", "can", "would", "did", "how's", "could", "should", "how"]
)
_BEFORE_QUESTIONS: Final = frozenset({".", "?", "!", ":", ",", "and", "so", "but", "ok", "okay", "or", "how"})
_ASKED_AFTER: Final = word_list("asked_after")
"""What is asked of people, behind their names."""


def set_apart(tail: Tail, at: int) -> Match | None:
    """A name, a comma, and then who it is or the whole of it."""
    if tail.words[at + 1] != "," or not is_name(tail, at):
        return None
    found = _is_relative(tail, at) or _is_surname(tail, at) or _is_person(tail, at)
    return Match(at + 1, "PERSON", LIKELY) if found else None


def _is_relative(tail: Tail, at: int) -> bool:
    """ "it's jordan, my lad": who it is stands behind the name."""
    told = tail.words[at + 2] in OWNERS and bool(tail.marks[at + 3] & kinds.RELATIVE)
    return told and bool(tail.marks[at] & LISTED) and tail.words[at - 1] in _BEFORE_PERSONS


def _is_person(tail: Tail, at: int) -> bool:
    """ "yes, patience, she's my support worker"."""
    asked = tail.words[at + 2] in ("is", "was", "has", "does", "can") and tail.words[at + 3] in ("she", "he")
    told = (asked or tail.words[at + 2] in ("she's", "he's")) and bool(tail.marks[at] & kinds.MAYBE)
    return told and tail.words[at - 1] in _BEFORE_PERSONS | {"yes", "yeah", "no"}


def _is_surname(tail: Tail, at: int) -> bool:
    """ "Stone, Emma Stone", "angel, angel ramos": said by itself before the whole name."""
    if tail.words[at + 2] == tail.words[at]:
        if tail.marks[at] & kinds.COMMON and not tail.capital[at]:
            return False
        return bool(tail.marks[at + 3] & (kinds.LAST | kinds.UNKNOWN) and not tail.marks[at + 3] & kinds.STOP)
    return tail.words[at + 3] == tail.words[at] and bool(tail.marks[at + 2] & (kinds.FIRST | kinds.MAYBE))


_BEFORE_PERSONS: Final = frozenset({"it's", "is", "i'm", "for", "that's", "with", "and", "about", ""})


_SURE_PARTICLES: Final = frozenset({"da", "dos", "de", "di", "du", "ter", "von", "der"})


def by_particle(tail: Tail, at: int) -> Match | None:
    """ "de la Cruz", "van der Berg", "mc, capital a, double l"."""
    here = at + 1
    while tail.words[here] in PARTICLES and here < at + TITLED:
        here += 1
    never = kinds.STOP | kinds.STREET | (0 if tail.capital[at] and tail.capital[here] else kinds.COMMON)
    rare = tail.words[at] in _SURE_PARTICLES and tail.words[here] not in VERY_COMMON
    if tail.marks[here] & kinds.LAST and (rare or not tail.marks[here] & never):
        return Match(name_end(tail, here, strict=True) or here + 1, "PERSON", LIKELY)
    if here > at + 1 and tail.words[at] in ("van", "von", "de") and is_strange(tail, here):
        return Match(name_end(tail, here, strict=True) or here + 1, "PERSON", LIKELY)
    spelled = spelled_on(tail, here) if tail.words[at] in ("mc", "mac") else here
    return Match(spelled, "PERSON", LIKELY) if spelled > here else None


def alone(tail: Tail, at: int) -> Match | None:
    """A surname that is no word and no town; with a capital within a sentence also what is a word as well."""
    kind = tail.marks[at]
    known = tail.words[at - 2] in _FAMILIES_ARE or tail.words[at + 1] in _FAMILIES_DO
    if tail.words[at - 1] == "the" and known and _is_family(tail, at):
        return Match(at + 1, "PERSON", GUESSED)
    if _is_asked_at_end(tail, at) or _is_on_record(tail, at):
        return Match(at + 1, "PERSON", GUESSED)
    placed = tail.words[at - 1] in BEFORE_PLACES and not tail.words[at].startswith("mc")
    if placed or kind & (kinds.PLACE | kinds.ALONE | kinds.STREET | kinds.STOP | kinds.MONTH):
        return _called_at_end(tail, at) if kind & kinds.PLACE and kind & kinds.MAYBE else None
    if not is_name(tail, at) or tail.marks[at + 1] & kinds.STREET:
        return None
    if kind & kinds.LAST and not kind & kinds.COMMON:
        if tail.words[at - 1] in ("to", "from") and tail.words[at - 2] in _TRAVELLING:
            return None
        return Match(name_end(tail, at, strict=False) or at + 1, "PERSON", GUESSED)
    if not kind & kinds.MAYBE or tail.words[at - 1] in ("to", "from"):
        return None
    if tail.capital[at] and is_inside(tail, at) and not _is_written_beside(tail, at):
        return Match(at + 1, "PERSON", GUESSED)
    acts = tail.words[at + 1] in _SPEAKERS_DO and tail.words[at - 1] not in OWNERS
    acts = acts and tail.words[at] not in _STATES and not tail.marks[at - 1] & kinds.MAYBE
    return Match(at + 1, "PERSON", GUESSED) if acts else None


_STATES: Final = word_list("states_like_names")
_TRAVELLING: Final = frozenset(
    [
        "going",
        "go",
        "goes",
        "went",
        "travelling",
        "drive",
        "driving",
        "drove",
        "drives",
        "bus",
        "train",
        "line",
        "tube",
        "metro",
        "tram",
        "ferry",
        "flight",
        "bound",
        "back",
        "way",
        "road",
        "over",
        "out",
        "traveling",
        "flying",
        "fly",
        "trip",
        "moving",
        "been",
        "off",
    ]
)
_FAMILIES_ARE: Final = frozenset({"we're", "are", "they're", "it's"})


def _is_written_beside(tail: Tail, at: int) -> bool:
    """A part of something longer that is written with capitals or spelled; "I'm Frank about that"."""
    if tail.words[at - 1] == "for" and tail.marks[at - 2] & kinds.LETTER:
        return True  # "Q for Queen"
    if tail.words[at - 1] == "i'm":
        return tail.words[at] in _STATES or tail.capital[at + 1]
    before = tail.capital[at - 1] and is_inside(tail, at - 1)
    return before or tail.capital[at + 1] or bool(tail.marks[at + 1] & (kinds.LETTER | kinds.NUMBER))


def _is_family(tail: Tail, at: int) -> bool:
    """ "we're the abernathys"."""
    kind = tail.marks[at]
    written = tail.capital[at] and is_inside(tail, at)
    own = written or not kind & (kinds.COMMON | kinds.PLACE | kinds.ALONE)
    if kind & kinds.UNKNOWN:
        kind |= kind_of(tail.words[at][:-1])
    return tail.words[at].endswith("s") and bool(kind & kinds.LAST) and own


_FAMILIES_DO: Final = frozenset({"at", "are", "next", "have", "were", "live", "down", "across", "upstairs"})


def _is_asked_at_end(tail: Tail, at: int) -> bool:
    """ "And your last name, April?": with a capital, where a question ends."""
    asked = tail.words[at - 1] == "," and tail.words[at + 1] == "?" and tail.capital[at]
    before = tail.marks[at - 2] & (kinds.MONTH | kinds.STREET | kinds.PLACE | kinds.NUMBER | kinds.ORDINAL)
    return bool(asked and tail.marks[at] & kinds.MAYBE) and not before


def _is_on_record(tail: Tail, at: int) -> bool:
    """ "we've no record of a Sutcliffe", "i can't find a tremlett", "is there a Quigley on the list"."""
    kind = tail.marks[at]
    surname = kind & kinds.LAST and not kind & (kinds.COMMON | kinds.PLACE | kinds.STOP)
    recorded = tail.words[at - 1] in ("a", "any", "another") and tail.words[at - 2] in _FOUND
    ends = not tail.marks[at + 1] & kinds.WORD or tail.words[at + 1] in ("on", "here", "booked", "down")
    return bool(surname and recorded and ends)


_FOUND: Final = frozenset({"of", "for", "find", "see", "there", "there's"})


def _called_at_end(tail: Tail, at: int) -> Match | None:
    """ "You're all booked in, Eugene." """
    ends = tail.marks[at + 1] & kinds.END or tail.words[at + 1] in (".", "!", "?")
    fits = (
        ends
        and tail.capital[at]
        and tail.words[at - 1] == ","
        and not tail.marks[at - 2] & (kinds.STREET | kinds.PLACE)
    )
    return Match(at + 1, "PERSON", GUESSED) if fits else None


_SPEAKERS_DO: Final = frozenset(
    ["rang", "phoned", "texted", "emailed", "said", "says", "asked", "reckons", "told", "answered"]
)


def _is_addressed(tail: Tail, at: int) -> bool:
    """ "please ask Faith", "for Amber and Jade": with a capital, behind a word that people stand behind."""
    if not tail.capital[at] or tail.capital[at + 1] or tail.marks[at + 1] & kinds.STREET:
        return False
    if tail.words[at - 1] == "and":
        return tail.capital[at - 2] and bool(tail.marks[at - 2] & LISTED)
    return tail.words[at - 1] in _BEFORE_PEOPLE


_BEFORE_PEOPLE: Final = frozenset(
    ["ask", "tell", "for", "hi", "hello", "thanks", "that's", "told", "asked", "dear"]
)


_POSSESSIVES: Final = frozenset({"my", "your", "our", "his", "their"})


def _says_here(tail: Tail, at: int) -> bool:
    """ "Okafor speaking", "it's Rowan here"."""
    if tail.words[at] in NOT_NAMES or tail.words[at - 1] in _POSSESSIVES:
        return False
    if tail.marks[at] & kinds.RARER and tail.words[at - 1] in BEFORE_PLACES:
        return False
    for ahead in range(at + 1, at + _HERE_TOKENS):
        if tail.words[ahead] in _HERE:
            return True
        if not is_name(tail, ahead):
            return False
    return False
