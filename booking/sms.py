"""Text messages over Twilio's own SDK. Satisfies `booking.ports.SmsSender`.

Twilio has no idempotency key: after a time-out, a broken connection or a 5xx nobody knows whether the
message went out. That is `SmsUnconfirmed`, and `find` tells later. The SDK ignores its `timeout` argument
(twilio-python issue 925), hence the deadlines here; its errors quote the receiver, hence `from None`.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import dropwhile
from types import TracebackType
from typing import Any, Final, Literal, Self

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client

from booking.errors import SmsRefused, SmsUnavailable, SmsUnconfirmed
from booking.ports import OutgoingSms, ProviderSms, SmsAccount, SmsStatus
from booking.twilio_rest import TwilioRest

API_URL: Final = "https://api.twilio.com"
SEND_TIMEOUT_S: Final = 4.0
_LISTED: Final = 100

Reason = Literal["credentials", "receiver", "opted_out", "configuration", "content"]

# Twilio docs, "Error and warning dictionary" (read 2026-11). 20429 is told by its HTTP status.
_REASONS: Final[Mapping[int, Reason]] = {
    20003: "credentials",
    20404: "credentials",  # the account in the address is unknown
    21211: "receiver",
    21614: "receiver",  # not a mobile
    21635: "receiver",  # a landline
    21610: "opted_out",
    21212: "configuration",
    21408: "configuration",  # the receiver's region is not enabled
    21601: "configuration",
    21603: "configuration",
    21606: "configuration",  # the sender is not this account's
    21608: "configuration",  # a trial account, an unverified receiver
    21609: "configuration",  # the callback's address
    21612: "configuration",  # no route from this sender to this receiver
    21602: "content",
    21617: "content",
}
# Twilio docs, "Message resource: status" (read 2026-11).
_STATUSES: Final[Mapping[str, SmsStatus]] = {
    "accepted": "queued",
    "scheduled": "queued",
    "queued": "queued",
    "sending": "queued",
    "sent": "sent",
    "delivered": "delivered",
    "partially_delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "failed",
}
# Twilio docs, "Twilio support for opt-out keywords"; Twilio help, "How to track opt-out, opt-in and help
# messages using the OptOutType parameter" (read 2026-11): the whole message is the word, in whatever case.
# Words that mean nothing else count amid courtesies too ("Stop texting me, please."), which Twilio lets pass;
# "cancel" and "end" may be about an appointment. Consent is read into nothing but Twilio's very word.
_STOP: Final = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
_START: Final = frozenset({"start", "yes", "unstop"})
_STOP_FIRST: Final = frozenset({"stop", "stopall", "unsubscribe", "optout"})
_COURTESIES: Final = frozenset({"please", "pls", "plz", "ok", "okay", "hi", "hello", "sorry", "just"})
_OF_TEXTS: Final = (
    _COURTESIES
    | {"contacting", "messaging", "sending", "texting", "message", "messages", "sms", "text", "texts", "list"}
    | {
        "all",
        "any",
        "at",
        "from",
        "it",
        "me",
        "more",
        "my",
        "now",
        "number",
        "of",
        "once",
        "the",
        "these",
        "this",
    }
    | {"thank", "thanks", "us", "you", "your"}
)
_WORD: Final = re.compile(r"[^\W_]+")
_HTTP_REASONS: Final[Mapping[int, Reason]] = {401: "credentials", 403: "credentials"}


def status_of(word: str) -> SmsStatus | None:
    """Twilio's word for a status in ours; None for one that is not known."""
    return _STATUSES.get(word)


def choice_of(opt_out_type: str, body: str) -> Literal["stop", "start"] | None:
    """What somebody who wrote this wants of our texts; None if it is about something else.

    `opt_out_type` is what Twilio makes of it, where Advanced Opt-Out is on; else its default words count.
    """
    match opt_out_type.upper():
        case "STOP":
            return "stop"
        case "START":
            return "start"
        case "HELP":
            return None
    word = body.strip().casefold()
    if word in _STOP or _asks_to_stop(_WORD.findall(word)):
        return "stop"
    return "start" if word in _START else None


def _asks_to_stop(words: list[str]) -> bool:
    """Whether it begins, courtesies apart, with a word that ends texts, and goes on about nothing else."""
    begun = list(dropwhile(_COURTESIES.__contains__, words))
    for length in (2, 1):  # "opt out", "stop all"; "stop"
        if "".join(begun[:length]) in _STOP_FIRST:
            return _OF_TEXTS.issuperset(begun[length:])
    return False


class TwilioSms:
    """One connection pool for all accounts; an async context manager, opened inside the running loop."""

    def __init__(self, *, api_url: str = API_URL, timeout_s: float = SEND_TIMEOUT_S) -> None:
        self._rest = TwilioRest(api_url)
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        await self._rest.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._rest.__aexit__(kind, error, trace)

    async def send(self, account: SmsAccount, sms: OutgoingSms) -> ProviderSms:
        """Raises `SmsRefused`, `SmsUnavailable` or `SmsUnconfirmed`."""
        with _translated():
            async with asyncio.timeout(self._timeout_s):
                taken = await self._client(account).messages.create_async(**_fields(account, sms))
        return _as_ours(taken)

    async def find(self, account: SmsAccount, sms: OutgoingSms, *, since: datetime) -> list[ProviderSms]:
        """The account's last messages to this receiver. Raises `SmsUnavailable`; the SDK does not say why."""
        try:
            with _translated():
                async with asyncio.timeout(self._timeout_s):
                    listed = await self._client(account).messages.list_async(to=sms.to, limit=_LISTED)
        except (SmsRefused, SmsUnconfirmed):
            raise SmsUnavailable(SmsUnavailable.__doc__) from None
        same = [each for each in listed if each.body == sms.body and each.date_created >= since]
        return [_as_ours(each) for each in sorted(same, key=lambda each: each.date_created)]

    def _client(self, account: SmsAccount) -> Client:
        return self._rest.of(account.account_sid, account.auth_token)


def _fields(account: SmsAccount, sms: OutgoingSms) -> dict[str, Any]:
    sender = "messaging_service_sid" if account.sender.startswith("MG") else "from_"
    fields: dict[str, Any] = {"to": sms.to, "body": sms.body, sender: account.sender}
    if sms.status_url is not None:
        fields["status_callback"] = sms.status_url
    if sms.valid_s is not None:
        fields["validity_period"] = sms.valid_s
    return fields


def _as_ours(message: Any) -> ProviderSms:
    """An unknown status counts as queued: the provider has the message."""
    status = status_of(str(message.status)) or "queued"
    return ProviderSms(message.sid, status, message.error_code, message.date_updated)


@contextmanager
def _translated() -> Iterator[None]:
    """The vendor's errors become ours, once."""
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as refusal:
        _refuse(int(refusal.status), int(refusal.code))
    except aiohttp.ClientConnectorError:  # before a byte was sent
        raise SmsUnavailable(SmsUnavailable.__doc__) from None
    except (TwilioException, aiohttp.ClientError, OSError, TimeoutError, ValueError):
        raise SmsUnconfirmed(SmsUnconfirmed.__doc__) from None


def _refuse(status: int, code: int) -> None:
    if status == 429:
        raise SmsUnavailable(SmsUnavailable.__doc__) from None
    if status >= 500:
        raise SmsUnconfirmed(SmsUnconfirmed.__doc__) from None
    reason = _REASONS.get(code) or _HTTP_REASONS.get(status, "configuration")
    raise SmsRefused(reason, code) from None
