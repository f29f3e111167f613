"""Calls that a clinic places: to whom, when, how often, and none of them twice."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from bench.simulators.faults import Refuse
from bench.simulators.twilio_calls import INVALID, REGION_OFF
from bench.simulators.twilio_messages import TakeAndFail, TakeAndStall
from booking.calling_rules import CallBrief, CallingRules, require_sound, set_campaign_agent
from booking.errors import CampaignUnknown, ClinicInvalid, ContactUnknown
from booking.placed_calls import (
    CarrierWord,
    due_placed_calls,
    find_placed_call,
    note_calls_wanted,
    withdraw_call,
)
from booking.placing_steps import pause_after
from compliance.erasure import erase_contact
from compliance.keys import Keyring
from compliance.reading import Actor
from compliance.vault import MasterKey, Vault
from tests.booking.calling import CLERK, PUBLIC, Calling, calling
from tests.booking.following import KEY, mobile
from tests.conftest import Clinic, Stack


@pytest.fixture
async def calls(pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Calling]:
    async with calling(pool, clinic) as opened:
        yield opened


async def test_a_call_is_recorded_then_placed_once(calls: Calling) -> None:
    number = mobile()
    contact_id = await calls.contact(phone=number)
    placed_id = await calls.placed(contact_id)
    await calls.go_on(placed_id)
    assert await calls.stands(placed_id) == ("ringing", None, 1)
    assert calls.watch.attempts == [("twilio", "taken")]
    (call,) = calls.twilio.placed.all
    at = f"{PUBLIC}/twilio/placed/{calls.clinic.claim.org_id}/{placed_id}/1"
    assert (call.to, call.from_, call.form["Url"]) == (number, calls.clinic.number, at)
    assert call.form["StatusCallback"] == at + "/status"
    assert call.form["AsyncAmdStatusCallback"] == at + "/machine"
    assert (call.form["Timeout"], call.form["TimeLimit"]) == ("25", "1020")
    assert (call.form["MachineDetection"], call.form["AsyncAmd"]) == ("DetectMessageEnd", "true")
    assert set(call.events) == {"initiated", "ringing", "answered", "completed"}

    assert await calls.asked(contact_id, placed_id=placed_id) == ("again", placed_id)
    assert (await calls.asked(contact_id))[0] == "live"
    assert await calls.told(placed_id, 1, call, "talking") == "taken"
    assert await calls.told(placed_id, 1, call, "ringing") == "known"  # late
    assert await calls.told(placed_id, 1, call, "ended") == "taken"
    assert await calls.told(placed_id, 1, call, "talking") == "known"
    assert await calls.stands(placed_id) == ("ended", "talked", 1)
    assert (await calls.asked(contact_id))[0] == "placed"  # that one is over


async def test_who_may_be_called_the_database_says_at_asking_and_at_placing(calls: Calling) -> None:
    assert (await calls.asked(await calls.contact(agrees=None)))[0] == "no_consent"
    assert (await calls.asked(await calls.contact(agrees=False)))[0] == "declined"
    with pytest.raises(ContactUnknown):
        await calls.asked(uuid4())
    stopped = mobile()
    contact_id = await calls.contact(phone=stopped)
    digests = list(calls.placing.sealer.digests(calls.clinic.claim.org_id, "phone", stopped.encode()))
    await calls.ask("opt_out_of_texts", digests)
    assert (await calls.asked(contact_id))[0] == "stopped"

    await calls.rules(consent="inquiry")
    assert (await calls.asked(await calls.contact(agrees=None)))[0] == "placed"
    assert (await calls.asked(await calls.contact(agrees=False)))[0] == "declined"
    changed = await calls.contact()
    came, placed_id = await calls.asked(changed)
    await calls.says(changed, False)
    await calls.go_on(placed_id)
    assert (came, await calls.stands(placed_id)) == ("placed", ("refused", "declined", 0))
    await calls.rules(enabled=False)
    assert (await calls.asked(await calls.contact()))[0] == "off"
    assert calls.twilio.placed.all == []


async def test_night_is_the_contacts_and_waited_out(calls: Calling) -> None:
    await calls.by_hand("update follow_up_settings set quiet_from = '20:00', quiet_to = '09:00'")
    calls.then = datetime(2031, 5, 6, 21, tzinfo=UTC)  # ten in the evening in London
    placed_id = await calls.placed()
    row = await calls.row(placed_id)
    assert (row["state"], row["next_at"]) == ("queued", datetime(2031, 5, 7, 8, tzinfo=UTC))
    calls.then = row["next_at"]
    await calls.go_on(placed_id)
    assert (await calls.stands(placed_id))[0] == "ringing"


@pytest.mark.parametrize("fault", [TakeAndStall(), TakeAndFail(502)])
async def test_what_nobody_knows_is_asked_of_the_carriers_list_not_dialled_again(
    calls: Calling, fault: TakeAndStall | TakeAndFail
) -> None:
    calls.twilio.faults.add(fault)
    placed_id = await calls.placed()
    assert await calls.stands(placed_id) == ("placing", None, 1)
    await calls.go_on(placed_id)  # too early to tell
    assert await calls.stands(placed_id) == ("placing", None, 1)
    await calls.due(placed_id)
    await calls.go_on(placed_id)
    assert await calls.stands(placed_id) == ("ringing", None, 1)
    assert len(calls.twilio.placed.all) == 1


async def test_an_answer_tells_of_a_call_whose_request_was_cut_off(calls: Calling) -> None:
    calls.twilio.faults.add(TakeAndFail(504))
    placed_id = await calls.placed()
    (call,) = calls.twilio.placed.all
    assert await calls.told(placed_id, 1, call, "talking") == "taken"
    await calls.due(placed_id)
    call.status = "in-progress"
    await calls.go_on(placed_id)
    assert (await calls.stands(placed_id))[0] == "talking"
    assert len(calls.twilio.placed.all) == 1


@pytest.mark.parametrize("word", ["busy", "no_answer", "failed", "ended"])
async def test_who_has_answered_is_not_rung_again_whatever_is_told_of_the_end(
    calls: Calling, word: CarrierWord
) -> None:
    placed_id = await calls.placed()
    (call,) = calls.twilio.placed.all
    assert await calls.told(placed_id, 1, call, "talking") == "taken"
    assert await calls.told(placed_id, 1, call, word) == "taken"
    assert await calls.stands(placed_id) == ("ended", "talked", 1)
    assert await calls.told(placed_id, 1, call, "ringing") == "known"


async def test_killed_before_the_request_the_next_attempt_is_made_and_the_first_is_foreign(
    calls: Calling,
) -> None:
    contact_id = await calls.contact()
    _, placed_id = await calls.asked(contact_id)
    begun = await calls.ask("begin_placing", placed_id, 0, "twilio", timedelta(minutes=5))
    assert begun[0][0] == "begun"
    assert (await calls.ask("begin_placing", placed_id, 0, "twilio", timedelta(minutes=5)))[0][0] == "again"
    await calls.due(placed_id)
    await calls.go_on(placed_id)
    assert await calls.stands(placed_id) == ("ringing", None, 2)
    (call,) = calls.twilio.placed.all
    assert await calls.told(placed_id, 1, call, "talking") == "foreign"
    assert await calls.told(placed_id, 2, call, "talking") == "taken"
    call.sid = "CA" + "0" * 32
    assert await calls.told(placed_id, 2, call, "talking") == "foreign"


async def test_who_does_not_answer_is_tried_again_within_bounds(calls: Calling, stack: Stack) -> None:
    await calls.rules(most_attempts=2, pause_minutes=30)
    placed_id = await calls.placed()
    calls.then = datetime.now(UTC)
    await calls.told(placed_id, 1, calls.twilio.placed.all[0], "busy")
    await calls.go_on(placed_id)
    row = await calls.row(placed_id)
    assert (row["state"], row["carrier_call_id"]) == ("queued", None)
    assert timedelta(minutes=29) < row["next_at"] - calls.then < timedelta(minutes=31)
    calls.then = None
    await calls.due(placed_id)
    async with await asyncpg.create_pool(stack.postgres.worker, min_size=1, max_size=1) as worker:
        assert (calls.clinic.claim, placed_id) in await due_placed_calls(worker)
    await calls.go_on(placed_id)
    assert await calls.stands(placed_id) == ("ringing", None, 2)
    await calls.told(placed_id, 2, calls.twilio.placed.all[1], "no_answer")
    await calls.go_on(placed_id)
    assert await calls.stands(placed_id) == ("ended", "no_answer", 2)
    assert calls.watch.ends == ["no_answer"]


@pytest.mark.parametrize(
    ("outcome", "attempt", "pause"),
    [
        ("busy", 1, timedelta(hours=1)),
        ("no_answer", 2, timedelta(hours=2)),
        ("no_answer", 3, None),
        ("failed", 1, None),
        ("receiver", 1, None),
        ("unavailable", 1, timedelta(minutes=5)),
        ("lost", 1, timedelta(0)),
        ("lost", 3, None),
    ],
)
def test_pauses_double_and_end(outcome: str, attempt: int, pause: timedelta | None) -> None:
    assert pause_after(outcome, attempt, CallingRules()) == pause


@pytest.mark.parametrize(
    ("number", "state"),
    [(INVALID, ("ended", "receiver", 1)), (REGION_OFF, ("ended", "configuration", 1))],
)
async def test_a_refused_call_is_given_up(calls: Calling, number: str, state: tuple[str, str, int]) -> None:
    placed_id = await calls.placed(await calls.contact(phone=number))
    assert await calls.stands(placed_id) == state
    assert calls.watch.attempts == [("twilio", "refused")]


async def test_a_carrier_that_takes_nothing_is_asked_again_later(calls: Calling) -> None:
    calls.twilio.faults.add(Refuse(429))
    placed_id = await calls.placed()
    assert await calls.stands(placed_id) == ("queued", "unavailable", 1)
    await calls.due(placed_id)
    await calls.go_on(placed_id)
    assert await calls.stands(placed_id) == ("ringing", None, 2)


async def test_a_call_of_which_nothing_is_heard_is_looked_at(calls: Calling) -> None:
    first, second = await calls.placed(), await calls.placed()
    one, _ = calls.twilio.placed.all
    one.status = "no-answer"
    calls.twilio.calls.pop((await calls.row(second))["carrier_call_id"])
    await calls.rules(most_attempts=1)
    for placed_id in (first, second):
        await calls.due(placed_id)
        await calls.go_on(placed_id)
    assert await calls.stands(first) == ("ended", "no_answer", 1)
    assert await calls.stands(second) == ("ended", "vanished", 1)


async def test_a_campaigns_agent_goal_and_opening_count(calls: Calling) -> None:
    contact_id, other = await calls.contact(), await calls.contact()
    campaign_id = uuid4()
    await calls.by_hand(
        "insert into outbound_campaigns (id, org_id, service_id, status, starts_at, contact_id)"
        " values ($1, $2, $3, 'running', now(), $4)",
        campaign_id,
        calls.clinic.claim.org_id,
        calls.clinic.service_ids[0],
        contact_id,
    )

    async def change(brief: CallBrief, campaign: UUID = campaign_id) -> None:
        await set_campaign_agent(
            calls.pool,
            calls.clinic.claim,
            campaign_id=campaign,
            brief=brief,
            services=["Rhinoplasty consultation", "nose job"],
            actor=CLERK,
        )

    await change(CallBrief("Ada", "to ask how they are", "Are you well?"))
    with pytest.raises(CampaignUnknown):
        await change(CallBrief("Ada", None, None), uuid4())
    with pytest.raises(ClinicInvalid):
        await change(CallBrief(None, None, "About your nose job."))
    with pytest.raises(CampaignUnknown):
        await calls.asked(other, campaign_id)
    came, placed_id = await calls.asked(contact_id, campaign_id)
    (row,) = await calls.ask("call_brief", placed_id)
    assert (came, row["agent_name"], row["goal"], row["opening"]) == (
        "placed",
        "Ada",
        "to ask how they are",
        "Are you well?",
    )
    await calls.by_hand("update outbound_campaigns set status = 'paused'")
    await calls.go_on(placed_id)
    assert await calls.stands(placed_id) == ("refused", "campaign_over", 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"message": "Your rhinoplasty went well."},
        {"message": "Hello {name}."},
        {"opening": "It is about nose jobs."},
        {"opening": "{agent"},
        {"goal": " x"},
        {"ring_s": 4},
    ],
)
def test_words_that_anybody_may_hear_name_no_service(wrong: dict[str, str]) -> None:
    with pytest.raises(ClinicInvalid):
        require_sound(CallingRules(**wrong), ["Rhinoplasty", "nose job"])  # type: ignore[arg-type]


async def test_a_waiting_call_can_be_withdrawn_one_that_rings_cannot(calls: Calling) -> None:
    _, waiting = await calls.asked(await calls.contact())
    ringing = await calls.placed()

    async def withdrawn(placed_id: UUID) -> bool:
        return await withdraw_call(calls.pool, calls.clinic.claim, placed_id=placed_id, actor=CLERK)

    assert [await withdrawn(waiting) for _ in range(2)] == [True, True]
    assert not await withdrawn(ringing)
    await calls.go_on(waiting)
    assert await calls.stands(waiting) == ("refused", "withdrawn", 0)
    assert len(calls.twilio.placed.all) == 1


async def test_a_word_in_the_call_and_erasure_end_calls(calls: Calling) -> None:
    contact_id = await calls.contact()
    placed_id = await calls.placed(contact_id)
    claim = calls.clinic.claim
    assert await note_calls_wanted(calls.pool, claim, placed_id=placed_id, wanted=False)
    (call,) = calls.twilio.placed.all
    await calls.told(placed_id, 1, call, "busy")
    await calls.go_on(placed_id)
    await calls.due(placed_id)
    await calls.go_on(placed_id)
    assert await calls.stands(placed_id) == ("refused", "declined", 1)

    gone = await calls.contact()
    _, waiting = await calls.asked(gone)
    async with calls.pool.acquire() as raw, raw.transaction():
        await raw.execute("select app.arm($1)", f'{{"org_id": "{claim.org_id}"}}')
        keys = Keyring.of(Vault([MasterKey(KEY)]))
        await erase_contact(raw, keys, claim.org_id, Actor("operator"), contact_id=gone)
    await calls.go_on(waiting)
    assert await calls.stands(waiting) == ("refused", "erased", 0)
    shown = await find_placed_call(calls.pool, claim, placed_id=waiting)
    assert shown is not None
    assert (shown.contact_id, shown.next_at) == (None, None)
    assert not await note_calls_wanted(calls.pool, claim, placed_id=waiting, wanted=True)
