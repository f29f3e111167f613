"""Whole calls that go on from a held slot to an appointment, by a code that the caller types or reads out.

The scripted receptionist leads them by the prompt and the tools that any model gets.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from bench.carrier import LiveCall
from bench.simulators import twilio_messages as numbers
from bench.simulators.faults import Refuse
from bench.simulators.receptionist import Receptionist
from bench.simulators.replies import Call, Reply, WireMessage, WireTool
from booking.db import org_transaction
from booking.holds import claim_slot, release_hold
from booking.slots import next_available
from booking.types import Held
from tests.calls.conftest import Calling
from tests.calls.rig import CLAIM, OFFER, Rig, ask, rig, say
from tests.conftest import Clinic, Stack

CALLER = "+447700900123"
WANTS, CHOOSES, BYE = "I'd like a rhinoplasty consultation.", "The first one please.", "That's all, goodbye."
LINES = [WANTS, CHOOSES]
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
Booking = Callable[..., AbstractAsyncContextManager[tuple[Rig, LiveCall]]]


@pytest.fixture
async def booking(stack: Stack, clinic: Clinic, pool: asyncpg.Pool) -> Booking:
    """`booking(caller)`: a call in which a slot is held and the receptionist has told of the code."""

    @asynccontextmanager
    async def make(caller: str = CALLER, **environ: str) -> AsyncIterator[tuple[Rig, LiveCall]]:
        async with (
            rig(stack, clinic, pool, lines=LINES, model=Receptionist(), **environ) as made,
            made.call(caller=caller) as live,
        ):
            await live.agent_answers(500)
            await ask(live)
            await ask(live, quiet_ms=800)
            yield made, live

    return make


def spoken(code: str) -> str:
    return "It's " + " ".join(DIGITS[int(digit)] for digit in code)


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


@asynccontextmanager
async def locked_holds(made: Rig) -> AsyncIterator[None]:
    """Whoever wants the clinic's holds has to wait."""
    async with org_transaction(made.pool, made.clinic.claim) as connection:
        await connection.execute("select id from public.appointment_holds for update")
        yield


async def type_in(live: LiveCall, code: str) -> None:
    """Keys, and the agent's whole answer."""
    before_ms = live.record.agent_audible_ms
    await live.press(f"{code}#")
    await live.until(lambda record: record.agent_audible_ms > before_ms)
    await live.agent_quiet(800)


async def read_out(made: Rig, live: LiveCall, line: str, seconds: float = 1.2) -> None:
    made.script.add(line)
    await ask(live, seconds, quiet_ms=800)


def said_last(made: Rig) -> str:
    """All that the agent has said in its last turn."""
    said = made.of_kind("AgentSaid")
    return " ".join(event["text"] for event in said if event["turn"] == said[-1]["turn"])


async def test_a_typed_code_books_the_slot_for_good(booking: Booking) -> None:
    async with booking() as (made, live):
        [hold] = await made.live_holds()
        code = made.code(CALLER)
        await type_in(live, code)
        assert "booked for" in said_last(made)
        [row] = await made.appointments()
        assert (row["status"], row["hold_id"]) == ("booked", hold["id"])
        made.script.add(BYE)
        await say(live)
        await live.ended()
        [closed] = await made.events("CallClosed")
        assert closed["outcome"] == "booked"
        assert [hold["state"] for hold in await made.holds()] == ["booked"]
        assert made.tools() == [
            ("find_slots", "found"),
            ("claim_slot", "held"),
            ("send_code", "sent"),
            ("verify_code", "verified"),
            ("confirm_booking", "booked"),
        ]
        assert [message.to for message in made.twilio.messages.all] == [CALLER]
        assert code not in str(made.feed) + str(await made.turn_rows())


async def test_a_code_that_is_read_out_books_it_and_is_shown_nowhere(booking: Booking) -> None:
    async with booking() as (made, live):
        code = made.code(CALLER)
        await read_out(made, live, f"{spoken(code[:3])}.")
        assert made.tools()[-1] == ("send_code", "sent")
        await read_out(made, live, spoken(code))
        assert made.tools()[-1] == ("confirm_booking", "booked")
        [row] = await made.appointments()
        assert row["status"] == "booked"
        await made.events("TurnFinished", 4)
        heard = [event["text"] for event in made.of_kind("CallerSaid")][2:]
        kept = f"{heard} {await made.turn_rows()}".casefold()
        assert "[redacted: " in kept
        for digit in set(code):
            assert f" {DIGITS[int(digit)]}" not in " ".join(heard).casefold()
        assert code not in kept


async def test_three_wrong_codes_leave_two_tries_and_the_right_one_books(booking: Booking) -> None:
    async with booking() as (made, live):
        code = made.code(CALLER)
        for _ in range(3):
            await type_in(live, other_than(code))
        assert "two tries" in said_last(made) or "2 tries" in said_last(made)
        assert await made.appointments() == []
        await type_in(live, code)
        assert [outcome for _, outcome in made.tools()][-5:] == ["wrong"] * 3 + ["verified", "booked"]
        assert len(await made.appointments()) == 1


@pytest.mark.parametrize(
    ("caller", "outcome", "words"),
    [
        (numbers.INVALID, "number_invalid", "complete phone number"),
        (numbers.OPTED_OUT, "opted_out", "no more texts"),
        ("+442071838750", "not_mobile", "can't get text messages"),
        ("+266696687", "no_number", "can't see the number"),
    ],
)
async def test_a_number_that_cannot_be_texted_is_told_and_another_one_books(
    booking: Booking, caller: str, outcome: str, words: str
) -> None:
    async with booking(caller) as (made, live):
        assert made.tools()[-1] == ("send_code", outcome)
        assert words in said_last(made)
        assert len(await made.live_holds()) == 1
        await read_out(made, live, "It's oh seven seven double oh nine hundred one two three.", 2.0)
        await type_in(live, made.code(CALLER))
        [row] = await made.appointments()
        assert row["status"] == "booked"


async def test_a_provider_that_is_away_leaves_the_hold_and_is_asked_again(
    stack: Stack, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    async with (
        rig(stack, clinic, pool, lines=LINES, model=Receptionist()) as made,
        made.call(caller=CALLER) as live,
    ):
        await live.agent_answers(500)
        await ask(live)
        made.twilio.faults.add(Refuse(503))
        await ask(live, quiet_ms=800)
        assert made.tools()[-1] == ("send_code", "text_unconfirmed")
        await read_out(made, live, "Yes please.")
        assert made.tools()[-1] == ("send_code", "sent")
        await type_in(live, made.code(CALLER))
        assert made.tools()[-1] == ("confirm_booking", "booked")


async def test_a_caller_who_hangs_up_with_the_code_keeps_the_hold_to_its_end_and_no_appointment(
    booking: Booking,
) -> None:
    """The caller knows of the hold, so it lives to its expiry, as any hold that was told."""
    async with booking() as (made, live):
        live.hang_up()
        await live.ended()
        await made.gateway.until_idle()
        assert await made.appointments() == []
        [hold] = await made.live_holds()
        assert hold["expires_at"] is not None
        made.keeps_hold(live)
        [closed] = await made.events("CallClosed")
        assert closed["outcome"] == "held"


async def test_without_database_nothing_is_said_to_be_booked_and_later_it_is(booking: Booking) -> None:
    async with booking(DATABASE_S="0.5") as (made, live):
        code = made.code(CALLER)
        async with locked_holds(made):
            await type_in(live, code)
            assert made.tools()[-1] == ("verify_code", "unavailable")
            assert "can't reach the diary" in said_last(made)
            assert not [event for event in made.of_kind("AgentSaid") if "booked for" in event["text"]]
        await type_in(live, code)
        assert made.tools()[-1] == ("confirm_booking", "booked")


REPLIES = [
    Reply("Let me look.", (OFFER,)),
    "At ten or at eleven?",
    Reply("", (CLAIM, Call("claim_slot", {"slot": "s1"}))),
    Reply("Held.", (Call("send_code", {"number": None}), Call("send_code", {"number": None}))),
    "I have sent you a code.",
]


async def test_a_slot_that_is_taken_meanwhile_is_told_with_others(
    calling: Calling, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    replies = [*REPLIES[:2], Reply("", (CLAIM,)), "That one has just gone."]
    async with calling([WANTS, CHOOSES], replies) as made:
        async with made.call(caller=CALLER) as live:
            await live.agent_answers(500)
            await ask(live)
            offered = json.loads(made.asked(1)[-1]["content"])["slots"][0]["starts"]
            taken = await take(pool, clinic, offered)
            await ask(live)
        for held in taken:
            assert await release_hold(pool, clinic.claim, hold_id=held.hold_id)
        told = json.loads(made.asked(3)[-1]["content"])
    assert (told["held"], told["reason"]) == (False, "taken")
    assert told["say"].startswith("That time has just gone; I can offer ")
    assert offered not in [slot["starts"] for slot in told["slots"]]


async def take(pool: asyncpg.Pool, clinic: Clinic, starts: str) -> list[Held]:
    """Somebody else is faster, for every practitioner."""
    free = await next_available(
        pool,
        clinic.claim,
        service_id=clinic.service_ids[0],
        after=datetime.fromisoformat(starts),
        until=datetime.fromisoformat(starts) + timedelta(minutes=1),
    )
    ttl = timedelta(minutes=1)
    claimed = [
        await claim_slot(pool, clinic.claim, slot_id=slot.id, call_id=uuid4(), ttl=ttl) for slot in free
    ]
    return [each for each in claimed if isinstance(each, Held)]


async def test_calls_that_a_model_repeats_do_a_thing_once(calling: Calling) -> None:
    async with calling([WANTS, CHOOSES], REPLIES) as made:
        async with made.call(caller=CALLER) as live:
            await live.agent_answers(500)
            await ask(live)
            await ask(live, quiet_ms=800)
            made.keeps_hold(live)
        assert len(await made.holds()) == 1
        assert len(made.twilio.messages.all) == 1
        assert sorted(outcome for name, outcome in made.tools() if name == "send_code") == [
            "already_sent",
            "sent",
        ]


def pass_on_the_code(messages: Sequence[WireMessage], _tools: Sequence[WireTool]) -> Reply:
    """What the caller said last, to be checked."""
    return Reply("", (Call("verify_code", {"code": messages[-1]["content"]}),))


async def test_a_barge_in_stops_our_words_and_not_the_booking(calling: Calling) -> None:
    """The confirmation waits for a lock while the caller speaks; it ends, and the next reply tells of it."""
    replies = [
        *REPLIES,
        pass_on_the_code,
        Reply("I am booking that for you now. " * 8, (Call("confirm_booking", {"name": None}),)),
        "You are booked.",
    ]
    async with calling([WANTS, CHOOSES, "Wait a moment please."], replies) as made:
        async with made.call(caller=CALLER) as live:
            await live.agent_answers(500)
            await ask(live)
            await ask(live, quiet_ms=800)
            await live.press(f"{made.code(CALLER)}#")
            await made.events("ToolFinished", 6)
            async with locked_holds(made):
                await live.agent_speaks(300)
                await say(live)
                await made.events("BargedIn")
                assert "confirm_booking" not in dict(made.tools())
                assert await made.appointments() == []
            await live.agent_answers(500)
        assert made.tools()[-1] == ("confirm_booking", "booked")
        [row] = await made.appointments()
        assert row["status"] == "booked"
        told = [message["content"] for message in made.asked(7) if message["role"] == "tool"]
        assert json.loads(told[-1])["booked"] is True


async def test_an_effect_that_was_asked_for_is_finished_although_the_caller_hangs_up(
    calling: Calling,
) -> None:
    replies = [*REPLIES, pass_on_the_code, Reply("One moment.", (Call("confirm_booking", {"name": None}),))]
    async with calling([WANTS, CHOOSES], [*replies, "You are booked."]) as made:
        async with made.call(caller=CALLER) as live:
            await live.agent_answers(500)
            await ask(live)
            await ask(live, quiet_ms=800)
            await live.press(f"{made.code(CALLER)}#")
            await made.events("ToolFinished", 6)
            async with locked_holds(made):
                await live.agent_speaks(100)
                live.hang_up()
                await live.ended()
        [row] = await made.appointments()
        assert row["status"] == "booked"
        [closed] = await made.events("CallClosed")
        assert closed["outcome"] == "booked"
