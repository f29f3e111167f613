"""What the database itself says there is: relations, their protection, their columns, the functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

_NOT_OURS = "('pg_catalog', 'information_schema', 'pg_toast')"

_RELATIONS = f"""
select format('%I.%I', n.nspname, c.relname) as name, c.relkind::text as kind, c.relrowsecurity as enabled,
    c.relforcerowsecurity as forced,
    coalesce((select a.attnotnull from pg_attribute a
        where a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped), false) as org_not_null,
    array(select coalesce(pg_get_expr(p.polqual, p.polrelid), '') from pg_policy p
        where p.polrelid = c.oid and p.polroles = '{{0}}' and p.polcmd = '*') as tenant,
    array(select p.polname::text from pg_policy p, unnest(p.polroles) r
        where p.polrelid = c.oid and (
            (p.polroles = '{{0}}' and (p.polcmd <> '*' or p.polwithcheck is not null))
            or (r <> 0 and r not in (select oid from pg_roles where rolname in ('gw_resolver', 'gw_worker')))
        )) as strange,
    has_any_column_privilege('gw_app', c.oid, 'select, insert, update')
        or has_table_privilege('gw_app', c.oid, 'delete, truncate') as app_may
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in {_NOT_OURS} and n.nspname !~ '^pg_'
order by 1
"""
_COLUMNS = """
select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type
from pg_attribute a
where a.attrelid = $1::text::regclass and a.attnum > 0 and not a.attisdropped
  and a.attgenerated = '' and a.attidentity = ''
order by a.attnum
"""
_FUNCTIONS = """
select p.oid::regprocedure::text as signature, p.proname::text as name, l.lanname::text as language,
    p.prosecdef as definer, r.rolname::text as owner, coalesce(p.proconfig, '{}') as settings,
    coalesce(p.proargnames[:p.pronargs], '{}') as names,
    array(select format_type(t, null) from unnest(p.proargtypes) with ordinality u (t, n) order by n) as types
from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
join pg_roles r on r.oid = p.proowner
where n.nspname = 'app' and p.prorettype <> 'trigger'::regtype
  and has_function_privilege('gw_app', p.oid, 'execute')
order by 1
"""
POLICY = "(org_id = ( SELECT app.org_id() AS org_id))"
INFRASTRUCTURE = ("jobs.", "migrations.")
"""Schemas that hold no tenant's table, and that gw_app may not touch at all."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view. `tenant`: its policies for everyone; `strange`: policies of any other kind that are
    not the resolver's or the worker's."""

    name: str
    kind: str
    enabled: bool
    forced: bool
    org_not_null: bool
    tenant: list[str]
    strange: list[str]
    app_may: bool

    @property
    def infrastructure(self) -> bool:
        return self.name.startswith(INFRASTRUCTURE)

    def faults(self) -> list[str]:
        """Why rows of it could be seen or changed across orgs; none if they could not."""
        if self.infrastructure:
            return [f"{self.name}: gw_app has rights on it"] if self.app_may else []
        wrong = {
            "is not a table": self.kind not in ("r", "p"),
            "row level security is not enabled": not self.enabled,
            "row level security is not forced": not self.forced,
            "org_id is missing or may be null": not self.org_not_null,
            "has not the one policy of a tenant's table": self.tenant != [POLICY],
            "has a policy for somebody else": bool(self.strange),
        }
        return [f"{self.name}: {fault}" for fault, found in wrong.items() if found]


@dataclass(frozen=True, slots=True)
class Function:
    """One that gw_app may call. `names` and `types` are its parameters'."""

    signature: str
    name: str
    language: str
    definer: bool
    owner: str
    settings: list[str]
    names: list[str]
    types: list[str]

    @property
    def takes_org(self) -> bool:
        return self.names[:1] == ["p_org"]


async def relations(connection: asyncpg.Connection) -> list[Relation]:
    return [Relation(**row) for row in await connection.fetch(_RELATIONS)]


async def tenant_tables(connection: asyncpg.Connection) -> list[str]:
    return [each.name for each in await relations(connection) if not each.infrastructure]


async def functions(connection: asyncpg.Connection) -> list[Function]:
    return [Function(**row) for row in await connection.fetch(_FUNCTIONS)]


async def columns(connection: asyncpg.Connection, table: str) -> Sequence[Any]:
    """Name and type of each column that a statement may give a value to."""
    return list(await connection.fetch(_COLUMNS, table))
