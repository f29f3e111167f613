"""`python -m bench credentials`: what a look-up of an org's own keys costs, from each layer.

Real Postgres and Redis; an org with a key for every provider. A look-up is what a call makes: sealed keys
from the layer that has them, opened. Each layer in turn answers, those before it being empty. Then many
callers ask at once for an org that no layer knows, round after round, and statements are counted at the
database's driver; then a key is changed by one replica, and the time runs until another goes by the new one.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from uuid import UUID

import asyncpg

from bench.harness.figures import percentile, summary
from bench.harness.results import head, write_json
from bench.harness.starting import say_starting
from bench.stack.postgres import EmbeddedPostgres, PostgresUrls
from bench.stack.redis import EmbeddedRedis
from bench.stack.running import running
from booking.clinic import ClinicSpec, ServiceSpec, seed_clinic
from booking.db import open_pool
from booking.migrate import migrate
from booking.orgs import store_credentials
from booking.types import Claim
from compliance.vault import MasterKey, Vault
from gateway.clock import MonotonicClock
from gateway.metrics import Metrics
from gateway.shared_store import SharedStore
from gateway.tenancy.cache import LayeredCache, Lives
from gateway.tenancy.changes import Changes
from gateway.tenancy.credentials import (
    KEYS,
    CredentialCache,
    credentials_cell,
    credentials_source,
    open_keys,
    shared_key,
)

CONNECTIONS: Final = 10
LIVES: Final = Lives(memory_s=3600, redis_s=3600, unknown_s=3600, source_s=5)
ACCOUNT: Final = '{"account_sid": "AC' + "5" * 32 + '", "auth_token": "token-of-the-clinic"}'
CLINIC: Final = ClinicSpec(
    key="bench credentials",
    name="Harley Street Clinic",
    numbers=("+442079460000",),
    services=(ServiceSpec("Consultation", 30),),
    practitioners=("Dr A",),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """`lookups` from each layer (a hundred times as many from memory); `callers` at once, in `rounds`."""

    lookups: int
    callers: int
    rounds: int


@dataclass(slots=True)
class Statements:
    """How many statements the pool's connections have run."""

    count: int = 0

    def note(self, _statement: object) -> None:
        self.count += 1


@dataclass(frozen=True, slots=True)
class Bench:
    """One org in real stores; `cache` makes a replica's, which knows nothing yet."""

    pool: asyncpg.Pool
    store: SharedStore
    group: asyncio.TaskGroup
    vault: Vault
    claim: Claim
    statements: Statements

    def cache(self) -> CredentialCache:
        return LayeredCache(
            credentials_source(self.pool),
            LIVES,
            store=self.store,
            group=self.group,
            clock=MonotonicClock(),
            metrics=Metrics(),
        )

    @property
    def org_id(self) -> UUID:
        return self.claim.org_id

    async def keep(self, provider: str, secret: str) -> None:
        sealed = self.vault.for_org(self.org_id).seal(secret.encode(), credentials_cell(provider))
        await store_credentials(self.pool, self.claim, provider, sealed)


def run_credentials(plan: Plan, json: Path | None = None) -> int:
    """Print three tables; the result goes to `json`, too. 1 if a crowd asked the database more than once."""
    return asyncio.run(_measure(plan, json))


async def _measure(plan: Plan, json: Path | None) -> int:
    async with _stores() as (urls, redis_url), _bench(urls, redis_url) as bench:
        took_us = {
            "process memory": await _from_memory(bench, 100 * plan.lookups),
            "Redis": await _from_redis(bench, plan.lookups),
            "Postgres": await _from_postgres(bench, plan.lookups),
        }
        print("| answered by | look-ups | p50 / p95 / p99 µs |\n| --- | --- | --- |")
        for layer, took in took_us.items():
            print(_row(layer, took), flush=True)
        crowds = [await _crowd(bench, plan.callers) for _ in range(plan.rounds)]
        news_ms = [await _news_ms(bench, number) for number in range(plan.rounds)]
    most = max(statements for statements, _ in crowds)
    waited_ms = [last_ms for _, last_ms in crowds]
    print("\n| callers at once | misses | statements per miss, most | last caller answered p50 / most ms |")
    print("| --- | --- | --- | --- |")
    waited = f"{percentile(waited_ms, 50):.1f} / {max(waited_ms):.1f}"
    print(f"| {plan.callers} | {plan.rounds} | {most} | {waited} |")
    print("\n| changes | another replica goes by the new key after p50 / most ms |\n| --- | --- |")
    print(f"| {plan.rounds} | {percentile(news_ms, 50):.1f} / {max(news_ms):.1f} |")
    if json is not None:
        layers = {layer: summary(took) for layer, took in took_us.items()}
        write_json(
            head("credentials") | {"layers_us": layers, "misses": plan.rounds, "statements_per_miss": most},
            json,
        )
    return 0 if most == 1 else 1


def _row(layer: str, took_us: list[float]) -> str:
    at = " / ".join(f"{percentile(took_us, per_cent):.1f}" for per_cent in (50, 95, 99))
    return f"| {layer} | {len(took_us)} | {at} |"


# --- the layers ---------------------------------------------------------------------------------------------


async def _from_memory(bench: Bench, lookups: int) -> list[float]:
    cache = bench.cache()
    await open_keys(cache, bench.vault, bench.org_id)
    return [await _took_us(bench, cache) for _ in range(lookups)]


async def _from_redis(bench: Bench, lookups: int) -> list[float]:
    await _filled(bench)
    caches = [bench.cache() for _ in range(lookups)]
    before = bench.statements.count
    took = [await _took_us(bench, cache) for cache in caches]
    if bench.statements.count > before:
        raise RuntimeError("Redis did not answer each of them")
    return took


async def _from_postgres(bench: Bench, lookups: int) -> list[float]:
    took = []
    for _ in range(lookups):
        await bench.store.forget(shared_key(bench.org_id))
        took.append(await _took_us(bench, bench.cache()))
        await _settled()
    return took


async def _took_us(bench: Bench, cache: CredentialCache) -> float:
    began = time.perf_counter()
    await open_keys(cache, bench.vault, bench.org_id)
    return (time.perf_counter() - began) * 1e6


async def _filled(bench: Bench) -> None:
    """Redis holds the keys."""
    await open_keys(bench.cache(), bench.vault, bench.org_id)
    async with asyncio.timeout(5):
        while await bench.store.get(shared_key(bench.org_id)) is None:  # noqa: ASYNC110  another client's
            await asyncio.sleep(0.001)


async def _settled() -> None:
    """What a look-up leaves to be done behind it is not the next one's."""
    await asyncio.sleep(0.002)


# --- crowds and changes -------------------------------------------------------------------------------------


async def _crowd(bench: Bench, callers: int) -> tuple[int, float]:
    """Statements that a miss of so many callers at once cost, and when the last was answered."""
    await _settled()
    await bench.store.forget(shared_key(bench.org_id))
    cache, before, began = bench.cache(), bench.statements.count, time.perf_counter()
    await asyncio.gather(*(open_keys(cache, bench.vault, bench.org_id) for _ in range(callers)))
    return bench.statements.count - before, (time.perf_counter() - began) * 1000


async def _news_ms(bench: Bench, number: int) -> float:
    """From the change's commit until another replica, which remembers the old key, goes by the new one."""
    here, there = bench.cache(), bench.cache()
    changes = Changes(bench.store, [there], quiet_s=10, retry_s=1)
    listening = bench.group.create_task(changes.run())
    try:
        await changes.heard.wait()
        await open_keys(there, bench.vault, bench.org_id)
        new = f"key-of-the-clinic-{number}"
        await bench.keep("deepgram", new)
        began = time.perf_counter()
        await here.forget_everywhere(bench.org_id)
        async with asyncio.timeout(5):
            while (await open_keys(there, bench.vault, bench.org_id)).deepgram != new:  # noqa: ASYNC110
                await asyncio.sleep(0)
        return (time.perf_counter() - began) * 1000
    finally:
        listening.cancel()


# --- what it runs on ----------------------------------------------------------------------------------------


@asynccontextmanager
async def _stores() -> AsyncIterator[tuple[PostgresUrls, str]]:
    say_starting()
    with TemporaryDirectory(prefix="gw-credentials-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        async with running(EmbeddedPostgres(root)) as urls, running(EmbeddedRedis(root)) as redis_url:
            yield urls, redis_url


@asynccontextmanager
async def _bench(urls: PostgresUrls, redis_url: str) -> AsyncIterator[Bench]:
    await migrate(urls.owner)
    owner = await asyncpg.connect(urls.owner)
    claim = await seed_clinic(owner, CLINIC, first_day=datetime.now(UTC).date(), days=1)
    await owner.close()
    async with (
        await open_pool(urls.app, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool,
        SharedStore(redis_url, Metrics(), command_s=5) as store,
        asyncio.TaskGroup() as group,
    ):
        bench = Bench(pool, store, group, Vault([MasterKey.generate()]), claim, Statements())
        for provider in KEYS:
            await bench.keep(provider, f"{provider}-key-of-the-clinic")
        await bench.keep("twilio", ACCOUNT)
        await count_statements(pool, CONNECTIONS, bench.statements)
        yield bench


async def count_statements(pool: asyncpg.Pool, connections: int, statements: Statements) -> None:
    """Have all of the pool's connections counted from now on."""
    async with AsyncExitStack() as held:
        for _ in range(connections):
            connection = await held.enter_async_context(pool.acquire())
            connection.add_query_logger(statements.note)
