"""One connection, many clients: what a pool, and a pooler in transaction mode, make of it.

A claim belongs to its transaction. Whoever has the connection next sees nothing of it: after a commit, an
error, a cancelled query, a savepoint, a client that went away, or when the server has ended the connection.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from uuid import uuid4

import asyncpg
import pytest

from booking.db import claims_json, fetch, fetch_value, open_pool, org_transaction
from booking.errors import BookingError, BookingUnavailable
from booking.types import Claim
from tests.conftest import Clinic, Stack

_SEEN = """
select (select count(*) from public.slots) as slots, (select count(*) from public.organizations) as orgs,
    app.org_id() as org
"""
NOTHING = (0, 0, None)


class TransactionPooler:
    """One server connection that several clients share, each for the length of a transaction: as PgBouncer's
    `pool_mode = transaction`, which puts nothing back in between.
    """

    def __init__(self, server: asyncpg.Connection) -> None:
        self._server, self._turn = server, asyncio.Lock()

    async def transaction(self, *work: Callable[[asyncpg.Connection], Awaitable[object]]) -> list[object]:
        async with self._turn, self._server.transaction():
            return [await each(self._server) for each in work]

    async def statement(self, query: str, *values: object) -> asyncpg.Record | None:
        """A transaction of its own, as a statement outside one is."""
        async with self._turn:
            return await self._server.fetchrow(query, *values)


@pytest.fixture
async def server(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(stack.postgres.app, statement_cache_size=0)
    yield connection
    await connection.close()


@pytest.fixture
def pooler(server: asyncpg.Connection) -> TransactionPooler:
    return TransactionPooler(server)


def arm(claim: Claim) -> Callable[[asyncpg.Connection], Awaitable[object]]:
    return lambda connection: connection.execute("select app.arm($1)", claims_json(claim))


async def look(connection: asyncpg.Connection) -> tuple[object, ...]:
    return tuple(await connection.fetchrow(_SEEN))


async def test_clients_of_a_transaction_pooler_never_see_each_others_org(
    pooler: TransactionPooler, clinic: Clinic, other_clinic: Clinic
) -> None:
    async def client(claim: Claim) -> None:
        for _ in range(20):
            _, seen = await pooler.transaction(arm(claim), look)
            assert seen[1:] == (1, claim.org_id)  # type: ignore[index]
            await asyncio.sleep(0)

    async def passer_by() -> None:
        for _ in range(20):
            assert tuple(await pooler.statement(_SEEN)) == NOTHING  # type: ignore[arg-type]
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for work in (client(clinic.claim), client(other_clinic.claim), passer_by(), client(clinic.claim)):
            group.create_task(work)


async def test_a_statement_that_arms_ends_its_claim_itself(pooler: TransactionPooler, clinic: Clinic) -> None:
    """The one round trip of a function's call is a whole transaction."""
    profile = await pooler.statement("select * from app.org_profile(app.arm($1))", claims_json(clinic.claim))
    assert profile is not None
    assert profile["org_id"] == clinic.claim.org_id
    assert tuple(await pooler.statement(_SEEN)) == NOTHING  # type: ignore[arg-type]


async def test_a_claim_ends_with_an_error(server: asyncpg.Connection, clinic: Clinic) -> None:
    for failing in ("select 1 / 0", "select no_such_column", "select * from app.find_booking(null, null)"):
        with suppress(asyncpg.PostgresError):
            async with server.transaction():
                await arm(clinic.claim)(server)
                assert (await look(server))[1] == 1
                await server.execute(failing)
        assert await look(server) == NOTHING


async def test_a_claim_ends_with_a_cancelled_query(server: asyncpg.Connection, clinic: Clinic) -> None:
    with suppress(TimeoutError):
        async with server.transaction():
            await arm(clinic.claim)(server)
            await server.execute("select pg_sleep(60)", timeout=0.05)
    assert await look(server) == NOTHING
    with suppress(asyncpg.QueryCanceledError):
        async with server.transaction():
            await arm(clinic.claim)(server)
            await server.execute("set local statement_timeout = '50ms'; select pg_sleep(60)")
    assert await look(server) == NOTHING


async def test_a_claim_that_a_savepoint_undoes_gives_way_to_the_one_before(
    server: asyncpg.Connection, clinic: Clinic, other_clinic: Clinic
) -> None:
    async with server.transaction():
        await arm(clinic.claim)(server)
        with suppress(ZeroDivisionError):
            async with server.transaction():
                await arm(other_clinic.claim)(server)
                assert (await look(server))[2] == other_clinic.claim.org_id
                raise ZeroDivisionError
        assert (await look(server))[2] == clinic.claim.org_id
    assert await look(server) == NOTHING


async def test_a_statement_prepared_under_a_claim_sees_nothing_without(
    server: asyncpg.Connection, clinic: Clinic
) -> None:
    prepared = await server.prepare("select count(*) from public.slots")
    async with server.transaction():
        await arm(clinic.claim)(server)
        assert await prepared.fetchval() > 0
    assert await prepared.fetchval() == 0


@pytest.fixture
async def one(stack: Stack) -> AsyncIterator[asyncpg.Pool]:
    async with await open_pool(stack.postgres.app, min_size=1, max_size=1) as pool:
        yield pool


async def test_a_connection_that_died_in_the_pool_is_away_or_replaced(
    stack: Stack, one: asyncpg.Pool, clinic: Clinic
) -> None:
    """Asked in the very moment, the database is told to be away: a typed error that says to try again."""
    admin = await asyncpg.connect(stack.admin)
    answers = set()
    try:
        for _ in range(30):
            pid = await told(one, "select pg_backend_pid()")
            await admin.execute("select pg_terminate_backend($1)", pid)
            with suppress(BookingUnavailable):
                answers.add(len(await fetch(one, clinic.claim, "org_profile")))
            await told(one, "select 1")
    finally:
        await admin.close()
    assert answers <= {1}
    async with one.acquire() as connection:
        assert await look(connection) == NOTHING


async def told(pool: asyncpg.Pool, statement: str) -> object:
    """The answer, once the pool has made a new connection."""
    while True:
        with suppress(BookingUnavailable):
            return await fetch_value(pool, statement)


async def test_a_foreign_id_in_an_armed_transaction_ends_the_claim_too(
    one: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    with pytest.raises(BookingError):
        async with org_transaction(one, clinic.claim) as connection:
            await connection.fetch(
                "select * from app.find_booking($1, $2)", other_clinic.claim.org_id, uuid4()
            )
    async with one.acquire() as connection:
        assert await look(connection) == NOTHING
