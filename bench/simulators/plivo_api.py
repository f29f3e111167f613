"""Plivo's REST interface as far as a gateway needs it: the account, its calls, placed, listed, transferred
and ended. Strict.

Plivo docs, "Account", "Call", "Authentication" (read 2026-11): basic authentication with the auth id and
token, a trailing slash on every path, JSON, 201 for a call that is placed, 202 for one that is transferred,
204 without a body for one that is ended, 404 for one that is not live, 401 in plain text.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import encode_basic_auth, web

from bench.simulators.faults import Faults
from bench.simulators.plivo_calls import PlivoCalls, PlivoRefused, check_transfer
from bench.simulators.serving import RunningServer, refusal, stall
from bench.simulators.twilio_messages import TakeAndFail, TakeAndStall

Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class PlivoRequest:
    """One request as it came, and how it was answered."""

    method: str
    path: str
    status: int


class PlivoApiSimulator:
    """`{url}/v1/Account/{auth_id}/`, `…/Call/` and `…/Call/{call_uuid}/`, from `async with` to its end.

    Only calls in `calls` are live, and those that the account has `placed`; `ended` is called with each that
    was hung up, `moved` with each that was transferred and the address that it goes on with, which is in
    `transferred` too. Faults understood: `Refuse`, `Stall`, and for a call that is placed `TakeAndStall` and
    `TakeAndFail`.
    """

    def __init__(
        self,
        *,
        auth_id: str,
        auth_token: str,
        ended: Callable[[str], None] = lambda call_uuid: None,
        moved: Callable[[str, str], None] = lambda call_uuid, url: None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._auth_id = auth_id
        self._basic = encode_basic_auth(auth_id, auth_token)
        self._ended = ended
        self._moved = moved
        self.calls: set[str] = set()
        self.placed = PlivoCalls()
        self.transferred: dict[str, str] = {}
        self.faults = Faults()
        self.requests: list[PlivoRequest] = []
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
        app.router.add_get("/v1/Account/{account}/", self._answers(self._fetch_account))
        app.router.add_get("/v1/Account/{account}/Call/", self._answers(self._list))
        app.router.add_post("/v1/Account/{account}/Call/", self._answers(self._place))
        app.router.add_get("/v1/Account/{account}/Call/{call}/", self._answers(self._fetch))
        app.router.add_post("/v1/Account/{account}/Call/{call}/", self._answers(self._transfer))
        app.router.add_delete("/v1/Account/{account}/Call/{call}/", self._answers(self._hang_up))
        app.router.add_route("*", "/{rest:.*}", self._answers(self._unknown))
        return app

    def _answers(self, work: Handler) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            try:
                response = await self._struck() or self._unauthorised(request) or await work(request)
            except PlivoRefused as refused:
                told = {"api_id": "0", "error": refused.message}
                response = web.json_response(told, status=refused.status)
            self.requests.append(PlivoRequest(request.method, request.path, response.status))
            return response

        return handle

    async def _struck(self) -> web.Response | None:
        refuse = await refusal(self.faults)
        return None if refuse is None else web.json_response({"error": refuse.message}, status=refuse.status)

    def _unauthorised(self, request: web.Request) -> web.Response | None:
        account = request.match_info.get("account", self._auth_id)
        if request.headers.get("Authorization") == self._basic and account == self._auth_id:
            return None
        text = "Could not verify your access level for that URL."
        return web.Response(text=text, status=401, headers={"WWW-Authenticate": 'Basic realm="Login"'})

    async def _fetch_account(self, _request: web.Request) -> web.Response:
        uri = f"/v1/Account/{self._auth_id}/"
        told = {"account_type": "standard", "auth_id": self._auth_id, "name": "Offline", "state": None}
        return web.json_response({**told, "api_id": "0", "resource_uri": uri})

    async def _place(self, request: web.Request) -> web.Response:
        placed = self.placed.create(await _json_object(request))
        if self.faults.take(TakeAndStall):
            await stall()
        if fail := self.faults.take(TakeAndFail):
            return web.json_response({"error": "failed by plan"}, status=fail.status)
        told = {"api_id": "0", "message": "call fired", "request_uuid": placed.call_uuid}
        return web.json_response(told, status=201)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(self.placed.page(request.query))

    async def _fetch(self, request: web.Request) -> web.Response:
        return web.json_response(self.placed.one(request.match_info["call"], request.query.get("status")))

    async def _transfer(self, request: web.Request) -> web.Response:
        call_uuid = self._live(request)
        fields = await _json_object(request)
        check_transfer(fields)
        self.transferred[call_uuid] = url = fields.get("aleg_url", "")
        self._moved(call_uuid, url)
        return web.json_response({"api_id": "0", "message": "call transferred"}, status=202)

    async def _hang_up(self, request: web.Request) -> web.Response:
        call_uuid = self._live(request)
        self.calls.discard(call_uuid)
        if (placed := self.placed.find(call_uuid)) is not None:
            placed.end(4000 if placed.answered_at else 1000)
        self._ended(call_uuid)
        return web.Response(status=204)

    def _live(self, request: web.Request) -> str:
        """Raises `PlivoRefused` for a call that is not live."""
        call_uuid = request.match_info["call"]
        placed = self.placed.find(call_uuid)
        if call_uuid not in self.calls and (placed is None or not placed.is_live):
            raise PlivoRefused(404, "call not found")
        return call_uuid

    async def _unknown(self, _request: web.Request) -> web.Response:
        return web.json_response({"api_id": "0", "error": "not found"}, status=404)


async def _json_object(request: web.Request) -> dict[str, Any]:
    """Raises `PlivoRefused`."""
    if request.content_type != "application/json":
        raise PlivoRefused(415, "send JSON")
    try:
        told = await request.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise PlivoRefused(400, "not a JSON object")
    return told
