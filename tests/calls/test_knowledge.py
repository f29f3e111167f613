"""Whole calls: a question about a price is answered from a document that the clinic has loaded."""

import asyncio
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from bench.simulators.embeddings import EmbeddingsSimulator
from bench.simulators.replies import Reply, WireMessage, WireTool
from booking.knowledge import list_documents
from tests.calls.rig import ask, rig
from tests.conftest import Clinic, Stack
from tests.gateway import running

ROOT = Path(__file__).parents[2]
PRICES = """\
# Prices

## Lip filler
A syringe of lip filler costs 250 pounds.

## Laser
Laser hair removal of the legs costs 120 pounds a session.

## Arriving
Please park behind the house.
"""
UNKNOWN = "That I do not know."


class Quoting:
    """A model that reads out the first passage it is told in this turn."""

    def __init__(self) -> None:
        self.sent: list[Sequence[WireMessage]] = []

    def reply(self, messages: Sequence[WireMessage], tools: Sequence[WireTool]) -> Reply:
        self.sent.append(messages)
        told = [str(each.get("content")) for each in messages[1:] if each["role"] == "system"]
        passage = re.search(r"^- .*?: (.+)$", "\n".join(told), re.MULTILINE)
        return Reply(passage[1] if passage else UNKNOWN)


async def load(stack: Stack, clinic: Clinic, path: Path, *arguments: str, **environ: str) -> str:
    """By the command, as a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "gateway.knowledge",
            *arguments,
            "--org",
            str(clinic.claim.org_id),
            str(path),
        ),
        cwd=ROOT,
        env={**os.environ, **running.environment(stack, **environ)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    return told.decode()


async def answers(
    stack: Stack, clinic: Clinic, pool: asyncpg.Pool, model: Quoting, lines: list[str], **environ: str
) -> str:
    """All that the agent says in a call in which these lines are said."""
    async with (
        rig(stack, clinic, pool, lines=lines, model=model, **environ) as made,
        made.call() as live,
    ):
        await live.agent_answers(500)
        for _ in lines:
            await ask(live)
        return " ".join(text for context in made.cartesia.contexts for text in context.texts)


async def test_a_price_is_told_from_a_loaded_document(
    stack: Stack, clinic: Clinic, pool: asyncpg.Pool, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.md"
    prices.write_text(PRICES)
    assert await load(stack, clinic, prices, "load") == "prices.md: 3 passages\n"
    async with EmbeddingsSimulator() as server:
        meaning = {
            "EMBEDDINGS_BASE_URL": server.url,
            "EMBEDDINGS_API_KEY": "test-key",
            "EMBEDDINGS_MODEL": "text-embedding-3-small",
        }
        told = await load(stack, clinic, prices, "load", **meaning)
        assert told == "prices.md: as it was\nembedded: 3 passages\n"
        [document] = await list_documents(pool, clinic.claim)
        assert (document.source, document.title, document.chunks) == ("prices.md", "Prices", 3)
        model = Quoting()
        lines = ["How much is lip filler?", "Is there anywhere for automobiles?", "Thank you."]
        said = await answers(stack, clinic, pool, model, lines, KNOWLEDGE_DEADLINE_S="2", **meaning)
    assert "costs 250 pounds" in said
    assert "park behind the house" in said, "it shares no word with the question"
    assert UNKNOWN in said, "passages are told for their turn alone"
    assert system_messages(model.sent[0]) == 2
    assert system_messages(model.sent[-1]) == 1


async def test_a_clinic_without_documents_is_told_nothing(
    stack: Stack, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    model = Quoting()
    said = await answers(stack, clinic, pool, model, ["How much is lip filler?"])
    assert {system_messages(sent) for sent in model.sent} == {1}
    assert UNKNOWN in said


def system_messages(sent: Sequence[WireMessage]) -> int:
    return [each["role"] for each in sent].count("system")
