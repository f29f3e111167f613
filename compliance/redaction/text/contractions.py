"""Contractions that a transcriber wrote without their apostrophe: "ive", "dont", "thats".

Those that are words besides ("ill", "its", "id", "well", "were", "shell") are left as they stand.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from compliance.redaction.text.lexicon import word_list

CONTRACTIONS: Final[Mapping[str, str]] = {word.replace("'", ""): word for word in word_list("contractions")}
"""As they are written by the letters alone."""
_MARKS: Final = frozenset(".,;?!")


def restored(words: Sequence[str], glued: Sequence[bool]) -> dict[int, str]:
    """The words that are contractions, by their index, as they are written with an apostrophe.

    `glued` says of each word, and of what comes behind the last, that no white space stands before it: parts
    of e-mail addresses and the like are no contractions.
    """
    return {
        at: CONTRACTIONS[word]
        for at, word in enumerate(words)
        if word in CONTRACTIONS and not glued[at] and _stands_alone(words, glued, at)
    }


def _stands_alone(words: Sequence[str], glued: Sequence[bool], at: int) -> bool:
    """Nothing but a mark that ends something is glued behind it."""
    if not glued[at + 1]:
        return True
    return at + 1 < len(words) and words[at + 1] in _MARKS and not glued[at + 2]
