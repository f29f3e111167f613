"""Brings the schema up to date: `python -m booking.migrate --owner-url URL`, or `DATABASE_OWNER_URL`.

The files in `sql/migrations` are read, ordered and split by yoyo. Three things are done here that it leaves
open:
- Replicas that start together wait for each other on an advisory lock of the session, which a killed process
  cannot leave behind; yoyo's own lock is a row that it can.
- A migration, its mark and its digest are one transaction, so a crash leaves it applied and known, or
  neither.
- An applied file that reads differently now stops the start: `MigrationEdited`.

What needs an extension stands in a folder of that extension's name. It is applied in the same way, after the
rest, once the database has the extension, new enough and within reach: making one may take a superuser, who
runs no migrations. Names in it begin with the folder's, and so stand behind those of all releases that do not
know it.

And one that a Supabase project leaves open: its default privileges give every table that is made in `public`
to the roles of the browser. They are taken back in the transaction that makes the table, and at every start.
"""

import argparse
import asyncio
import hashlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import yoyo
import yoyo.exceptions

from booking.errors import BookingUnavailable, MigrationEdited, MigrationFailed
from booking.owner import add_owner_url

MIGRATIONS = Path(__file__).with_name("sql") / "migrations"
LOCK_TIMEOUT_S = 120
_LOCK = 7_308_332_043_219_562_868

_BOOKKEEPING = """
create schema if not exists migrations;
create table if not exists migrations.digests (id text primary key, sha256 text not null);
"""

# Those whose types we may use, and the gateway may or may be let.
_EXTENSIONS = """
select e.extname, e.extversion, quote_ident(n.nspname)
from pg_extension e join pg_namespace n on n.oid = e.extnamespace
where has_schema_privilege(n.oid, 'usage')
  and (has_schema_privilege('gw_app', n.oid, 'usage')
       or has_schema_privilege(n.oid, 'usage with grant option'))
"""
_LEAST_VERSIONS = {"vector": (0, 7)}

# From roles that PostgREST takes on; elsewhere there are none of these names. `service_role` steps over row
# security, so that a right is all it would need. Ours are tables with a tenant's policy, and their sequences.
_SHUT_OUT = """
do $$
declare
    v record;
begin
    for v in
        with tables as (
            select p.polrelid as id from pg_policy p where p.polname = 'tenant'
        ), ours as (
            select t.id from tables t
            union
            select d.objid from tables t
            join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = t.id
            join pg_class s on d.classid = 'pg_class'::regclass and s.oid = d.objid and s.relkind = 'S'
        )
        select distinct c.oid::regclass as relation, r.rolname
        from ours
        join pg_class c on c.oid = ours.id
        cross join lateral aclexplode(c.relacl) a
        join pg_roles r on r.oid = a.grantee
        where r.rolname in ('anon', 'authenticated', 'service_role')
    loop
        execute format('revoke all on table %s from %I', v.relation, v.rolname);
    end loop;
end
$$
"""


async def migrate(owner_dsn: str, directory: Path = MIGRATIONS) -> list[str]:
    """Apply what is missing, in order; the ids of what was applied.

    Any number of processes may call it at once; what was left out for want of an extension is applied by the
    next call after it has come. Cancelling it lets the file under way come to its end first.
    Raises `MigrationEdited`, `MigrationFailed`, `BookingUnavailable`.
    """
    return await asyncio.to_thread(migrate_blocking, owner_dsn, directory)


def migrate_blocking(owner_dsn: str, directory: Path = MIGRATIONS) -> list[str]:
    """`migrate` for a process without an event loop."""
    with _exclusive(owner_dsn) as guard:
        digests = dict(guard.execute("select id, sha256 from migrations.digests").fetchall())
        _require_unedited(directory, digests)
        backend = _backend(owner_dsn)
        with closing(backend.connection):
            applied = [_apply(backend, migration) for migration in _missing(backend, directory)]
            for name, schema in _usable_extensions(guard):
                further = _missing(backend, directory / name)
                applied += [_apply(backend, migration, schema) for migration in further]
        guard.execute(_SHUT_OUT)
        return applied


@contextmanager
def _exclusive(owner_dsn: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection that alone migrates this database until it closes."""
    try:
        guard = psycopg.connect(owner_dsn, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError:
        raise BookingUnavailable("the database does not answer the migrations") from None
    with guard:
        try:
            guard.execute(f"set lock_timeout = '{LOCK_TIMEOUT_S}s'")
            guard.execute("select pg_advisory_lock(%s)", (_LOCK,))
            guard.execute(_BOOKKEEPING)
        except psycopg.errors.LockNotAvailable:
            raise BookingUnavailable(f"another process has migrated for over {LOCK_TIMEOUT_S} s") from None
        except psycopg.Error as error:
            raise MigrationFailed(f"the bookkeeping of migrations: {_fact(error)}") from error
        yield guard


def _backend(owner_dsn: str) -> Any:
    """yoyo's connection. Its tables go to schema `migrations`; each migration names the schema it means."""
    rest = owner_dsn.partition("://")[2]
    separator = "&" if "?" in rest else "?"
    backend = yoyo.get_backend(f"postgresql+psycopg://{rest}{separator}schema=migrations")
    backend.break_lock()  # of a killed process: the advisory lock says that nobody else is here
    return backend


def _missing(backend: Any, directory: Path) -> list[Any]:
    return list(backend.to_apply(yoyo.read_migrations(str(directory))))


def _apply(backend: Any, migration: Any, search_path: str | None = None) -> str:
    name: str = migration.id
    try:
        with backend.transaction():
            with _searching(backend.connection, search_path):
                migration.process_steps(backend, "apply")
            backend.connection.execute(_SHUT_OUT)
            backend.mark_one(migration, log=False)
            backend.execute(
                "insert into migrations.digests (id, sha256) values (:id, :sha256)",
                {"id": name, "sha256": _digest(Path(migration.path))},
            )
    except (psycopg.Error, yoyo.exceptions.BadMigration) as error:
        raise MigrationFailed(f"migration {name}: {_fact(error)}") from error
    return name


def _usable_extensions(guard: psycopg.Connection[tuple[Any, ...]]) -> list[tuple[str, str]]:
    """Name and schema of those that we have migrations for, if they are new enough."""
    found = {name: (version, schema) for name, version, schema in guard.execute(_EXTENSIONS).fetchall()}
    return [
        (name, found[name][1])
        for name, least in _LEAST_VERSIONS.items()
        if name in found and is_at_least(found[name][0], least)
    ]


def is_at_least(version: str, least: tuple[int, ...]) -> bool:
    """Whether an extension's version is that one or newer; one that is no row of numbers is not."""
    parts = version.split(".")
    return all(map(str.isdecimal, parts)) and tuple(map(int, parts)) >= least


@contextmanager
def _searching(connection: psycopg.Connection[tuple[Any, ...]], search_path: str | None) -> Iterator[None]:
    """Another search path within the transaction. yoyo finds its own tables by the one that was before."""
    if search_path is None:
        yield
        return
    before = connection.execute("select current_setting('search_path')").fetchone() or ("",)
    connection.execute("select set_config('search_path', %s, true)", (f"{search_path}, pg_temp",))
    yield
    connection.execute("select set_config('search_path', %s, true)", before)


def _require_unedited(directory: Path, digests: Mapping[str, str]) -> None:
    files = {path.stem: path for path in directory.rglob("*.sql")}
    newest = max(path.stem for path in directory.glob("*.sql"))
    for name, applied in digests.items():
        if name not in files:
            if name > newest:
                continue  # by a newer release: this one is being rolled back or rolled over
            raise MigrationEdited(f"migration {name} was applied, but its file is gone")
        if _digest(files[name]) != applied:
            raise MigrationEdited(
                f"migration {name} was applied as another text; put it back and add a new file"
            )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _fact(error: Exception) -> str:
    if isinstance(error, psycopg.Error):
        return f"{error.diag.message_primary or type(error).__name__} (SQLSTATE {error.sqlstate})"
    return type(error).__name__


def main() -> int:
    """0 when the schema is up to date."""
    parser = argparse.ArgumentParser(
        prog="python -m booking.migrate", description="Bring the schema up to date."
    )
    add_owner_url(parser)
    owner_url = parser.parse_args().owner_url
    if not owner_url:
        parser.error("give --owner-url or set DATABASE_OWNER_URL")
    try:
        applied = migrate_blocking(owner_url)
    except (MigrationEdited, MigrationFailed, BookingUnavailable) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"applied {name}\n" for name in applied) or "up to date\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
