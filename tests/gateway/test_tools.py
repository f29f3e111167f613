"""The booking tools on the real database: what they answer, and what the record says afterwards."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from booking.calls import close_call, open_call
from booking.holds import claim_slot, hold_status
from booking.types import Held, Service
from gateway.tools import CallBooking, ClaimSlot, FindSlots, call_tools, match_service
from gateway.tools.my_appointments import MyAppointments
from pipeline.errors import ToolArgumentError
from pipeline.ports import Remembers
from tests.booking.evenings import clinic_with_one_evening
from tests.booking.texting import Post
from tests.conftest import Clinic
from tests.gateway.desk import booking_of

LOOK = {"service": "rhinoplasty", "day": None, "after": None}


def answered(content: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(content)
    return read


@pytest.fixture
async def booking(post: Post) -> CallBooking:
    return await booking_of(post)


async def find(booking: CallBooking, **arguments: str | None) -> list[dict[str, str]]:
    result = await FindSlots(booking).run(LOOK | arguments)
    slots: list[dict[str, str]] = answered(result.content)["slots"]
    return slots


async def claim(booking: CallBooking, token: str) -> Mapping[str, Any]:
    return answered((await ClaimSlot(booking).run({"slot": token})).content)


async def test_soonest_slots_are_offered_as_they_are_spoken(booking: CallBooking, clinic: Clinic) -> None:
    result = await FindSlots(booking).run(LOOK)
    slots = answered(result.content)["slots"]
    assert [slot["slot"] for slot in slots] == ["s1", "s2", "s3"]
    assert slots[0]["starts"].startswith(f"{clinic.first_day}T09:00:00")
    assert slots[0]["spoken"].endswith("at nine o'clock")
    assert slots[0]["practitioner"] in clinic.spec.practitioners
    assert (result.outcome, result.detail) == ("found", {"count": "3"})


async def test_day_and_hour_are_honoured(booking: CallBooking, clinic: Clinic) -> None:
    day = clinic.first_day + timedelta(days=3)
    slots = await find(booking, day=day.isoformat(), after="10:30")
    assert slots[0]["starts"].startswith(f"{day}T10:30")
    assert slots[0]["spoken"].endswith("at half past ten")


async def test_an_hour_without_a_day_is_an_hour_of_any_day(booking: CallBooking) -> None:
    slots = await find(booking, after="16:00")
    assert {slot["starts"][11:16] for slot in slots} <= {"16:00", "16:30"}


async def test_an_evening_is_found_behind_hundreds_of_earlier_slots(
    post: Post, owner: asyncpg.Connection
) -> None:
    clinic = await clinic_with_one_evening(owner)
    booking = await booking_of(replace(post, clinic=clinic))
    [slot] = await find(booking, service="fillers", after="18:00")
    assert slot["starts"].startswith(f"{clinic.first_day + timedelta(days=9)}T18:00")
    assert await find(booking, service="fillers", after="18:15") == []


async def test_the_same_slot_keeps_its_token(booking: CallBooking) -> None:
    assert await find(booking) == await find(booking)


async def test_what_was_told_on_a_wrong_guess_has_not_been_offered(booking: CallBooking) -> None:
    remember = {type(tool) for tool in call_tools(booking, lambda: None) if isinstance(tool, Remembers)}
    assert remember == {FindSlots, MyAppointments}
    put_back = FindSlots(booking).memory()
    [first, *_] = await find(booking)
    put_back()
    with pytest.raises(ToolArgumentError):
        await ClaimSlot(booking).run({"slot": first["slot"]})
    [again, *_] = await find(booking)
    assert again == first


async def test_day_without_slots_has_none(booking: CallBooking) -> None:
    for day in ("2100-01-01", "2020-01-01", "9999-12-31", "0001-01-01"):
        result = await FindSlots(booking).run(LOOK | {"day": day})
        assert (result.outcome, answered(result.content)["slots"]) == ("none_free", [])
        assert answered(result.content)["say"]


async def test_unknown_service_is_answered_with_the_known_ones(booking: CallBooking) -> None:
    result = await FindSlots(booking).run(LOOK | {"service": "haircut"})
    assert result.outcome == "unknown_service"
    assert answered(result.content)["services"] == ["Dermal filler", "Rhinoplasty consultation"]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"service": ""},
        {"service": 3},
        LOOK | {"day": "Tuesday"},
        LOOK | {"day": 5},
        LOOK | {"after": "late"},
        LOOK | {"after": "14:00Z"},
        LOOK | {"after": "14:00+00:00"},
        LOOK | {"day": "2026-11-24", "after": "14:00+01:00"},
    ],
)
async def test_senseless_arguments(booking: CallBooking, arguments: dict[str, Any]) -> None:
    with pytest.raises(ToolArgumentError):
        await FindSlots(booking).run(arguments)


@pytest.mark.parametrize("absent", ["", "null", None])
async def test_absent_arguments_in_all_their_forms(booking: CallBooking, absent: str | None) -> None:
    assert len(await find(booking, day=absent, after=absent)) == 3


async def test_offered_slot_is_held(booking: CallBooking) -> None:
    slots = await find(booking)
    result = await ClaimSlot(booking).run({"slot": "s2"})
    told = answered(result.content)
    assert (told["held"], told["spoken"], told["expires_minutes"]) == (True, slots[1]["spoken"], 10)
    assert (result.outcome, result.detail["starts"]) == ("held", slots[1]["starts"])


async def test_only_what_was_offered_in_this_call_can_be_held(booking: CallBooking) -> None:
    for token in ("s1", "2026-11-24T10:30", str(uuid4())):
        with pytest.raises(ToolArgumentError):
            await ClaimSlot(booking).run({"slot": token})


async def test_held_again_is_the_same_hold_and_a_new_choice_replaces_it(
    booking: CallBooking, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    await find(booking)
    await claim(booking, "s1")
    first = booking.held
    await claim(booking, "s1")
    assert (first, booking.held) == (booking.held, first)
    await claim(booking, "s2")
    status = await hold_status(pool, clinic.claim, slot_id=booking.offers["s1"].id)
    assert status.state == "open"


async def test_taken_slot_is_answered_with_others(
    booking: CallBooking, post: Post, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    await find(booking)
    rival = await booking_of(post)
    await rival.open()
    ttl = timedelta(minutes=5)
    taken = booking.offers["s1"].id
    assert isinstance(
        await claim_slot(pool, clinic.claim, slot_id=taken, call_id=rival.call_id, ttl=ttl), Held
    )
    told = await claim(booking, "s1")
    assert (told["held"], told["reason"]) == (False, "taken")
    assert "s1" not in [slot["slot"] for slot in told["slots"]]
    assert (await claim(booking, told["slots"][0]["slot"]))["held"]


async def test_an_ended_call_holds_nothing_more(
    booking: CallBooking, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    await find(booking)
    await booking.open()
    await close_call(
        pool, clinic.claim, call_id=booking.call_id, end_reason="goodbye", ended_at=datetime.now(UTC)
    )
    assert (await claim(booking, "s1"))["held"] is False


async def test_without_database_the_caller_is_told_so(booking: CallBooking, pool: asyncpg.Pool) -> None:
    await find(booking)
    await pool.close()
    assert (await FindSlots(booking).run(LOOK)).outcome == "unavailable"
    assert (await ClaimSlot(booking).run({"slot": "s1"})).outcome == "unavailable"


async def test_a_hold_is_accepted_once_a_turn_was_heard_after_it(booking: CallBooking) -> None:
    booking.turn_answered()
    assert not booking.accepted
    await find(booking)
    await claim(booking, "s1")
    assert not booking.accepted
    booking.turn_answered()
    assert booking.accepted


async def test_recording_a_call_twice_is_recording_it_once(
    booking: CallBooking, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    await booking.open()
    await booking.open()
    again = await open_call(
        pool,
        clinic.claim,
        call_id=booking.call_id,
        carrier="twilio",
        carrier_call_id="x",
        started_at=datetime.now(UTC),
    )
    assert not again


SERVICES = (
    Service(uuid4(), "Rhinoplasty consultation", ("nose job", "rhinoplasty"), 30),
    Service(uuid4(), "Dermal filler", ("fillers", "lip filler"), 45),
)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("Rhinoplasty consultation", 0),
        ("  rhinoplasty   CONSULTATION ", 0),
        ("nose job", 0),
        ("a consultation about a rhinoplasty", 0),
        ("lip filler", 1),
        ("dermal", 1),
        ("haircut", None),
    ],
)
def test_service_is_matched(asked: str, found: int | None) -> None:
    assert match_service(SERVICES, asked) == (None if found is None else SERVICES[found])
