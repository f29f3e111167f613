"""Vonage's voice REST interface as far as a gateway needs it: listing calls, and ending one. Strict.

Vonage docs, "Voice API reference" and "Authentication: JWT" (read 2026-11): a bearer token that the
application signed with RS256, of at most a day; PUT on a call with `{"action": "hangup"}`, 204 without a
body; 404 for a call that is not live; problems as JSON with `type`, `title`, `detail`. A `jti` counts once.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Self
from uuid import UUID

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bench.simulators.faults import Faults
from bench.simulators.serving import RunningServer, refusal

Handler = Callable[[web.Request], Awaitable[web.Response]]

LONGEST_TOKEN_S: Final = 86_400
_LEEWAY_S: Final = 30
_BEARER: Final = "Bearer "
_CLAIMS: Final = ["application_id", "iat", "exp", "jti"]
_LIST_PARAMETERS: Final = frozenset(
    {"status", "date_start", "date_end", "page_size", "record_index", "order", "conversation_uuid"}
)


@dataclass(frozen=True, slots=True)
class VonageRequest:
    """One request as it came, and how it was answered."""

    method: str
    path: str
    status: int


class VonageApiSimulator:
    """`{url}/v1/calls` and `{url}/v1/calls/{uuid}`, from `async with` to its end.

    `calls` are the live ones. `ended` is told of one that was ended. Faults understood: `Refuse` and `Stall`.
    """

    def __init__(
        self,
        *,
        application_id: str,
        public_key: RSAPublicKey,
        ended: Callable[[str], None] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._application_id = application_id
        self._public_key = public_key
        self._ended = ended or (lambda _: None)
        self._seen: set[str] = set()
        self.calls: set[str] = set()
        self.requests: list[VonageRequest] = []
        self.faults = Faults()
        self._host = host
        self._server = RunningServer(self._application(), host, port)
        self.url = ""

    async def __aenter__(self) -> Self:
        self.url = f"http://{self._host}:{await self._server.start()}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()

    def _application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v1/calls", self._answers(self._list))
        app.router.add_put("/v1/calls/{call}", self._answers(self._modify))
        app.router.add_route("*", "/{rest:.*}", self._answers(self._unknown))
        return app

    def _answers(self, work: Handler) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            response = await self._struck() or self._unauthorised(request) or await work(request)
            self.requests.append(VonageRequest(request.method, request.path, response.status))
            return response

        return handle

    async def _struck(self) -> web.Response | None:
        refuse = await refusal(self.faults)
        return None if refuse is None else _problem(refuse.status, refuse.message)

    def _unauthorised(self, request: web.Request) -> web.Response | None:
        authorization = request.headers.get("Authorization", "")
        if not authorization.startswith(_BEARER) or not self._is_ours(authorization.removeprefix(_BEARER)):
            return _problem(401, "Unauthorized")
        return None

    def _is_ours(self, token: str) -> bool:
        try:
            claims = jwt.decode(
                token, self._public_key, algorithms=["RS256"], leeway=_LEEWAY_S, options={"require": _CLAIMS}
            )
        except jwt.PyJWTError:
            return False
        return claims["application_id"] == self._application_id and self._is_fresh(claims)

    def _is_fresh(self, claims: dict[str, Any]) -> bool:
        used, lasts_s = claims["jti"] in self._seen, claims["exp"] - claims["iat"]
        self._seen.add(claims["jti"])
        return not used and 0 < lasts_s <= LONGEST_TOKEN_S and claims["iat"] <= time.time() + _LEEWAY_S

    async def _list(self, request: web.Request) -> web.Response:
        if unknown := sorted(request.query.keys() - _LIST_PARAMETERS):
            return _problem(400, f"unknown parameter {unknown[0]}")
        size = int(request.query.get("page_size", "10"))
        embedded = [_live(uuid) for uuid in sorted(self.calls)[:size]]
        told = {"count": len(self.calls), "page_size": size, "record_index": 0}
        links = {"self": {"href": request.path_qs}}
        return web.json_response(told | {"_embedded": {"calls": embedded}, "_links": links})

    async def _modify(self, request: web.Request) -> web.Response:
        uuid = request.match_info["call"]
        if not _is_uuid(uuid) or uuid not in self.calls:
            return _problem(404, "Not found")
        if request.content_type != "application/json" or await _told(request) != {"action": "hangup"}:
            return _problem(400, "Bad request")
        self.calls.discard(uuid)
        self._ended(uuid)
        return web.Response(status=204)

    async def _unknown(self, _request: web.Request) -> web.Response:
        return _problem(404, "Not found")


def _live(uuid: str) -> dict[str, Any]:
    return {
        "_links": {"self": {"href": f"/v1/calls/{uuid}"}},
        "uuid": uuid,
        "conversation_uuid": f"CON-{uuid}",
        "status": "answered",
        "direction": "inbound",
        "from": {"type": "phone", "number": "447700900123"},
        "to": {"type": "phone", "number": "442079460018"},
    }


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


async def _told(request: web.Request) -> object:
    try:
        return await request.json()
    except ValueError:
        return None


def _problem(status: int, title: str) -> web.Response:
    about = "https://developer.vonage.com/api-errors"
    return web.json_response({"type": about, "title": title, "detail": title}, status=status)
