"""A strict part of Twilio's REST API: one account's calls, placed, listed, fetched, updated; its texts.

Sources: Twilio docs "Call resource", error pages 20003, 20404, 21218, 21220, 12100 (read 2026-11). Stricter
than the vendor in one point: an unknown form field is refused, so that a misspelt one is seen.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Self
from urllib.parse import urlsplit
from xml.etree import ElementTree

from aiohttp import web

from bench.simulators.faults import Faults
from bench.simulators.serving import RunningServer, refusal, stall
from bench.simulators.twilio_calls import PLACED_FIELDS, PlacedCalls, PlacedResource
from bench.simulators.twilio_messages import SENT_FIELDS, Messages, TakeAndFail, TakeAndStall
from bench.simulators.twilio_refusal import ApiRefused

ENDED = frozenset({"completed", "canceled", "busy", "failed", "no-answer"})
_SID = {"account": re.compile(r"AC[0-9a-f]{32}"), "call": re.compile(r"CA[0-9a-f]{32}")}
_FIELDS = frozenset(
    {
        "Status",
        "Url",
        "Method",
        "FallbackUrl",
        "FallbackMethod",
        "StatusCallback",
        "StatusCallbackMethod",
        "Twiml",
        "TimeLimit",
    }
)
_COURSE = frozenset({"Status", "Url", "Twiml"})
_LONGEST_CALL_S = 86_400
_URLS = ("Url", "FallbackUrl", "StatusCallback")
_METHODS = ("Method", "FallbackMethod", "StatusCallbackMethod")
_LONGEST_TWIML_CHARS = 4000


@dataclass(slots=True)
class CallResource:
    """A call as the account sees it. `twiml` and `url` are what the last update replaced its document by."""

    sid: str
    status: str = "in-progress"
    from_: str = ""
    to: str = ""
    direction: str = "inbound"
    twiml: str | None = None
    url: str | None = None
    time_limit_s: int | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request as it came; `form` is empty for a fetch."""

    method: str
    path: str
    form: Mapping[str, str]
    status: int


Updated = Callable[[CallResource], None]
Handler = Callable[[web.Request], Awaitable[web.Response]]
Work = Callable[[web.Request, Mapping[str, str]], Awaitable[web.Response]]


class TwilioApiSimulator:
    """`{url}/2010-04-01/Accounts/{AC}.json` and `…/{AC}/…`, from `async with` to its end: `Calls.json`,
    `Calls/{CA}.json`, `Messages.json` and `Messages/{SM}.json`.

    Calls exist that were given to `add_call`, and those that the account places (`placed`). `updated` is
    called after each accepted update, so that whoever plays the carrier can end the call or run its new
    document. A message is taken `latency_s()` after it came. Faults understood: `Refuse`, `Stall`, and for a
    message or a call `TakeAndStall` and `TakeAndFail`.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        updated: Updated | None = None,
        faults: Faults | None = None,
        latency_s: Callable[[], float] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._updated = updated
        self.faults = faults or Faults()
        self._latency_s = latency_s
        self.calls: dict[str, CallResource] = {}
        self.messages = Messages(account_sid, auth_token)
        self.placed = PlacedCalls(account_sid, auth_token)
        self.requests: list[ApiRequest] = []
        self._host = host
        self._server = RunningServer(self._application(), host, port)
        self.url = ""

    async def __aenter__(self) -> Self:
        port = await self._server.start()
        self.url = f"http://{self._host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()

    def add_call(
        self, sid: str, *, status: str = "in-progress", from_: str = "", to: str = ""
    ) -> CallResource:
        """Make a call known; the returned resource may be changed (`status`) as the call goes on."""
        call = CallResource(sid, status, from_, to)
        self.calls[sid] = call
        return call

    def _application(self) -> web.Application:
        app = web.Application()
        account = "/2010-04-01/Accounts/{account}"
        app.router.add_get(
            "/2010-04-01/Accounts/{account:AC[0-9a-zA-Z]+}.json", self._answers(self._fetch_account)
        )
        app.router.add_get(account + "/Calls.json", self._answers(self._list_calls))
        app.router.add_post(account + "/Calls.json", self._answers(self._place_call))
        app.router.add_get(account + "/Calls/{call}.json", self._answers(self._fetch_call))
        app.router.add_post(account + "/Calls/{call}.json", self._answers(self._update_call))
        app.router.add_get(account + "/Messages.json", self._answers(self._list_messages))
        app.router.add_post(account + "/Messages.json", self._answers(self._send_message))
        app.router.add_get(account + "/Messages/{message}.json", self._answers(self._fetch_message))
        app.router.add_route("*", "/{rest:.*}", self._unknown)
        return app

    def _answers(self, work: Work) -> Handler:
        """What every request has in common: faults, authentication, its record."""

        async def handle(request: web.Request) -> web.Response:
            form: dict[str, str] = {}
            try:
                await self._strike()
                self._authorise(request)
                if request.method == "POST":
                    form = await _form(request)
                response = await work(request, form)
            except ApiRefused as refusal:
                response = refusal.response()
            self.requests.append(ApiRequest(request.method, request.path, form, response.status))
            return response

        return handle

    async def _fetch_account(self, _request: web.Request, _form: Mapping[str, str]) -> web.Response:
        return web.json_response(
            {
                "sid": self._account_sid,
                "owner_account_sid": self._account_sid,
                "friendly_name": "Offline",
                "status": "active",
                "type": "Full",
                "uri": f"/2010-04-01/Accounts/{self._account_sid}.json",
            }
        )

    async def _fetch_call(self, request: web.Request, _form: Mapping[str, str]) -> web.Response:
        return web.json_response(self._resource(self._call(request)))

    async def _update_call(self, request: web.Request, form: Mapping[str, str]) -> web.Response:
        call = self._call(request)
        _require_known(form, _FIELDS)
        _update(call, form)
        if self._updated is not None and form.keys() & _COURSE:
            self._updated(call)
        return web.json_response(self._resource(call))

    async def _place_call(self, request: web.Request, form: Mapping[str, str]) -> web.Response:
        _require_known(form, PLACED_FIELDS)
        events = [str(each) for each in (await request.post()).getall("StatusCallbackEvent", [])]
        placed = self.placed.create(form, events)
        call = self.add_call(placed.sid, status=placed.status, from_=placed.from_, to=placed.to)
        call.direction = "outbound-api"
        await self._strike_taken()
        return web.json_response(self._resource(call), status=201)

    async def _list_calls(self, request: web.Request, _form: Mapping[str, str]) -> web.Response:
        found, around = self.placed.page(request.query)
        listed = [self._resource(self._as_placed(each)) for each in found]
        return web.json_response({"calls": listed, **around})

    def _as_placed(self, placed: PlacedResource) -> CallResource:
        """As it stands: whoever plays the one who is called changes it there."""
        call = self.calls[placed.sid]
        if call.status not in ENDED:
            call.status = placed.status
        return call

    async def _send_message(self, _request: web.Request, form: Mapping[str, str]) -> web.Response:
        _require_known(form, SENT_FIELDS)
        if self._latency_s is not None:
            await asyncio.sleep(self._latency_s())
        message = self.messages.create(form)
        await self._strike_taken()
        return web.json_response(self.messages.resource(message), status=201)

    async def _fetch_message(self, request: web.Request, _form: Mapping[str, str]) -> web.Response:
        message = self.messages.fetch(request.match_info["message"])
        return web.json_response(self.messages.resource(message))

    async def _list_messages(self, request: web.Request, _form: Mapping[str, str]) -> web.Response:
        return web.json_response(self.messages.page(request.query))

    async def _unknown(self, request: web.Request) -> web.Response:
        self.requests.append(ApiRequest(request.method, request.path, {}, 404))
        return ApiRefused(404, 20404, f"The requested resource {request.path} was not found").response()

    async def _strike(self) -> None:
        if refuse := await refusal(self.faults):
            raise ApiRefused(refuse.status, 20500 if refuse.status >= 500 else 20429, refuse.message)

    async def _strike_taken(self) -> None:
        """What was asked is done, and nobody is told."""
        if self.faults.take(TakeAndStall):
            await stall()
        if fail := self.faults.take(TakeAndFail):
            raise ApiRefused(fail.status, 20500, "failed by plan")

    def _authorise(self, request: web.Request) -> None:
        """HTTP Basic with the account's SID and token; the SID in the path must be the account's."""
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = password = ""
        known = scheme.lower() == "basic" and (user, password) == (self._account_sid, self._auth_token)
        if not known or request.match_info["account"] != self._account_sid:
            raise ApiRefused(401, 20003, "Authenticate")

    def _call(self, request: web.Request) -> CallResource:
        sid = request.match_info["call"]
        call = self.calls.get(sid) if _SID["call"].fullmatch(sid) else None
        if call is None:
            raise ApiRefused(404, 20404, f"The requested resource {request.path} was not found")
        placed = next((each for each in self.placed.all if each.sid == sid), None)
        return call if placed is None else self._as_placed(placed)

    def _resource(self, call: CallResource) -> dict[str, Any]:
        return {
            "sid": call.sid,
            "account_sid": self._account_sid,
            "api_version": "2010-04-01",
            "status": call.status,
            "from": call.from_,
            "to": call.to,
            "direction": call.direction,
            "date_created": format_datetime(call.created_at),
            "date_updated": format_datetime(call.updated_at),
            "uri": f"/2010-04-01/Accounts/{self._account_sid}/Calls/{call.sid}.json",
        }


async def _form(request: web.Request) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise ApiRefused(415, 20001, "Expected application/x-www-form-urlencoded")
    fields = await request.post()
    form = {name: value for name, value in fields.items() if isinstance(value, str)}
    if not form:
        raise ApiRefused(400, 20001, "Nothing to update")
    return form


def _require_known(form: Mapping[str, str], known: frozenset[str]) -> None:
    if unknown := sorted(form.keys() - known):
        raise ApiRefused(400, 20001, f"Unknown parameters: {', '.join(unknown)}")


def _update(call: CallResource, form: Mapping[str, str]) -> None:
    """Change the call, or raise `ApiRefused` and leave it as it was."""
    _check_values(form)
    if call.status in ENDED:
        # What the live API answers to ending a call that is over: as if there were none.
        if form.keys() == {"Status"}:
            raise ApiRefused(404, 20404, "The requested resource was not found")
        raise ApiRefused(400, 21220, "Invalid call state: the call is not in-progress. Cannot redirect.")
    status = form.get("Status")
    if status == "canceled" and call.status not in ("queued", "ringing"):
        raise ApiRefused(400, 21220, "Only queued or ringing calls can be canceled.")
    call.status = status or call.status
    if form.keys() & _COURSE:
        call.twiml, call.url = form.get("Twiml"), form.get("Url")
    if "TimeLimit" in form:
        call.time_limit_s = int(form["TimeLimit"])
    call.updated_at = datetime.now(UTC)


def _check_values(form: Mapping[str, str]) -> None:
    if form.get("Status", "completed") not in ("completed", "canceled"):
        raise ApiRefused(400, 21218, "Status must be completed or canceled")
    if "Twiml" in form and "Url" in form:
        raise ApiRefused(400, 20001, "Give either Twiml or Url")
    if "Status" in form and ("Twiml" in form or "Url" in form):
        raise ApiRefused(400, 20001, "Give either Status or a new document")
    limit = form.get("TimeLimit", "1")
    if not limit.isdecimal() or not 1 <= int(limit) <= _LONGEST_CALL_S:
        raise ApiRefused(400, 20001, "TimeLimit is whole seconds")
    for name in _URLS:
        if name in form and urlsplit(form[name]).scheme not in ("http", "https"):
            raise ApiRefused(400, 21205, f"{name} is not a valid URL")
    for name in _METHODS:
        if form.get(name, "POST") not in ("GET", "POST"):
            raise ApiRefused(400, 21207, f"{name} must be GET or POST")
    if "Twiml" in form:
        _check_twiml(form["Twiml"])


def _check_twiml(document: str) -> None:
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - a local client's own document
    except ElementTree.ParseError:
        raise ApiRefused(400, 12100, "Document parse failure") from None
    if root.tag != "Response" or len(document) > _LONGEST_TWIML_CHARS:
        raise ApiRefused(400, 12100, "The document must be a <Response> of 4000 characters at most")
