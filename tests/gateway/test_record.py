"""A call's record: journal to metrics, feed and Postgres; what Redis does not take is dropped."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
from redis.asyncio import Redis

from booking.calls import open_call
from booking.db import org_transaction
from gateway.feed import Feed, channel
from gateway.journal import CallJournal, Record
from gateway.metrics import Metrics
from gateway.shared_store import SharedStore
from pipeline.events import (
    AgentSaid,
    BargedIn,
    CallerSaid,
    CallFinished,
    JournalEvent,
    ProviderFailed,
    ToolFinished,
    TurnFinished,
)
from tests.conftest import Clinic, Stack

STAGES = {"speech_end": 1.0, "end_of_turn": 1.25, "llm_request": 1.3, "first_audio_sent": 1.8}
TURN: list[JournalEvent] = [
    CallerSaid(1, "I am [REDACTED: PERSON]"),
    ToolFinished(1, "find_slots", "found", 12.0, {"count": "3"}),
    ToolFinished(1, "a name the model made up", "unknown_tool", 1.0),
    AgentSaid(1, "We have three times."),
    BargedIn(1, "We have", 3.0),
    ProviderFailed(1, "tts", "http_500", "retried"),
    TurnFinished(1, STAGES, 800.0, 50.0, "answered", "thrown", 812, 19),
    CallFinished("goodbye", 1, 9_000.0, 95, 7),
]


class Clock:
    def now_s(self) -> float:
        return 7.0


def record(pool: asyncpg.Pool, clinic: Clinic, feed: Feed, metrics: Metrics) -> Record:
    return Record(clinic.claim.org_id, uuid4(), "twilio", "CA1", pool, feed, metrics, Clock())


async def test_turns_are_stored_with_their_words_and_stages(
    pool: asyncpg.Pool, clinic: Clinic, stack: Stack
) -> None:
    metrics, heard = Metrics(), 0

    def answered() -> None:
        nonlocal heard
        heard += 1

    async with SharedStore(stack.redis, metrics, command_s=1) as store:
        kept = record(pool, clinic, Feed(store, metrics, size=100), metrics)
        journal = CallJournal(kept, answered)
        await open_call(
            pool, clinic.claim, call_id=kept.call_id, carrier="twilio", carrier_call_id="CA1",
            started_at=datetime.now(UTC),
        )  # fmt: skip
        journal.record(AgentSaid(0, "Hello.", "greeting"))
        for event in TURN:
            journal.record(event)
        await journal.flush()
    async with org_transaction(pool, clinic.claim) as connection:
        rows = await connection.fetch(
            "select * from call_turns where call_id = $1 order by turn", kept.call_id
        )
    assert [row["outcome"] for row in rows] == ["silent", "answered"]
    said = json.loads(rows[1]["said"])
    assert [each["text"] for each in said] == ["I am [REDACTED: PERSON]", "We have three times."]
    assert (json.loads(rows[1]["stages_s"]), rows[1]["ttfb_ms"], heard) == (STAGES, 800.0, 1)


async def test_metrics_take_no_name_that_the_model_made_up(
    pool: asyncpg.Pool, clinic: Clinic, stack: Stack
) -> None:
    metrics = Metrics()
    async with SharedStore(stack.redis, metrics, command_s=1) as store:
        journal = CallJournal(record(pool, clinic, Feed(store, metrics, size=100), metrics), lambda: None)
        for event in TURN:
            journal.record(event)
    told = metrics.exposition().decode()
    assert 'tool="unknown"' in told
    assert "made up" not in told
    assert metrics.registry.get_sample_value("gateway_turns_total", {"outcome": "answered"}) == 1
    assert metrics.registry.get_sample_value("gateway_turn_ttfb_seconds_sum") == 0.8
    assert metrics.registry.get_sample_value("gateway_turn_speculations_total", {"outcome": "thrown"}) == 1
    assert metrics.registry.get_sample_value("gateway_wasted_tokens_total") == 812 + 95
    assert metrics.registry.get_sample_value("gateway_wasted_characters_total") == 19 + 7


async def test_feed_publishes_public_facts_in_order(pool: asyncpg.Pool, clinic: Clinic, stack: Stack) -> None:
    metrics = Metrics()
    redis = Redis.from_url(stack.redis, protocol=2)
    async with SharedStore(stack.redis, metrics, command_s=1) as store, redis, redis.pubsub() as watching:
        await watching.subscribe(channel(clinic.claim.org_id))
        await watching.get_message(timeout=5)
        feed = Feed(store, metrics, size=100)
        kept = record(pool, clinic, feed, metrics)
        journal = CallJournal(kept, lambda: None)
        for event in TURN:
            journal.record(event)
        await feed.flush()
        seen = [json.loads((await watching.get_message(timeout=5))["data"]) for _ in TURN]
    assert [each["type"] for each in seen] == [type(event).__name__ for event in TURN]
    assert {(each["call_id"], each["at_s"]) for each in seen} == {(str(kept.call_id), 7.0)}
    assert seen[0]["text"] == "I am [REDACTED: PERSON]"
    assert seen[6]["stages_s"] == STAGES


async def test_a_full_feed_drops_the_oldest_and_counts(stack: Stack, clinic: Clinic) -> None:
    metrics = Metrics()
    async with SharedStore(stack.redis, metrics, command_s=1) as store:
        feed = Feed(store, metrics, size=2)
        for number in range(5):
            feed.publish(clinic.claim.org_id, {"n": number})
    assert metrics.registry.get_sample_value("gateway_feed_dropped_total") == 3


async def test_feed_without_redis_holds_nobody_up(clinic: Clinic) -> None:
    metrics = Metrics()
    async with SharedStore("redis://127.0.0.1:9", metrics, command_s=1) as store:
        feed = Feed(store, metrics, size=10)
        feed.publish(clinic.claim.org_id, {"n": 1})
        await feed.flush()
    assert metrics.registry.get_sample_value("gateway_feed_dropped_total") == 1


async def test_turns_that_cannot_be_written_are_counted(
    pool: asyncpg.Pool, clinic: Clinic, stack: Stack
) -> None:
    metrics = Metrics()
    async with SharedStore(stack.redis, metrics, command_s=1) as store:
        journal = CallJournal(record(pool, clinic, Feed(store, metrics, size=100), metrics), lambda: None)
        for event in TURN:
            journal.record(event)
        await pool.close()
        await journal.flush()
    assert metrics.registry.get_sample_value("gateway_turns_unstored_total") == 1
