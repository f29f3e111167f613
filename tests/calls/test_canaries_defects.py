"""Calls in which our own code breaks while it holds what was said: the words are in the exception alone."""

import io
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import pytest

from bench.carrier import CallOver, LiveCall
from bench.simulators.replies import Reply
from gateway import logs
from gateway.call import Call
from gateway.journal import CallJournal
from gateway.records import CallRecords
from gateway.tools.find_slots import FindSlots
from pipeline.runner import CallRunner
from tests.calls.conftest import Calling
from tests.calls.rig import OFFER, ask
from tests.calls.test_canaries import found_in, logged, shown
from tests.conftest import Stack

__all__ = ["logged"]

SAID = "It's about my sarcoidosis, write to hollyhock@example.org."
CANARIES = ("sarcoidosis", "hollyhock")
Break = Callable[[pytest.MonkeyPatch], None]


class Defect(Exception):
    """What nobody expects, so that no handler knows it."""


def broken(*_args: object, **_kwargs: object) -> NoReturn:
    """The words are in the message, a note, the cause and the locals."""
    words = {"said": SAID}
    defect = Defect(f"cannot deal with {words['said']}")
    defect.add_note(SAID)
    raise defect from KeyError(SAID)


async def broken_later(*_args: object, **_kwargs: object) -> NoReturn:
    broken()


def tool(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FindSlots, "run", broken_later)


def journal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CallJournal, "_take", broken)


def records(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CallRecords, "masked", broken)


def conversation(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CallRunner, "dtmf", broken)


def whole_call(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Call, "_converse", broken_later)


# Where it breaks, and the line by which the log tells of it.
DEFECTS: dict[str, tuple[Break, str]] = {
    "tool": (tool, '"error": "Defect"'),
    "journal": (journal, "journal_failed"),
    "records": (records, "conversation_failed"),
    "conversation": (conversation, "conversation_failed"),
    "call": (whole_call, "call_failed"),
}


async def places_after(calling: Calling, stack: Stack, log: io.StringIO) -> dict[str, str]:
    """Everything kept and shown of a call that says the words, uses a tool and a key, and may end early."""
    replies = [Reply(calls=(OFFER,)), *["Very well."] * 6]
    async with calling([SAID], replies, LOG_LEVEL="debug", SPECULATION="off") as made:
        async with made.call(strict=False) as live:
            with suppress(CallOver):
                await _speak(live)
        return await shown(made, stack, log)


async def _speak(live: LiveCall) -> None:
    await live.agent_answers(300)
    await ask(live)
    await live.press("1#")
    await live.agent_answers(300)


@pytest.mark.parametrize("where", DEFECTS)
async def test_what_a_defect_holds_is_found_nowhere(
    calling: Calling, stack: Stack, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    break_it, told = DEFECTS[where]
    break_it(monkeypatch)
    places = await places_after(calling, stack, logged)
    assert told in places["logs"]
    assert {where: found for where, text in places.items() if (found := found_in(text, CANARIES))} == {}


@pytest.mark.parametrize("where", ["journal", "call"])
async def test_with_whole_tracebacks_it_would_be_found_in_the_log(
    calling: Calling, stack: Stack, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    DEFECTS[where][0](monkeypatch)
    monkeypatch.setattr(logs, "describe", lambda error: "".join(traceback.format_exception(error)))
    places = await places_after(calling, stack, logged)
    assert set(CANARIES) <= set(found_in(places["logs"], CANARIES))
