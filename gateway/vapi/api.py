"""Vapi's REST interface: what stands there of an org, and the calls that it has had.

Vapi docs, API reference (read 2026-11): the private key as bearer token, JSON both ways; a list has 1,000
entries at most; `createdAtLt` begins it further back. `/credential` is not in the published reference, but in
Vapi's guides and its own tools. An update replaces what it names and leaves the rest alone.

When Vapi is busy (429), fails (5xx), is slow or away, it is asked again; for something new only where the
first request did nothing. Keys, payloads and answers stand in no log and in no error's message.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Literal, Protocol, Self
from urllib.parse import quote

import aiohttp
import msgspec

from gateway.errors import VapiRefused, VapiUnavailable
from gateway.vapi.wire_json import anything

Kind = Literal["assistant", "tool", "phone-number", "credential"]
Region = Literal["us", "eu"]
Json = Mapping[str, Any]

REQUEST_S: Final = 10.0
PAGE: Final = 1_000
_MOST_PAGES: Final = 20
_MOST_BYTES: Final = 64 * 1024 * 1024
_TRIES: Final = 4
_LONGEST_WAIT_S: Final = 20.0
_READ_BYTES: Final = 64 * 1024


class Account(Protocol):
    """As `gateway.tenancy.credentials.VapiAccount`."""

    @property
    def api_key(self) -> str: ...

    @property
    def region(self) -> Region: ...


class Urls(Protocol):
    """As `gateway.settings.Vapi`."""

    def url(self, region: Region) -> str: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one request may take, and the first of the waits between two, which double; in seconds."""

    request_s: float = REQUEST_S
    first_wait_s: float = 1.0


class VapiApi:
    """One connection pool for all accounts; an async context manager, opened inside the running loop."""

    def __init__(self, urls: Urls, patience: Patience = Patience()) -> None:
        self._urls = urls
        self._patience = patience

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    def of(self, account: Account) -> "VapiObjects":
        """What this account may see and change."""
        return VapiObjects(self._http, self._urls.url(account.region), account.api_key, self._patience)


@dataclass(frozen=True, slots=True)
class _Ask:
    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    payload: Json | None = field(default=None, repr=False)
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def repeatable(self) -> bool:
        """Whether doing it twice comes to the same."""
        return self.method != "POST"


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes = field(repr=False)
    retry_after_s: float | None = None


_Silence = Literal["unsent", "lost"]
"""The request never reached the server; nobody knows what became of it."""


class VapiObjects:
    """One account's objects. Every method raises `VapiRefused` and `VapiUnavailable`."""

    def __init__(self, http: aiohttp.ClientSession, url: str, api_key: str, patience: Patience) -> None:
        self._http = http
        self._url = url
        self._api_key = api_key
        self._patience = patience

    async def create(self, kind: Kind, payload: Json) -> Json:
        """The new object, with its `id`."""
        return _object(await self._done(_Ask("POST", f"/{kind}", payload)))

    async def update(self, kind: Kind, object_id: str, payload: Json) -> Json:
        """The object as it is now."""
        return _object(await self._done(_Ask("PATCH", f"/{kind}/{quote(object_id, safe='')}", payload)))

    async def get(self, kind: Kind, object_id: str) -> Json | None:
        """None if there is none."""
        return await self._found(f"/{kind}/{quote(object_id, safe='')}")

    async def every(self, kind: Kind) -> list[Json]:
        """All of a kind."""
        if kind == "credential":  # how its list is cut is not told
            return _objects(await self._done(_Ask("GET", "/credential")))
        return await self._pages(f"/{kind}", {}, _MOST_PAGES * PAGE)

    async def call(self, call_id: str) -> Json | None:
        """A call, with `artifact`, `analysis` and `endedReason` once it is over; None if there is none."""
        return await self._found(f"/call/{quote(call_id, safe='')}")

    async def calls(self, *, most: int, **criteria: str) -> list[Json]:
        """The newest calls. `criteria` are Vapi's, such as `createdAtGe` and `phoneNumberId`."""
        return await self._pages("/call", criteria, most)

    async def forget_call(self, call_id: str) -> bool:
        """Have Vapi delete what it keeps of a call. False if there is none, or none any more."""
        path = f"/call/{quote(call_id, safe='')}"
        try:
            await self._done(_Ask("DELETE", path))
        except VapiRefused as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise
            return False
        return True

    async def _found(self, path: str) -> Json | None:
        try:
            return _object(await self._done(_Ask("GET", path)))
        except VapiRefused as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise
            return None

    async def _pages(self, path: str, criteria: Mapping[str, str], most: int) -> list[Json]:
        """Newest first. Of two made in the same instant at a page's edge the second would be passed over."""
        found: list[Json] = []
        query = dict(criteria)
        while len(found) < most:
            size = min(PAGE, most - len(found))
            page = _objects(await self._done(_Ask("GET", path, query={**query, "limit": str(size)})))
            found += page
            if len(page) < size:
                break
            query["createdAtLt"] = _oldest(page)
        return found

    async def _done(self, ask: _Ask) -> bytes:
        """The body of Vapi's yes."""
        wait_s = self._patience.first_wait_s
        for left in reversed(range(_TRIES)):
            answer = await self._tried(ask)
            if isinstance(answer, _Answer) and HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
                return answer.body
            again = _may_repeat(ask, answer)
            if not left or not again:
                raise _failure(answer)
            await asyncio.sleep(_wait_s(answer, wait_s))
            wait_s *= 2
        raise AssertionError("unreachable")

    async def _tried(self, ask: _Ask) -> _Answer | _Silence:
        try:
            async with asyncio.timeout(self._patience.request_s):
                return await self._asked(ask)
        except aiohttp.ClientConnectorError:
            return "unsent"
        except (aiohttp.ClientError, OSError, TimeoutError):
            return "lost"

    async def _asked(self, ask: _Ask) -> _Answer:
        """No redirect is followed: it would carry the key elsewhere."""
        async with self._http.request(
            ask.method,
            self._url + ask.path,
            params=dict(ask.query),
            data=None if ask.payload is None else msgspec.json.encode(ask.payload),
            headers=self._headers(ask),
            allow_redirects=False,
        ) as response:
            body = await _bounded(response.content)
            return _Answer(response.status, body, _retry_after_s(response.headers.get("Retry-After", "")))

    def _headers(self, ask: _Ask) -> dict[str, str]:
        shown = {"Authorization": f"Bearer {self._api_key}", "Accept": "application/json"}
        return shown if ask.payload is None else {**shown, "Content-Type": "application/json"}


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    """Raises aiohttp's `ClientPayloadError` for an answer that never ends."""
    body = bytearray()
    async for chunk in content.iter_chunked(_READ_BYTES):
        body += chunk
        if len(body) > _MOST_BYTES:
            raise aiohttp.ClientPayloadError("too long")
    return bytes(body)


def _may_repeat(ask: _Ask, answer: _Answer | _Silence) -> bool:
    if isinstance(answer, _Answer):
        is_busy = answer.status == HTTPStatus.TOO_MANY_REQUESTS
        return is_busy or (ask.repeatable and answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR)
    return ask.repeatable or answer == "unsent"


def _failure(answer: _Answer | _Silence) -> VapiRefused | VapiUnavailable:
    if not isinstance(answer, _Answer):
        return VapiUnavailable("gives no answer")
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return VapiUnavailable(f"answers {answer.status}")
    return VapiRefused(answer.status, _faults(answer.body))


def _wait_s(answer: _Answer | _Silence, usual_s: float) -> float:
    asked_s = answer.retry_after_s if isinstance(answer, _Answer) else None
    return min(usual_s if asked_s is None else asked_s, _LONGEST_WAIT_S)


def _retry_after_s(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 6 else None


def _faults(body: bytes) -> Sequence[str]:
    """What Vapi finds wrong, as its validator writes it: one text or several."""
    try:
        told = anything(body)
    except (msgspec.DecodeError, RecursionError):
        return ()
    message = told.get("message") if isinstance(told, dict) else None
    return [each for each in (message if isinstance(message, list) else [message]) if isinstance(each, str)]


def _oldest(page: Sequence[Json]) -> str:
    made = [each.get("createdAt") for each in page]
    if not all(isinstance(each, str) for each in made):
        raise VapiUnavailable("answers something else than its objects")
    return min(str(each) for each in made)


def _object(body: bytes) -> Json:
    told = _decoded(body)
    if not isinstance(told, dict) or not isinstance(told.get("id"), str):
        raise VapiUnavailable("answers something else than an object")
    return told


def _objects(body: bytes) -> list[Json]:
    told = _decoded(body)
    if not isinstance(told, list) or not all(
        isinstance(each, dict) and isinstance(each.get("id"), str) for each in told
    ):
        raise VapiUnavailable("answers something else than a list of objects")
    return told


def _decoded(body: bytes) -> Any:
    try:
        return anything(body)
    except (msgspec.DecodeError, RecursionError):
        raise VapiUnavailable("answers no JSON") from None
