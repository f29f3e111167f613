"""Migrations on databases of their own."""

import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from booking.errors import BookingUnavailable, MigrationEdited, MigrationFailed
from booking.migrate import MIGRATIONS, is_at_least, migrate
from tests.conftest import Stack

FILES = sorted(path.stem for path in MIGRATIONS.glob("*.sql"))
VECTOR = sorted(path.stem for path in (MIGRATIONS / "vector").glob("*.sql"))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))


def ask(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


async def test_all_are_applied_once_in_order(fresh: str) -> None:
    assert await migrate(fresh) == FILES
    assert await migrate(fresh) == []


async def test_what_needs_an_extension_waits_for_it(stack: Stack, fresh: str) -> None:
    assert await migrate(fresh) == FILES
    assert ask(fresh, "select to_regclass('public.knowledge_embeddings')") == [(None,)]
    with psycopg.connect(urlsplit(stack.admin)._replace(path=urlsplit(fresh).path).geturl()) as admin:
        admin.execute('create schema "Of Vectors"')
        admin.execute('grant usage on schema "Of Vectors" to gw_owner with grant option')
        admin.execute('create extension vector schema "Of Vectors"')
    assert await migrate(fresh) == VECTOR
    assert await migrate(fresh) == []
    may_use = "select has_schema_privilege('gw_app', 'Of Vectors', 'usage')"
    assert ask(fresh, may_use) == [(True,)]


async def test_an_older_release_starts_beside_what_it_does_not_know(
    stack: Stack, fresh: str, files: Path
) -> None:
    with psycopg.connect(urlsplit(stack.admin)._replace(path=urlsplit(fresh).path).geturl()) as admin:
        admin.execute("create extension vector")
    assert await migrate(fresh, files) == [*FILES, *VECTOR]
    shutil.rmtree(files / "vector")
    assert await migrate(fresh, files) == []


async def test_an_extension_out_of_reach_is_as_good_as_none(stack: Stack, fresh: str) -> None:
    with psycopg.connect(urlsplit(stack.admin)._replace(path=urlsplit(fresh).path).geturl()) as admin:
        admin.execute("create schema secluded")
        admin.execute("create extension vector schema secluded")
    assert await migrate(fresh) == FILES


@pytest.mark.parametrize(
    ("version", "enough"),
    [("0.8.5", True), ("0.7", True), ("1.0", True), ("0.6.2", False), ("0.10.0", True), ("0.7-dev", False)],
)
def test_an_extension_must_be_new_enough(version: str, enough: bool) -> None:
    assert is_at_least(version, (0, 7)) is enough


def test_names_of_an_extensions_folder_begin_with_it() -> None:
    """So that they stand behind all that older releases know."""
    folders = [path for path in MIGRATIONS.iterdir() if path.is_dir()]
    assert folders
    for folder in folders:
        assert all(path.name.startswith(f"{folder.name}_") for path in folder.iterdir())


def test_processes_that_start_together_apply_each_once(fresh: str) -> None:
    command = [sys.executable, "-m", "booking.migrate", "--owner-url", fresh]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(said) == ["".join(f"applied {name}\n" for name in FILES), "up to date\n", "up to date\n"]


async def test_an_edited_file_stops_the_start(fresh: str, files: Path) -> None:
    await migrate(fresh, files)
    with (files / f"{FILES[1]}.sql").open("a") as edited:
        edited.write("-- a harmless remark\n")
    with pytest.raises(MigrationEdited, match=FILES[1]):
        await migrate(fresh, files)


async def test_a_file_that_is_gone_stops_the_start_unless_it_is_newer_than_all(
    fresh: str, files: Path
) -> None:
    await migrate(fresh, files)
    (files / f"{FILES[-1]}.sql").unlink()
    assert await migrate(fresh, files) == []  # as an older release sees it during a roll-out
    (files / f"{FILES[0]}.sql").unlink()
    with pytest.raises(MigrationEdited, match=FILES[0]):
        await migrate(fresh, files)


async def test_a_migration_that_fails_leaves_nothing_and_can_be_mended(fresh: str, files: Path) -> None:
    broken = files / "9000_broken.sql"
    broken.write_text("create table public.half (id integer);\n\nselect 1 / 0;\n")
    with pytest.raises(MigrationFailed, match="9000_broken: division by zero"):
        await migrate(fresh, files)
    assert ask(fresh, "select to_regclass('public.half')") == [(None,)]
    broken.write_text("create table public.half (id integer);\n")
    assert await migrate(fresh, files) == ["9000_broken"]


async def test_the_lock_row_of_a_killed_process_does_not_stop_the_next(fresh: str, files: Path) -> None:
    await migrate(fresh, files)
    with psycopg.connect(fresh) as connection:
        connection.execute("insert into migrations.yoyo_lock (locked, ctime, pid) values (1, now(), 4242)")
    (files / "9000_more.sql").write_text("create table public.more (id integer);\n")
    assert await migrate(fresh, files) == ["9000_more"]


async def test_no_server_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(BookingUnavailable):
        await migrate(f"postgresql://gw_owner:pw@/gateway?host={tmp_path}")


async def test_the_owner_may_be_any_ordinary_role(stack: Stack) -> None:
    """An ordinary role takes the roles that are there; it needs the right to hand one its function."""
    name = f"t_{uuid4().hex}"
    with psycopg.connect(stack.admin, autocommit=True) as admin:
        admin.execute(f"create role {name} login password 'pw'")
        admin.execute(f"create database {name} owner {name}")
        url = urlsplit(stack.postgres.owner)._replace(netloc=f"{name}:pw@", path=f"/{name}").geturl()
        try:
            with pytest.raises(MigrationFailed, match="0001_roles"):
                await migrate(url)
            admin.execute(f"grant gw_resolver to {name} with inherit false, set true")
            assert await migrate(url) == FILES
            owners = ask(url, "select distinct tableowner from pg_tables where schemaname = 'public'")
            assert owners == [(name,)]
        finally:
            admin.execute(f"drop database {name} (force)")
            admin.execute(f"drop role {name}")


async def test_an_unsafe_role_is_not_built_upon(stack: Stack, fresh: str) -> None:
    with psycopg.connect(stack.admin, autocommit=True) as admin:
        admin.execute("alter role gw_worker bypassrls")
        try:
            with pytest.raises(MigrationFailed, match="gw_worker could step over"):
                await migrate(fresh)
        finally:
            admin.execute("alter role gw_worker nobypassrls")
