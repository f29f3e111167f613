"""From a hold to an appointment and on, by the tools, on the real database with a strict Twilio behind."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from bench.simulators import twilio_messages as numbers
from bench.simulators.faults import Refuse
from booking.calls import close_call
from booking.db import org_transaction
from booking.types import Booking
from gateway.caller import Ends
from gateway.tools import CallBooking
from gateway.tools.send_code import MOST_TEXTS
from pipeline.errors import ToolArgumentError
from tests.booking.texting import Post
from tests.gateway.desk import booking_of, mobile, use

LOOK = {"service": "rhinoplasty", "day": None, "after": None}


@pytest.fixture
async def booking(post: Post) -> CallBooking:
    return await booking_of(post)


async def held(booking: CallBooking, which: str = "s1") -> CallBooking:
    await use(booking, "find_slots", **LOOK)
    assert (await use(booking, "claim_slot", slot=which))[0] == "held"
    return booking


def code_in(post: Post, to: str | None = None) -> str:
    """The code that was sent last."""
    sent = post.twilio.messages.to(to) if to else post.twilio.messages.all
    found = re.search(r"\b[0-9]{6}\b", sent[-1].body)
    assert found
    return found[0]


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def prove(booking: CallBooking, post: Post) -> None:
    assert (await use(booking, "send_code", number=None))[0] == "sent"
    assert (await use(booking, "verify_code", code=code_in(post)))[0] == "verified"


async def booked(booking: CallBooking, post: Post, which: str = "s1") -> Booking:
    await held(booking, which)
    await prove(booking, post)
    assert (await use(booking, "confirm_booking", name=None))[0] == "booked"
    assert booking.booked is not None
    return booking.booked


async def rows(booking: CallBooking, table: str) -> list[asyncpg.Record]:
    async with org_transaction(booking.pool, booking.claim) as connection:
        found: list[asyncpg.Record] = await connection.fetch(f"select * from public.{table}")
    return found


async def test_a_conversation_goes_on_with_what_the_one_before_it_held(
    booking: CallBooking, post: Post
) -> None:
    await held(booking)
    assert (await use(booking, "send_code", number=None))[0] == "sent"
    later = await booking_of(post, booking.ends.caller)
    later.go_on(booking)
    assert (await use(later, "claim_slot", slot="s1"))[0] == "held"  # its own, not taken
    assert (await use(later, "verify_code", code=code_in(post)))[0] == "verified"
    assert [row["state"] for row in await rows(later, "appointment_holds")] == ["held"]
    assert (await use(later, "claim_slot", slot="s2"))[0] == "held"
    states = {row["call_id"]: row["state"] for row in await rows(later, "appointment_holds")}
    assert states == {booking.call_id: "released", later.call_id: "held"}
    assert await later.release_earlier() == 0


async def test_a_hold_becomes_an_appointment(booking: CallBooking, post: Post) -> None:
    await held(booking)
    outcome, told = await use(booking, "send_code", number=None)
    assert (outcome, told["sent"]) == ("sent", True)
    assert [message.to for message in post.twilio.messages.all] == [booking.ends.caller]
    code = " ".join(code_in(post))
    assert (await use(booking, "verify_code", code=f"it's {code}"))[1]["verified"]
    outcome, told = await use(booking, "confirm_booking", name="Ada Quill")
    assert (outcome, told["booked"], told["appointment"]) == ("booked", True, "a1")
    assert told["say"] == f"You are booked for {told['spoken']}."
    [row] = await rows(booking, "appointments")
    [hold] = await rows(booking, "appointment_holds")
    assert (row["status"], hold["state"], row["hold_id"]) == ("booked", "booked", hold["id"])
    assert booking.outcome == "booked"


async def test_the_code_is_nowhere_in_what_a_tool_answers(booking: CallBooking, post: Post) -> None:
    await held(booking)
    answers = [await use(booking, "send_code", number=None)]
    code = code_in(post)
    answers += [
        await use(booking, "verify_code", code=other_than(code)),
        await use(booking, "verify_code", code=code),
        await use(booking, "confirm_booking", name=None),
    ]
    assert code not in str(answers)
    assert str(booking.ends.caller) not in str(answers) + repr(booking.sent) + repr(booking.ends)


async def test_confirmed_again_is_the_same_row(booking: CallBooking, post: Post) -> None:
    await held(booking)
    await prove(booking, post)
    answers = await asyncio.gather(*(use(booking, "confirm_booking", name=None) for _ in range(4)))
    assert {outcome for outcome, _ in answers} == {"booked"}
    assert len({str(told) for _, told in answers}) == 1
    assert len(await rows(booking, "appointments")) == 1


async def test_the_end_of_the_call_leaves_the_appointment(booking: CallBooking, post: Post) -> None:
    await booked(booking, post)
    released = await close_call(
        booking.pool,
        booking.claim,
        call_id=booking.call_id,
        end_reason="goodbye",
        ended_at=datetime.now(UTC),
        keep_hold=False,
    )
    assert released == 0
    assert [row["status"] for row in await rows(booking, "appointments")] == ["booked"]


async def test_nothing_is_booked_without_a_hold_or_a_code(booking: CallBooking, post: Post) -> None:
    assert (await use(booking, "confirm_booking", name=None))[0] == "nothing_held"
    await held(booking)
    assert (await use(booking, "confirm_booking", name=None))[0] == "unverified"
    assert (await use(booking, "verify_code", code="123456"))[0] == "no_code"
    await use(booking, "send_code", number=None)
    outcome, told = await use(booking, "confirm_booking", name=None)
    assert (outcome, told["booked"]) == ("unverified", False)
    assert await rows(booking, "appointments") == []
    assert await rows(booking, "contacts") == []


async def test_a_code_is_asked_for_twice_and_sent_once(booking: CallBooking, post: Post) -> None:
    await held(booking)
    answers = await asyncio.gather(*(use(booking, "send_code", number=None) for _ in range(3)))
    assert sorted(outcome for outcome, _ in answers) == ["already_sent", "already_sent", "sent"]
    assert len(post.twilio.messages.all) == 1
    booking.resend_s = 0
    assert (await use(booking, "send_code", number=None))[0] == "sent"
    assert len(post.twilio.messages.all) == 2


async def test_a_proved_number_is_not_asked_again(booking: CallBooking, post: Post) -> None:
    await held(booking)
    await prove(booking, post)
    booking.resend_s = 0
    assert (await use(booking, "send_code", number=None))[0] == "already_verified"
    assert (await use(booking, "verify_code", code="000000"))[0] == "verified"
    assert len(post.twilio.messages.all) == 1


async def test_another_slot_needs_a_code_of_its_own(booking: CallBooking, post: Post) -> None:
    await held(booking)
    await prove(booking, post)
    await use(booking, "claim_slot", slot="s2")
    assert (await use(booking, "confirm_booking", name=None))[0] == "unverified"
    await prove(booking, post)
    assert (await use(booking, "confirm_booking", name=None))[0] == "booked"
    [row] = await rows(booking, "appointments")
    assert row["slot_id"] == booking.offers["s2"].id


async def test_a_code_for_the_time_before_is_void(booking: CallBooking, post: Post) -> None:
    await held(booking)
    await use(booking, "send_code", number=None)
    await use(booking, "claim_slot", slot="s2")
    assert (await use(booking, "verify_code", code=code_in(post)))[0] == "code_void"


async def test_wrong_codes_are_counted_and_a_new_one_resets_nothing(booking: CallBooking, post: Post) -> None:
    await held(booking)
    booking.resend_s = 0
    await use(booking, "send_code", number=None)
    for left in (4, 3, 2):
        outcome, told = await use(booking, "verify_code", code=other_than(code_in(post)))
        assert (outcome, told["attempts_left"]) == ("wrong", left)
    assert "2 tries left" in told["say"]
    await use(booking, "send_code", number=None)
    _, told = await use(booking, "verify_code", code=other_than(code_in(post)))
    assert "one try left" in told["say"]
    assert (await use(booking, "verify_code", code=other_than(code_in(post))))[0] == "locked"
    assert (await use(booking, "verify_code", code=code_in(post)))[0] == "locked"
    assert (await use(booking, "send_code", number=None))[0] == "locked"


async def test_what_is_no_code_is_no_attempt(booking: CallBooking, post: Post) -> None:
    await held(booking)
    await use(booking, "send_code", number=None)
    for _ in range(7):
        assert (await use(booking, "verify_code", code="four two one"))[0] == "malformed"
    assert (await use(booking, "verify_code", code=code_in(post)))[0] == "verified"


async def test_a_withheld_number_is_asked_for_and_read_as_here(booking: CallBooking, post: Post) -> None:
    booking.ends = Ends(None, booking.ends.dialled)
    await held(booking)
    assert (await use(booking, "send_code", number=None))[0] == "no_number"
    said = "oh seven seven double oh nine hundred one two three"
    assert (await use(booking, "send_code", number=said))[0] == "sent"
    assert post.twilio.messages.all[-1].to == "+447700900123"
    booking.resend_s = 0
    assert (await use(booking, "send_code", number=None))[0] == "sent"
    assert post.twilio.messages.all[-1].to == "+447700900123"
    assert (await use(booking, "verify_code", code=code_in(post)))[0] == "verified"
    assert (await use(booking, "confirm_booking", name=None))[0] == "booked"


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        ("oh seven seven", "number_invalid"),
        ("020 7946 0018", "not_mobile"),
        (numbers.INVALID, "number_invalid"),
        (numbers.LANDLINE, "not_mobile"),
        (numbers.NOT_MOBILE, "not_mobile"),
        (numbers.OPTED_OUT, "opted_out"),
        (numbers.REGION_OFF, "no_texts"),
    ],
)
async def test_a_number_that_cannot_be_texted_is_told_and_another_may_be(
    booking: CallBooking, post: Post, number: str, outcome: str
) -> None:
    booking.ends = Ends(None, "+12125550123" if number.startswith("+1") else booking.ends.dialled)
    await held(booking)
    refused, told = await use(booking, "send_code", number=number)
    assert (refused, told["sent"]) == (outcome, False)
    assert not booking.awaits_code
    assert (await use(booking, "send_code", number=mobile()))[0] == "sent"


async def test_a_provider_that_is_away_is_told_and_asked_again(booking: CallBooking, post: Post) -> None:
    await held(booking)
    post.twilio.faults.add(Refuse(429))
    assert (await use(booking, "send_code", number=None))[0] == "texts_busy"
    post.twilio.faults.add(Refuse(503))
    assert (await use(booking, "send_code", number=None))[0] == "text_unconfirmed"
    assert (await use(booking, "send_code", number=None))[0] == "sent"


async def test_an_org_without_an_account_says_so(booking: CallBooking, post: Post) -> None:
    await held(booking)
    post.twilio.faults.add(Refuse(401))
    assert (await use(booking, "send_code", number=None))[0] == "no_texts"


async def test_a_call_texts_so_often_and_no_more(booking: CallBooking, post: Post) -> None:
    await held(booking)
    sent = []
    for turn in range(MOST_TEXTS + 2):
        await use(booking, "claim_slot", slot=f"s{turn % 2 + 1}")
        sent.append((await use(booking, "send_code", number=mobile()))[0])
    assert sent == ["sent"] * MOST_TEXTS + ["limited"] * 2


async def test_a_hold_that_has_lapsed_is_told(booking: CallBooking, post: Post) -> None:
    await held(booking)
    await prove(booking, post)
    assert booking.held
    async with org_transaction(booking.pool, booking.claim) as connection:
        await connection.execute("update appointment_holds set expires_at = now() - interval '1 second'")
    assert (await use(booking, "confirm_booking", name=None))[0] == "hold_over"
    assert await rows(booking, "appointments") == []


async def test_a_code_after_its_hold_is_over_says_so(booking: CallBooking, post: Post) -> None:
    await held(booking)
    await use(booking, "send_code", number=None)
    booking.now = lambda: datetime.now(UTC) + timedelta(hours=1)
    assert (await use(booking, "verify_code", code=code_in(post)))[0] == "hold_over"


async def test_a_booked_slot_is_not_held_anew(booking: CallBooking, post: Post) -> None:
    await booked(booking, post)
    outcome, told = await use(booking, "claim_slot", slot="s1")
    assert (outcome, told["booked"]) == ("already_booked", True)


async def test_without_database_nothing_is_said_to_be_booked(
    booking: CallBooking, post: Post, pool: asyncpg.Pool
) -> None:
    appointment = await booked(booking, post)
    await held(booking, "s2")
    await prove(booking, post)
    await pool.close()
    for name, arguments in (
        ("send_code", {"number": mobile()}),
        ("confirm_booking", {"name": None}),
        ("my_appointments", {}),
        ("cancel_booking", {"appointment": "a1"}),
        ("reschedule_booking", {"appointment": "a1", "slot": "s3"}),
    ):
        outcome, told = await use(booking, name, **arguments)
        assert (name, outcome) == (name, "unavailable")
        assert not any(told.get(each) for each in ("sent", "booked", "cancelled", "rescheduled"))
    assert booking.booked == appointment


# --- appointments that there are


async def test_appointments_are_told_to_who_proved_the_number(booking: CallBooking, post: Post) -> None:
    appointment = await booked(booking, post)
    later = await booking_of(post, booking.ends.caller)
    outcome, told = await use(later, "my_appointments")
    assert (outcome, told["appointments"]) == ("unverified_caller", [])
    await prove(later, post)
    outcome, told = await use(later, "my_appointments")
    [one] = told["appointments"]
    assert (outcome, one["appointment"], one["service"]) == ("appointments", "a1", "Rhinoplasty consultation")
    assert one["spoken"] == booking.spoken(appointment.slot)
    assert str(appointment.id) not in str(told)
    assert later.proved is not None
    assert later.proved.hold_id is None


async def test_a_forged_number_opens_nobodys_appointments(booking: CallBooking, post: Post) -> None:
    await booked(booking, post)
    forger = await booking_of(post, booking.ends.caller)
    await use(forger, "send_code", number=None)
    await use(forger, "verify_code", code=other_than(code_in(post)))
    assert (await use(forger, "my_appointments"))[0] == "unverified_caller"
    await use(forger, "send_code", number=mobile())  # a number of the forger's own
    await use(forger, "verify_code", code=code_in(post))
    assert (await use(forger, "my_appointments"))[0] == "no_appointments"


async def test_who_has_booked_in_this_call_is_known(booking: CallBooking, post: Post) -> None:
    await booked(booking, post)
    outcome, told = await use(booking, "my_appointments")
    assert (outcome, [each["appointment"] for each in told["appointments"]]) == ("appointments", ["a1"])
    assert (await use(booking, "send_code", number=None))[0] == "already_verified"


async def test_only_what_was_told_in_this_call_can_be_changed(booking: CallBooking, post: Post) -> None:
    appointment = await booked(booking, post)
    later = await booking_of(post, booking.ends.caller)
    await use(later, "find_slots", **LOOK)
    for token in ("a1", str(appointment.id), "s1"):
        with pytest.raises(ToolArgumentError):
            await use(later, "cancel_booking", appointment=token)
        with pytest.raises(ToolArgumentError):
            await use(later, "reschedule_booking", appointment=token, slot="s1")
    with pytest.raises(ToolArgumentError):
        await use(booking, "reschedule_booking", appointment="a1", slot="a1")


async def test_an_appointment_is_cancelled_once(booking: CallBooking, post: Post) -> None:
    await booked(booking, post)
    answers = [await use(booking, "cancel_booking", appointment="a1") for _ in range(2)]
    assert [outcome for outcome, _ in answers] == ["cancelled"] * 2
    assert (await use(booking, "my_appointments"))[0] == "no_appointments"
    assert [row["status"] for row in await rows(booking, "appointments")] == ["cancelled"]
    assert booking.outcome == "none"
    assert (await use(booking, "confirm_booking", name=None))[0] == "nothing_held"


async def test_an_appointment_moves_and_its_token_with_it(booking: CallBooking, post: Post) -> None:
    await booked(booking, post)
    answers = [await use(booking, "reschedule_booking", appointment="a1", slot="s3") for _ in range(2)]
    assert [outcome for outcome, _ in answers] == ["rescheduled"] * 2
    assert answers[0] == answers[1]
    _, told = await use(booking, "my_appointments")
    [one] = told["appointments"]
    assert (one["appointment"], one["spoken"]) == ("a1", booking.spoken(booking.offers["s3"]))
    assert booking.outcome == "booked"
    assert (await use(booking, "cancel_booking", appointment="a1"))[0] == "cancelled"


async def test_an_appointment_does_not_move_to_a_taken_slot(booking: CallBooking, post: Post) -> None:
    await booked(booking, post)
    rival = await held(await booking_of(post), "s2")
    assert rival.held is not None
    [token] = [token for token, slot in booking.offers.items() if slot.id == rival.held.slot.id]
    outcome, told = await use(booking, "reschedule_booking", appointment="a1", slot=token)
    assert (outcome, told["rescheduled"]) == ("taken", False)
    assert told["say"].startswith("That time has just gone; I can offer ")
    assert token not in [each["slot"] for each in told["slots"]]
    assert [row["status"] for row in await rows(booking, "appointments")] == ["booked"]


async def test_an_appointment_does_not_move_to_another_service(booking: CallBooking, post: Post) -> None:
    await booked(booking, post)
    _, told = await use(booking, "find_slots", service="fillers", day=None, after=None)
    slot = told["slots"][0]["slot"]
    assert (await use(booking, "reschedule_booking", appointment="a1", slot=slot))[0] == "unsuitable"


async def test_what_the_call_holds_gives_way_to_a_move(booking: CallBooking, post: Post) -> None:
    await booked(booking, post)
    await held(booking, "s2")
    assert (await use(booking, "reschedule_booking", appointment="a1", slot="s2"))[0] == "rescheduled"
    assert booking.held_now() is None
    assert (await use(booking, "confirm_booking", name=None))[0] == "nothing_held"


async def test_arguments_of_any_kind_are_answered_or_refused(booking: CallBooking, post: Post) -> None:
    await held(booking)
    for value in ("", None, 3, [], {}, "x" * 10_000, "\x00", "'; drop table slots; --", "\ud800"):
        for name, argument in (("verify_code", "code"), ("send_code", "number"), ("claim_slot", "slot")):
            try:
                outcome, _ = await use(booking, name, **{argument: value})
            except ToolArgumentError:
                continue
            assert outcome in ("no_code", "malformed", "number_invalid", "sent", "already_sent")
