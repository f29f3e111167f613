"""Twilio's signed form posts: for a call's answer document, for what follows it, and for status.

Time limits are Twilio's own: 5 s to connect, 15 s in all (docs "Connection overrides", read 2026-11). Signing
is twilio-python's, so that the gateway's checking is not judged by its own arithmetic.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from twilio.request_validator import RequestValidator
from yarl import URL

from bench.carrier.errors import WebhookFailed

CONNECT_LIMIT_S = 5.0
ANSWER_LIMIT_S = 15.0
_XML = ("text/xml", "application/xml")


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
class Answer:
    status: int
    content_type: str
    body: bytes


class Webhooks:
    """Posts to the gateway in the name of one account."""

    def __init__(self, route: Route, auth_token: str, http: aiohttp.ClientSession) -> None:
        self._route = route
        self._validator = RequestValidator(auth_token)
        self._http = http

    def signature(self, url: str, fields: Mapping[str, str] | None = None) -> str:
        """`X-Twilio-Signature` for a form post, or for an upgrade if there are no fields."""
        return str(self._validator.compute_signature(url, dict(fields or {})))

    async def document(self, url: str, fields: Mapping[str, str]) -> bytes:
        """The answer document at `url`. Raises `WebhookFailed` for anything but a 200 with XML."""
        answer = await self._post(url, fields)
        if answer.status != 200:
            raise WebhookFailed(f"{urlsplit(url).path} answered {answer.status}", answer.status)
        if answer.content_type not in _XML:
            fact = f"{urlsplit(url).path} answered content type {answer.content_type!r}"
            raise WebhookFailed(fact, answer.status)
        return answer.body

    async def notify(self, url: str, fields: Mapping[str, str]) -> None:
        """A status callback: its answer's body is not read. Raises `WebhookFailed` unless it is 2xx."""
        answer = await self._post(url, fields)
        if not 200 <= answer.status < 300:
            raise WebhookFailed(f"{urlsplit(url).path} answered {answer.status}", answer.status)

    async def _post(self, url: str, fields: Mapping[str, str]) -> Answer:
        headers = {
            "Host": urlsplit(url).netloc,
            "X-Twilio-Signature": self.signature(url, fields),
            "User-Agent": "TwilioProxy/1.1",
        }
        real_url = URL(self._route.real_url(url), encoded=True)
        try:
            async with self._http.post(
                real_url, data=dict(fields), headers=headers, allow_redirects=False
            ) as answer:
                return Answer(answer.status, answer.content_type, await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise WebhookFailed(f"{urlsplit(url).path}: {type(error).__name__}") from error


def open_client() -> aiohttp.ClientSession:
    """The HTTP client of one carrier, to be made in a running loop."""
    limits = aiohttp.ClientTimeout(total=ANSWER_LIMIT_S, sock_connect=CONNECT_LIMIT_S)
    return aiohttp.ClientSession(timeout=limits, auto_decompress=False)
