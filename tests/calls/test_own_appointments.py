"""Whole calls about appointments that there are: told, moved, cancelled, to who proved the number alone."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from bench.carrier import LiveCall
from bench.simulators.replies import Call, Reply, WireMessage, WireTool
from booking.bookings import find_booking
from booking.types import Booking
from compliance.vault import MasterKey, Vault
from gateway.sealing import VaultSealer
from tests.booking.patients import Desk
from tests.calls.conftest import Calling
from tests.calls.rig import OFFER, Rig, ask
from tests.conftest import Clinic

CALLER = "+447700900123"
SEND = Call("send_code", {"number": None})
MINE = Call("my_appointments", {})


@pytest.fixture
async def appointment(pool: asyncpg.Pool, clinic: Clinic) -> Booking:
    """The caller's, booked in an earlier call."""
    sealer = VaultSealer(Vault([MasterKey(bytes(range(32)))]))  # the gateway's key
    desk = Desk(pool, clinic, sealer)
    held = await desk.hold((await desk.free(4))[3], uuid4())
    await desk.verify(held.hold_id, CALLER)
    return await desk.confirm(held.hold_id, await desk.contact(CALLER))


def pass_on(messages: Sequence[WireMessage], _tools: Sequence[WireTool]) -> Reply:
    return Reply("", (Call("verify_code", {"code": messages[-1]["content"]}),))


async def prove(made: Rig, live: LiveCall) -> None:
    """Greeted; the first turn is told to prove who calls; the code is typed."""
    await live.agent_answers(400)
    await ask(live)
    before_ms = live.record.agent_audible_ms
    await live.press(f"{made.code(CALLER)}#")
    await live.until(lambda record: record.agent_audible_ms > before_ms)
    await live.agent_quiet(500)


def told(made: Rig, request: int) -> dict[str, Any]:
    """What the last tool answered before this request."""
    answer: dict[str, Any] = json.loads(made.asked(request)[-1]["content"])
    return answer


async def test_an_appointment_is_told_moved_and_cancelled(
    calling: Calling, pool: asyncpg.Pool, clinic: Clinic, appointment: Booking
) -> None:
    move = Call("reschedule_booking", {"appointment": "a1", "slot": "s1"})
    replies = [
        Reply("", (MINE,)),
        Reply("I need a code.", (SEND,)),
        "I have texted you.",
        pass_on,
        Reply("", (MINE,)),
        "You have one.",
        Reply("", (OFFER,)),
        Reply("", (move, move)),
        "It is moved.",
        Reply("", (Call("cancel_booking", {"appointment": "a1"}),)),
        "It is cancelled.",
    ]
    lines = ["When do I come?", "Sooner please.", "No, cancel it."]
    async with calling(lines, replies) as made:
        async with made.call(caller=CALLER) as live:
            await prove(made, live)
            await ask(live)
            await ask(live)
        assert made.tools() == [
            ("my_appointments", "unverified_caller"),
            ("send_code", "sent"),
            ("verify_code", "verified"),
            ("my_appointments", "appointments"),
            ("find_slots", "found"),
            ("reschedule_booking", "rescheduled"),
            ("reschedule_booking", "rescheduled"),
            ("cancel_booking", "cancelled"),
        ]
        [mine] = told(made, 5)["appointments"]
        assert mine["service"] == "Rhinoplasty consultation"
        rows = await made.appointments()
        public = str(made.feed) + str(await made.turn_rows())
    assert [row["status"] for row in rows] == ["rescheduled", "cancelled"]
    assert rows[1]["replaces_id"] == appointment.id
    assert CALLER[1:] not in public
    assert "rhinoplasty" not in public.casefold()


async def test_a_shown_number_alone_opens_nothing(
    calling: Calling, pool: asyncpg.Pool, clinic: Clinic, appointment: Booking
) -> None:
    """Whoever forges the number is asked for a code, and a token that was never told does nothing."""
    replies = [
        Reply("", (MINE, Call("cancel_booking", {"appointment": "a1"}))),
        Reply("", (Call("cancel_booking", {"appointment": str(appointment.id)}),)),
        "I am afraid not.",
    ]
    async with calling(["Cancel my appointment."], replies) as made:
        async with made.call(caller=CALLER) as live:
            await live.agent_answers(400)
            await ask(live)
        assert sorted(made.tools()) == [
            ("cancel_booking", "bad_arguments"),
            ("cancel_booking", "bad_arguments"),
            ("my_appointments", "unverified_caller"),
        ]
        assert made.twilio.messages.all == []
    stands = await find_booking(pool, clinic.claim, booking_id=appointment.id)
    assert stands is not None
    assert stands.status == "booked"
