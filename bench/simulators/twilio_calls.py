"""A strict part of Twilio's REST API: calls that the account places, what it tells of them, and its list.

`PlacedCalls` plays the carrier as far as a request can see it; whoever is called is played by the test, which
has a call ring, be answered and end. Sources: Twilio docs "Call resource", "Answering machine detection",
error pages 13223, 21201, 21205, 21211, 21212, 21215, 21217 (read 2026-11).
"""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

import aiohttp
from twilio.request_validator import RequestValidator
from yarl import URL

from bench.simulators.twilio_refusal import ApiRefused

PLACED_FIELDS: Final = frozenset(
    {
        "To",
        "From",
        "Url",
        "Method",
        "Twiml",
        "FallbackUrl",
        "FallbackMethod",
        "StatusCallback",
        "StatusCallbackMethod",
        "StatusCallbackEvent",
        "Timeout",
        "TimeLimit",
        "MachineDetection",
        "MachineDetectionTimeout",
        "AsyncAmd",
        "AsyncAmdStatusCallback",
        "AsyncAmdStatusCallbackMethod",
    }
)
LISTED_FIELDS: Final = frozenset({"To", "From", "Status", "PageSize", "Page", "PageToken"})
# Twilio docs, "Test credentials: magic input" (read 2026-11).
INVALID, NO_ROUTE, REGION_OFF = "+15005550001", "+15005550002", "+15005550003"
_REFUSED_TO: Final[Mapping[str, tuple[int, str]]] = {
    INVALID: (21211, "The phone number you are attempting to call is not valid"),
    NO_ROUTE: (21214, "The phone number you are attempting to call cannot be reached"),
    REGION_OFF: (21215, "Account not authorized to call this region"),
}
_EVENTS: Final = frozenset({"initiated", "ringing", "answered", "completed"})
_EVENT_OF: Final[Mapping[str, str]] = {
    "initiated": "initiated",
    "ringing": "ringing",
    "in-progress": "answered",
    "completed": "completed",
    "busy": "completed",
    "no-answer": "completed",
    "failed": "completed",
    "canceled": "completed",
}
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_MOST_RING_S, _MOST_CALL_S = 600, 14_400
_GREETINGS_S: Final = range(3, 60)
_ANSWER_LIMIT_S: Final = 15.0


@dataclass(slots=True)
class PlacedResource:
    """A call that the account has placed. `told` are the statuses that its callback was sent."""

    sid: str
    to: str
    from_: str
    form: Mapping[str, str]
    events: Sequence[str]
    status: str = "queued"
    told: list[str] = field(default_factory=list)
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))


class PlacedCalls:
    """The account's calls, in the order in which they were taken. It calls from `numbers` alone.

    `real_url` is where a callback's public address really listens; the public one is signed.
    """

    def __init__(self, account_sid: str, auth_token: str) -> None:
        self._account_sid = account_sid
        self._validator = RequestValidator(auth_token)
        self.numbers: set[str] = set()
        self.real_url: Callable[[str], str] = str
        self.taken: Callable[[PlacedResource], None] = _nobody
        self.all: list[PlacedResource] = []

    def to(self, number: str) -> list[PlacedResource]:
        """Calls to this number, oldest first."""
        return [call for call in self.all if call.to == number]

    def create(self, form: Mapping[str, str], events: Sequence[str]) -> PlacedResource:
        """Take a call, or raise `ApiRefused`."""
        self._check_numbers(form)
        _check_document(form)
        _check_callbacks(form, events)
        _check_detection(form)
        _count(form, "Timeout", range(1, _MOST_RING_S + 1))
        _count(form, "TimeLimit", range(1, _MOST_CALL_S + 1))
        call = PlacedResource(
            "CA" + secrets.token_hex(16), form["To"], form["From"], dict(form), tuple(events)
        )
        self.all.append(call)
        self.taken(call)
        return call

    def page(self, query: Mapping[str, str]) -> tuple[list[PlacedResource], dict[str, Any]]:
        """One page of the calls that match, newest first, and what stands around them."""
        if unknown := sorted(query.keys() - LISTED_FIELDS):
            raise ApiRefused(400, 20001, f"Unknown parameters: {', '.join(unknown)}")
        size, number = int(query.get("PageSize", 50)), int(query.get("Page", 0))
        if not 1 <= size <= 1000:
            raise ApiRefused(400, 20006, "Page size must be 1 to 1000")
        found = [
            call
            for call in reversed(self.all)
            if query.get("To", call.to) == call.to
            and query.get("From", call.from_) == call.from_
            and query.get("Status", call.status) == call.status
        ]
        path = f"/2010-04-01/Accounts/{self._account_sid}/Calls.json"
        following = {**query, "PageSize": str(size), "Page": str(number + 1)}
        more = (number + 1) * size < len(found)
        around = {
            "page": number,
            "page_size": size,
            "uri": path,
            "next_page_uri": f"{path}?{urlencode(following)}" if more else None,
        }
        return found[number * size : (number + 1) * size], around

    # --- what the account is told ---------------------------------------------------------------------------

    async def tell(self, call: PlacedResource, status: str) -> int:
        """The call has this status now, and its callback is told; the answer's status, 0 if it wants none."""
        call.status = status
        if _EVENT_OF[status] not in call.events or "StatusCallback" not in call.form:
            return 0
        call.told.append(status)
        return (await self.post(call, call.form["StatusCallback"], CallStatus=status))[0]

    async def answer(self, call: PlacedResource) -> ElementTree.Element | None:
        """Somebody picks up: the document that the call goes on with, None if there is none to be had."""
        call.status = "in-progress"
        status, body = await self.post(call, call.form["Url"], CallStatus="in-progress")
        return ElementTree.fromstring(body) if status == 200 else None  # noqa: S314 - a local server's own

    async def detect(self, call: PlacedResource, answered_by: str) -> int:
        """Detection has come to this; the callback's answer."""
        url = call.form["AsyncAmdStatusCallback"]
        return (await self.post(call, url, AnsweredBy=answered_by, MachineDetectionDuration="3100"))[0]

    async def post(self, call: PlacedResource, url: str, **fields: str) -> tuple[int, bytes]:
        """One signed webhook of this call."""
        form = {
            "CallSid": call.sid,
            "AccountSid": self._account_sid,
            "From": call.from_,
            "To": call.to,
            "Direction": "outbound-api",
            "ApiVersion": "2010-04-01",
            **fields,
        }
        headers = {"X-Twilio-Signature": self._validator.compute_signature(url, form)}
        limit = aiohttp.ClientTimeout(total=_ANSWER_LIMIT_S)
        async with (
            aiohttp.ClientSession(timeout=limit) as http,
            http.post(URL(self.real_url(url), encoded=True), data=form, headers=headers) as answer,
        ):
            return answer.status, await answer.read()

    def _check_numbers(self, form: Mapping[str, str]) -> None:
        to, from_ = form.get("To"), form.get("From")
        if to is None:
            raise ApiRefused(400, 21201, "No 'To' number is specified")
        if from_ is None:
            raise ApiRefused(400, 21213, "'From' phone number is required")
        if not _E164.fullmatch(to):
            raise ApiRefused(400, 21211, "Invalid 'To' phone number")
        if to in _REFUSED_TO:
            raise ApiRefused(400, *_REFUSED_TO[to])
        if from_ not in self.numbers:
            raise ApiRefused(400, 21210, "The source phone number is not verified for your account")


def _check_document(form: Mapping[str, str]) -> None:
    if ("Url" in form) == ("Twiml" in form):
        raise ApiRefused(400, 21205, "Give either Url or Twiml")


def _check_callbacks(form: Mapping[str, str], events: Sequence[str]) -> None:
    for name in ("Url", "FallbackUrl", "StatusCallback", "AsyncAmdStatusCallback"):
        if name in form and urlsplit(form[name]).scheme not in ("http", "https"):
            raise ApiRefused(400, 21205, f"{name} is not a valid URL")
    for name in ("Method", "FallbackMethod", "StatusCallbackMethod", "AsyncAmdStatusCallbackMethod"):
        if form.get(name, "POST") not in ("GET", "POST"):
            raise ApiRefused(400, 21207, f"{name} must be GET or POST")
    if unknown := sorted(set(events) - _EVENTS):
        raise ApiRefused(400, 21219, f"Unknown status callback events: {', '.join(unknown)}")


def _check_detection(form: Mapping[str, str]) -> None:
    if form.get("MachineDetection", "Enable") not in ("Enable", "DetectMessageEnd"):
        raise ApiRefused(400, 20001, "MachineDetection must be Enable or DetectMessageEnd")
    if form.get("AsyncAmd", "false") not in ("true", "false"):
        raise ApiRefused(400, 20001, "AsyncAmd must be true or false")
    asks = {name for name in form if name.startswith(("AsyncAmd", "MachineDetectionT"))}
    if asks and "MachineDetection" not in form:
        raise ApiRefused(400, 20001, f"Without MachineDetection there is no {sorted(asks)[0]}")
    if "AsyncAmdStatusCallback" in form and form.get("AsyncAmd") != "true":
        raise ApiRefused(400, 20001, "AsyncAmdStatusCallback needs AsyncAmd")
    _count(form, "MachineDetectionTimeout", _GREETINGS_S)


def _count(form: Mapping[str, str], name: str, among: range) -> None:
    told = form.get(name)
    if told is not None and not (told.isascii() and told.isdigit() and int(told) in among):
        raise ApiRefused(400, 20001, f"{name} must be {among.start} to {among.stop - 1}")


def _nobody(_call: PlacedResource) -> None:
    """Nobody is told."""
