"""What stands in Redis under the key of a look-up: a value, that there is none, or that it has just changed.

    K | when it was known, ms since 1970 (8 bytes) | value     no bytes of value: there is none
    C | 16 random bytes                                         it has changed, ask the source

The mark of a change is a lease: a filler puts its value only over what it has seen before it asked the
source, so that an answer from before the change never lands behind it. The mark outlives any such filler.
"""

import secrets
from dataclasses import dataclass
from typing import Final

CHANGED_LIFE_S: Final = 60.0
"""Far longer than a source may take to answer."""
_KNOWN: Final = b"K"
_CHANGED: Final = b"C"
_STAMP_BYTES: Final = 8
_MARK_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Shelved:
    """What the source said, empty if that there is none; `known_at_s` since 1970 by the filler's clock."""

    value: bytes
    known_at_s: float


def put_up(shelved: Shelved) -> bytes:
    """As it stands in Redis."""
    return _KNOWN + round(shelved.known_at_s * 1000).to_bytes(_STAMP_BYTES, "big") + shelved.value


def take_down(raw: bytes | None) -> Shelved | None:
    """What Redis tells; None if nothing that serves."""
    if raw is None or raw[:1] != _KNOWN or len(raw) <= _STAMP_BYTES:
        return None
    stamp, value = raw[1 : 1 + _STAMP_BYTES], raw[1 + _STAMP_BYTES :]
    return Shelved(value, int.from_bytes(stamp, "big") / 1000)


def changed() -> bytes:
    """A mark that no other change puts."""
    return _CHANGED + secrets.token_bytes(_MARK_BYTES)
