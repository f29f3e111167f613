"""Telnyx's call control: the commands that answer a call, open its stream, speak, and end it; and a leg of
its own for a person at the clinic.

Telnyx docs, "Call commands", "Dial" (read 2026-11): POST on the call's actions with the API key as bearer
token. A `command_id` makes the same command within a minute count once. Error 90018: the call has ended.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec

from gateway.control.rest import Answered, CarrierHttp, Order
from gateway.control.telnyx_numbers import connection_told, number_path
from gateway.tenancy.credentials import TelnyxAccount

_ENDED: Final = "90018"

T = TypeVar("T")


class _Fault(msgspec.Struct):
    code: str = ""


class _Faults(msgspec.Struct):
    errors: list[_Fault] = []


class _Dialled(msgspec.Struct):
    call_control_id: str


class _Made(msgspec.Struct):
    data: _Dialled


_dialled: Final = msgspec.json.Decoder(_Made)
_faults: Final = msgspec.json.Decoder(_Faults, strict=False)


@dataclass(frozen=True, slots=True)
class TelnyxControl:
    """For all accounts."""

    http: CarrierHttp
    api_url: str

    async def hang_up(self, call_id: str, account: TelnyxAccount) -> None:
        """End the account's call; one that is over already counts as ended. Raises as `order`."""
        await self.order(account, call_id, "hangup", {})

    async def order(
        self, account: TelnyxAccount, call_id: str, action: str, fields: Mapping[str, Any]
    ) -> None:
        """One command for a call; for one that is over it counts as done.

        Raises `CarrierRefused`, or ConnectionError if the carrier does not answer.
        """
        order = Order(
            "telnyx",
            "POST",
            f"{self.api_url}/v2/calls/{quote(call_id, safe='')}/actions/{action}",
            f"Bearer {account.api_key}",
            fields,
        )
        await self.http.carry_out(order, _is_done)

    async def connection(self, account: TelnyxAccount, number: str) -> str | None:
        """The application that a number of the account's is assigned to. Raises as `order`."""
        order = Order("telnyx", "GET", self.api_url + number_path(number), f"Bearer {account.api_key}")
        answered = await self.http.carry_out(order, _is_taken)
        return _told(connection_told, answered)

    async def dial(self, account: TelnyxAccount, fields: Mapping[str, Any]) -> str:
        """The new call's id. Raises as `order`."""
        order = Order("telnyx", "POST", f"{self.api_url}/v2/calls", f"Bearer {account.api_key}", fields)
        answered = await self.http.carry_out(order, _is_taken)
        return _told(lambda body: _dialled.decode(body).data.call_control_id, answered)


def _told(read: Callable[[bytes], T], answered: Answered) -> T:
    try:
        return read(answered.body)
    except msgspec.MsgspecError:
        raise ConnectionError("unreadable") from None


def _is_taken(answered: Answered) -> bool:
    return answered.status == HTTPStatus.OK


def _is_done(answered: Answered) -> bool:
    return answered.status == HTTPStatus.OK or _has_ended(answered)


def _has_ended(answered: Answered) -> bool:
    if answered.status != HTTPStatus.UNPROCESSABLE_ENTITY:
        return False
    try:
        return any(fault.code == _ENDED for fault in _faults.decode(answered.body).errors)
    except msgspec.MsgspecError:
        return False
