"""A gateway killed anywhere between the asking for a call and the call's end, again and again, over each of
the four carriers in turn: nobody's telephone rings twice, and each call comes to one end.

pytest tests/proofs/test_killed_placing.py --kills 300
"""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import cycle
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking.calling_rules import CallCarrier, CallingRules, store_calling_rules
from booking.db import open_pool
from booking.follow_up_rules import store_rules
from booking.types import OPERATOR
from tests.booking.following import ALL_DAY, mobile
from tests.conftest import Clinic, Stack, make_clinic
from tests.proofs.beside import beside
from tests.proofs.killing import UNSURE
from tests.proofs.mortals import PATIENT_S, Mortals, Named, mortals
from tests.proofs.rung import Carriers, Rung, carriers

CALLS_AT_ONCE = 3
MOST_DEATHS = 3
LIVES = (150, 500)
"""Turns of the loop at most: in about as many so many calls are asked for, and placed and over."""
LONGEST_LIFE_S = 2.0

_STANDS = """
select id, state, outcome, attempt, carrier_call_id from placed_calls where id = any ($1)
"""
# What time alone does: the carrier is asked, once its list would tell; workers count as dead.
_TIME_PASSES = """
update public.placed_calls set next_at = now()
where next_at > now() and (state <> 'placing' or placing_at <= now() - $1::interval);
"""
_WORKERS_DIE = """
update jobs.pgqueuer set heartbeat = now() - interval '1 hour' where status = 'picked';
update jobs.pgqueuer set execute_after = now() where status = 'queued' and execute_after > now();
"""


@pytest.fixture(scope="module")
def aside(stack: Stack) -> Iterator[Stack]:
    """A database without others' jobs."""
    with beside(stack, "killed_placing") as database:
        yield database


@pytest.fixture
async def shop(aside: Stack) -> Clinic:
    """A clinic that calls at any hour."""
    owner = await asyncpg.connect(aside.postgres.owner)
    try:
        clinic = await make_clinic(owner)
    finally:
        await owner.close()
    async with await open_pool(aside.postgres.app, max_size=1) as pool:
        await store_rules(pool, clinic.claim, ALL_DAY, clinic=clinic.spec.name, actor=OPERATOR)
    return clinic


@dataclass(frozen=True)
class Lives:
    """Gateways that live until they are killed, and the carriers whom they ask for calls."""

    mortals: Mortals
    carriers: Carriers


@asynccontextmanager
async def lives(aside: Stack, shop: Clinic) -> AsyncIterator[Lives]:
    living: list[Mortals] = []
    async with (
        carriers(shop.number, lambda: living[0].url if living else "") as made,
        mortals(aside, shop, made.twilio_url, **made.environment) as begun,
    ):
        living.append(begun)
        yield Lives(begun, made)
        await begun.end()
        await made.people.end()


async def rule(aside: Stack, shop: Clinic, carrier: CallCarrier) -> None:
    """It calls over this carrier, and goes on trying after as many deaths as there may be."""
    rules = replace(CallingRules(), carrier=carrier, most_attempts=MOST_DEATHS + 2)
    async with await open_pool(aside.postgres.app, max_size=1) as pool:
        await store_calling_rules(pool, shop.claim, rules, services=(), actor=OPERATOR)


async def stands(there: asyncpg.Connection, calls: Named) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await there.fetch(_STANDS, [placed_id for placed_id, _ in calls])
    return rows


async def time_passes(there: asyncpg.Connection) -> None:
    await there.execute(_TIME_PASSES, UNSURE)
    await there.execute(_WORKERS_DIE)


async def killed_on_the_way(
    there: asyncpg.Connection, made: Lives, over: Rung, calls: Named, found: Counter[str]
) -> int:
    """So many calls through lives that end somewhere; how many kills there were."""
    kills = 0
    for death in range(random.randint(1, MOST_DEATHS)):
        await made.mortals.begin(random.randrange(random.choice(LIVES)), placed=calls if death == 0 else ())
        await made.mortals.died(within_s=LONGEST_LIFE_S)
        await made.mortals.end()
        kills += 1
        for row in await stands(there, calls):
            rang = bool(over.to(dict(calls)[row["id"]]))
            found[f"{row['state']}, {'rang' if rang else 'not rung'}"] += 1
        await time_passes(there)
    return kills


async def settled(there: asyncpg.Connection, made: Lives, calls: Named) -> None:
    """A gateway that lives brings all to their end."""
    await made.mortals.begin(None)
    async with asyncio.timeout(PATIENT_S):
        while not all(row["state"] in ("ended", "refused") for row in await stands(there, calls)):
            await time_passes(there)
            await asyncio.sleep(0.1)
    await made.mortals.end()


def require_one_each(rows: list[asyncpg.Record], over: Rung, calls: Named) -> int:
    """How many calls were asked for."""
    known: dict[UUID, asyncpg.Record] = {row["id"]: row for row in rows}
    for placed_id, number in calls:
        row, rung = known.get(placed_id), over.to(number)
        if row is None:  # killed before the clinic had asked
            assert rung == []
            continue
        assert rung == [row["carrier_call_id"]], dict(row)
        assert (row["state"], row["outcome"]) == ("ended", "talked"), dict(row)
    return len(known)


@pytest.mark.timeout(3600)
async def test_killed_anywhere_each_call_rings_once_and_comes_to_one_end(
    request: pytest.FixtureRequest, aside: Stack, shop: Clinic, there: asyncpg.Connection
) -> None:
    wanted = int(request.config.getoption("kills", default=None) or 2)
    found, kills, asked = Counter[str](), 0, Counter[str]()
    async with lives(aside, shop) as made:
        in_turn = cycle(made.carriers.over.items())
        while kills < wanted or not asked.total():  # few kills may all come before a call is asked for
            carrier, over = next(in_turn)
            await rule(aside, shop, carrier)
            calls = [(uuid4(), mobile()) for _ in range(CALLS_AT_ONCE)]
            kills += await killed_on_the_way(there, made, over, calls, found)
            await settled(there, made, calls)
            asked[carrier] += require_one_each(await stands(there, calls), over, calls)
        assert Counter({name: over.count() for name, over in made.carriers.over.items()}) == asked
    told = f"{kills} kills, calls placed: {dict(asked)}; a kill found: {dict(found.most_common())}\n"
    sys.stdout.write(told)
