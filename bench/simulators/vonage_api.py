"""Vonage's voice REST interface as far as a gateway needs it: placing, listing, ending, transferring calls.

Vonage docs, "Voice API reference" and "Authentication: JWT" (read 2026-11): a bearer token that the
application signed with RS256, of at most a day; a call that is placed is 201; PUT on a call with `hangup`, or
`transfer` and a document, 204 without a body; 404 for a call that is not live; problems as JSON with `type`,
`title`, `detail` and, of a bad field, `invalid_parameters`. A `jti` counts once. Strict.
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
from bench.simulators.serving import RunningServer, refusal, stall
from bench.simulators.twilio_messages import TakeAndFail, TakeAndStall
from bench.simulators.vonage_calls import LIVE, PlacedCalls, Refused, VonagePlaced
from bench.simulators.vonage_ncco import are_addresses, ncco_fault

Handler = Callable[[web.Request], Awaitable[web.Response]]
Document = list[dict[str, Any]] | str
"""An NCCO, or the address that has it."""

LONGEST_TOKEN_S: Final = 86_400
_LEEWAY_S: Final = 30
_BEARER: Final = "Bearer "
_CLAIMS: Final = ["application_id", "iat", "exp", "jti"]
_MOST_LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class VonageRequest:
    """One request as it came, and how it was answered."""

    method: str
    path: str
    status: int


class VonageApiSimulator:
    """`{url}/v1/calls` and `{url}/v1/calls/{uuid}`, from `async with` to its end.

    `calls` are the live ones that came in, `placed` those that the application placed. `ended` is told of one
    that was ended; `documents` are what calls were transferred to, in order. Faults understood: `Refuse`,
    `Stall` and, for a call that is placed, `TakeAndStall` and `TakeAndFail`.
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
        self.placed = PlacedCalls()
        self.documents: list[tuple[str, Document]] = []
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
        app.router.add_post("/v1/calls", self._answers(self._place))
        app.router.add_get("/v1/calls/{call}", self._answers(self._details))
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

    async def _place(self, request: web.Request) -> web.Response:
        try:
            call = self.placed.create(await _told(request))
        except Refused as refused:
            return _problem(400, "Bad Request", refused.parameter)
        if self.faults.take(TakeAndStall):
            await stall()
        if fail := self.faults.take(TakeAndFail):
            return _problem(fail.status, "failed by plan")
        made = {"uuid": call.uuid, "status": call.status, "direction": "outbound"}
        return web.json_response(made | {"conversation_uuid": call.conversation}, status=201)

    async def _list(self, request: web.Request) -> web.Response:
        """What came in is listed without a filter alone: nobody here knows when it began."""
        try:
            placed = [_placed(call) for call in self.placed.matching(request.query)]
            size = _count(request, "page_size", 10, range(1, _MOST_LISTED + 1))
            index = _count(request, "record_index", 0, range(1_000_000))
        except Refused as refused:
            return _problem(400, "Bad Request", refused.parameter)
        filtered = request.query.keys() - {"page_size", "record_index", "order"}
        found = [*([] if filtered else map(_live, sorted(self.calls))), *placed]
        links = {"self": {"href": request.path_qs}}
        if index + size < len(found):
            links["next"] = {"href": f"/calls?page_size={size}&record_index={index + size}"}
        told = {"count": len(found), "page_size": size, "record_index": index}
        listed = {"_embedded": {"calls": found[index : index + size]}, "_links": links}
        return web.json_response(told | listed)

    async def _details(self, request: web.Request) -> web.Response:
        uuid = request.match_info["call"]
        if (placed := self.placed.with_id(uuid)) is not None:
            return web.json_response(_placed(placed))
        return web.json_response(_live(uuid)) if uuid in self.calls else _problem(404, "Not found")

    async def _modify(self, request: web.Request) -> web.Response:
        uuid = request.match_info["call"]
        if not self._is_live(uuid):
            return _problem(404, "Not found")
        match await _told(request):
            case {"action": "hangup", **more} if not more:
                self._end(uuid)
            case {"action": "transfer", "destination": dict(destination), **more} if not more:
                document = _document(destination)
                if document is None:
                    return _problem(400, "Bad Request", "destination")
                self.documents.append((uuid, document))
            case _:
                return _problem(400, "Bad Request", "action")
        return web.Response(status=204)

    def _is_live(self, uuid: str) -> bool:
        placed = self.placed.with_id(uuid)
        return _is_uuid(uuid) and (uuid in self.calls if placed is None else placed.status in LIVE)

    def _end(self, uuid: str) -> None:
        if (placed := self.placed.with_id(uuid)) is not None:
            placed.status = "completed"
        self.calls.discard(uuid)
        self._ended(uuid)

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


def _placed(call: VonagePlaced) -> dict[str, Any]:
    return _live(call.uuid) | {
        "status": call.status,
        "direction": "outbound",
        "from": {"type": "phone", "number": call.from_},
        "to": {"type": "phone", "number": call.to},
        "start_time": call.started_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }


def _document(destination: dict[str, Any]) -> Document | None:
    """What a call is transferred to; None for what is no such thing."""
    match destination:
        case {"type": "ncco", "ncco": list(actions), **more} if not more and not ncco_fault(actions):
            return actions
        case {"type": "ncco", "url": urls, **more} if not more and are_addresses(urls):
            return str(urls[0])
    return None


def _count(request: web.Request, name: str, usual: int, among: range) -> int:
    text = request.query.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and int(text) in among):
        raise Refused(name)
    return int(text)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


async def _told(request: web.Request) -> object:
    """None for what is no JSON, or does not say that it is."""
    if request.content_type != "application/json":
        return None
    try:
        return await request.json()
    except ValueError:
        return None


def _problem(status: int, title: str, parameter: str | None = None) -> web.Response:
    about = "https://developer.vonage.com/api-errors"
    told: dict[str, Any] = {"type": about, "title": title, "detail": title}
    if parameter is not None:
        told["invalid_parameters"] = [{"name": parameter, "reason": "Is invalid."}]
    return web.json_response(told, status=status)
