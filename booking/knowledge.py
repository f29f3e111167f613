"""What a clinic lets the agent know: documents in passages, found by their words.

One round trip each. The rules (what a word is, how passages are ranked) are SQL: migration 0040.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from booking import db
from booking.types import Claim


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document: the headings above it, outermost first, and its own text."""

    heading: str
    body: str


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A passage that a search found; `score` compares passages of the same search alone."""

    id: UUID
    source: str
    heading: str
    body: str
    score: float


@dataclass(frozen=True, slots=True)
class LoadedDocument:
    """A document as it was loaded; `source` names it."""

    source: str
    title: str
    chunks: int
    loaded_at: datetime


async def put_document(
    pool: asyncpg.Pool, claim: Claim, *, source: str, title: str, digest: bytes, passages: Sequence[Passage]
) -> bool:
    """Keep a document in place of what its source held before. False if it was the very same already.

    `digest`: SHA-256 of the document and of how it was cut.
    """
    headings = [passage.heading for passage in passages]
    bodies = [passage.body for passage in passages]
    rows = await db.fetch(pool, claim, "put_knowledge", source, title, digest, headings, bodies)
    return rows[0]["put_knowledge"] is True


async def remove_document(pool: asyncpg.Pool, claim: Claim, source: str) -> bool:
    """False if there was none of this source."""
    rows = await db.fetch(pool, claim, "remove_knowledge", source)
    return rows[0]["remove_knowledge"] is True


async def list_documents(pool: asyncpg.Pool, claim: Claim) -> list[LoadedDocument]:
    """By source."""
    rows = await db.fetch(pool, claim, "list_knowledge")
    return [LoadedDocument(**row) for row in rows]


async def search(pool: asyncpg.Pool, claim: Claim, text: str, *, limit: int) -> list[FoundPassage]:
    """The passages that have most to do with the text, best first; at most 50."""
    rows = await db.fetch(pool, claim, "search_knowledge", text, limit)
    return [FoundPassage(**row) for row in rows]
