"""What a question asks for, beside the cues in it."""

from collections.abc import Set
from typing import Final

from compliance.redaction.talk.cues import Slot

OF_HOSTS: Final = frozenset(
    {"at", "dot", "com", "net", "uk", "org", "co", "ie", "gmail", "hotmail", "outlook", "yahoo"}
)
"""What a question for the rest of an e-mail address ends with: "at?", "dot com?"."""
OF_NAMES: Final = frozenset({"first", "last", "middle", "forename", "christian", "maiden", "family"})
"""What a question for a part of a name ends with: "and first?"."""
OF_PLACES: Final = frozenset(
    {"street", "road", "town", "city", "state", "county", "village", "townland", "house", "flat", "estate"}
)
"""What a question for a part of an address ends with: "state?", "and the road?"."""
HOW: Final = frozenset({"many", "far", "long", "much", "often", "time"})
"""A question with one of these asks for no address: "how far from us do you live?"."""
_NOT_WHOSE: Final = frozenset(
    {"what's", "it's", "that's", "who's", "where's", "when's", "he's", "she's", "let's"}
)
_USES: Final[dict[Slot, tuple[set[Slot], ...]]] = {
    "PHONE": ({"PERSON"}, {"ADDRESS"}),
    "EMAIL": ({"ADDRESS"}, {"CODE"}),
    "POSTCODE": ({"ADDRESS"}, {"CARD"}),
    "ADDRESS": ({"CARD"},),
    "PERSON": ({"CARD"},),
}
"""What a question for a value names behind it: "what number can we call you back on", "the postcode of your
home address", "an email for the receipt", "the name on the card".
"""


def asks_whose(word: str) -> bool:
    """ "and your husband's?", "and hers?": the same of somebody else."""
    return word in ("hers", "yours", "theirs") or (word.endswith("'s") and word not in _NOT_WHOSE)


def the_one(asked: Set[Slot], first: Slot | None, *, spelled: bool) -> Slot | None:
    """The one value of those named that is asked for, `first` among them; None if there are more.

    `spelled`: it is to be spelled: "could you spell out your email" asks for no name.
    """
    if spelled and "PERSON" in asked and len(asked) > 1:
        asked = asked - {"PERSON"}
    if first is not None and first in asked and asked - {first} in _USES.get(first, ()):
        return first
    return next(iter(asked)) if len(asked) == 1 else None
