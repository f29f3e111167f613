"""`python -m bench otp`: how long a code takes from the request for it to the carrier's having it.

The gateway runs as a process of its own, with real Postgres and Redis. Requests come over its HTTP API, each
for a hold and a number of its own, so many at a time; the message goes to the strict Twilio simulator, which
takes it only after a latency drawn from a lognormal distribution. That latency is a model and says nothing of
Twilio; it is shown apart, so that what is the gateway's own can be seen. Holds are made beforehand.
"""

import asyncio
import math
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import aiohttp
import asyncpg

from bench.demo.plan import new_master_key
from bench.harness.figures import percentile
from bench.harness.starting import say_starting
from bench.harness.target import TargetUnusable
from bench.simulators.twilio_api import TwilioApiSimulator
from bench.simulators.twilio_messages import MessageResource
from bench.stack.postgres import EmbeddedPostgres, PostgresUrls
from bench.stack.redis import EmbeddedRedis
from bench.stack.running import running
from bench.stack.texting import ACCOUNT, TOKEN, texting_gateway
from booking.clinic import ClinicSpec, ServiceSpec, seed_clinic
from booking.db import open_pool
from booking.migrate import migrate
from booking.staff import issue_token

NUMBER = "+442079460000"
GOAL_S = 5.0
MEDIAN_S, SIGMA = 0.25, 0.6
"""Of the simulated latency: p95 is 0.67 s, one in a hundred takes over 1 s."""
PAGE = 100
CLINIC = ClinicSpec(
    key="bench otp",
    name="Harley Street Clinic",
    numbers=(NUMBER,),
    services=(ServiceSpec("Consultation", 30),),
    practitioners=tuple(f"Dr {chr(ord('A') + n)}" for n in range(20)),
    weekdays=frozenset(range(7)),
)
MOST = 4000
"""Slots that the clinic surely has: 20 practitioners, 16 slots a day, 14 days."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many codes, so many requests at once."""

    codes: int
    at_once: int


@dataclass(slots=True)
class Measured:
    """Instants by the receiver's number (monotonic seconds), and what each request was answered."""

    asked_s: dict[str, float] = field(default_factory=dict)
    taken_s: dict[str, float] = field(default_factory=dict)
    answered_s: dict[str, float] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)

    def take(self, message: MessageResource) -> None:
        self.taken_s[message.to] = time.monotonic()

    @property
    def handovers_ms(self) -> list[float]:
        return [(taken_s - self.asked_s[to]) * 1000 for to, taken_s in self.taken_s.items()]

    @property
    def answers_ms(self) -> list[float]:
        return [(answered_s - self.asked_s[to]) * 1000 for to, answered_s in self.answered_s.items()]


HEADER = (
    "| codes | at once | handed over | the carrier's latency p50 / p95 ms | request to handed over "
    "p50 / p95 / most ms | request to answer p50 / p95 ms |\n"
    "| --- | --- | --- | --- | --- | --- |"
)


def run_otp(load: Load) -> int:
    """Print one row. 0 if every code was handed over, within 5 s at p95. Raises `TargetUnusable`."""
    if load.codes > MOST:
        raise TargetUnusable(f"--codes: {MOST:,} at most")
    measured, latencies_ms = asyncio.run(_measure(load))
    sys.stdout.write(f"{HEADER}\n{_row(load, measured, latencies_ms)}\n")
    whole = len(measured.taken_s) == load.codes and not measured.refused
    return 0 if whole and percentile(measured.handovers_ms, 95) < GOAL_S * 1000 else 1


def _row(load: Load, measured: Measured, latencies_ms: list[float]) -> str:
    def at(values: list[float], *per_cents: float) -> str:
        return " / ".join(f"{percentile(values, per_cent):.0f}" for per_cent in per_cents) if values else "-"

    handed = f"{len(measured.taken_s)} of {load.codes}"
    latency, handover = at(latencies_ms, 50, 95), at(measured.handovers_ms, 50, 95, 100)
    answer = at(measured.answers_ms, 50, 95)
    return f"| {load.codes} | {load.at_once} | {handed} | {latency} | {handover} | {answer} |"


class Latency:
    """Draws the carrier's latencies, the same ones in each run, and keeps them."""

    def __init__(self) -> None:
        self._random = random.Random(7)
        self.drawn_ms: list[float] = []

    def __call__(self) -> float:
        latency_s = self._random.lognormvariate(math.log(MEDIAN_S), SIGMA)
        self.drawn_ms.append(latency_s * 1000)
        return latency_s


async def _measure(load: Load) -> tuple[Measured, list[float]]:
    measured, latency = Measured(), Latency()
    say_starting()
    async with AsyncExitStack() as closing:
        folder = TemporaryDirectory(prefix="gw-otp-", ignore_cleanup_errors=True)
        root = Path(closing.enter_context(folder))
        urls = await closing.enter_async_context(running(EmbeddedPostgres(root)))
        redis_url = await closing.enter_async_context(running(EmbeddedRedis(root)))
        twilio = await closing.enter_async_context(
            TwilioApiSimulator(account_sid=ACCOUNT, auth_token=TOKEN, latency_s=latency)
        )
        twilio.messages.senders.add(NUMBER)
        twilio.messages.taken = measured.take
        secret = await _prepared(urls)
        gateway = await closing.enter_async_context(
            texting_gateway(root, urls, redis_url, twilio.url, new_master_key())
        )
        client = await closing.enter_async_context(_client(gateway, secret, load.at_once))
        holds = await _holds(client, load.codes)
        await _all(client, holds, load.at_once, measured)
    return measured, latency.drawn_ms


async def _prepared(urls: PostgresUrls) -> str:
    """A seeded clinic and its staff token."""
    await migrate(urls.owner)
    owner = await asyncpg.connect(urls.owner)
    try:
        await seed_clinic(owner, CLINIC, first_day=datetime.now(UTC).date() + timedelta(days=1))
        await owner.execute("analyze")
    finally:
        await owner.close()
    scopes = ["slots:read", "holds:read", "holds:write"]
    async with await open_pool(urls.app, max_size=1) as pool:
        return (await issue_token(pool, CLINIC.claim, name="bench", scopes=scopes)).secret


@asynccontextmanager
async def _client(url: str, secret: str, at_once: int) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        url,
        headers={"Authorization": f"Bearer {secret}"},
        connector=aiohttp.TCPConnector(limit=at_once),
    ) as client:
        yield client


async def _holds(client: aiohttp.ClientSession, wanted: int) -> list[str]:
    """A hold on each of so many slots."""
    holds: list[str] = []
    query = {"service_id": str(CLINIC.service_id("Consultation")), "limit": str(PAGE)}
    while len(holds) < wanted:
        async with client.get("/api/v1/slots", params=query) as answer:
            page = await answer.json()
        slots = page["items"][: wanted - len(holds)]
        holds += [await _held(client, slot["id"]) for slot in slots]
        query["cursor"] = page["next"]
    return holds


async def _held(client: aiohttp.ClientSession, slot_id: str) -> str:
    order = {"slot_id": slot_id, "ttl_s": 3600}
    async with client.post("/api/v1/holds", json=order, headers=_key()) as answer:
        answer.raise_for_status()
        held: str = (await answer.json())["id"]
    return held


async def _all(client: aiohttp.ClientSession, holds: list[str], at_once: int, measured: Measured) -> None:
    left = iter(enumerate(holds))

    async def worker() -> None:
        for number, hold in left:
            await _ask(client, hold, f"+447700{number:06d}", measured)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())


async def _ask(client: aiohttp.ClientSession, hold: str, to: str, measured: Measured) -> None:
    measured.asked_s[to] = time.monotonic()
    async with client.post(f"/api/v1/holds/{hold}/otp", json={"phone": to}, headers=_key()) as answer:
        await answer.read()
    measured.answered_s[to] = time.monotonic()
    if answer.status != 202:
        measured.refused.append(answer.status)


def _key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}
