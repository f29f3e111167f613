"""Names that were heard in the call and come again: where an ordinary word is one of them once more."""

from typing import Final

from compliance.redaction.names.addressed_names import DOES_TOO, is_addressed
from compliance.redaction.names.name_words import is_inside
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

_BEFORE_HEARD: Final = word_list("before_heard_names")
"""Before a word that was heard as a name in this call it is one again."""
_BEHIND_WORDS: Final = frozenset(
    {"so", "to", "you", "that", "it", "me", "the", "a", "period", "for", "of", "up"}
)
_ALONE_BEHIND: Final = frozenset(
    {"", ":", "yes", "no", "yeah", "that", "so", "just", "plain", "and", "again"}
)
"""Behind these, or first, a word heard as a name is one again if nothing follows."""
_TO_WILL: Final = frozenset(
    ["what", "what's", "how", "can", "could", "and", "so", "bear", "let", "thanks", "have", "your", "i've"]
) | {"i'll", "", ",", ".", "!", "?"}
"""What goes on behind somebody called Will."""
_GREETING: Final = frozenset(
    {"hi", "hello", "thanks", "you", "okay", "ok", "right", "lovely", "bye", "hiya", "cheers"}
)


def is_heard(tail: Tail, at: int) -> bool:
    """An ordinary word is a name heard before only with a capital within a sentence, or among people."""
    if (tail.words[at + 1] == "as" and tail.words[at + 2] == "in") or tail.words[at - 1] in ("just", "plain"):
        return True
    if tail.marks[at] & kinds.MONTH:
        return is_addressed(tail, at, known=True) or _is_beside_greeting(tail, at)
    if tail.words[at] == "will":
        return tail.words[at - 1] in _GREETING and tail.words[at + 1] in _TO_WILL
    if tail.words[at] not in DOES_TOO and is_addressed(tail, at, known=True):
        return True
    asked = tail.words[at - 1] in ("", ":") and tail.words[at + 1] in ("who", "what")
    if asked and not tail.marks[at + 2] & kinds.WORD:
        return True
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
