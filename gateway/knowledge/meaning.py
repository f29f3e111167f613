"""Passages that mean what a caller said, whatever words they use: found while the caller waits or not at all.

A request that is not answered within the turn's deadline is left to come to its own end: cutting it off would
close its connection, and the next one would have to open another and be late for that. When several in a row
came too late or failed, the endpoint is left alone for a while, so that a slow one does not hold up every
turn.

What a caller said is sent as it was said, as to the model that thinks, and stands nowhere else.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import asyncpg
import structlog

from booking.embeddings import Vector, has_embeddings, search_by_meaning
from booking.errors import BookingError
from booking.knowledge import FoundPassage
from booking.types import Claim
from gateway.errors import EmbeddingsUnavailable
from gateway.knowledge.asked import MOST_CHARACTERS
from gateway.knowledge.embedding import near_enough
from gateway.knowledge.embeddings import EmbeddingsClient
from gateway.metrics import Metrics
from gateway.settings import Embeddings
from pipeline.ports import Clock

log: Final = structlog.get_logger("gateway.knowledge")

T = TypeVar("T")

_IN_A_ROW: Final = 3
_MOST_AT_ONCE: Final = 50
"""Requests under way, those included that nobody waits for any more."""


@dataclass(slots=True)
class Meaning:
    """All orgs' passages by their meaning, as calls ask for them. `group` owns the requests under way."""

    pool: asyncpg.Pool
    client: EmbeddingsClient
    settings: Embeddings
    clock: Clock
    metrics: Metrics
    group: asyncio.TaskGroup
    _under_way: "set[asyncio.Task[Any]]" = field(default_factory=set)
    _failed_in_a_row: int = 0
    _rests_until_s: float = 0.0

    async def nearest(self, claim: Claim, said: str, *, limit: int, until: float) -> list[FoundPassage]:
        """Best first, all of them near enough. Never raises; is over at `until`, an instant of the loop."""
        began_s = self.clock.now_s()
        found, outcome = await self._nearest(claim, said, limit, until)
        self.metrics.meaning.labels(outcome).observe(self.clock.now_s() - began_s)
        return found

    def warm_up(self) -> None:
        """Have a connection ready soon."""
        if self._may_ask():
            self._begin(self.client.warm_up())

    async def aclose(self) -> None:
        """Requests under way are cut off."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self.client.aclose()

    async def _nearest(
        self, claim: Claim, said: str, limit: int, until: float
    ) -> tuple[list[FoundPassage], str]:
        vector, outcome = await self._meant(said, until)
        if vector is None:
            return [], outcome
        try:
            async with asyncio.timeout_at(until):
                space = self.settings.space
                found = await search_by_meaning(self.pool, claim, space, vector, limit=limit)
        except TimeoutError:
            return [], "late"
        except BookingError:
            return [], "failed"
        near = near_enough(found, self.settings)
        return near, "found" if near else "nothing"

    async def _meant(self, said: str, until: float) -> tuple[Vector | None, str]:
        """None, and why, if the endpoint did not tell in time."""
        if not self._may_ask():
            return None, "resting"
        try:
            async with asyncio.timeout_at(until):
                answer = await asyncio.shield(self._begin(self._embedded(said[-MOST_CHARACTERS:])))
        except TimeoutError:
            return None, self._failed("late", "no answer within the turn's deadline")
        if isinstance(answer, EmbeddingsUnavailable):
            return None, self._failed("failed", str(answer))
        self._failed_in_a_row = 0
        return answer, ""

    def _begin(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        task = self.group.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _embedded(self, said: str) -> Vector | EmbeddingsUnavailable:
        """What it raised would end all that the group owns, and perhaps nobody waits for it."""
        try:
            [vector] = await self.client.embed([said], within_s=self.settings.query_s)
        except EmbeddingsUnavailable as fault:
            return fault
        return vector

    def _may_ask(self) -> bool:
        return self.clock.now_s() >= self._rests_until_s and len(self._under_way) < _MOST_AT_ONCE

    def _failed(self, outcome: str, why: str) -> str:
        self._failed_in_a_row += 1
        now_s = self.clock.now_s()
        if self._failed_in_a_row >= _IN_A_ROW and now_s >= self._rests_until_s:
            self._rests_until_s = now_s + self.settings.rest_s
            log.warning("embeddings_rest", reason=why, wait_s=self.settings.rest_s)
        return outcome


@asynccontextmanager
async def open_meaning(
    settings: Embeddings | None,
    pool: asyncpg.Pool,
    clock: Clock,
    metrics: Metrics,
    group: asyncio.TaskGroup,
) -> AsyncIterator[Meaning | None]:
    """None where no endpoint is configured, or the database cannot keep embeddings, which is logged."""
    if settings is None:
        yield None
    elif not await has_embeddings(pool):
        log.warning("embeddings_have_no_table", reason="no extension vector (0.7) when it was migrated")
        yield None
    else:
        meaning = Meaning(pool, EmbeddingsClient(settings), settings, clock, metrics, group)
        try:
            yield meaning
        finally:
            await meaning.aclose()
