"""A deployment as it is reached from outside: its API by token, its calls by the account that signs them."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import aiohttp
import jwt
import msgspec

from bench.carrier import Account, Carrier
from bench.carrier.rest import Place, exchange
from bench.validate.checked import NotTried

LIMIT_S: Final = 20.0
_TOKEN_S: Final = 1800


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens the deployment takes, where they are signed with a shared secret (HS256)."""

    issuer: str
    audience: str
    secret: str = field(repr=False)

    def platform_token(self) -> str:
        """Of no org, with the scope `admin`."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": now,
            "exp": now + _TOKEN_S,
            "sub": "validate",
            "scope": "admin",
        }
        return jwt.encode(claims, self.secret, algorithm="HS256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """`connect_url`: where it listens, if not at its public address. `number`: one of the account that no
    clinic has; texts go out from it. `phone`: who calls and is texted, None: nobody may be.
    `database_url`: role gw_app's, to read the transcript, which the API does not show. `api_port`: where it
    looks for the REST interface of the carrier, None where somebody else serves that.
    """

    url: str
    platform_token: str = field(repr=False)
    account: Account = field(repr=False)
    number: str
    phone: str | None
    connect_url: str | None = None
    database_url: str | None = field(default=None, repr=False)
    api_port: int | None = None

    @asynccontextmanager
    async def carrier(self) -> AsyncIterator[Carrier]:
        """The phone company that calls it."""
        if self.api_port is None:
            async with Carrier(self.url, self.account, connect_url=self.connect_url) as carrier:
                yield carrier
        else:
            place = Place(self.url, connect_url=self.connect_url, api_port=self.api_port)
            async with exchange(self.account, place) as calling:
                yield calling.carrier


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` is the whole body, `body` what it is as JSON, None if it is none."""

    status: int
    text: str = field(repr=False)
    body: Any = field(default=None, repr=False)
    took_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Api:
    """Requests with one token; None sends none."""

    http: aiohttp.ClientSession
    base: str
    token: str | None = field(repr=False)

    def with_token(self, token: str | None) -> "Api":
        return Api(self.http, self.base, token)

    async def request(
        self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> Answer:
        """Raises `NotTried` if nobody answers."""
        headers = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        began_s = time.monotonic()
        try:
            async with self.http.request(
                method, self.base + path, json=body, params=query, headers=headers
            ) as got:
                text = await got.text()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NotTried(f"{method} {path}: no answer ({type(error).__name__})") from None
        return Answer(got.status, text, _decoded(text), (time.monotonic() - began_s) * 1000)

    async def done(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """The answer's body. Raises `NotTried` for anything but success."""
        answer = await self.request(method, path, body, query)
        if not 200 <= answer.status < 300:
            raise NotTried(f"{method} {path}: {answer.status} {_problem(answer)}")
        return answer.body


@asynccontextmanager
async def reached(deployment: Deployment) -> AsyncIterator[Api]:
    """Its API with the platform's token. Raises `NotTried` if there is none, or the token is not good."""
    limit = aiohttp.ClientTimeout(total=LIMIT_S)
    base = (deployment.connect_url or deployment.url).rstrip("/") + "/api/v1"
    async with aiohttp.ClientSession(timeout=limit) as http:
        api = Api(http, base, deployment.platform_token)
        # A page of nobody's: whether the token is the platform's is told before whether there is such an org.
        answer = await api.request("GET", f"/orgs/{uuid4()}")
        if answer.status != 404:
            raise NotTried(f"the token is not the platform's: {answer.status} {_problem(answer)}")
        yield api


async def until_removed(api: Api, path: str, tries: int = 3) -> bool:
    """Have it deleted, whatever happens meanwhile: False if it is still there."""
    for attempt in range(tries):
        try:
            if (await api.request("DELETE", path)).status in (204, 404):
                return True
        except NotTried:
            pass
        await asyncio.sleep(attempt)
    return False


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None


def _problem(answer: Answer) -> str:
    """The kind of refusal: a word of the API's own."""
    told = answer.body.get("type", "") if isinstance(answer.body, dict) else ""
    detail = answer.body.get("detail") or "" if isinstance(answer.body, dict) else ""
    return f"{str(told).rpartition(':')[2]} {detail}".strip()
