"""The embeddings of an org's passages, made in batches after the passages are kept.

What has none yet is asked of the database before each batch, and each is kept at once: whoever was broken off
loads again and goes on where that was. A search by words needs none of it. Vectors of another model count for
nothing from the moment that a new one is configured, and go once all passages have those of the new one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from booking.embeddings import (
    Unembedded,
    Vector,
    drop_other_embeddings,
    put_embeddings,
    search_by_meaning,
    unembedded,
)
from booking.knowledge import FoundPassage
from booking.types import Claim
from gateway.errors import EmbeddingsUnavailable
from gateway.knowledge.asked import MOST_CHARACTERS
from gateway.knowledge.embeddings import EmbeddingsClient
from gateway.settings import Embeddings

TRIES: Final = 6
FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 60.0


class BrokenOff(Exception):
    """The endpoint gave up on us, or we on it. `done`: passages whose embeddings are kept."""

    def __init__(self, done: int, why: EmbeddingsUnavailable) -> None:
        super().__init__(f"broken off after {done} passages: {why}; load again to go on")
        self.done = done


@dataclass(frozen=True, slots=True)
class Embedder:
    """One org's passages. `first_wait_s`: before the second try of a batch; then it doubles."""

    pool: asyncpg.Pool
    claim: Claim
    client: EmbeddingsClient
    settings: Embeddings
    first_wait_s: float = FIRST_WAIT_S

    async def embed_missing(self) -> int:
        """How many passages had none. Raises `BrokenOff`, `BookingError`."""
        done = 0
        space = self.settings.space
        while batch := await unembedded(self.pool, self.claim, space, limit=self.settings.batch):
            try:
                vectors = await self._vectors(batch)
            except EmbeddingsUnavailable as why:
                raise BrokenOff(done, why) from None
            by_passage = dict(zip((each.id for each in batch), vectors, strict=True))
            done += await put_embeddings(self.pool, self.claim, space, by_passage)
        await drop_other_embeddings(self.pool, self.claim, space)
        return done

    async def nearest(self, said: str, *, limit: int) -> list[FoundPassage]:
        """As a call would find them, without its deadline. Raises `EmbeddingsUnavailable`, `BookingError`."""
        [vector] = await self.client.embed([said[-MOST_CHARACTERS:]], within_s=self.settings.batch_s)
        found = await search_by_meaning(self.pool, self.claim, self.settings.space, vector, limit=limit)
        return near_enough(found, self.settings)

    async def _vectors(self, batch: list[Unembedded]) -> list[Vector]:
        """Raises `EmbeddingsUnavailable` when asking again would not help or did not."""
        texts = [text_of(each) for each in batch]
        wait_s = self.first_wait_s
        for _ in range(TRIES - 1):
            try:
                return await self.client.embed(texts, within_s=self.settings.batch_s)
            except EmbeddingsUnavailable as fault:
                if not fault.retryable:
                    raise
                await asyncio.sleep(min(fault.retry_after_s or wait_s, LONGEST_WAIT_S))
                wait_s *= 2
        return await self.client.embed(texts, within_s=self.settings.batch_s)


def near_enough(found: Sequence[FoundPassage], settings: Embeddings) -> list[FoundPassage]:
    """Of what a search by meaning found: what has to do with what was asked."""
    return [each for each in found if each.score >= settings.least_similarity]


def text_of(passage: Unembedded) -> str:
    """What is embedded of a passage: headings first, as it is told; they often name what it is about."""
    return f"{passage.heading}: {passage.body}" if passage.heading else passage.body
