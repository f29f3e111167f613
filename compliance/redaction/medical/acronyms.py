"""Short names of conditions, tests and procedures, said letter by letter or in capitals: "u t i", "a TIA".

Letters are such a name only if nothing else is spelled there: no name, code or e-mail address is expected,
and no further letter stands beside them. Two letters need to be what somebody has.
"""

from typing import Final

from compliance.redaction.medical.complaints import of_part
from compliance.redaction.talk.cues import STRONG
from compliance.redaction.talk.view import LIKELY, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import phrase_index, stem, word_list
from compliance.redaction.text.phrases import phrase
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import TERMS, mark_words

_NAMES: Final = word_list("acronyms")
_SAID: Final = phrase_index(name if " " in name else " ".join(name) for name in _NAMES)
"""As they are said: "u t i"."""
_SHORT: Final = word_list("short_acronyms")
_WRITTEN: Final = word_list("written_acronyms")
_TAILS: Final = word_list("medical_tails")
_HAVING: Final = frozenset(
    [
        "got",
        "have",
        "has",
        "had",
        "having",
        "with",
        "of",
        "my",
        "his",
        "her",
        "for",
        "about",
        "from",
        "called",
    ]
)
"""Before what somebody has, or is treated for."""
_OF_MORE: Final = frozenset({"and", "or", "the", "is", "mum's", "their", "your", "possible", "suspected"})
_SPELLED_HERE: Final = ("EMAIL", "POSTCODE", "GOV_ID", "CODE")
_OF_CODES: Final = kinds.SPELLED | kinds.NUMBER
_MOST_LETTERS: Final = 6
mark_words({begin[0] for begin in (*_NAMES, *_SHORT)} - {"i", "a"} | _WRITTEN, kinds.ACRONYM)


def acronym(view: View, at: int) -> Match | None:
    """The short name that begins with the letter, or is the word, at `at`; with what is done about it."""
    tail = view.tail
    if len(tail.words[at]) > 1:
        return _with_tail(tail, at, at + 1) if _is_written(tail, at) else None
    if not (tail.marks[at + 1] & kinds.LETTER or tail.glued[at + 1] or tail.words[at + 1] in _BEHIND_FIRST):
        return None
    end = _said_end(view, at)
    if end is not None:
        return _with_tail(tail, at, end)
    end = _said_end(view, at + 1) if tail.marks[at] & kinds.STOP else None
    return None if end is None else _with_tail(tail, at + 1, end)


def _with_tail(tail: Tail, begin: int, end: int) -> Match:
    end = max(end, phrase(tail, begin, TERMS) or end)
    while stem(tail.words[end]) in _TAILS:
        end += 1
    return Match(of_part(tail, end) or end, "MEDICAL", LIKELY, begin=begin)


_BEHIND_FIRST: Final = frozenset(word for begun in _SAID.values() for word in begun.longer if len(word) > 1)
"""Words behind the first letter: "d and c", "c a one two five"."""


def _said_end(view: View, at: int) -> int | None:
    """Behind the letters, if they are such a name and stand alone."""
    tail = view.tail
    if _is_spelling(view, at):
        return None
    end = phrase(tail, at, _SAID) or _dotted_end(tail, at)
    if end is None:
        end = at + 2 if tail.words[at] + tail.words[at + 1] in _SHORT and _is_had(tail, at, at + 2) else None
        return None if end is None or tail.marks[end] & _OF_CODES else end
    if not any(tail.marks[here] & kinds.ACRONYM for here in range(at, end)):
        return None  # a turn that holds no more than these is not looked through for such names
    more = tail.marks[end] & kinds.SPELLED and not tail.marks[end] & kinds.STOP
    return None if more or tail.marks[end] & kinds.JOIN else end


def _is_spelling(view: View, at: int) -> bool:
    """A name, a code or an address is spelled here: asked for, begun before, or of the name just said."""
    tail, expects = view.tail, view.expects
    if expects.name_open == STRONG or expects.awaits_any(_SPELLED_HERE):
        return True
    if tail.marks[at - 1] & (kinds.SPELLED | kinds.NUMBER) and not tail.marks[at - 1] & kinds.STOP:
        return True
    before = at - 1 - (tail.words[at - 1] in (",", "-", "."))
    return view.person_end >= 0 and tail.end(before) == view.person_end


def _dotted_end(tail: Tail, at: int) -> int | None:
    """ "U.T.I."."""
    letters, here = tail.words[at], at + 1
    while (
        tail.words[here] == "." and tail.glued[here] and tail.glued[here + 1] and len(letters) < _MOST_LETTERS
    ):
        letters += tail.words[here + 1]
        here += 2
    return here if letters in _NAMES else None


def _is_had(tail: Tail, at: int, end: int) -> bool:
    """ "got m s", "c t scan", "twenty four hour b p"."""
    return tail.words[at - 1] in _HAVING or tail.words[at - 1] == "hour" or stem(tail.words[end]) in _TAILS


def _is_written(tail: Tail, at: int) -> bool:
    """All of it in capitals and not all that stands around it; or "a TIA", "a tia"."""
    kind = tail.marks[at]
    short = len(tail.words[at]) == len("ms")
    if tail.marks[at + 1] & kinds.NUMBER or (tail.capital[at + 1] and tail.marks[at + 1] & kinds.LAST):
        return False
    if tail.words[at - 1] in ("a", "an", "another") and not short:
        return _is_upper(tail, at) or not kind & kinds.COMMON or bool(kind & kinds.FIRST)
    if not tail.capital[at] or not _is_upper(tail, at):
        return False
    if short:
        return tail.words[at - 1] in _HAVING or tail.words[at - 1] in _OF_MORE
    return not _is_upper(tail, at - 1)


def _is_upper(tail: Tail, at: int) -> bool:
    return tail.between(tail.starts[at], tail.end(at)).isupper()
