"""Words that are passed over whole: names that the org keeps, idioms, what is called like people."""

from typing import Final

from compliance.redaction.talk.cues import STRONG
from compliance.redaction.talk.view import Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import phrase_index, stem, word_list
from compliance.redaction.text.phrases import Followers, followers_in, may_begin, phrase
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import IDIOMS, mark_words


def kept(view: View, at: int) -> Match | None:
    """A name of the org's own; one word of it alone may be the answer to the question for a name."""
    end = phrase(view.tail, at, view.lexis.kept)
    if end is None or (view.expects.name_open == STRONG and end == at + 1):
        return None
    return Match(end, None)


def idiom(view: View, at: int) -> Match | None:
    """ "a pain in the neck", "New Year's Day"; the latter may be of a date of birth."""
    tail = view.tail
    if not may_begin(tail, at, _FOLLOWERS):
        return None
    if not view.expects.awaits("DOB"):
        end = phrase(tail, at, IDIOMS)
        if end is not None:
            return Match(end, None)
    word = tail.words[at]
    if word in _CALLED or ((word[-1:] == "s" or "'" in word) and stem(word) in _CALLED):
        return _called_like_people(view, at)
    return None


def _called_like_people(view: View, at: int) -> Match | None:
    """ "at John Lewis", "a Harry Potter poster"; where a name is asked for or told, it may be somebody's."""
    tail = view.tail
    if not tail.marks[at] & _NAMES or view.expects.name_open == STRONG or view.expects.awaits("PERSON"):
        return None
    end = phrase(tail, at, _FIGURES)
    if end is None and _is_gone_to(tail, at):
        end = phrase(tail, at, _SHOPS)
    return None if end is None or tail.words[end] in _STREETS else Match(end, None)


_STREETS: Final = frozenset({"road", "street", "lane", "avenue", "terrace", "crescent"})
"""Behind what is called like people or a hospital these make an address: "Saint Mary's Road"."""


def _is_gone_to(tail: Tail, at: int) -> bool:
    before = tail.words[at - 1]
    return before in _BEFORE_SHOPS or (before == "to" and tail.words[at - 2] in _GOING)


_FIGURES: Final = phrase_index(word_list("figures"))
_SHOPS: Final = phrase_index(word_list("shops"))
_BEFORE_SHOPS: Final = frozenset(
    ["in", "at", "from", "into", "outside", "opposite", "near", "past", "the", "behind", "above", "by"]
)
_GOING: Final = frozenset(
    [
        "been",
        "go",
        "going",
        "goes",
        "went",
        "gone",
        "off",
        "pop",
        "popped",
        "popping",
        "nip",
        "nipped",
        "next",
    ]
)
_NAMES: Final = kinds.FIRST | kinds.MAYBE | kinds.LAST | kinds.UNKNOWN | kinds.COMMON | kinds.TITLE
_FOLLOWERS: Final = Followers(*map(followers_in, (IDIOMS, _FIGURES, _SHOPS)))
_CALLED: Final = frozenset({*_FIGURES, *_SHOPS})
_FIRST_WORDS: Final = {line.split()[0] for line in word_list("figures") | word_list("shops")}
"""As they are said: "james", of which the index holds the stem alone."""
mark_words(_CALLED | _FIRST_WORDS, kinds.IDIOM)
