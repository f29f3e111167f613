"""For whoever runs the deployment, with the platform's token: how fast each org is answered, and the status.

They show org ids and figures, so nobody else is let near them; `/metrics`, `/healthz` and `/readyz` name no
org and are for machines.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from booking.errors import BookingError
from gateway.api.dispatch import as_response, refusal
from gateway.api.guard import Guard
from gateway.api.operations import PLATFORM_SCOPE, Platform
from gateway.api.problems import INVALID, SCOPE_MISSING, UNAVAILABLE, Refused
from gateway.latency_profiles import LatencyProfiles
from gateway.status import page, ttfb
from gateway.status.board import Board
from gateway.status.judged import Status

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class OperatorPages:
    """What the lifespan makes for them; the application keeps it as `app.state.operator_pages`."""

    guard: Guard
    latency: LatencyProfiles
    board: Board


async def latency(request: Request) -> Response:
    """Across replicas: `?org=` one, otherwise those with the newest turns."""
    try:
        pages = await _let_in(request)
        lines = await pages.latency.report(_asked_org(request))
    except Refused as refused:
        return as_response(refusal(refused, "latency"))
    body = msgspec.json.encode({"orgs": [ttfb.shown(line) for line in lines]})
    return Response(body, media_type="application/json", headers=_HEADERS)


async def status(request: Request) -> Response:
    """Some seconds old at most."""
    try:
        found = await _status(request)
    except Refused as refused:
        return as_response(refusal(refused, "status"))
    return Response(msgspec.json.encode(found), media_type="application/json", headers=_HEADERS)


async def status_page(request: Request) -> Response:
    try:
        found = await _status(request)
    except Refused as refused:
        return as_response(refusal(refused, "status"))
    return HTMLResponse(page.render(found), headers=_HEADERS)


async def _let_in(request: Request) -> OperatorPages:
    """Raises `Refused`: 401 without a good token, 403 with a clinic's."""
    pages: OperatorPages = request.app.state.operator_pages
    caller = await pages.guard.admit(request.headers.getlist("authorization"))
    if not isinstance(caller, Platform):
        raise Refused(SCOPE_MISSING, detail=PLATFORM_SCOPE)
    return pages


async def _status(request: Request) -> Status:
    pages = await _let_in(request)
    try:
        found = await pages.board.status()
    except BookingError:
        raise Refused(UNAVAILABLE) from None
    if found is None:
        raise Refused(UNAVAILABLE, detail="this process does not know DATABASE_WORKER_URL")
    return found


def _asked_org(request: Request) -> UUID | None:
    asked = request.query_params.get("org")
    try:
        return UUID(asked) if asked else None
    except ValueError:
        raise Refused(INVALID, pointer="org", detail="must be a UUID") from None


ROUTES: Final = [
    Route("/ops/latency", latency, methods=["GET"]),
    Route("/ops/status", status, methods=["GET"]),
    Route("/ops/status.html", status_page, methods=["GET"]),
]
