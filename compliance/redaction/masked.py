"""What stood where the placeholders stand, from a text and its public form."""

import re
from typing import Final, cast, get_args

from compliance.redaction.text.entities import EntityType

_TYPES: Final = "|".join(get_args(EntityType))
_PLACEHOLDER: Final = re.compile(rf"\[REDACTED: (?P<type>{_TYPES})(?: [1-9][0-9]*)?\]")


def masked(text: str, public: str) -> list[tuple[EntityType, str]]:
    """Each masked value with its type, in order. Empty if one is not the other's public form.

    Words between two values of one kind of placeholder may be told apart wrongly where they stand in a value
    themselves; all that was masked is in one value or another.
    """
    masks = list(_PLACEHOLDER.finditer(public))
    if not masks:
        return []
    begins, ends = [0, *(mask.end() for mask in masks)], [*(mask.start() for mask in masks), len(public)]
    shown = (re.escape(public[begin:end]) for begin, end in zip(begins, ends, strict=True))
    found = re.fullmatch("(.+?)".join(shown), text, re.DOTALL)
    if found is None:
        return []
    values = zip(masks, found.groups(), strict=True)
    return [(cast(EntityType, mask["type"]), value) for mask, value in values]
