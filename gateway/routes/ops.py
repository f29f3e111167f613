"""For the machines that look after the gateway: alive, ready, measured. No org is named in it."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

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


ROUTES = [
    Route("/healthz", healthz, methods=["GET"]),
    Route("/readyz", readyz, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
]
