"""What stood where the placeholders stand, from a text and its public form."""

import re
from typing import Final, cast, get_args

from compliance.redaction.entities import EntityType, placeholder

_PLACEHOLDERS: Final = {placeholder(entity): entity for entity in get_args(EntityType)}
_PLACEHOLDER: Final = re.compile("|".join(re.escape(each) for each in _PLACEHOLDERS))


def masked(text: str, public: str) -> list[tuple[EntityType, str]]:
    """Each masked value with its type, in order. Empty if one is not the other's public form.

    Words between two values of one kind of placeholder may be told apart wrongly where they stand in a value
    themselves; all that was masked is in one value or another.
    """
    kinds = [_PLACEHOLDERS[each] for each in _PLACEHOLDER.findall(public)]
    if not kinds:
        return []
    shown = (re.escape(each) for each in _PLACEHOLDER.split(public))
    found = re.fullmatch("(.+?)".join(shown), text, re.DOTALL)
    if found is None:
        return []
    return [(cast(EntityType, kind), value) for kind, value in zip(kinds, found.groups(), strict=True)]
