"""Requests that are no reasonable webhook, whoever sent them: answered with their status, and counted."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gateway.routes.edge import edge_of

REASONS: Final[Mapping[int, str]] = {400: "malformed", 408: "overdue", 413: "oversized"}
"""Statuses of an `HTTPException`, and as what `gateway_refused` counts them."""


async def answered(request: Request, refusal: Exception) -> Response:
    """For the application's `exception_handlers`, by status."""
    status = getattr(refusal, "status_code", 400)
    edge_of(request).metrics.refused.labels(REASONS[status]).inc()
    return PlainTextResponse(getattr(refusal, "detail", ""), status)


HANDLERS: Final = dict.fromkeys(REASONS, answered)
