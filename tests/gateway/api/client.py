"""A clinic's own system: mints tokens as an identity provider does, and holds every answer to the document.

Its provider serves a JWKS over real HTTP, and can rotate, fail and stall.
"""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from booking.staff import SCOPES
from tests.gateway.running import Gateway

ISSUER, AUDIENCE = "https://id.example.com/", "clinic-voice-gateway"
SECRET = "a-shared-secret-of-more-than-32-bytes"
HERE = "/api/v1"


def claims(org_id: UUID | None, /, **changes: Any) -> dict[str, Any]:
    """A good token's claims; a change of None leaves one out."""
    now = int(time.time())
    base = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + 300,
        "sub": "booking-widget",
        "scope": " ".join(SCOPES),
        "org_id": None if org_id is None else str(org_id),
    }
    return {name: value for name, value in (base | changes).items() if value is not None}


def hs256(content: Mapping[str, Any], secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(dict(content), secret, algorithm=algorithm)


@cache
def private_key(key_id: str, of: str) -> rsa.RSAPrivateKey:
    """Made once for all tests, as that takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class IdentityProvider:
    """Serves public keys. `status` other than 200 is answered as it is; `asked` counts requests."""

    url: str = ""
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)
    extra: list[Any] = field(default_factory=list)
    status: int = 200
    asked: int = 0

    def add(self, key_id: str, *, of: str = "provider") -> None:
        self.keys[key_id] = private_key(key_id, of)

    def sign(self, content: Mapping[str, Any], key_id: str, *, named: str | None = "") -> str:
        """RS256 under this key; the header names it, or `named`, or nothing (None)."""
        kid = key_id if named == "" else named
        headers = {} if kid is None else {"kid": kid}
        return jwt.encode(dict(content), self.keys[key_id], algorithm="RS256", headers=headers)

    async def jwks(self, _request: web.Request) -> web.Response:
        self.asked += 1
        if self.status != 200:
            return web.Response(status=self.status)
        public = [
            RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "alg": "RS256", "use": "sig"}
            for kid, key in self.keys.items()
        ]
        return web.json_response({"keys": [*self.extra, *public]})


@asynccontextmanager
async def identity_provider() -> AsyncIterator[IdentityProvider]:
    provider = IdentityProvider()
    app = web.Application()
    app.router.add_get("/jwks.json", provider.jwks)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        provider.url = f"http://127.0.0.1:{port}/jwks.json"
        yield provider
    finally:
        await runner.cleanup()


class Client:
    """Requests with one token. Each answer must be one that the OpenAPI document declares."""

    def __init__(self, gateway: Gateway, document: Mapping[str, Any], token: str | None) -> None:
        self._gateway = gateway
        self._document = document
        self.token = token

    def with_token(self, token: str | None) -> "Client":
        return Client(self._gateway, self._document, token)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.request("GET", path, params=query)

    async def delete(self, path: str) -> httpx.Response:
        return await self.request("DELETE", path)

    async def patch(self, path: str, body: Any) -> httpx.Response:
        return await self.request("PATCH", path, json=body)

    async def put(self, path: str, body: Any = None) -> httpx.Response:
        return await self.request("PUT", path, **({} if body is None else {"json": body}))

    async def post(self, path: str, body: Any = None, *, key: str | None = "") -> httpx.Response:
        """Under a key of its own, unless one is given; None sends none."""
        chosen = str(uuid4()) if key == "" else key
        headers = {} if chosen is None else {"Idempotency-Key": chosen}
        content = {} if body is None else {"json": body}
        return await self.request("POST", path, headers=headers, **content)

    async def request(self, method: str, path: str, **parts: Any) -> httpx.Response:
        headers = dict(parts.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        response = await self._gateway.http.request(
            method, self._gateway.url + HERE + path, headers=headers, **parts
        )
        self._require_declared(method, path, response)
        return response

    def _require_declared(self, method: str, path: str, response: httpx.Response) -> None:
        assert response.headers["cache-control"] == "no-store"
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["status"] == response.status_code
        operation = self._operation(method, path)
        if operation is not None:
            declared = operation["responses"][str(response.status_code)]
            sent = response.headers.get("content-type")
            assert ([sent] if sent else []) == list(declared.get("content", {}))

    def _operation(self, method: str, path: str) -> Any:
        for template, methods in self._document["paths"].items():
            if fits(template, path) and method.lower() in methods:
                return methods[method.lower()]
        return None


def fits(template: str, path: str) -> bool:
    wanted, given = template.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        each.startswith("{") or each == other for each, other in zip(wanted, given, strict=True)
    )


def kind(response: httpx.Response) -> str:
    """The kind of a refusal."""
    told: str = response.json()["type"]
    return told.rpartition(":")[2]


def ids(items: Sequence[Mapping[str, Any]]) -> list[str]:
    return [item["id"] for item in items]
