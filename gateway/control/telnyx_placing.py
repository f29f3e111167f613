"""Telnyx's REST interface: placing calls, and finding out what became of them.

Telnyx docs, "Dial", "Retrieve a call status", "List all active calls for a connection", "List phone numbers",
"Answering machine detection" (read 2026-11). The call is the application's that its number is assigned to. It
is known again by its `client_state`, which names org, call and attempt and comes back in each webhook, inside
what is signed. A `command_id` makes the same request within a minute count once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Literal
from urllib.parse import quote

import msgspec

from booking.errors import CallingNotConfigured, CallingRefused, CallingUnavailable, CallingUnconfirmed
from booking.placing import CallOrder, CarrierCall
from gateway.carriers.telnyx import client_state, told_by_state
from gateway.control.rest import Answered, CarrierHttp, Order, read_as
from gateway.control.telnyx_numbers import connection_told, number_path
from gateway.errors import CarrierRefused
from gateway.placed_address import placed_state
from gateway.tenancy.credentials import TelnyxAccount

_MOST_LISTED: Final = 250
_REASONS: Final[Mapping[int, Literal["credentials", "receiver"]]] = {
    401: "credentials",
    403: "credentials",
    422: "receiver",
}


class _Call(msgspec.Struct):
    call_control_id: str
    client_state: str | None = None
    is_alive: bool = True


class _Made(msgspec.Struct):
    data: _Call


class _Active(msgspec.Struct):
    data: list[_Call] = []


@dataclass(frozen=True, slots=True)
class TelnyxPlacing:
    """For all accounts. `longest_s`: of a placed call, whatever becomes of us."""

    http: CarrierHttp
    api_url: str
    longest_s: int

    async def place(self, account: TelnyxAccount, order: CallOrder) -> str:
        """The call's id. Raises as `booking.placing.Dialler.place`."""
        connection_id = await self._connection(account, order)
        fields = {
            "connection_id": connection_id,
            "to": order.to,
            "from": order.from_,
            "client_state": client_state(placed_state(order.org_id, order.placed_id, order.attempt)),
            "command_id": f"{order.placed_id}-{order.attempt}",
            "timeout_secs": order.ring_s,
            "time_limit_secs": self.longest_s,
            "answering_machine_detection": "greeting_end",
        }
        try:
            made = await self._asked(account, "POST", "/v2/calls", fields)
        except CarrierRefused as refusal:
            raise _refusal(refusal.status) from None
        except ConnectionError:
            raise CallingUnconfirmed(CallingUnconfirmed.__doc__) from None
        call = read_as(made, _Made, CallingUnconfirmed).data
        return call.call_control_id

    async def find(
        self, account: TelnyxAccount, order: CallOrder, *, since: datetime | None = None
    ) -> list[CarrierCall]:
        """The attempt's call, as long as it is live, which names its attempt: `since` is not asked for. One
        that is over is not told of. Raises `CallingUnavailable`, `CallingNotConfigured`.
        """
        connection_id = await self._connection(account, order)
        path = f"/v2/connections/{quote(connection_id, safe='')}/active_calls?page[limit]={_MOST_LISTED}"
        active = read_as(await self._looked(account, path), _Active, CallingUnavailable)
        ours = placed_state(order.org_id, order.placed_id, order.attempt)
        return [
            CarrierCall(each.call_control_id, "ringing")
            for each in active.data
            if ours.items() <= told_by_state(each.client_state).items()
        ]

    async def look(self, account: TelnyxAccount, carrier_call_id: str) -> CarrierCall | None:
        """None for a call that is over or unknown. Raises `CallingUnavailable`."""
        path = f"/v2/calls/{quote(carrier_call_id, safe='')}"
        answered = await self._looked(account, path, lambda each: each.status in (200, 404))
        if answered.status == HTTPStatus.NOT_FOUND:
            return None
        alive = read_as(answered, _Made, CallingUnavailable).data.is_alive
        return CarrierCall(carrier_call_id, "ringing") if alive else None

    async def _connection(self, account: TelnyxAccount, order: CallOrder) -> str:
        """Of the clinic's number; before anything is placed. Raises `CallingNotConfigured`."""
        answered = await self._looked(account, number_path(order.from_))
        try:
            connection_id = connection_told(answered.body)
        except msgspec.MsgspecError:
            raise CallingUnavailable(CallingUnavailable.__doc__) from None
        if connection_id is None:
            raise CallingNotConfigured(CallingNotConfigured.__doc__)
        return connection_id

    async def _looked(
        self,
        account: TelnyxAccount,
        path: str,
        is_done: Callable[[Answered], bool] = lambda answered: answered.status == HTTPStatus.OK,
    ) -> Answered:
        """An answer to what changes nothing. Raises `CallingUnavailable`, `CallingRefused`."""
        try:
            return await self._asked(account, "GET", path, None, is_done)
        except CarrierRefused as refusal:
            if refusal.status in (401, 403):
                raise CallingRefused("credentials") from None
            raise CallingUnavailable(CallingUnavailable.__doc__) from None
        except ConnectionError:
            raise CallingUnavailable(CallingUnavailable.__doc__) from None

    async def _asked(
        self,
        account: TelnyxAccount,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        is_done: Callable[[Answered], bool] = lambda answered: answered.status == HTTPStatus.OK,
    ) -> Answered:
        order = Order("telnyx", method, self.api_url + path, f"Bearer {account.api_key}", body)
        return await self.http.carry_out(order, is_done)


def _refusal(status: int) -> Exception:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return CallingUnavailable(CallingUnavailable.__doc__)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return CallingUnconfirmed(CallingUnconfirmed.__doc__)
    return CallingRefused(_REASONS.get(status, "configuration"))
