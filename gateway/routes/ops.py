"""For whoever runs the gateway: alive, ready, measured."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.latency_profiles import OrgLatency
from gateway.metrics import CONTENT_TYPE
from gateway.readiness import is_ready
from gateway.routes.edge import edge_of


async def healthz(_request: Request) -> Response:
    """The event loop turns."""
    return JSONResponse({"status": "alive"})


async def readyz(request: Request) -> Response:
    """503 while the process should get no new calls."""
    edge = edge_of(request)
    report = await edge.readiness.report(draining=edge.calls.draining, full=edge.calls.is_full)
    ready = is_ready(report)
    load = {"calls": len(edge.calls), "max_calls": edge.settings.limits.max_calls}
    body = {"status": "ready" if ready else "not_ready", **load, **report}
    return JSONResponse(body, status_code=200 if ready else 503)


async def metrics(request: Request) -> Response:
    """Prometheus text."""
    return Response(await edge_of(request).metrics.told(), headers={"Content-Type": CONTENT_TYPE})


async def latency(request: Request) -> Response:
    """How fast each org is answered, across replicas: `?org=` one, otherwise those with the newest turns."""
    asked = request.query_params.get("org")
    try:
        org_id = UUID(asked) if asked else None
    except ValueError:
        return JSONResponse({"error": "org must be an id"}, status_code=400)
    lines = await edge_of(request).desk.latency.report(org_id)
    return JSONResponse({"orgs": [_line(line) for line in lines]})


def _line(line: OrgLatency) -> dict[str, Any]:
    return {
        "org": str(line.org_id),
        "status": line.figures.status,
        "turns": line.figures.turns,
        "p50_ms": line.figures.p50_ms,
        "p95_ms": line.figures.p95_ms,
        "profile": line.state.profile,
        "since": datetime.fromtimestamp(line.state.since_s, UTC).isoformat() if line.state.since_s else None,
    }


ROUTES = [
    Route("/healthz", healthz, methods=["GET"]),
    Route("/readyz", readyz, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
    Route("/ops/latency", latency, methods=["GET"]),
]
