"""Whether an "'s" behind an ailment is a verb: "my verruca's catching", but "my Crohn's is back"."""

from typing import Final

from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.vocabulary import EPONYMS, MEDICAL

_POSSESSIVE: Final = "'s"
_OF_LETTERS: Final = len("e's")
"""A letter's plural is part of it: "u and e's"."""
_OF_TERMS: Final = frozenset(
    word for term in (*MEDICAL, *word_list("clinical")) for word in term.split() if word.endswith(_POSSESSIVE)
) | {eponym + _POSSESSIVE for eponym in EPONYMS}


def is_verb(word: str) -> bool:
    """Ends `word`, the last of an ailment, in "'s" that is no part of it?"""
    return len(word) > _OF_LETTERS and word.endswith(_POSSESSIVE) and word not in _OF_TERMS
