"""Vonage's REST interface: placing calls, and finding out what became of them.

Vonage docs, "Voice API reference: create an outbound call, get details of your calls", "Voicemail detection",
"Webhook reference" (read 2026-11). Vonage has no idempotency key: after a time-out, a broken connection or a
5xx nobody knows whether it calls. Its list can be asked by time alone, so the numbers are compared here.
Detection (`advanced_machine_detection`, mode `default`) runs beside the call, so that a person is talked to
at once; a machine is told of twice, when it is known for one and at its beep.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, Literal
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec

from booking.errors import CallingRefused, CallingUnavailable, CallingUnconfirmed
from booking.placed_calls import CarrierWord
from booking.placing import CallOrder, CarrierCall
from gateway.control.rest import Answered, CarrierHttp, Order, read_as
from gateway.control.vonage import bearer
from gateway.errors import CarrierRefused
from gateway.placed_address import PlacedAddresses
from gateway.tenancy.credentials import VonageAccount

BEEP_S: Final = 45  # the least that Vonage waits for one
MOST_RING_S: Final = 120
MOST_CALL_S: Final = 7200
_PAGE: Final = 100
_MOST_PAGES: Final = 20
_RECEIVER: Final = re.compile(r"to\b")
_CREDENTIALS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

Reason = Literal["credentials", "receiver", "configuration"]
_WORDS: Final[Mapping[str, CarrierWord]] = {
    "started": "ringing",
    "ringing": "ringing",
    "answered": "talking",
    "human": "talking",
    "machine": "talking",
    "completed": "ended",
    "busy": "busy",
    "timeout": "no_answer",
    "unanswered": "no_answer",
    "rejected": "failed",
    "failed": "failed",
    "cancelled": "cancelled",
}


class _Made(msgspec.Struct):
    uuid: str


class _End(msgspec.Struct):
    number: str | None = None


class _Call(msgspec.Struct, rename={"from_": "from"}):
    uuid: str
    status: str = ""
    direction: str = ""
    from_: _End | None = None
    to: _End | None = None


class _Calls(msgspec.Struct):
    calls: list[_Call] = []


class _Link(msgspec.Struct):
    href: str = ""


class _Links(msgspec.Struct):
    next: _Link | None = None


class _Page(msgspec.Struct, rename={"embedded": "_embedded", "links": "_links"}):
    embedded: _Calls
    links: _Links = msgspec.field(default_factory=_Links)


class _Bad(msgspec.Struct):
    name: str = ""


class _Problem(msgspec.Struct):
    invalid_parameters: list[_Bad] = []


def word_of(status: str) -> CarrierWord | None:
    """Vonage's word for a call's status in ours; None for one that is not known."""
    return _WORDS.get(status)


@dataclass(frozen=True, slots=True)
class VonagePlacing:
    """For all applications. `longest_s`: of a placed call, whatever becomes of us."""

    http: CarrierHttp
    api_url: str
    addresses: PlacedAddresses
    longest_s: int

    async def place(self, account: VonageAccount, order: CallOrder) -> str:
        """The call's id. Raises as `booking.placing.Dialler.place`."""
        created = _status_is(HTTPStatus.CREATED)
        try:
            made = await self._asked(account, "POST", "", self._fields(order), created)
        except CarrierRefused as refusal:
            raise _refusal(refusal) from None
        except ConnectionError:
            raise CallingUnconfirmed(CallingUnconfirmed.__doc__) from None
        call = read_as(made, _Made, CallingUnconfirmed)
        return call.uuid

    async def find(self, account: VonageAccount, order: CallOrder, *, since: datetime) -> list[CarrierCall]:
        """The application's calls between these numbers since then, oldest first. Raises
        `CallingUnavailable`, also if there are too many calls to look through.
        """
        from_, to = order.from_.removeprefix("+"), order.to.removeprefix("+")
        found: list[_Call] = []
        index: int | None = 0
        for _ in range(_MOST_PAGES):
            page = await self._page(account, since, index or 0)
            found += [call for call in page.embedded.calls if _is_between(call, from_, to)]
            index = _following(page, index or 0)
            if index is None:
                return [_as_ours(call) for call in found]
        raise CallingUnavailable(CallingUnavailable.__doc__)

    async def look(self, account: VonageAccount, carrier_call_id: str) -> CarrierCall | None:
        """None for a call that the application does not have. Raises `CallingUnavailable`."""
        known = _status_is(HTTPStatus.OK, HTTPStatus.NOT_FOUND)
        answered = await self._looked(account, "/" + quote(carrier_call_id, safe=""), known)
        if answered.status == HTTPStatus.NOT_FOUND:
            return None
        call = read_as(answered, _Call, CallingUnavailable)
        return _as_ours(call)

    def _fields(self, order: CallOrder) -> dict[str, Any]:
        at = self.addresses.of("vonage", order.org_id, order.placed_id, order.attempt)
        return {
            "to": [{"type": "phone", "number": order.to.removeprefix("+")}],
            "from": {"type": "phone", "number": order.from_.removeprefix("+")},
            "answer_url": [at.answered],
            "answer_method": "POST",
            "event_url": [at.status],
            "event_method": "POST",
            "advanced_machine_detection": {"behavior": "continue", "mode": "default", "beep_timeout": BEEP_S},
            "ringing_timer": min(order.ring_s, MOST_RING_S),
            "length_timer": min(self.longest_s, MOST_CALL_S),
        }

    async def _page(self, account: VonageAccount, since: datetime, index: int) -> _Page:
        asked = {
            "date_start": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "order": "asc",
            "page_size": _PAGE,
            "record_index": index,
        }
        answered = await self._looked(account, "?" + urlencode(asked), _status_is(HTTPStatus.OK))
        page: _Page = read_as(answered, _Page, CallingUnavailable)
        return page

    async def _looked(
        self, account: VonageAccount, path: str, is_done: Callable[[Answered], bool]
    ) -> Answered:
        """An answer to what changes nothing. Raises `CallingUnavailable`."""
        try:
            return await self._asked(account, "GET", path, None, is_done)
        except (CarrierRefused, ConnectionError):
            raise CallingUnavailable(CallingUnavailable.__doc__) from None

    async def _asked(
        self,
        account: VonageAccount,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        is_done: Callable[[Answered], bool],
    ) -> Answered:
        order = Order("vonage", method, f"{self.api_url}/v1/calls{path}", bearer(account), body)
        return await self.http.carry_out(order, is_done)


def _status_is(*good: int) -> Callable[[Answered], bool]:
    return lambda answered: answered.status in good


def _refusal(refused: CarrierRefused) -> Exception:
    if refused.status == HTTPStatus.TOO_MANY_REQUESTS:
        return CallingUnavailable(CallingUnavailable.__doc__)
    if refused.status in _CREDENTIALS:
        return CallingRefused("credentials")
    if refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return CallingUnconfirmed(CallingUnconfirmed.__doc__)
    return CallingRefused(_reason(refused.body))


def _reason(problem: bytes) -> Reason:
    """Whose fault a 400 is: it names the field."""
    try:
        bad = msgspec.json.decode(problem, type=_Problem).invalid_parameters
    except msgspec.MsgspecError:
        return "configuration"
    return "receiver" if any(_RECEIVER.match(each.name) for each in bad) else "configuration"


def _is_between(call: _Call, from_: str, to: str) -> bool:
    shown, called = (None if end is None else end.number for end in (call.from_, call.to))
    return call.direction == "outbound" and (shown, called) == (from_, to)


def _following(page: _Page, index: int) -> int | None:
    """Where the next page begins, as its link says."""
    link = page.links.next
    told = [] if link is None else parse_qs(urlsplit(link.href).query).get("record_index", [])
    text = told[0] if told else ""
    following = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else index
    return following if following > index else None


def _as_ours(call: _Call) -> CarrierCall:
    """An unknown status counts as ringing: the carrier has the call."""
    return CarrierCall(call.uuid, word_of(call.status) or "ringing")
