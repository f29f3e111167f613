"""Names of persons: behind "my name is" and "name?", of relatives, by the lists, and those heard before.

A name of the staff ("Dr Patel", "the nurse, Jenny") is operational and stays, unless it is the answer to the
question for a name.
"""

from typing import Final

from compliance.redaction import kinds
from compliance.redaction.addressed_names import is_addressed
from compliance.redaction.bare_names import is_bare_name
from compliance.redaction.cues import STRONG, WEAK
from compliance.redaction.lexicon import bare, word_list
from compliance.redaction.name_frames import RINGING, framed, is_strange, with_plain_surname
from compliance.redaction.name_spelling import (
    ABBREVIATED,
    LEAST_SPELLED,
    SURELY_SPELLED,
    is_told_by_letters,
    may_be_spelled,
    spelled_end,
    spelled_on,
)
from compliance.redaction.name_words import (
    AFTER_NAMES,
    AFTER_STRANGE,
    LISTED,
    NOT_NAMES,
    PARTICLES,
    is_inside,
    is_name,
    is_of_place,
    name_end,
)
from compliance.redaction.paired_names import JOINS, is_offered, is_paired
from compliance.redaction.relations import OWNERS, of_relative
from compliance.redaction.stray_names import (
    alone,
    by_neighbours,
    by_particle,
    initialled,
    set_apart,
    spoken_of,
)
from compliance.redaction.syllabic_names import BEGINS_SYLLABIC, syllabic_end
from compliance.redaction.titles import patient_doctor, staff, titled
from compliance.redaction.tokens import Tail
from compliance.redaction.view import GUESSED, LIKELY, SURE, Match, View
from compliance.redaction.word_names import called_by_word, filed_under

_HOUSES: Final = word_list("houses")
_RARELY_SURNAMES: Final = frozenset({"house", "cottage", "villa", "farm", "barn", "lodge", "grange", "manor"})
_LOOSE: Final = kinds.LAST | kinds.UNKNOWN | kinds.FIRST | kinds.LETTER | kinds.PHONETIC
_WRITTEN_NAMES: Final = frozenset({"will", "may", "art", "van", "an", "so", "my"})
"""Names only with a capital and a surname behind."""


def name(view: View, at: int) -> Match | None:
    """A name that begins at `at`, or right behind the title or the relative there; not that of a place."""
    found = _name(view, at)
    if found is None or found.type is None:
        return found
    house = _house_end(view.tail, at, found)
    if house is not None and view.expects.name_open != STRONG:
        return None if view.expects.awaits("ADDRESS") else Match(house, "ADDRESS", GUESSED)
    if _is_rung_place(view.tail, at) or "underscore" in view.tail.words[found.end - 1 : found.end + 1]:
        return Match(found.end, None)
    if _is_destination(view.tail, at) or _is_of_thing(view.tail, at):
        return Match(found.end, None)
    if not is_of_place(view.tail, found.end):
        return None if _is_of_street(view, at, found) else found
    return None if view.expects.awaits("PERSON") and found.begin > at else Match(found.end, None)


def _is_destination(tail: Tail, at: int) -> bool:
    """ "typhoid for Kenya", "a visa for Jordan", "the isle of Arran"."""
    if tail.words[at - 1] == "of" and tail.words[at - 2] in _LANDS:
        return True
    if not tail.marks[at] & kinds.PLACE or tail.words[at - 1] != "for":
        return False
    return any(tail.words[place] in _TRAVELLING for place in range(at - _TRAVEL_TOKENS, at - 1))


def _is_of_thing(tail: Tail, at: int) -> bool:
    """ "the clinic's called Brightside"."""
    return tail.words[at - 1] in ("called", "named") and bare(tail.words[at - 2]) in _CALLED_THINGS


def _is_rung_place(tail: Tail, at: int) -> bool:
    """ "thanks for calling Lakeview", "www dot parkview"."""
    before = tail.words[at - 2]
    return (before == "for" and tail.words[at - 1] in _RINGING_PLACES) or before == "www"


_RINGING_PLACES: Final = frozenset({"calling", "ringing", "phoning", "choosing", "contacting"})
_LANDS: Final = frozenset({"isle", "isles", "county", "kingdom", "republic", "gulf"})
_TRAVEL_TOKENS: Final = 5
_TRAVELLING: Final = frozenset(
    [
        *("visa", "visas", "travel", "jabs", "vaccine", "vaccines", "vaccination", "typhoid", "malaria"),
        *("rabies", "cholera", "flight", "flights", "flying", "leaving"),
    ]
)


def name_of_common_word(view: View, at: int) -> Match | None:
    """A surname that is an ordinary word too, in a turn that holds no word about names."""
    tail = view.tail
    told = tail.capital[at] or view.person_end >= 0 or tail.words[at - 1] in RINGING
    told = told or tail.words[at] in PARTICLES or may_be_spelled(tail, at + 1)
    told = told or tail.words[at - 1] == "under" or is_told_by_letters(tail, at)
    told = told or tail.words[at + 1] in ("as", "like")
    return name(view, at) if told else None


def _house_end(tail: Tail, at: int, found: Match) -> int | None:
    """Behind "Rosemary House", "Lawrence Villa": a house called by a name."""
    if found.begin > at:
        return None
    if found.end > at + 1 and _is_house(tail, found.end - 1):
        return found.end
    return found.end + 1 if _is_house(tail, found.end) else None


def _is_house(tail: Tail, at: int) -> bool:
    word = tail.words[at]
    return word in _HOUSES and (word in _RARELY_SURNAMES or not tail.marks[at] & kinds.LAST)


def _is_of_street(view: View, at: int, found: Match) -> bool:
    """ "Harley Street", "the car park of St Thomas'", unless a name was asked for."""
    tail = view.tail
    if view.expects.name_open == STRONG:
        return False
    if tail.words[at - 1] == "st" and not tail.capital[at - 2]:
        return True
    ahead = found.end - 1 if found.end > at + 1 else found.end
    return tail.words[ahead] in ("street", "road", "avenue")


def _name(view: View, at: int) -> Match | None:
    tail = view.tail
    kind = tail.marks[at]
    strong = view.expects.name_open == STRONG
    if tail.words[at] in _ENDEARMENTS and tail.words[at] not in view.names and _is_endearment(tail, at):
        return Match(at + 1, None)
    if kind & kinds.DOCTOR and not (view.names and bare(tail.words[at + 1]) in view.names):
        return None if strong else patient_doctor(tail, at) or staff(tail, at)
    if kind & kinds.WORD and view.names and bare(tail.words[at]) in view.names and _is_heard(tail, at):
        return Match(name_end(tail, at, strict=False) or at + 1, "PERSON", SURE)
    if tail.words[at - 1] in JOINS and is_name(tail, at) and is_paired(view, at):
        return Match(name_end(tail, at, strict=False) or at + 1, "PERSON", LIKELY)
    syllabic = _in_syllables(view, at) if tail.words[at] in BEGINS_SYLLABIC else None
    if syllabic is not None:
        return syllabic
    if view.expects.name_open or (
        kind & _LOOSE and view.expects.awaits("PERSON") and not kind & kinds.COMMON
    ):
        found = _awaited(view, at)
        if found is not None:
            return found
    return _unasked(view, at, kind, strong=strong)


def _in_syllables(view: View, at: int) -> Match | None:
    """ "chen mei ling", and its spelling."""
    told = bool(view.expects.name_open) or view.expects.awaits("PERSON")
    end = syllabic_end(view.tail, at, told=told)
    return None if end is None else Match(spelled_on(view.tail, end), "PERSON", LIKELY)


def _is_endearment(tail: Tail, at: int) -> bool:
    """ "what's your name, my love?"."""
    if tail.marks[at + 1] & kinds.WORD and tail.words[at + 1] not in ("and", "what's", "can", "could"):
        return False
    return tail.words[at - 1] in _BEFORE_ENDEARMENTS


_ENDEARMENTS: Final = word_list("endearments")
_BEFORE_ENDEARMENTS: Final = frozenset({",", "my", "name", "surname", "there", "ok", "okay", "thanks", "you"})


def _unasked(view: View, at: int, kind: int, *, strong: bool) -> Match | None:
    """A name by what stands around it, or by the lists alone."""
    tail = view.tail
    if kind & kinds.TITLE:
        found = titled(tail, at, strong=strong)
        own = found is not None and view.expects.staff and not strong and tail.words[at - 1] in _BARELY
        return Match(found.end, None) if own and found is not None else found
    if kind & kinds.RELATIVE:
        return of_relative(tail, at)
    if kind & kinds.FIRST and tail.words[at] not in NOT_NAMES and not _is_inn(tail, at):
        if tail.words[at - 1] == "for" and _is_code(tail, at):
            return None
        end = name_end(tail, at, strict=False) or at + 1
        return Match(with_plain_surname(tail, at, end), "PERSON", LIKELY)
    if tail.words[at] in PARTICLES:
        found = by_particle(tail, at)
        if found is not None:
            return found
    if kind & (kinds.MAYBE | kinds.LAST | kinds.UNKNOWN):
        told = _by_doing(view, at) if kind & kinds.MAYBE else None
        told = told or filed_under(tail, at) or set_apart(tail, at) or spoken_of(tail, at)
        return told or by_neighbours(tail, at) or framed(tail, at) or alone(tail, at)
    if kind & kinds.LETTER:
        letters = spelled_end(tail, at, SURELY_SPELLED, misheard=False) or _heard_spelled(view, at)
        letters = letters or _spelled_behind(view, at)
        if letters is not None and not _lists_letters(tail, at, letters):
            letters = _over_surname(tail, letters)
            return Match(letters, "ADDRESS" if view.expects.awaits("ADDRESS") else "PERSON", GUESSED)
        return initialled(tail, at)
    return None


def _by_doing(view: View, at: int) -> Match | None:
    """A word that can be a name, by what only people are, do or say, or by a surname heard before."""
    tail = view.tail
    if view.names and bare(tail.words[at + 1]) in view.names:
        return Match(at + 2, "PERSON", LIKELY)
    found = called_by_word(tail, at)
    if found is not None:
        return found
    heard = bare(tail.words[at]) in view.names
    return Match(at + 1, "PERSON", GUESSED) if is_bare_name(tail, at, heard=heard) else None


def _over_surname(tail: Tail, at: int) -> int:
    """ "j a c q u i smith": the surname behind a first name that was spelled."""
    kind = tail.marks[at]
    surname = kind & kinds.LAST and not kind & (kinds.STOP | kinds.STREET)
    ends = not tail.marks[at + 1] & (kinds.WORD | kinds.NUMBER)
    return at + 1 if surname and (ends or not kind & kinds.COMMON) else at


def _is_inn(tail: Tail, at: int) -> bool:
    """ "opposite the George": one first name alone behind "the" and a word of places."""
    if tail.words[at - 1] != "the" or tail.marks[at + 1] & (LISTED | kinds.UNKNOWN):
        return False
    return tail.words[at - 2] in ("opposite", "in", "at", "near", "past", "outside", "behind", ",")


def _heard_spelled(view: View, at: int) -> int | None:
    """ "b a k" behind "zuzanna bak": the letters of a name heard before."""
    tail = view.tail
    end = at
    while tail.marks[end] & kinds.LETTER and end < at + _SPELLED_BACK:
        end += 1
    letters = "".join(tail.words[at:end])
    return end if len(letters) >= LEAST_SPELLED and letters in view.names else None


def _spelled_behind(view: View, at: int) -> int | None:
    """ "k i a are a": nothing but letters, as they were heard, in the turn behind a name."""
    tail = view.tail
    if "PERSON" not in view.expects.answered or tail.words[at - 1] not in ("", ":"):
        return None
    if tuple(tail.words[at : at + 3]) in ABBREVIATED:
        return None
    end = spelled_end(tail, at, LEAST_SPELLED, misheard=True)
    return None if end is None or tail.marks[end] & (kinds.WORD | kinds.NUMBER) else end


_SPELLED_BACK: Final = 16


def _lists_letters(tail: Tail, at: int, end: int) -> bool:
    """ "a C and then a D": letters that are spoken of."""
    return any(
        tail.words[here - 1] in ("and", "then") and tail.words[here] == "a" for here in range(at + 1, end)
    )


def _is_heard(tail: Tail, at: int) -> bool:
    """An ordinary word is a name heard before only with a capital within a sentence, or among people."""
    if (tail.words[at + 1] == "as" and tail.words[at + 2] == "in") or tail.words[at - 1] in ("just", "plain"):
        return True
    if tail.marks[at] & kinds.MONTH:
        return is_addressed(tail, at, known=True) or _is_beside_greeting(tail, at)
    if tail.words[at - 1] in _ALONE_BEHIND and not tail.marks[at + 1] & (kinds.WORD | kinds.NUMBER):
        return True
    if tail.marks[at] & kinds.MAYBE and tail.words[at - 1] in _BEFORE_HEARD:
        return tail.words[at + 1] not in _BEHIND_WORDS and not tail.marks[at + 1] & kinds.NUMBER
    if tail.words[at - 1] in _GREETING and not tail.marks[at + 1] & kinds.WORD:
        return True
    return not tail.marks[at] & kinds.COMMON or (tail.capital[at] and is_inside(tail, at))


def _is_beside_greeting(tail: Tail, at: int) -> bool:
    """ "okay june", "hi, it's april": the name of a month stands alone behind it."""
    greets = tail.words[at - 1] in _GREETING or tail.words[at - 1] in ("sorry", "it's", "i'm", "and")
    begins = tail.words[at - 2] in ("", ":", ".", "thank") or tail.words[at - 2] in _GREETING
    return greets and begins and not tail.marks[at + 1] & (kinds.WORD | kinds.NUMBER)


_CALLED_THINGS: Final = frozenset(
    ["clinic", "practice", "surgery", "hospital", "place", "company", "shop", "app", "cream", "drug"]
) | frozenset(
    ["product", "treatment", "machine", "website", "it", "building", "road", "pub", "brand", "something"]
)
_BEFORE_HEARD: Final = word_list("before_heard_names")
"""Before a word that was heard as a name in this call it is one again."""
_BEHIND_WORDS: Final = frozenset(
    {"so", "to", "you", "that", "it", "me", "the", "a", "period", "for", "of", "up"}
)
_ALONE_BEHIND: Final = frozenset(
    {"", ":", "yes", "no", "yeah", "that", "so", "just", "plain", "and", "again"}
)
"""Behind these, or first, a word heard as a name is one again if nothing follows."""
_BARELY: Final = frozenset({"", ":", "it's", "was", "that's", "with", "saw", "think"})
_GREETING: Final = frozenset(
    {"hi", "hello", "thanks", "you", "okay", "ok", "right", "lovely", "bye", "hiya", "cheers"}
)


def _awaited(view: View, at: int) -> Match | None:
    """Where a name was asked for or announced: what can be one."""
    tail = view.tail
    spelled = spelled_end(tail, at, LEAST_SPELLED, misheard=view.expects.awaits("PERSON"))
    if spelled is not None and (view.expects.awaits("PERSON") or not tail.marks[spelled] & kinds.NUMBER):
        return Match(spelled_on(tail, spelled), "PERSON", SURE)
    kind = tail.marks[at]
    if view.expects.awaits("PERSON") and not kind & kinds.STOP and is_told_by_letters(tail, at):
        return Match(at + 1, "PERSON", SURE)
    if tail.words[at] in _WRITTEN_NAMES and tail.capital[at] and tail.capital[at + 1]:
        follows = tail.marks[at + 1]
        if follows & kinds.LAST and not follows & kinds.STOP:
            return Match(name_end(tail, at + 1, strict=True) or at + 2, "PERSON", SURE)
    if not is_name(tail, at) or kind & kinds.LEAD:
        return None
    if _is_word_only(tail, at) and not (is_offered(tail, at) or _is_said_surname(tail, at)):
        return None
    if ((kind & kinds.RARER or not view.expects.awaits("PERSON")) and _is_thing(tail, at)) or (
        kind & (kinds.PHONETIC | kinds.FIRST) and tail.words[at - 1] == "for" and _is_code(tail, at)
    ):
        return None
    if view.expects.name_open == WEAK and not (_is_likely(tail, at) or _ends_answer(view, at)):
        return None
    end = name_end(tail, at, strict=True)
    return None if end is None else Match(with_plain_surname(tail, at, end), "PERSON", SURE)


def _is_said_surname(tail: Tail, at: int) -> bool:
    """ "surname rain": any word at all, right behind and with nothing of a sentence following."""
    before = tail.words[at - 1]
    named = before in _SURNAMED or (before == "name" and tail.words[at - 2] in ("last", "family", "second"))
    return named and not tail.marks[at + 1] & kinds.WORD and tail.words[at] not in _OF_SURNAMES


_SURNAMED: Final = frozenset({"surname", "surname's"})
_OF_SURNAMES: Final = word_list("said_of_surnames")


def _ends_answer(view: View, at: int) -> bool:
    """ "… well, it's pearl": a word that is a name too, at the end of the turn in which one is asked for."""
    tail = view.tail
    led = bool(tail.marks[at] & kinds.MAYBE) and tail.words[at - 1] in ("it's", "is", "that's")
    return led and not tail.marks[at + 1] & kinds.WORD and view.expects.awaits("PERSON")


def _is_thing(tail: Tail, at: int) -> bool:
    """ "something called a dermatome"."""
    return tail.words[at - 1] in ("a", "an") and not (tail.capital[at] and tail.marks[at] & LISTED)


def _is_code(tail: Tail, at: int) -> bool:
    """ "B for Bravo"."""
    return bool(tail.marks[at - 2] & kinds.LETTER)


def _is_likely(tail: Tail, at: int) -> bool:
    """A listed name that is no ordinary word, or one written like a name."""
    kind = tail.marks[at]
    if kind & kinds.FIRST or (kind & LISTED and not kind & (kinds.COMMON | kinds.PLACE)):
        return True
    if kind & (LISTED | kinds.UNKNOWN) and is_offered(tail, at):
        return True
    if kind & LISTED and (tail.capital[at] or (kind & kinds.MAYBE and not kind & kinds.COMMON)):
        follows = tail.marks[at + 1]
        now = tail.capital[at] and tail.words[at + 1] == "now"
        return bool(follows & (kinds.LAST | kinds.END)) or not follows & kinds.WORD or now
    if kind & kinds.MAYBE and tail.words[at - 1] == "i'm" and _is_whole_clause(tail, at):
        return True
    if kind & kinds.MAYBE and tail.words[at - 1] == "me" and tail.words[at - 2] in ("call", "calls"):
        return True
    if not kind & kinds.UNKNOWN:
        return False
    if tail.capital[at] and is_inside(tail, at):
        return True
    if not is_strange(tail, at) or tail.words[at - 1] in _POSSESSIVES:
        return False
    if kind & kinds.SELDOM:
        return True
    ends = not tail.marks[at + 1] & kinds.WORD or tail.words[at + 1] in AFTER_STRANGE
    return tail.words[at - 1] in _BEFORE_UNKNOWN or ends


def _is_whole_clause(tail: Tail, at: int) -> bool:
    """ "I'm rose, …": nothing more is said of who it is; "I'm frank, …" is no name."""
    return not tail.marks[at + 1] & (kinds.WORD | kinds.DIGITS) and tail.words[at] not in _STATES


_STATES: Final = word_list("states_like_names")
_POSSESSIVES: Final = OWNERS - {"her"}
_BEFORE_UNKNOWN: Final = frozenset(
    {
        "under",
        "behalf",
        "of",
        "ask",
        "tell",
        "i'm",
        "is",
        "that",
        "am",
        "to",
        "hi",
        "hello",
        "me",
        "hey",
        "as",
    }
)
"""Behind these a word of no list is a name if one may stand there at all."""


def _is_word_only(tail: Tail, at: int) -> bool:
    """An ordinary word that the sentence goes on behind: "name is wrong on the letter"."""
    kind = tail.marks[at]
    if not kind & kinds.COMMON or kind & kinds.FIRST:
        return False
    if tail.words[at - 1] == "the" and not tail.capital[at]:
        return True
    if tail.capital[at] and kind & LISTED and is_inside(tail, at):
        return False
    follows = tail.marks[at + 1]
    if follows & kinds.WORD and follows & (LISTED | kinds.UNKNOWN) and not follows & kinds.STOP:
        return False
    if not kind & LISTED:
        return True
    if follows & (kinds.LETTER | kinds.PAIR | kinds.NUMBER):
        return False
    return bool(follows & kinds.WORD) and tail.words[at + 1] not in AFTER_NAMES
