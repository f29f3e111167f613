"""Who signed a carrier's request, and what becomes of one that the right account has not signed."""

from collections.abc import Callable
from uuid import UUID

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request

from booking.values import E164
from gateway.refusals import Named
from gateway.routes.edge import Carrier, Edge
from gateway.tenancy.accounts import A, FindOrg, Signer

log = structlog.get_logger("gateway.webhooks")


async def signer_of(
    request: Request, edge: Edge, carrier: Carrier[A], is_signed_by: Callable[[A], bool], org_told: FindOrg
) -> Signer[A]:
    """The carrier's account that signed. Raises 403 if it is not the one that had to."""
    signer = await carrier.accounts.signer(is_signed_by, org_told)
    if signer is None:
        raise await forged(request, edge, org_told)
    return signer


async def require_speaker(request: Request, edge: Edge, signer: Signer[A], call_id: str) -> None:
    """Raises 403 if this is known here as the call of an org that the signer does not speak for."""
    owner = edge.calls.org_of(call_id)
    if owner is not None and not signer.speaks_for(owner):
        raise await forged(request, edge, signer.org_id)


async def org_told(request: Request, edge: Edge, dialled: str, call_id: str) -> UUID | None:
    """The org that the request says it is about: in our own address, by the dialled number, by the call."""
    if (named := request.path_params.get("org")) is not None:
        return UUID(str(named))
    if E164.fullmatch(dialled):
        return await edge.desk.numbers.get(dialled)
    return edge.calls.org_of(call_id)


async def forged(request: HTTPConnection, edge: Edge, org: Named, status: int = 403) -> HTTPException:
    """The refusal to raise; counted, and on record with the org that the request names, if any."""
    edge.metrics.refused.labels("signature").inc()
    log.warning("webhook_forged", path=request.url.path)
    await edge.refusals.record(org, "webhook_refused", "webhook")
    return HTTPException(status)
