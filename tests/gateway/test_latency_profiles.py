"""Latency profiles over a real Redis: shared by replicas, switched by one of them, kept without it."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from booking.audit import page_of_records
from gateway.feed import Feed
from gateway.gear import turbo_settings
from gateway.journal import CallJournal, Record
from gateway.latency import LatencyRules
from gateway.latency_profiles import FRESH_S, LatencyProfiles
from gateway.metrics import Metrics
from gateway.settings import load
from gateway.shared_store import SharedStore
from pipeline.events import TurnFinished
from tests.conftest import Clinic, Stack
from tests.gateway import running

RULES = LatencyRules(min_turns=20, turns=50, hold_s=600.0, calm_s=300.0)


class Now:
    at_s = 1_000_000.0

    def __call__(self) -> float:
        return self.at_s


class FailsAt:
    """The call's clock, at the instant when its replies fail."""

    def __init__(self, at_s: float) -> None:
        self._at_s = at_s

    def now_s(self) -> float:
        return self._at_s


class Replicas:
    """Processes with one Redis and one clock."""

    def __init__(self, store: SharedStore, pool: asyncpg.Pool) -> None:
        self.now, self.metrics = Now(), Metrics()
        self.made = [LatencyProfiles(store, pool, self.metrics, RULES, now_s=self.now) for _ in range(2)]

    async def answer(self, clinic: Clinic, ttfb_ms: float, turns: int = 20) -> None:
        """Turns that fall on the replicas in turn."""
        for number in range(turns):
            self.now.at_s += 0.01
            replica = self.made[number % 2]
            replica.waited(clinic.claim.org_id, ttfb_ms)
            await replica.settle()

    async def profiles(self, clinic: Clinic) -> list[str]:
        self.now.at_s += FRESH_S + 1
        return [await each.profile(clinic.claim.org_id) for each in self.made]

    def switches(self, profile: str) -> float:
        return (
            self.metrics.registry.get_sample_value("gateway_latency_switches_total", {"profile": profile})
            or 0
        )


@pytest.fixture
async def replicas(stack: Stack, pool: asyncpg.Pool) -> AsyncIterator[Replicas]:
    async with running.shared_store(stack) as store:
        yield Replicas(store, pool)


@pytest.fixture
async def alone(pool: asyncpg.Pool) -> AsyncIterator[Replicas]:
    """Replicas whose Redis is away."""
    async with SharedStore("redis://127.0.0.1:9", Metrics(), command_s=0.2) as store:
        yield Replicas(store, pool)


async def actions(pool: asyncpg.Pool, clinic: Clinic) -> list[str]:
    records = await page_of_records(pool, clinic.claim, limit=100)
    return [each.action for each in records if each.subject_kind == "latency_profile"]


async def test_turns_of_all_replicas_switch_an_org_once(
    replicas: Replicas, clinic: Clinic, other_clinic: Clinic, pool: asyncpg.Pool
) -> None:
    await replicas.answer(other_clinic, 300.0)
    await replicas.answer(clinic, 900.0, turns=19)
    assert await replicas.profiles(clinic) == ["normal", "normal"]
    await replicas.answer(clinic, 900.0)
    assert await replicas.profiles(clinic) == ["turbo", "turbo"]
    assert await replicas.profiles(other_clinic) == ["normal", "normal"]
    assert (replicas.switches("turbo"), await actions(pool, clinic)) == (1, ["latency_turbo"])


@pytest.mark.parametrize("state", [b"", b"not JSON", b'{"profile":"overdrive"}'])
async def test_a_state_that_nobody_can_read_costs_no_call_and_is_written_over(
    replicas: Replicas, clinic: Clinic, stack: Stack, state: bytes
) -> None:
    async with running.shared_store(stack) as store:
        await store.put(f"gw:latency:state:{clinic.claim.org_id}", state, 60)
    assert await replicas.profiles(clinic) == ["normal", "normal"]
    await replicas.answer(clinic, 900.0)
    assert await replicas.profiles(clinic) == ["turbo", "turbo"]


async def test_turns_that_wait_together_are_judged_together(
    replicas: Replicas, clinic: Clinic, other_clinic: Clinic
) -> None:
    replica, _ = replicas.made
    for _ in range(20):
        replicas.now.at_s += 0.01
        replica.waited(clinic.claim.org_id, 900.0)
        replica.waited(other_clinic.claim.org_id, 300.0)
    await replica.settle()
    counted = replicas.metrics.registry.get_sample_value
    judged = {"status": "critical", "profile": "normal"}, {"status": "acceptable", "profile": "normal"}
    assert [counted("gateway_latency_judged_total", labels) for labels in judged] == [20, 20]
    assert await replicas.profiles(clinic) == ["turbo", "turbo"]
    assert await replicas.profiles(other_clinic) == ["normal", "normal"]


async def test_an_org_comes_back_when_it_has_been_fast_for_a_time(
    replicas: Replicas, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    await replicas.answer(clinic, 900.0)
    replicas.now.at_s += RULES.hold_s
    await replicas.answer(clinic, 400.0, turns=22)
    assert await replicas.profiles(clinic) == ["turbo", "turbo"]
    replicas.now.at_s += RULES.calm_s
    await replicas.answer(clinic, 400.0)
    assert await replicas.profiles(clinic) == ["normal", "normal"]
    assert await actions(pool, clinic) == ["latency_normal", "latency_turbo"]


async def test_an_org_with_few_calls_comes_back_by_the_next_turn(
    replicas: Replicas, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    await replicas.answer(clinic, 900.0)
    replicas.now.at_s += RULES.hold_s + RULES.window_s
    assert await replicas.profiles(clinic) == ["turbo", "turbo"]
    await replicas.answer(clinic, 400.0, turns=1)
    assert await replicas.profiles(clinic) == ["normal", "normal"]
    assert await actions(pool, clinic) == ["latency_normal", "latency_turbo"]


async def test_turns_that_fail_unheard_are_slow_turns(
    replicas: Replicas, clinic: Clinic, pool: asyncpg.Pool, stack: Stack
) -> None:
    """As the journal of a call tells them, from a model that answers nothing before its deadline."""
    metrics, profiles = Metrics(), replicas.made[0]
    async with running.shared_store(stack) as store:
        record = Record(
            clinic.claim.org_id,
            uuid4(),
            "twilio",
            "CA1",
            pool,
            Feed(store, metrics, size=100),
            metrics,
            FailsAt(12.0),
            latency=profiles,
        )
        journal = CallJournal(record, lambda: None)
        for turn in range(RULES.min_turns):
            journal.record(TurnFinished(turn, {"speech_end": 4.0, "end_of_turn": 4.5}, None, None, "failed"))
        await profiles.settle()
    [line] = await replicas.made[1].report(clinic.claim.org_id)
    assert (line.figures.p50_ms, line.figures.status) == (8_000.0, "critical")
    assert line.state.profile == "turbo"


async def test_two_replicas_that_see_the_same_turn_critical_switch_once(
    replicas: Replicas, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    await replicas.answer(clinic, 900.0, turns=19)
    for replica in replicas.made:
        replica.waited(clinic.claim.org_id, 900.0)
    await asyncio.gather(*(replica.settle() for replica in replicas.made))
    assert (replicas.switches("turbo"), await actions(pool, clinic)) == (1, ["latency_turbo"])


async def test_what_is_kept_in_redis_is_bounded(replicas: Replicas, clinic: Clinic, stack: Stack) -> None:
    await replicas.answer(clinic, 300.0, turns=70)
    async with running.shared_store(stack) as store:
        assert len(await store.newest(f"gw:latency:turns:{clinic.claim.org_id}", 1_000)) == RULES.turns
    replicas.now.at_s += RULES.window_s + 1
    await replicas.answer(clinic, 300.0, turns=1)
    [line] = await replicas.made[0].report(clinic.claim.org_id)
    assert (line.figures.turns, line.figures.status) == (1, "unknown")


async def test_without_redis_a_replica_goes_by_its_own_turns(
    alone: Replicas, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    await alone.answer(clinic, 900.0, turns=39)
    assert await alone.profiles(clinic) == ["turbo", "normal"]
    assert await actions(pool, clinic) == ["latency_turbo"]
    [line] = await alone.made[0].report(clinic.claim.org_id)
    assert line.state.profile == "turbo"


async def test_an_org_that_nobody_knows_stops_nobody(replicas: Replicas, clinic: Clinic) -> None:
    stranger = uuid4()
    for _ in range(20):
        replicas.made[0].waited(stranger, 900.0)
    await replicas.made[0].settle()
    await replicas.answer(clinic, 900.0)
    assert await replicas.profiles(clinic) == ["turbo", "turbo"]


async def test_switched_off_nobody_changes(stack: Stack, pool: asyncpg.Pool, clinic: Clinic) -> None:
    async with running.shared_store(stack) as store:
        profiles = LatencyProfiles(store, pool, Metrics(), RULES, switches=False)
        for _ in range(25):
            profiles.waited(clinic.claim.org_id, 900.0)
        await profiles.settle()
        [line] = await profiles.report(clinic.claim.org_id)
        assert await profiles.profile(clinic.claim.org_id) == "normal"
    assert (line.figures.status, line.state.profile) == ("critical", "normal")


@pytest.mark.parametrize(
    ("usual", "turbo", "chosen"),
    [
        ({}, {}, ("flux-general-en", "gpt-4.1-mini", "sonic-3")),
        ({"STT_MODEL": "nova-3"}, {}, ("flux-general-en", "gpt-4.1-mini", "sonic-3")),
        ({"STT_MODEL": "nova-3-medical"}, {}, ("nova-3-medical", "gpt-4.1-mini", "sonic-3")),
        ({"STT_MODEL": "flux-general-multi"}, {}, ("flux-general-multi", "gpt-4.1-mini", "sonic-3")),
        (
            {"STT_MODEL": "nova-3"},
            {"TURBO_STT_MODEL": "nova-2", "TURBO_LLM_MODEL": "small", "TURBO_TTS_MODEL": "sonic-3.5"},
            ("nova-2", "small", "sonic-3.5"),
        ),
    ],
)
def test_turbo_has_the_fastest_at_hand_that_does_the_same_work(
    stack: Stack, usual: dict[str, str], turbo: dict[str, str], chosen: tuple[str, str, str]
) -> None:
    settings = load({**running.environment(stack), "LLM_MODEL": "gpt-4.1-mini", **usual, **turbo}, None)
    geared = turbo_settings(settings)
    assert (geared.stt.model, geared.llm.model, geared.tts.model) == chosen
    assert geared.conversation["speculation"] == "interim"
