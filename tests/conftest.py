"""The real servers, started once for all tests; a clinic of its own for each test; and the check that a test
leaves nothing behind.

Everything connects as `gw_app`, as the gateway does. `owner` is for what only migrations and onboarding may
do.
"""

import asyncio
import gc
import inspect
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import psutil
import psycopg
import pytest
from hypothesis import HealthCheck, settings

from bench.stack.postgres import EmbeddedPostgres, PostgresUrls
from bench.stack.redis import EmbeddedRedis
from booking.clinic import ClinicSpec, ServiceSpec, seed_clinic
from booking.db import open_pool
from booking.migrate import migrate_blocking
from booking.types import Claim

_ROLE_FACTS = """
select rolsuper as superuser, rolbypassrls as bypasses_rls, rolcreaterole as creates_roles,
       exists (select from pg_class where relowner = r.oid)
           or exists (select from pg_proc where proowner = r.oid) as owns,
       exists (select from pg_auth_members where member = r.oid) as member_of_others
from pg_roles r where rolname = 'gw_app'
"""
_SETTLE_S = 3.0

# Files run side by side: a machine that is busy with another test is no fault of this one.
settings.register_profile("side by side", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("side by side")


@dataclass(frozen=True)
class Stack:
    """The servers' URLs. `admin` is the superuser's, to make databases and roles that must be refused.

    `folder` is where they keep their data and write their logs.
    """

    postgres: PostgresUrls
    redis: str
    admin: str
    folder: Path


LONGEST = "test_machine_in_any_call.py"
"""Keeps a worker busy for some two minutes: begun first, it is not waited for at the end alone."""


def pytest_configure() -> None:
    """Nothing that is imported and collected is ever garbage: it is not looked through for any."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name != LONGEST)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data_dir = tmp_path_factory.mktemp("stack")
    server = EmbeddedPostgres(data_dir, durable=False)
    with server as urls, EmbeddedRedis(data_dir) as redis:
        migrate_blocking(urls.owner)
        _require_harmless_app_role(server.admin_url)
        yield Stack(postgres=urls, redis=redis, admin=server.admin_url, folder=data_dir)


def _require_harmless_app_role(admin_url: str) -> None:
    with psycopg.connect(admin_url) as admin, admin.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        facts = cursor.execute(_ROLE_FACTS).fetchone()
    assert facts is not None, "there is no role gw_app"
    assert not any(facts.values()), f"gw_app could step over row level security: {facts}"


@pytest.fixture
async def pool(stack: Stack) -> AsyncIterator[asyncpg.Pool]:
    """The gateway's own pool, as `gw_app`."""
    async with await open_pool(stack.postgres.app, max_size=4) as opened:
        yield opened


@pytest.fixture
async def fresh(stack: Stack) -> AsyncIterator[str]:
    """The owner's URL of a new, empty database: without extensions."""
    name = f"t_{uuid4().hex}"
    admin = await asyncpg.connect(stack.admin)
    await admin.execute(f"create database {name} owner gw_owner")
    yield urlsplit(stack.postgres.owner)._replace(path=f"/{name}").geturl()
    await admin.execute(f"drop database {name} (force)")
    await admin.close()


@pytest.fixture
async def owner(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    """A connection as `gw_owner`; row level security binds it too."""
    connection = await asyncpg.connect(stack.postgres.owner)
    yield connection
    await connection.close()


@dataclass(frozen=True)
class Clinic:
    """A seeded clinic that no other test knows, with slots over the 14 days from tomorrow on."""

    spec: ClinicSpec
    claim: Claim
    first_day: date

    @property
    def number(self) -> str:
        return self.spec.numbers[0]

    @property
    def service_ids(self) -> list[UUID]:
        return [self.spec.service_id(service.name) for service in self.spec.services]

    @property
    def practitioner_ids(self) -> list[UUID]:
        return [self.spec.practitioner_id(name) for name in self.spec.practitioners]


def random_spec() -> ClinicSpec:
    key = uuid4()
    return ClinicSpec(
        key=str(key),
        name="Harley Street Clinic",
        numbers=(f"+4420{key.int % 10**10:010d}",),
        services=(
            ServiceSpec("Rhinoplasty consultation", 30, ("nose job", "rhinoplasty")),
            ServiceSpec("Dermal filler", 45, ("fillers", "lip filler")),
        ),
        practitioners=("Dr Patel", "Dr Okafor"),
        greeting="Hello, Harley Street Clinic. How can I help?",
        weekdays=frozenset(range(7)),
    )


@pytest.fixture
async def clinic(owner: asyncpg.Connection) -> Clinic:
    return await make_clinic(owner)


@pytest.fixture
async def other_clinic(owner: asyncpg.Connection) -> Clinic:
    return await make_clinic(owner)


SLOT_DAYS = 8
"""From tomorrow on: the same weekday once more. Slots are most of what a clinic costs to make."""


async def make_clinic(owner: asyncpg.Connection) -> Clinic:
    spec = random_spec()
    first_day = datetime.now(UTC).date() + timedelta(days=1)
    claim = await seed_clinic(owner, spec, first_day=first_day, days=SLOT_DAYS)
    return Clinic(spec, claim, first_day)


# --- nothing is left behind -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Holdings:
    """What this process holds: descriptors by number and target, children by pid, tasks of the loop."""

    descriptors: frozenset[tuple[int, str]]
    children: frozenset[int]
    tasks: frozenset["asyncio.Task[object]"]

    @classmethod
    def now(cls) -> "Holdings":
        return cls(_open_descriptors(), _children(), frozenset(asyncio.all_tasks()))

    def missing_from(self, before: "Holdings") -> list[str]:
        return [
            *(f"descriptor {number} -> {target}" for number, target in self.descriptors - before.descriptors),
            *(f"child process {pid}" for pid in self.children - before.children),
            *(f"task {task!r}" for task in self.tasks - before.tasks if task is not asyncio.current_task()),
        ]


def _open_descriptors() -> frozenset[tuple[int, str]]:
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.add((int(entry.name), os.readlink(entry)))
        except FileNotFoundError:
            continue  # the descriptor that listed the folder
    return frozenset(found)


def _children() -> frozenset[int]:
    return frozenset(child.pid for child in psutil.Process().children())


@pytest.fixture
async def nothing_left_behind() -> AsyncIterator[None]:
    """Fails a test after which a task, a descriptor (socket, pipe, file) or a child process is left.

    Set up after the session's servers and before the test's own fixtures, hence torn down after these.
    """
    before = Holdings.now()
    yield
    deadline = time.monotonic() + _SETTLE_S
    while left := Holdings.now().missing_from(before):
        if time.monotonic() > deadline:
            pytest.fail("left behind: " + "; ".join(left))
        gc.collect()
        await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def leave_nothing_behind(request: pytest.FixtureRequest) -> None:
    """Puts `nothing_left_behind` around every async test."""
    if inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        request.getfixturevalue("nothing_left_behind")
