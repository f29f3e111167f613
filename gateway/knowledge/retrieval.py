"""Passages for what a caller has just said: found while the caller waits, so within a deadline or not at all.

An org without documents is known to have none (cached as everything of an org is), and asks the database
nothing. Passages are searched for by their words and, where an embeddings endpoint is configured, side by
side by their meaning; what one finds is told although the other is late or fails. If neither finds anything
in time the model is left without passages; it then says that it does not know.
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
from gateway.knowledge.fusion import fuse
from gateway.knowledge.meaning import Meaning
from gateway.metrics import Metrics
from gateway.tenancy.cache import LayeredCache, Source
from pipeline.ports import Clock

_LEAST_OF_BEST: Final = 0.5
"""A passage that scores below this share of the best one is about something else."""
_WIDER: Final = 4
"""So many times as many passages as are told are looked for, where two rankings are to become one."""

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
    meaning: Meaning | None = None

    async def warm(self, org_id: UUID) -> None:
        """Know whether the org has documents before the first turn. Never raises, never takes longer."""
        with suppress(TimeoutError, OrgUnavailable):
            async with asyncio.timeout(self.deadline_s):
                if await self.documents.get(org_id) is not None and self.meaning is not None:
                    self.meaning.warm_up()

    async def find(self, org_id: UUID, said: str, *, elsewhere: bool = True) -> Sequence[str]:
        """The passages that have to do with what was said, best first. Never raises, never takes longer.

        `elsewhere`: whether what was said may be sent to the embeddings endpoint.
        """
        words = search_words(said)
        if not words:
            return ()
        began_s = self.clock.now_s()
        until = asyncio.get_running_loop().time() + self.deadline_s
        if elsewhere and self.meaning is not None:
            found, outcome = await self._by_both(self.meaning, Claim(org_id), said, words, until)
        else:
            found, outcome = await self._by_words(Claim(org_id), words, self.passages, until)
        self.metrics.knowledge.labels(outcome).observe(self.clock.now_s() - began_s)
        return [_told(passage) for passage in found]

    async def _by_both(
        self, meaning: Meaning, claim: Claim, said: str, words: str, until: float
    ) -> tuple[list[FoundPassage], str]:
        """And the outcome: that of the search by words, unless the one by meaning found what it did not."""
        wide = _WIDER * self.passages
        async with asyncio.TaskGroup() as both:
            meant = both.create_task(self._by_meaning(meaning, claim, said, wide, until))
            by_words, outcome = await self._by_words(claim, words, wide, until)
        found = fuse(by_words, meant.result(), limit=self.passages)
        return found, "found" if found else outcome

    async def _by_words(
        self, claim: Claim, words: str, limit: int, until: float
    ) -> tuple[list[FoundPassage], str]:
        try:
            async with asyncio.timeout_at(until):
                if not await self._may_have_documents(claim.org_id):
                    return [], "nothing"
                found = await search(self.pool, claim, words, limit=limit)
        except TimeoutError:
            return [], "late"
        except (BookingError, OrgUnavailable):
            return [], "failed"
        return best_of(found), "found" if found else "nothing"

    async def _may_have_documents(self, org_id: UUID) -> bool:
        """Where there were some lately, the search itself tells: no turn waits for Redis to say so again."""
        return self.documents.lately(org_id) is not None or await self.documents.get(org_id) is not None

    async def _by_meaning(
        self, meaning: Meaning, claim: Claim, said: str, limit: int, until: float
    ) -> list[FoundPassage]:
        """Where it cannot be told that the org has documents, nothing is sent to anybody."""
        try:
            async with asyncio.timeout_at(until):
                documents = await self.documents.get(claim.org_id)
        except (TimeoutError, BookingError, OrgUnavailable):
            return []
        if documents is None:
            return []
        return await meaning.nearest(claim, said, limit=limit, until=until)


def best_of(found: Sequence[FoundPassage]) -> list[FoundPassage]:
    """Of what a search by words found, best first: what is not about something else."""
    return [each for each in found if each.score >= _LEAST_OF_BEST * found[0].score]


def _told(passage: FoundPassage) -> str:
    return f"{passage.heading}: {passage.body}" if passage.heading else passage.body
