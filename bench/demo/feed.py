"""The gateway's live feed of public facts: Redis channel `gw:feed:<org>`, one JSON object per fact, words
redacted.

Best effort on both sides: what is missed is missed. The record that counts is in Postgres.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import redis.asyncio as redis
from redis.exceptions import RedisError

Fact = dict[str, Any]
POLL_S = 1.0


class Feed:
    """Facts of one org's calls, from the moment it was opened."""

    def __init__(self, messages: redis.client.PubSub) -> None:
        self._messages = messages

    async def facts(self) -> AsyncIterator[Fact]:
        """Until cancelled, or until Redis is gone. A message that is not a fact is passed over."""
        while True:
            try:
                message = await self._messages.get_message(ignore_subscribe_messages=True, timeout=POLL_S)
            except RedisError:
                return
            fact = _fact(message)
            if fact is not None:
                yield fact


@asynccontextmanager
async def open_feed(redis_url: str, org_id: UUID) -> AsyncIterator[Feed]:
    """Subscribed when the body starts."""
    client = redis.Redis.from_url(redis_url)
    messages = client.pubsub()
    try:
        await messages.subscribe(f"gw:feed:{org_id}")
        await messages.get_message(timeout=POLL_S)
        yield Feed(messages)
    finally:
        await messages.aclose()  # type: ignore[no-untyped-call]
        await client.aclose()


def _fact(message: dict[str, Any] | None) -> Fact | None:
    if message is None or message.get("type") != "message":
        return None
    try:
        fact = json.loads(message["data"])
    except ValueError:
        return None
    return fact if isinstance(fact, dict) and isinstance(fact.get("type"), str) else None
