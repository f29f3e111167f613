"""`python -m bench knowledge`: how long a search of a clinic's passages takes, by how many there are.

Real Postgres, the gateway's role and its functions, one clinic's passages at a time beside another clinic's
2,000. The passages' words are drawn as words of a language come: few of them very often (Zipf, exponent 1),
those of prices and times in every third passage, so that a question holds words that a third of all passages
share, as a caller's does. Each search is one question of a caller's, made to words as in a call.

By meaning, the same passages have vectors of a model's size, drawn at random: what a search takes does not
depend on where they point. What asking an endpoint costs besides what the endpoint takes is the last line:
the client of the gateway, and a simulated endpoint in the same process, which answers at once.
"""

import asyncio
import hashlib
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from uuid import uuid4

import asyncpg
import numpy as np

from bench.harness.figures import percentile
from bench.harness.starting import say_starting
from bench.harness.target import TargetUnusable
from bench.simulators.embeddings import EmbeddingsSimulator
from bench.stack.postgres import EmbeddedPostgres, PostgresUrls
from bench.stack.running import running
from booking.clinic import ClinicSpec, ServiceSpec, seed_clinic
from booking.db import open_pool
from booking.embeddings import MOST_DIMENSIONS, Vector, put_embeddings, search_by_meaning, unembedded
from booking.knowledge import Passage, put_document, search
from booking.migrate import migrate
from booking.types import Claim
from gateway.knowledge.asked import search_words
from gateway.knowledge.embeddings import EmbeddingsClient
from gateway.settings import Embeddings

LOAD_S: Final = 300.0
WARM_UP: Final = 10
NEIGHBOURS: Final = 2_000
_HEADER: Final = (
    "| passages | searches | by words, p50 / p95 / p99 ms | by meaning, p50 / p95 / p99 ms | loading s |\n"
    "| --- | --- | --- | --- | --- |"
)
_MODEL: Final = "text-embedding-3-small"
_TOLD: Final = 3
_COMPARED: Final = 12
"""As many as a call looks for where two rankings are to become one."""
_DOCUMENT: Final = 2_000
_BATCH: Final = 500
_VOCABULARY: Final = 8_000
_WORDS: Final = 100
_SYLLABLES: Final = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "al", "en", "or")]
_COMMON: Final = (
    ("price", "cost", "fee", "pounds"),
    ("open", "opening", "hours"),
    ("prepare", "preparation", "avoid"),
    ("minutes", "appointment", "session"),
)
_QUESTIONS: Final = (
    "How much is the {} and the {}?",
    "What are your opening hours for {}?",
    "How should I prepare for my {} before the {}?",
    "How long does a {} appointment take and what does it cost?",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many passages a clinic has, one clinic after the other, and how many searches of each."""

    passages: Sequence[int]
    searches: int
    seed: int = 1
    dimensions: int = 1536


def run_knowledge(plan: Plan) -> int:
    """Print a row for each number of passages. Raises `TargetUnusable`."""
    if plan.dimensions > MOST_DIMENSIONS:
        raise TargetUnusable(f"--dimensions: {MOST_DIMENSIONS:,} at most")
    asyncio.run(_measure(plan))
    return 0


async def _measure(plan: Plan) -> None:
    say_starting()
    async with AsyncExitStack() as closing:
        folder = TemporaryDirectory(prefix="gw-knowledge-", ignore_cleanup_errors=True)
        server = EmbeddedPostgres(Path(closing.enter_context(folder)))
        urls = await closing.enter_async_context(running(server))
        await migrate(urls.owner)
        pool = await closing.enter_async_context(await open_pool(urls.app, statement_timeout_s=LOAD_S))
        print(_HEADER, flush=True)
        words = _Words(random.Random(plan.seed))
        vectors = _Vectors(plan.seed, plan.dimensions)
        neighbour = await _clinic(urls)
        await _load(pool, neighbour, words, NEIGHBOURS)
        await _embed(pool, neighbour, vectors)
        for passages in plan.passages:
            claim = await _clinic(urls)
            began = time.perf_counter()
            await _load(pool, claim, words, passages)
            loaded_s = time.perf_counter() - began
            await _embed(pool, claim, vectors)
            await _analysed(urls)
            questions = words.questions(plan.searches + WARM_UP)
            by_words = [await _searched_ms(pool, claim, said) for said in questions][WARM_UP:]
            asked = vectors.drawn(plan.searches + WARM_UP)
            by_meaning = [await _compared_ms(pool, claim, vector) for vector in asked][WARM_UP:]
            row = (f"{passages:,}", plan.searches, _spread(by_words), _spread(by_meaning), f"{loaded_s:.1f}")
            print(f"| {' | '.join(map(str, row))} |", flush=True)
    print(f"\nasking an endpoint: {_spread(await _asked_ms(plan, words))} ms", flush=True)


async def _clinic(urls: PostgresUrls) -> Claim:
    key = uuid4()
    spec = ClinicSpec(
        key=str(key),
        name="Harley Street Clinic",
        numbers=(f"+4420{key.int % 10**10:010d}",),
        services=(ServiceSpec("Consultation", 30),),
        practitioners=("Dr A",),
    )
    owner = await asyncpg.connect(urls.owner)
    try:
        return await seed_clinic(owner, spec, first_day=datetime.now(UTC).date())
    finally:
        await owner.close()


async def _load(pool: asyncpg.Pool, claim: Claim, words: "_Words", passages: int) -> None:
    made = [words.passage() for _ in range(passages)]
    for at in range(0, passages, _DOCUMENT):
        digest = hashlib.sha256(str(at).encode()).digest()
        await put_document(
            pool, claim, source=f"{at}.md", title="Made", digest=digest, passages=made[at : at + _DOCUMENT]
        )


async def _embed(pool: asyncpg.Pool, claim: Claim, vectors: "_Vectors") -> None:
    while batch := await unembedded(pool, claim, _MODEL, limit=_BATCH):
        ids = [each.id for each in batch]
        await put_embeddings(pool, claim, _MODEL, dict(zip(ids, vectors.drawn(len(ids)), strict=True)))


async def _analysed(urls: PostgresUrls) -> None:
    """As autovacuum leaves it behind."""
    owner = await asyncpg.connect(urls.owner)
    try:
        await owner.execute("vacuum analyze public.knowledge_documents, public.knowledge_chunks")
        await owner.execute("vacuum analyze public.knowledge_terms, public.knowledge_embeddings")
    finally:
        await owner.close()


async def _searched_ms(pool: asyncpg.Pool, claim: Claim, said: str) -> float:
    began = time.perf_counter()
    if not await search(pool, claim, search_words(said), limit=_TOLD):
        raise RuntimeError("a question of words that are there found nothing")
    return (time.perf_counter() - began) * 1000


async def _compared_ms(pool: asyncpg.Pool, claim: Claim, vector: Vector) -> float:
    began = time.perf_counter()
    if not await search_by_meaning(pool, claim, _MODEL, vector, limit=_COMPARED):
        raise RuntimeError("passages that are embedded were not compared")
    return (time.perf_counter() - began) * 1000


async def _asked_ms(plan: Plan, words: "_Words") -> list[float]:
    took_ms = []
    async with EmbeddingsSimulator() as server:
        settings = Embeddings(server.url, "test-key", _MODEL, plan.dimensions)
        client = EmbeddingsClient(settings)
        try:
            for said in words.questions(plan.searches + WARM_UP):
                began = time.perf_counter()
                await client.embed([said], within_s=settings.batch_s)
                took_ms.append((time.perf_counter() - began) * 1000)
        finally:
            await client.aclose()
    return took_ms[WARM_UP:]


def _spread(took_ms: list[float]) -> str:
    return " / ".join(f"{percentile(took_ms, per_cent):.1f}" for per_cent in (50, 95, 99))


class _Vectors:
    """Directions drawn at random."""

    def __init__(self, seed: int, dimensions: int) -> None:
        self._chance = np.random.default_rng(seed)
        self._dimensions = dimensions

    def drawn(self, count: int) -> list[list[float]]:
        rows = self._chance.standard_normal((count, self._dimensions))
        unit: list[list[float]] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).tolist()
        return unit


class _Words:
    """Passages and questions of a made-up language."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        vocabulary = {"".join(chance.choices(_SYLLABLES, k=3)) for _ in range(2 * _VOCABULARY)}
        self._all = sorted(vocabulary)[:_VOCABULARY]
        chance.shuffle(self._all)
        self._weights = [1 / rank for rank in range(1, _VOCABULARY + 1)]

    def passage(self) -> Passage:
        """About as long as a passage may be."""
        said = self._drawn(_WORDS)
        for group in _COMMON:
            if self._chance.random() < 1 / 3:
                said += self._chance.choices(group, k=2)
        self._chance.shuffle(said)
        return Passage(" ".join(self._drawn(3)), " ".join(said))

    def questions(self, count: int) -> Iterator[str]:
        for number in range(count):
            question = _QUESTIONS[number % len(_QUESTIONS)]
            yield question.format(*self._drawn(question.count("{}")))

    def _drawn(self, count: int) -> list[str]:
        return self._chance.choices(self._all, self._weights, k=count)
