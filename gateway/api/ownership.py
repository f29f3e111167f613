"""What is not visible: is it another clinic's, or nobody's? 403 with an audit record, or 404."""

from typing import Final
from uuid import UUID

import structlog

from booking.audit import owned_elsewhere, record
from gateway.api.operations import Asked
from gateway.api.problems import FOREIGN, NOT_FOUND, Refused

log = structlog.get_logger("gateway.api")

_REACHED_OVER: Final = "foreign_refused"


async def not_visible(asked: Asked, kind: str, row_id: UUID) -> Refused:
    """The refusal to raise. A foreign row's is on record, in the log of who asked, before it is answered."""
    return Refused(FOREIGN if await is_foreign(asked, kind, row_id) else NOT_FOUND, detail=kind)


async def is_foreign(asked: Asked, kind: str, row_id: UUID) -> bool:
    """Whether another clinic has it; then that it was reached for is on record."""
    if not await owned_elsewhere(asked.api.pool, asked.claim, kind=kind, row_id=row_id):
        return False
    await note_foreign(asked, kind, row_id)
    return True


async def require_own(asked: Asked, call_id: UUID | None, contact_id: UUID | None) -> None:
    """Of a call or a contact with which nothing is listed: raises the refusal if it is another clinic's."""
    kind, row_id = ("call", call_id) if call_id else ("contact", contact_id)
    await require_no_foreign(asked, kind, row_id)


async def require_no_foreign(asked: Asked, kind: str, row_id: UUID | None) -> None:
    """Raises the refusal if it is another clinic's, whatever else there is to say of it."""
    if row_id is not None and await is_foreign(asked, kind, row_id):
        raise Refused(FOREIGN, detail=kind)


async def note_foreign(asked: Asked, kind: str, row_id: UUID) -> None:
    """Put on record, in the log of who asked, that another clinic's was reached for."""
    await record(
        asked.api.pool,
        asked.claim,
        actor=asked.actor,
        action=_REACHED_OVER,
        subject_kind=kind,
        subject_id=row_id,
    )
    asked.api.metrics.refused.labels("api_foreign").inc()
    log.warning("api_refused", reason="foreign", kind=kind, org=str(asked.principal.org_id))
