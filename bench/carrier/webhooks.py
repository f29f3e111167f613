"""A carrier's requests to the gateway: for a call's answer, for what follows it, and for status.

Time limits are Twilio's own, 5 s to connect and 15 s in all (docs "Connection overrides", read 2026-11); the
other carriers' are no shorter. How a request is signed is each carrier's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from bench.carrier.errors import Rule, WebhookFailed
from bench.carrier.faults import NO_FAULTS, LineFaults, Signing, WebhookChance

CONNECT_LIMIT_S: Final = 5.0
ANSWER_LIMIT_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Route:
    """Where the gateway is for the world, and where it really listens.

    `public_url` is what is signed and configured; `connect_url` (loopback) is where the bytes go. Usually the
    same.
    """

    public_url: str
    connect_url: str

    def real_url(self, url: str) -> str:
        """The address to connect to for a public one; foreign addresses stay as they are."""
        if self.public_url == self.connect_url or urlsplit(url).netloc != urlsplit(self.public_url).netloc:
            return url
        return urlsplit(url)._replace(scheme="http", netloc=urlsplit(self.connect_url).netloc).geturl()


@dataclass(frozen=True, slots=True)
class Signed:
    """What vouches for a request: headers, and which of them is the signature itself, "" for none."""

    headers: Mapping[str, str] = field(default_factory=dict)
    signature: str = ""

    def as_planned(self, signing: Signing) -> Mapping[str, str]:
        """The headers that go out: as they are, with another signature, or without one."""
        if signing == "good" or not self.signature:
            return self.headers
        left = {name: value for name, value in self.headers.items() if name != self.signature}
        if signing == "missing":
            return left
        given = self.headers[self.signature]
        middle = len(given) // 2
        other = "A" if given[middle] != "A" else "B"
        return {**left, self.signature: given[:middle] + other + given[middle + 1 :]}


@dataclass(frozen=True, slots=True)
class Request:
    """`body` is None for a GET."""

    url: str
    body: bytes | None
    content_type: str = ""
    signed: Signed = Signed()
    agent: str = "bench"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str
    body: bytes

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300


class Webhooks:
    """One carrier's requests, with the faults that are planned for its line."""

    def __init__(self, route: Route, http: aiohttp.ClientSession, faults: LineFaults = NO_FAULTS) -> None:
        self._route = route
        self._http = http
        self._faults = faults
        self._doubled = WebhookChance(faults)

    def headers(self, signed: Signed) -> Mapping[str, str]:
        """What vouches for an upgrade, as planned."""
        return signed.as_planned(self._faults.signature)

    async def document(self, request: Request, rule: Rule, content_types: tuple[str, ...]) -> bytes:
        """The document that answers. Raises `WebhookFailed` for anything but a 200 of these types."""
        answer = await self.send(request, rule)
        path = urlsplit(request.url).path
        if answer.status != 200:
            raise WebhookFailed(rule, f"{path} answered {answer.status}", answer.status)
        if answer.content_type not in content_types:
            raise WebhookFailed(rule, f"{path} answered content type {answer.content_type!r}", answer.status)
        return answer.body

    async def notify(self, request: Request, rule: Rule) -> Answer:
        """Tell something, now and then twice. Raises `WebhookFailed` unless the answer is 2xx."""
        answer = await self.send(request, rule)
        if self._doubled.doubled():
            answer = await self.send(request, rule)
        if not answer.is_taken:
            path = urlsplit(request.url).path
            raise WebhookFailed(rule, f"{path} answered {answer.status}", answer.status)
        return answer

    async def send(self, request: Request, rule: Rule) -> Answer:
        """Whatever is answered. Raises `WebhookFailed` if nothing is."""
        headers = {
            "Host": urlsplit(request.url).netloc,
            "User-Agent": request.agent,
            **self.headers(request.signed),
        }
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        real_url = URL(self._route.real_url(request.url), encoded=True)
        method = "GET" if request.body is None else "POST"
        try:
            async with self._http.request(
                method, real_url, data=request.body, headers=headers, allow_redirects=False
            ) as answer:
                return Answer(answer.status, answer.content_type, await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise WebhookFailed(rule, f"{urlsplit(request.url).path}: {type(error).__name__}") from error


def open_client() -> aiohttp.ClientSession:
    """The HTTP client of one carrier, to be made in a running loop.

    Each webhook has a connection of its own: one that was idle may be closed by the gateway in the moment in
    which it is used again, which would be told as a webhook without an answer.
    """
    limits = aiohttp.ClientTimeout(total=ANSWER_LIMIT_S, sock_connect=CONNECT_LIMIT_S)
    connector = aiohttp.TCPConnector(force_close=True)
    return aiohttp.ClientSession(connector=connector, timeout=limits, auto_decompress=False)
