"""Where the next page begins, as an opaque word: the sort key of the last row, so that no page shifts.

Not signed: it is a place in an order, and what may be seen is decided by the token alone.
"""

import base64
import binascii
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from gateway.api.problems import INVALID, Refused


class Cursor(msgspec.Struct, array_like=True, frozen=True):
    """After the row at this time with this id."""

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    id: UUID


def write(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(cursor)).decode().rstrip("=")


def read(text: str | None) -> Cursor | None:
    """None for the first page. Raises `Refused`."""
    if text is None:
        return None
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.msgpack.decode(packed, type=Cursor)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise Refused(INVALID, pointer="$.cursor") from None
