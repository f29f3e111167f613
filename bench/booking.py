"""`python -m bench booking`: what a claim of a slot costs, beside the least that a database could do.

Four contenders take turns on one server, in short blocks, so that noise hits all alike: `SELECT 1`; a bare
`UPDATE … RETURNING` by primary key; `claim_slot` as the gateway calls it; and the same in a second database
of the same contents without row level security. Each claim is a new call's, for a slot that nobody holds; at
50 connections some wait for each other, as there are 20 practitioners, whose claims come one by one.
A quarter of all slots is booked beforehand and the tables are analysed, as on a server that has been at
work. Latency is the caller's; there is a connection for each worker, so nobody waits for one.
"""

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import psycopg

from bench.demo.waterfall import percentile
from bench.stack.postgres import DATABASE, EmbeddedPostgres
from booking.clinic import ClinicSpec, ServiceSpec, seed_clinic
from booking.db import open_pool, org_transaction
from booking.holds import claim_slot
from booking.migrate import migrate
from booking.types import Held

BLOCKS = 10
WARM_UP = 10
"""Statements per connection that are not counted: PostgreSQL plans a statement anew the first five times."""
TTL = timedelta(hours=1)
DAYS = 90
WITHOUT_POLICIES = "unpoliced"
CLINIC = ClinicSpec(
    key="bench booking",
    name="Harley Street Clinic",
    numbers=("+442079460000",),
    services=(ServiceSpec("Consultation", 30),),
    practitioners=tuple(f"Dr {chr(ord('A') + n)}" for n in range(20)),
    weekdays=frozenset(range(7)),
)

_BARE = """
create table public.bare (id uuid primary key, call_id uuid, expires_at timestamptz);
insert into public.bare (id) select id from public.slots;
grant select, update on public.bare to gw_app;
"""
_BOOKED = """
insert into public.appointment_holds
    (org_id, slot_id, call_id, practitioner_number, starts_at, ends_at, state, expires_at)
select org_id, id, gen_random_uuid(), practitioner_number, starts_at, ends_at, 'booked', starts_at
from public.slots where hashtext(id::text) % 4 = 0
"""
_BARE_UPDATE = """
update public.bare set call_id = $2, expires_at = now() + $3::interval
where id = $1 and (call_id is null or expires_at < now()) returning id, expires_at
"""
_NO_POLICIES = """
do $$
declare v_table text;
begin
    for v_table in
        select format('%I.%I', schemaname, tablename) from pg_tables where schemaname = 'public'
    loop
        execute format('alter table %s disable row level security', v_table);
    end loop;
end
$$
"""


@dataclass(frozen=True, slots=True)
class Contender:
    """A statement to be measured; `run` makes one."""

    name: str
    pool: asyncpg.Pool
    run: Callable[[asyncpg.Pool], Awaitable[None]]


@dataclass(slots=True)
class Times:
    """Every latency of a contender at one number of connections, and how long its blocks took in all."""

    latencies_ms: list[float] = field(default_factory=list)
    took_s: float = 0.0

    def at(self, share: float) -> float:
        return percentile(self.latencies_ms, share)

    @property
    def per_s(self) -> float:
        return len(self.latencies_ms) / self.took_s


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured. `durable`: each commit is flushed to the disk, as in production."""

    connections: Sequence[int]
    claims: int
    durable: bool


SELECT, UPDATE, CLAIM, UNPOLICED = "SELECT 1", "bare UPDATE", "claim", "claim, no policies"


def run_booking(plan: Plan) -> int:
    """Print a table of percentiles and ratios."""
    asyncio.run(_measure_all(plan))
    return 0


async def _measure_all(plan: Plan) -> None:
    root = Path(tempfile.mkdtemp(prefix="gw-booking-"))
    server = EmbeddedPostgres(root, durable=plan.durable, max_connections=2 * max(plan.connections) + 20)
    async with AsyncExitStack() as closing:
        closing.callback(shutil.rmtree, root, ignore_errors=True)
        urls = await asyncio.to_thread(server.start)
        closing.callback(server.stop)
        bare_owner = urls.owner.replace(f"/{DATABASE}?", f"/{WITHOUT_POLICIES}?")
        await asyncio.to_thread(_make_database, server.admin_url)
        for owner, after in ((urls.owner, _BARE), (bare_owner, _NO_POLICIES)):
            await _prepare(owner, after)
        print(HEADER)
        for connections in plan.connections:
            pools = [
                await closing.enter_async_context(_pool(url, connections))
                for url in (urls.app, urls.app.replace(f"/{DATABASE}?", f"/{WITHOUT_POLICIES}?"))
            ]
            contenders = await _contenders(*pools)
            print("\n".join(_rows(connections, await _compete(contenders, connections, plan.claims))))
            for pool in pools:
                await pool.close()


def _make_database(admin_url: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"create database {WITHOUT_POLICIES} owner gw_owner")


async def _prepare(owner_url: str, after: str) -> None:
    await migrate(owner_url)
    owner = await asyncpg.connect(owner_url)
    try:
        tomorrow = datetime.now(UTC).date() + timedelta(days=1)
        await seed_clinic(owner, CLINIC, first_day=tomorrow, days=DAYS)
        for table in ("slots", "appointment_holds"):
            await owner.execute(f"alter table public.{table} no force row level security")
        await owner.execute(_BOOKED)
        await owner.execute(after)
        for table in ("slots", "appointment_holds"):
            await owner.execute(f"alter table public.{table} force row level security")
        await owner.execute("analyze")
    finally:
        await owner.close()


@asynccontextmanager
async def _pool(url: str, connections: int) -> AsyncIterator[asyncpg.Pool]:
    async with await open_pool(
        url, min_size=connections, max_size=connections, statement_timeout_s=60
    ) as pool:
        yield pool


async def _contenders(pool: asyncpg.Pool, unpoliced: asyncpg.Pool) -> list[Contender]:
    bare = await _free_slots(pool)

    async def select(pool: asyncpg.Pool) -> None:
        await pool.fetch("select 1")

    async def update(pool: asyncpg.Pool) -> None:
        if len(await pool.fetch(_BARE_UPDATE, next(bare), uuid4(), TTL)) != 1:
            raise RuntimeError("a row that nobody had taken was not updated")

    return [
        Contender(SELECT, pool, select),
        Contender(UPDATE, pool, update),
        Contender(CLAIM, pool, _claiming(await _free_slots(pool))),
        Contender(UNPOLICED, unpoliced, _claiming(await _free_slots(unpoliced))),
    ]


async def _free_slots(pool: asyncpg.Pool) -> Iterator[UUID]:
    """Slots that no call has ever held, each once, in no order."""
    async with org_transaction(pool, CLINIC.claim) as connection:
        rows = await connection.fetch(
            "select id from public.slots s where not exists"
            " (select from public.appointment_holds h where h.slot_id = s.id)"
        )
    slots = [row["id"] for row in rows]
    random.Random(3).shuffle(slots)
    return iter(slots)


def _claiming(slots: Iterator[UUID]) -> Callable[[asyncpg.Pool], Awaitable[None]]:
    async def claim(pool: asyncpg.Pool) -> None:
        held = await claim_slot(pool, CLINIC.claim, slot_id=next(slots), call_id=uuid4(), ttl=TTL)
        if not isinstance(held, Held):
            raise RuntimeError("a slot that nobody held was refused")

    return claim


async def _compete(contenders: Sequence[Contender], connections: int, claims: int) -> dict[str, Times]:
    times = {contender.name: Times() for contender in contenders}
    for contender in contenders:
        await _block(contender, connections, connections * WARM_UP, Times())
    for _ in range(BLOCKS):
        for contender in contenders:
            await _block(contender, connections, claims // BLOCKS, times[contender.name])
    return times


async def _block(contender: Contender, connections: int, statements: int, times: Times) -> None:
    """So many statements by as many workers as there are connections, each with the next one at once."""
    left = iter(range(statements))

    async def work() -> None:
        for _ in left:
            began = time.perf_counter()
            await contender.run(contender.pool)
            times.latencies_ms.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(work())
    times.took_s += time.perf_counter() - began


HEADER = (
    "| connections | statement | per second | p50 / p95 / p99 ms "
    "| times the bare UPDATE at p50 / p95 | policies cost at p50 / p95 |\n"
    "| --- | --- | --- | --- | --- | --- |"
)


def _rows(connections: int, times: dict[str, Times]) -> Iterator[str]:
    for name, each in times.items():
        latency = " / ".join(f"{each.at(share):.2f}" for share in (0.5, 0.95, 0.99))
        ratio = " / ".join(f"{each.at(share) / times[UPDATE].at(share):.2f}" for share in (0.5, 0.95))
        cost = _cost(each, times[UNPOLICED]) if name == CLAIM else ""
        yield f"| {connections} | {name} | {each.per_s:.0f} | {latency} | {ratio} | {cost} |"


def _cost(claim: Times, unpoliced: Times) -> str:
    return " / ".join(f"{(claim.at(share) / unpoliced.at(share) - 1) * 100:+.0f} %" for share in (0.5, 0.95))
