"""What is not visible: is it another clinic's, or nobody's? 403 with an audit record, or 404."""

from typing import Final
from uuid import UUID

import structlog

from booking.audit import owned_elsewhere, record
from booking.errors import StatementRefused
from gateway.api.operations import Asked
from gateway.api.problems import FOREIGN, NO_ORG, NOT_FOUND, Refused

log = structlog.get_logger("gateway.api")

_REACHED_OVER: Final = "foreign_refused"
_NO_SUCH_ORG: Final = "23503"  # the audit log is of orgs that there are


async def not_visible(asked: Asked, kind: str, row_id: UUID) -> Refused:
    """The refusal to raise. A foreign row's is on record, in the log of who asked, before it is answered."""
    return Refused(FOREIGN if await is_foreign(asked, kind, row_id) else NOT_FOUND, detail=kind)


async def is_foreign(asked: Asked, kind: str, row_id: UUID) -> bool:
    """Whether another clinic has it; then that it was reached for is on record. Raises `Refused`."""
    if not await owned_elsewhere(asked.api.pool, asked.claim, kind=kind, row_id=row_id):
        return False
    try:
        await record(
            asked.api.pool,
            asked.claim,
            actor=asked.actor,
            action=_REACHED_OVER,
            subject_kind=kind,
            subject_id=row_id,
        )
    except StatementRefused as error:
        if error.sqlstate == _NO_SUCH_ORG:
            raise Refused(NO_ORG) from None
        raise
    asked.api.metrics.refused.labels("api_foreign").inc()
    log.warning("api_refused", reason="foreign", kind=kind, org=str(asked.principal.org_id))
    return True
