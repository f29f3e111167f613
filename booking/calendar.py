"""A practitioner's Google calendar. Satisfies `booking.ports.Calendar` and `booking.ports.Calendars`.

An event's id follows from its appointment's, so a request that is repeated meets its own event: Google then
answers 409 for an insert and 410 for a delete, which both count as done. An id stays taken after its event is
deleted; an update brings such an event back.

An org uses its own service account, with which each practitioner shares the calendar. There is none for the
whole process: through it one org could name, read and fill another's calendar.

An event says that there is an appointment and which, not whose nor what for: a calendar is shared, copied to
telephones and shown on screens, where neither redaction nor erasure reaches.

Sources: Google docs, Calendar API v3 reference, "Handle API errors", "Using OAuth 2.0 for server to server
applications" (read 2026-11).
"""

import asyncio
import base64
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from types import TracebackType
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

import asyncpg
import msgspec
from google.auth.exceptions import GoogleAuthError
from google.oauth2.service_account import Credentials

from booking import db
from booking.errors import CalendarNotConfigured, CalendarRefused, CalendarUnavailable, SealUnreadable
from booking.google import API_URL, TIMEOUT_S, TOKEN_URL, Answer, GoogleApi, Request
from booking.ports import Busy, CalendarEvent, Place, Sealer
from booking.types import Claim

PROVIDER: Final = "google_calendar"
_AUTH: Final = "https://www.googleapis.com/auth/"
SCOPES: Final = (_AUTH + "calendar.events", _AUTH + "calendar.freebusy")
_ORGS_KEPT: Final = 256
# The longest range of one free/busy query; Google refuses some months ("timeRangeTooLong").
_LONGEST_QUERY: Final = timedelta(days=30)
_BUSY_PROVIDER: Final = frozenset(
    {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"}
)
_Aware = Annotated[datetime, msgspec.Meta(tz=True)]


def event_id(appointment_id: UUID) -> str:
    """The id of the appointment's event: base32hex (RFC 4648 section 7) in lower case, 26 characters."""
    return base64.b32hexencode(appointment_id.bytes).decode().rstrip("=").lower()


class ServiceAccount(msgspec.Struct, frozen=True):
    """What is used of the key file that Google's console hands out.

    `subject`: the user to act for, where the clinic's domain allows that. The file's own addresses are not
    used: they would let whoever uploads a key have us call any host.
    """

    type: Literal["service_account"]
    client_email: str
    private_key_id: str
    private_key: str
    subject: str | None = None

    def __repr__(self) -> str:
        return "ServiceAccount()"


class GoogleCalendars:
    """The way to Google for all orgs; an async context manager, opened inside the running loop."""

    def __init__(
        self, *, api_url: str = API_URL, token_url: str = TOKEN_URL, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._api = GoogleApi("calendar", "v3", url=api_url, timeout_s=timeout_s)
        self._token_url = token_url

    async def __aenter__(self) -> Self:
        await self._api.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._api.__aexit__(kind, error, trace)

    def calendar(self, key_file: bytes) -> "GoogleCalendar":
        """What the key opens; it is not tried. Raises `CalendarNotConfigured` if it does not read."""
        try:
            account = msgspec.json.decode(key_file, type=ServiceAccount)
            info = msgspec.to_builtins(account) | {"token_uri": self._token_url}
            credentials = Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
                info, scopes=SCOPES, subject=account.subject
            )
        except (msgspec.MsgspecError, GoogleAuthError, ValueError):
            raise CalendarNotConfigured(CalendarNotConfigured.__doc__) from None
        return GoogleCalendar(self._api, credentials)


class GoogleCalendar:
    """The calendars that one service account may use. Satisfies `booking.ports.Calendar`."""

    def __init__(self, api: GoogleApi, credentials: Credentials) -> None:
        self._api = api
        self._credentials = credentials
        self._refreshing = asyncio.Lock()

    async def sign_in(self) -> None:
        """Fetch a token, if there is none. Raises `CalendarRefused` or `CalendarUnavailable`."""
        await self._token(refused="")

    async def put(self, calendar_id: str, event: CalendarEvent) -> None:
        """Raises `CalendarRefused` or `CalendarUnavailable`."""
        body = _resource(event)
        answer = await self._ask(
            lambda api: api.events().insert(calendarId=calendar_id, body=body, sendUpdates="none")
        )
        if answer.status == HTTPStatus.CONFLICT:
            await self._put_again(calendar_id, event.id, body)
        else:
            _require_taken(answer)

    async def remove(self, calendar_id: str, event_id: str) -> None:
        """Raises `CalendarRefused` or `CalendarUnavailable`."""
        answer = await self._ask(
            lambda api: api.events().delete(calendarId=calendar_id, eventId=event_id, sendUpdates="none")
        )
        if answer.status not in (HTTPStatus.GONE, HTTPStatus.NOT_FOUND):
            _require_taken(answer)

    async def busy(self, calendar_id: str, *, after: datetime, before: datetime) -> list[Busy]:
        """Raises `CalendarRefused` or `CalendarUnavailable`."""
        found: list[Busy] = []
        while after < before:
            until = min(after + _LONGEST_QUERY, before)
            found += await self._busy_within(calendar_id, after, until)
            after = until
        return found

    async def _put_again(self, calendar_id: str, event_id: str, body: Mapping[str, Any]) -> None:
        """The id is taken: by this very event, by an older state of it, or since it was deleted."""
        stands = await self._ask(lambda api: api.events().get(calendarId=calendar_id, eventId=event_id))
        _require_taken(stands)
        if _same(stands.body, body):
            return
        # An update without the present sequence number is refused.
        changed = dict(body) | {"sequence": stands.body.get("sequence", 0)}
        answer = await self._ask(
            lambda api: api.events().update(
                calendarId=calendar_id, eventId=event_id, body=changed, sendUpdates="none"
            )
        )
        _require_taken(answer)

    async def _busy_within(self, calendar_id: str, after: datetime, before: datetime) -> list[Busy]:
        query = {
            "timeMin": after.isoformat(),
            "timeMax": before.isoformat(),
            "items": [{"id": calendar_id}],
        }
        answer = await self._ask(lambda api: api.freebusy().query(body=query))
        _require_taken(answer)
        try:
            calendar = msgspec.convert(answer.body, _FreeBusy).calendars[calendar_id]
        except (msgspec.ValidationError, KeyError):
            raise CalendarUnavailable("Google's answer does not read") from None
        for error in calendar.errors:
            if error.reason == "notFound":
                raise CalendarRefused("calendar", HTTPStatus.NOT_FOUND)
            raise CalendarUnavailable("Google cannot tell when the calendar is busy")
        return [Busy(each.start, each.end) for each in calendar.busy if each.end > each.start]

    async def _ask(self, request: Callable[[Any], Request]) -> Answer:
        """The answer, asked for once more with a new token if Google does not take the present one."""
        token = await self._token(refused="")
        answer = await self._api.ask(request(self._api.service), token)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            token = await self._token(refused=token)
            answer = await self._api.ask(request(self._api.service), token)
        return answer

    async def _token(self, *, refused: str) -> str:
        """A token other than the refused one; whoever comes meanwhile waits for the same."""
        async with self._refreshing:
            token: str = self._credentials.token or ""
            if token == refused or not self._credentials.valid:
                token = await self._api.refresh(self._credentials)
            return token


@dataclass(slots=True)
class StoredCalendars:
    """Each org's calendars by the service account that is sealed for it. Satisfies `Calendars`.

    Sealed under provider `google_calendar` is the key file, with `subject` added where it is needed. A key
    that is changed counts from the next use on.
    """

    pool: asyncpg.Pool
    sealer: Sealer
    google: GoogleCalendars
    _kept: OrderedDict[tuple[UUID, bytes], GoogleCalendar] = field(default_factory=OrderedDict)

    async def calendar(self, claim: Claim) -> GoogleCalendar:
        rows = await db.fetch(self.pool, claim, "calendar_credentials")
        if not rows:
            raise CalendarNotConfigured(CalendarNotConfigured.__doc__)
        sealed: bytes = rows[0]["sealed"]
        key = (claim.org_id, hashlib.sha256(sealed).digest())
        if key not in self._kept:
            self._kept[key] = self.google.calendar(self._opened(claim, sealed))
        self._kept.move_to_end(key)
        if len(self._kept) > _ORGS_KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    def _opened(self, claim: Claim, sealed: bytes) -> bytes:
        try:
            return self.sealer.open(claim.org_id, sealed, Place("org_credentials", "sealed", PROVIDER))
        except SealUnreadable:
            raise CalendarNotConfigured(CalendarNotConfigured.__doc__) from None


class _Error(msgspec.Struct):
    reason: str = ""


class _Period(msgspec.Struct):
    start: _Aware
    end: _Aware


class _CalendarTimes(msgspec.Struct):
    busy: list[_Period] = []
    errors: list[_Error] = []


class _FreeBusy(msgspec.Struct):
    calendars: dict[str, _CalendarTimes]


def _resource(event: CalendarEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "summary": event.summary,
        "description": event.description,
        "start": {"dateTime": event.starts_at.isoformat()},
        "end": {"dateTime": event.ends_at.isoformat()},
        "status": "confirmed",
        "transparency": "opaque",
        "visibility": "private",
    }


def _same(stands: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Times are compared as instants: Google answers in the calendar's zone. An empty text is left out."""
    try:
        times = all(
            datetime.fromisoformat(stands[end]["dateTime"]) == datetime.fromisoformat(wanted[end]["dateTime"])
            for end in ("start", "end")
        )
    except (KeyError, TypeError, ValueError):
        return False
    texts = all(stands.get(name, "") == wanted[name] for name in ("summary", "description"))
    return times and texts and stands.get("status") == "confirmed"


def _require_taken(answer: Answer) -> None:
    """Raises `CalendarRefused` or `CalendarUnavailable` for a refusal."""
    status = answer.status
    if answer.taken:
        return
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT):
        raise CalendarUnavailable(f"Google is too busy: HTTP {status}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.reason in _BUSY_PROVIDER:
        raise CalendarUnavailable(f"Google is too busy: HTTP {status}")
    if status == HTTPStatus.UNAUTHORIZED or answer.reason == "insufficientPermissions":
        raise CalendarRefused("credentials", status)
    if status == HTTPStatus.FORBIDDEN:
        raise CalendarRefused("access", status)
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise CalendarRefused("calendar", status)
    raise CalendarRefused("request", status)
