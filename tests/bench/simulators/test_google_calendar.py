"""The simulated Google Calendar refuses what Google refuses."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import aiohttp
import jwt
import pytest

from bench.simulators.google_calendar import GoogleCalendarSimulator
from bench.simulators.google_tokens import AUDIENCE, GRANT, Account

OURS, THEIRS = "clinic@example.com", "private@example.com"
EVENTS, CALENDAR = (
    "https://www.googleapis.com/auth/calendar.events",
    "https://www.googleapis.com/auth/calendar",
)
NINE = datetime(2027, 3, 1, 9, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "id": "abc123",
    "summary": "Appointment",
    "start": {"dateTime": "2027-03-01T09:00:00Z"},
    "end": {"dateTime": "2027-03-01T09:30:00Z"},
}


@cache
def account() -> Account:
    return Account.generate("robot@project.iam.gserviceaccount.com")


@cache
def stranger() -> Account:
    return Account.generate("robot@elsewhere.iam.gserviceaccount.com")


class Clock:
    """The server's clock, moved by the test."""

    def __init__(self) -> None:
        self.now = NINE.timestamp()

    def __call__(self) -> float:
        return self.now


@dataclass
class Client:
    """Speaks to the server by plain HTTP."""

    http: aiohttp.ClientSession
    server: GoogleCalendarSimulator
    clock: Clock
    token: str = ""

    def claims(self) -> dict[str, Any]:
        now = int(self.clock.now)
        return {"iss": account().email, "scope": CALENDAR, "aud": AUDIENCE, "iat": now, "exp": now + 3600}

    async def grant(
        self,
        claims: Mapping[str, Any],
        *,
        by: Account | None = None,
        kid: str | None = None,
        alg: str = "RS256",
    ) -> tuple[int, dict[str, Any]]:
        key = by or account()
        secret = key.key if alg == "RS256" else "a shared secret of thirty-two bytes"
        assertion = jwt.encode(dict(claims), secret, algorithm=alg, headers={"kid": kid or account().key_id})
        form = {"grant_type": GRANT, "assertion": assertion}
        async with self.http.post(self.server.token_url, data=form) as answer:
            return answer.status, await answer.json()

    async def sign_in(self, scope: str = CALENDAR) -> None:
        status, body = await self.grant(self.claims() | {"scope": scope})
        assert status == 200
        self.token = body["access_token"]

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        """Status and reason; the reason is empty for what was taken."""
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.server.url}/calendar/v3/{path}"
        async with self.http.request(method, url, json=body, headers=headers) as answer:
            if answer.status < 300:
                return answer.status, ""
            fault = (await answer.json())["error"]
            assert fault["code"] == answer.status
            return answer.status, fault["errors"][0]["reason"]

    async def free_busy(self, **body: object) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.server.url}/calendar/v3/freeBusy"
        async with self.http.post(url, json=body, headers=headers) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    clock = Clock()
    async with GoogleCalendarSimulator(clock=clock) as server, aiohttp.ClientSession() as http:
        server.add_account(account())
        server.share(OURS, account().email)
        server.share(THEIRS, "owner@example.com", "owner")
        client = Client(http, server, clock)
        await client.sign_in()
        yield client


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"iss": "nobody@example.com"}, "invalid_grant"),
        ({"aud": "https://example.com/token"}, "invalid_grant"),
        ({"exp": int(NINE.timestamp()) + 7200}, "invalid_grant"),
        ({"iat": int(NINE.timestamp()) - 7200, "exp": int(NINE.timestamp()) - 3600}, "invalid_grant"),
        ({"exp": None}, "invalid_grant"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "https://www.googleapis.com/auth/everything"}, "invalid_scope"),
        ({"sub": "owner@example.com"}, "unauthorized_client"),
        ({"admin": True}, "invalid_grant"),
    ],
    ids=str,
)
async def test_assertions_that_get_no_token(client: Client, changes: dict[str, Any], error: str) -> None:
    claims = {name: value for name, value in (client.claims() | changes).items() if value is not None}
    status, body = await client.grant(claims)
    assert (status >= 400, body["error"]) == (True, error)


async def test_an_assertion_must_be_signed_by_its_account(client: Client) -> None:
    for refused in (
        await client.grant(client.claims(), by=stranger()),
        await client.grant(client.claims(), kid="another"),
        await client.grant(client.claims(), alg="HS256"),
    ):
        assert (refused[0], refused[1]["error"]) == (400, "invalid_grant")
    async with client.http.post(client.server.token_url, data={"grant_type": "password"}) as answer:
        assert (await answer.json())["error"] == "unsupported_grant_type"


async def test_a_token_is_good_for_an_hour_and_for_its_scopes(client: Client) -> None:
    await client.sign_in(EVENTS)
    assert await client.ask("POST", f"calendars/{OURS}/events", EVENT) == (200, "")
    assert await client.ask("POST", "freeBusy", {}) == (403, "insufficientPermissions")
    client.clock.now += 3601
    assert await client.ask("GET", f"calendars/{OURS}/events/abc123") == (401, "authError")
    client.token = "made up"
    assert await client.ask("GET", f"calendars/{OURS}/events/abc123") == (401, "authError")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": "ab"}, "invalid"),
        ({"id": "ABC123"}, "invalid"),
        ({"id": "xyz123"}, "invalid"),
        ({"start": None}, "required"),
        ({"end": {"dateTime": "2027-03-01T09:00:00Z"}}, "timeRangeEmpty"),
        ({"end": {"dateTime": "2027-03-01T10:00:00"}}, "badRequest"),
        ({"end": {"dateTime": "tomorrow"}}, "badRequest"),
        ({"end": {"date": "2027-03-02"}}, "invalid"),
        ({"visibility": "secret"}, "invalid"),
        ({"summary": "x" * 9000}, "invalid"),
        ({"sequence": 1.0}, "invalid"),
        ({"sumary": "misspelt"}, "badRequest"),
    ],
    ids=str,
)
async def test_events_that_are_refused(client: Client, changes: dict[str, Any], reason: str) -> None:
    body = {name: value for name, value in (EVENT | changes).items() if value is not None}
    assert await client.ask("POST", f"calendars/{OURS}/events", body) == (400, reason)
    assert client.server.calendars[OURS].events == {}


async def test_an_id_is_taken_for_ever(client: Client) -> None:
    events = f"calendars/{OURS}/events"
    assert await client.ask("POST", events, EVENT) == (200, "")
    assert await client.ask("POST", events, EVENT) == (409, "duplicate")
    assert await client.ask("DELETE", f"{events}/abc123") == (204, "")
    assert await client.ask("DELETE", f"{events}/abc123") == (410, "deleted")
    assert await client.ask("POST", events, EVENT) == (409, "duplicate")
    assert await client.ask("PUT", f"{events}/abc123", EVENT) == (200, "")
    assert len(client.server.calendars[OURS].standing) == 1


async def test_an_update_names_the_present_sequence(client: Client) -> None:
    events = f"calendars/{OURS}/events"
    await client.ask("POST", events, EVENT)
    later = EVENT | {"end": {"dateTime": "2027-03-01T10:00:00Z"}}
    assert await client.ask("PUT", f"{events}/abc123", later) == (200, "")
    assert await client.ask("PUT", f"{events}/abc123", EVENT) == (400, "invalid")
    assert await client.ask("PUT", f"{events}/abc123", EVENT | {"sequence": 1}) == (200, "")
    assert await client.ask("PUT", f"{events}/n0there0", EVENT | {"id": "n0there0"}) == (404, "notFound")


async def test_who_may_do_what_with_a_calendar(client: Client) -> None:
    assert await client.ask("POST", f"calendars/{THEIRS}/events", EVENT) == (404, "notFound")
    client.server.share(THEIRS, account().email, "reader")
    assert await client.ask("POST", f"calendars/{THEIRS}/events", EVENT) == (403, "requiredAccessLevel")
    assert await client.ask("GET", f"calendars/{THEIRS}/events/abc123") == (404, "notFound")
    assert await client.ask("GET", "calendars") == (404, "notFound")
    assert await client.ask("GET", f"calendars/{OURS}/events/abc123?magic=1") == (400, "invalidParameter")


async def test_busy_times_are_merged_and_cut_to_the_query(client: Client) -> None:
    half = timedelta(minutes=30)
    client.server.calendars[OURS].times += [
        (NINE + half, NINE + 3 * half),
        (NINE - timedelta(days=1), NINE),
        (NINE + 5 * half, NINE + 5 * half + timedelta(days=1)),
    ]
    await client.ask("POST", f"calendars/{OURS}/events", EVENT)
    free = EVENT | {"id": "abc124", "transparency": "transparent"}
    await client.ask("POST", f"calendars/{OURS}/events", free)
    query = {"timeMin": (NINE - half).isoformat(), "timeMax": (NINE + 6 * half).isoformat()}
    status, body = await client.free_busy(**query, items=[{"id": OURS}, {"id": THEIRS}])
    assert status == 200
    assert body["calendars"][OURS]["busy"] == [
        {"start": "2027-03-01T08:30:00Z", "end": "2027-03-01T10:30:00Z"},
        {"start": "2027-03-01T11:30:00Z", "end": "2027-03-01T12:00:00Z"},
    ]
    assert body["calendars"][THEIRS]["errors"] == [{"domain": "global", "reason": "notFound"}]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"timeMin": None}, "required"),
        ({"timeMax": "2027-03-01T08:00:00Z"}, "timeRangeEmpty"),
        ({"timeMax": "2027-09-01T08:00:00Z"}, "timeRangeTooLong"),
        ({"timeMax": "2027-03-02T08:00:00"}, "badRequest"),
        ({"items": []}, "required"),
        ({"items": [{"id": OURS}] * 51}, "tooManyCalendarsRequested"),
        ({"items": [OURS]}, "badRequest"),
        ({"timezone": "UTC"}, "badRequest"),
    ],
    ids=str,
)
async def test_queries_that_are_refused(client: Client, changes: dict[str, Any], reason: str) -> None:
    query = {
        "timeMin": "2027-03-01T08:00:00Z",
        "timeMax": "2027-03-02T08:00:00Z",
        "items": [{"id": OURS}],
    }
    body = {name: value for name, value in (query | changes).items() if value is not None}
    assert await client.ask("POST", "freeBusy", body) == (400, reason)


async def test_a_body_must_be_a_json_object(client: Client) -> None:
    events = f"calendars/{OURS}/events"
    assert await client.ask("POST", events, [EVENT]) == (400, "parseError")
    headers = {"Authorization": f"Bearer {client.token}"}
    url = f"{client.server.url}/calendar/v3/{events}"
    async with client.http.post(url, data=b"{}", headers=headers) as answer:
        assert (await answer.json())["error"]["errors"][0]["reason"] == "badContent"
