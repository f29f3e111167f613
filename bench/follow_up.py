"""`python -m bench follow-up`: from a call's end to its follow-up's beginning and the text's being sent.

The gateway runs as a process of its own, with real Postgres and Redis, and does the jobs. Calls end so many
per second, at even distances, whatever is still under way; each was about a service that has a guide, from a
number of its own. The strict Twilio simulator takes a text after a latency as in `python -m bench otp`, a
model that says nothing of Twilio and is shown apart.
"""

import asyncio
import io
import sys
import time
from base64 import b64decode
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as wall
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from uuid import UUID, uuid4

import asyncpg
from pypdf import PdfWriter

from bench.demo.plan import new_master_key
from bench.harness.figures import percentile
from bench.harness.starting import say_starting
from bench.harness.target import TargetUnusable
from bench.otp import Latency
from bench.simulators.twilio_api import TwilioApiSimulator
from bench.simulators.twilio_messages import MessageResource
from bench.stack.postgres import EmbeddedPostgres, PostgresUrls
from bench.stack.redis import EmbeddedRedis
from bench.stack.running import running
from bench.stack.texting import ACCOUNT, TOKEN, texting_gateway
from booking.calls import close_call, open_call
from booking.clinic import ClinicSpec, ServiceSpec, seed_clinic
from booking.db import open_pool, org_transaction
from booking.follow_up import note_asked, note_texts_wanted
from booking.follow_up_rules import FollowUpRules, store_rules
from booking.guides import put_guide
from booking.migrate import migrate
from booking.types import OPERATOR
from compliance.keys import Keyring
from compliance.records import CallEnds, call_key, keep_ends
from compliance.vault import MasterKey, Vault

NUMBER: Final = "+442079460000"
TRIGGER_GOAL_S: Final = 2.0
HANDOVER_GOAL_S: Final = 5.0
PATIENT_S: Final = 60.0
MOST: Final = 10_000
CLINIC: Final = ClinicSpec(
    key="bench follow-up",
    name="Harley Street Clinic",
    numbers=(NUMBER,),
    services=(ServiceSpec("Rhinoplasty consultation", 30, ("nose job",)),),
    practitioners=("Dr A",),
    weekdays=frozenset(range(7)),
)
HEADER: Final = (
    "| calls | ending per s | texted | the carrier's latency p50 / p95 ms | "
    "end to begun p50 / p95 / most ms | end to handed over p50 / p95 / most ms |\n"
    "| --- | --- | --- | --- | --- | --- |"
)


@dataclass(frozen=True, slots=True)
class Load:
    """So many calls, ending at this rate. `jobs_at_once`: of the gateway; None: its own default."""

    calls: int
    per_s: float
    jobs_at_once: int | None = None

    @property
    def settings(self) -> dict[str, str]:
        return {} if self.jobs_at_once is None else {"JOBS_AT_ONCE": str(self.jobs_at_once)}


@dataclass(slots=True)
class Measured:
    """Instants by the caller's number, in seconds of this process's clock; `begun_s`: after the end."""

    wanted: int
    ended_s: dict[str, float] = field(default_factory=dict)
    taken_s: dict[str, list[float]] = field(default_factory=dict)
    begun_s: list[float] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    all_taken: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, message: MessageResource) -> None:
        self.taken_s.setdefault(message.to, []).append(time.monotonic())
        if len(self.taken_s) == self.wanted:
            self.all_taken.set()

    @property
    def handovers_ms(self) -> list[float]:
        return [(taken_s[0] - self.ended_s[to]) * 1000 for to, taken_s in self.taken_s.items()]

    @property
    def begun_ms(self) -> list[float]:
        return [seconds * 1000 for seconds in self.begun_s]

    def whole(self, load: Load) -> bool:
        """Each call has one text, and the goals are met."""
        once = len(self.taken_s) == load.calls and all(len(each) == 1 for each in self.taken_s.values())
        return (
            once
            and max(self.begun_s) <= TRIGGER_GOAL_S
            and percentile(self.handovers_ms, 95) <= HANDOVER_GOAL_S * 1000
        )


def run_follow_up(loads: Sequence[Load]) -> int:
    """Print a row for each. 0 if every call got one text, begun within 2 s, handed over within 5 s at p95.

    Raises `TargetUnusable`.
    """
    if any(load.calls > MOST for load in loads):
        raise TargetUnusable(f"--calls: {MOST:,} at most")
    sys.stdout.write(f"{HEADER}\n")
    whole = True
    for load in loads:
        measured = asyncio.run(_measure(load))
        sys.stdout.write(f"{_row(load, measured)}\n")
        sys.stdout.flush()
        whole = whole and measured.whole(load)
    return 0 if whole else 1


def _row(load: Load, measured: Measured) -> str:
    def at(values: list[float], *per_cents: float) -> str:
        return " / ".join(f"{percentile(values, per_cent):.0f}" for per_cent in per_cents) if values else "-"

    texted = f"{sum(len(each) for each in measured.taken_s.values())} of {load.calls}"
    latency, begun = at(measured.latencies_ms, 50, 95), at(measured.begun_ms, 50, 95, 100)
    handover = at(measured.handovers_ms, 50, 95, 100)
    return f"| {load.calls} | {load.per_s:g} | {texted} | {latency} | {begun} | {handover} |"


async def _measure(load: Load) -> Measured:
    measured, latency, key = Measured(load.calls), Latency(), new_master_key()
    say_starting()
    async with AsyncExitStack() as closing:
        folder = TemporaryDirectory(prefix="gw-follow-up-", ignore_cleanup_errors=True)
        root = Path(closing.enter_context(folder))
        urls = await closing.enter_async_context(running(EmbeddedPostgres(root)))
        redis_url = await closing.enter_async_context(running(EmbeddedRedis(root)))
        twilio = await closing.enter_async_context(
            TwilioApiSimulator(account_sid=ACCOUNT, auth_token=TOKEN, latency_s=latency)
        )
        twilio.messages.senders.add(NUMBER)
        twilio.messages.taken = measured.take
        await _seeded(urls)
        await closing.enter_async_context(
            texting_gateway(root, urls, redis_url, twilio.url, key, **load.settings)
        )
        pool = await closing.enter_async_context(await open_pool(urls.app, max_size=8))
        await _opened_for_texts(pool)
        calls = [await _begun(pool, key, f"+447700{n:06d}") for n in range(load.calls)]
        await _end(pool, calls, load, measured)
        measured.begun_s = await _begun_after(pool)
    measured.latencies_ms = latency.drawn_ms
    return measured


async def _seeded(urls: PostgresUrls) -> None:
    await migrate(urls.owner)
    owner = await asyncpg.connect(urls.owner)
    try:
        await seed_clinic(owner, CLINIC, first_day=datetime.now(UTC).date() + timedelta(days=1))
    finally:
        await owner.close()


async def _opened_for_texts(pool: asyncpg.Pool) -> None:
    """The service has a guide, and the clinic texts at any hour."""
    writer, content = PdfWriter(), io.BytesIO()
    writer.add_blank_page(595, 842)
    writer.write(content)
    service_id = CLINIC.service_id("Rhinoplasty consultation")
    await put_guide(pool, CLINIC.claim, service_id=service_id, content=content.getvalue(), actor=OPERATOR)
    rules = FollowUpRules(quiet_from=wall(0), quiet_to=wall(0))
    await store_rules(pool, CLINIC.claim, rules, clinic=CLINIC.name, actor=OPERATOR)


async def _begun(pool: asyncpg.Pool, master_key: str, caller: str) -> tuple[UUID, str]:
    """A call that goes on, whose caller has asked about the service and wants a text."""
    call_id, claim, keys = uuid4(), CLINIC.claim, Keyring.of(Vault([MasterKey(b64decode(master_key))]))
    await open_call(
        pool,
        claim,
        call_id=call_id,
        carrier="twilio",
        carrier_call_id=f"CA{call_id.hex}",
        started_at=datetime.now(UTC),
    )
    async with org_transaction(pool, claim) as connection:
        key = await call_key(connection, keys, claim.org_id, call_id)
        if key is not None:
            await keep_ends(connection, keys, key, claim.org_id, call_id, CallEnds(caller, NUMBER))
    service_id = CLINIC.service_id("Rhinoplasty consultation")
    await note_asked(pool, claim, call_id=call_id, service_id=service_id)
    await note_texts_wanted(pool, claim, call_id=call_id, wanted=True)
    return call_id, caller


async def _end(pool: asyncpg.Pool, calls: Sequence[tuple[UUID, str]], load: Load, measured: Measured) -> None:
    """End them one by one, each at its time; then wait for the last text."""
    began_s = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for n, (call_id, caller) in enumerate(calls):
            await asyncio.sleep(max(began_s + n / load.per_s - time.monotonic(), 0))
            measured.ended_s[caller] = time.monotonic()
            group.create_task(
                close_call(
                    pool,
                    CLINIC.claim,
                    call_id=call_id,
                    end_reason="caller_hung_up",
                    ended_at=datetime.now(UTC),
                    keep_hold=False,
                )
            )
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENT_S):
            await measured.all_taken.wait()


async def _begun_after(pool: asyncpg.Pool) -> list[float]:
    """How long after their calls' ends campaigns stood, in seconds: the follow-up had begun before."""
    async with org_transaction(pool, CLINIC.claim) as connection:
        rows = await connection.fetch(
            "select extract(epoch from o.created_at - c.ended_at)::float8 from public.outbound_campaigns o "
            "join public.calls c on c.org_id = o.org_id and c.id = o.call_id"
        )
    return [row[0] for row in rows]
