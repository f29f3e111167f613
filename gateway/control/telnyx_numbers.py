"""Which application at Telnyx a number is assigned to: a call can be placed from it by that one alone.

Telnyx docs, "List phone numbers" (read 2026-11).
"""

from urllib.parse import quote

import msgspec


class _Number(msgspec.Struct):
    connection_id: str | None = None


class _Numbers(msgspec.Struct):
    data: list[_Number] = []


def number_path(number: str) -> str:
    """Where Telnyx tells of a number of the account's. In E.164."""
    return f"/v2/phone_numbers?filter[phone_number]={quote(number, safe='')}"


def connection_told(body: bytes) -> str | None:
    """The application's id; None for a number that is not the account's or is assigned to none.

    Raises `msgspec.MsgspecError` for an answer that cannot be read.
    """
    found = msgspec.json.decode(body, type=_Numbers).data
    return next((each.connection_id for each in found if each.connection_id), None)
