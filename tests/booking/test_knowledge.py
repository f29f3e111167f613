"""What a clinic lets the agent know, in a real Postgres: loaded, found, taken away, another's never seen."""

import hashlib
import json

import asyncpg
import pytest

from booking.db import claims_json, org_transaction
from booking.knowledge import (
    FoundPassage,
    Passage,
    list_documents,
    put_document,
    remove_document,
    search,
)
from tests.conftest import Clinic

PRICES = [
    Passage("Prices, Lip filler", "A syringe of lip filler is £250. A second one on the same day is £180."),
    Passage("Prices, Consultation", "A consultation costs £50, taken off the price of the treatment."),
    Passage("Prices, Laser", "Laser hair removal of the legs: £120 a session."),
]
PREPARATION = [
    Passage("Before your treatment", "Take no aspirin for a week before a filler. Please arrive early."),
    Passage("Parking", "There is a car park behind the house; it is free for patients."),
]


async def put(pool: asyncpg.Pool, clinic: Clinic, source: str, passages: list[Passage]) -> bool:
    digest = hashlib.sha256(repr(passages).encode()).digest()
    return await put_document(
        pool, clinic.claim, source=source, title=source.title(), digest=digest, passages=passages
    )


async def found(pool: asyncpg.Pool, clinic: Clinic, text: str, limit: int = 3) -> list[FoundPassage]:
    return await search(pool, clinic.claim, text, limit=limit)


@pytest.mark.parametrize(
    ("asked", "heading"),
    [
        ("How much is lip filler?", "Prices, Lip filler"),
        ("what do consultations cost", "Prices, Consultation"),
        ("where can I park my car", "Parking"),
        ("is there anything I should not take before a filler", "Before your treatment"),
        ("lasers for my legs", "Prices, Laser"),
    ],
)
async def test_the_passage_that_answers_comes_first(
    pool: asyncpg.Pool, clinic: Clinic, asked: str, heading: str
) -> None:
    await put(pool, clinic, "prices", PRICES)
    await put(pool, clinic, "preparation", PREPARATION)
    passages = await found(pool, clinic, asked)
    assert passages[0].heading == heading
    assert [each.score for each in passages] == sorted((each.score for each in passages), reverse=True)


async def test_what_shares_no_word_is_not_found(pool: asyncpg.Pool, clinic: Clinic) -> None:
    await put(pool, clinic, "prices", PRICES)
    assert await found(pool, clinic, "Do you validate parking?") == []
    assert await found(pool, clinic, "") == []
    assert await found(pool, clinic, "'); drop table --  & | ! :* <->") == []


async def test_the_same_again_changes_nothing_and_another_takes_its_place(
    pool: asyncpg.Pool, clinic: Clinic
) -> None:
    assert await put(pool, clinic, "prices", PRICES)
    before = await list_documents(pool, clinic.claim)
    assert not await put(pool, clinic, "prices", PRICES)
    assert await list_documents(pool, clinic.claim) == before
    assert await put(pool, clinic, "prices", PRICES[1:])
    [document] = await list_documents(pool, clinic.claim)
    assert (document.source, document.title, document.chunks) == ("prices", "Prices", 2)
    assert document.loaded_at > before[0].loaded_at
    assert await found(pool, clinic, "lip filler") == []
    assert await remove_document(pool, clinic.claim, "prices")
    assert not await remove_document(pool, clinic.claim, "prices")
    assert await list_documents(pool, clinic.claim) == []
    async with org_transaction(pool, clinic.claim) as connection:
        assert await connection.fetchval("select count(*) from public.knowledge_terms") == 0


async def test_a_passage_written_by_hand_is_found_too(pool: asyncpg.Pool, clinic: Clinic) -> None:
    await put(pool, clinic, "prices", PRICES)
    async with org_transaction(pool, clinic.claim) as connection:
        await connection.execute(
            "update public.knowledge_chunks set body = 'Botulinum is £300.' where heading like '%Laser'"
        )
    [passage, *_] = await found(pool, clinic, "botulinum")
    assert passage.body == "Botulinum is £300."


async def test_another_clinics_is_never_found(
    pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    await put(pool, other_clinic, "prices", PRICES)
    assert await found(pool, clinic, "How much is lip filler?") == []
    assert await list_documents(pool, clinic.claim) == []
    assert not await remove_document(pool, clinic.claim, "prices")
    assert len(await found(pool, other_clinic, "lip filler")) == 1


async def test_a_search_reads_its_own_clinics_rows_alone(
    pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic, other_clinic: Clinic
) -> None:
    """Pages, as PostgreSQL counts them, before and after another clinic has loaded a thousand passages."""
    await put(pool, clinic, "prices", PRICES)
    before = await pages(pool, clinic)
    many = [Passage(f"Prices {n}", f"Treatment {n}: lip filler and laser are £{n}.") for n in range(1000)]
    await put(pool, other_clinic, "prices", many)
    await owner.execute("analyze public.knowledge_chunks, public.knowledge_terms")
    assert await pages(pool, clinic) <= before + 20


async def test_a_word_of_every_passage_is_ranked_from_indexes_alone(
    pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic
) -> None:
    """Fewer pages than passages: a passage that is ranked and not told is never fetched."""
    many = [Passage(f"Prices {n}", f"Treatment {n}: lip filler and laser are £{n}.") for n in range(1000)]
    await put(pool, clinic, "prices", many)
    await owner.execute("set synchronous_commit = on")  # vacuum takes for visible what is in the log's file
    await owner.execute("analyze public.knowledge_chunks, public.knowledge_terms")
    await owner.execute("vacuum public.knowledge_chunks, public.knowledge_terms")
    assert await pages(pool, clinic) < 200


async def pages(pool: asyncpg.Pool, clinic: Clinic) -> int:
    """Of a search on a connection that has planned it already."""
    explain = (
        "explain (analyze, buffers, format json)"
        " select * from app.search_knowledge(app.arm($1), 'how much is lip filler', 3)"
    )
    async with pool.acquire() as connection:
        for _ in range(7):
            plan = await connection.fetchval(explain.replace("$1", f"'{claims_json(clinic.claim)}'"))
    shared: int = json.loads(plan)[0]["Plan"]["Shared Hit Blocks"]
    return shared
