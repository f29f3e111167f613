"""Passages within a deadline or not at all: real stores, a locked table, a database that is away."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg

from booking.knowledge import Passage, put_document
from gateway.clock import MonotonicClock
from gateway.knowledge.retrieval import Knowledge, documents_source
from gateway.metrics import Metrics
from gateway.shared_store import SharedStore
from gateway.tenancy.cache import LayeredCache, Lives
from tests.conftest import Clinic, Stack

LIVES = Lives(memory_s=5, redis_s=300, unknown_s=15, source_s=3)


@asynccontextmanager
async def knowledge(
    stack: Stack,
    pool: asyncpg.Pool,
    deadline_s: float = 2.0,
    *,
    lives: Lives = LIVES,
    redis_url: str | None = None,
    redis_s: float = 1.0,
) -> AsyncIterator[Knowledge]:
    metrics, clock, url = Metrics(), MonotonicClock(), redis_url or stack.redis
    async with SharedStore(url, metrics, command_s=redis_s) as store, asyncio.TaskGroup() as group:
        documents: LayeredCache[Any, int] = LayeredCache(
            documents_source(pool), lives, store=store, group=group, clock=clock, metrics=metrics
        )
        yield Knowledge(pool, documents, clock, metrics, deadline_s=deadline_s, passages=3)


async def load(pool: asyncpg.Pool, clinic: Clinic) -> None:
    passages = [
        Passage("Prices, Peel", "A chemical peel is £90."),
        Passage("Parking", "Parking is free; mind the peeling paint of the gate, which is old and green."),
        Passage("Prices, Filler", "A filler is £250."),
    ]
    await put_document(pool, clinic.claim, source="a", title="A", digest=bytes(32), passages=passages)


def outcomes(found: Knowledge) -> dict[str, float]:
    return {
        outcome: count
        for outcome in ("found", "nothing", "late", "failed")
        if (
            count := found.metrics.registry.get_sample_value(
                "gateway_knowledge_seconds_count", {"outcome": outcome}
            )
        )
    }


async def test_what_was_asked_is_told_with_its_heading(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    await load(pool, clinic)
    async with knowledge(stack, pool) as found:
        passages = await found.find(clinic.claim.org_id, "How much is a chemical peel?")
        assert passages[0] == "Prices, Peel: A chemical peel is £90."
        assert outcomes(found) == {"found": 1}


async def test_small_talk_and_a_clinic_without_documents_ask_nothing(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    await load(pool, clinic)
    async with knowledge(stack, pool) as found:
        assert await found.find(clinic.claim.org_id, "Yes please, thank you.") == ()
        assert outcomes(found) == {}
        assert await found.find(other_clinic.claim.org_id, "How much is a peel?") == []
        assert outcomes(found) == {"nothing": 1}


async def test_what_comes_too_late_is_left_out(
    stack: Stack, pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic
) -> None:
    await load(pool, clinic)
    async with knowledge(stack, pool, deadline_s=0.15) as found:
        await found.documents.get(clinic.claim.org_id)
        async with owner.transaction():
            await owner.execute("lock table public.knowledge_chunks in access exclusive mode")
            began = time.monotonic()
            assert await found.find(clinic.claim.org_id, "How much is a peel?") == []
            assert time.monotonic() - began < 1.0
        assert outcomes(found) == {"late": 1}
        assert await found.find(clinic.claim.org_id, "How much is a peel?") != []


async def test_a_redis_that_says_nothing_costs_no_passages(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    await load(pool, clinic)
    out_of_date_soon = replace(LIVES, memory_s=0.01)
    async with (
        await asyncio.start_server(_says_nothing, "127.0.0.1", 0) as silent,
        knowledge(
            stack,
            pool,
            deadline_s=0.8,
            lives=out_of_date_soon,
            redis_url=f"redis://127.0.0.1:{silent.sockets[0].getsockname()[1]}",
            redis_s=1.0,
        ) as found,
    ):
        assert await found.documents.get(clinic.claim.org_id) == 1
        await asyncio.sleep(2 * out_of_date_soon.memory_s)
        assert await found.find(clinic.claim.org_id, "How much is a peel?") != []
        assert outcomes(found) == {"found": 1}


async def _says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.read()
    finally:
        writer.close()


async def test_without_a_database_there_are_no_passages(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    async with knowledge(stack, pool) as found:
        await pool.close()
        assert await found.find(clinic.claim.org_id, "How much is a peel?") == []
        assert outcomes(found) == {"failed": 1}
