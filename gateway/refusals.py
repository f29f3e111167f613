"""Who could not show who they are, on record with the org that they named: forged webhooks, upgrades, tokens.

A flood must not fill the audit log, nor crowd out calls at the database. Of each org and kind one refusal a
minute is recorded, over all replicas (SQL function `audit_refusal`); this process does not even ask more
often than that, and one at a time. Every refusal is counted in `gateway_refused`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from booking.audit import record_refusal
from booking.errors import BookingError
from booking.types import Claim
from gateway.errors import OrgUnavailable
from pipeline.ports import Clock

log = structlog.get_logger("gateway.refusals")

# The org that a request names, None if it names none; or how to find that out.
Named = UUID | None | Callable[[], Awaitable[UUID | None]]

EVERY_S: Final = 60.0
_REMEMBERED: Final = 4096


class Refusals:
    """`within_s`: how long a refused request may wait for its record."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, *, within_s: float) -> None:
        self._pool = pool
        self._clock = clock
        self._within_s = within_s
        self._asked_at_s: dict[tuple[UUID, str], float] = {}
        self._one = asyncio.Semaphore(1)

    async def record(self, named: Named, action: str, subject_kind: str) -> None:
        """Never raises but when cancelled: a refusal is a refusal, whether it can be recorded or not."""
        try:
            async with asyncio.timeout(self._within_s), self._one:
                org_id = await named() if callable(named) else named
                if org_id is not None:
                    await self._record(org_id, action, subject_kind)
        except (BookingError, OrgUnavailable, TimeoutError) as error:
            log.warning("refusal_unrecorded", error=type(error).__name__)

    async def _record(self, org_id: UUID, action: str, subject_kind: str) -> None:
        key, now_s = (org_id, action), self._clock.now_s()
        if now_s - self._asked_at_s.get(key, -EVERY_S) < EVERY_S:
            return
        await record_refusal(self._pool, Claim(org_id), action=action, subject_kind=subject_kind)
        self._asked_at_s.pop(key, None)
        self._asked_at_s[key] = now_s
        if len(self._asked_at_s) > _REMEMBERED:
            del self._asked_at_s[next(iter(self._asked_at_s))]
