"""Conditions, symptoms, procedures and drugs: lists, endings of medical words, and a small grammar of
complaints.

Terms are matched as whole words, plurals and participles alike, British and American spellings both, and an
org's own services also as they are misheard. Generic words of a clinic (appointment, consultation, surgery as
a place, check-up) are not medical.
"""

import re
from typing import Final

from compliance.redaction.medical.complaints import FRAMES, HARM_VERBS, complaint, of_part, told_of
from compliance.redaction.medical.frames import Found
from compliance.redaction.medical.misspellings import is_misspelled
from compliance.redaction.talk.cues import STRONG
from compliance.redaction.talk.view import GUESSED, LIKELY, SURE, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, bases, lines_of, stem, word_list
from compliance.redaction.text.phrases import Followers, after_marks, followers_in, may_begin, phrase
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import (
    EPONYMS,
    MASS_TERMS,
    MEDICAL,
    MEDICAL_CAPITALS,
    MEDICAL_LEADS,
    OWNED_TERMS,
    TERMS,
    kind_of,
)

LEXICON: Final = MEDICAL

_ENDINGS: Final = re.compile(rf"\w{{2,}}(?:{'|'.join(sorted(word_list('medical_endings')))})")
_ENDING_LETTERS: Final = 7
_BEGINNINGS: Final = re.compile(rf"(?:{'|'.join(sorted(word_list('medical_beginnings')))})\w{{3,}}")
_BEGINNING_LETTERS: Final = 9
_STRANGE_LETTERS: Final = 5


def begun(view: View, at: int) -> Match | None:
    """A known term or a phrase of what ails somebody that begins with a word which is none by itself."""
    tail = view.tail
    if not (view.lexis.own or may_begin(tail, at, _FOLLOWERS)):
        return None
    only_framed = tail.marks[at] & kinds.FRAMED and not tail.marks[at] & kinds.TERM
    return None if only_framed and FRAMES.find(tail, at) is None else medical(view, at)


def term_like_name(view: View, at: int) -> Match | None:
    """ "Ehlers Danlos", "spina bifida", "my Huntington's": where a name may stand as well."""
    if view.expects.name_open == STRONG:
        return None
    end = _term(view, at) or at + 1
    return medical(view, at) if end > at + 1 or _of_eponym(view.tail, at) else None


def _strange(word: str) -> frozenset[str] | None:
    """What is no plain word, or somebody's illness, may be medical whatever follows."""
    of_eponym = word.endswith("'s") and word[:-2] in EPONYMS
    return frozenset() if kind_of(word) & _PLAIN and not of_eponym else None


_FOLLOWERS: Final = Followers(_strange, followers_in(TERMS), FRAMES.followers)
_PLAIN: Final = kinds.COMMON | kinds.FIRST | kinds.LAST | kinds.MAYBE | kinds.STOP


def medical(view: View, at: int) -> Match | None:
    """A known term, one of the org's services nearly said, a medical ending, or a complaint."""
    tail = view.tail
    kind = tail.marks[at]
    end = _listed_end(view, at)
    confidence = SURE
    if end is not None:
        if _is_attribute(tail, end):
            return Match(end + 1, None)
        end = _with_tail(tail, end)
    else:
        end, confidence = _built_end(view, at), LIKELY
    near = _near(view, at) if view.lexis.hears_near else None
    if near is not None and (end is None or near > end):
        end, confidence = near, GUESSED
    if kind & (kinds.BODY | kinds.MODIFIER | kinds.HARM | kinds.FRAMED):
        wider = complaint(tail, at)
        if wider is not None and (end is None or (wider.end > end and wider.begin < end)):
            return None if _is_thing_s(tail, wider.end - 1) else _complained(view, at, wider)
    if end is None or (end == at + 1 and _is_meant_otherwise(view, at)):
        return None
    return None if _is_reference(tail, at, end) else Match(end, "MEDICAL", confidence)


def _listed_end(view: View, at: int) -> int | None:
    """Behind a listed term, one told by its neighbours, or one and what somebody is allergic to."""
    tail = view.tail
    kind = tail.marks[at]
    end = _term(view, at) if kind & kinds.TERM else None
    if end is None and kind & (kinds.MODIFIER | kinds.HARM | kinds.TERM):
        end = _unlisted_term(view, at)
    if end is not None and stem(tail.words[at]) in _ALLERGIES:
        end = _allergen(tail, at, end)
    return end


def _built_end(view: View, at: int) -> int | None:
    """Behind a word of no list, or of longer terms only, that is built like a medical one."""
    tail = view.tail
    kind = tail.marks[at]
    if kind & kinds.TERM and not kind & _PLAIN:
        return _strange_end(view, at)
    if not kind & kinds.UNKNOWN:
        return None
    known = _participle(view, at) or has_medical_ending(tail.words[at]) or is_misspelled(tail, at)
    return _with_tail(tail, at + 1) if known else None


def _complained(view: View, at: int, wider: Found) -> Match:
    """A complaint, over the term or the complaint that it begins with."""
    tail = view.tail
    listed = _term(view, wider.begin) or wider.end
    inner = complaint(tail, wider.begin) if wider.begin > at else None
    told = inner.end if inner is not None and inner.begin == wider.begin else wider.end
    end = _over_part(tail, max(wider.end, listed, told))
    return Match(end, "MEDICAL", LIKELY, begin=wider.begin)


def _is_reference(tail: Tail, at: int, end: int) -> bool:
    """ "b twelve forty six": a letter and more figures than the term has."""
    return bool(tail.marks[at] & kinds.LETTER and tail.marks[end - 1] & tail.marks[end] & kinds.NUMBER)


def _is_attribute(tail: Tail, end: int) -> bool:
    """ "a cold tap", "a temperature dial": the word of illness tells of a thing."""
    things = _ATTRIBUTES.get(stem(tail.words[end - 1]))
    return things is not None and bare(tail.words[end]) in things


_ATTRIBUTES: Final = {
    word.strip(): frozenset(things.split())
    for word, _, things in (line.partition(" = ") for line in lines_of("attributes"))
}


def _is_meant_otherwise(view: View, at: int) -> bool:
    """A word of illness that tells of no illness here."""
    if view.tail.words[at] == "covid" and not view.expects.ailing:
        return view.tail.words[at - 1] in _IN_TIMES  # "not since covid"
    if not view.expects.ailing and _is_judgement(view.tail, at):
        return True
    return is_figurative(view.tail, at) or _is_thing_s(view.tail, at)


_IN_TIMES: Final = frozenset({"since", "before", "during", "pre", "until", "till", "when"})


def _is_judgement(tail: Tail, at: int) -> bool:
    """ "parking there is a pain", "it's a real headache": nobody's, and nothing more is told of it."""
    word = tail.words[at]
    if word not in ("pain", "headache"):
        return False
    if tail.marks[at + 1] & kinds.WORD and tail.words[at + 1] not in _BEHIND_JUDGEMENT:
        return False
    here = at - 1
    while tail.words[here] in _INTENSE and here >= at - _INTENSE_TOKENS:
        here -= 1
    plain = here == at - 2 and word == "headache"
    return here < at - 1 and not plain and tail.words[here] in _JUDGING


_JUDGING: Final = frozenset({"it's", "that's", "is", "was", "which", "really", "be", "being", "been"})
_BEHIND_JUDGEMENT: Final = frozenset(
    {"to", "but", "and", "so", "isn't", "though", "really", "honestly", "because", "if", "trying", "getting"}
)


def is_figurative(tail: Tail, at: int) -> bool:
    """ "the website's a real headache", "a hiccup with the payment", "a pain of a form"."""
    if stem(tail.words[at]) not in _FIGURATIVE:
        return False
    if tail.words[at + 1] == "of" and tail.words[at + 2] in ("a", "an"):
        return True
    here = at - 1
    while tail.words[here] in _INTENSE and here > at - _INTENSE_TOKENS:
        here -= 1
    if tail.words[here] not in ("a", "an", "such") and tail.words[here + 1] not in _INTENSE:
        return False
    if tail.words[at + 1] in ("trying", "getting"):
        return True
    if any(_is_thing_behind(tail, here) for here in range(at + 1, at + _BEHIND_TOKENS)):
        return True
    return _is_thing_before(tail, at)


def _is_thing_s(tail: Tail, at: int) -> bool:
    """ "the app's had a bug", "a fracture in the wall", "traffic was paralysed", "a form stroke four"."""
    word = stem(tail.words[at])
    if word == "stroke":
        return _is_slash(tail, at)
    if word not in _OF_THINGS:
        return False
    if tail.words[at + 1] in ("in", "on", "of", "with") and _stands_thing(tail, at + 2):
        return True
    back = at - 1
    while tail.words[back] in _HAPPENING and back > at - _HAPPENING_TOKENS:
        back -= 1
    return stem(tail.words[back]) in _THINGS and not tail.marks[back - 1] & kinds.BODY


def _stands_thing(tail: Tail, at: int) -> bool:
    """ "the wall", "your booking page"."""
    thing = at + (tail.words[at] in _DETERMINERS)
    return stem(tail.words[thing]) in _THINGS or (thing > at and stem(tail.words[thing + 1]) in _THINGS)


_DETERMINERS: Final = frozenset(["the", "your", "my", "our", "that", "this", "their", "a", "an"])
_OF_THINGS: Final = frozenset(
    [
        *("bug", "virus", "fracture", "crack", "rupture", "leak", "strain", "depression", "fault", "fit"),
        *("paralysed", "paralyzed", "bleeding", "infected", "crippled", "wheezing", "wheezy", "limping"),
        *("blister", "blistered", "blistering", "inflamed", "bruised", "swollen", "seized", "congestion"),
        *("congested", "blockage", "blocked", "discharge", "growth", "glitch"),
    ]
)
"""What can be wrong with a thing, in words of illness."""
_HAPPENING: Final = frozenset(
    [
        *("is", "was", "has", "had", "have", "been", "are", "were", "got", "gets", "getting", "keeps", "a"),
        *(
            "all",
            "totally",
            "completely",
            "still",
            "just",
            "really",
            "an",
            "another",
            "also",
            "being",
            "some",
        ),
        *("now", "always", "badly", "the", "with", "from", "caught", "picked", "up", "hit", "by"),
    ]
)
_HAPPENING_TOKENS: Final = 6


def _is_slash(tail: Tail, at: int) -> bool:
    """ "ninety nine stroke bravo"."""
    around = tail.marks[at - 1] & _OF_REFERENCES and tail.marks[at + 1] & _OF_REFERENCES
    return bool(around)


_OF_REFERENCES: Final = kinds.NUMBER | kinds.SPELLED | kinds.PAIR


def _is_thing_before(tail: Tail, at: int) -> bool:
    """A thing, and since then nobody whose pain it could be."""
    for back in range(2, _THING_TOKENS + 1):
        if tail.words[at - back] in _BODIES:
            return False
        if stem(tail.words[at - back]) in _THINGS:
            return True
    return False


def _is_thing_behind(tail: Tail, at: int) -> bool:
    """ "with the payment", "for the website"."""
    if tail.words[at] not in ("with", "for"):
        return False
    thing = at + 1 + (tail.words[at + 1] in ("the", "your", "my", "our", "that", "this"))
    return stem(tail.words[thing]) in _THINGS


_FIGURATIVE: Final = frozenset({"headache", "hiccup", "pain", "nightmare", "shock", "bug"})
_INTENSE: Final = frozenset(
    ["real", "right", "proper", "bit", "of", "a", "old", "total", "big", "huge", "little", "such", "absolute"]
)
_INTENSE_TOKENS: Final = 4
_THINGS: Final = word_list("troubling_things")
_BODIES: Final = frozenset(["i", "i've", "i'm", "i'd", "my", "he", "she", "he's", "she's", "his", "her"])
_THING_TOKENS: Final = 8
_BEHIND_TOKENS: Final = 5


def _term(view: View, at: int) -> int | None:
    tail = view.tail
    built_in = phrase(tail, at, TERMS)
    own = phrase(tail, at, view.lexis.own) if view.lexis.own else None
    return built_in if own is None else max(own, built_in or own)


def _unlisted_term(view: View, at: int) -> int | None:
    """ "cystic acne", "my Huntington's", "he takes PrEP": a term by its neighbours or its capital."""
    tail = view.tail
    word = tail.words[at]
    if word not in _TOLD_BY_NEIGHBOURS:
        return at + 1 if word[-2:] == "'s" and _of_eponym(tail, at) else None
    if word in HARM_VERBS:
        return _harmed(view, at)
    if word in OWNED_TERMS:
        return at + 1 if _is_owned(tail, at) else None
    if word in MEDICAL_LEADS:
        return _term(view, at + 1) if tail.marks[at + 1] & kinds.TERM else None
    return at + 1 if tail.capital[at] and tail.words[at - 1] not in (".", "?", "!", "") else None


_TOLD_BY_NEIGHBOURS: Final = HARM_VERBS | OWNED_TERMS | MEDICAL_LEADS | MEDICAL_CAPITALS


def _is_owned(tail: Tail, at: int) -> bool:
    """ "my coil", "her old cast", "off with stress"."""
    before = tail.words[at - 1]
    if tail.words[at] in MASS_TERMS:
        return before in MASS_TERMS[tail.words[at]] and tail.words[at + 1] not in _OTHER_OWNED
    if tail.words[at + 1] in _OTHER_OWNED:
        return False
    if tail.words[at] == "cleaning" and before == "a":
        return True
    return before in _WHOSE or (tail.words[at - 2] in _WHOSE and before in _OLD_OR_NEW)


_WHOSE: Final = frozenset({"my", "his", "her", "their", "mum's", "dad's", "your"})
_OTHER_OWNED: Final = word_list("behind_owned_terms")
"""Behind a word that is medical where it is somebody's, and not there: "my drinking water"."""
_OLD_OR_NEW: Final = frozenset(
    {"old", "new", "hormone", "copper", "heart", "front", "dental", "current", "last"}
)


def _of_eponym(tail: Tail, at: int) -> bool:
    """ "has Huntington's", "my Crohn's is back"; or it is all that is said."""
    word = tail.words[at]
    if not word.endswith("'s") or word[:-2] not in EPONYMS:
        return False
    follows = tail.marks[at + 1]
    if tail.words[at - 1] in ("", ":"):
        return bool(follows & kinds.END) or (
            tail.words[at + 1] == "." and bool(tail.marks[at + 2] & kinds.END)
        )
    if tail.words[at - 1] not in _BEFORE_ILLNESS:
        return False
    return not follows & kinds.WORD or bool(follows & kinds.STOP) or tail.words[at + 1] in _AFTER_ILLNESS


def _strange_end(view: View, at: int) -> int | None:
    """ "ureteral stent", "haemodialysis": a word of medical terms only, in no term that is listed."""
    tail = view.tail
    if len(tail.words[at]) < _STRANGE_LETTERS:
        return None
    if tail.marks[at + 1] & (kinds.ALONE | kinds.COMPLAINT):
        return _with_tail(tail, _term(view, at + 1) or at + 2)
    return _with_tail(tail, at + 1) if has_medical_ending(tail.words[at]) else None


def _harmed(view: View, at: int) -> int | None:
    """ "tore my rotator cuff": what happened to what only a term names."""
    tail = view.tail
    owned = tail.words[at + 1] in ("my", "his", "her", "their")
    return _term(view, at + 2) if owned and tail.marks[at + 2] & kinds.TERM else None


_ALLERGIES: Final = frozenset({"allergic", "allergy", "intolerance", "intolerant"})
_AFTER_ILLNESS: Final = frozenset(
    ["again", "since", "runs", "gene", "really", "badly", "now", "too", "sufferer", "gets", "got"]
)
_BEFORE_ILLNESS: Final = frozenset(
    {
        "got",
        "has",
        "have",
        "had",
        "with",
        "of",
        "my",
        "his",
        "her",
        "their",
        "about",
        "and",
        "or",
        "from",
        "it's",
    }
)
_SWOLLEN: Final = word_list("hurting_states") - {"ringing", "hot", "floating", "racing", "dead", "crossed"}
_TAILS: Final = word_list("medical_tails")
_MOST_TAILS: Final = 2


def _with_tail(tail: Tail, end: int) -> int:
    """Over "removal", "surgery", "patches": what is done or given, behind what it is for."""
    if not tail.marks[end] & kinds.STOP and tail.words[end] != "out":
        end = max(end, phrase(tail, end - 1, TERMS) or end)  # "wet macular", "macular degeneration"
    limit = end + _MOST_TAILS
    end = _over_part(tail, end)
    while end < limit and stem(tail.words[end]) in _TAILS:
        end += 1
    end += tail.words[end] in _OPERATED
    return told_of(tail, end - 1) or of_part(tail, end) or end


def _over_part(tail: Tail, end: int) -> int:
    """ "sore throat and swollen glands", "painful swelling": over what the last word is said of."""
    if tail.words[end - 1] not in _SWOLLEN:
        return end
    if tail.marks[end] & kinds.BODY:
        return end + 1
    of = complaint(tail, end) if tail.marks[end] & (kinds.HARM | kinds.FRAMED) else None
    if of is not None and of.begin == end:
        return of.end
    return phrase(tail, end, TERMS) or end if tail.marks[end] & kinds.ALONE else end


_OPERATED: Final = frozenset(
    ["removed", "replaced", "reversed", "drained", "lanced", "syringed", "repaired", "corrected", "dissolved"]
) | frozenset(["straightened", "extracted", "whitened", "lasered", "excised", "biopsied", "stitched"])
"""What is done to a part of the body, behind it."""


def _allergen(tail: Tail, at: int, end: int) -> int:
    """Over "to shellfish", "reaction to bactrim"."""
    joins = at + 1 + (stem(tail.words[at + 1]) == "reaction")
    follows = joins + 1
    joined = tail.words[joins] == "to" or (
        tail.words[joins] in ("on", "for", "from", "of") and tail.marks[follows] & kinds.ALONE
    )
    fits = joined and tail.marks[follows] & kinds.WORD and not tail.marks[follows] & kinds.STOP
    return max(end, follows + 1) if fits else end


def _participle(view: View, at: int) -> bool:
    return any(view.lexis.is_term(base) for base in bases(view.tail.words[at]))


def has_medical_ending(word: str) -> bool:
    """Built like a medical word: "tendinosis"."""
    if len(word) < _ENDING_LETTERS:
        return False
    if len(word) >= _BEGINNING_LETTERS and _BEGINNINGS.fullmatch(word) is not None:
        return True
    return _ENDINGS.fullmatch(word) is not None


def _near(view: View, at: int) -> int | None:
    near = view.lexis.near
    tail = view.tail
    first = tail.words[at]
    if not tail.marks[at] & kinds.WORD:
        return None
    if not near.may_begin(first):
        return at + 1 if near.picks(first, None) else None
    after = after_marks(tail, at + 1)
    second = tail.words[after] if tail.marks[after] & kinds.WORD else None
    picked = near.picks(first, second)
    if not picked:
        return None
    return after + 1 if picked == 2 else at + 1
