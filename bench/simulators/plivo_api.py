"""Plivo's REST interface as far as a gateway needs it: the account, and ending a call. Strict.

Plivo docs, "Account", "Hang up a call", "Authentication" (read 2026-11): basic authentication with the auth
id and token, a trailing slash on every path, 204 without a body for a call that is ended, 404 for one that is
not live, 401 in plain text.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self

from aiohttp import encode_basic_auth, web

from bench.simulators.faults import Faults
from bench.simulators.serving import RunningServer, refusal

Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class PlivoRequest:
    """One request as it came, and how it was answered."""

    method: str
    path: str
    status: int


class PlivoApiSimulator:
    """`{url}/v1/Account/{auth_id}/` and `…/Call/{call_uuid}/`, from `async with` to its end.

    Only calls in `calls` are live; `ended` is called with each that was hung up. Faults understood: `Refuse`
    and `Stall`.
    """

    def __init__(
        self,
        *,
        auth_id: str,
        auth_token: str,
        ended: Callable[[str], None] = lambda call_uuid: None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._auth_id = auth_id
        self._basic = encode_basic_auth(auth_id, auth_token)
        self._ended = ended
        self.calls: set[str] = set()
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
        app.router.add_delete("/v1/Account/{account}/Call/{call}/", self._answers(self._hang_up))
        app.router.add_route("*", "/{rest:.*}", self._answers(self._unknown))
        return app

    def _answers(self, work: Handler) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            response = await self._struck() or self._unauthorised(request) or await work(request)
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

    async def _hang_up(self, request: web.Request) -> web.Response:
        call_uuid = request.match_info["call"]
        if call_uuid not in self.calls:
            return web.json_response({"api_id": "0", "error": "call not found"}, status=404)
        self.calls.discard(call_uuid)
        self._ended(call_uuid)
        return web.Response(status=204)

    async def _unknown(self, _request: web.Request) -> web.Response:
        return web.json_response({"api_id": "0", "error": "not found"}, status=404)
