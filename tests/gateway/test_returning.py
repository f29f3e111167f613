"""Callers who have been here before: found in time or not at all, and their name kept out of records."""

import asyncio
import time
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from booking.db import open_pool
from booking.orgs import load_profile
from booking.types import ReturningCaller
from compliance.redaction import CallRedactor
from gateway.clock import MonotonicClock
from gateway.metrics import Metrics
from gateway.prompt import system_prompt
from gateway.returning import HIDDEN, ReturningCallers, without_name
from tests.booking.patients import make_sealer, new_phone
from tests.conftest import Clinic, Stack

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def callers(pool: asyncpg.Pool, deadline_s: float = 5.0) -> ReturningCallers:
    return ReturningCallers(pool, make_sealer(), MonotonicClock(), Metrics(), deadline_s)


def outcome(of: ReturningCallers, name: str) -> float | None:
    return of.metrics.registry.get_sample_value("gateway_caller_lookup_seconds_count", {"outcome": name})


async def test_a_slow_database_makes_a_new_caller_in_time(
    pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic
) -> None:
    slow = callers(pool, deadline_s=0.05)
    async with owner.transaction():
        await owner.execute("lock table contacts in access exclusive mode")
        began_s = time.monotonic()
        assert await slow.find(clinic.claim.org_id, new_phone(), uuid4()) is None
        assert time.monotonic() - began_s < 3
    assert outcome(slow, "late") == 1


async def test_a_database_that_is_away_and_a_number_that_is_none_make_a_new_caller(
    stack: Stack, clinic: Clinic
) -> None:
    pool = await open_pool(stack.postgres.app, max_size=1)
    odd = callers(pool)
    assert await odd.find(clinic.claim.org_id, "+266696687?", uuid4()) is None
    assert await odd.find(clinic.claim.org_id, new_phone(), uuid4()) is None
    assert (outcome(odd, "failed"), outcome(odd, "new")) == (1, 1)
    await pool.close()
    assert await odd.find(clinic.claim.org_id, new_phone(), uuid4()) is None
    assert outcome(odd, "failed") == 2


async def test_cancelling_a_look_up_ends_it(
    pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic
) -> None:
    async with owner.transaction():
        await owner.execute("lock table contacts in access exclusive mode")
        looking = asyncio.create_task(callers(pool).find(clinic.claim.org_id, new_phone(), uuid4()))
        await asyncio.wait({looking}, timeout=0.05)
        looking.cancel()
        await asyncio.wait({looking})
    assert looking.cancelled()


@pytest.mark.parametrize(
    ("caller", "told", "untold"),
    [
        (
            ReturningCaller(uuid4()),
            ["returning caller", "Call nobody by a name"],
            ["may well ring", "texts:"],
        ),
        (ReturningCaller(uuid4(), "Anna"), ["first name may be Anna"], ["Call nobody"]),
        (ReturningCaller(uuid4(), has_upcoming=True), ["may well ring about an appointment"], []),
        (ReturningCaller(uuid4(), texts="refused"), ["want no texts but codes"], []),
        (ReturningCaller(uuid4(), texts="stopped"), ["another mobile number"], []),
        (ReturningCaller(uuid4(), texts="agreed"), [], ["texts but", "another mobile"]),
    ],
)
async def test_the_model_is_told_what_it_may_act_on(
    pool: asyncpg.Pool, clinic: Clinic, caller: ReturningCaller, told: list[str], untold: list[str]
) -> None:
    profile = await load_profile(pool, clinic.claim)
    assert profile is not None
    new, known = system_prompt(profile, NOW), system_prompt(profile, NOW, caller)
    added = known.removeprefix(new)
    assert added != known
    assert "it proves nothing" in added
    assert all(words in added for words in told)
    assert not any(words in added for words in untold)
    assert str(caller.contact_id) not in added


def test_a_name_that_is_a_word_too_is_hidden_on_both_sides() -> None:
    redactor = without_name(CallRedactor(), ReturningCaller(uuid4(), "Will"))
    assert redactor.agent("Thank you Will, I will look.") == f"Thank you {HIDDEN}, I will look."
    assert redactor.caller("Will here.") == f"{HIDDEN} here."
    plain = CallRedactor()
    assert without_name(plain, ReturningCaller(uuid4())) is plain
    assert without_name(plain, None) is plain
