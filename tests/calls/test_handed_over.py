"""A caller who is put through to a person: whom that reaches, and who comes back to the agent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from bench.carrier import LiveCall
from bench.carrier.twilio.twiml import parse_twiml
from bench.simulators.faults import Refuse
from bench.simulators.replies import Call, Reply
from booking.db import fetch, org_transaction
from booking.errors import ClinicInvalid
from booking.follow_up import note_asked
from booking.handovers import (
    HandoverRules,
    ask_handover,
    end_handover,
    load_handover_rules,
    settle_stale_handovers,
    store_handover_rules,
)
from booking.types import Actor
from gateway.handover import CallHandover, HandoverOrder, spoken
from gateway.tools import TransferToHuman
from pipeline.errors import ToolArgumentError
from tests.booking.following import Following, following
from tests.booking.texting import Post, post_office
from tests.calls.conftest import Calling
from tests.calls.rig import Rig, ask, say
from tests.conftest import Clinic
from tests.gateway import running
from tests.gateway.desk import booking_of

CLERK, DESK = Actor("operator"), "+442071838999"
ALL_DAY = HandoverRules(DESK, tuple(range(7)), time(0), time(0), 20)
THROUGH = Call("transfer_to_human", {"wanted": "Mary Smith asks about her rhinoplasty bill."})
LONDON = ZoneInfo("Europe/London")


async def staffed(pool: asyncpg.Pool, clinic: Clinic, rules: HandoverRules = ALL_DAY) -> None:
    await store_handover_rules(pool, clinic.claim, rules, actor=CLERK)


async def handover(made: Rig) -> dict[str, Any]:
    (row,) = [dict(row) for row in await rows(made, "select * from handovers")]
    return row


async def rows(made: Rig, statement: str) -> list[asyncpg.Record]:
    async with org_transaction(made.pool, made.clinic.claim) as connection:
        found: list[asyncpg.Record] = await connection.fetch(statement)
    return found


async def webhook(made: Rig, live: LiveCall, path: str, **fields: str) -> ElementTree.Element:
    form = {"CallSid": live.plan.call_id, "From": live.plan.caller, "To": live.plan.dialled, **fields}
    return running.document(await made.gateway.post(path, form | {"Direction": "inbound"}))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def put_through(made: Rig, live: LiveCall) -> ElementTree.Element:
    """The document that the call goes on with."""
    await live.agent_answers(500)
    await say(live)
    call = made.twilio.calls[live.plan.call_id]
    await until(lambda: call.twiml is not None)
    assert call.twiml is not None
    return ElementTree.fromstring(call.twiml)  # noqa: S314  our own document


async def test_a_caller_is_put_through_and_the_person_hears_why(
    calling: Calling, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    await staffed(pool, clinic)
    async with calling(["Put me through, please."], [Reply("Of course.", (THROUGH,))]) as made:
        async with made.call(strict=False) as live:
            document = await put_through(made, live)
            assert [verb.tag for verb in document] == ["Say", "Dial"]
            dial = document[1]
            assert (dial[0].tag, dial[0].text) == ("Number", DESK)
            assert (dial.attrib["timeout"], dial.attrib["timeLimit"]) == ("20", "900")
            assert made.twilio.calls[live.plan.call_id].status == "in-progress"  # not hung up
            asked = await handover(made)
            assert (asked["state"], "Mary" in asked["summary"]) == ("asked", False)
            whisper = dial[0].attrib["url"].removeprefix(running.PUBLIC_URL)
            heard = await webhook(made, live, whisper)
            (sentence,) = [verb.text or "" for verb in heard]
            assert "putting a caller through" in sentence
            assert "bill" in sentence
            assert not {"Mary", "Smith", "rhinoplasty", "REDACTED"} & set(sentence.replace(".", "").split())
            assert (await handover(made))["summary"] is None
            over = dial.attrib["action"].removeprefix(running.PUBLIC_URL)
            ended = await webhook(made, live, over, DialCallStatus="completed", CallStatus="in-progress")
            assert running.verbs(ended) == ["Hangup"]
        assert made.tools()[-1] == ("transfer_to_human", "put_through")
        (row,) = await made.call_rows()
        assert row["end_reason"] == "transferred"
        assert (await handover(made))["state"] == "answered"
        assert made.gateway.counted("gateway_handovers_total", outcome="answered") == 1


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same replica", "another"])
async def test_a_caller_whom_nobody_takes_is_back_with_the_agent(
    calling: Calling, pool: asyncpg.Pool, clinic: Clinic, elsewhere: bool
) -> None:
    """Who knows what was said before, if it is the same process; else that nobody answered."""
    await staffed(pool, clinic)
    lines = ["This is Mary, put me through, please.", "So nobody is there."]
    async with calling(lines, [Reply("Of course.", (THROUGH,)), "What may I note?"]) as made:
        async with made.call(strict=False) as live:
            document = await put_through(made, live)
            over = document[1].attrib["action"].removeprefix(running.PUBLIC_URL)
            recollections = made.gateway.edge.desk.recollections
            await until(lambda: len(recollections) == 1)
            if elsewhere:
                recollections.forget(live.plan.call_id)
            back = await webhook(made, live, over, DialCallStatus="no-answer", CallStatus="in-progress")
            assert running.verbs(back) == ["Connect"]
            steps = parse_twiml(ElementTree.tostring(back), live.plan.voice_url)
            heard_ms = live.record.agent_audible_ms
            assert made.carrier.replace(live.plan.call_id, steps)
            await until(lambda: live.record.agent_audible_ms > heard_ms)
            await live.agent_quiet(500)
            await ask(live)
            assert len(recollections) == 0
        assert (await handover(made))["state"] == "unanswered"
        said = " ".join(row["said"] for row in await rows(made, "select said::text as said from call_turns"))
        assert "nobody can come to the telephone" in said
        assert "Mary" not in said
        messages = made.asked(-1)
        assert "nobody answered" in messages[0]["content"]
        heard = [each["content"] for each in messages if each["role"] == "user"]
        assert heard == ([] if elsewhere else [lines[0]]) + [lines[1]]
        assert any(each.get("tool_call_id") for each in messages) is not elsewhere


async def test_what_the_carrier_refuses_leaves_the_caller_with_the_agent(
    calling: Calling, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    await staffed(pool, clinic)
    replies = [Reply("", (THROUGH,)), "I can take a message."]
    async with calling(["Put me through, please."], replies) as made, made.call() as live:
        await live.agent_answers(500)
        made.twilio.faults.add(Refuse(503))
        await ask(live)
        assert made.tools()[-1] == ("transfer_to_human", "not_put_through")
        assert (await handover(made))["state"] == "failed"


async def test_out_of_hours_nobody_is_there_and_no_carrier_is_asked(post: Post) -> None:
    async def order(_order: HandoverOrder) -> None:
        raise AssertionError("a carrier was asked")

    booking = await booking_of(post)
    tool = TransferToHuman(booking, CallHandover(replace(ALL_DAY, days=()), order, str, 900))
    assert (await tool.run({"wanted": "A bill."})).outcome == "nobody_there"
    with pytest.raises(ToolArgumentError):
        await tool.run({"wanted": " "})


@pytest.mark.parametrize(
    ("at", "there"),
    [
        (datetime(2031, 5, 6, 8, 30, tzinfo=UTC), True),  # half past nine in London
        (datetime(2031, 5, 6, 7, 59, tzinfo=UTC), False),
        (datetime(2031, 5, 6, 16, 0, tzinfo=UTC), False),
        (datetime(2031, 5, 4, 11, 0, tzinfo=UTC), False),  # a Sunday
    ],
)
def test_hours_are_the_clinics(at: datetime, there: bool) -> None:
    assert HandoverRules(DESK).is_staffed(at, LONDON) is there
    assert not HandoverRules().is_staffed(at, LONDON)


async def test_rules_that_make_no_sense_are_refused(pool: asyncpg.Pool, clinic: Clinic) -> None:
    wrong: list[dict[str, Any]] = [
        {"number": "0207"},
        {"number": clinic.number},
        {"days": (1, 1)},
        {"days": (7,)},
        {"opens": time(18)},
        {"ring_s": 61},
    ]
    for each in wrong:
        with pytest.raises(ClinicInvalid):
            await staffed(pool, clinic, replace(HandoverRules(DESK), **each))
    assert (await load_handover_rules(pool, clinic.claim)).number is None


def test_what_was_masked_is_said_in_words() -> None:
    assert spoken("[REDACTED: PERSON] asks about [REDACTED: MEDICAL] and [REDACTED: CARD 2].") == (
        "somebody asks about a medical matter and something personal."
    )


@pytest.fixture
async def post(pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Post]:
    async with post_office(pool, clinic) as opened:
        yield opened


@pytest.fixture
async def calls(pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Following]:
    async with following(pool, clinic) as opened:
        yield opened


@pytest.mark.parametrize("answered", [True, False])
async def test_a_call_that_a_person_took_over_is_not_followed_up(calls: Following, answered: bool) -> None:
    call_id, handover_id, claim = await calls.begun(), uuid4(), calls.clinic.claim
    await note_asked(calls.pool, claim, call_id=call_id, service_id=calls.clinic.service_ids[0])
    await ask_handover(calls.pool, claim, handover_id=handover_id, call_id=call_id, summary="A bill.")
    await calls.ask("note_texts_wanted", call_id, True)
    await calls.ended(call_id, "transferred")
    await calls.go_on(call_id)
    assert (await calls.stands(call_id))[0] == "waiting"  # it may still ring there
    if answered:
        await fetch(calls.pool, claim, "answer_handover", handover_id)
    else:
        await end_handover(calls.pool, claim, handover_id=handover_id, state="unanswered")
    calls.then = datetime.now(UTC) + timedelta(minutes=2)
    await calls.go_on(call_id)
    assert await calls.stands(call_id) == (("skipped", "transferred") if answered else ("sent", None))


async def test_a_handover_of_which_nothing_more_is_heard_forgets_what_it_was_about(calls: Following) -> None:
    call_id, claim = await calls.begun(), calls.clinic.claim
    await ask_handover(calls.pool, claim, handover_id=uuid4(), call_id=call_id, summary="A bill.")
    for after, stands in ((timedelta(hours=1), ("asked", "A bill.")), (timedelta(0), ("unanswered", None))):
        await settle_stale_handovers(calls.pool, claim, after=after)
        async with org_transaction(calls.pool, claim) as connection:
            (row,) = await connection.fetch("select state, summary from handovers")
        assert tuple(row) == stands
