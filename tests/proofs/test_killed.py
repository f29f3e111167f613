"""A gateway killed anywhere between a caller's last words and the delivered text, again and again: in the end
there is one campaign and one text for each call that was to have one, and none for any other.

pytest tests/proofs/test_killed.py --kills 300
"""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import pytest

from bench.simulators.twilio_api import TwilioApiSimulator
from bench.simulators.twilio_messages import MessageResource
from booking.db import open_pool
from booking.follow_up_rules import store_rules
from booking.guides import put_guide
from booking.types import Actor
from tests.booking.following import ALL_DAY, a_pdf, mobile
from tests.conftest import Clinic, Stack, make_clinic
from tests.gateway.running import ACCOUNT, AUTH_TOKEN, PUBLIC_URL
from tests.proofs.beside import beside
from tests.proofs.mortals import PATIENT_S, Mortals, mortals

CALLS_AT_ONCE = 3
MOST_DEATHS = 3
LONGEST_LIFE = 900
"""Turns of the loop; in about as many the texts of so many calls are delivered."""
LONGEST_LIFE_S = 3.0
OPERATOR = Actor("operator")

_STANDS = """
select f.call_id, f.state, f.reason, c.sealed_caller is not null as known, f.service_id is not null as asked,
    coalesce(f.texts_wanted, false) as wanted, m.status as text,
    (select count(*) from outbound_campaigns o where o.call_id = f.call_id) as campaigns
from follow_ups f join calls c on c.id = f.call_id left join sms_messages m on m.id = f.message_id
where f.call_id = any ($1)
"""
# What time alone does: leases end, workers count as dead, the provider is asked.
_TIME_PASSES = """
update public.follow_ups set next_at = now() where state in ('open', 'due', 'sending') and next_at > now();
update public.sms_messages set check_after = now() where status in ('queued', 'sent');
update jobs.pgqueuer set heartbeat = now() - interval '1 hour' where status = 'picked';
update jobs.pgqueuer set execute_after = now() where status = 'queued' and execute_after > now();
"""


@dataclass
class Carrier:
    """The strict Twilio, whose reports go to whichever gateway lives; to none, if none does."""

    twilio: TwilioApiSimulator
    mortals: Mortals
    reports: set["asyncio.Task[None]"] = field(default_factory=set)

    def taken(self, message: MessageResource) -> None:
        task = asyncio.get_running_loop().create_task(self._report(message))
        self.reports.add(task)
        task.add_done_callback(self.reports.discard)

    async def _report(self, message: MessageResource) -> None:
        for status in ("sent", "delivered"):
            await asyncio.sleep(random.uniform(0, 0.02))
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                await self.twilio.messages.report(message, status)


@pytest.fixture(scope="module")
def aside(stack: Stack) -> Iterator[Stack]:
    """A database without others' jobs."""
    with beside(stack, "killed") as database:
        yield database


@pytest.fixture
async def shop(aside: Stack) -> Clinic:
    """A clinic whose first service has a guide; it texts at any hour."""
    owner = await asyncpg.connect(aside.postgres.owner)
    try:
        clinic = await make_clinic(owner)
    finally:
        await owner.close()
    async with await open_pool(aside.postgres.app, max_size=1) as pool:
        service_id = clinic.service_ids[0]
        await put_guide(pool, clinic.claim, service_id=service_id, content=a_pdf(), actor=OPERATOR)
        await store_rules(pool, clinic.claim, ALL_DAY, clinic=clinic.spec.name, actor=OPERATOR)
    return clinic


@asynccontextmanager
async def carrier(aside: Stack, shop: Clinic, **changes: str) -> AsyncIterator[Carrier]:
    async with (
        TwilioApiSimulator(account_sid=ACCOUNT, auth_token=AUTH_TOKEN) as twilio,
        mortals(aside, shop, twilio.url, **changes) as living,
    ):
        twilio.messages.senders.add(shop.number)
        made = Carrier(twilio, living)
        twilio.messages.taken = made.taken
        twilio.messages.real_url = lambda url: url.replace(PUBLIC_URL, living.url or "http://127.0.0.1:9")
        yield made
        await living.end()
        await asyncio.gather(*made.reports)


async def stands(there: asyncpg.Connection, calls: list[tuple[UUID, str]]) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await there.fetch(_STANDS, [call_id for call_id, _ in calls])
    return rows


def is_over(rows: list[asyncpg.Record]) -> bool:
    return all(row["state"] in ("delivered", "skipped", "failed") for row in rows)


def where(row: asyncpg.Record) -> str:
    """What a kill found, in words."""
    return f"{row['state']}, text {row['text'] or 'none'}"


async def killed_on_the_way(
    there: asyncpg.Connection, made: Carrier, calls: list[tuple[UUID, str]], found: Counter[str]
) -> int:
    """So many calls through lives that end somewhere; how many kills there were."""
    kills = 0
    for death in range(random.randint(1, MOST_DEATHS)):
        await made.mortals.begin(random.randrange(LONGEST_LIFE), calls=calls if death == 0 else [])
        await made.mortals.died(within_s=LONGEST_LIFE_S)
        await made.mortals.end()
        kills += 1
        found.update(where(row) for row in await stands(there, calls))
        await there.execute(_TIME_PASSES)
    return kills


async def settled(there: asyncpg.Connection, made: Carrier, calls: list[tuple[UUID, str]]) -> None:
    """A gateway that lives brings all to their end."""
    await made.mortals.begin(None)
    async with asyncio.timeout(PATIENT_S):
        while not is_over(await stands(there, calls)):
            await there.execute(_TIME_PASSES)
            await asyncio.sleep(0.1)
    await made.mortals.end()


def require_one_each(rows: list[asyncpg.Record], made: Carrier, calls: list[tuple[UUID, str]]) -> int:
    """How many calls were to be followed up."""
    known = {row["call_id"]: row for row in rows}
    due = 0
    for call_id, caller in calls:
        row: Any = known.get(call_id)
        is_due = row is not None and row["known"] and row["asked"] and row["wanted"]
        texts = len(made.twilio.messages.to(caller))
        campaigns = 0 if row is None else row["campaigns"]
        state = None if row is None else row["state"]
        expected = (1, 1, "delivered") if is_due else (0, 0, None if row is None else "skipped")
        assert (texts, campaigns, state) == expected, dict(row or {})
        due += is_due
    return due


@pytest.mark.timeout(3600)
async def test_killed_anywhere_there_is_one_campaign_and_one_text_for_each_call(
    request: pytest.FixtureRequest, aside: Stack, shop: Clinic, there: asyncpg.Connection
) -> None:
    wanted = int(request.config.getoption("kills", default=None) or 2)
    found, kills, due = Counter[str](), 0, 0
    async with carrier(aside, shop) as made:
        while kills < wanted or not due:  # few kills may all come before the caller has said a word
            calls = [(uuid4(), mobile()) for _ in range(CALLS_AT_ONCE)]
            kills += await killed_on_the_way(there, made, calls, found)
            await settled(there, made, calls)
            due += require_one_each(await stands(there, calls), made, calls)
        assert len(made.twilio.messages.all) == due
    sys.stdout.write(f"{kills} kills, {due} calls followed up; a kill found: {dict(found.most_common())}\n")
