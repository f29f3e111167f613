"""What somebody is allergic to: "nuts and latex", "only cats", where the talk is of allergies.

Of the words of every day that these are, only the talk tells: a question for allergies, or "allergic to"
before. A word of no list is a drug, where the question was for medicines.
"""

from typing import Final

from compliance.redaction.medical.drug_sounds import drug_end
from compliance.redaction.talk.view import GUESSED, LIKELY, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import phrase_index, word_list
from compliance.redaction.text.phrases import phrase
from compliance.redaction.text.tokens import Tail

_ALLERGENS: Final = phrase_index(word_list("allergens"))
_LISTED: Final = kinds.RARER | kinds.FIRST | kinds.LAST | kinds.MAYBE | kinds.SELDOM
_DRUG_LETTERS: Final = 5


def taken_or_shunned(view: View, at: int) -> Match | None:
    """An allergen, or the unlisted name of what is taken."""
    tail = view.tail
    if view.expects.allergies and not _is_told_of(tail, at):
        end = phrase(tail, at, _ALLERGENS)
        if end is not None:
            return Match(end, "MEDICAL", LIKELY)
    if not view.expects.medicines:
        return None
    heard = drug_end(tail, at)
    if heard is not None:
        return Match(heard, "MEDICAL", GUESSED)
    kind = tail.marks[at]
    strange = kind & kinds.UNKNOWN and not kind & _LISTED and len(tail.words[at]) >= _DRUG_LETTERS
    return Match(at + 1, "MEDICAL", GUESSED) if strange else None


def _is_told_of(tail: Tail, at: int) -> bool:
    """ "after the strawberries": this time's, not what somebody is allergic to."""
    return tail.words[at - 1] == "the" and tail.words[at - 2] not in ("to", "of", "just")
