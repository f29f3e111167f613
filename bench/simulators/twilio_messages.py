"""A strict part of Twilio's REST API: an account's text messages, sent, fetched, listed; their callbacks.

`receive` plays a person who texts the account. Sources: Twilio docs "Messages resource", "Outbound message
status in status callbacks", "Test credentials" (the +1500555… numbers), "Twilio support for opt-out
keywords", error pages 21211, 21408, 21602 to 21617, 21610, 21612, 21614, 21635 (read 2026-11).
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import aiohttp
from twilio.request_validator import RequestValidator
from yarl import URL

from bench.simulators.twilio_refusal import ApiRefused

SENT_FIELDS: Final = frozenset(
    {
        "To",
        "From",
        "MessagingServiceSid",
        "Body",
        "StatusCallback",
        "ValidityPeriod",
        "SmartEncoded",
        "ProvideFeedback",
        "Attempt",
        "RiskCheck",
    }
)
LISTED_FIELDS: Final = frozenset({"To", "From", "PageSize", "Page", "PageToken"})
LAST: Final = frozenset({"delivered", "undelivered", "failed", "canceled"})

# Twilio docs, "Test credentials: magic input" (read 2026-11), and 21635 for a landline.
INVALID, NO_ROUTE, REGION_OFF = "+15005550001", "+15005550002", "+15005550003"
OPTED_OUT, NOT_MOBILE, LANDLINE = "+15005550004", "+15005550009", "+15005550010"
_REFUSED_TO: Final[Mapping[str, tuple[int, str]]] = {
    INVALID: (21211, "Invalid 'To' Phone Number: {}"),
    NO_ROUTE: (21612, "Message cannot be sent with the current combination of 'To' ({}) and 'From'"),
    REGION_OFF: (21408, "Permission to send an SMS has not been enabled for the region of {}"),
    OPTED_OUT: (21610, "Attempt to send to unsubscribed recipient {}"),
    NOT_MOBILE: (21614, "'To' number {} is not a valid mobile number"),
    LANDLINE: (21635, "'To' number {} cannot be a landline"),
}
# Twilio docs, "Twilio support for opt-out keywords" (read 2026-11).
_CHOICES: Final[Mapping[str, str]] = (
    dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), "STOP")
    | dict.fromkeys(("START", "YES", "UNSTOP"), "START")
    | dict.fromkeys(("HELP", "INFO"), "HELP")
)
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_SERVICE: Final = re.compile(r"MG[0-9a-f]{32}")
_LONGEST_BODY_CHARS: Final = 1600
_LONGEST_VALIDITY_S: Final = 36_000
_MOST_PER_PAGE: Final = 1000
_GSM7_CHARS: Final = 160
_CALLBACK_LIMIT_S: Final = 15.0


def _now() -> datetime:
    """In whole seconds, as the vendor tells time."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class TakeAndStall:
    """A fault: the message is taken and goes out, but the request is never answered."""


@dataclass(frozen=True, slots=True)
class TakeAndFail:
    """A fault: the message is taken and goes out, but the answer is an error of the server's (500-599)."""

    status: int = 504


@dataclass(slots=True)
class MessageResource:
    """A message as the account sees it."""

    sid: str
    to: str
    from_: str
    body: str
    status: str
    service: str | None = None
    status_callback: str | None = None
    validity_s: int = _LONGEST_VALIDITY_S
    error_code: int | None = None
    created_at: datetime = field(default_factory=_now)
    updated_at: datetime = field(default_factory=_now)


class Messages:
    """The account's messages, in the order in which they were taken. Sends only from `senders`.

    `real_url` is where a callback's public address really listens; the public one is signed. `taken` is
    called with each message, so that whoever plays the receiver can read it.
    """

    def __init__(self, account_sid: str, auth_token: str) -> None:
        self._account_sid = account_sid
        self._validator = RequestValidator(auth_token)
        self.senders: set[str] = set()
        self.opted_out: set[str] = set()
        self.taken: Callable[[MessageResource], None] = _nobody
        self.real_url: Callable[[str], str] = str
        self.all: list[MessageResource] = []

    def to(self, number: str) -> list[MessageResource]:
        """What was sent to this number, oldest first."""
        return [message for message in self.all if message.to == number]

    def create(self, form: Mapping[str, str]) -> MessageResource:
        """Take a message, or raise `ApiRefused`."""
        self._check_sender(form)
        _check_receiver(form)
        if form["To"] in self.opted_out:
            raise _refusal(OPTED_OUT, form["To"])
        _check_body(form)
        _check_options(form)
        service = form.get("MessagingServiceSid")
        message = MessageResource(
            sid="SM" + secrets.token_hex(16),
            to=form["To"],
            from_=form.get("From", ""),
            body=form["Body"],
            status="accepted" if service else "queued",
            service=service,
            status_callback=form.get("StatusCallback"),
            validity_s=int(form.get("ValidityPeriod", _LONGEST_VALIDITY_S)),
        )
        self.all.append(message)
        self.taken(message)
        return message

    def fetch(self, sid: str) -> MessageResource:
        """Raises `ApiRefused` for a message that the account has not."""
        for message in self.all:
            if message.sid == sid:
                return message
        raise ApiRefused(404, 20404, f"The requested resource {sid} was not found")

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """One page of the messages that match, newest first."""
        if unknown := sorted(query.keys() - LISTED_FIELDS):
            raise ApiRefused(400, 20001, f"Unknown parameters: {', '.join(unknown)}")
        size, number = _count(query, "PageSize", 50), _count(query, "Page", 0)
        if not 1 <= size <= _MOST_PER_PAGE:
            raise ApiRefused(400, 20006, "Page size must be 1 to 1000")
        found = [
            message
            for message in reversed(self.all)
            if query.get("To", message.to) == message.to and query.get("From", message.from_) == message.from_
        ]
        path = f"/2010-04-01/Accounts/{self._account_sid}/Messages.json"
        following = {**query, "PageSize": str(size), "Page": str(number + 1)}
        return {
            "messages": [self.resource(each) for each in found[number * size : (number + 1) * size]],
            "page": number,
            "page_size": size,
            "uri": path,
            "next_page_uri": f"{path}?{urlencode(following)}" if (number + 1) * size < len(found) else None,
        }

    def resource(self, message: MessageResource) -> dict[str, Any]:
        """The message as JSON; counts are strings, as the vendor has them."""
        return {
            "sid": message.sid,
            "account_sid": self._account_sid,
            "api_version": "2010-04-01",
            "status": message.status,
            "to": message.to,
            "from": message.from_ or None,
            "body": message.body,
            "messaging_service_sid": message.service,
            "num_segments": "0" if message.service else str(-(-len(message.body) // _GSM7_CHARS)),
            "num_media": "0",
            "direction": "outbound-api",
            "error_code": message.error_code,
            "error_message": None,
            "price": None,
            "price_unit": "USD",
            "date_created": format_datetime(message.created_at),
            "date_updated": format_datetime(message.updated_at),
            "date_sent": format_datetime(message.created_at) if message.status in LAST else None,
            "uri": f"/2010-04-01/Accounts/{self._account_sid}/Messages/{message.sid}.json",
        }

    async def report(self, message: MessageResource, status: str, error_code: int | None = None) -> int:
        """The message's status becomes this, and its callback is told. Its answer's status; 0 without one."""
        message.status, message.error_code, message.updated_at = status, error_code, _now()
        if message.status_callback is None:
            return 0
        return await self.call_back(message, status, error_code)

    async def call_back(self, message: MessageResource, status: str, error_code: int | None = None) -> int:
        """Post a callback alone, as one that comes late or twice."""
        fields = self._callback_fields(message, status, error_code)
        return await self._post(message.status_callback or "", fields)

    async def receive(self, url: str, *, from_: str, to: str, body: str, advanced: bool = False) -> int:
        """Somebody texts one of the account's numbers: their choice is kept, the webhook at `url` is told.

        `advanced`: the number is in a messaging service with Advanced Opt-Out. The webhook's answer's status.
        """
        choice = _CHOICES.get(body.strip().upper())
        if choice == "STOP":
            self.opted_out.add(from_)
        elif choice == "START":
            self.opted_out.discard(from_)
        fields = {
            "ToCountry": "GB",
            "MessageSid": (sid := "SM" + secrets.token_hex(16)),
            "SmsMessageSid": sid,
            "SmsSid": sid,
            "SmsStatus": "received",
            "NumMedia": "0",
            "NumSegments": "1",
            "Body": body,
            "From": from_,
            "To": to,
            "AccountSid": self._account_sid,
            "ApiVersion": "2010-04-01",
        }
        if advanced:
            fields["MessagingServiceSid"] = "MG" + "9" * 32
            fields |= {"OptOutType": choice} if choice else {}
        return await self._post(url, fields)

    async def _post(self, url: str, fields: Mapping[str, str]) -> int:
        headers = {"X-Twilio-Signature": str(self._validator.compute_signature(url, fields))}
        limit = aiohttp.ClientTimeout(total=_CALLBACK_LIMIT_S)
        async with (
            aiohttp.ClientSession(timeout=limit) as http,
            http.post(URL(self.real_url(url), encoded=True), data=fields, headers=headers) as answer,
        ):
            return answer.status

    def _callback_fields(
        self, message: MessageResource, status: str, error_code: int | None
    ) -> dict[str, str]:
        fields = {
            "MessageSid": message.sid,
            "SmsSid": message.sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "To": message.to,
            "From": message.from_,
            "AccountSid": self._account_sid,
            "ApiVersion": "2010-04-01",
        }
        if message.service:
            fields["MessagingServiceSid"] = message.service
        if error_code is not None:
            fields["ErrorCode"] = str(error_code)
        return fields

    def _check_sender(self, form: Mapping[str, str]) -> None:
        if "From" in form and "MessagingServiceSid" in form:
            raise ApiRefused(400, 20001, "Give either From or MessagingServiceSid")
        if service := form.get("MessagingServiceSid"):
            if not _SERVICE.fullmatch(service) or service not in self.senders:
                raise ApiRefused(400, 21705, "The Messaging Service Sid is invalid")
            return
        sender = form.get("From", "")
        if not sender:
            raise ApiRefused(400, 21603, "A 'From' phone number is required")
        if not _E164.fullmatch(sender):
            raise ApiRefused(400, 21212, "Invalid 'From' Phone Number")
        if sender not in self.senders:
            raise ApiRefused(400, 21606, f"The 'From' phone number {sender} is not owned by the account")


def _check_receiver(form: Mapping[str, str]) -> None:
    receiver = form.get("To", "")
    if not receiver:
        raise ApiRefused(400, 21604, "A 'To' phone number is required")
    if not _E164.fullmatch(receiver):
        raise ApiRefused(400, 21211, f"Invalid 'To' Phone Number: {receiver}")
    if receiver == form.get("From"):
        raise ApiRefused(400, 21266, "'To' and 'From' number cannot be the same")
    if receiver in _REFUSED_TO:
        raise _refusal(receiver, receiver)


def _refusal(kind: str, receiver: str) -> ApiRefused:
    code, message = _REFUSED_TO[kind]
    return ApiRefused(400, code, message.format(receiver))


def _check_body(form: Mapping[str, str]) -> None:
    if not form.get("Body"):
        raise ApiRefused(400, 21602, "Message body is required")
    if len(form["Body"]) > _LONGEST_BODY_CHARS:
        raise ApiRefused(400, 21617, "The concatenated message body exceeds the 1600 character limit")


def _check_options(form: Mapping[str, str]) -> None:
    callback = form.get("StatusCallback")
    if callback is not None:
        parts = urlsplit(callback)
        if parts.scheme not in ("http", "https") or not parts.hostname or "_" in parts.hostname:
            raise ApiRefused(400, 21609, "The 'StatusCallback' URL is not a valid URL")
    if not 1 <= _count(form, "ValidityPeriod", _LONGEST_VALIDITY_S) <= _LONGEST_VALIDITY_S:
        raise ApiRefused(400, 21624, "ValidityPeriod must be 1 to 36000 seconds")


def _count(fields: Mapping[str, str], name: str, default: int) -> int:
    text = fields.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise ApiRefused(400, 20001, f"{name} must be a number")
    return int(text)


def _nobody(message: MessageResource) -> None:
    """Nobody reads it."""
