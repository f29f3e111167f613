"""Values as they come in at booking's edge: what cannot be meant is refused before anything is asked or kept.

The database would take a time without an offset for one in the process's own zone, silently, and drop the
offset of a time of day; and what is sealed never gets to its checks on text.
"""

import re
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any, Final

from booking.errors import NumberInvalid, ValueInvalid

E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
"""A phone number with its country: 15 digits at most by ITU-T E.164, 7 at least, as the database has it."""


def require_sound(arguments: Iterable[Any]) -> None:
    """Each argument of a statement, elements of lists too. Raises `ValueInvalid`."""
    for value in arguments:
        match value:
            case datetime() if value.utcoffset() is None:
                raise ValueInvalid("time_without_offset")
            case time() if value.tzinfo is not None:
                raise ValueInvalid("time_of_day_with_offset")
            case str():
                utf8(value)
            case list() | tuple():
                require_sound(value)


def require_ttl(ttl: object, longest: timedelta) -> None:
    """A time to live: longer than nothing, at most `longest`. Raises `ValueInvalid`."""
    if not isinstance(ttl, timedelta) or not timedelta(0) < ttl <= longest:
        raise ValueInvalid("ttl")


def require_e164(number: str) -> None:
    """Raises `NumberInvalid`."""
    if not E164.fullmatch(number):
        raise NumberInvalid(NumberInvalid.__doc__)


def utf8(text: str) -> bytes:
    """The text's bytes. Raises `ValueInvalid` for what is none: a lone surrogate, or with NUL in it."""
    try:
        encoded = text.encode()
    except UnicodeEncodeError:  # quotes what it was given
        raise ValueInvalid("text") from None
    if b"\x00" in encoded:
        raise ValueInvalid("text")
    return encoded
