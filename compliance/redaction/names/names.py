"""Names of persons: behind "my name is" and "name?", of relatives, by the lists, and those heard before.

A name of the staff ("Dr Patel", "the nurse, Jenny") is operational and stays, unless it is the answer to the
question for a name.
"""

from typing import Final

from compliance.redaction.names.bare_names import is_bare_name
from compliance.redaction.names.colleagues import is_colleague
from compliance.redaction.names.heard_names import is_heard
from compliance.redaction.names.name_frames import RINGING, framed, is_strange, with_plain_surname
from compliance.redaction.names.name_spelling import (
    LEAST_SPELLED,
    is_told_by_letters,
    may_be_spelled,
    spelled_end,
    spelled_on,
)
from compliance.redaction.names.name_words import (
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
from compliance.redaction.names.of_things import is_of_things
from compliance.redaction.names.paired_names import JOINS, is_offered, is_paired
from compliance.redaction.names.relations import OWNERS, of_relative
from compliance.redaction.names.spelled_names import spelled_name
from compliance.redaction.names.stray_names import (
    alone,
    by_neighbours,
    by_particle,
    initialled,
    set_apart,
    spoken_of,
)
from compliance.redaction.names.syllabic_names import BEGINS_SYLLABIC, syllabic_end
from compliance.redaction.names.titles import is_told_staff, patient_doctor, sister, staff, titled
from compliance.redaction.names.word_names import called_by_word, filed_under
from compliance.redaction.talk.cues import STRONG, WEAK
from compliance.redaction.talk.view import GUESSED, LIKELY, SURE, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, word_list
from compliance.redaction.text.tokens import Tail

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
    begin = max(at, found.begin)
    others = is_colleague(view.tail, begin, found.end) or is_of_things(view.tail, begin, found.end)
    if others and not (view.expects.awaits("PERSON") or view.expects.awaits("ADDRESS")):
        return Match(found.end, None)
    house = _house_end(view.tail, at, found)
    if house is not None and view.expects.name_open != STRONG:
        return None if view.expects.awaits("ADDRESS") else Match(house, "ADDRESS", GUESSED)
    if _is_rung_place(view.tail, at) or "underscore" in view.tail.words[found.end - 1 : found.end + 1]:
        return Match(found.end, None)
    if _is_destination(view.tail, at) or _is_of_thing(view.tail, at):
        return Match(found.end, None)
    if _is_of_staff(view, at, found):
        return Match(found.end, None)
    if not is_of_place(view.tail, found.end):
        return None if _is_of_street(view, at, found) else found
    return None if view.expects.awaits("PERSON") and found.begin > at else Match(found.end, None)


def _is_of_staff(view: View, at: int, found: Match) -> bool:
    """ "you'll see hope, our nurse"; "my sister, she's the nurse" speaks of hers."""
    if found.begin > at or view.expects.name_open == STRONG or view.tail.words[found.end] != ",":
        return False
    return is_told_staff(view.tail, found.end) and view.tail.words[found.end + 1] in ("the", "our", "your")


def _is_destination(tail: Tail, at: int) -> bool:
    """ "typhoid for Kenya", "a visa for Jordan", "the isle of Arran"."""
    if tail.words[at - 1] == "of" and tail.words[at - 2] in _LANDS:
        return True
    if tail.words[at - 1] == "in" and tail.words[at - 2] in ("live", "lives", "living", "lived"):
        return True
    if tail.words[at] in _COUNTIES and tail.words[at - 1] == "from":
        return tail.words[at - 2] in _HAILING
    if not tail.marks[at] & kinds.PLACE or tail.words[at - 1] != "for":
        return False
    return any(tail.words[place] in _TRAVELLING for place in range(at - _TRAVEL_TOKENS, at - 1))


def _is_of_thing(tail: Tail, at: int) -> bool:
    """ "the clinic's called Brightside"."""
    return tail.words[at - 1] in ("called", "named") and bare(tail.words[at - 2]) in _CALLED_THINGS


def _is_rung_place(tail: Tail, at: int) -> bool:
    """ "thanks for calling Lakeview", "www dot parkview"."""
    before = tail.words[at - 2]
    rung = before == "for" and tail.words[at - 1] in _RINGING_PLACES
    return before == "www" or (rung and not _is_parted_from(tail, at))


def _is_parted_from(tail: Tail, at: int) -> bool:
    """ "thank you for calling Ayesha, goodbye", "thanks for ringing Mrs Khan"."""
    if not tail.marks[at] & kinds.FIRST:
        return bool(tail.marks[at] & kinds.TITLE)
    behind = at + 1 + (tail.words[at + 1] in (",", "."))
    return tail.words[behind] in _PARTED


_PARTED: Final = frozenset({"", "bye", "goodbye", "see", "have", "we'll", "i'll", "take", "you're"})
_RINGING_PLACES: Final = frozenset({"calling", "ringing", "phoning", "choosing", "contacting"})
_COUNTIES: Final = frozenset({"kerry", "clare"})
"""Where people are from, and first names too."""
_HAILING: Final = frozenset(
    ["i'm", "we're", "was", "is", "are", "were", "he's", "she's", "they're", "over", "up", "down", "come"]
) | {"originally", "originate", "comes", "came", "people", "family"}
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
    if word == "works" and not tail.capital[at]:
        return False
    return word in _HOUSES and (word in _RARELY_SURNAMES or not tail.marks[at] & kinds.LAST)


def _is_of_street(view: View, at: int, found: Match) -> bool:
    """ "Harley Street", "the car park of St Thomas'", unless a name was asked for."""
    tail = view.tail
    if view.expects.name_open == STRONG:
        return False
    if tail.words[at - 1] in ("st", "saint") and not tail.capital[at - 2]:
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
    if kind & kinds.WORD and view.names and bare(tail.words[at]) in view.names and is_heard(tail, at):
        return Match(name_end(tail, at, strict=False) or at + 1, "PERSON", SURE)
    if tail.words[at - 1] in JOINS and is_name(tail, at) and is_paired(view, at):
        return Match(name_end(tail, at, strict=False) or at + 1, "PERSON", LIKELY)
    if tail.words[at] in _KIN_LIKE_NAMES and tail.words[at - 1] in OWNERS:
        return of_relative(tail, at) or Match(at + 1, None)
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


_KIN_LIKE_NAMES: Final = word_list("kin_like_names")


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
    if kind & kinds.PHONETIC and _is_radio_word(tail, at):
        return None
    if kind & kinds.TITLE:
        heard = bool(view.names) and bare(tail.words[at + 1]) in view.names
        found = titled(tail, at, strong=strong or heard)
        own = found is not None and view.expects.staff and not strong and tail.words[at - 1] in _BARELY
        return Match(found.end, None) if own and found is not None else found
    if kind & kinds.RELATIVE:
        return sister(tail, at) or of_relative(tail, at)
    if tail.words[at - 1] == "for" and _is_code(tail, at):
        return None
    if kind & kinds.FIRST and tail.words[at] not in NOT_NAMES and not _is_inn(tail, at):
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
        return None if _is_spoken_of(tail, at) else spelled_name(view, at) or initialled(tail, at)
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


def _is_inn(tail: Tail, at: int) -> bool:
    """ "opposite the George": one first name alone behind "the" and a word of places."""
    if tail.words[at - 1] != "the" or tail.marks[at + 1] & (LISTED | kinds.UNKNOWN):
        return False
    return tail.words[at - 2] in ("opposite", "in", "at", "near", "past", "outside", "behind", ",")


_CALLED_THINGS: Final = word_list("called_things")
_BARELY: Final = frozenset({"", ":", ",", "it's", "was", "that's", "with", "saw", "think"})


def _awaited(view: View, at: int) -> Match | None:
    """Where a name was asked for or announced: what can be one."""
    tail = view.tail
    if tail.marks[at] & kinds.LETTER and _is_spoken_of(tail, at):
        return None
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
    if not is_name(tail, at) or kind & kinds.LEAD or _is_of_talk(view, at) or _is_bound_for(view, at):
        return None
    if _is_word_only(tail, at) and not (is_offered(tail, at) or _is_said_surname(tail, at)):
        return None
    if ((kind & kinds.RARER or not view.expects.awaits("PERSON")) and _is_thing(tail, at)) or (
        tail.words[at - 1] == "for" and _is_code(tail, at)
    ):
        return None
    if view.expects.name_open == WEAK and not (_is_likely(tail, at) or _ends_answer(view, at)):
        return None
    end = name_end(tail, at, strict=True)
    return None if end is None else Match(with_plain_surname(tail, at, end), "PERSON", SURE)


def _is_of_talk(view: View, at: int) -> bool:
    """ "it was stucco", "over in Dallas": a seldom word, or a place, where the reply is a sentence by now."""
    tail = view.tail
    kind = tail.marks[at]
    if kind & kinds.RARER and tail.words[at - 1] == "the" and not tail.capital[at]:
        return True
    if kind & kinds.UNKNOWN and tail.words[at - 1] in _BEFORE_WORDS and tail.words[at - 2]:
        return not tail.capital[at]
    if view.expects.name_open:
        return False
    if kind & kinds.RARER:
        return not (is_offered(tail, at) or (tail.capital[at] and is_inside(tail, at)))
    return bool(kind & kinds.PLACE) and tail.words[at - 1] in _BEFORE_TOWNS


_BEFORE_WORDS: Final = frozenset({"the", "my", "your"})
"""Before a word of no list, within a sentence, it is a thing: "i tripped over the verger"."""
_BEFORE_TOWNS: Final = frozenset({"in", "to", "from", "near", "around", "through", "of", "the", "like"})


def _is_bound_for(view: View, at: int) -> bool:
    """ "signed up for Manchester": a town that is no first name."""
    tail = view.tail
    if view.expects.name_open != WEAK or tail.words[at - 1] != "for":
        return False
    town = tail.marks[at] & kinds.PLACE and not tail.marks[at] & (kinds.FIRST | kinds.MAYBE)
    return bool(town) and not tail.marks[at + 1] & kinds.LAST


def _is_spoken_of(tail: Tail, at: int) -> bool:
    """The letter of "with a K. K A T H R Y N", and the article before it."""
    lone = tail.words[at - 1] == "no" and not tail.marks[at + 1] & (kinds.SPELLED | kinds.REPEAT)
    if (tail.words[at] == "a" and tail.words[at - 1] == "with") or lone:
        return True
    article = tail.words[at - 1] in ("a", "an") and tail.words[at - 2] == "with"
    if article and tail.words[at + 1] in (".", ",") and tail.words[at + 2] == tail.words[at]:
        return True
    behind = at + 1 + (not tail.marks[at + 1] & kinds.WORD)
    return tail.words[at - 1] in _BEFORE_LETTERS and not tail.marks[behind] & (LISTED | kinds.SPELLED)


_BEFORE_LETTERS: Final = frozenset(
    {"a", "an", "no", "with", "without", "the", "one", "two", "double", "silent"}
)
"""Before a letter of which a name's spelling is told: "with an h"."""


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
    return bool(tail.marks[at - 2] & (kinds.LETTER | kinds.PAIR))


def _is_radio_word(tail: Tail, at: int) -> bool:
    """The "Charlie" of "bravo charlie four": beside another such word that is no name."""
    return any(
        tail.marks[beside] & kinds.PHONETIC and not tail.marks[beside] & kinds.FIRST
        for beside in (at - 1, at + 1)
    )


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


_LEADS: Final = word_list("leads_of_names")


def _is_word_only(tail: Tail, at: int) -> bool:
    """An ordinary word that the sentence goes on behind: "name is wrong on the letter"."""
    kind = tail.marks[at]
    if not kind & kinds.COMMON or kind & kinds.FIRST:
        return False
    if not kind & LISTED and tail.words[at] in _LEADS:
        return True
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
