"""A database's passages with their embeddings, as a simulated endpoint makes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from bench.simulators.embeddings import EmbeddingsSimulator
from booking.knowledge import Passage, put_document
from gateway.clock import MonotonicClock
from gateway.knowledge.meaning import Meaning, open_meaning
from gateway.knowledge.retrieval import Knowledge, documents_source
from gateway.metrics import Metrics
from gateway.settings import Embeddings
from gateway.shared_store import SharedStore
from gateway.tenancy.cache import LayeredCache, Lives
from tests.conftest import Clinic, Stack

LIVES = Lives(memory_s=5, redis_s=300, unknown_s=15, source_s=3)
PASSAGES = [
    Passage("Prices, Peel", "A chemical peel is £90."),
    Passage("Arriving", "You may park behind the house."),
    Passage("Prices, Filler", "A filler is £250."),
]


def configured(server: EmbeddingsSimulator | None, **changes: Any) -> Embeddings:
    """A small model, so that tests need not wait for large vectors."""
    url = server.url if server else "http://127.0.0.1:9/v1"
    return replace(Embeddings(url, "test-key", "text-embedding-3-small", dimensions=256), **changes)


async def load(pool: asyncpg.Pool, clinic: Clinic, passages: list[Passage] = PASSAGES) -> None:
    await put_document(pool, clinic.claim, source="a", title="A", digest=bytes(32), passages=passages)


@dataclass(frozen=True)
class Searching:
    """Both searches, as a call asks for them."""

    knowledge: Knowledge
    meaning: Meaning | None

    async def find(self, clinic: Clinic, said: str) -> list[str]:
        return list(await self.knowledge.find(clinic.claim.org_id, said))

    def outcomes(self, metric: str = "gateway_knowledge_meaning_seconds") -> dict[str, float]:
        """How many searches ended how."""
        samples = [
            sample
            for family in self.knowledge.metrics.registry.collect()
            for sample in family.samples
            if sample.name == f"{metric}_count" and sample.value
        ]
        return {sample.labels["outcome"]: sample.value for sample in samples}


@asynccontextmanager
async def searching(
    stack: Stack, pool: asyncpg.Pool, settings: Embeddings | None, *, deadline_s: float = 10.0
) -> AsyncIterator[Searching]:
    """The deadline is long unless it is what is tested."""
    metrics, clock = Metrics(), MonotonicClock()
    async with AsyncExitStack() as closing:
        store = await closing.enter_async_context(SharedStore(stack.redis, metrics, command_s=1))
        group = await closing.enter_async_context(asyncio.TaskGroup())
        documents: LayeredCache[Any, int] = LayeredCache(
            documents_source(pool), LIVES, store=store, group=group, clock=clock, metrics=metrics
        )
        meaning = await closing.enter_async_context(open_meaning(settings, pool, clock, metrics, group))
        knowledge = Knowledge(pool, documents, clock, metrics, deadline_s, passages=2, meaning=meaning)
        yield Searching(knowledge, meaning)
