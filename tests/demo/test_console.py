"""The call as plain lines: what a pipe gets."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from rich.console import Console as RichConsole

from bench.caller import Conversation
from bench.demo.asked import Asked
from bench.demo.booked import BookedSlot, CallRow
from bench.demo.console import Console
from bench.demo.placed_call import Order, Outcome

CALL = UUID(int=7)
STARTS = "2027-06-15T10:30:00+01:00"
FACTS = [
    {"type": "CallOpened", "call_id": str(CALL), "at_s": 100.0, "carrier_call_id": "CA1"},
    {"type": "AgentSaid", "at_s": 100.2, "turn": 0, "text": "Hello.", "kind": "greeting"},
    {"type": "CallerSaid", "at_s": 104.5, "turn": 1, "text": "A [REDACTED: MEDICAL] [bold]please."},
    {
        "type": "ToolFinished",
        "at_s": 104.6,
        "turn": 1,
        "name": "claim_slot",
        "outcome": "held",
        "duration_ms": 3.2,
        "detail": {"starts": "2027-06-15T10:30:00+01:00", "expires": "2027-06-15T09:40:00+00:00"},
    },
    {"type": "AgentSaid", "at_s": 104.7, "turn": 1, "text": "One moment.", "kind": "filler"},
    {
        "type": "TurnFinished",
        "at_s": 106.0,
        "turn": 1,
        "outcome": "answered",
        "ttfb_ms": 512.0,
        "overhead_ms": 2.5,
        "stages_s": {"speech_end": 104.0, "end_of_turn": 104.5, "first_audio_sent": 104.512},
    },
    {"type": "SomethingNew", "at_s": 106.1},
    {"type": "CallClosed", "at_s": 107.0, "reason": "goodbye", "outcome": "held"},
]
SLOT = BookedSlot(
    hold_id=UUID(int=9),
    state="held",
    expires_at=datetime(2027, 6, 15, 9, 40, tzinfo=UTC),
    starts_at=datetime(2027, 6, 15, 9, 30, tzinfo=UTC),
    ends_at=datetime(2027, 6, 15, 10, 0, tzinfo=UTC),
    service_id=UUID(int=3),
    service="Rhinoplasty consultation",
    practitioner="Dr Patel",
)


def printed() -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(RichConsole(file=out, width=120, highlight=False)), out


def test_a_call_in_plain_lines() -> None:
    console, out = printed()
    for fact in FACTS:
        console.show(fact)
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines[:6] == [
        " 0:00.2  agent    Hello.",
        " 0:04.5  caller   A [REDACTED: MEDICAL] [bold]please.",
        " 0:04.6  tool     claim_slot: held  3 ms",
        " 0:04.6  held     Tuesday 15 June, 10:30, until 10:40:00",
        " 0:04.7  agent    One moment.  (filler)",
        " 0:06.0  turn     1 answered, TTFB 512 ms, of which the gateway 2.5 ms",
    ]
    assert lines[6].lstrip().startswith("end of turn")
    assert lines[6].endswith("500 ms")
    assert lines[7:] == [" 0:07.0  end      goodbye"]


def test_a_turn_tells_what_became_of_guesses() -> None:
    turn = next(fact for fact in FACTS if fact["type"] == "TurnFinished")
    console, out = printed()
    console.show(turn | {"speculated": "eager", "wasted_tokens": 0})
    console.show(turn | {"speculated": "thrown", "wasted_tokens": 812})
    console.show(turn | {"speculated": "thrown", "wasted_tokens": 812, "wasted_characters": 19})
    told = [line.rstrip() for line in out.getvalue().splitlines() if "TTFB" in line]
    assert told[0].endswith("of which the gateway 2.5 ms, begun on a guess (eager)")
    assert told[1].endswith("of which the gateway 2.5 ms, 812 tokens thrown away")
    assert told[2].endswith("of which the gateway 2.5 ms, 812 tokens and 19 characters thrown away")


def outcome(row: CallRow | None, *, heard: int = 1, asked: Asked | None = None) -> Outcome:
    order = Order(Path("call.wav"), b"", [b"\xff"], asked or Asked("tuesday"))
    conversation = Conversation(greeted=True, turns_said=1, gaps_ms=[620], ended="by_agent")
    facts = [fact for fact in FACTS if heard or fact["type"] != "CallerSaid"]
    return Outcome(order, facts, conversation, row=row, wav=Path("out.wav"))


def test_summary_of_a_call_that_went_well() -> None:
    console, out = printed()
    console.summary(outcome(CallRow(CALL, "goodbye", SLOT)))
    text = out.getvalue()
    assert "p50 512 ms, p95 512 ms" in text
    assert "Tuesday 15 June 2027 10:30" in text
    assert str(SLOT.hold_id) in text
    assert "Rhinoplasty" not in text
    assert "out.wav" in text
    assert "the slot asked for is held" in text


def test_a_slot_that_was_booked_is_told_so() -> None:
    console, out = printed()
    booked = replace(SLOT, state="booked", appointment_id=UUID(int=11))
    console.summary(replace(outcome(CallRow(CALL, "goodbye", booked)), can_be_texted=True))
    text = out.getvalue()
    assert "the slot asked for is booked" in text
    assert f"{UUID(int=11)}: booked" in text
    assert str(SLOT.hold_id) not in text


def test_a_booking_is_shown_as_it_is_made() -> None:
    console, out = printed()
    console.show(FACTS[3] | {"name": "confirm_booking", "outcome": "booked", "detail": {"starts": STARTS}})
    assert "booked   Tuesday 15 June, 10:30\n" in out.getvalue()


def test_what_fell_short_is_said() -> None:
    assert outcome(CallRow(CALL, "goodbye", SLOT)).shortcomings == []
    assert outcome(CallRow(CALL, "goodbye", None)).shortcomings == ["no slot is held"]
    texted = replace(outcome(CallRow(CALL, "goodbye", SLOT)), can_be_texted=True)
    assert texted.shortcomings == ["the slot is held, but not booked"]
    assert outcome(CallRow(CALL, "goodbye", SLOT), heard=0).shortcomings == ["0 of 1 turns were understood"]
    (fact,) = outcome(CallRow(CALL, "goodbye", SLOT), asked=Asked("friday")).shortcomings
    assert fact.startswith("the slot held (Tuesday 10:30, service ")
    assert fact.endswith(") is not the one asked for (Friday)")
