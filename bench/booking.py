"""`python -m bench booking`: what a claim of a slot costs, beside the least that a database could do.

The contenders take turns on one server, in short rounds, so that noise hits all alike; percentiles are
medians over the rounds. From the least to the whole:

- `SELECT 1`: the round trip;
- a bare `UPDATE … RETURNING` by primary key, of a table with no other index, no policy and no claim;
- the same under a claim: a function called with the claim armed, and a policy on the table;
- the INSERT of a hold under a claim, with no lock and no question asked: its indexes and constraints;
- `claim_slot` as the gateway calls it;
- the same in a second database of the same contents without row level security.

Each claim is a new call's, for a slot that nobody holds. With `--orgs 100` they fall on as many clinics, as
in production; with `--orgs 1` on the few practitioners of one, whose claims come one by one: workers wait for
each other there, as no bare UPDATE of different rows does. A quarter of all slots is booked beforehand and
the tables are analysed, as on a server that has been at work. Latency is the caller's; there is a connection
for each worker, so nobody waits for one. CPU is what the server's processes of these connections used.
"""

import asyncio
import math
import random
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import asyncpg
import psycopg

from bench.harness.figures import percentile
from bench.harness.starting import say_starting
from bench.harness.target import TargetUnusable
from bench.stack.postgres import DATABASE, EmbeddedPostgres
from bench.stack.running import running
from booking.clinic import ClinicSpec, ServiceSpec, seed_clinic
from booking.db import fetch, open_pool, org_transaction
from booking.holds import claim_slot
from booking.migrate import migrate
from booking.types import Claim, Held

ROUNDS = 10
WARM_UP = 10
"""Statements per connection that are not counted: PostgreSQL plans a statement anew the first five times."""
TTL = timedelta(hours=1)
SLOTS = 120_000
SLOTS_A_DAY = 16
MOST_DAYS = 90
FREE_SHARE = 0.7
"""Of all slots, surely: about a quarter is booked beforehand."""
WITHOUT_POLICIES = "unpoliced"

_BARE = """
create table public.bare (id uuid primary key, call_id uuid, expires_at timestamptz);
insert into public.bare (id) select id from public.slots;
grant select, update on public.bare to gw_app;

create table public.guarded (id uuid primary key, org_id uuid not null, call_id uuid, expires_at timestamptz);
insert into public.guarded (id, org_id) select id, org_id from public.slots;
grant select, update on public.guarded to gw_app;
alter table public.guarded enable row level security;
alter table public.guarded force row level security;
create policy tenant on public.guarded using (org_id = (select app.org_id()));

create function app.bench_update(p_org uuid, p_slot uuid, p_call uuid, p_ttl interval)
returns table (id uuid, expires_at timestamptz) language plpgsql as $$
#variable_conflict use_column
begin
    return query
        update public.guarded g set call_id = p_call, expires_at = now() + p_ttl
        where g.id = p_slot and (g.call_id is null or g.expires_at < now()) returning g.id, g.expires_at;
end
$$;

create function app.bench_insert(p_org uuid, p_slot uuid, p_call uuid, p_ttl interval)
returns table (id uuid, expires_at timestamptz) language plpgsql as $$
#variable_conflict use_column
begin
    return query
        insert into public.appointment_holds as h
            (org_id, slot_id, call_id, practitioner_number, starts_at, ends_at, expires_at)
        select s.org_id, s.id, p_call, s.practitioner_number, s.starts_at, s.ends_at, now() + p_ttl
        from public.slots s where s.id = p_slot
        returning h.id, h.expires_at;
end
$$;

grant execute on function app.bench_update, app.bench_insert to gw_app;
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


@dataclass(frozen=True, slots=True)
class Round:
    """The latencies of one contender's turn, how long it took in all and what it cost the server."""

    latencies_ms: list[float]
    took_s: float
    cpu_s: float


@dataclass(slots=True)
class Times:
    """A contender's rounds at one number of connections. Each figure is the median over the rounds."""

    rounds: list[Round] = field(default_factory=list)

    def at(self, per_cent: float) -> float:
        return statistics.median(percentile(each.latencies_ms, per_cent) for each in self.rounds)

    @property
    def per_s(self) -> float:
        return statistics.median(len(each.latencies_ms) / each.took_s for each in self.rounds)

    @property
    def cpu_us(self) -> float:
        return statistics.median(each.cpu_s / len(each.latencies_ms) * 1e6 for each in self.rounds)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, and in which clinics. `durable`: each commit is flushed to the disk."""

    connections: Sequence[int]
    claims: int
    durable: bool
    orgs: int = 100
    practitioners: int = 5

    def require_sound(self) -> None:
        """Raises `TargetUnusable` for claims that are too few to measure, or more than there are slots."""
        if self.claims < ROUNDS * max(self.connections):
            raise TargetUnusable(f"--claims: {ROUNDS} for each connection at least")
        free = int(self.slots * FREE_SHARE)
        if self.taken > free:
            raise TargetUnusable(
                f"{self.taken:,} slots would be taken, and some {free:,} are free: fewer --claims or "
                "--connections, or more --orgs or --practitioners"
            )

    @property
    def taken(self) -> int:
        """Slots that the two contenders which take some take, those of their warm-ups included."""
        return 2 * sum(self.claims + each * WARM_UP for each in self.connections)

    @property
    def slots(self) -> int:
        """In all."""
        return self.orgs * self.practitioners * self.days * SLOTS_A_DAY

    @property
    def days(self) -> int:
        """How many days make about SLOTS slots in all."""
        return min(MOST_DAYS, math.ceil(SLOTS / (self.orgs * self.practitioners * SLOTS_A_DAY)))

    def clinics(self) -> list[ClinicSpec]:
        return [
            ClinicSpec(
                key=f"bench booking {number}",
                name="Harley Street Clinic",
                numbers=(f"+44207946{number:04d}",),
                services=(ServiceSpec("Consultation", 30),),
                practitioners=tuple(f"Dr {n + 1}" for n in range(self.practitioners)),
                weekdays=frozenset(range(7)),
            )
            for number in range(self.orgs)
        ]


SELECT, UPDATE, GUARDED, INSERT = "SELECT 1", "bare UPDATE", "UPDATE under a claim", "INSERT of a hold"
CLAIM, UNPOLICED = "claim", "claim, no policies"


def run_booking(plan: Plan) -> int:
    """Print a table of percentiles and ratios. Raises `TargetUnusable`."""
    plan.require_sound()
    asyncio.run(_measure_all(plan))
    return 0


async def _measure_all(plan: Plan) -> None:
    say_starting()
    async with AsyncExitStack() as closing:
        folder = TemporaryDirectory(prefix="gw-booking-", ignore_cleanup_errors=True)
        root = Path(closing.enter_context(folder))
        server = EmbeddedPostgres(root, durable=plan.durable, max_connections=2 * max(plan.connections) + 20)
        urls = await closing.enter_async_context(running(server))
        await _prepare(urls.owner, plan)
        await asyncio.to_thread(_copy_database, server.admin_url)
        await _without_policies(_unpoliced(urls.owner))
        print(HEADER)
        for connections in plan.connections:
            pools = [
                await closing.enter_async_context(_pool(url, connections))
                for url in (urls.app, _unpoliced(urls.app))
            ]
            contenders = await _contenders(plan, *pools)
            print(
                "\n".join(_rows(connections, await _compete(contenders, connections, plan.claims))),
                flush=True,
            )
            for pool in pools:
                await pool.close()


def _unpoliced(url: str) -> str:
    return url.replace(f"/{DATABASE}?", f"/{WITHOUT_POLICIES}?")


def _copy_database(admin_url: str) -> None:
    with psycopg.connect(admin_url.replace(f"/{DATABASE}?", "/postgres?"), autocommit=True) as admin:
        admin.execute(f"create database {WITHOUT_POLICIES} template {DATABASE} owner gw_owner")


async def _prepare(owner_url: str, plan: Plan) -> None:
    await migrate(owner_url)
    owner = await asyncpg.connect(owner_url)
    try:
        tomorrow = datetime.now(UTC).date() + timedelta(days=1)
        for clinic in plan.clinics():
            await seed_clinic(owner, clinic, first_day=tomorrow, days=plan.days)
        for table in ("slots", "appointment_holds"):
            await owner.execute(f"alter table public.{table} no force row level security")
        await owner.execute(_BOOKED)
        await owner.execute(_BARE)
        for table in ("slots", "appointment_holds"):
            await owner.execute(f"alter table public.{table} force row level security")
        await owner.execute("analyze")
    finally:
        await owner.close()


async def _without_policies(owner_url: str) -> None:
    owner = await asyncpg.connect(owner_url)
    try:
        await owner.execute(_NO_POLICIES)
        await owner.execute("analyze")
    finally:
        await owner.close()


@asynccontextmanager
async def _pool(url: str, connections: int) -> AsyncIterator[asyncpg.Pool]:
    async with await open_pool(
        url, min_size=connections, max_size=connections, statement_timeout_s=60
    ) as pool:
        yield pool


Slots = Iterator[tuple[Claim, UUID]]


async def _contenders(plan: Plan, pool: asyncpg.Pool, unpoliced: asyncpg.Pool) -> list[Contender]:
    claims = [clinic.claim for clinic in plan.clinics()]
    free = await _free_slots(pool, claims)
    bare, guarded = iter(free), iter(free)
    taken, elsewhere = iter(free), iter(await _free_slots(unpoliced, claims))

    async def select(pool: asyncpg.Pool) -> None:
        await pool.fetch("select 1")

    async def update(pool: asyncpg.Pool) -> None:
        if len(await pool.fetch(_BARE_UPDATE, next(bare)[1], uuid4(), TTL)) != 1:
            raise RuntimeError("a row that nobody had taken was not updated")

    return [
        Contender(SELECT, pool, select),
        Contender(UPDATE, pool, update),
        Contender(GUARDED, pool, _calling("bench_update", guarded)),
        Contender(INSERT, pool, _calling("bench_insert", taken)),
        Contender(CLAIM, pool, _claiming(taken)),
        Contender(UNPOLICED, unpoliced, _claiming(elsewhere)),
    ]


async def _free_slots(pool: asyncpg.Pool, claims: Sequence[Claim]) -> list[tuple[Claim, UUID]]:
    """Slots that no call has ever held, each once, in no order."""
    slots = []
    for claim in claims:
        async with org_transaction(pool, claim) as connection:
            rows = await connection.fetch(
                "select id from public.slots s where s.org_id = $1 and not exists"
                " (select from public.appointment_holds h where h.org_id = s.org_id and h.slot_id = s.id)",
                claim.org_id,
            )
        slots += [(claim, row["id"]) for row in rows]
    random.Random(3).shuffle(slots)
    return slots


def _calling(function: str, slots: Slots) -> Callable[[asyncpg.Pool], Awaitable[None]]:
    async def call(pool: asyncpg.Pool) -> None:
        claim, slot_id = next(slots)
        if len(await fetch(pool, claim, function, slot_id, uuid4(), TTL)) != 1:
            raise RuntimeError("a row that nobody had taken was not written")

    return call


def _claiming(slots: Slots) -> Callable[[asyncpg.Pool], Awaitable[None]]:
    async def claim(pool: asyncpg.Pool) -> None:
        claim, slot_id = next(slots)
        held = await claim_slot(pool, claim, slot_id=slot_id, call_id=uuid4(), ttl=TTL)
        if not isinstance(held, Held):
            raise RuntimeError("a slot that nobody held was refused")

    return claim


async def _compete(contenders: Sequence[Contender], connections: int, claims: int) -> dict[str, Times]:
    times = {contender.name: Times() for contender in contenders}
    for contender in contenders:
        await _round(contender, connections, connections * WARM_UP)
    for _ in range(ROUNDS):
        for contender in contenders:
            times[contender.name].rounds.append(await _round(contender, connections, claims // ROUNDS))
    return times


async def _round(contender: Contender, connections: int, statements: int) -> Round:
    """So many statements by as many workers as there are connections, each with the next one at once."""
    left = iter(range(statements))
    latencies_ms: list[float] = []

    async def work() -> None:
        for _ in left:
            began = time.perf_counter()
            await contender.run(contender.pool)
            latencies_ms.append((time.perf_counter() - began) * 1000)

    pids = [row["pid"] for row in await contender.pool.fetch(_BACKENDS)]
    used_s, began = _cpu_s(pids), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(work())
    return Round(latencies_ms, time.perf_counter() - began, _cpu_s(pids) - used_s)


_BACKENDS = "select pid from pg_stat_activity where datname = current_database() and usename = current_user"


def _cpu_s(pids: Sequence[int]) -> float:
    """What these processes have used of a processor: the first field of schedstat, in ns (kernel.org,
    Documentation/scheduler/sched-stats.rst).
    """
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9


HEADER = (
    "| connections | statement | per second | p50 / p95 / p99 ms | server CPU µs "
    "| times the bare UPDATE at p50 / p95 | policies cost at p50 / p95 |\n"
    "| --- | --- | --- | --- | --- | --- | --- |"
)


def _rows(connections: int, times: dict[str, Times]) -> Iterator[str]:
    for name, each in times.items():
        latency = " / ".join(f"{each.at(per_cent):.2f}" for per_cent in (50, 95, 99))
        ratio = " / ".join(f"{each.at(per_cent) / times[UPDATE].at(per_cent):.2f}" for per_cent in (50, 95))
        cost = _cost(each, times[UNPOLICED]) if name == CLAIM else ""
        speed = f"{each.per_s:.0f} | {latency} | {each.cpu_us:.0f}"
        yield f"| {connections} | {name} | {speed} | {ratio} | {cost} |"


def _cost(claim: Times, unpoliced: Times) -> str:
    return " / ".join(
        f"{(claim.at(per_cent) / unpoliced.at(per_cent) - 1) * 100:+.0f} %" for per_cent in (50, 95)
    )
