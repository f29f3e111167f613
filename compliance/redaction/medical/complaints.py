"""What callers say is wrong, in words of every day: "heart issues", "my knee hurts", "I hurt my back".

No list can hold these; they are built from a part of the body, a complaint, and few ways to join them.
"""

from typing import Final

from compliance.redaction.medical.frames import (
    KIN,
    OWNERS,
    REGIONS,
    SIDES,
    Found,
    Frames,
    body_end,
    place_end,
)
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, stem, word_list
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import mark_ailing

_WRONG_VERBS: Final = word_list("hurting_verbs")
"""What a part of the body does: "hurts", "clicks"."""
_WRONG_STATES: Final = word_list("hurting_states")
"""How a part of the body is: "is swollen", "went numb"."""
_LINKS: Final = word_list("body_links")
HARM_VERBS: Final = word_list("harming_verbs")
"""What happens to a part of the body: "broke my wrist"."""
_DISTINCT: Final = word_list("body_distinct")
"""Parts of the body that are hardly anything else; the others need an owner: "my back"."""
FRAMES: Final = Frames(
    "ailing_frames",
    "ailing_movement",
    "ailing_looks",
    "ailing_insides",
    "ailing_minds",
    "ailing_ages",
    "ailing_treatments",
    "ailing_plainly",
)
"""What is told in whole phrases; the classes of the first list stand in all."""
mark_ailing(FRAMES.first_words())
_STATES: Final = Frames("ailing_states")
TOLD: Final = Frames("told_phrases")
"""What is said on of an ailment: "it's come off"."""

_MODIFIERS: Final = 3
_MOST_LINKS: Final = 3


def complaint(tail: Tail, at: int) -> Found | None:
    """The complaint that begins at `at`, or a little later."""
    built = _built(tail, at)
    framed = FRAMES.find(tail, at) if tail.marks[at] & kinds.FRAMED else None
    if framed is None or (built is not None and built >= framed.end):
        return None if built is None else Found(at, built)
    return framed


def _built(tail: Tail, at: int) -> int | None:
    kind = tail.marks[at]
    word = tail.words[at]
    if kind & kinds.BODY:
        found = _of_body(tail, at)
        if found is not None:
            return found
    if kind & kinds.MODIFIER:
        found = _modified(tail, at)
        if found is not None:
            return found
    if word in REGIONS and tail.words[at + 1] == "of":
        found = _of_region(tail, at)
        if found is not None:
            return found
    if word in HARM_VERBS:
        return _harm(tail, at)
    if word in ("scan", "scans"):
        return of_part(tail, at + 1)
    return None


def of_part(tail: Tail, at: int) -> int | None:
    """ "of my knee", "of the lower back": which part of the body a scan or a biopsy is of."""
    if tail.words[at] != "of":
        return None
    here = at + 1 + (tail.words[at + 1] in OWNERS)
    while here < at + _MODIFIERS and tail.words[here] in SIDES and not tail.marks[here] & kinds.END:
        here += 1
    return here + 1 if tail.marks[here] & kinds.BODY else None


def _of_body(tail: Tail, at: int) -> int | None:
    """ "heart issues", "heart and lung trouble", "knee hurts", "feet go numb"."""
    here = at + 1
    if tail.words[here] == "-" and tail.glued[here]:
        here += 1
    if tail.words[here] in ("and", "or") and tail.marks[here + 1] & kinds.BODY:
        here += 2
    elif tail.marks[here] & kinds.BODY and not tail.marks[here] & kinds.COMPLAINT:
        here += 1
    if tail.words[here] in ("'s",):
        here += 1
    if tail.marks[here] & kinds.COMPLAINT:
        return here + 1
    if tail.marks[here] & kinds.TERM and (tail.marks[here] & kinds.ALONE or stem(tail.words[here]) in _HEADS):
        return here + 1
    if not _is_meant(tail, at):
        there = place_end(tail, here) if tail.words[here] in _WHERE else None
        return None if there is None else _ails(tail, there)
    found = _ails(tail, here)
    if found is None and tail.words[here] in _WHERE:
        there = place_end(tail, here)
        found = None if there is None else _ails(tail, there)
    return found


def _of_region(tail: Tail, at: int) -> int | None:
    """ "the arch of my foot kills", "one side of his face has dropped"."""
    owned = tail.words[at + 2] in OWNERS
    end = body_end(tail, at + 2 + owned)
    return None if end is None or not owned else _ails(tail, end)


def _ails(tail: Tail, at: int) -> int | None:
    """What goes wrong with the part of the body before `at`: "hurts", "is red and hot"."""
    if tail.words[at] in _WRONG_VERBS:
        return _with_particle(tail, at + 1)
    found = _state(tail, at)
    return None if found is None else _and_state(tail, found)


def _and_state(tail: Tail, end: int) -> int:
    """Over "and crumbly", behind "yellow"."""
    if tail.words[end - 1] not in _LOOKS or tail.words[end] not in ("and", "or"):
        return end
    here = end + 1
    while here < end + _MODIFIERS and tail.words[here] in _VERY:
        here += 1
    return here + 1 if tail.words[here] in _LOOKS else end


def _with_particle(tail: Tail, end: int) -> int:
    return end + (tail.words[end] in _PARTICLES)


_PARTICLES: Final = frozenset({"up", "out", "solid", "shut", "badly", "constantly"})
_HUES: Final = frozenset(
    {"red", "white", "black", "yellow", "blue", "purple", "green", "grey", "pale", "hard", "cold"}
)
_LOOKS: Final = _WRONG_STATES | _HUES
_VERY: Final = frozenset({"very", "really", "so", "a", "bit", "quite", "all"})
_WHERE: Final = frozenset({"on", "in", "of", "under", "around", "behind", "inside", "round"})
mark_ailing(REGIONS)


_HEADS: Final = word_list("complaint_heads")


def _is_meant(tail: Tail, at: int) -> bool:
    """It is a part of somebody's body: "my back", "her left arm", "knees"."""
    if stem(tail.words[at]) in _DISTINCT:
        return True
    before = tail.words[at - 1]
    return before in OWNERS or (before in SIDES and tail.words[at - 2] in OWNERS)


def _state(tail: Tail, at: int) -> int | None:
    """ "is swollen", "has gone funny", "gave way"."""
    contracted = tail.words[at - 1].endswith("'s")
    told = _STATES.find(tail, at - 1, "is") if contracted else _STATES.find(tail, at)
    if tail.words[at] in ("and", "or"):
        return None
    here = at
    while here < at + _MOST_LINKS and (tail.words[here] in _LINKS or tail.words[here] == "'s"):
        here += 1
    if here > at or contracted:
        told_word = tail.words[here] in _WRONG_STATES or (here > at and tail.words[here] in _WRONG_VERBS)
        if told_word and (told is None or told.end < here + 1):
            return _with_particle(tail, here + 1)
    likened = _told(tail, at - 1, here) if tail.words[here] == "like" else None
    if told is not None or likened is not None:
        return max(likened or 0, told.end if told is not None else 0)
    links = tail.words[at:here]
    if "and" in links or not (contracted or any(word not in _NO_VERBS for word in links)):
        return None
    return _told(tail, at - 1, here) or told_of(tail, at - 1)


def told_of(tail: Tail, at: int) -> int | None:
    """Behind what is said of the ailment that ends with the token at `at`: "the stitches are pulling"."""
    found = TOLD.find(tail, at, "it's" if tail.words[at].endswith("'s") else "it")
    return None if found is None else found.end


_WELL: Final = word_list("well_states")
"""What is said of a part of the body with which nothing is wrong."""
_NO_VERBS: Final = word_list("links_no_verbs")
"""Links that alone tell of no state: "my chest a fortnight"."""
_TOLD_WORDS: Final = 3
_LIKENED_WORDS: Final = 6
_WHOSE: Final = KIN | {"my", "his", "her", "their", "your"}
_OF_IDIOMS: Final = frozenset({"hand", "head", "heart", "face", "lap", "nail", "hair", "back"})
"""Of these much else is told: "my hands are tied"."""
_FELT: Final = frozenset({"feel", "feels", "feeling", "felt", "is", "are", "goes", "gone", "looks", "look"})
_UNFIT_LIKENESS: Final = frozenset({"sieve", "hers", "his", "yours", "mine", "that", "this", "to"})
_CLAUSES: Final = frozenset(
    {"and", "but", "so", "or", "when", "since", "because", "if", "every", "all", "after", "while", "which"}
)


def _told(tail: Tail, part: int, at: int) -> int | None:
    """ "my left eye was glued shut": what else is told of a part of somebody's body."""
    back = part - 1
    while back > part - _MODIFIERS and tail.marks[back] & (kinds.BODY | kinds.MODIFIER):
        back -= 1
    if tail.words[back] not in _WHOSE and tail.words[back - 1] not in _WHOSE:
        return None
    if tail.words[at] == "like" and tail.words[at - 1] in _FELT:
        return _likened(tail, at)
    if bare(stem(tail.words[part])) in _OF_IDIOMS or tail.words[at] in _WELL:
        return None
    here = at
    while here < at + _TOLD_WORDS and tail.marks[here] & kinds.WORD and not tail.marks[here] & kinds.STOP:
        here += 1
    return here if here > at else None


def _likened(tail: Tail, at: int) -> int | None:
    """ "like blocks of ice", "like they've got gloves on"."""
    here = at + 1
    while here < at + _LIKENED_WORDS and tail.marks[here] & kinds.WORD and tail.words[here] not in _CLAUSES:
        here += 1
    unfit = tail.words[at + 1] in _UNFIT_LIKENESS or tail.words[here - 1] in _UNFIT_LIKENESS
    return None if here < at + 3 or unfit else here


def _modified(tail: Tail, at: int) -> int | None:
    """ "swollen knee", "lower back pain", "severe chest pain"; a modifier alone is nothing."""
    here = at
    while here < at + _MODIFIERS and tail.marks[here] & kinds.MODIFIER:
        here += 1
    if not tail.marks[here] & kinds.BODY:
        return None
    if tail.words[here + 1] in ("and", "or") and tail.marks[here + 2] & kinds.BODY:
        here += 2
    found = _of_body(tail, here)
    if found is not None:
        return found
    states = _MEANT_OTHERWISE if tail.words[here] == "back" else frozenset[str]()
    injured = any(
        tail.words[place] in _WRONG_STATES and tail.words[place] not in states for place in range(at, here)
    )
    return here + 1 if injured else None


_SAID_OTHERWISE: Final = frozenset(
    {"heart", "hearts", "head", "heads", "hand", "hands", "leg", "nerve", "hair", "face"}
)
"""What is broken, cut or lost in idioms."""
_MEANT_OTHERWISE: Final = frozenset(
    {"ringing", "pulled", "hot", "bent", "popped", "loose", "bleeding", "frozen"}
)
"""Before "back" these say something else: "thanks for ringing back"."""


def _harm(tail: Tail, at: int) -> int | None:
    """ "broke my wrist", "hurt his lower back", "grind my teeth"."""
    here = at + 1
    if tail.words[here] in ("up", "off", "out"):
        here += 1
    article = tail.words[here] in ("a", "an", "two", "three", "some", "several")
    if tail.words[here] not in OWNERS and not article:
        return None
    here += 1
    while tail.words[here] in SIDES and not (
        tail.marks[here] & kinds.BODY and not tail.marks[here + 1] & kinds.BODY
    ):
        here += 1
    fits = tail.marks[here] & kinds.BODY and tail.words[here] not in _SAID_OTHERWISE
    if article:
        fits = fits and stem(tail.words[here]) in _DISTINCT
    return here + 1 if fits else None
