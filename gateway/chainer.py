"""Links what is written to the audit log, of all orgs, within a second; in every worker process at once.

Looks for orgs with unlinked records as gw_worker, then links each under its own claim. Heads of chains go to
the log once an hour: kept elsewhere, they show that a chain's end was cut off or that it was written anew.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
import structlog

from booking import db
from booking.errors import BookingError
from booking.types import Claim
from compliance.chain import Anchor, Linked, link_batch
from gateway.metrics import Metrics

log = structlog.get_logger("gateway.audit")

_ORGS: Final = "select coalesce(jsonb_agg(o), '[]') from app.unlinked_orgs($1) o"
_ORGS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class ChainPace:
    """In seconds. `again_s`: after a pass that the database broke off."""

    pass_s: float = 0.4
    again_s: float = 2.0
    anchor_s: float = 3600.0


@dataclass(slots=True)
class Chainer:
    """`pool`: role gw_app's; `worker_pool`: role gw_worker's. Both outlive it."""

    pool: asyncpg.Pool
    worker_pool: asyncpg.Pool
    metrics: Metrics
    pace: ChainPace = ChainPace()
    _heads: dict[UUID, Anchor] = field(default_factory=dict)

    async def run(self) -> None:
        """Until cancelled. A database that is away is waited for."""
        anchored_s = time.monotonic()
        while True:
            try:
                await self.link_all()
                await asyncio.sleep(self.pace.pass_s)
            except Exception as error:  # noqa: BLE001 - the edge of a worker: told, and gone on after a pause
                self.metrics.audit_passes_failed.inc()
                log.warning("audit_unlinked", error=type(error).__name__)
                await asyncio.sleep(self.pace.again_s)
            if time.monotonic() - anchored_s >= self.pace.anchor_s:
                self.tell_heads()
                anchored_s = time.monotonic()

    async def link_all(self) -> int:
        """Everything that is queued now, as far as no other process is at it; how many records."""
        found = await db.fetch_value(self.worker_pool, _ORGS, _ORGS_AT_ONCE)
        linked = 0
        for org_id in msgspec.json.decode(found, type=list[UUID]):
            linked += await self._link(Claim(org_id))
        return linked

    def tell_heads(self) -> None:
        """One line for each chain that this process has made longer since the last time."""
        for anchor in self._heads.values():
            log.info("audit_head", org=str(anchor.org_id), position=anchor.position, hash=anchor.hash.hex())
        self._heads.clear()

    async def _link(self, claim: Claim) -> int:
        total = 0
        while (linked := await self._batch(claim)).records:
            total += linked.records
            self._heads[claim.org_id] = Anchor(claim.org_id, linked.head.position, linked.head.hash)
        return total

    async def _batch(self, claim: Claim) -> Linked:
        async with db.org_transaction(self.pool, claim) as connection:
            linked = await link_batch(connection, claim.org_id)
        self.metrics.audit_linked.inc(linked.records)
        if linked.oldest_at is not None:
            self.metrics.audit_lag.observe((datetime.now(UTC) - linked.oldest_at).total_seconds())
        return linked


@asynccontextmanager
async def chaining(chainer: Chainer) -> AsyncIterator[None]:
    """Links while the block lasts, then what is left and tells the heads."""
    async with asyncio.TaskGroup() as group:
        running = group.create_task(chainer.run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait({running})
            with suppress(BookingError):
                await chainer.link_all()
            chainer.tell_heads()
