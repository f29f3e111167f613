"""Every migration says its way back; those of the first six, which docs/booking.md has, are gone."""

import re
import shutil
from pathlib import Path

import psycopg
import pytest

from booking.migrate import MIGRATIONS, migrate_blocking

FILES = sorted(MIGRATIONS.rglob("*.sql"), key=lambda path: path.name)
FIRST, LATER = FILES[:6], FILES[6:]
PAGE = (Path(__file__).parents[2] / "docs" / "booking.md").read_text(encoding="utf-8")

# All that a migration may leave in the schema: what is there, how it is made, who may do what with it.
_SCHEMA = """
select 'schema', nspname, nspacl::text from pg_namespace where nspname in ('app', 'public')
union all
select 'relation', c.oid::regclass::text, concat(relkind, relrowsecurity, relforcerowsecurity, relacl)
from pg_class c where c.relnamespace::regnamespace::text in ('app', 'public')
union all
select 'column', concat(attrelid::regclass, '.', attname), concat(atttypid::regtype, attnotnull, attacl)
from pg_attribute join pg_class c on c.oid = attrelid
where c.relnamespace::regnamespace::text in ('app', 'public') and attnum > 0
union all
select 'constraint', conname, pg_get_constraintdef(oid) from pg_constraint
where connamespace::regnamespace::text in ('app', 'public')
union all
select 'policy', concat(tablename, policyname), concat(qual, roles) from pg_policies
where schemaname = 'public'
union all
select 'function', p.oid::regprocedure::text, concat(prosrc, prosecdef, proowner::regrole, proacl::text)
from pg_proc p where pronamespace::regnamespace::text in ('app', 'public')
union all
select 'default', defaclobjtype::text, defaclacl::text from pg_default_acl
order by 1, 2, 3
"""
Facts = list[tuple[object, ...]]


@pytest.mark.parametrize("path", LATER, ids=lambda path: path.stem)
def test_a_migrations_header_says_its_way_back(path: Path) -> None:
    header = re.match(r"(?:--.*\n)+", path.read_text(encoding="utf-8"))
    assert header
    assert re.search(r"^-- Way back: \S", header.group(), re.MULTILINE)


def test_those_whose_header_does_not_are_the_first_six_and_in_the_page() -> None:
    assert re.findall(r"^#### (\d{4}_\w+)$", PAGE, re.MULTILINE) == [path.stem for path in reversed(FIRST)]


def test_the_ways_back_of_the_first_six_lead_back(fresh: str, tmp_path: Path) -> None:
    """Step by step each leaves the schema as it was before its migration; then all go on again."""
    with psycopg.connect(fresh, autocommit=True) as owner:
        before = [forth(owner, fresh, path, tmp_path) for path in FIRST]
        for path, facts in zip(reversed(FIRST), reversed(before), strict=True):
            back(owner, path.stem)
            assert schema(owner) == facts, path.stem
        assert migrate_blocking(fresh, tmp_path) == [path.stem for path in FIRST]


def forth(owner: psycopg.Connection, url: str, path: Path, directory: Path) -> Facts:
    """The schema as it was before the migration."""
    facts = schema(owner)
    shutil.copy(path, directory)
    assert migrate_blocking(url, directory) == [path.stem]
    return facts


def back(owner: psycopg.Connection, name: str) -> None:
    (forget,) = re.findall(r"```sql\n(delete from migrations.*?)```", PAGE, re.DOTALL)
    (way,) = re.findall(rf"^#### {name}\n\n```sql\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)
    with owner.transaction():
        owner.execute(way)
        owner.execute(forget.replace("0006_occupied", name))


def schema(owner: psycopg.Connection) -> Facts:
    return owner.execute(_SCHEMA).fetchall()
