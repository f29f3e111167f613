"""Passages for what a caller has just said: found while the caller waits, so within a deadline or not at all.

An org without documents is known to have none (cached as everything of an org is), and asks the database
nothing. A search that is late or fails leaves the model without passages; it then says that it does not know.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from booking.errors import BookingError, BookingUnavailable
from booking.knowledge import FoundPassage, list_documents, search
from booking.types import Claim
from gateway.errors import OrgUnavailable
from gateway.knowledge.asked import search_words
from gateway.metrics import Metrics
from gateway.tenancy.cache import LayeredCache, Source
from pipeline.ports import Clock

_LEAST_OF_BEST: Final = 0.5
"""A passage that scores below this share of the best one is about something else."""

DocumentCounts = LayeredCache[UUID, int]


def documents_key(org_id: UUID) -> str:
    """Where Redis says how many documents an org has."""
    return f"gw:knowledge:{org_id}"


def documents_source(pool: asyncpg.Pool) -> Source[UUID, int]:
    """Org -> how many documents; None for none."""

    async def load(org_id: UUID) -> int | None:
        return len(await list_documents(pool, Claim(org_id))) or None

    return Source(
        name="knowledge",
        load=load,
        unavailable=BookingUnavailable,
        shared_key=documents_key,
        dump=lambda count: str(count).encode(),
        parse=int,
    )


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All orgs' documents, as calls ask for them."""

    pool: asyncpg.Pool
    documents: DocumentCounts
    clock: Clock
    metrics: Metrics
    deadline_s: float
    passages: int

    async def warm(self, org_id: UUID) -> None:
        """Know whether the org has documents before the first turn. Never raises, never takes longer."""
        with suppress(TimeoutError, OrgUnavailable):
            async with asyncio.timeout(self.deadline_s):
                await self.documents.get(org_id)

    async def find(self, org_id: UUID, said: str) -> Sequence[str]:
        """The passages that have to do with what was said, best first. Never raises, never takes longer."""
        words = search_words(said)
        if not words:
            return ()
        began_s = self.clock.now_s()
        try:
            async with asyncio.timeout(self.deadline_s):
                found = await self._found(org_id, words)
            outcome = "found" if found else "nothing"
        except TimeoutError:
            found, outcome = [], "late"
        except (BookingError, OrgUnavailable):
            found, outcome = [], "failed"
        self.metrics.knowledge.labels(outcome).observe(self.clock.now_s() - began_s)
        return [_told(passage) for passage in found]

    async def _found(self, org_id: UUID, words: str) -> list[FoundPassage]:
        if await self.documents.get(org_id) is None:
            return []
        found = await search(self.pool, Claim(org_id), words, limit=self.passages)
        return [each for each in found if each.score >= _LEAST_OF_BEST * found[0].score]


def _told(passage: FoundPassage) -> str:
    return f"{passage.heading}: {passage.body}" if passage.heading else passage.body
