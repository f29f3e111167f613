"""Sentence frames of a word list: "lost @much* @losable" finds "lost a lot of weight" and "lost my voice".

A line `name = word word` is a class. Every other line is a frame, its elements in order:

- `had|having`: one of these words; `@animal`: one of a class; several of them may be joined by `|`
- `BODY`: a part of the body, sides before it inside ("left knee"); `OWNED`: the same with "my" or another
  owner before it; `PLACE`: a preposition and what is owned ("under my arm")
- `SPOT`: the same with a part that is hardly ever meant otherwise ("in my eye", "out of my toe")
- `TERM`: a medical term of one word; `NUMBER`: a number of some words or figures; `ANY`: a word that builds
  no sentence; `UNKNOWN`: a word of no list, such as a drug's; `DRUG`: what sounds like one
- `OVER`: nothing more of the sentence follows; `NOT:a|b`: none of these follows; `IF:a|b`: one of these
  follows; all three take no word
- `it|OWNED`, `few|NUMBER`: words and any of the above but `NOT` and `IF`
- `>`: what stands before it is not part of what is found; `<`: what stands behind it is not
- behind any of them, `?`: may be missing; `*`: any number of times up to four

A frame begins with words or a class: by them it is found.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from compliance.redaction.medical.drug_sounds import drug_end
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, lines_of, stem, word_list
from compliance.redaction.text.tokens import Tail

_MOST_REPEATS: Final = 4
_MOST_SIDES: Final = 3
_MOST_NUMERALS: Final = 5
SIDES: Final = word_list("body_sides")
REGIONS: Final = word_list("body_regions")
"""What of a part of the body is named: "the arch of my foot"."""
KIN: Final = word_list("kin_owners")
"""Whose a part of the body is: "dad's", and as it is heard without its apostrophe."""
OWNERS: Final = KIN | {
    *("my", "his", "her", "their", "the", "your", "our", "one", "a", "both", "me", "this", "that")
}
_POSSESSIVES: Final = frozenset(
    {"my", "his", "her", "their", "your", "our", "one", "both", "the", "each", "its"}
)
_PREPOSITIONS: Final = word_list("placing")
_SURE_PARTS: Final = word_list("body_distinct") - word_list("body_of_idioms")
_NAMED: Final = kinds.RARER | kinds.FIRST | kinds.LAST | kinds.MAYBE | kinds.LETTER | kinds.PAIR
_BRANDS: Final = word_list("brands")
_CLOSER: Final = frozenset({"all", "right", "just"})
_BEGINS: Final = {"OWNED": _POSSESSIVES, "PLACE": _PREPOSITIONS | _CLOSER, "SPOT": _PREPOSITIONS | {"out"}}
_WITH_IS: Final = frozenset({"it's", "that's", "he's", "she's", "there's", "what's", "let's"})
_SOLID: Final = kinds.WORD | kinds.DIGITS


class _Element(NamedTuple):
    """One place of a frame: what may stand there, and how often; `also`: what else than the words may."""

    what: str
    words: frozenset[str]
    least: int
    most: int
    also: tuple[str, ...] = ()


_BEGIN: Final = _Element("BEGIN", frozenset(), 1, 1)
_END: Final = _Element("END", frozenset(), 1, 1)
Frame = tuple[_Element, ...]
_AHEAD: Final = 14
_REACH: Final = {
    "BODY": 4,
    "OWNED": 5,
    "PLACE": 9,
    "SPOT": 7,
    "NUMBER": 5,
    "DRUG": 4,
    "NOT": 0,
    "IF": 0,
    "OVER": 0,
}
"""The most tokens that an element takes, where it is not one."""


class _Keyed(NamedTuple):
    """A frame, and the rarest words that it needs."""

    frame: Frame
    key: frozenset[str] | None


class Found(NamedTuple):
    """The tokens from `begin` up to `end`."""

    begin: int
    end: int


class _Group(NamedTuple):
    """Frames that may fit, and words one of which all of them need; no such words if one does without."""

    frames: Sequence[_Keyed]
    key: frozenset[str] | None


class _Behind(NamedTuple):
    """The frames of a first word: by the word after it, and those that any word may follow."""

    followed: Mapping[str, _Group]
    open: _Group


class Frames:
    """The frames of `words/<name>.txt`, by their first word and, where words must follow, the second.

    Several lists are read as one: classes of the first stand in frames of the others.
    """

    def __init__(self, *names: str) -> None:
        lines = [line for name in names for line in lines_of(name)]
        classes = {
            key.strip(): frozenset(words.split())
            for key, found, words in (line.partition(" = ") for line in lines)
            if found
        }
        frames = [
            tuple(_element(text, classes) for text in line.split()) for line in lines if " = " not in line
        ]
        self._written = frozenset[str]().union(*(frame[0].words for frame in frames))
        self._behind = _by_first_word(frames)

    def first_words(self) -> set[str]:
        """The words that a frame may begin with."""
        return {*self._written, *self._behind}

    def followers(self, first: str) -> frozenset[str] | None:
        """The words that may follow this one in a frame, bare; None if any may."""
        behind = self._behind.get(_bare(first))
        if behind is None:
            return frozenset()
        return None if behind.open.frames else frozenset(behind.followed)

    def find(self, tail: Tail, at: int, first: str = "") -> Found | None:
        """The longest of what fits from `at` on; `first` is read instead of the word there."""
        words = tail.words
        first = first or words[at]
        behind = self._behind.get(_bare(first) if first[-2:] == "'s" else first)
        if behind is None:
            return None
        second = words[at + 1]
        group = behind.followed.get(_bare(second) if second[-2:] == "'s" else second, behind.open)
        if not group.frames:
            return None
        ahead = tail.vocabulary() if tail.ended else _words_ahead(tail, at + 1)
        if ahead is not None and group.key is not None and group.key.isdisjoint(ahead):
            return None
        fits = [
            fit
            for keyed in group.frames
            if (ahead is None or keyed.key is None or not keyed.key.isdisjoint(ahead))
            and (fit := _fit(tail, at + 1, keyed.frame, 1, at)) is not None
        ]
        return max(fits, key=_by_length, default=None)


def _by_first_word(frames: Sequence[Frame]) -> dict[str, _Behind]:
    """Words that begin the same frames, as those of a class do, share what is behind them."""
    keyed = [_Keyed(frame, _key(frame)) for frame in frames]
    seconds = [_seconds(frame) for frame in frames]
    numbers: dict[str, list[int]] = {}
    for number, frame in enumerate(frames):
        for first in {_bare(word) for word in frame[0].words}:
            numbers.setdefault(first, []).append(number)
    groups: dict[tuple[int, ...], _Group] = {(): _Group((), None)}
    behind: dict[tuple[int, ...], _Behind] = {}
    for each in map(tuple, numbers.values()):
        if each not in behind:
            followed, unfollowed = _by_second_word(each, seconds)
            for some in {unfollowed, *followed.values()}:
                if some not in groups:
                    groups[some] = _group([keyed[number] for number in some])
            behind[each] = _Behind(
                {second: groups[some] for second, some in followed.items()}, groups[unfollowed]
            )
    return {first: behind[tuple(each)] for first, each in numbers.items()}


def _by_second_word(
    numbers: Sequence[int], seconds: Sequence[set[str] | None]
) -> tuple[dict[str, tuple[int, ...]], tuple[int, ...]]:
    """The frames by the word that may follow their first, with those that any word may; these alone."""
    unfollowed = tuple(number for number in numbers if seconds[number] is None)
    followed: dict[str, list[int]] = {}
    for number in numbers:
        for second in seconds[number] or ():
            followed.setdefault(second, []).append(number)
    return {second: (*each, *unfollowed) for second, each in followed.items()}, unfollowed


def _group(frames: Sequence[_Keyed]) -> _Group:
    keys = [keyed.key for keyed in frames if keyed.key is not None]
    told = len(frames) > 1 and len(keys) == len(frames)
    return _Group(tuple(frames), frozenset[str]().union(*keys) if told else None)


def _words_ahead(tail: Tail, at: int) -> set[str] | None:
    """The next words; None if not all of them have come yet."""
    words = tail.words[at : at + _AHEAD]
    if len(words) < _AHEAD:
        return None
    return {*words, *(bare(word) for word in words if word[-2:] == "'s")}


def _key(frame: Frame) -> frozenset[str] | None:
    """Words one of which must stand behind the first for the frame to fit; None if that cannot be told."""
    keys: list[frozenset[str]] = []
    reach = 0
    for element in frame[1:]:
        reach += element.most * max(_REACH.get(what, 1) for what in (element.what, *element.also))
        if element.what == "WORDS" and element.least and not element.also and reach <= _AHEAD:
            keys.append(element.words)
    return min(keys, key=len, default=None)


def _by_length(found: Found) -> tuple[int, int]:
    return found.end, -found.begin


def _seconds(frame: Frame) -> set[str] | None:
    """The words that may follow a frame's first, bare; None if others may."""
    seconds: set[str] = set()
    for element in frame[1:]:
        if element in (_BEGIN, _END) or element.what == "NOT":
            continue
        for what in (element.what, *element.also):
            listed = _BEGINS.get(what) if what != "WORDS" else element.words
            if listed is None:
                return None
            seconds |= {_bare(word) for word in listed}
        if element.least:
            return seconds
    return None


def _bare(word: str) -> str:
    return bare(word) if word[-2:] == "'s" and word not in _WITH_IS else word


def _element(text: str, classes: Mapping[str, frozenset[str]]) -> _Element:
    if text in "<>":
        return _BEGIN if text == ">" else _END
    body = text.rstrip("?*")
    least = int(body == text)
    most = _MOST_REPEATS if text.endswith("*") else 1
    if body.rstrip("!").isupper():
        return _Element(body, frozenset(), least, most)
    what, _, listed = body.rpartition(":")
    parts = listed.split("|")
    also = tuple(part for part in parts if part in _READERS)
    words = frozenset(part for part in parts if part not in _READERS and not part.startswith("@"))
    words = words.union(*(classes[part[1:]] for part in parts if part.startswith("@")))
    return _Element(what or "WORDS", words, least, most, also)


def _fit(tail: Tail, at: int, frame: Frame, index: int, begin: int) -> Found | None:
    """The frame from its element `index` on, at `at`."""
    if index == len(frame):
        return Found(begin, at)
    element = frame[index]
    if element is _BEGIN:
        return _fit(tail, at, frame, index + 1, at)
    if element is _END:
        behind = _fit(tail, at, frame, index + 1, begin)
        return None if behind is None else Found(begin, at)
    places = [at]
    while len(places) <= element.most:
        here = _one(tail, places[-1], element)
        if here is None:
            break
        places.append(here)
    for here in reversed(places[element.least :]):
        found = _fit(tail, here, frame, index + 1, begin)
        if found is not None:
            return found
    return None


def _one(tail: Tail, at: int, element: _Element) -> int | None:
    """Behind what fits this element once."""
    read = _READERS.get(element.what)
    if read is not None:
        return read(tail, at)
    word = tail.words[at]
    if element.what == "NOT":
        return None if word in element.words else at
    if word not in element.words and _bare(word) not in element.words:
        if not element.also:
            return None
        ends = (_READERS[what](tail, at) for what in element.also)
        return next((end for end in ends if end is not None), None)
    return at if element.what == "IF" else at + 1


def _any_end(tail: Tail, at: int) -> int | None:
    return at + 1 if tail.marks[at] & kinds.WORD and not tail.marks[at] & kinds.STOP else None


def _unknown_end(tail: Tail, at: int) -> int | None:
    strange = tail.marks[at] & kinds.UNKNOWN and not tail.marks[at] & _NAMED
    return at + 1 if strange and tail.words[at] not in _BRANDS else None


def _term_end(tail: Tail, at: int) -> int | None:
    return at + 1 if tail.marks[at] & kinds.ALONE else None


def _over(tail: Tail, at: int) -> int | None:
    return None if tail.marks[at] & _SOLID else at


def _owned_end(tail: Tail, at: int) -> int | None:
    if tail.words[at] == "the" and tail.words[at + 1] in REGIONS and tail.words[at + 2] == "of":
        at += 3
    return body_end(tail, at + 1) if tail.words[at] in _POSSESSIVES else None


def body_end(tail: Tail, at: int) -> int | None:
    """Behind "knee", "left knee", "lower back"."""
    here = at
    while here < at + _MOST_SIDES and tail.words[here] in SIDES and not tail.marks[here + 1] & kinds.END:
        if tail.marks[here] & kinds.BODY and not tail.marks[here + 1] & kinds.BODY:
            break
        here += 1
    if not tail.marks[here] & kinds.BODY:
        return None
    return here + 1 + (tail.words[here + 1] in _OF_PARTS)


_OF_PARTS: Final = frozenset(
    {"blade", "blades", "bone", "bones", "lobe", "lobes", "joint", "joints", "button"}
)
"""Behind a part of the body: "shoulder blade"."""


def place_end(tail: Tail, at: int) -> int | None:
    """Behind "under my arm", "all over his back", "on the side of my neck", "in both ears"."""
    here = at
    here += tail.words[here] in _CLOSER
    if tail.words[here] not in _PREPOSITIONS:
        return None
    here += 1
    if (tail.words[here], tail.words[here + 2]) in (("the", "of"), ("one", "of")):
        here += 3
    here += tail.words[here] in _POSSESSIVES
    return body_end(tail, here)


def _spot_end(tail: Tail, at: int) -> int | None:
    out = tail.words[at] == "out" and tail.words[at + 1] in ("of", "from")
    here = at + 1 + out
    if not out and tail.words[at] not in _PREPOSITIONS:
        return None
    end = body_end(tail, here + 1) if tail.words[here] in _POSSESSIVES else None
    return end if end is not None and stem(tail.words[end - 1]) in _SURE_PARTS else None


def _number_end(tail: Tail, at: int) -> int | None:
    here = at
    while here < at + _MOST_NUMERALS and (
        tail.marks[here] & kinds.NUMBER
        or (here > at and tail.words[here] in ("and", "point", ".", "a", "half", "over"))
    ):
        here += 1
    while here > at and not (tail.marks[here - 1] & kinds.NUMBER or tail.words[here - 1] == "half"):
        here -= 1
    return here if here > at else None


_READERS: Final = {
    "BODY": body_end,
    "OWNED": _owned_end,
    "PLACE": place_end,
    "SPOT": _spot_end,
    "NUMBER": _number_end,
    "OVER": _over,
    "TERM": _term_end,
    "UNKNOWN": _unknown_end,
    "DRUG": drug_end,
    "ANY": _any_end,
}
