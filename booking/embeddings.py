"""What passages mean, as a model of embeddings has it: kept beside them, and compared with what was asked.

There is all of this only where the database has the extension vector. One round trip each; what holds for the
vectors (length one, one model at a time) is SQL: `sql/migrations/vector`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from booking import db
from booking.knowledge import FoundPassage
from booking.types import Claim

MOST_DIMENSIONS = 3072
"""What a page of the database holds beside the rest of a row, and what the largest models in use make."""

Vector = Sequence[float]
"""Of length one."""


@dataclass(frozen=True, slots=True)
class Unembedded:
    """A passage whose meaning is not known yet."""

    id: UUID
    heading: str
    body: str


async def has_embeddings(pool: asyncpg.Pool) -> bool:
    """Whether this database was migrated with the extension."""
    there = await db.fetch_value(pool, "select to_regclass('public.knowledge_embeddings') is not null")
    return there is True


async def unembedded(pool: asyncpg.Pool, claim: Claim, model: str, *, limit: int) -> list[Unembedded]:
    """Passages that have no embedding of this model, in reading order; at most 1,000."""
    rows = await db.fetch(pool, claim, "unembedded_knowledge", model, limit)
    return [Unembedded(**row) for row in rows]


async def put_embeddings(pool: asyncpg.Pool, claim: Claim, model: str, vectors: Mapping[UUID, Vector]) -> int:
    """Keep them by passage; how many were kept. A passage that has gone meanwhile is left out.

    Numbers are kept in half precision, three digits of which hold: six are sent.
    """
    written = [f"[{','.join(f'{number:.6g}' for number in vector)}]" for vector in vectors.values()]
    rows = await db.fetch(pool, claim, "put_embeddings", model, list(vectors), written)
    return int(rows[0]["put_embeddings"])


async def drop_other_embeddings(pool: asyncpg.Pool, claim: Claim, model: str) -> int:
    """How many of other models there were."""
    rows = await db.fetch(pool, claim, "drop_other_embeddings", model)
    return int(rows[0]["drop_other_embeddings"])


async def search_by_meaning(
    pool: asyncpg.Pool, claim: Claim, model: str, vector: Vector, *, limit: int
) -> list[FoundPassage]:
    """The passages that mean most nearly the same, best first; at most 50. `score`: the cosine, up to 1.

    Vectors of another model, or of another size, are not looked at.
    """
    rows = await db.fetch(pool, claim, "search_embeddings", model, vector, limit)
    return [FoundPassage(**row) for row in rows]
