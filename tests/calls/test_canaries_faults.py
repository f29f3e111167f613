"""Calls whose providers quote the text back as they fail; and a search that must find, as a guard is off."""

import io
from collections.abc import Callable

import asyncpg
import pytest

from bench.simulators.cartesia import SpeechError
from bench.simulators.faults import DropSocket, Refuse
from compliance.keys import PersonKey
from compliance.redaction import CallRedactor
from gateway import journal
from tests.calls.conftest import Calling
from tests.calls.rig import Rig, ask
from tests.calls.test_canaries import found_in, logged, shown
from tests.conftest import Stack

__all__ = ["logged"]

SAID = "It's about my glaucoma, write to quillfeather@example.org."
LINES = [SAID, SAID]
CANARIES = ("glaucoma", "quillfeather")


def llm_quotes(made: Rig) -> None:
    made.chat.faults.add(Refuse(status=400, message=f"invalid message content: {SAID}"), times=2)


def tts_quotes(made: Rig) -> None:
    """By its machine-readable code, which is the only word of the vendor's that is looked at."""
    made.cartesia.faults.add(SpeechError(status=400, error_code="glaucoma"), times=2)


def stt_quotes(made: Rig) -> None:
    spoken_ms = len(made.deepgram.sessions[0].audio) / 8
    made.deepgram.faults.add(DropSocket(after_audio_ms=spoken_ms + 600, code=1011, reason=SAID))


FAULTS: dict[str, Callable[[Rig], None]] = {"llm": llm_quotes, "tts": tts_quotes, "stt": stt_quotes}


async def found(
    calling: Calling, stack: Stack, log: io.StringIO, fault: Callable[[Rig], None]
) -> dict[str, list[str]]:
    """Where the canaries of such a call are found; that the fault has struck is made sure of."""
    async with calling(LINES, ["Very well."] * 6, LOG_LEVEL="debug") as made:
        async with made.call() as live:
            await live.agent_answers(300)
            fault(made)
            await ask(live, 1.2)
            await ask(live, 1.2)
        await made.events("TurnFinished", 2)
        struck = [*made.chat.faults.struck, *made.cartesia.faults.struck, *made.deepgram.faults.struck]
        assert struck
        places = await shown(made, stack, log)
    return {where: each for where, text in places.items() if (each := found_in(text, CANARIES))}


@pytest.mark.parametrize("provider", FAULTS)
async def test_what_a_provider_quotes_back_is_found_nowhere(
    calling: Calling, stack: Stack, logged: io.StringIO, provider: str
) -> None:
    assert await found(calling, stack, logged, FAULTS[provider]) == {}


def unredacted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CallRedactor, "caller", lambda self, text: text)


def any_word(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(journal, "in_closed_words", lambda event: event)


def unsealed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PersonKey, "seal", lambda self, plain, cell: plain)


WITHOUT: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str, set[str]]] = {
    "redaction": (unredacted, "stt", {"logs", "feed", "public.call_turns.said"}),
    "closed words": (any_word, "tts", {"logs", "feed", "metrics"}),
    "seals": (unsealed, "stt", {"public.clinical_notes.sealed", "public.pii_vault.sealed"}),
}


@pytest.mark.parametrize("guard", WITHOUT)
async def test_without_a_guard_its_sinks_are_found_to_leak(
    calling: Calling, stack: Stack, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    take_away, provider, sinks = WITHOUT[guard]
    take_away(monkeypatch)
    leaking = await found(calling, stack, logged, FAULTS[provider])
    await _clear(stack)
    assert sinks <= leaking.keys()


async def _clear(stack: Stack) -> None:
    """What was kept in the clear on purpose goes, or the next search would find it."""
    admin = await asyncpg.connect(stack.admin)
    try:
        await admin.execute("update call_turns set said = '[]'")
        await admin.execute("delete from clinical_notes")
        await admin.execute("delete from pii_vault")
    finally:
        await admin.close()
