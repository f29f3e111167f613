"""Every table x select, insert, update, delete x one org on the rows of 99 others, and without a claim.

The tables come from the catalogue. They stand in a database of their own, migrated as any, in which the
superuser then drops checks, references and triggers, so that a row for every org can be made from nothing but
the columns' types, and nothing but row level security stands between the orgs.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import psycopg
import pytest

from booking.db import claims_json
from booking.types import Claim
from tests.conftest import Stack
from tests.proofs.beside import beside
from tests.proofs.catalogue import columns, relations, tenant_tables

ORGS = tuple(uuid4() for _ in range(100))
OURS, THEIRS = ORGS[0], ORGS[1]
DATABASE = "matrix"
_ONE_PER_ORG = (
    "public.organizations",
    "public.follow_up_settings",
    "public.calling_settings",
    "public.handover_settings",
    "public.vapi_setups",
)
_DENIED = asyncpg.InsufficientPrivilegeError

_VALUES = {
    "uuid": "gen_random_uuid()",
    "text": "md5(random()::text)",
    "integer": "(random() * 1e9)::integer",
    "smallint": "(random() * 1e4)::smallint",
    "bigint": "(random() * 1e15)::bigint",
    "double precision": "random()",
    "real": "random()::real",
    "numeric": "random()::numeric",
    "boolean": "true",
    "bytea": "sha256(random()::text::bytea)",
    "jsonb": "'{}'::jsonb",
    "interval": "interval '1 day'",
    "date": "current_date + (random() * 1e5)::integer",
    "time without time zone": "localtime(0)",
    "timestamp with time zone": "clock_timestamp() + random() * interval '1 day'",
}
_UNHAMPER = """
do $$
declare v record;
begin
    for v in select conrelid::regclass as t, conname from pg_constraint
        where contype in ('f', 'c', 'x') and connamespace = 'public'::regnamespace and conrelid <> 0
        order by contype desc
    loop
        execute format('alter table %s drop constraint %I', v.t, v.conname);
    end loop;
    for v in select oid::regclass as t from pg_class
        where relkind = 'r' and relnamespace = 'public'::regnamespace
    loop
        execute format('alter table %s disable trigger user', v.t);
    end loop;
end
$$
"""


def value_of(kind: str) -> str:
    """An SQL expression of this type, another value each time as far as the type has many."""
    if kind.endswith("[]"):
        return f"'{{}}'::{kind}"
    if re.fullmatch(r"(?:\w+\.)?halfvec", kind):
        return f"array[1, 0]::real[]::{kind}"
    return _VALUES[re.sub(r"\(\d+\)", "", kind)]


@pytest.fixture(scope="module")
def matrix(stack: Stack) -> Iterator[Stack]:
    with beside(stack, DATABASE) as database:
        with psycopg.connect(database.admin, autocommit=True) as admin:
            admin.execute(_UNHAMPER)
        yield database


@pytest.fixture
async def admin(matrix: Stack) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(matrix.admin)
    yield connection
    await connection.close()


@pytest.fixture
async def tables(admin: asyncpg.Connection) -> list[str]:
    """All tenants' tables, with a row of each org in each."""
    names = await tenant_tables(admin)
    for name in names:
        await admin.execute(f"delete from {name}")
        await admin.execute(await _insert(admin, name, "org"), ORGS)
    return names


async def _insert(connection: asyncpg.Connection, table: str, org: str) -> str:
    named = {column["name"]: value_of(column["type"]) for column in await columns(connection, table)}
    named["org_id"] = org
    values = ", ".join(named.values())
    return f"insert into {table} ({', '.join(named)}) select {values} from unnest($1::uuid[]) as orgs (org)"


@pytest.fixture(params=["app", "owner"])
async def anyone(request: pytest.FixtureRequest, matrix: Stack) -> AsyncIterator[asyncpg.Connection]:
    """The owner too: FORCE binds it, and it has every right that a grant could give."""
    connection = await asyncpg.connect(getattr(matrix.postgres, request.param))
    yield connection
    await connection.close()


async def attempt(
    connection: asyncpg.Connection, org: UUID | None, statement: str, *values: Any
) -> int | None:
    """How many rows it reads or changes under the claim, undone afterwards; None if it is denied.

    One that only a unique index keeps from it is not denied.
    """
    transaction = connection.transaction()
    await transaction.start()
    try:
        if org is not None:
            await connection.execute("select app.arm($1)", claims_json(Claim(org)))
        return int((await connection.execute(statement, *values)).split()[-1])
    except _DENIED:
        return None
    except asyncpg.UniqueViolationError:
        return 0
    finally:
        await transaction.rollback()


async def statements(connection: asyncpg.Connection, table: str) -> dict[str, str]:
    """What reads and changes rows of the orgs in $1, through a column that this role may change if any."""
    changeable = await connection.fetchval(
        """
        select attname from pg_attribute
        where attrelid = $1::text::regclass and attnum > 0 and attgenerated = '' and attidentity = ''
          and has_column_privilege(attrelid, attnum, 'update') limit 1
        """,
        table,
    )
    column = changeable or "org_id"
    where = f"{table} where org_id = any ($1::uuid[])"
    return {
        "select": f"select org_id from {where}",
        "update": f"update {table} set {column} = {column} where org_id = any ($1::uuid[])",
        "delete": f"delete from {where}",
    }


async def reached(connection: asyncpg.Connection, tables: Sequence[str]) -> list[str]:
    """Where rows of other orgs are read, changed or deleted."""
    found = []
    for table in tables:
        for verb, statement in (await statements(connection, table)).items():
            if await attempt(connection, OURS, statement, ORGS[1:]):
                found.append(f"{verb} {table}")
            if await attempt(connection, None, statement, ORGS):
                found.append(f"{verb} {table} without a claim")
    return found


async def placed(connection: asyncpg.Connection, tables: Sequence[str]) -> list[str]:
    """Where rows are put into another org."""
    found = []
    for table in tables:
        insert = await _insert(connection, table, "org")
        move = f"update {table} set org_id = $1 where org_id = $2"
        if await attempt(connection, OURS, insert, [THEIRS]) is not None:
            found.append(f"insert {table}")
        if await attempt(connection, None, insert, [THEIRS]) is not None:
            found.append(f"insert {table} without a claim")
        if await attempt(connection, OURS, move, THEIRS, OURS) is not None:
            found.append(f"move {table}")
    return found


async def out_of_own_reach(connection: asyncpg.Connection, tables: Sequence[str]) -> list[str]:
    """Where the owner, who has every right, does not read, change and delete the row of its own org."""
    return [
        f"{verb} {table}"
        for table in tables
        for verb, statement in (await statements(connection, table)).items()
        if await attempt(connection, OURS, statement, ORGS) != 1
    ]


async def test_nobody_reaches_the_rows_of_another_org(anyone: asyncpg.Connection, tables: list[str]) -> None:
    assert await reached(anyone, tables) == []


async def test_nobody_puts_a_row_into_another_org(anyone: asyncpg.Connection, tables: list[str]) -> None:
    assert await placed(anyone, tables) == []


async def test_the_owner_reaches_its_own_org_so_the_matrix_can_fail(matrix: Stack, tables: list[str]) -> None:
    owner = await asyncpg.connect(matrix.postgres.owner)
    try:
        assert await out_of_own_reach(owner, tables) == []
        for table in tables:
            if table not in _ONE_PER_ORG:  # a second has no place
                assert await attempt(owner, OURS, await _insert(owner, table, "org"), [OURS]) == 1, table
    finally:
        await owner.close()


WEAKENED = {
    "no policy": "drop policy tenant on {}",
    "a policy that lets everybody in": "alter policy tenant on {} using (true)",
    "a policy that is not asked of what is written": "alter policy tenant on {} with check (true)",
    "another policy beside it": "create policy beside on {} for select using (true)",
    "row level security disabled": "alter table {} disable row level security",
    "row level security not forced": "alter table {} no force row level security",
}


@pytest.mark.parametrize("weakened", WEAKENED)
async def test_a_table_that_is_weakened_is_noticed(
    admin: asyncpg.Connection, tables: list[str], weakened: str
) -> None:
    """Each table in turn, by its catalogue entry and by what the owner then reaches."""
    unnoticed = []
    for table in tables:
        transaction = admin.transaction()
        await transaction.start()
        try:
            await admin.execute(WEAKENED[weakened].format(table))
            (entry,) = [each for each in await relations(admin) if each.name == table]
            await admin.execute("set local role gw_owner")
            noticed = [await check(admin, [table]) for check in (reached, placed, out_of_own_reach)]
        finally:
            await transaction.rollback()
        if not (any(noticed) and entry.faults()):
            unnoticed.append(f"{table}: by reach {noticed}, by entry {entry.faults()}")
    assert unnoticed == []


async def test_the_worker_sweeps_by_a_few_columns_and_never_reads_a_row(
    admin: asyncpg.Connection, tables: list[str]
) -> None:
    """Rights end at columns, and there are none where no policy lets it see rows."""
    for table in tables:
        assert not await admin.fetchval("select has_table_privilege('gw_worker', $1, 'select')", table)
        swept = await admin.fetchval(
            "select exists (select from pg_policy where polrelid = $1::text::regclass"
            " and 'gw_worker'::regrole = any (polroles))",
            table,
        )
        may_read = await admin.fetchval("select has_any_column_privilege('gw_worker', $1, 'select')", table)
        assert may_read <= swept, table


async def test_every_relation_is_protected(owner: asyncpg.Connection) -> None:
    found = await relations(owner)
    assert sum(not each.infrastructure for each in found) >= 20
    assert [fault for each in found for fault in each.faults()] == []


_SAFE = (
    "create table public.forgotten (org_id uuid not null)",
    "alter table public.forgotten enable row level security",
    "alter table public.forgotten force row level security",
    "create policy tenant on public.forgotten using (org_id = (select app.org_id()))",
)


@pytest.mark.parametrize(
    ("made", "fault"),
    [
        ((*_SAFE[:1], *_SAFE[2:]), "not enabled"),
        ((*_SAFE[:2], *_SAFE[3:]), "not forced"),
        (_SAFE[:3], "policy of a tenant"),
        ((*_SAFE, "create policy more on public.forgotten using (true)"), "policy of a tenant"),
        ((*_SAFE, "create policy more on public.forgotten for select using (true)"), "somebody else"),
        ((*_SAFE, "create policy more on public.forgotten to gw_app using (true)"), "somebody else"),
        ((*_SAFE, "alter table public.forgotten alter org_id drop not null"), "may be null"),
        (("create view public.forgotten as select 1 as org_id",), "not a table"),
        (("create table jobs.forgotten (id int)", "grant select on jobs.forgotten to gw_app"), "rights"),
        (_SAFE, None),
    ],
)
async def test_a_table_that_is_not_protected_is_found_out(
    owner: asyncpg.Connection, made: Sequence[str], fault: str | None
) -> None:
    transaction = owner.transaction()
    await transaction.start()
    try:
        for statement in made:
            await owner.execute(statement)
        (forgotten,) = [each for each in await relations(owner) if each.name.endswith(".forgotten")]
    finally:
        await transaction.rollback()
    assert (fault is None and not forgotten.faults()) or fault in "\n".join(forgotten.faults())


async def test_the_queue_is_out_of_the_applications_reach(pool: asyncpg.Pool) -> None:
    for statement in ("select * from jobs.pgqueuer", "delete from jobs.pgqueuer"):
        with pytest.raises(_DENIED):
            await pool.execute(statement)
