"""The daily job that clears, per org, what is older than the org keeps it."""

from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from booking import db
from booking.handovers import settle_stale_handovers
from booking.types import Claim
from compliance.keys import Keyring
from compliance.retention import BATCH, Cleared, clear_batch, note_run
from gateway.metrics import Metrics

_PAGE: Final = 1_000


async def every_org(worker_pool: asyncpg.Pool) -> list[tuple[Claim, UUID]]:
    """All orgs, each with the row that its job is about, itself. `worker_pool` is role gw_worker's."""
    found: list[UUID] = []
    statement = "select coalesce(jsonb_agg(o), '[]') from app.org_ids($1, $2) o"
    while len(found) % _PAGE == 0:
        after = found[-1] if found else None
        page = await db.fetch_value(worker_pool, statement, after, _PAGE)
        more = msgspec.json.decode(page, type=list[UUID])
        found += sorted(more)
        if not more:
            break
    return [(Claim(org_id), org_id) for org_id in found]


@dataclass(frozen=True, slots=True)
class Retention:
    """Does the job; `batch` rows of each kind are cleared in one transaction, which keeps the count too.

    Cut off, it has cleared what it has, and goes on there when it runs again.
    """

    pool: asyncpg.Pool
    keys: Keyring
    metrics: Metrics
    batch: int = BATCH

    async def enforce(self, claim: Claim, org_id: UUID) -> None:
        """Satisfies `booking.jobs.Handler`. Raises `BookingUnavailable`."""
        await settle_stale_handovers(self.pool, claim)
        while await self._cleared(claim, org_id) != Cleared():
            pass

    async def _cleared(self, claim: Claim, org_id: UUID) -> Cleared:
        async with db.org_transaction(self.pool, claim) as connection:
            cleared = await clear_batch(connection, self.keys, org_id, batch=self.batch)
            await note_run(connection, org_id, cleared)
        for kind, rows in asdict(cleared).items():
            self.metrics.retention_cleared.labels(kind).inc(rows)
        return cleared
