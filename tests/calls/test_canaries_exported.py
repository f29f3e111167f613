"""What a collector of spans gets and what stands in Redis; and both searches with the guard taken away."""

import io
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
from redis.asyncio import Redis

from bench.simulators.cartesia import SpeechError
from bench.simulators.replies import Call, Reply
from booking.types import OPERATOR
from compliance.vault import MasterKey, Vault
from gateway import journal, tracing
from gateway.composition import desk as composed
from gateway.tenancy.cache import Source
from gateway.tenancy.credentials import SealedKeys, credentials_source, shared_key
from gateway.tenancy.secrets import OrgSecrets
from pipeline import toolbox
from pipeline.events import ToolFinished
from tests.calls.conftest import Calling
from tests.calls.rig import OFFER, ask
from tests.calls.test_canaries import found_in, logged, shown
from tests.calls.test_spans import Collector, collector
from tests.conftest import Clinic, Stack

__all__ = ["collector", "logged"]

LINES = [
    "My name is Ambrosia Thistlewood, it's my endometriosis.",
    "It's thistlewood@example.org, oh seven seven double oh nine hundred seven eight nine, near ZE3 9JX.",
]
CANARIES = (
    "ambrosia",
    "thistlewood",
    "endometriosis",
    "seven seven double oh",
    "07700900789",
    "ze3 9jx",
    "ze39jx",
)


def name_said(_messages: object, _tools: object) -> Reply:
    """A model that makes up a tool, named by what was said."""
    return Reply("", (Call("endometriosis", {"name": "Ambrosia Thistlewood"}),))


async def exported(calling: Calling, collector: Collector) -> str:
    """Everything that a collector gets of a call with two tools and a vendor's fault."""
    otel = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "SPECULATION": "off"}
    replies = [Reply(calls=(OFFER,)), name_said, *["Thank you, Ambrosia."] * 4]
    async with calling(LINES, replies, **otel) as made, made.call() as live:
        await live.agent_answers(300)
        await ask(live)
        made.cartesia.faults.add(SpeechError(status=400, error_code="endometriosis"))
        await ask(live)
    assert {"call", "turn", "execute_tool find_slots"} <= set(collector.names())
    assert len(made.of_kind("CallerSaid")) == len(LINES)
    assert made.of_kind("ProviderFailed")
    return b"".join(collector.bodies).decode("utf-8", errors="replace")


async def test_no_span_of_a_call_holds_a_word_of_it(calling: Calling, collector: Collector) -> None:
    sent = await exported(calling, collector)
    assert "execute_tool unknown" in sent
    assert found_in(sent, CANARIES) == []


def its_own_name(turn: int, name: str, *rest: Any) -> ToolFinished:
    """A tool that ended, told of by the name that the model gave it."""
    return ToolFinished(turn, "endometriosis" if name == "unknown" else name, *rest)


async def test_without_closed_names_of_tools_the_word_is_found(
    calling: Calling, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three keep a model's word from being one: who runs the tools, the journal, and the spans themselves."""
    monkeypatch.setattr(toolbox, "ToolFinished", its_own_name)
    monkeypatch.setattr(journal, "in_closed_words", lambda event: event)
    monkeypatch.setattr(tracing, "tool_name", str)
    assert found_in(await exported(calling, collector), CANARIES) == ["endometriosis"]


SECRET = "sk-thistledown-4711"
MASTER = MasterKey(bytes(range(32)))


async def key_found(
    calling: Calling, stack: Stack, clinic: Clinic, pool: asyncpg.Pool, log: io.StringIO
) -> dict[str, str]:
    """Where the key is found that a clinic has of its own for the model, after a call."""
    vault = Vault([MASTER])
    await OrgSecrets(pool, vault).keep(clinic.claim, "llm", SECRET, actor=OPERATOR)
    async with calling([], [], LOG_LEVEL="debug") as made:
        async with made.call() as live:
            await live.agent_answers(300)
        places = await shown(made, stack, log)
    assert shared_key(clinic.claim.org_id) in places["redis"]
    async with Redis.from_url(stack.redis) as redis:
        await redis.delete(shared_key(clinic.claim.org_id))
    return {where: text for where, text in places.items() if found_in(text, [SECRET])}


async def test_a_clinics_own_key_is_found_nowhere(
    calling: Calling, stack: Stack, clinic: Clinic, pool: asyncpg.Pool, logged: io.StringIO
) -> None:
    assert (await key_found(calling, stack, clinic, pool, logged)).keys() == set()


def opened_source(pool: asyncpg.Pool) -> Source[UUID, SealedKeys]:
    """Puts the keys themselves into Redis."""

    def dump(keys: SealedKeys) -> bytes:
        return msgspec.msgpack.encode({"llm": SECRET.encode(), "sealed": dict(keys.sealed)})

    return replace(credentials_source(pool), dump=dump)


async def test_a_key_in_the_clear_is_found_in_redis(
    calling: Calling,
    stack: Stack,
    clinic: Clinic,
    pool: asyncpg.Pool,
    logged: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(composed, "credentials_source", opened_source)
    assert (await key_found(calling, stack, clinic, pool, logged)).keys() == {"redis"}
