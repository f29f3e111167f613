"""`python -m gateway.knowledge` with an embeddings endpoint: what it tells, and how it ends."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from bench.simulators.embeddings import EmbeddingsSimulator
from booking.knowledge import list_documents
from gateway.knowledge.__main__ import main
from tests.conftest import Clinic, Stack
from tests.gateway import running

ARRIVING = "# Arriving\n\n## By road\nPlease park behind the house.\n\n## By train\nThe station is near.\n"


async def command(clinic: Clinic, action: str, *about: str) -> int:
    """In a thread: it runs a loop of its own."""
    return await asyncio.to_thread(main, [action, "--org", str(clinic.claim.org_id), *about])


async def test_embedding_that_is_broken_off_keeps_the_document_and_goes_on_later(
    stack: Stack,
    pool: asyncpg.Pool,
    clinic: Clinic,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    document = tmp_path / "arriving.md"
    document.write_text(ARRIVING)
    for name in ("DATABASE_URL", "REDIS_URL", "REDIS_S"):  # and no other setting of a gateway
        monkeypatch.setenv(name, running.environment(stack)[name])
    assert await command(clinic, "embed") == 1
    assert "there is no EMBEDDINGS_MODEL" in capsys.readouterr().err

    async with EmbeddingsSimulator() as server:
        monkeypatch.setenv("EMBEDDINGS_MODEL", "text-embedding-3-small")
        monkeypatch.setenv("EMBEDDINGS_BASE_URL", server.url)
        monkeypatch.setenv("EMBEDDINGS_API_KEY", "revoked")
        assert await command(clinic, "load", str(document)) == 1
        told = capsys.readouterr().err
        assert "arriving.md: 2 passages\n" in told
        assert "broken off after 0 passages: the embeddings endpoint: http_401; load again to go on" in told
        assert [each.source for each in await list_documents(pool, clinic.claim)] == ["arriving.md"]

        monkeypatch.setenv("EMBEDDINGS_API_KEY", "test-key")
        assert await command(clinic, "embed") == 0
        assert capsys.readouterr().out == "embedded: 2 passages\n"
        assert await command(clinic, "search", "is there anywhere for automobiles") == 0
        found = capsys.readouterr().out
        assert found.startswith("words -\tmeaning 0.")
        assert found.endswith("\tarriving.md\tArriving, By road\nPlease park behind the house.\n\n")
