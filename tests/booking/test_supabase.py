"""A hosted Supabase project as far as a cluster of our own can imitate one: its roles and default privileges,
a schema `auth` that is not ours, an owner who is no superuser, requests as PostgREST makes them.

Sources: Supabase docs, "Postgres roles", "Roles, superuser access and unsupported operations"; PostgREST
docs, "Transactions" (read 2026-11). What only a real project could tell stands in docs/supabase.md.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import msgspec
import psycopg
import pytest

from bench.stack.postgres import EmbeddedPostgres
from booking.clinic import seed_clinic
from booking.db import claims_json, open_pool
from booking.holds import claim_slot
from booking.migrate import MIGRATIONS, migrate_blocking
from booking.slots import next_available
from booking.types import Claim, Held
from tests.conftest import random_spec

WEB_ROLES = ("anon", "authenticated", "service_role")
_OURS = ("gw_owner", "gw_app", "gw_worker", "gw_resolver")
_PROJECT = """
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit password 'pw';
grant anon, authenticated, service_role to authenticator;
create role supabase_auth_admin nologin noinherit createrole;
create role postgres login createrole createdb bypassrls password 'pw';
grant anon, authenticated, service_role, authenticator to postgres with admin option;
"""
_DATABASE = """
create schema extensions authorization postgres;
grant usage on schema extensions to anon, authenticated, service_role;
create extension vector schema extensions;
create schema auth authorization supabase_auth_admin;
create table auth.users (id uuid primary key);
alter table auth.users owner to supabase_auth_admin;
grant usage on schema public to anon, authenticated, service_role;
alter default privileges for role postgres in schema public
    grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
    grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
    grant all on sequences to postgres, anon, authenticated, service_role;
"""
_REACHABLE = """
select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'app', 'jobs', 'migrations') and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and (has_table_privilege(%(role)s, c.oid, 'select, insert, update, delete, truncate, references, trigger')
       or has_any_column_privilege(%(role)s, c.oid, 'select, insert, update, references'))
union all
select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'app', 'jobs', 'migrations')
  and case c.relkind when 'S' then has_sequence_privilege(%(role)s, c.oid, 'usage, select, update') end
union all
select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('public', 'app', 'jobs', 'migrations')
  and has_function_privilege(%(role)s, p.oid, 'execute')
union all
select n.nspname from pg_namespace n
where n.nspname in ('app', 'jobs', 'migrations') and has_schema_privilege(%(role)s, n.oid, 'usage, create')
"""


@dataclass(frozen=True)
class Project:
    """URLs of a migrated project by role; `applied`: what its migration told."""

    applied: list[str]
    again: list[str]
    by_admin: str

    def url(self, role: str) -> str:
        return urlsplit(self.by_admin)._replace(netloc=f"{role}:pw@").geturl()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A cluster of its own, as roles are the cluster's: those of ours must not be there yet."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("supabase"), durable=False)
    with server:
        with psycopg.connect(server.admin_url.replace("/gateway?", "/postgres?"), autocommit=True) as admin:
            admin.execute("drop database gateway")
            for role in _OURS:
                admin.execute(f"drop role {role}")
            admin.execute(_PROJECT)
            admin.execute("create database project owner postgres")
        by_admin = server.admin_url.replace("/gateway?", "/project?")
        with psycopg.connect(by_admin, autocommit=True) as admin:
            admin.execute(_DATABASE)
        owner = urlsplit(by_admin)._replace(netloc="postgres:pw@").geturl()
        applied, again = migrate_blocking(owner), migrate_blocking(owner)
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("alter role gw_app login password 'pw'")
            connection.execute("alter role gw_worker login password 'pw'")
        yield Project(applied, again, by_admin)


@pytest.fixture
async def orgs(project: Project) -> tuple[UUID, UUID]:
    """Two seeded clinics."""
    owner = await asyncpg.connect(project.url("postgres"))
    first_day = datetime.now(UTC).date() + timedelta(days=1)
    claims = [await seed_clinic(owner, random_spec(), first_day=first_day) for _ in range(2)]
    await owner.close()
    return claims[0].org_id, claims[1].org_id


@pytest.fixture
async def app(project: Project) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(project.url("gw_app"))
    yield connection
    await connection.close()


async def asked(
    connection: asyncpg.Connection, claims: dict[str, Any], statement: str, role: str | None = None
) -> list[Any]:
    """As PostgREST asks: one transaction, in which role and claims are set."""
    async with connection.transaction():
        if role is not None:
            await connection.execute(f"set local role {role}")
        await connection.execute(
            "select set_config('request.jwt.claims', $1, true)", msgspec.json.encode(claims).decode()
        )
        return [row[0] for row in await connection.fetch(statement)]


def test_every_migration_applies_once(project: Project) -> None:
    assert project.applied == sorted(path.stem for path in MIGRATIONS.rglob("*.sql"))
    assert project.again == []


def test_nothing_of_ours_stands_in_schema_auth_and_no_role_of_ours_is_dangerous(project: Project) -> None:
    with psycopg.connect(project.by_admin) as admin:
        tables = admin.execute(
            "select relname from pg_class where relnamespace = 'auth'::regnamespace and relkind = 'r'"
        ).fetchall()
        functions = admin.execute("select from pg_proc where pronamespace = 'auth'::regnamespace").fetchall()
        dangerous = admin.execute(
            "select rolname from pg_roles where rolname = any (array['gw_app', 'gw_worker', 'gw_resolver'])"
            " and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)"
        ).fetchall()
        reached = admin.execute("select has_schema_privilege('gw_app', 'auth', 'usage')").fetchone()
    assert (tables, functions, dangerous, reached) == ([("users",)], [], [], (False,))


@pytest.mark.parametrize("role", WEB_ROLES)
def test_a_browser_reaches_nothing_of_ours(project: Project, role: str) -> None:
    """Whatever the default privileges grant, and although `service_role` steps over row security."""
    with psycopg.connect(project.by_admin) as admin:
        assert admin.execute(_REACHABLE, {"role": role}).fetchall() == []


@pytest.mark.parametrize("role", WEB_ROLES)
async def test_not_even_with_a_claim(project: Project, orgs: tuple[UUID, UUID], role: str) -> None:
    connection = await asyncpg.connect(project.url("authenticator"))
    claims = {"role": role, "sub": str(uuid4()), "org_id": str(orgs[0])}
    try:
        for statement in (
            "select org_id from public.services",
            "select org_id from public.organizations",
            "delete from public.slots returning org_id",
            f"select app.arm('{claims_json(Claim(orgs[1]))}')",
            f"select service_id from app.get_next_available_slots('{orgs[0]}', gen_random_uuid(), now())",
            "select payload from jobs.pgqueuer",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asked(connection, claims, statement, role)
    finally:
        await connection.close()


@pytest.mark.parametrize("name", ["org_id", "clinic_id"])
async def test_a_claim_opens_its_own_org_alone(
    app: asyncpg.Connection, orgs: tuple[UUID, UUID], name: str
) -> None:
    statement = "select distinct org_id from public.services"
    claims = {"aud": "authenticated", "role": "authenticated", "sub": str(uuid4())}
    for org in orgs:
        assert await asked(app, claims | {name: str(org)}, statement) == [org]
    assert await asked(app, claims, statement) == []
    assert await app.fetch(statement) == []


async def test_a_slot_is_held_as_anywhere_else(project: Project, orgs: tuple[UUID, UUID]) -> None:
    async with await open_pool(project.url("gw_app"), max_size=2) as pool:
        service = await asyncpg.connect(project.url("postgres"))
        service_id = await service.fetchval("select id from services where org_id = $1 limit 1", orgs[0])
        await service.close()
        claim = Claim(orgs[0])
        (slot,) = await next_available(pool, claim, service_id=service_id, after=datetime.now(UTC), limit=1)
        held = await claim_slot(pool, claim, slot_id=slot.id, call_id=uuid4(), ttl=timedelta(minutes=5))
    assert isinstance(held, Held)
