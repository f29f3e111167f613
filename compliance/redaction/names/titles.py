"""Names behind a title: "Mrs Khan" is a patient; "Dr Patel" and "to see Mr Khan" are of the staff."""

from typing import Final

from compliance.redaction.names.name_words import PARTICLES, is_name, name_end
from compliance.redaction.names.relations import OWNERS
from compliance.redaction.names.syllabic_names import syllabic_end
from compliance.redaction.talk.view import LIKELY, SURE, Match
from compliance.redaction.text import kinds
from compliance.redaction.text.tokens import Tail

TITLED: Final = 3


def titled(tail: Tail, at: int, *, strong: bool) -> Match | None:
    """ "Mrs Khan"; "to see Mr Khan" and "Mr Khan's clinic" speak of a surgeon, as addressed in Britain."""
    if tail.words[at] == "miss" and not tail.capital[at] and tail.words[at - 1] in _MISSING:
        return None
    begin = at + 1 + (tail.words[at + 1] == ".")
    end = syllabic_end(tail, begin, told=True) or name_end(tail, begin, strict=True)
    end = end or _end_of_word(tail, begin)
    if end is None:
        return None
    if (
        not strong
        and tail.words[at] in ("mr", "mister", "miss", "ms", "mrs")
        and _is_operational(tail, at, end)
    ):
        return Match(end, None)
    return Match(end, "PERSON", SURE, begin=begin)


def _end_of_word(tail: Tail, at: int) -> int | None:
    """ "Ms Winter", "Mrs May": a word that is hardly ever a name but behind a title."""
    written = tail.capital[at] and tail.capital[at - 1]
    plainly = tail.words[at - 1] in ("mr", "mrs", "ms", "mister", "missus")
    if plainly and tail.marks[at] & _OF_OTHERS and not tail.marks[at] & kinds.STOP:
        return at + 1
    sure = written or (tail.words[at] in _PLAINLY_TITLED and plainly)
    return at + 1 if sure and tail.words[at] in _TITLED_WORDS else None


_OF_OTHERS: Final = kinds.PLACE | kinds.ALONE
"""Countries and ailments, behind a title alone: "Mrs England", "Mr Pain"."""


_TITLED_WORDS: Final = frozenset(
    [
        "winter",
        "may",
        "will",
        "spring",
        "christmas",
        "easter",
        "free",
        "best",
        "good",
        "friday",
        "lovely",
        "new",
        "more",
        "much",
        "past",
        "full",
        "down",
        "sunday",
        "monday",
        "march",
        "august",
        "june",
        "hope",
    ]
)
_PLAINLY_TITLED: Final = frozenset({"winter", "may", "christmas", "friday", "march", "spring"})
_MISSING: Final = frozenset(
    ["he'll", "she'll", "i'll", "we'll", "they'll", "you'll", "will", "would", "i'd", "he'd", "she'd"]
) | frozenset(
    [
        "do",
        "you",
        "to",
        "really",
        "did",
        "does",
        "don't",
        "can't",
        "not",
        "might",
        "may",
        "didn't",
        "wouldn't",
        "i",
        "we",
        "they",
        "never",
        "won't",
    ]
)
"""Before "miss" where it is no title: "he'll miss school"."""


def _is_operational(tail: Tail, at: int, end: int) -> bool:
    if tail.words[at - 1] == "under" and tail.words[at - 2] not in _CARED_FOR:
        return False
    if (tail.words[at - 1] == "is" and tail.words[at - 2] in _PATIENTS) or _is_spoken_to(tail, at, end):
        return False
    if tail.words[at - 1] == "the" or _names_staff(tail, at) or _is_asked_when(tail, at, end):
        return True
    if _is_in_diary(tail, end) or (tail.words[at - 1] == "with" and tail.words[at - 2] in ("in", "that's")):
        return True
    if tail.words[at - 1] in _SEEN_BY:
        return not any(tail.words[place] in _DONE_BY_ANYBODY for place in range(at - _BOOKED_BEFORE, at))
    if tail.words[at - 1] in ("for", "of", "to") and tail.words[at - 2] in _WORKS_FOR:
        return True
    if (tail.words[end], tail.words[end + 1]) in _STAFF_DOES_SO or is_told_staff(tail, end):
        return True
    if tail.words[end] == "has" and _is_free(tail, end + 1):
        return True
    if tail.words[end] in ("will", "'ll") and tail.words[end + 1] in _STAFF_WILL:
        return tail.words[end + 1] != "be" or tail.words[end + 2] in _STAFF_WILL_BE
    possessive = tail.words[end - 1].endswith("'s")
    return tail.words[end] in (_OF_STAFF if possessive else _STAFF_DOES)


def _is_spoken_to(tail: Tail, at: int, end: int) -> bool:
    """ "am I speaking with Mrs Lamb?", "is Mrs Lamb able to come …?"; "my driver Mr Haile"."""
    if tail.marks[at - 1] & kinds.RELATIVE and tail.words[at - 2] in OWNERS:
        return True
    if tail.words[at - 1] == "is" and tail.words[end] in _OF_PATIENTS:
        return True
    if tail.words[end] == "with" and tail.words[end + 1] in ("you", "us"):
        return True
    return tail.words[at - 1] in ("with", "to") and tail.words[at - 2] in ("speaking", "talking")


_OF_PATIENTS: Final = frozenset(
    {"able", "there", "home", "awake", "alright", "okay", "happy", "still", "coming"}
)


def _is_free(tail: Tail, at: int) -> bool:
    """ "Mr Bell has a gap on Friday", "has another clinic"; "Mr Bell has a cough" is a patient."""
    for here in range(at, at + _FREE_TOKENS):
        word = tail.words[here]
        if word in _FREE:
            return True
        if word in ("appointment", "appointments"):
            return tail.words[at] != "an" or tail.words[here + 1] in ("free", "available", "left")
        if not tail.marks[here] & (kinds.STOP | kinds.NUMBER) and word not in _OF_FREE:
            return False
    return False


_FREE_TOKENS: Final = 4
_FREE: Final = frozenset(
    [
        "gap",
        "slot",
        "slots",
        "space",
        "spaces",
        "clinic",
        "clinics",
        "list",
        "opening",
        "cancellation",
        "session",
        "sessions",
        "window",
        "availability",
        "gaps",
        "time",
        "room",
        "theatre",
        "diary",
    ]
)
_OF_FREE: Final = frozenset(
    ["another", "free", "full", "short", "long", "late", "early", "new", "busy", "half"]
)
_STAFF_WILL: Final = frozenset(["see", "be", "have", "call", "operate", "do", "want", "let", "decide"])
_STAFF_WILL_BE: Final = frozenset(
    [
        "back",
        "away",
        "in",
        "on",
        "operating",
        "available",
        "doing",
        "seeing",
        "free",
        "off",
        "running",
        "able",
        "with",
        "here",
        "covering",
        "performing",
        "happy",
    ]
)


def _names_staff(tail: Tail, at: int) -> bool:
    """ "the consultant you saw was Mr Bell", "instead of Mr Bell", "my surgeon, Mr Bell"."""
    if (tail.words[at - 2], tail.words[at - 1]) == ("instead", "of"):
        return True
    role = at - 1 - (tail.words[at - 1] == ",")
    if tail.marks[role] & kinds.DOCTOR and tail.words[role - 1] in _WHOSE_STAFF:
        return True
    told = tail.words[at - 1] in _IS or (tail.words[at - 1] == "it" and tail.words[at - 2] in _IS)
    return told and any(tail.marks[at - back] & kinds.DOCTOR for back in range(2, _STAFF_BEFORE + 1))


def _is_asked_when(tail: Tail, at: int, end: int) -> bool:
    """ "is it Miss Bell on Thursday?", "will it be Mr Bell doing it?"; not "is it Mrs Bell on the line?"."""
    asked = (tail.words[at - 2], tail.words[at - 1]) in _ASKED_OF_IT
    days = tail.words[end] in _BEFORE_DAYS and tail.words[end + 1] != "the"
    return asked and days and not tail.marks[end + 1] & kinds.TITLE


_ASKED_OF_IT: Final = frozenset({("is", "it"), ("it", "be"), ("was", "it"), ("it's", "still")})
_BEFORE_DAYS: Final = frozenset({"on", "doing", "today", "tomorrow", "this", "next", "again"})
_WHOSE_STAFF: Final = frozenset({"my", "new", "other", "your", "our", "his", "her", "usual"})
_IS: Final = frozenset({"was", "is", "be"})
_STAFF_BEFORE: Final = 6


def _is_in_diary(tail: Tail, end: int) -> bool:
    """ "Miss Keating's fully booked", "Mr Bell has a gap", "Mr Hale at half two", "…, he's in on Mondays"."""
    word, follows = tail.words[end], tail.words[end + 1]
    if tail.words[end - 1].endswith("'s"):
        return word in _OF_DIARIES or (word, follows) in _OFF_WORK
    if word == ",":
        return follows in ("he's", "she's") and _works(tail, end + 2)
    if word == "at":
        timed = tail.marks[end + 1] & kinds.NUMBER and not _is_address(tail, end + 2)
        return bool(timed) or follows in ("half", "quarter")
    if word in ("does", "holds", "runs", "has") and follows in ("his", "her"):
        return tail.words[end + 2] in _OF_STAFF
    return (word, follows) in _HOLDS_CLINIC or (word == "only" and follows in _PRACTISES)


def _works(tail: Tail, at: int) -> bool:
    """ "in on Mondays", "off this week"; not "in hospital"."""
    word, follows = tail.words[at], tail.words[at + 1]
    return word in _WORKING or (word, follows) in _OFF_WORK or (word == "in" and follows in _WHEN)


def _is_address(tail: Tail, at: int) -> bool:
    """Behind a number, a word that tells no time: "at 14 Elm Road"."""
    kind = tail.marks[at]
    return bool(kind & kinds.WORD and not kind & kinds.NUMBER and tail.words[at] not in _TIMED)


_WHEN: Final = frozenset({"today", "tomorrow", "until", "later", "all", "every", "next", "this"})
_TIMED: Final = frozenset(
    [
        "past",
        "to",
        "o'clock",
        "am",
        "pm",
        "a",
        "p",
        "in",
        "on",
        "or",
        "and",
        "room",
        "with",
        "for",
        "tomorrow",
    ]
) | {"today", "this", "next", "then", "but", "if", "is", "sharp", "so", "not"}
_OF_DIARIES: Final = frozenset(["fully", "running", "retiring", "retired", "operating", "slots", "diary"])
_OFF_WORK: Final = frozenset(
    [("off", "this"), ("off", "next"), ("off", "sick"), ("off", "today"), ("away", "until"), ("away", "this")]
) | frozenset(
    [("on", "leave"), ("on", "holiday"), ("on", "call"), ("in", "on"), ("in", "theatre")]
    + [("next", what) for what in ("clinic", "slot", "gap", "opening", "list", "available", "free")]
)
_WORKING: Final = frozenset({"retiring", "retired", "fully", "operating"})
_PRACTISES: Final = frozenset({"does", "works", "operates", "sees", "consults", "has"})
_HOLDS_CLINIC: Final = frozenset(
    [("has", what) for what in ("nothing", "space", "slots", "availability")]
    + [("doesn't", what) for what in ("do", "work", "see", "operate")]
    + [("isn't", "in"), ("isn't", "here"), ("isn't", "available"), ("would", "see"), ("can", "see")]
    + [("who", what) for what in ("does", "did", "operates", "operated")]
    + [("is", "retiring"), ("works", "on"), ("sees", "patients")]
)


def is_told_staff(tail: Tail, end: int) -> bool:
    """ "…, the consultant", "… is our audiologist"."""
    here = end + (tail.words[end] in (",", "is"))
    if here == end and not tail.words[end - 1].endswith("'s") and tail.words[end] not in ("the", "our"):
        return False
    told = tail.words[here] in ("the", "a", "my", "your", "our", "one")
    here += 3 if tail.words[here] == "one" and tail.words[here + 1] == "of" else 1
    return told and bool(tail.marks[here] & kinds.DOCTOR or tail.words[here] in _OTHER_STAFF)


_OTHER_STAFF: Final = frozenset(
    ["audiologist", "radiographer", "sonographer", "phlebotomist", "pharmacist", "embryologist", "manager"]
) | {"counsellor", "dietitian", "dietician", "technician", "anaesthetist", "psychologist", "registrar"}


_WORKS_FOR: Final = frozenset({"covering", "cover", "covers", "locum", "secretary", "registrar", "clinic"})
"""Before "for Mr Khan" or "to Mr Khan", who operates."""
_CARED_FOR: Final = frozenset(
    {
        "i'm",
        "am",
        "been",
        "was",
        "still",
        "he's",
        "she's",
        "they're",
        "being",
        "seen",
        "treated",
        "care",
        "is",
    }
)
"""Whoever is "under Mr Khan" after these is his patient; "it's under Mr Khan" is a booking."""
_PATIENTS: Final = frozenset(
    {"card", "name", "patient", "person", "this", "caller", "surname", "here", "holder", "me", "gentleman"}
)
"""Before "is Mr Khan": the patient himself."""
_SEEN_BY: Final = frozenset(
    {"see", "seeing", "saw", "with", "under", "does", "is", "has", "by", "can", "when's"}
)
_BOOKED: Final = frozenset(
    ["booking", "booked", "appointment", "name", "registered", "put", "down", "file", "account", "made"]
)
"""What is "under Ms Odunsi" or "by Ms Odunsi" where she is no surgeon."""
_DONE_BY_ANYBODY: Final = _BOOKED | {"recommended", "driven", "collected", "brought", "accompanied"}
_BOOKED_BEFORE: Final = 4
_OF_STAFF: Final = frozenset(
    ["secretary", "clinic", "list", "team", "patients", "office", "diary", "rooms", "assistant"]
)
_STAFF_DOES: Final = frozenset(
    [
        "operates",
        "operated",
        "available",
        "operate",
        "prescribed",
        "advised",
        "you'd",
        "recommends",
        "performs",
    ]
)
_STAFF_DOES_SO: Final = frozenset(
    ("is", word)
    for word in ("running", "away", "operating", "fully", "on", "off", "free", "not", "in", "back", "only")
) | frozenset(
    (verb, word)
    for verb in ("recommended", "suggested", "does")
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


def staff(tail: Tail, at: int) -> Match | None:
    """ "Dr Patel", "Doctor Margaret Hughes", "the dentist, Sarah": passed as it is."""
    here = at + 1
    stops = (",", "called", "named") if tail.words[at] in _WHOLE_WORDS else (".", ",", "called", "named")
    while tail.words[here] in stops and here < at + 3:
        here += 1
    end = here
    while end < here + TITLED and _is_name_of_staff(tail, end):
        end += 1 + (tail.words[end] in PARTICLES and tail.words[end + 1] in PARTICLES)
    if end == here and tail.marks[here] & kinds.LAST and not tail.marks[here] & kinds.STOP:
        end = here + 1
    return Match(end, None) if end > here else None


def _is_name_of_staff(tail: Tail, at: int) -> bool:
    if tail.words[at] in PARTICLES:  # "Dr Van der Merwe", "dr de la cruz"
        follows = at + 1 + (tail.words[at + 1] in PARTICLES)
        return bool(
            tail.marks[follows] & (kinds.LAST | kinds.UNKNOWN) and not tail.marks[follows] & kinds.STOP
        )
    return is_name(tail, at) and (tail.capital[at] or not tail.marks[at] & kinds.COMMON)


_WHOLE_WORDS: Final = frozenset(
    {"nurse", "doctor", "dentist", "surgeon", "consultant", "physio", "hygienist"}
)


def sister(tail: Tail, at: int) -> Match | None:
    """ "ask for sister doyle": of a ward; passed as it is."""
    if tail.words[at] not in ("sister", "matron") or tail.words[at - 1] not in _BEFORE_SISTERS:
        return None
    surname = tail.marks[at + 1] & (kinds.LAST | kinds.FIRST) and not tail.marks[at + 1] & kinds.COMMON
    return Match(at + 2, None) if surname else None


_BEFORE_SISTERS: Final = frozenset(
    {"for", "with", "see", "by", "ask", "tell", "is", "to", "that's", "and", "from", "saw", "", ":"}
)


def patient_doctor(tail: Tail, at: int) -> Match | None:
    """ "This is Dr Henshaw, I'm a patient": a doctor who calls for herself."""
    if (tail.words[at - 2], tail.words[at - 1]) not in _SPEAKS and tail.words[at - 1] not in _SPEAKS_AS:
        return None
    begin = at + 1 + (tail.words[at + 1] == ".")
    end = name_end(tail, begin, strict=True)
    if end is None:
        return None
    for place in range(end, end + _PATIENT_AHEAD):
        if tail.marks[place] & kinds.END:
            return None
        if tail.words[place] == "patient" and tail.words[place - 1] in _PATIENT_IS:
            return Match(end, "PERSON", LIKELY, begin=begin)
    return None


_SPEAKS: Final = frozenset({("this", "is"), ("i", "am"), ("name", "is"), ("it", "is")})
_SPEAKS_AS: Final = frozenset({"i'm", "it's", "name's", "its"})
_PATIENT_IS: Final = frozenset({"a", "the", "as", "i'm", "your"})
_PATIENT_AHEAD: Final = 10
