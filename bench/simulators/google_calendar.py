"""A strict part of Google Calendar API v3, with the token endpoint that its service accounts need.

Sources as in `google_events` and `google_tokens`. Stricter than the vendor in one point: an unknown field or
parameter is refused, so that a misspelt one is seen.
"""

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from aiohttp import web

from bench.simulators.faults import Faults
from bench.simulators.google_events import Calendar, Interval, query_range
from bench.simulators.google_refusal import ApiRefused
from bench.simulators.google_tokens import Account, Grant, GrantRefused, Tokens
from bench.simulators.serving import RunningServer, refusal, reset_connection, stall

_AUTH: Final = "https://www.googleapis.com/auth/"
_WRITING: Final = frozenset({_AUTH + "calendar", _AUTH + "calendar.events"})
_ASKING: Final = frozenset({_AUTH + "calendar", _AUTH + "calendar.readonly", _AUTH + "calendar.freebusy"})
_WRITERS: Final = frozenset({"owner", "writer"})
_SEES_EVENTS: Final = _WRITERS | {"reader"}
_PARAMETERS: Final = frozenset({"alt", "prettyPrint", "sendUpdates"})
_MOST_ITEMS: Final = 50


@dataclass(frozen=True, slots=True)
class Limit:
    """A fault: this request is one too many. As 403 or 429; Google uses both."""

    status: int = 403
    reason: str = "rateLimitExceeded"


@dataclass(frozen=True, slots=True)
class DoneButUnanswered:
    """A fault: the request does its work, then the connection breaks (or, with `hang`, stays silent)."""

    hang: bool = False


@dataclass(frozen=True, slots=True)
class Garble:
    """A fault: the request does its work, then is answered 200 with this."""

    body: str = "<html>"


@dataclass(frozen=True, slots=True)
class RefuseGrant:
    """A fault of the token endpoint."""

    status: int = 503
    error: str = "internal_failure"


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request as it came."""

    method: str
    path: str
    status: int


Work = Callable[[web.Request, Grant], Awaitable[web.Response]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GoogleCalendarSimulator:
    """`{url}/calendar/v3/…` and `{url}/token`, from `async with` to its end.

    Only accounts and calendars that were added exist. Faults understood: `Refuse`, `Stall`, `Limit`,
    `DoneButUnanswered`, `Garble` by the calendar, `RefuseGrant` by the token endpoint.
    """

    def __init__(
        self,
        *,
        faults: Faults | None = None,
        clock: Callable[[], float] = time.time,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.faults = faults or Faults()
        self.tokens = Tokens(clock)
        self.calendars: dict[str, Calendar] = {}
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

    @property
    def token_url(self) -> str:
        return self.url + "/token"

    def add_account(self, account: Account) -> None:
        self.tokens.accounts[account.email] = account

    def share(self, calendar_id: str, user: str, role: str = "writer") -> Calendar:
        """The calendar, made if it is new, shared with this user."""
        calendar = self.calendars.setdefault(calendar_id, Calendar(calendar_id, {}))
        calendar.roles[user] = role
        return calendar

    def asked(self, method: str) -> list[int]:
        """The statuses of the calendar's answers to this method, in order."""
        return [each.status for each in self.requests if each.method == method and each.path != "/token"]

    def _application(self) -> web.Application:
        app = web.Application()
        events = "/calendar/v3/calendars/{calendar}/events"
        app.router.add_post("/token", self._grant)
        app.router.add_post(events, self._answers(self._insert, _WRITING))
        app.router.add_get(events + "/{event}", self._answers(self._get, _WRITING))
        app.router.add_put(events + "/{event}", self._answers(self._update, _WRITING))
        app.router.add_delete(events + "/{event}", self._answers(self._delete, _WRITING))
        app.router.add_post("/calendar/v3/freeBusy", self._answers(self._free_busy, _ASKING))
        app.router.add_route("*", "/{rest:.*}", self._unknown)
        return app

    def _answers(self, work: Work, scopes: frozenset[str]) -> Handler:
        """What every request has in common: faults, authentication, its record."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                await self._strike()
                response = await work(request, self._authorised(request, scopes))
            except ApiRefused as refusal:
                response = refusal.response()
            self.requests.append(ApiRequest(request.method, request.path, response.status))
            return await self._unless_lost(request, response)

        return handle

    async def _grant(self, request: web.Request) -> web.Response:
        try:
            if fault := self.faults.take(RefuseGrant):
                raise GrantRefused(fault.error, "refused by plan", status=fault.status)
            form = {name: str(value) for name, value in (await request.post()).items()}
            response = web.json_response(self.tokens.grant(form))
        except GrantRefused as refusal:
            body = {"error": refusal.error, "error_description": str(refusal)}
            response = web.json_response(body, status=refusal.status)
        self.requests.append(ApiRequest("POST", "/token", response.status))
        return response

    async def _insert(self, request: web.Request, grant: Grant) -> web.Response:
        calendar = self._calendar(request, grant, _WRITERS)
        return web.json_response(calendar.insert(await _json(request)).resource())

    async def _get(self, request: web.Request, grant: Grant) -> web.Response:
        calendar = self._calendar(request, grant, _SEES_EVENTS)
        return web.json_response(calendar.get(request.match_info["event"]).resource())

    async def _update(self, request: web.Request, grant: Grant) -> web.Response:
        calendar = self._calendar(request, grant, _WRITERS)
        event = calendar.update(request.match_info["event"], await _json(request))
        return web.json_response(event.resource())

    async def _delete(self, request: web.Request, grant: Grant) -> web.Response:
        self._calendar(request, grant, _WRITERS).delete(request.match_info["event"])
        return web.Response(status=204)

    async def _free_busy(self, request: web.Request, grant: Grant) -> web.Response:
        body = await _json(request)
        after, before = query_range(body)
        calendars = {name: self._busy(name, grant, (after, before)) for name in _items(body)}
        return web.json_response(
            {
                "kind": "calendar#freeBusy",
                "timeMin": after.isoformat(),
                "timeMax": before.isoformat(),
                "calendars": calendars,
            }
        )

    def _busy(self, calendar_id: str, grant: Grant, query: Interval) -> dict[str, Any]:
        """A calendar that is not shared is an error inside the answer, not of it."""
        calendar = self.calendars.get(calendar_id)
        if calendar is None or grant.user not in calendar.roles:
            return {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}
        return {"busy": [{"start": _utc(start), "end": _utc(end)} for start, end in calendar.busy(*query)]}

    async def _unknown(self, request: web.Request) -> web.Response:
        self.requests.append(ApiRequest(request.method, request.path, 404))
        return ApiRefused(404, "notFound", "Not Found").response()

    async def _strike(self) -> None:
        if refuse := await refusal(self.faults):
            reason = "backendError" if refuse.status >= 500 else "forbidden"
            raise ApiRefused(refuse.status, reason, refuse.message)
        if limit := self.faults.take(Limit):
            raise ApiRefused(limit.status, limit.reason, "Rate Limit Exceeded", domain="usageLimits")

    async def _unless_lost(self, request: web.Request, response: web.Response) -> web.StreamResponse:
        if lost := self.faults.take(DoneButUnanswered):
            if lost.hang:
                await stall()
            reset_connection(request)
        if garble := self.faults.take(Garble):
            return web.Response(text=garble.body, content_type="application/json")
        return response

    def _authorised(self, request: web.Request, scopes: frozenset[str]) -> Grant:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        grant = self.tokens.found(token) if scheme == "Bearer" else None
        if grant is None:
            raise ApiRefused(401, "authError", "Invalid Credentials")
        if not grant.scopes & scopes:
            raise ApiRefused(
                403, "insufficientPermissions", "Request had insufficient authentication scopes."
            )
        if unknown := sorted(request.query.keys() - _PARAMETERS):
            raise ApiRefused(400, "invalidParameter", f"Unknown parameters: {', '.join(unknown)}")
        return grant

    def _calendar(self, request: web.Request, grant: Grant, needed: frozenset[str]) -> Calendar:
        calendar = self.calendars.get(request.match_info["calendar"])
        role = calendar.roles.get(grant.user) if calendar is not None else None
        if calendar is None or role is None:
            raise ApiRefused(404, "notFound", "Not Found")
        if role not in needed:
            raise ApiRefused(
                403,
                "requiredAccessLevel",
                "You need to have writer access to this calendar.",
                domain="calendar",
            )
        return calendar


async def _json(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise ApiRefused(400, "badContent", "Expected application/json")
    try:
        body = json.loads(await request.text())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ApiRefused(400, "parseError", "Parse Error")
    return body


def _items(body: dict[str, Any]) -> list[str]:
    items = body.get("items")
    if not isinstance(items, list) or not items:
        raise ApiRefused(400, "required", "Required parameter: items")
    if len(items) > _MOST_ITEMS:
        raise ApiRefused(400, "tooManyCalendarsRequested", "Too many calendars")
    if not all(isinstance(item, dict) and item.keys() == {"id"} for item in items):
        raise ApiRefused(400, "badRequest", "Each item is an id alone")
    return [str(item["id"]) for item in items]


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
