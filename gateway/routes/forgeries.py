"""What becomes of requests that a carrier's account had to sign and did not."""

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.refusals import Named
from gateway.routes.edge import Edge

log = structlog.get_logger("gateway.webhooks")


async def forged(request: Request, edge: Edge, org: Named) -> HTTPException:
    """The refusal to raise; counted, and on record with the org that the request names, if any."""
    edge.metrics.refused.labels("signature").inc()
    log.warning("webhook_forged", path=request.url.path)
    await edge.refusals.record(org, "webhook_refused", "webhook")
    return HTTPException(403)
