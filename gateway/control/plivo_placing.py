"""Plivo's REST interface: placing calls, and finding out what became of them.

Plivo docs, "Make an outbound call", "Asynchronous machine detection", "Retrieve all calls", "Retrieve all
live calls", "Retrieve all queued calls", "Standard Plivo hangup causes" (read 2026-11). Plivo has no
idempotency key: after a time-out, a broken connection or a 5xx nobody knows whether it calls. The id that it
answers with is the call's own (issue 44 of plivo/plivo-python). A call stands in one of three lists: queued,
live, or over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode

import msgspec

from booking.errors import CallingRefused, CallingUnavailable, CallingUnconfirmed
from booking.placed_calls import CarrierWord
from booking.placing import CallOrder, CarrierCall
from gateway.control.plivo import plivo_order
from gateway.control.rest import Answered, CarrierHttp, read_as
from gateway.errors import CarrierRefused
from gateway.placed_address import PlacedAddresses
from gateway.tenancy.credentials import PlivoAccount

_MOST_LISTED: Final = 20
# 201, says the page of the request; 200, says that of machine detection, also for a call that is queued.
_MADE: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED})
_DETECTION_MS: Final = 5000
_REASONS: Final[Mapping[int, Literal["credentials", "receiver"]]] = {
    401: "credentials",
    403: "receiver",  # the account may not call there
    404: "credentials",  # the account in the address is unknown
}
_WORDS: Final[Mapping[str, CarrierWord]] = {
    "ringing": "ringing",
    "in-progress": "talking",
    "completed": "ended",
    "busy": "busy",
    "no-answer": "no_answer",
    "timeout": "no_answer",
    "cancel": "cancelled",
    "failed": "failed",
}
_CAUSES: Final[Mapping[int, CarrierWord]] = {
    1000: "cancelled",
    1010: "cancelled",
    1020: "cancelled",
    3000: "no_answer",
    3010: "busy",
    3020: "busy",  # they have rejected it
    6000: "no_answer",  # it has rung long enough
}


def word_of(status: str, cause: str = "") -> CarrierWord | None:
    """Plivo's word for a call's status in ours; None for one that is not known. `cause`: why a call that
    failed is over, by Plivo's number.
    """
    word = _WORDS.get(status)
    if word != "failed" or not (cause.isascii() and cause.isdigit()):
        return word
    return _CAUSES.get(int(cause), word)


class _Made(msgspec.Struct):
    request_uuid: str


class _Ids(msgspec.Struct):
    calls: list[str]


class _Waiting(msgspec.Struct, rename={"from_": "from"}):
    """A call that is queued or live."""

    call_status: str = ""
    from_: str = ""
    to: str = ""


class _Over(msgspec.Struct):
    call_uuid: str
    from_number: str = ""
    to_number: str = ""
    answer_time: str | None = None
    initiation_time: str | None = None
    hangup_cause_code: int | None = None

    @property
    def word(self) -> CarrierWord:
        if self.answer_time:
            return "ended"
        return _CAUSES.get(self.hangup_cause_code or 0, "failed")

    def is_older(self, since: datetime) -> bool:
        """Times come in the zone that the console is set to: one without its offset says nothing."""
        try:
            begun = datetime.fromisoformat(self.initiation_time or "")
        except ValueError:
            return False
        return begun.tzinfo is not None and begun < since


class _Overs(msgspec.Struct):
    objects: list[_Over]


@dataclass(frozen=True, slots=True)
class PlivoPlacing:
    """For all accounts. `longest_s`: of a placed call, whatever becomes of us."""

    http: CarrierHttp
    api_url: str
    addresses: PlacedAddresses
    longest_s: int

    async def place(self, account: PlivoAccount, order: CallOrder) -> str:
        """The call's id. Raises as `booking.placing.Dialler.place`."""
        request = plivo_order(self.api_url, account, "POST", "Call/", self._fields(order))
        try:
            made = await self.http.carry_out(request, lambda each: each.status in _MADE)
        except CarrierRefused as refusal:
            raise _refusal(refusal.status) from None
        except ConnectionError:
            raise CallingUnconfirmed(CallingUnconfirmed.__doc__) from None
        call = read_as(made, _Made, CallingUnconfirmed, strict=False)
        return call.request_uuid

    async def find(
        self, account: PlivoAccount, order: CallOrder, *, since: datetime
    ) -> Sequence[CarrierCall]:
        """Calls between these numbers: queued ones, else live ones, else those that are over and were begun
        since then; in that order, so that one that goes on meanwhile is met. Raises `CallingUnavailable`,
        also while more are queued than can be looked through.
        """
        queued: _Ids = await self._listed(account, {"status": "queued"}, _Ids)
        if found := await self._waiting(account, order, queued, "queued"):
            return found
        live: _Ids = await self._listed(account, {"status": "live", **_between(order)}, _Ids)
        if found := await self._waiting(account, order, live, "live"):
            return found
        if over := await self._over(account, order, since):
            return over
        if len(queued.calls) >= _MOST_LISTED:
            raise CallingUnavailable(CallingUnavailable.__doc__)
        return []

    async def look(self, account: PlivoAccount, carrier_call_id: str) -> CarrierCall | None:
        """None for a call that the account does not have. Raises `CallingUnavailable`."""
        for status in ("queued", "live"):
            if (told := await self._one(account, carrier_call_id, status)) is not None:
                return CarrierCall(carrier_call_id, word_of(told.call_status) or "ringing")
        over = await self._asked(account, _path(carrier_call_id))
        if over is None:
            return None
        record = read_as(over, _Over, CallingUnavailable, strict=False)
        return CarrierCall(carrier_call_id, record.word)

    def _fields(self, order: CallOrder) -> dict[str, Any]:
        at = self.addresses.of("plivo", order.org_id, order.placed_id, order.attempt)
        return {
            "from": _digits(order.from_),
            "to": _digits(order.to),
            "answer_url": at.answered,
            "answer_method": "POST",
            "ring_url": at.status,
            "ring_method": "POST",
            "hangup_url": at.status,
            "hangup_method": "POST",
            "ring_timeout": order.ring_s,
            "time_limit": self.longest_s,
            "machine_detection": "true",
            "machine_detection_time": _DETECTION_MS,
            "machine_detection_url": at.machine,
            "machine_detection_method": "POST",
        }

    async def _waiting(
        self, account: PlivoAccount, order: CallOrder, ids: _Ids, status: str
    ) -> list[CarrierCall]:
        """Those between these very numbers: they are listed together, or by how numbers begin."""
        told = [(each, await self._one(account, each, status)) for each in ids.calls]
        return [
            CarrierCall(each, word_of(call.call_status) or "ringing")
            for each, call in told
            if call is not None and _is_between(order, call.from_, call.to)
        ]

    async def _over(self, account: PlivoAccount, order: CallOrder, since: datetime) -> list[CarrierCall]:
        ended = {"end_time__gte": since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")}
        overs: _Overs = await self._listed(account, _between(order) | ended, _Overs)
        ours = [each for each in overs.objects if _is_between(order, each.from_number, each.to_number)]
        late = [each for each in ours if not each.is_older(since)]
        return [
            CarrierCall(each.call_uuid, each.word) for each in reversed(late)
        ]  # newest first as they come

    async def _one(self, account: PlivoAccount, call_id: str, status: str) -> _Waiting | None:
        """None for one that does not stand there any more, or not yet."""
        answered = await self._asked(account, f"{_path(call_id)}?status={status}")
        if answered is None:
            return None
        return read_as(answered, _Waiting, CallingUnavailable, strict=False)

    async def _listed(self, account: PlivoAccount, query: Mapping[str, str], kind: type[Any]) -> Any:
        answered = await self._asked(account, f"Call/?{urlencode({**query, 'limit': str(_MOST_LISTED)})}")
        if answered is None:  # the account in the address is unknown
            raise CallingUnavailable(CallingUnavailable.__doc__)
        return read_as(answered, kind, CallingUnavailable, strict=False)

    async def _asked(self, account: PlivoAccount, path: str) -> Answered | None:
        """An answer to what changes nothing, None for a 404. Raises `CallingUnavailable`."""
        order = plivo_order(self.api_url, account, "GET", path)
        try:
            answered = await self.http.carry_out(order, _is_told)
        except (CarrierRefused, ConnectionError):
            raise CallingUnavailable(CallingUnavailable.__doc__) from None
        return None if answered.status == HTTPStatus.NOT_FOUND else answered


def _is_told(answered: Answered) -> bool:
    return answered.status in (HTTPStatus.OK, HTTPStatus.NOT_FOUND)


def _between(order: CallOrder) -> dict[str, str]:
    return {
        "call_direction": "outbound",
        "from_number": _digits(order.from_),
        "to_number": _digits(order.to),
    }


def _is_between(order: CallOrder, from_: str, to: str) -> bool:
    return (_digits(from_), _digits(to)) == (_digits(order.from_), _digits(order.to))


def _path(call_id: str) -> str:
    return f"Call/{quote(call_id, safe='')}/"


def _digits(number: str) -> str:
    """Numbers come and go without their plus."""
    return number.removeprefix("+")


def _refusal(status: int) -> Exception:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return CallingUnavailable(CallingUnavailable.__doc__)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.BAD_REQUEST:
        return CallingUnconfirmed(CallingUnconfirmed.__doc__)
    return CallingRefused(_REASONS.get(status, "configuration"))
