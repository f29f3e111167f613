"""Passages found by their meaning: a real database, and a strict endpoint over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest
import structlog

from bench.simulators.embeddings import EmbeddingsFault, EmbeddingsSimulator
from bench.simulators.faults import Refuse
from booking.db import open_pool
from booking.migrate import migrate
from gateway.knowledge.embedding import BrokenOff, Embedder
from gateway.knowledge.embeddings import EmbeddingsClient
from gateway.settings import Embeddings
from tests.conftest import Clinic, Stack, make_clinic
from tests.gateway.knowledge.embedding import PASSAGES, configured, load, searching

PARKING = "Arriving: You may park behind the house."
PEEL = "Prices, Peel: A chemical peel is £90."
ASKED = "Is there anywhere for my automobile?"
"""It shares no word with the passage that answers."""


@pytest.fixture
async def server() -> AsyncIterator[EmbeddingsSimulator]:
    async with EmbeddingsSimulator() as running:
        yield running


@pytest.fixture
async def loaded(pool: asyncpg.Pool, clinic: Clinic, server: EmbeddingsSimulator) -> Clinic:
    """A clinic whose passages are embedded."""
    await load(pool, clinic)
    await embed(pool, clinic, configured(server))
    server.requests.clear()
    return clinic


async def embed(pool: asyncpg.Pool, clinic: Clinic, settings: Embeddings) -> int:
    client = EmbeddingsClient(settings)
    try:
        return await Embedder(pool, clinic.claim, client, settings, first_wait_s=0.01).embed_missing()
    finally:
        await client.aclose()


async def test_a_passage_that_shares_no_word_is_found(
    stack: Stack, pool: asyncpg.Pool, loaded: Clinic, server: EmbeddingsSimulator
) -> None:
    async with searching(stack, pool, None) as by_words:
        assert await by_words.find(loaded, ASKED) == []
    async with searching(stack, pool, configured(server)) as both:
        assert await both.find(loaded, ASKED) == [PARKING]
        assert await both.find(loaded, "How much is a chemical peel?") == [PEEL]
        assert both.outcomes() == {"found": 2}
        assert both.outcomes("gateway_knowledge_seconds") == {"found": 2}
    assert server.requests[0].texts == [ASKED]


async def test_nothing_is_sent_for_small_talk_nor_of_a_clinic_without_documents_or_with_its_own_model(
    stack: Stack, pool: asyncpg.Pool, loaded: Clinic, other_clinic: Clinic, server: EmbeddingsSimulator
) -> None:
    async with searching(stack, pool, configured(server)) as both:
        assert await both.find(loaded, "Yes please, thank you.") == []
        assert await both.find(other_clinic, ASKED) == []
        org_id = loaded.claim.org_id
        assert await both.knowledge.find(org_id, "How much is a peel?", elsewhere=False) == [PEEL]
    assert server.requests == []


async def test_another_clinics_passages_are_never_found(
    stack: Stack, pool: asyncpg.Pool, loaded: Clinic, other_clinic: Clinic, server: EmbeddingsSimulator
) -> None:
    await load(pool, other_clinic, PASSAGES[:1])
    await embed(pool, other_clinic, configured(server))
    async with searching(stack, pool, configured(server, least_similarity=0.0001)) as both:
        assert PARKING not in await both.find(other_clinic, ASKED)
        assert PARKING in await both.find(loaded, ASKED)


async def test_what_is_not_near_enough_is_not_told(
    stack: Stack, pool: asyncpg.Pool, loaded: Clinic, server: EmbeddingsSimulator
) -> None:
    async with searching(stack, pool, configured(server, least_similarity=0.95)) as both:
        assert await both.find(loaded, ASKED) == []
        assert both.outcomes() == {"nothing": 1}


FAULTS = [
    Refuse(401),
    Refuse(429),
    Refuse(503),
    *map(EmbeddingsFault, ("reset", "not_json", "no_data", "one_short", "smaller", "not_finite", "zero")),
]


async def test_an_endpoint_that_fails_leaves_what_was_found_by_words(
    stack: Stack, pool: asyncpg.Pool, loaded: Clinic, server: EmbeddingsSimulator
) -> None:
    """And the next request, which is answered, is another."""
    async with searching(stack, pool, configured(server)) as both:
        for count, fault in enumerate(FAULTS, start=1):
            server.faults.add(fault)
            assert await both.find(loaded, "How much is a peel?") == [PEEL], fault
            assert await both.find(loaded, ASKED) == [PARKING], fault
            assert both.outcomes() == {"failed": count, "found": count}, fault


async def test_nobody_there_leaves_what_was_found_by_words(
    stack: Stack, pool: asyncpg.Pool, loaded: Clinic
) -> None:
    async with searching(stack, pool, configured(None)) as both:
        assert await both.find(loaded, "How much is a peel?") == [PEEL]
        assert both.outcomes() == {"failed": 1}


async def test_an_answer_that_is_late_is_not_waited_for_and_its_connection_stays(
    stack: Stack, pool: asyncpg.Pool, loaded: Clinic, server: EmbeddingsSimulator
) -> None:
    server.takes_s = 1.5
    async with searching(stack, pool, configured(server, query_s=30.0), deadline_s=1.0) as both:
        assert await both.find(loaded, "How much is a peel?") == [PEEL]
        assert both.outcomes() == {"late": 1}
        async with asyncio.timeout(20):
            while not server.requests:  # noqa: ASYNC110 - the simulator's record, of which no event tells
                await asyncio.sleep(0.02)
    assert server.requests[0].status == 200, "it came to its own end"


async def test_a_request_that_nobody_waits_for_any_more_ends_with_the_process(
    stack: Stack, pool: asyncpg.Pool, loaded: Clinic, server: EmbeddingsSimulator
) -> None:
    server.faults.add(EmbeddingsFault("stall"))
    async with searching(stack, pool, configured(server, query_s=600.0), deadline_s=0.3) as both:
        await both.knowledge.documents.get(loaded.claim.org_id)
        await both.find(loaded, ASKED)
        assert both.outcomes() == {"late": 1}


async def test_an_endpoint_that_keeps_failing_is_left_alone_for_a_while(
    stack: Stack, pool: asyncpg.Pool, loaded: Clinic, server: EmbeddingsSimulator
) -> None:
    peel = "How much is a peel?"
    server.faults.add(Refuse(500, message=f"you said: {peel}"), times=3)
    with structlog.testing.capture_logs() as logged:
        async with searching(stack, pool, configured(server, rest_s=600.0)) as both:
            for _ in range(5):
                assert await both.find(loaded, peel) == [PEEL]
            assert both.outcomes() == {"failed": 3, "resting": 2}
    assert len(server.requests) == 3
    assert [each["event"] for each in logged] == ["embeddings_rest"]
    assert peel not in repr(logged)
    async with searching(stack, pool, configured(server, rest_s=0.05)) as both:
        server.faults.add(Refuse(500), times=3)
        for _ in range(3):
            await both.find(loaded, peel)
        await asyncio.sleep(0.06)
        assert await both.find(loaded, ASKED) == [PARKING]


async def test_a_changed_model_finds_nothing_until_passages_are_embedded_anew(
    stack: Stack, pool: asyncpg.Pool, loaded: Clinic, server: EmbeddingsSimulator
) -> None:
    another = configured(server, model="text-embedding-3-large")
    async with searching(stack, pool, another) as both:
        assert await both.find(loaded, ASKED) == []
        assert both.outcomes() == {"nothing": 1}
        assert await embed(pool, loaded, another) == 3
        assert await both.find(loaded, ASKED) == [PARKING]
    async with searching(stack, pool, configured(server)) as before:
        assert await before.find(loaded, ASKED) == [], "those of the model before are gone"


async def test_loading_tries_again_what_a_retry_can_help(
    pool: asyncpg.Pool, clinic: Clinic, server: EmbeddingsSimulator
) -> None:
    await load(pool, clinic)
    server.faults.add(Refuse(503))
    server.faults.add(EmbeddingsFault("one_short"))
    assert await embed(pool, clinic, configured(server, batch=2)) == 3
    assert [(each.status, len(each.texts)) for each in server.requests] == [
        (503, 2),
        (200, 2),
        (200, 2),
        (200, 1),
    ]
    server.requests.clear()
    server.faults.add(Refuse(400))
    with pytest.raises(BrokenOff, match=r"after 0 passages.*http_400"):
        await embed(pool, clinic, configured(server, dimensions=64))
    assert len(server.requests) == 1, "a refusal for good is not asked again"


async def test_loading_goes_on_where_it_was_broken_off(
    pool: asyncpg.Pool, clinic: Clinic, server: EmbeddingsSimulator
) -> None:
    await load(pool, clinic)
    two = configured(server, batch=2)
    server.faults.add(EmbeddingsFault("reset", after=1), times=None)
    with pytest.raises(BrokenOff, match="after 2 passages") as broken:
        await embed(pool, clinic, two)
    assert broken.value.done == 2
    server.faults.clear()
    server.requests.clear()
    assert await embed(pool, clinic, two) == 1
    assert await embed(pool, clinic, two) == 0
    assert [each.texts for each in server.requests] == [["Prices, Filler: A filler is £250."]]


async def test_without_the_extension_passages_are_found_by_their_words(
    stack: Stack, fresh: str, server: EmbeddingsSimulator
) -> None:
    """Said once, when the gateway starts."""
    await migrate(fresh)
    owner = await asyncpg.connect(fresh)
    clinic = await make_clinic(owner)
    await owner.close()
    as_app = urlsplit(stack.postgres.app)._replace(path=urlsplit(fresh).path).geturl()
    with structlog.testing.capture_logs() as logged:
        async with (
            await open_pool(as_app, max_size=2) as pool,
            searching(stack, pool, configured(server)) as by_words,
        ):
            await load(pool, clinic)
            assert await by_words.find(clinic, "How much is a peel?") == [PEEL]
            assert await by_words.find(clinic, ASKED) == []
    assert server.requests == []
    assert [(each["event"], each["log_level"]) for each in logged] == [
        ("embeddings_have_no_table", "warning")
    ]
