"""Names of the caller's people: "my husband Mark", "her mother is called Rita"."""

from typing import Final

from compliance.redaction.names.name_words import LISTED, NOT_NAMES, is_name, name_end
from compliance.redaction.talk.view import LIKELY, Match
from compliance.redaction.text import kinds
from compliance.redaction.text.tokens import Tail

_CALLED: Final = frozenset(
    ["called", "named", "is", "'s", "name", "names", "name's", ",", "it's", "she's", "he's", "as"]
)
_IN_EMAILS: Final = frozenset({"dot", "underscore", "hyphen"})
"""Behind a word that begins an e-mail address: "her husband's is graham dot webb at …"."""
OWNERS: Final = frozenset({"my", "our", "his", "her", "their", "the", "your"})


def of_relative(tail: Tail, at: int) -> Match | None:
    """ "my husband Mark", "her mother is called Rita", "my son, Liam"."""
    of_kin = at + 1 + 2 * (tail.words[at + 1] == "in" and tail.words[at + 2] == "law")
    here = of_kin
    while here < of_kin + 3 and tail.words[here] in _CALLED:
        here += 1
    kind = tail.marks[here]
    told = any(tail.words[place] in ("called", "named", "name", "names") for place in range(at, here))
    near = here == of_kin
    fits = kind & kinds.FIRST or (
        kind & LISTED and (tail.capital[here] or told or (near and _near_maybe(tail, at, here)))
    )
    fits = (
        fits
        or (told and is_name(tail, here))
        or (tail.capital[here] and not kind & kinds.COMMON and is_name(tail, here))
        or (
            near and _is_owned(tail, at, here) and kind & (LISTED | kinds.UNKNOWN) and not kind & kinds.COMMON
        )
    )
    if not fits or tail.words[here] in NOT_NAMES or kind & (kinds.ALONE | kinds.STOP):
        return None
    if tail.words[at].endswith("'s") and kind & (kinds.COMMON | kinds.RARER) and not told:
        return None
    if kind & kinds.MONTH and not _is_called_like_month(tail, at, here):
        return None
    if tail.words[here + 1] in _IN_EMAILS:
        return None
    end = here + 1 if kind & kinds.MONTH else name_end(tail, here, strict=True)
    return None if end is None else Match(end, "PERSON", LIKELY, begin=here)


def _is_called_like_month(tail: Tail, at: int, here: int) -> bool:
    """ "my mum june", "for my nan, April": right behind the relative, and no date."""
    follows = tail.marks[here + 1]
    dated = follows & (kinds.NUMBER | kinds.ORDINAL | kinds.ARTICLE) or tail.words[here] in ("may", "march")
    owned = tail.words[at - 1] in OWNERS and tail.marks[here] & kinds.MAYBE
    return bool(owned) and here <= at + 2 and not (dated and not tail.capital[here])


def _is_owned(tail: Tail, at: int, here: int) -> bool:
    """ "my son caspian": right behind a relative who is somebody's."""
    if tail.words[here].endswith(_VERB_ENDINGS):
        return False
    if tail.words[at] in _CALLED_KIN:
        return not tail.marks[here] & (kinds.RARER | kinds.SELDOM) or bool(tail.marks[here] & kinds.SELDOM)
    owner = tail.words[at - 1]
    return owner in OWNERS or tail.words[at - 2] in OWNERS or owner.endswith("'s")


OF_KIN: Final = frozenset(
    ["little", "big", "eldest", "youngest", "older", "younger", "other", "oldest", "elder", "middle", "baby"]
) | {"twin", "late", "best", "new", "second", "first", "dear", "poor", "own", "only", "half", "step"}
"""Which of somebody's people: "my little girl", "my late husband"."""
_CALLED_KIN: Final = frozenset(
    [
        "auntie",
        "aunty",
        "aunt",
        "uncle",
        "nanny",
        "granny",
        "gran",
        "nan",
        "grandad",
        "grandpa",
        "baby",
        "cousin",
    ]
)
"""Who is called so and by the name: "auntie pearl", "baby caspian"."""


_VERB_ENDINGS: Final = ("ed", "ing", "ly", "n't")


def _near_maybe(tail: Tail, at: int, here: int) -> bool:
    """ "my husband mark": in lower case, right behind the relative, and more likely a name than a word."""
    owned = tail.words[at - 1] in OWNERS or tail.words[at] in _CALLED_KIN
    owned = owned or (tail.words[at - 1][-1:] == "s" and bool(tail.marks[at - 1] & kinds.FIRST))
    owned = owned or (tail.words[at - 1] in OF_KIN and tail.words[at - 2] in OWNERS)
    return bool(tail.marks[here] & kinds.MAYBE) and owned
