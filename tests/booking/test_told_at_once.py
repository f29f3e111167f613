"""What several replicas tell the database in the same moment is kept once, and none of them fails."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from booking.db import open_pool
from booking.vapi_calls import open_vapi_call
from tests.conftest import Clinic, Stack

CONNECTIONS = 8
ROUNDS = 100

_UNIQUE = """
select c.relname::text as name,
    array(
        select attname::text from pg_attribute where attrelid = c.oid and attnum = any (x.indkey)
    ) as columns
from pg_index x join pg_class c on c.oid = x.indrelid
where x.indisunique and x.indpred is null and c.relnamespace = 'public'::regnamespace
"""
_FUNCTIONS = """
select proname::text as name, prosrc as source from pg_proc
where pronamespace = 'app'::regnamespace and prosrc ~ 'on conflict'
"""
_INSERT = re.compile(
    r"insert into (?:public\.)?(?P<table>\w+)[^;]*?on conflict \((?P<columns>[^)]*)\)[^;]*?\bdo\b", re.DOTALL
)


@pytest.fixture
async def crowd(stack: Stack) -> AsyncIterator[asyncpg.Pool]:
    async with await open_pool(stack.postgres.app, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        yield pool


async def test_one_of_many_puts_a_call_on_record(crowd: asyncpg.Pool, clinic: Clinic) -> None:
    for _ in range(ROUNDS):
        call, began = uuid4(), datetime.now(UTC)
        told = (
            open_vapi_call(
                crowd,
                clinic.claim,
                call_id=call,
                vapi_id=str(call),
                started_at=began,
                ask_after=timedelta(minutes=1),
            )
            for _ in range(CONNECTIONS)
        )
        assert sorted(await asyncio.gather(*told)) == [False] * (CONNECTIONS - 1) + [True]


async def test_no_insert_looks_at_one_of_two_indexes_that_know_the_same_row(stack: Stack) -> None:
    """`on conflict (id)` beside a unique (org_id, id): the one that comes a moment later meets the other."""
    owner = await asyncpg.connect(stack.postgres.owner)
    try:
        unique = [(row["name"], frozenset(row["columns"])) for row in await owner.fetch(_UNIQUE)]
        found = [
            (row["name"], each["table"], frozenset(re.split(r",\s*", each["columns"])))
            for row in await owner.fetch(_FUNCTIONS)
            for each in _INSERT.finditer(row["source"])
        ]
    finally:
        await owner.close()
    assert found
    wider = [
        (function, table, sorted(columns))
        for function, table, columns in found
        if any(name == table and columns < others for name, others in unique)
    ]
    assert wider == []
