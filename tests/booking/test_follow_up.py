"""What follows a call without a booking: one campaign and one text, under the conditions that allow it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import time, timedelta
from uuid import UUID

import asyncpg
import pytest

from bench.simulators import twilio_messages as numbers
from bench.simulators.faults import Refuse
from bench.simulators.twilio_messages import TakeAndFail
from booking.contacts import Person, save_contact
from booking.db import armed, open_pool, org_transaction
from booking.errors import NumberInvalid, ServiceUnknown
from booking.follow_up import call_goes_on, due_follow_ups, message_id_of, note_asked
from booking.guides import open_link
from booking.replies import Replies
from tests.booking.following import LINKS, NOON, Following, following, mobile
from tests.booking.patients import Desk
from tests.booking.texting import a_sealer
from tests.conftest import Clinic, Stack


@pytest.fixture
async def calls(pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Following]:
    async with following(pool, clinic) as opened:
        yield opened


async def test_a_call_without_a_booking_gets_one_campaign_and_one_text(
    calls: Following, stack: Stack
) -> None:
    caller = mobile()
    call_id = await calls.call(caller)
    assert await jobs_for(stack, call_id) == 1
    await asyncio.gather(*(calls.go_on(call_id) for _ in range(4)))
    await calls.go_on(call_id)
    (message,) = calls.post.twilio.messages.to(caller)
    (campaign,) = await calls.campaigns()
    row = await calls.row(call_id)
    assert (row["state"], row["message_id"]) == ("sent", message_id_of(call_id, 1))
    assert (campaign["agent_name"], campaign["status"], campaign["call_id"]) == ("Sarah", "running", call_id)
    assert campaign["contact_id"] is not None
    assert message.body.startswith("Hello, thank you for calling this ")
    assert ". Sarah from Harley Street Clinic here." in message.body
    assert "STOP" in message.body
    for name in ("Rhinoplasty", "rhinoplasty", "nose job"):
        assert name not in message.body
    link = LINKS.digest_in(message.body.partition("/g/")[2][:20])
    assert link is not None
    opened = await open_link(calls.pool, link, count=True)
    assert opened is not None
    assert (opened.content or b"").startswith(b"%PDF-")
    assert calls.watch.ends == [("sent", "")]
    assert len(calls.watch.handovers) == 1


async def jobs_for(stack: Stack, call_id: UUID) -> int:
    worker = await asyncpg.connect(stack.postgres.worker)
    statement = (
        "select count(*) from jobs.pgqueuer where entrypoint = 'follow_up' and substr(payload, 17) = $1"
    )
    found: int = await worker.fetchval(statement, call_id.bytes)
    await worker.close()
    return found


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"service": None}, "no_procedure"),
        ({"service": 1}, "no_guide"),
        ({"wanted": False}, "declined"),
        ({"wanted": None}, "no_consent"),
    ],
)
async def test_who_may_not_be_texted_or_about_nothing_is_not(
    calls: Following, options: dict[str, object], reason: str
) -> None:
    call_id = await calls.call(**options)  # type: ignore[arg-type]
    await calls.go_on(call_id)
    assert await calls.stands(call_id) == ("skipped", reason)
    assert (calls.sent, await calls.campaigns()) == ([], [])


async def test_a_clinic_may_answer_inquiries_or_follow_nobody_up(calls: Following) -> None:
    await calls.rules(consent="inquiry")
    first = await calls.call(wanted=None)
    await calls.go_on(first)
    await calls.rules(enabled=False)
    second = await calls.call()
    await calls.go_on(second)
    assert (await calls.stands(first), await calls.stands(second)) == (("sent", None), ("skipped", "off"))


async def test_stop_stands_above_a_yes(calls: Following) -> None:
    caller = mobile()
    await calls.post.messages.opt_out(calls.clinic.claim, caller)
    call_id = await calls.call(caller)
    await calls.go_on(call_id)
    assert await calls.stands(call_id) == ("skipped", "stopped")


async def test_a_lead_gets_one_within_the_window(calls: Following) -> None:
    caller = mobile()
    first, second = await calls.call(caller), await calls.call(caller)
    await asyncio.gather(calls.go_on(first), calls.go_on(second))
    assert sorted([await calls.stands(first), await calls.stands(second)], key=str) == [
        ("sent", None),
        ("skipped", "recent"),
    ]
    assert len(calls.sent) == len(await calls.campaigns()) == 1
    await calls.by_hand("update outbound_campaigns set created_at = created_at - interval '31 days'")
    third = await calls.call(caller)
    await calls.go_on(third)
    assert await calls.stands(third) == ("sent", None)


async def test_a_booked_call_is_not_followed_up(calls: Following) -> None:
    desk = Desk(calls.pool, calls.clinic, a_sealer())
    call_id = await calls.begun()
    (slot,) = await desk.free()
    await desk.book(slot, call_id)
    await calls.ended(call_id)
    assert await calls.stands(call_id) == ("skipped", "booked")


async def test_what_was_held_and_let_go_was_asked_about(calls: Following) -> None:
    desk = Desk(calls.pool, calls.clinic, a_sealer())
    call_id = await calls.begun()
    (slot,) = await desk.free()
    await desk.hold(slot, call_id)
    await calls.ended(call_id)
    row = await calls.row(call_id)
    assert (row["state"], row["service_id"]) == ("due", calls.clinic.service_ids[0])


async def test_quiet_hours_are_those_of_the_contacts_own_zone(calls: Following) -> None:
    """Noon in London is five in the morning in Los Angeles."""
    number = "+1213555" + mobile()[-4:]
    await calls.rules(quiet_from=time(20), quiet_to=time(9))
    calls.then = NOON
    contact = await save_contact(calls.pool, calls.clinic.claim, a_sealer(), Person(number, "Ada Byron"))
    call_id = await calls.call(number)
    await calls.go_on(call_id)
    row = await calls.row(call_id)
    assert (row["state"], row["next_at"]) == ("waiting", NOON + timedelta(hours=5))  # nine o'clock there
    calls.then = row["next_at"]
    await calls.go_on(call_id)
    assert await calls.stands(call_id) == ("sent", None)
    assert "Hi Ada, thank you for calling this morning." in calls.sent[0]
    assert calls.watch.handovers == []  # it was waited for
    await calls.by_hand("update contacts set time_zone = 'Europe/London' where id = $1", contact)
    assert (await calls.ask("lead_facts", contact, []))[0]["time_zone"] == "Europe/London"


async def begun(calls: Following, call_id: UUID, caller: str) -> None:
    """As a worker leaves it that is killed between the campaign and the text."""
    contact = await save_contact(calls.pool, calls.clinic.claim, a_sealer(), Person(caller))
    await calls.ask("record_consent", "texts", True, "call", contact, None, "call", call_id)
    values = (
        message_id_of(call_id, 1),
        LINKS.link(calls.clinic.claim.org_id, call_id).digest,
        "Sarah",
        30,
        14,
    )
    (row,) = await calls.ask("begin_follow_up", call_id, contact, [], *values)
    assert row[0] == "begun"


async def test_what_was_begun_by_day_is_not_sent_at_night(calls: Following) -> None:
    """Nor whatever the lead or the clinic has said since is against."""
    await calls.rules(quiet_from=time(20), quiet_to=time(9))
    caller, calls.then = mobile(), NOON
    call_id = await calls.call(caller)
    await begun(calls, call_id, caller)
    calls.then = NOON + timedelta(hours=11)
    for _ in range(2):
        await calls.go_on(call_id)
        row = await calls.row(call_id)
        assert (row["state"], row["next_at"], calls.sent) == ("sending", NOON + timedelta(hours=21), [])
    calls.then = row["next_at"]
    await calls.go_on(call_id)
    assert (await calls.stands(call_id), len(calls.sent)) == (("sent", None), 1)


@pytest.mark.parametrize("reason", ["off", "declined", "has_booking"])
async def test_what_was_begun_is_not_sent_against_a_later_word(calls: Following, reason: str) -> None:
    caller, desk = mobile(), Desk(calls.pool, calls.clinic, a_sealer())
    call_id = await calls.call(caller)
    await begun(calls, call_id, caller)
    (campaign,) = await calls.campaigns()
    if reason == "off":
        await calls.rules(enabled=False)
    elif reason == "declined":
        await calls.ask(
            "record_consent", "texts", False, "staff", campaign["contact_id"], None, "operator", None
        )
    else:
        (slot,) = await desk.free()
        held = await desk.hold(slot)
        await desk.verify(held.hold_id, caller)
        await desk.confirm(held.hold_id, campaign["contact_id"])
    await calls.go_on(call_id)
    assert (await calls.stands(call_id), calls.sent) == (("failed", reason), [])
    assert (await calls.campaigns())[0]["status"] == "ended"


async def test_a_later_no_counts_while_the_text_waits_for_the_morning(calls: Following) -> None:
    await calls.rules(quiet_from=time(20), quiet_to=time(9))
    caller, calls.then = mobile(), NOON - timedelta(days=3650, hours=16)
    contact = await save_contact(calls.pool, calls.clinic.claim, a_sealer(), Person(caller))
    call_id = await calls.call(caller)
    await calls.go_on(call_id)
    assert (await calls.stands(call_id))[0] == "waiting"
    await calls.ask("record_consent", "texts", False, "staff", contact, None, "operator", None)
    calls.then = (await calls.row(call_id))["next_at"]
    await calls.go_on(call_id)
    assert (await calls.stands(call_id), calls.sent) == (("skipped", "declined"), [])


async def test_media_that_come_back_are_one_call(calls: Following) -> None:
    """The later record is followed up, with what was said in the earlier one."""
    caller, carriers = mobile(), "CA" + "7" * 32
    first = await calls.call(caller, reason="socket_lost", carrier_call_id=carriers)
    await calls.go_on(first)
    assert (await calls.row(first))["state"] == "waiting"
    second = await calls.call(caller, service=None, wanted=None, carrier_call_id=carriers)
    await calls.go_on(first)
    await calls.go_on(second)
    assert await calls.stands(first) == ("skipped", "continued")
    assert await calls.stands(second) == ("sent", None)
    assert len(calls.sent) == 1


@pytest.mark.parametrize(
    ("status", "code", "state", "reason"),
    [
        ("delivered", None, "delivered", None),
        ("undelivered", 30003, "sending", None),  # the telephone is off: once more, later
        ("undelivered", 30006, "failed", "receiver"),
        ("undelivered", 30007, "failed", "filtered"),
        ("failed", 21610, "failed", "stopped"),
    ],
)
async def test_what_became_of_the_text_decides(
    calls: Following, status: str, code: int | None, state: str, reason: str | None
) -> None:
    call_id = await calls.call()
    await calls.go_on(call_id)
    message_id = (await calls.row(call_id))["message_id"]
    await calls.post.messages.advance(calls.clinic.claim, message_id, status, None, code)  # type: ignore[arg-type]
    await calls.go_on(call_id)
    assert await calls.stands(call_id) == (state, reason)
    (campaign,) = await calls.campaigns()
    assert campaign["status"] == ("ended" if state == "failed" else "running")
    if state == "sending":
        await calls.go_on(call_id)
        assert len(calls.sent) == 1  # not at once
        await calls.by_hand("update follow_ups set next_at = now()")
        await calls.go_on(call_id)
        assert len(calls.sent) == 2


@pytest.mark.parametrize(("fault", "texts"), [(TakeAndFail(), 1), (Refuse(500), 1)])
async def test_a_text_of_unknown_fate_is_looked_for_before_it_is_sent_anew(
    calls: Following, fault: object, texts: int
) -> None:
    calls.post.twilio.faults.add(fault)  # type: ignore[arg-type]
    calls.unsure = timedelta(minutes=5)
    call_id = await calls.call()
    await calls.go_on(call_id)
    assert (await calls.row(call_id))["state"] == "sending"
    before = len(calls.sent)
    await calls.go_on(call_id)
    assert len(calls.sent) == before  # not before it would be in the list
    calls.unsure = timedelta(0)
    await calls.go_on(call_id)
    assert await calls.stands(call_id) == ("sent", None)
    assert len(calls.sent) == texts


@pytest.mark.parametrize(("to", "reason"), [(numbers.NOT_MOBILE, "receiver"), (numbers.OPTED_OUT, "stopped")])
async def test_a_refusal_that_trying_cannot_help_ends_it(calls: Following, to: str, reason: str) -> None:
    call_id = await calls.call(to)
    await calls.go_on(call_id)
    assert await calls.stands(call_id) == ("failed", reason)
    assert calls.watch.ends == [("failed", reason)]


async def test_a_call_that_nobody_has_any_more_is_ended_and_followed_up(
    calls: Following, stack: Stack
) -> None:
    call_id = await calls.begun()
    claim = calls.clinic.claim
    await note_asked(calls.pool, claim, call_id=call_id, service_id=calls.clinic.service_ids[0])
    await calls.go_on(call_id)
    assert (await calls.row(call_id))["state"] == "open"
    await calls.by_hand("update follow_ups set next_at = clock_timestamp() - interval '1 second'")
    async with await open_pool(stack.postgres.worker, max_size=1) as worker:
        assert (claim, call_id) in await due_follow_ups(worker, limit=1000)
    await calls.go_on(call_id)
    assert await calls.stands(call_id) == ("skipped", "no_consent")
    async with org_transaction(calls.pool, claim) as connection:
        reason = await connection.fetchval("select end_reason from calls where id = $1", call_id)
    assert reason == "lost"
    assert not await call_goes_on(calls.pool, claim, call_id=call_id)


async def test_what_cannot_be_helped_ends_it_and_is_told(calls: Following) -> None:
    call_id = await calls.call("+1")  # no number that can be texted
    with pytest.raises(NumberInvalid):
        await calls.go_on(call_id)
    assert await calls.stands(call_id) == ("skipped", "fault")
    assert calls.watch.ends == [("skipped", "fault")]
    await calls.go_on(call_id)


async def test_old_follow_ups_hold_nothing_of_anybody(calls: Following, owner: asyncpg.Connection) -> None:
    """They go with their calls, replies with texts."""
    caller = mobile()
    call_id = await calls.call(caller)
    await calls.go_on(call_id)
    replies = Replies(calls.post.messages)
    assert await replies.take(calls.clinic.claim, provider_id="SM1", number=caller, said="Why?") == "question"
    async with armed(owner, calls.clinic.claim):
        await owner.execute("update calls set started_at = started_at - interval '366 days'")
        await owner.execute("update text_replies set received_at = received_at - interval '91 days'")
    (cleared,) = await calls.ask("forget_old", 500)
    async with org_transaction(calls.pool, calls.clinic.claim) as connection:
        left = await connection.fetchrow(
            "select (select count(*) from guide_links) as links, (select count(*) from text_replies), "
            "(select count(contact_id) from outbound_campaigns) as leads"
        )
    row = await calls.row(call_id)
    assert (tuple(left), cleared["calls"], row["service_id"], row["texts_wanted"]) == (
        (0, 0, 0),
        1,
        None,
        None,
    )


async def test_only_who_says_that_a_call_goes_on_has_a_short_lease(calls: Following) -> None:
    """Older replicas open calls by another function, and say nothing while these go on."""
    new = await calls.begun()
    old = UUID(int=new.int ^ 1)
    await calls.ask("open_call", old, "twilio", f"CA{old.hex}", NOON)
    gaps = [(await calls.row(each))["next_at"] - (await calls.row(each))["opened_at"] for each in (new, old)]
    assert gaps[0] < timedelta(minutes=6) < timedelta(hours=5) < gaps[1]


async def test_another_clinics_service_cannot_be_asked_about(calls: Following, other_clinic: Clinic) -> None:
    call_id = await calls.begun()
    with pytest.raises(ServiceUnknown):
        await note_asked(
            calls.pool, calls.clinic.claim, call_id=call_id, service_id=other_clinic.service_ids[0]
        )
