"""What of an object at Vapi differs from what it is to be. Pure.

Vapi fills in defaults and adds fields of its own, so an object is as we want it once it says all that we say.
"""

from collections.abc import Mapping, Sequence
from typing import Any


def differing(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that an update has to name, each in full; empty if there are none."""
    return {key: value for key, value in wanted.items() if not _says(found.get(key), value)}


def _says(theirs: Any, ours: Any) -> bool:
    """None is the same as nothing at all."""
    if isinstance(ours, Mapping):
        return isinstance(theirs, Mapping) and all(_says(theirs.get(key), each) for key, each in ours.items())
    if isinstance(ours, Sequence) and not isinstance(ours, str):
        if not isinstance(theirs, Sequence) or isinstance(theirs, str) or len(theirs) != len(ours):
            return not ours and theirs is None
        return all(_says(one, other) for one, other in zip(theirs, ours, strict=True))
    return bool(theirs == ours)
