"""Twilio's REST interface, through its own SDK: placing calls, and finding out what became of them.

Twilio docs, "Call resource", "Answering machine detection", "Error and warning dictionary" (read 2026-11).
Twilio has no idempotency key: after a time-out, a broken connection or a 5xx nobody knows whether it calls.
Detection runs beside the call (`AsyncAmd`), so that a person is talked to at once; a machine is told of when
its greeting is over. The SDK's errors quote numbers, hence `from None`.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Literal, Self

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client

from booking.errors import CallingRefused, CallingUnavailable, CallingUnconfirmed
from booking.placed_calls import CarrierWord
from booking.placing import CallOrder, CarrierCall
from booking.twilio_rest import TwilioRest
from gateway.placed_address import PlacedAddresses
from gateway.tenancy.credentials import TwilioAccount

_LISTED: Final = 50
_NOT_FOUND: Final = 404
_EVENTS: Final = ["initiated", "ringing", "answered", "completed"]
_GREETING_S: Final = 30  # of a machine at most; after that it counts as unknown

Reason = Literal["credentials", "receiver", "configuration"]
_REASONS: Final[Mapping[int, Reason]] = {
    20003: "credentials",
    20404: "credentials",  # the account in the address is unknown
    21211: "receiver",
    21214: "receiver",  # the number cannot be reached
    21216: "receiver",  # an account may not call it
    21217: "receiver",
    13223: "receiver",
    13224: "receiver",
}
_HTTP_REASONS: Final[Mapping[int, Reason]] = {401: "credentials", 403: "credentials"}
_WORDS: Final[Mapping[str, CarrierWord]] = {
    "queued": "ringing",
    "initiated": "ringing",
    "ringing": "ringing",
    "in-progress": "talking",
    "answered": "talking",
    "completed": "ended",
    "busy": "busy",
    "no-answer": "no_answer",
    "failed": "failed",
    "canceled": "cancelled",
}


def word_of(status: str) -> CarrierWord | None:
    """Twilio's word for a call's status in ours; None for one that is not known."""
    return _WORDS.get(status)


@dataclass(frozen=True, slots=True)
class Longest:
    """Of a placed call in seconds, whatever becomes of us; and of a request to the carrier."""

    call_s: int
    request_s: float


class TwilioPlacing:
    """One connection pool for all accounts; an async context manager, opened inside the running loop."""

    def __init__(self, api_url: str, addresses: PlacedAddresses, longest: Longest) -> None:
        self._rest = TwilioRest(api_url)
        self._addresses = addresses
        self._longest = longest

    async def __aenter__(self) -> Self:
        await self._rest.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._rest.__aexit__(kind, error, trace)

    async def place(self, account: TwilioAccount, order: CallOrder) -> str:
        """The call's id. Raises as `booking.placing.Dialler.place`."""
        with _translated():
            async with asyncio.timeout(self._longest.request_s):
                made = await self._client(account).calls.create_async(**self._fields(order))
        return str(made.sid)

    async def find(self, account: TwilioAccount, order: CallOrder, *, since: datetime) -> list[CarrierCall]:
        """The account's calls between these numbers since then, oldest first. Raises `CallingUnavailable`."""
        with _asked():
            async with asyncio.timeout(self._longest.request_s):
                listed = await self._client(account).calls.list_async(
                    to=order.to, from_=order.from_, limit=_LISTED
                )
        late = [each for each in listed if each.date_created and each.date_created >= since]
        return [_as_ours(each) for each in sorted(late, key=lambda each: each.date_created)]

    async def look(self, account: TwilioAccount, carrier_call_id: str) -> CarrierCall | None:
        """None for a call that the account does not have. Raises `CallingUnavailable`."""
        try:
            with _asked():
                async with asyncio.timeout(self._longest.request_s):
                    return _as_ours(await self._client(account).calls(carrier_call_id).fetch_async())
        except _UnknownCall:
            return None

    def _fields(self, order: CallOrder) -> dict[str, Any]:
        at = self._addresses.of("twilio", order.org_id, order.placed_id, order.attempt)
        return {
            "to": order.to,
            "from_": order.from_,
            "url": at.answered,
            "method": "POST",
            "status_callback": at.status,
            "status_callback_method": "POST",
            "status_callback_event": _EVENTS,
            "timeout": order.ring_s,
            "time_limit": self._longest.call_s,
            "machine_detection": "DetectMessageEnd",
            "machine_detection_timeout": _GREETING_S,
            "async_amd": "true",
            "async_amd_status_callback": at.machine,
            "async_amd_status_callback_method": "POST",
        }

    def _client(self, account: TwilioAccount) -> Client:
        return self._rest.of(account.account_sid, account.auth_token)


def _as_ours(call: Any) -> CarrierCall:
    """An unknown status counts as ringing: the carrier has the call."""
    return CarrierCall(str(call.sid), word_of(str(call.status)) or "ringing")


class _UnknownCall(Exception):
    """The account has no such call."""


@contextmanager
def _translated() -> Iterator[None]:
    """The vendor's errors become ours, once."""
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as refusal:
        status, code = int(refusal.status), int(refusal.code)
        if status == 429:
            raise CallingUnavailable(CallingUnavailable.__doc__) from None
        if status >= 500:
            raise CallingUnconfirmed(CallingUnconfirmed.__doc__) from None
        raise CallingRefused(_REASONS.get(code) or _HTTP_REASONS.get(status, "configuration")) from None
    except aiohttp.ClientConnectorError:  # before a byte was sent
        raise CallingUnavailable(CallingUnavailable.__doc__) from None
    except (TwilioException, aiohttp.ClientError, OSError, TimeoutError, ValueError):
        raise CallingUnconfirmed(CallingUnconfirmed.__doc__) from None


@contextmanager
def _asked() -> Iterator[None]:
    """Of a question that changes nothing: it may be asked again. Raises `_UnknownCall` for a 404."""
    try:
        yield
    except (TwilioException, aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        if isinstance(error, TwilioRestException) and error.status == _NOT_FOUND:
            raise _UnknownCall from None
        raise CallingUnavailable(CallingUnavailable.__doc__) from None
