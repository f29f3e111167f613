"""Whether this process should be given calls: can it find out whose they are, has it room, does it stay?

Redis being away makes look-ups slower and nothing else, so it is told but does not count.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, Literal

import asyncpg

from gateway.shared_store import SharedStore

PROBE_S: Final = 1.0
State = Literal["ok", "down", "draining", "full"]


@dataclass(frozen=True, slots=True)
class Readiness:
    """Asks the stores."""

    pool: asyncpg.Pool
    store: SharedStore

    async def report(self, *, draining: bool, full: bool) -> dict[str, State]:
        """Each part's state; `providers` are configured, or the process would not have started."""
        database, shared = await asyncio.gather(self._database(), self.store.answers())
        redis: State = "ok" if shared else "down"
        gateway: State = "draining" if draining else "full" if full else "ok"
        return {"gateway": gateway, "database": database, "redis": redis, "providers": "ok"}

    async def _database(self) -> State:
        try:
            async with asyncio.timeout(PROBE_S):
                await self.pool.fetchval("select 1")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            return "down"
        return "ok"


def is_ready(report: dict[str, State]) -> bool:
    """Ready unless draining, full or without database."""
    return report["gateway"] == "ok" and report["database"] == "ok"
