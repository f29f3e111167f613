"""Names of persons: behind "my name is" and "name?", of relatives, by the lists, and those heard before.

A name of the staff ("Dr Patel", "the nurse, Jenny") is operational and stays, unless it is the answer to the
question for a name.
"""

from collections.abc import Iterable
from typing import Final

from compliance.redaction import kinds
from compliance.redaction.dialogue import STRONG, WEAK
from compliance.redaction.entities import EntityType
from compliance.redaction.lexicon import bare, word_list
from compliance.redaction.paired_names import JOINS, is_offered, is_paired
from compliance.redaction.spoken import read_letter
from compliance.redaction.tokens import Tail
from compliance.redaction.view import GUESSED, LIKELY, SURE, Match, View
from compliance.redaction.vocabulary import MONTHS

NOT_NAMES: Final = word_list("not_names")
VERY_COMMON: Final = word_list("common")
_NAME_WORDS: Final = 6
_NAME_CHARS: Final = 40
_SPELLED_TOKENS: Final = 60
_LEAST_SPELLED: Final = 3
_SURELY_SPELLED: Final = 4
_PARTICLES: Final = frozenset(
    {
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
    }
)
_LISTED: Final = kinds.FIRST | kinds.MAYBE | kinds.LAST
_LOOSE: Final = kinds.LAST | kinds.UNKNOWN | kinds.FIRST | kinds.LETTER | kinds.PHONETIC
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
_CALLED: Final = frozenset(
    {"called", "named", "is", "'s", "name", "names", "name's", ",", "it's", "she's", "he's", "as"}
)
_OWNERS: Final = frozenset({"my", "our", "his", "her", "their", "the", "your"})
_HERE: Final = frozenset({"here", "speaking", "calling", "again", "ringing", "phoning"})
_HERE_TOKENS: Final = 5
_TITLED: Final = 3
_WRITTEN_NAMES: Final = frozenset({"will", "may", "art", "van", "an", "so", "my"})
"""Names only with a capital and a surname behind."""


def name(view: View, at: int) -> Match | None:
    """A name that begins at `at`, or right behind the title or the relative there; not that of a place."""
    found = _name(view, at)
    if found is None or found.type is None:
        return found
    if not _is_of_place(view.tail, found.end):
        return None if _is_of_street(view, at, found) else found
    return None if view.expects.awaits("PERSON") and found.begin > at else Match(found.end, None)


def _is_of_place(tail: Tail, end: int) -> bool:
    """ "Queen Anne Medical Centre", "Victoria line", "the Nelson pub"."""
    here = end + (tail.words[end] in _FIELDS)
    return tail.words[here] in _PLACES_NAMED


def _is_of_street(view: View, at: int, found: Match) -> bool:
    """ "Harley Street", "the car park of St Thomas'", unless a name was asked for."""
    tail = view.tail
    if view.expects.name_open == STRONG:
        return False
    if tail.words[at - 1] == "st" and not tail.capital[at - 2]:
        return True
    ahead = found.end - 1 if found.end > at + 1 else found.end
    return tail.words[ahead] in ("street", "road", "avenue")


_FIELDS: Final = frozenset({"medical", "dental", "health", "eye", "skin", "memorial", "general", "community"})
_PLACES_NAMED: Final = word_list("places_named")


def _name(view: View, at: int) -> Match | None:
    tail = view.tail
    kind = tail.marks[at]
    strong = view.expects.name_open == STRONG
    if kind & kinds.DOCTOR:
        return None if strong else _patient_doctor(tail, at) or _staff(tail, at)
    if kind & kinds.WORD and view.names and bare(tail.words[at]) in view.names and _is_heard(tail, at):
        return Match(_parse(tail, at, strict=False) or at + 1, "PERSON", SURE)
    if tail.words[at - 1] in JOINS and _is_name(tail, at) and is_paired(view, at):
        return Match(_parse(tail, at, strict=False) or at + 1, "PERSON", LIKELY)
    if view.expects.name_open or (
        kind & _LOOSE and view.expects.awaits("PERSON") and not kind & kinds.COMMON
    ):
        found = _awaited(view, at)
        if found is not None:
            return found
    return _unasked(
        tail, at, kind, strong=strong, slot="ADDRESS" if view.expects.awaits("ADDRESS") else "PERSON"
    )


def _unasked(tail: Tail, at: int, kind: int, *, strong: bool, slot: EntityType) -> Match | None:
    """A name by what stands around it, or by the lists alone; `slot` is what spelled letters are."""
    if kind & kinds.TITLE:
        return _titled(tail, at, strong=strong)
    if kind & kinds.RELATIVE:
        return _of_relative(tail, at)
    if kind & kinds.FIRST and tail.words[at] not in NOT_NAMES:
        return Match(_parse(tail, at, strict=False) or at + 1, "PERSON", LIKELY)
    if tail.words[at] in _PARTICLES:
        found = _by_particle(tail, at)
        if found is not None:
            return found
    if kind & (kinds.MAYBE | kinds.LAST | kinds.UNKNOWN):
        return _by_neighbours(tail, at) or _alone(tail, at)
    if kind & kinds.LETTER:
        end = _spelled_end(tail, at, _SURELY_SPELLED, misheard=False)
        return _initialled(tail, at) if end is None else Match(end, slot, GUESSED)
    return None


def _initialled(tail: Tail, at: int) -> Match | None:
    """ "J Whitcombe", "R. T. Ashby"."""
    here = at
    while tail.marks[here] & kinds.LETTER and here < at + _NAME_WORDS:
        if tail.marks[here] & kinds.STOP:
            return None
        here += 1 + (tail.words[here + 1] == ".")
    kind = tail.marks[here]
    fits = kind & (kinds.LAST | kinds.FIRST) and not kind & (kinds.COMMON | kinds.PLACE | kinds.MONTH)
    fits = fits or (kind & _LISTED and tail.capital[at] and tail.capital[here])
    if not fits or not _is_name(tail, here) or tail.glued[at]:
        return None
    return Match(_parse(tail, here, strict=False) or here + 1, "PERSON", LIKELY)


def _titled(tail: Tail, at: int, *, strong: bool) -> Match | None:
    """ "Mrs Khan"; "to see Mr Khan" and "Mr Khan's clinic" speak of a surgeon, as addressed in Britain."""
    begin = at + 1 + (tail.words[at + 1] == ".")
    end = _parse(tail, begin, strict=True)
    if end is None:
        return None
    if (
        not strong
        and tail.words[at] in ("mr", "mister", "miss", "ms", "mrs")
        and _is_operational(tail, at, end)
    ):
        return Match(end, None)
    return Match(end, "PERSON", SURE, begin=begin)


def _is_operational(tail: Tail, at: int, end: int) -> bool:
    if tail.words[at - 1] in _SEEN_BY:
        return not any(tail.words[place] in _BOOKED for place in range(at - _BOOKED_BEFORE, at))
    if (tail.words[end], tail.words[end + 1]) in _STAFF_DOES_SO:
        return True
    possessive = tail.words[end - 1].endswith("'s")
    return tail.words[end] in (_OF_STAFF if possessive else _STAFF_DOES)


_SEEN_BY: Final = frozenset({"see", "seeing", "saw", "with", "under", "does", "is", "has", "by", "can"})
_BOOKED: Final = frozenset(
    {"booking", "booked", "appointment", "name", "registered", "put", "down", "file", "account", "made"}
)
"""What is "under Ms Odunsi" or "by Ms Odunsi" where she is no surgeon."""
_BOOKED_BEFORE: Final = 4
_OF_STAFF: Final = frozenset(
    {"secretary", "clinic", "list", "team", "patients", "office", "diary", "rooms", "assistant"}
)
_STAFF_DOES: Final = frozenset(
    {
        "operates",
        "operated",
        "available",
        "operate",
        "prescribed",
        "advised",
        "you'd",
        "recommends",
        "performs",
    }
)
_STAFF_DOES_SO: Final = frozenset(
    ("is", word)
    for word in ("running", "away", "operating", "fully", "on", "off", "free", "not", "in", "back")
) | frozenset(
    (verb, word)
    for verb in ("recommended", "suggested", "has", "does", "will")
    for word in (
        "a",
        "an",
        "that",
        "the",
        "see",
        "clinic",
        "clinics",
        "more",
        "another",
        "availability",
        "be",
    )
)


def _is_heard(tail: Tail, at: int) -> bool:
    """An ordinary word is a name heard before only with a capital letter within a sentence."""
    if tail.words[at + 1] == "as" and tail.words[at + 2] == "in":
        return True
    return not tail.marks[at] & kinds.COMMON or (tail.capital[at] and _inside(tail, at))


def _inside(tail: Tail, at: int) -> bool:
    return tail.words[at - 1] not in (".", "?", "!", "", ":")


def _staff(tail: Tail, at: int) -> Match | None:
    """ "Dr Patel", "Doctor Margaret Hughes", "the dentist, Sarah": passed as it is."""
    here = at + 1
    while tail.words[here] in (".", ",", "called", "named") and here < at + 3:
        here += 1
    end = here
    while (
        end < here + _TITLED
        and _is_name(tail, end)
        and not (tail.marks[end] & kinds.COMMON and not tail.capital[end])
    ):
        end += 1
    if end == here and tail.marks[here] & kinds.LAST and not tail.marks[here] & kinds.STOP:
        end = here + 1
    return Match(end, None) if end > here else None


def _patient_doctor(tail: Tail, at: int) -> Match | None:
    """ "This is Dr Henshaw, I'm a patient": a doctor who calls for herself."""
    if (tail.words[at - 2], tail.words[at - 1]) not in _SPEAKS and tail.words[at - 1] not in _SPEAKS_AS:
        return None
    begin = at + 1 + (tail.words[at + 1] == ".")
    end = _parse(tail, begin, strict=True)
    if end is None:
        return None
    for place in range(end, end + _PATIENT_AHEAD):
        if tail.marks[place] & kinds.END:
            return None
        if tail.words[place] == "patient" and tail.words[place - 1] in _PATIENT_IS:
            return Match(end, "PERSON", LIKELY, begin=begin)
    return None


_SPEAKS: Final = frozenset({("this", "is"), ("i", "am"), ("name", "is"), ("it", "is")})
_SPEAKS_AS: Final = frozenset({"i'm", "it's", "name's"})
_PATIENT_IS: Final = frozenset({"a", "the", "as", "i'm", "your"})
_PATIENT_AHEAD: Final = 10


def _of_relative(tail: Tail, at: int) -> Match | None:
    """ "my husband Mark", "her mother is called Rita", "my son, Liam"."""
    here = at + 1
    while here < at + 4 and tail.words[here] in _CALLED:
        here += 1
    kind = tail.marks[here]
    told = any(tail.words[place] in ("called", "named", "name", "names") for place in range(at, here))
    fits = kind & kinds.FIRST or (
        kind & _LISTED and (tail.capital[here] or told or _near_maybe(tail, at, here))
    )
    fits = (
        fits
        or (told and _is_name(tail, here))
        or (tail.capital[here] and not kind & kinds.COMMON and _is_name(tail, here))
        or (_is_owned(tail, at, here) and kind & (_LISTED | kinds.UNKNOWN) and not kind & kinds.COMMON)
    )
    if not fits or tail.words[here] in NOT_NAMES or kind & (kinds.MONTH | kinds.ALONE | kinds.STOP):
        return None
    end = _parse(tail, here, strict=True)
    return None if end is None else Match(end, "PERSON", LIKELY, begin=here)


def _is_owned(tail: Tail, at: int, here: int) -> bool:
    """ "my son caspian": right behind a relative who is somebody's."""
    if here != at + 1 or tail.words[here].endswith(_VERB_ENDINGS):
        return False
    return tail.words[at - 1] in _OWNERS or tail.words[at - 2] in _OWNERS


_VERB_ENDINGS: Final = ("ed", "ing", "ly", "n't")


def _near_maybe(tail: Tail, at: int, here: int) -> bool:
    """ "my husband mark": in lower case, right behind the relative, and more likely a name than a word."""
    return here == at + 1 and bool(tail.marks[here] & kinds.MAYBE) and tail.words[at - 1] in _OWNERS


def _by_neighbours(tail: Tail, at: int) -> Match | None:
    """A word that can be a name, before a surname or "speaking"."""
    kind = tail.marks[at]
    follows = tail.marks[at + 1]
    surname = bool(follows & (kinds.LAST | kinds.FIRST)) and not follows & (kinds.STREET | kinds.STOP)
    surname = surname and bool(kind & kinds.MAYBE or not follows & kinds.PLACE)
    if surname and not kind & kinds.STREET:
        sure = kind & kinds.MAYBE and not follows & kinds.COMMON and not kind & kinds.STOP
        both = not (kind | follows) & (kinds.COMMON | kinds.PLACE)
        if sure or both or (tail.capital[at] and tail.capital[at + 1] and not kind & kinds.COMMON):
            return Match(_parse(tail, at, strict=True) or at + 1, "PERSON", LIKELY)
    unknown = kind & kinds.UNKNOWN and tail.capital[at] and tail.capital[at + 1] and _inside(tail, at)
    unknown = unknown and tail.words[at - 1] not in _BEFORE_PLACES
    if unknown and follows & kinds.LAST and not follows & (kinds.COMMON | kinds.STREET):
        return Match(_parse(tail, at, strict=True) or at + 1, "PERSON", LIKELY)
    if kind & kinds.MAYBE and tail.capital[at] and tail.capital[at + 1] and follows & kinds.UNKNOWN:
        return Match(_parse(tail, at, strict=True) or at + 1, "PERSON", LIKELY)
    if kind & kinds.MAYBE and not kind & (kinds.MONTH | kinds.PLACE) and _is_addressed(tail, at):
        return Match(at + 1, "PERSON", GUESSED)
    if not (kind & kinds.COMMON and not tail.capital[at]) and _says_here(tail, at):
        return Match(_parse(tail, at, strict=True) or at + 1, "PERSON", LIKELY)
    if kind & (kinds.LAST | kinds.MAYBE | kinds.UNKNOWN) and _is_name(tail, at):
        spelled = _goes_on(tail, at + 1)
        if spelled > at + 1 and (not kind & kinds.COMMON or _is_its_spelling(tail, at, spelled)):
            return Match(spelled, "PERSON", LIKELY)
    return None


def _is_its_spelling(tail: Tail, at: int, end: int) -> bool:
    """ "grey, g r e y": the first letters are those of the word."""
    letters = [tail.words[place] for place in range(at + 1, end) if tail.marks[place] & kinds.LETTER]
    return tail.words[at].startswith("".join(letters[:2]))


def _by_particle(tail: Tail, at: int) -> Match | None:
    """ "de la Cruz", "van der Berg", "mc, capital a, double l"."""
    here = at + 1
    while tail.words[here] in _PARTICLES and here < at + _TITLED:
        here += 1
    never = kinds.STOP | kinds.STREET | (0 if tail.capital[at] and tail.capital[here] else kinds.COMMON)
    if tail.marks[here] & kinds.LAST and not tail.marks[here] & never:
        return Match(_parse(tail, here, strict=True) or here + 1, "PERSON", LIKELY)
    spelled = _goes_on(tail, here) if tail.words[at] in ("mc", "mac") else here
    return Match(spelled, "PERSON", LIKELY) if spelled > here else None


def _alone(tail: Tail, at: int) -> Match | None:
    """A surname that is no word and no town; with a capital within a sentence also what is a word as well."""
    kind = tail.marks[at]
    if tail.words[at - 1] in _BEFORE_PLACES or kind & (
        kinds.PLACE | kinds.ALONE | kinds.STREET | kinds.STOP | kinds.MONTH
    ):
        return _called_at_end(tail, at) if kind & kinds.PLACE and kind & kinds.MAYBE else None
    if not _is_name(tail, at) or tail.marks[at + 1] & kinds.STREET:
        return None
    if kind & kinds.LAST and not kind & kinds.COMMON:
        return Match(_parse(tail, at, strict=False) or at + 1, "PERSON", GUESSED)
    if not kind & kinds.MAYBE or tail.words[at - 1] in ("to", "from"):
        return None
    if tail.capital[at] and _inside(tail, at) and not tail.capital[at + 1] and not tail.capital[at - 1]:
        return Match(at + 1, "PERSON", GUESSED)
    acts = tail.words[at + 1] in _SPEAKERS_DO and tail.words[at - 1] not in _OWNERS
    return Match(at + 1, "PERSON", GUESSED) if acts else None


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


_BEFORE_PLACES: Final = frozenset(
    {
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
    }
)
_SPEAKERS_DO: Final = frozenset(
    {"rang", "phoned", "texted", "emailed", "said", "says", "asked", "reckons", "told", "answered"}
)


def _is_addressed(tail: Tail, at: int) -> bool:
    """ "please ask Faith", "for Amber and Jade": with a capital, behind a word that people stand behind."""
    if not tail.capital[at] or tail.capital[at + 1] or tail.marks[at + 1] & kinds.STREET:
        return False
    if tail.words[at - 1] == "and":
        return tail.capital[at - 2] and bool(tail.marks[at - 2] & _LISTED)
    return tail.words[at - 1] in _BEFORE_PEOPLE


_BEFORE_PEOPLE: Final = frozenset(
    {"ask", "tell", "for", "hi", "hello", "thanks", "that's", "told", "asked", "dear"}
)


def _says_here(tail: Tail, at: int) -> bool:
    """ "Okafor speaking", "it's Rowan here"."""
    if tail.words[at] in NOT_NAMES:
        return False
    for ahead in range(at + 1, at + _HERE_TOKENS):
        if tail.words[ahead] in _HERE:
            return True
        if not _is_name(tail, ahead):
            return False
    return False


def _awaited(view: View, at: int) -> Match | None:
    """Where a name was asked for or announced: what can be one."""
    tail = view.tail
    spelled = _spelled_end(tail, at, _LEAST_SPELLED, misheard=view.expects.awaits("PERSON"))
    if spelled is not None:
        return Match(_goes_on(tail, spelled), "PERSON", SURE)
    kind = tail.marks[at]
    if tail.words[at] in _WRITTEN_NAMES and tail.capital[at] and tail.capital[at + 1]:
        follows = tail.marks[at + 1]
        if follows & kinds.LAST and not follows & kinds.STOP:
            return Match(_parse(tail, at + 1, strict=True) or at + 2, "PERSON", SURE)
    if not _is_name(tail, at) or kind & kinds.LEAD or (_is_word_only(tail, at) and not is_offered(tail, at)):
        return None
    if (not view.expects.awaits("PERSON") and _is_thing(tail, at)) or (
        kind & kinds.PHONETIC and tail.words[at - 1] == "for" and _is_code(tail, at)
    ):
        return None
    if view.expects.name_open == WEAK and not _is_likely(tail, at):
        return None
    end = _parse(tail, at, strict=True)
    return None if end is None else Match(end, "PERSON", SURE)


def _is_thing(tail: Tail, at: int) -> bool:
    """ "something called a dermatome"."""
    return tail.words[at - 1] in ("a", "an") and not (tail.capital[at] and tail.marks[at] & _LISTED)


def _is_code(tail: Tail, at: int) -> bool:
    """ "B for Bravo"."""
    return bool(tail.marks[at - 2] & kinds.LETTER)


def _is_likely(tail: Tail, at: int) -> bool:
    """A listed name that is no ordinary word, or one written like a name."""
    kind = tail.marks[at]
    if kind & kinds.FIRST or (kind & _LISTED and not kind & (kinds.COMMON | kinds.PLACE)):
        return True
    if kind & _LISTED and (tail.capital[at] or (kind & kinds.MAYBE and not kind & kinds.COMMON)):
        return bool(tail.marks[at + 1] & (kinds.LAST | kinds.END)) or not tail.marks[at + 1] & kinds.WORD
    if kind & (_LISTED | kinds.UNKNOWN) and is_offered(tail, at):
        return True
    if not kind & kinds.UNKNOWN:
        return False
    return (tail.capital[at] and _inside(tail, at)) or tail.words[at - 1] in _BEFORE_UNKNOWN


_BEFORE_UNKNOWN: Final = frozenset({"under", "behalf", "ask", "tell"})


def _is_word_only(tail: Tail, at: int) -> bool:
    """An ordinary word that the sentence goes on behind: "name is wrong on the letter"."""
    kind = tail.marks[at]
    if not kind & kinds.COMMON or kind & kinds.FIRST:
        return False
    if tail.capital[at] and kind & _LISTED and _inside(tail, at):
        return False
    follows = tail.marks[at + 1]
    if follows & kinds.WORD and follows & (_LISTED | kinds.UNKNOWN) and not follows & kinds.STOP:
        return False
    if not kind & _LISTED:
        return True
    if follows & (kinds.LETTER | kinds.PAIR | kinds.NUMBER):
        return False
    return bool(follows & kinds.WORD) and tail.words[at + 1] not in _AFTER_NAMES


_AFTER_NAMES: Final = word_list("after_names")


def _parse(tail: Tail, at: int, *, strict: bool) -> int | None:
    """Where the name that begins at `at` ends; `strict`: it is surely one: unknown words go with it."""
    end = here = at
    words = 0
    while words < _NAME_WORDS:
        if not _continues(tail, here, first=here == at, strict=strict):
            break
        here = end = here + 1
        words += 1
        if tail.words[here] in ("-", ".") and (tail.words[here] == "-" or len(tail.words[here - 1]) == 1):
            here += 1
    return None if end == at else _goes_on(tail, end)


def _continues(tail: Tail, at: int, *, first: bool, strict: bool) -> bool:
    kind = tail.marks[at]
    if first:
        return _is_name(tail, at)
    word = tail.words[at]
    if kind & kinds.LETTER and not kind & kinds.STOP:
        return True
    if word in _PARTICLES or (word == "oh" and strict):
        return bool(tail.marks[at + 1] & (_LISTED | kinds.UNKNOWN)) and not tail.marks[at + 1] & kinds.STOP
    if not _is_name(tail, at) or (word in _PLACES_NAMED and not tail.capital[at]):
        return False
    if kind & kinds.COMMON:
        if not kind & _LISTED:
            return False
        if tail.marks[at + 1] & kinds.END:
            return True
        if tail.capital[at] and tail.capital[at - 1]:
            return True
        return word not in VERY_COMMON or (strict and not _sentence_goes_on(tail, at))
    if kind & _LISTED:
        return True
    return bool(kind & kinds.UNKNOWN) and (tail.capital[at] or strict or not tail.capital[at - 1])


def _sentence_goes_on(tail: Tail, at: int) -> bool:
    follows = tail.marks[at + 1]
    return (
        bool(follows & kinds.WORD)
        and not follows & (_LISTED | kinds.UNKNOWN)
        and tail.words[at + 1] not in ("and", "i", "i'm", "i'd")
    )


def _is_name(tail: Tail, at: int) -> bool:
    kind = tail.marks[at]
    if not kind & kinds.WORD or kind & _NEVER or len(tail.words[at]) > _NAME_CHARS:
        return False
    return tail.words[at] not in NOT_NAMES


def _goes_on(tail: Tail, at: int) -> int:
    """Over a spelling of the name right behind it: "Smyth, S M Y T H"."""
    here = at
    while here < at + 3 and tail.words[here] in (",", "-", ".", "capital"):
        here += 1
    return _spelled_end(tail, here, _LEAST_SPELLED, misheard=False) or at


def _spelled_end(tail: Tail, at: int, least: int, *, misheard: bool) -> int | None:
    """Where a run of at least so many spelled letters ends."""
    here = end = at
    count = 0
    while here < at + _SPELLED_TOKENS:
        letter = read_letter(tail, here, misheard=misheard and count > 0)
        if letter is None:
            break
        end = here = letter[1]
        count += len(letter[0])
        while (
            tail.words[here] in (",", "-", ".", "um", "uh", "er", "erm", "then", "and", "capital")
            and here < end + 2
        ):
            here += 1
    return end if count >= least and (count > 1) else None


def lasting_names(words: Iterable[str]) -> set[str]:
    """Those words of a masked name that are masked wherever they come again in the call."""
    heard = {bare(word) for word in words if word[:1].isalpha()}
    return {word for word in heard if len(word) > 2 and word not in MONTHS and word not in NOT_NAMES}
