"""What is not visible: is it another clinic's, or nobody's? 403 with an audit record, or 404."""

from uuid import UUID

from gateway.api.operations import Asked
from gateway.api.problems import NOT_FOUND, Refused


async def not_visible(asked: Asked, kind: str, row_id: UUID) -> Refused:
    """The refusal to raise."""
    return Refused(NOT_FOUND, detail=kind)
