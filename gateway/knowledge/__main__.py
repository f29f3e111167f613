"""`python -m gateway.knowledge`: what a clinic lets the agent know.

    python -m gateway.knowledge load --org 9f… prices.md preparation.pdf opening-hours.html
    python -m gateway.knowledge list --org 9f…
    python -m gateway.knowledge search --org 9f… "how much is lip filler"
    python -m gateway.knowledge remove --org 9f… prices.md
    python -m gateway.knowledge embed --org 9f…

A document goes by its file's name: loaded again it takes the place of what it was, and the very same changes
nothing. Markdown or plain text (UTF-8), PDF, or a web page saved as HTML. Running gateways go by it at once.
What is loaded is told to callers: no document may hold anything of a patient.

With an embeddings endpoint (EMBEDDINGS_MODEL) passages are embedded when they are loaded, to be found by
their meaning too. `embed` does that alone: for what was loaded before there was an endpoint or under another
model, and to go on where loading was broken off.

Of the gateway's settings it reads DATABASE_URL, REDIS_URL, REDIS_S and EMBEDDINGS_…, and needs the first two.

Exit status: 0 when done, 1 if it could not be done, 2 for settings or arguments that make no sense.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from booking.db import open_pool
from booking.embeddings import has_embeddings
from booking.errors import BookingError
from booking.knowledge import list_documents, put_document, remove_document, search
from booking.orgs import load_profile
from booking.types import Claim
from gateway.errors import DocumentUnreadable, EmbeddingsUnavailable, SettingsInvalid, SharedStoreAway
from gateway.knowledge.asked import search_words
from gateway.knowledge.embedding import BrokenOff, Embedder
from gateway.knowledge.embeddings import EmbeddingsClient
from gateway.knowledge.fusion import fuse
from gateway.knowledge.loading import Cut, cut_file
from gateway.knowledge.retrieval import best_of, documents_key
from gateway.metrics import Metrics
from gateway.settings import Embeddings, Library, load_library
from gateway.shared_store import SharedStore
from gateway.tenancy.changes import tell_changed

LOAD_S: Final = 60.0
_SHOWN: Final = 5


class Refused(Exception):
    """What was asked for cannot be done; the message is one line."""


def main(arguments: list[str] | None = None) -> int:
    """See the module."""
    chosen = _parser().parse_args(arguments)
    try:
        library = load_library()
    except SettingsInvalid as fault:
        sys.stderr.write(f"gateway.knowledge: {fault}\n")
        return 2
    try:
        told = asyncio.run(_act(library, chosen))
    except (Refused, BookingError, BrokenOff, EmbeddingsUnavailable) as error:
        sys.stderr.write(f"gateway.knowledge: {error}\n")
        return 1
    sys.stdout.write(told)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gateway.knowledge",
        description="What a clinic lets the agent know.",
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(dest="action", required=True)
    for name, argument, does in (
        ("load", "file", "documents, each in place of what its name held before"),
        ("list", None, "what is loaded"),
        ("search", "words", "the passages that the agent would be told for these words"),
        ("remove", "name", "documents"),
        ("embed", None, "have passages embedded that are not yet"),
    ):
        action = actions.add_parser(name, help=does)
        action.add_argument("--org", type=UUID, required=True, help="the org's id")
        if argument is not None:
            action.add_argument("about", nargs="+", metavar=argument)
    return parser


@dataclass(frozen=True, slots=True)
class _Work:
    """One action on one org's documents."""

    pool: asyncpg.Pool
    store: SharedStore
    claim: Claim
    about: Sequence[str]
    embedder: Embedder | None

    async def load(self) -> str:
        """All are read before the first is kept; they are found by their words before they are embedded."""
        cuts = [(Path(name).name, _cut(Path(name))) for name in self.about]
        told = "".join([await self._kept(name, cut) for name, cut in cuts]) + await self._tell()
        if self.embedder is None:
            return told
        try:
            return told + await self.embed()
        except BrokenOff as broken:
            raise Refused(f"{told}{broken}") from None

    async def list(self) -> str:
        documents = await list_documents(self.pool, self.claim)
        return "".join(
            f"{each.source}\t{each.title}\t{each.chunks} passages\t{each.loaded_at:%Y-%m-%d %H:%M} UTC\n"
            for each in documents
        )

    async def search(self) -> str:
        said = " ".join(self.about)
        by_words = best_of(await search(self.pool, self.claim, search_words(said), limit=_SHOWN))
        by_meaning = [] if self.embedder is None else await self.embedder.nearest(said, limit=_SHOWN)
        scores = {each.id: f"{each.score:.2f}" for each in by_words}
        likenesses = {each.id: f"{each.score:.3f}" for each in by_meaning}
        return "".join(
            f"words {scores.get(each.id, '-')}\tmeaning {likenesses.get(each.id, '-')}\t{each.source}"
            f"\t{each.heading}\n{each.body}\n\n"
            for each in fuse(by_words, by_meaning, limit=_SHOWN)
        )

    async def embed(self) -> str:
        if self.embedder is None:
            raise Refused("there is no EMBEDDINGS_MODEL, or no extension vector in the database")
        done = await self.embedder.embed_missing()
        return f"embedded: {done} passages\n"

    async def remove(self) -> str:
        for name in self.about:
            if not await remove_document(self.pool, self.claim, name):
                raise Refused(f"there is no {name}")
        return f"removed: {', '.join(self.about)}\n" + await self._tell()

    async def _kept(self, name: str, cut: Cut) -> str:
        changed = await put_document(
            self.pool, self.claim, source=name, title=cut.title, digest=cut.digest, passages=cut.passages
        )
        return f"{name}: {f'{len(cut.passages)} passages' if changed else 'as it was'}\n"

    async def _tell(self) -> str:
        try:
            await tell_changed(self.store, documents_key(self.claim.org_id))
        except SharedStoreAway:
            return (
                "Redis does not answer: gateways may go by what was there until CREDENTIALS_REDIS_S is over\n"
            )
        return ""


def _cut(path: Path) -> Cut:
    try:
        return cut_file(path.name, path.read_bytes())
    except OSError as error:
        raise Refused(f"{path.name}: {error.strerror}") from None
    except DocumentUnreadable as error:
        raise Refused(f"{path.name}: {error}") from None


_ACTIONS: Final[Mapping[str, Callable[[_Work], Awaitable[str]]]] = {
    "load": _Work.load,
    "list": _Work.list,
    "search": _Work.search,
    "remove": _Work.remove,
    "embed": _Work.embed,
}


async def _act(library: Library, chosen: argparse.Namespace) -> str:
    async with (
        await open_pool(library.database_url, statement_timeout_s=LOAD_S) as pool,
        SharedStore(library.redis_url, Metrics(), command_s=library.redis_s) as store,
    ):
        claim = Claim(chosen.org)
        if await load_profile(pool, claim) is None:
            raise Refused("there is no such org")
        async with _embedder(library.embeddings, pool, claim) as embedder:
            return await _ACTIONS[chosen.action](
                _Work(pool, store, claim, getattr(chosen, "about", ()), embedder)
            )


@asynccontextmanager
async def _embedder(
    settings: Embeddings | None, pool: asyncpg.Pool, claim: Claim
) -> AsyncIterator[Embedder | None]:
    """None where passages have no embeddings."""
    if settings is None:
        yield None
    elif not await has_embeddings(pool):
        sys.stderr.write("gateway.knowledge: no embeddings without the extension vector\n")
        yield None
    else:
        client = EmbeddingsClient(settings)
        try:
            yield Embedder(pool, claim, client, settings)
        finally:
            await client.aclose()


if __name__ == "__main__":
    sys.exit(main())
