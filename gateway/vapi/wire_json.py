"""JSON from whoever cuts texts in the middle of a character, read all the same. Pure.

JavaScript cuts strings by 16-bit units, so half of an emoji may stand at an end of one, and its encoder
writes that as a lone `\\ud83d` (ECMA-262, `QuoteJSONString`), which is no text. The half is read as U+FFFD,
as bytes are that are no UTF-8: a call is not to fail by it, nor the report of one.
"""

import re
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")

_ESCAPE: Final = re.compile(
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|(\\.)"
)
_UNKNOWN: Final = rb"\ufffd"
_any: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder()


def decoded(decoder: msgspec.json.Decoder[T], told: bytes | str) -> T:
    """As the decoder reads it. Raises `msgspec.DecodeError`, `RecursionError`."""
    raw = told.encode(errors="replace") if isinstance(told, str) else told
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        return decoder.decode(_mended(raw))


def anything(told: bytes | str) -> Any:
    """The same of what may be anything."""
    return decoded(_any, told)


def _mended(raw: bytes) -> bytes:
    text = raw.decode(errors="replace").encode()
    return _ESCAPE.sub(lambda found: _UNKNOWN if found[2] else found[0], text)
