"""Does row level security stand? What the database's own catalogue says of every table that it has."""

from typing import Final

import asyncpg
import msgspec

POLICY: Final = "(org_id = ( SELECT app.org_id() AS org_id))"

# Other policies are for the two roles that see ids alone. A table on which the role that works for orgs has
# no right at all needs none.
_TABLES: Final = """
select n.nspname || '.' || c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
    exists (
        select from pg_attribute a
        where a.attrelid = c.oid and a.attname = 'org_id' and a.attnotnull and not a.attisdropped
    ) as of_an_org,
    coalesce((
        select array_agg(pg_get_expr(p.polqual, p.polrelid)) = array[$1::text]
        from pg_policy p
        where p.polrelid = c.oid and p.polroles = '{0}' and p.polcmd = '*' and p.polwithcheck is null
    ), false) as own_rows,
    not exists (
        select from pg_policy p, unnest(p.polroles) r
        where p.polrelid = c.oid and (
            (p.polroles = '{0}' and (p.polcmd <> '*' or p.polwithcheck is not null))
            or (r <> 0 and r not in (select oid from pg_roles where rolname in ('gw_resolver', 'gw_worker')))
        )
    ) as nobody_else
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and (has_any_column_privilege(c.oid, 'select, insert, update, references')
      or has_table_privilege(c.oid, 'delete, truncate'))
order by 1
"""
_ROLE: Final = """
select current_user::text as name,
    exists (select from pg_roles x where (x.rolsuper or x.rolbypassrls)
        and pg_has_role(current_user, x.oid, 'member')) as steps_over,
    exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p')
          and pg_has_role(current_user, c.relowner, 'member')) as owns
"""


class TableProtection(msgspec.Struct, frozen=True, kw_only=True):
    """A table that this role has rights on. `own_rows`: its one policy admits the armed org's rows alone."""

    name: str
    enabled: bool
    forced: bool
    of_an_org: bool
    own_rows: bool
    nobody_else: bool
    protected: bool


class Protection(msgspec.Struct, frozen=True, kw_only=True):
    """`role_bound`: the role that works for orgs owns no table and cannot step over row level security."""

    protected: bool
    role: str
    role_bound: bool
    tables: list[TableProtection]


async def protection_of(connection: asyncpg.Connection) -> Protection:
    """As seen by the role of this connection, which is to be the one that works for orgs."""
    role = await connection.fetchrow(_ROLE)
    tables = [_table(row) for row in await connection.fetch(_TABLES, POLICY)]
    bound = not (role["steps_over"] or role["owns"])
    return Protection(
        protected=bound and all(each.protected for each in tables),
        role=role["name"],
        role_bound=bound,
        tables=tables,
    )


def _table(row: asyncpg.Record) -> TableProtection:
    facts = dict(row)
    return TableProtection(**facts, protected=all(value for name, value in facts.items() if name != "name"))
