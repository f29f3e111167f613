"""What passages mean, in a real Postgres: the nearest is found, another clinic's or model's never."""

import json
from collections.abc import Sequence
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking.db import claims_json, open_pool, org_transaction
from booking.embeddings import (
    MOST_DIMENSIONS,
    drop_other_embeddings,
    has_embeddings,
    put_embeddings,
    search_by_meaning,
    unembedded,
)
from booking.errors import StatementRefused
from booking.knowledge import Passage, put_document, remove_document
from booking.migrate import migrate
from tests.conftest import Clinic, Stack

MODEL = "of-three"
EAST, NORTH, UP = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
NORTH_EAST = (0.6, 0.8, 0.0)


async def load(pool: asyncpg.Pool, clinic: Clinic, *bodies: str, source: str = "a") -> list[UUID]:
    """The passages' ids, in reading order."""
    passages = [Passage("", body) for body in bodies]
    digest = uuid4().bytes * 2
    await put_document(pool, clinic.claim, source=source, title="A", digest=digest, passages=passages)
    found = await unembedded(pool, clinic.claim, f"nothing but {uuid4()}", limit=1000)
    return [each.id for each in found if each.body in bodies]


async def nearest(
    pool: asyncpg.Pool, clinic: Clinic, vector: Sequence[float], model: str = MODEL, limit: int = 10
) -> list[tuple[str, float]]:
    found = await search_by_meaning(pool, clinic.claim, model, vector, limit=limit)
    return [(each.body, round(each.score, 3)) for each in found]


async def test_the_nearest_comes_first(pool: asyncpg.Pool, clinic: Clinic) -> None:
    east, north, up = await load(pool, clinic, "east", "north", "up")
    assert await put_embeddings(pool, clinic.claim, MODEL, {east: EAST, north: NORTH, up: UP}) == 3
    assert await nearest(pool, clinic, NORTH_EAST) == [("north", 0.8), ("east", 0.6), ("up", 0.0)]
    assert await nearest(pool, clinic, NORTH_EAST, limit=1) == [("north", 0.8)]


async def test_another_model_or_size_is_never_compared(pool: asyncpg.Pool, clinic: Clinic) -> None:
    east, north = await load(pool, clinic, "east", "north")
    await put_embeddings(pool, clinic.claim, MODEL, {east: EAST})
    await put_embeddings(pool, clinic.claim, "of-two", {east: (0.0, 1.0), north: (1.0, 0.0)})
    assert await nearest(pool, clinic, EAST) == [("east", 1.0)]
    assert await nearest(pool, clinic, (1.0, 0.0), "of-two") == [("north", 1.0), ("east", 0.0)]
    assert await nearest(pool, clinic, (1.0, 0.0), MODEL) == []
    assert [each.id for each in await unembedded(pool, clinic.claim, MODEL, limit=5)] == [north]
    assert await drop_other_embeddings(pool, clinic.claim, MODEL) == 2
    assert await nearest(pool, clinic, (1.0, 0.0), "of-two") == []
    assert await nearest(pool, clinic, EAST) == [("east", 1.0)]


async def test_an_embedding_goes_with_its_passage_and_with_its_text(
    pool: asyncpg.Pool, clinic: Clinic
) -> None:
    east, north, up = await load(pool, clinic, "east", "north", "up")
    await put_embeddings(pool, clinic.claim, MODEL, {east: EAST, north: NORTH, up: UP})
    async with org_transaction(pool, clinic.claim) as connection:
        await connection.execute("update public.knowledge_chunks set body = 'south' where id = $1", north)
        await connection.execute("update public.knowledge_chunks set body = body")
    assert await nearest(pool, clinic, EAST) == [("east", 1.0), ("up", 0.0)]
    assert await remove_document(pool, clinic.claim, "a")
    assert await nearest(pool, clinic, EAST) == []
    assert await put_embeddings(pool, clinic.claim, MODEL, {east: EAST}) == 0, "the passage has gone"


async def test_another_clinics_is_never_found_nor_written(
    pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    [theirs] = await load(pool, other_clinic, "theirs")
    await put_embeddings(pool, other_clinic.claim, MODEL, {theirs: EAST})
    assert await nearest(pool, clinic, EAST) == []
    assert await unembedded(pool, clinic.claim, MODEL, limit=10) == []
    assert await put_embeddings(pool, clinic.claim, MODEL, {theirs: NORTH}) == 0
    assert await drop_other_embeddings(pool, clinic.claim, "another") == 0
    assert await nearest(pool, other_clinic, EAST) == [("theirs", 1.0)]


async def test_what_is_no_direction_is_refused(pool: asyncpg.Pool, clinic: Clinic) -> None:
    [chunk] = await load(pool, clinic, "east")
    too_many = (1.0, *[0.0] * MOST_DIMENSIONS)
    for vector in ((0.0, 0.0), (3.0, 4.0), (float("nan"), 1.0), (), too_many):
        with pytest.raises(StatementRefused):
            await put_embeddings(pool, clinic.claim, MODEL, {chunk: vector})
    assert await put_embeddings(pool, clinic.claim, MODEL, {chunk: too_many[:-1]}) == 1
    assert await nearest(pool, clinic, too_many[:-1]) == [("east", 1.0)]


async def test_without_the_extension_there_are_none(stack: Stack, pool: asyncpg.Pool, fresh: str) -> None:
    assert await has_embeddings(pool)
    await migrate(fresh)
    as_app = urlsplit(stack.postgres.app)._replace(path=urlsplit(fresh).path).geturl()
    async with await open_pool(as_app, max_size=1) as without:
        assert not await has_embeddings(without)


async def test_a_search_compares_with_its_own_clinics_passages_alone(
    pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic, other_clinic: Clinic
) -> None:
    """Pages, as PostgreSQL counts them, before and after another clinic has 400 passages on 200 pages."""
    large = (1.0, *[0.0] * 1535)
    await put_embeddings(pool, clinic.claim, MODEL, dict.fromkeys(await load(pool, clinic, "east"), large))
    before = await pages(pool, clinic, large)
    theirs = await load(pool, other_clinic, *map(str, range(400)))
    assert await put_embeddings(pool, other_clinic.claim, MODEL, dict.fromkeys(theirs, large)) == 400
    await owner.execute("analyze public.knowledge_embeddings")
    assert await pages(pool, clinic, large) <= before + 20


async def pages(pool: asyncpg.Pool, clinic: Clinic, vector: Sequence[float]) -> int:
    """Of a search on a connection that has planned it already."""
    explain = (
        "explain (analyze, buffers, format json) select * from app.search_embeddings("
        f"app.arm('{claims_json(clinic.claim)}'), '{MODEL}', array{list(vector)}::real[], 3)"
    )
    async with pool.acquire() as connection:
        for _ in range(7):
            plan = await connection.fetchval(explain)
    shared: int = json.loads(plan)[0]["Plan"]["Shared Hit Blocks"]
    return shared
