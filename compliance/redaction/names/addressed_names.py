"""Names that are words too, of whoever is spoken to: "okay barry you're booked", "thanks grace".

What stands right before tells most of it; behind the name the sentence ends, or turns to the one addressed.
Where the word is seldom anything but a name without an article ("barry", "heather"), less is asked for than
of one that can stand alone ("grace", "summer").
"""

from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, word_list
from compliance.redaction.text.tokens import Tail

_ADDRESSING: Final = word_list("before_addressed")
_ADDRESSED: Final = word_list("behind_addressed")
_PARTING: Final = word_list("before_parting")
_ASKED_FOR: Final = frozenset(
    {"birth", "number", "postcode", "email", "address", "surname", "mobile", "today", "name"}
)
_GREETING: Final = word_list("greetings")
"""Before a name alone, if anything of a person follows."""
DOES_TOO: Final = frozenset({"hope", "will", "may", "grant", "chase", "mark", "pat", "price", "sue", "drew"})
"""First names that begin a sentence as verbs: "okay will do", "thanks hope that helps"."""
_STATES: Final = word_list("states_like_names")
SEASONS: Final = frozenset({"summer", "autumn", "spring", "winter", "christmas", "easter"})
_ENDS: Final = kinds.WORD | kinds.NUMBER
_MYSELF: Final = frozenset({"i", "i'm", "i've", "i'd", "i'll", "you", "we"})
_QUESTIONS: Final = frozenset(
    ["what's", "what", "can", "could", "do", "have", "is", "are", "how", "when", "would", "your", "any"]
) | {"where", "which", "who", "did", "has", "does", "shall", "just"}


def is_addressed(tail: Tail, at: int, *, known: bool) -> bool:
    """The word at `at`, a first name too, is said to its bearer; `known`: it stands bare of an article."""
    month = bool(tail.marks[at] & kinds.MONTH)
    if _is_greeted(tail, at):
        return True
    if month:
        return False
    if known:
        return _is_known_addressed(tail, at)
    return _stands_alone(tail, at) and _is_set_behind(tail, at)


def _ends(tail: Tail, at: int) -> bool:
    return not tail.marks[at] & _ENDS


def _stands_alone(tail: Tail, at: int) -> bool:
    """It is no town, season, state or doing, all of which can be a whole reply."""
    word = tail.words[at]
    return not (tail.marks[at] & kinds.PLACE or word in _STATES or word in DOES_TOO or word in SEASONS)


def _is_greeted(tail: Tail, at: int) -> bool:
    """ "hi june", "thanks grace bear with me", "thank you hope"."""
    before = tail.words[at - 1]
    thanked = before == "you" and tail.words[at - 2] == "thank"
    if not thanked and (before not in _GREETING or tail.words[at - 2] in _NO_GREETINGS):
        return False
    if tail.words[at] in _STATES or (tail.glued[at + 1] and tail.words[at + 1] == "-"):
        return False
    if _ends(tail, at + 1):
        return True
    if tail.marks[at] & kinds.MONTH or tail.words[at] in DOES_TOO:
        return False
    return tail.words[at + 1] in _ADDRESSED


_NO_GREETINGS: Final = word_list("before_no_greetings")
"""Before these "morning" and "thanks" are no greetings: "this morning", "no thanks"."""


def _is_known_addressed(tail: Tail, at: int) -> bool:
    """ "okay barry you're all booked", "Right, Hazel,", "and the postcode ivy", "and rose what's"."""
    if _is_behind_addressing(tail, at) or _is_spoken_to(tail, at):
        return True
    begins = tail.words[at - 1] in ("and", "so") and tail.words[at - 2] in ("", ":", ".")
    return begins and tail.words[at + 1] in _QUESTIONS and tail.words[at] not in DOES_TOO


def _is_behind_addressing(tail: Tail, at: int) -> bool:
    here = at - 1 - (tail.words[at - 1] == ",")
    if tail.words[here] == "on" and tail.words[here - 1] in ("hang", "hold", "come"):
        return _ends(tail, at + 1) or tail.words[at + 1] in _ADDRESSED
    if tail.words[here] not in _ADDRESSING or (here < at - 1 and not tail.capital[at]):
        return False
    if tail.words[here] == "you" and tail.words[here - 1] not in ("thank", "see", "with"):
        return False
    if tail.words[at + 1] == "and" and tail.words[here] in ("so", "now", "you"):
        return False
    return _ends(tail, at + 1) or tail.words[at + 1] in _ADDRESSED


def _is_spoken_to(tail: Tail, at: int) -> bool:
    """ "take care rose", "Dawn?", "Dawn, I've found it"."""
    begins = not tail.words[at - 1] or (tail.words[at - 1] == ":" and tail.capital[at])
    if begins and tail.capital[at] and tail.words[at + 1] == ",":
        return tail.words[at + 2] in _ADDRESSED
    if begins:
        return tail.words[at + 1] == "?"
    asked = tail.words[at - 1] in _ASKED_FOR or tail.words[at - 1] in _PARTING
    return asked and _ends(tail, at + 1)


def _is_set_behind(tail: Tail, at: int) -> bool:
    """ "okay grace", "and your postcode joy", "lovely, Grace."."""
    here = at - 1 - (tail.words[at - 1] == ",")
    before = tail.words[here]
    if before == "you" and tail.words[here - 1] not in ("see", "with"):
        return False
    addressing = before in _ADDRESSING - _PRAISING and (
        before == "you" or tail.words[here - 1] in _BEFORE_ADDRESSING
    )
    told = addressing or before in _ASKED_FOR or before in _PARTING
    if not told or (here < at - 1 and not tail.capital[at]):
        return False
    if _ends(tail, at + 1):
        return True
    return addressing and tail.words[at + 1] in _MYSELF and tail.words[at - 2] in ("", ":")


_PRAISING: Final = frozenset({"perfect", "great", "fine", "brilliant"})
"""Of things too: "perfect storm"."""
_BEFORE_ADDRESSING: Final = word_list("before_addressing") | {"", ":", ".", "!", "?", ","}


def is_called_to(tail: Tail, at: int) -> bool:
    """ "Okay Summer, bear with me", "So Will, are you free": with a capital, and set apart."""
    if tail.words[at - 1] in ("", ":") and tail.capital[at] and tail.words[at + 1] == ",":
        return _stands_alone(tail, at) and tail.words[at + 2] in _BEHIND_CALLED
    written = tail.capital[at] and not tail.capital[at + 1] and tail.words[at - 1] in _CALLING
    return written and tail.words[at + 1] == "," and bare(tail.words[at]) not in _STATES


_BEHIND_CALLED: Final = _ADDRESSED | {"yes", "no", "is", "with", "not", "like", "as", "yeah", "sorry"}
_CALLING: Final = _ADDRESSING - {"you", "there"} | {"and"}
