"""The API as routes of the gateway: the token is looked at before the path, so that nobody without one can
tell what is there.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.dispatch import Dispatch, as_response, refusal
from gateway.api.document import document
from gateway.api.guard import Guard
from gateway.api.operations import PREFIX, Method, Operation
from gateway.api.problems import MALFORMED, METHOD_UNKNOWN, NOT_FOUND, Kind, Refused
from gateway.api.surface import OPERATIONS

_UNVERSIONED: Final = "/api"
_BY_STATUS: Final[Mapping[int, Kind]] = {404: NOT_FOUND, 405: METHOD_UNKNOWN}


@dataclass(frozen=True, slots=True)
class Api:
    """What the lifespan makes for the API; the application keeps it as `app.state.api`."""

    guard: Guard
    dispatch: Dispatch


@dataclass(frozen=True, slots=True)
class Guarded:
    """Lets a request on to the routes only with a principal."""

    routes: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        api: Api = request.app.state.api
        try:
            request.state.principal = await api.guard.admit(request.headers.getlist("authorization"))
        except Exception as error:  # noqa: BLE001  the edge of the request: each gets an answer
            await _told(error)(scope, receive, send)
            return
        try:
            await self.routes(scope, receive, send)
        except HTTPException as error:
            kind = _BY_STATUS.get(error.status_code, MALFORMED)
            await _told(Refused(kind, headers=error.headers))(scope, receive, send)


def _told(error: Exception) -> Response:
    return as_response(refusal(error, "guard"))


async def openapi(_request: Request) -> Response:
    """What the API can do; for everybody, as the source is."""
    return Response(_DOCUMENT, media_type="application/json", headers={"Cache-Control": "max-age=300"})


def _endpoint(operations: Mapping[Method, Operation]) -> Route:
    """One path with all its methods; HEAD is answered as GET, the server leaves the body out."""
    by_method: Mapping[str, Operation] = {str(method): each for method, each in operations.items()}
    path = next(iter(operations.values())).path

    async def endpoint(request: Request) -> Response:
        api: Api = request.app.state.api
        operation = by_method["GET" if request.method == "HEAD" else request.method]
        return await api.dispatch.answer(operation, request, request.state.principal)

    return Route(path, endpoint, methods=sorted(by_method))


def _routes(operations: Iterable[Operation]) -> list[Route]:
    by_path: dict[str, dict[Method, Operation]] = defaultdict(dict)
    for operation in operations:
        by_path[operation.path][operation.method] = operation
    return [_endpoint(methods) for methods in by_path.values()]


class _EverythingBelow(Mount):
    """Starlette's own stops at a line break in the path, which would then be answered past the guard."""

    def __init__(self, path: str, app: ASGIApp) -> None:
        super().__init__(path, app=app)
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Alias:
    """The same paths without their version, for those who ask so: whatever is asked there is asked here."""

    routes: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = PREFIX + scope["path"].removeprefix(_UNVERSIONED)
        await self.routes({**scope, "path": path, "root_path": PREFIX}, receive, send)


_DOCUMENT: Final = document(OPERATIONS)
_GUARDED: Final = Guarded(Router(_routes(OPERATIONS), redirect_slashes=False))
_CALLS: Final = _Alias(_GUARDED)
ROUTES: Final = [
    Route(_UNVERSIONED + "/calls", _CALLS),
    _EverythingBelow(_UNVERSIONED + "/calls", app=_CALLS),
    Route("/api/openapi.json", openapi, methods=["GET"]),
    Route(PREFIX, _GUARDED),  # else Starlette would redirect, to wherever `Host` says
    _EverythingBelow(PREFIX, app=_GUARDED),
]
