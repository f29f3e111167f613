"""What became of follow-ups, as the clinic sees them: ids and times, nothing personal."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from booking import db
from booking.types import Claim


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What followed one call; states and reasons as `docs/follow-up.md` has them."""

    call_id: UUID
    state: str
    reason: str | None
    service_id: UUID | None
    contact_id: UUID | None
    attempt: int
    message_id: UUID | None
    opened_at: datetime
    settled_at: datetime | None
    handed_at: datetime | None
    campaign_id: UUID | None
    agent_name: str | None
    link_opens: int | None
    link_expires_at: datetime | None


async def page_of_follow_ups(
    pool: asyncpg.Pool, claim: Claim, *, limit: int, before: datetime | None = None
) -> list[FollowUp]:
    """Of calls that are over, newest first, at most 100, begun before that instant."""
    return [FollowUp(**dict(row)) for row in await db.fetch(pool, claim, "page_of_follow_ups", limit, before)]
