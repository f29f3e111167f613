"""Which words can be a name or go on one, and where a name ends."""

from collections.abc import Iterable
from typing import Final

from compliance.redaction.names.name_spelling import spelled_on
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, word_list
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import MONTHS, kind_of

BRANDS: Final = word_list("brands")
NOT_NAMES: Final = word_list("not_names") | BRANDS
VERY_COMMON: Final = word_list("common")
NAME_WORDS: Final = 6
AFTER_NAMES: Final = word_list("after_names")
"""Go on behind a name that is a word as well."""
AFTER_STRANGE: Final = word_list("after_strange_names")
_NAME_CHARS: Final = 40
PARTICLES: Final = frozenset(
    [
        "de",
        "van",
        "von",
        "der",
        "den",
        "da",
        "di",
        "la",
        "le",
        "al",
        "el",
        "bin",
        "ibn",
        "ap",
        "st",
        "mc",
        "mac",
        "o",
        "du",
        "dos",
        "del",
        "te",
        "abu",
        "ter",
        "nic",
        "ni",
        "ui",
        "bint",
        "abd",
    ]
)
_SURELY_PARTICLES: Final = frozenset(
    {"de", "van", "von", "der", "den", "di", "bin", "ibn", "du", "del", "bint"}
)
LISTED: Final = kinds.FIRST | kinds.MAYBE | kinds.LAST
_NEVER: Final = (
    kinds.STOP
    | kinds.DIGITS
    | kinds.NUMERAL
    | kinds.REPEAT
    | kinds.MONTH
    | kinds.END
    | kinds.ALONE
    | kinds.RELATIVE
)


def is_of_place(tail: Tail, end: int) -> bool:
    """ "Queen Anne Medical Centre", "Victoria line", "the Nelson pub"."""
    here = end + (tail.words[end] in _FIELDS)
    if tail.words[end - 1].endswith("'s") and not tail.capital[here] and tail.words[here] in _ATTENDED:
        return False
    if here > end and not tail.marks[here] & kinds.WORD and not tail.marks[end - 1] & kinds.FIRST:
        return True
    return bare(tail.words[here]) in PLACES_NAMED


_ATTENDED: Final = frozenset({"school", "nursery", "college", "university", "insurance", "practice"})
"""What a person goes to or has: "Astrid's school" is not called so."""
_FIELDS: Final = frozenset(["medical", "dental", "health", "eye", "skin", "memorial", "general", "community"])
PLACES_NAMED: Final = word_list("places_named")


def is_inside(tail: Tail, at: int) -> bool:
    """Not the first word of a sentence, where a capital tells nothing."""
    return tail.words[at - 1] not in (".", "?", "!", "", ":")


BEFORE_PLACES: Final = frozenset(
    [
        "in",
        "at",
        "near",
        "via",
        "the",
        "a",
        "an",
        "past",
        "through",
        "outside",
        "opposite",
        "towards",
        "off",
        "around",
    ]
)


def name_end(tail: Tail, at: int, *, strict: bool) -> int | None:
    """Where the name that begins at `at` ends; `strict`: it is surely one: unknown words go with it."""
    end = here = at
    words = 0
    while words < NAME_WORDS and not (words and tail.words[here - 1].endswith("'s")):
        spelled = spelled_on(tail, here) if tail.marks[here] & kinds.LETTER and here > at else here
        if spelled > here:
            return spelled
        if not _continues(tail, here, first=here == at, strict=strict):
            break
        here = end = here + 1
        words += 1
        if (
            tail.words[here] in ("hyphen", "dash")
            and tail.marks[here + 1] & LISTED
            and is_name(tail, here + 1)
        ):
            here += 1
        if tail.words[here] in ("-", ".") and (tail.words[here] == "-" or len(tail.words[here - 1]) == 1):
            here += 1
    return None if end == at else spelled_on(tail, end)


def _continues(tail: Tail, at: int, *, first: bool, strict: bool) -> bool:
    kind = tail.marks[at]
    if first:
        return is_name(tail, at)
    word = tail.words[at]
    if word in _GENERATIONS or (tail.words[at - 1] == "-" and tail.glued[at] and tail.glued[at - 1]):
        return bool(kind & kinds.WORD) and not kind & kinds.STOP
    if kind & kinds.LETTER and (not kind & kinds.STOP or _is_initial(tail, at)):
        return tail.words[at + 1] != "for" and not _begins_code(tail, at)
    joined = _by_particle(tail, at, strict=strict)
    if joined is not None:
        return joined
    if kind & kinds.MONTH:
        return _is_middle_name(tail, at)
    if not is_name(tail, at) or (bare(word) in PLACES_NAMED and not tail.capital[at]):
        return False
    if word in _GOING_ON and _goes_on(tail, at):
        return False
    if kind & kinds.COMMON:
        return _word_continues(tail, at, strict=strict)
    if kind & LISTED or (kind & kinds.PLACE and strict and _is_called_like_town(tail, at)):
        return True
    return bool(kind & kinds.UNKNOWN) and (tail.capital[at] or strict or not tail.capital[at - 1])


def _goes_on(tail: Tail, at: int) -> bool:
    """ "bea short for beatrice", "mrs twist shell know", "winnie fell last night"."""
    if tail.words[at] in _DONE:
        return tail.words[at + 1] in _BEHIND_DONE
    return tail.words[at + 1] == "for" if tail.words[at] == "short" else _is_she_will(tail, at)


_DONE: Final = frozenset({"fell", "hurt", "read", "heard", "rose", "bent", "drew", "ring", "pick", "swallow"})
"""Surnames that are verbs too, and what stands behind these: "winnie fell last night"."""
_BEHIND_DONE: Final = frozenset(
    ["over", "down", "off", "on", "last", "yesterday", "again", "this", "his", "her", "the", "a", "in", "out"]
) | {"at", "you", "me", "that", "it", "them", "my", "up", "asleep", "about"}


_GOING_ON: Final = _DONE | {"short", "shell"}


def _is_she_will(tail: Tail, at: int) -> bool:
    """ "it's mrs twist, shell know"."""
    return tail.words[at + 1] in _SHE_WILL


_SHE_WILL: Final = frozenset(
    {"know", "be", "ring", "call", "want", "have", "need", "get", "come", "tell", "see"}
)


def _begins_code(tail: Tail, at: int) -> bool:
    """ "stacey h u five": the letters of a postcode behind a name."""
    if tail.marks[at - 1] & kinds.HOMOPHONE:
        return False
    here = at + 1 + bool(tail.marks[at + 1] & kinds.LETTER)
    return bool(tail.marks[here] & (kinds.DIGITS | kinds.NUMERAL)) and tail.words[here] not in ("oh", "one")


_GENERATIONS: Final = frozenset({"junior", "jr", "jnr", "senior", "snr"})


def _is_middle_name(tail: Tail, at: int) -> bool:
    """ "lorna may jessop", "ella june hart"."""
    follows = tail.marks[at + 1]
    surname = follows & kinds.LAST and not follows & (kinds.STOP | kinds.NUMBER | kinds.MONTH)
    return bool(tail.marks[at] & kinds.MAYBE and tail.marks[at - 1] & kinds.FIRST and surname)


def _word_continues(tail: Tail, at: int, *, strict: bool) -> bool:
    """An ordinary word goes on with the name before it: "Emma Stone", "Vernon Hacking"."""
    if not tail.marks[at] & LISTED:
        if tail.words[at][-1:] == "s" and tail.words[at + 1] in _OWNED:
            return bool(tail.marks[at - 1] & kinds.FIRST and kind_of(tail.words[at][:-1]) & kinds.LAST)
        written = tail.capital[at] and tail.capital[at - 1]
        if strict and written and tail.words[at + 1] == "-":
            return True
        listed = tail.marks[at - 1] & LISTED and not tail.marks[at - 1] & kinds.COMMON
        return written and bool(listed) and _is_written_surname(tail, at)
    if tail.marks[at - 1] & kinds.LETTER and not tail.marks[at + 1] & kinds.WORD:
        return True
    if tail.marks[at + 1] & kinds.END or (tail.capital[at] and tail.capital[at - 1]):
        return True
    if tail.words[at + 1] == "," and tail.marks[at - 1] & kinds.FIRST and tail.marks[at] & kinds.LAST:
        return True
    return tail.words[at] not in VERY_COMMON or (strict and not _sentence_goes_on(tail, at))


_OWNED: Final = frozenset(
    ["letter", "letters", "appointment", "results", "prescription", "notes", "test", "tests", "mum", "dad"]
) | {"wife", "husband", "daughter", "son", "slot", "file", "number", "account", "bill", "scan", "bloods"}
"""Behind a surname that is told without its apostrophe: "lorna prices letter"."""


def _is_written_surname(tail: Tail, at: int) -> bool:
    """ "Vernon Hacking": an ordinary word with a capital behind a first name, and none behind it."""
    own = tail.marks[at] & (kinds.STREET | kinds.PLACE | kinds.TERM | kinds.BODY)
    return not own and not (tail.capital[at + 1] or bare(tail.words[at]) in PLACES_NAMED)


def _is_initial(tail: Tail, at: int) -> bool:
    """The A of "J A Pemberton"."""
    capital = tail.capital[at] and tail.capital[at - 1]
    return bool(capital and tail.marks[at - 1] & kinds.LETTER and tail.marks[at + 1] & LISTED)


def _is_called_like_town(tail: Tail, at: int) -> bool:
    """A surname that is a town's name too, behind a first name: "Crispin Wetherby"."""
    follows = tail.marks[at + 1]
    ends = not follows & kinds.WORD or tail.words[at + 1] in AFTER_STRANGE
    return ends and bool(tail.marks[at - 1] & (kinds.FIRST | kinds.UNKNOWN))


def _by_particle(tail: Tail, at: int, *, strict: bool) -> bool | None:
    """Whether a particle, or the word behind one, goes on with the name; None if there is none."""
    word = tail.words[at]
    joined = tail.words[at + 1] == "-" and tail.glued[at + 1]
    follows = tail.marks[at + 1 + joined]
    if word in PARTICLES or (word == "oh" and strict):
        sure = word in _SURELY_PARTICLES or tail.words[at - 1] in _SURELY_PARTICLES
        likely = kinds.WORD if strict and sure else LISTED | kinds.UNKNOWN
        return bool(follows & likely) and not follows & (kinds.STOP | kinds.LETTER)
    if not strict or tail.words[at - 1] not in PARTICLES:
        return None
    sure = tail.words[at - 1] in _SURELY_PARTICLES or _is_second_particle(tail, at - 1)
    return bool(tail.marks[at] & kinds.WORD and not tail.marks[at] & kinds.STOP) if sure else None


def _is_second_particle(tail: Tail, at: int) -> bool:
    """The "la" of "de la mare"."""
    return tail.words[at] in PARTICLES and tail.words[at - 1] in _SURELY_PARTICLES


def _sentence_goes_on(tail: Tail, at: int) -> bool:
    follows = tail.marks[at + 1]
    return (
        bool(follows & kinds.WORD)
        and not follows & (LISTED | kinds.UNKNOWN)
        and tail.words[at + 1] not in AFTER_NAMES
    )


def is_name(tail: Tail, at: int) -> bool:
    """The word may be a name where one is expected."""
    kind = tail.marks[at]
    if not kind & kinds.WORD or kind & _NEVER or len(tail.words[at]) > _NAME_CHARS:
        return False
    return tail.words[at] not in NOT_NAMES


def lasting_names(words: Iterable[str]) -> set[str]:
    """Those words of a masked name that are masked wherever they come again in the call."""
    heard = {bare(word) for word in words if word[:1].isalpha()}
    return {word for word in heard if _lasts(word)}


def _lasts(word: str) -> bool:
    if word in NOT_NAMES:
        return word == "will"
    if word in MONTHS:
        return bool(kind_of(word) & kinds.MAYBE)
    return len(word) > _SHORT or (len(word) == _SHORT and bool(kind_of(word) & (kinds.FIRST | kinds.MAYBE)))


_SHORT: Final = 2
