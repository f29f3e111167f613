"""A whole call whose caller refuses to be recorded, books a slot, and agrees after all."""

import io
import json
from typing import Any

import asyncpg

from bench.simulators.replies import Reply
from compliance.vault import MasterKey
from gateway.consent import WITHHELD
from tests.calls.conftest import Calling
from tests.calls.rig import CLAIM, OFFER, ask
from tests.calls.test_canaries import found_in, logged, shown
from tests.compliance.offices import Office
from tests.conftest import Clinic, Stack

__all__ = ["logged"]

LINES = [
    "My glaucoma is worse since the marmalade festival.",
    "Please don't record this call. It is a nose job, in the periwinkle house.",
    "The first one. I have tonsillitis. It is quillfeather at example dot org.",
    "Okay, you can record now. It is my gout as well.",
]
REPLIES = [
    "I see, marmalade.",
    Reply("", (OFFER,)),
    "It is not. Which one of the periwinkle ones?",
    Reply("", (CLAIM,)),
    "It is held for you.",
    "Thank you, noted.",
]
KEPT_BEFORE = ("marmalade", "glaucoma")
WHILE_REFUSED = ("periwinkle", "tonsillitis", "quillfeather")


async def test_a_caller_who_refuses_is_not_recorded_and_is_booked(
    calling: Calling, clinic: Clinic, pool: asyncpg.Pool, stack: Stack, logged: io.StringIO
) -> None:
    office = Office.of(pool, clinic, MasterKey(bytes(range(32))))
    async with calling(LINES, REPLIES, LOG_LEVEL="debug", SPECULATION="off") as made:
        async with made.call() as live:
            await live.agent_answers(500)
            await ask(live)
            await made.events("TurnFinished", 1)
            for _ in LINES[1:]:
                await ask(live)
            made.keeps_hold(live)
        await made.events("TurnFinished", len(LINES))
        said = made.of_kind("CallerSaid") + made.of_kind("AgentSaid")
        places = await shown(made, stack, logged)
        heard = " ".join(str(request.messages) for request in made.chat.requests).casefold()
        tools = made.tools()

    assert [word for word in (*KEPT_BEFORE, *WHILE_REFUSED) if word not in heard] == []
    assert tools == [("find_slots", "found"), ("claim_slot", "held")]
    assert {where: found for where, text in places.items() if (found := found_in(text, WHILE_REFUSED))} == {}
    stored = {where: text for where, text in places.items() if "." in where}  # columns, by their full names
    assert {where: found for where, text in stored.items() if (found := found_in(text, KEPT_BEFORE))} == {}
    shown_in_turn = {turn: {each["text"] for each in said if each["turn"] == turn} for turn in range(1, 5)}
    assert [shown_in_turn[turn] for turn in (2, 3)] == [{WITHHELD}] * 2
    assert "Okay, you can record now. It is my [REDACTED: MEDICAL] as well." in shown_in_turn[4]

    turns = {row["turn"]: row for row in await made.turn_rows()}
    assert [json.loads(turns[turn]["said"]) for turn in (1, 2, 3)] == [[]] * 3
    assert {turns[turn]["outcome"] for turn in (1, 2, 3)} <= {"answered", "interrupted"}
    assert {each["text"] for each in json.loads(turns[4]["said"])} == shown_in_turn[4]
    assert await sealed(office) == [{"medical": "gout"}]
    words = await office.rows("select given, source, call_id from consents order by said_at")
    (call,) = await made.call_rows()
    assert [(row["given"], row["source"], row["call_id"]) for row in words] == [
        (False, "call", call["id"]),
        (True, "call", call["id"]),
    ]
    assert [action for action, _ in await office.audited() if action.startswith("recording")] == [
        "recording_refused",
        "recording_agreed",
    ]
    assert 'gateway_recording_words_total{word="refused"} 1.0' in places["metrics"]


async def sealed(office: Office) -> list[Any]:
    """What the sealed values of the clinic's calls say."""
    notes = [("note", row["id"]) for row in await office.rows("select id from clinical_notes")]
    values = [("value", row["id"]) for row in await office.rows("select id from pii_vault")]
    opened = [await office.read(kind, row_id) for kind, row_id in (*notes, *values)]  # type: ignore[arg-type]
    return [each.values for each in opened if each is not None]
