"""The end of calls at Vapi: what of the report is kept and how, what follows, and reports that never come."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

import asyncpg
import pytest

from bench.simulators.faults import Refuse
from bench.simulators.twilio_api import TwilioApiSimulator
from bench.simulators.vapi_api import VapiApiSimulator
from booking.db import org_transaction
from booking.follow_up import told_over_at
from booking.follow_up_rules import FollowUpRules, store_rules
from booking.types import OPERATOR
from booking.vapi_calls import due_vapi_calls
from compliance.erasure import erase_number
from compliance.reading import Actor
from gateway.caller import Ends
from gateway.sealing import VaultSealer
from gateway.settings import Vapi
from gateway.vapi.api import Patience, VapiApi
from gateway.vapi.calls import VapiCall
from gateway.vapi.messages import read_message, told_end
from gateway.vapi.reports import MOST_TRIES, Reports, open_reports
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import Gateway
from tests.gateway.vapi.calling import API_KEY, CallAtVapi

SAID = (
    ("bot", "Hello, Harley Street Clinic. How can I help?"),
    ("user", "My name is Marmaduke Featherstone and I'd like a nose job, my number is 07700 900 871."),
    ("tool_calls", ""),
    ("bot", "Thank you. I can offer Tuesday at ten."),
    ("user", "I'll think about it."),
    ("bot", "Goodbye."),
)
_FOLLOW_UPS = "select * from follow_ups where call_id = $1"
_TURNS = "select turn, said, outcome from call_turns where call_id = $1 order by turn"


async def everybody_may_be_texted(pool: asyncpg.Pool, clinic: Clinic) -> None:
    rules = FollowUpRules(
        quiet_from=time(0), quiet_to=time(0), consent="inquiry", booking_url="https://clinic.example.com/book"
    )
    await store_rules(pool, clinic.claim, rules, clinic=clinic.spec.name, actor=OPERATOR)


async def test_a_report_is_kept_as_our_own_calls_are(
    gateway: Gateway, call: CallAtVapi, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    assert (await call.end(gateway, *SAID)).status_code == 200
    turns = await call.rows(pool, _TURNS)
    assert [(each["turn"], each["outcome"]) for each in turns] == [
        (0, "silent"), (1, "answered"), (2, "answered")
    ]  # fmt: skip
    told = " ".join(each["said"] for each in turns)
    assert "Tuesday at ten" in told
    for personal in ("Marmaduke", "Featherstone", "900 871", "nose job"):
        assert personal not in told, personal
    kinds = await call.rows(pool, "select kind, turn from pii_vault where call_id = $1 order by kind")
    assert [tuple(each) for each in kinds] == [("person", 1), ("phone", 1)]
    row = await call.row(pool, "select * from calls where id = $1")
    assert row["sealed_caller"] is not None
    follow_up = await call.row(pool, _FOLLOW_UPS)
    assert (follow_up["state"], follow_up["service_id"]) == ("due", clinic.service_ids[0])


async def test_a_call_without_a_booking_is_followed_up_once(
    stack: Stack, environ: dict[str, str], call: CallAtVapi, clinic: Clinic, twilio: TwilioApiSimulator,
    pool: asyncpg.Pool,
) -> None:  # fmt: skip
    await everybody_may_be_texted(pool, clinic)
    working = {"WORKERS": "1", "DATABASE_WORKER_URL": stack.postgres.worker}
    async with running.gateway(environ | working) as gateway:
        for _ in range(3):
            assert (await call.end(gateway, *SAID)).status_code == 200
        async with asyncio.timeout(30):
            while (await call.row(pool, _FOLLOW_UPS))["state"] != "sent":  # noqa: ASYNC110  a worker's doing
                await asyncio.sleep(0.05)
        (text,) = twilio.messages.to(call.caller)
        assert "Marmaduke" not in text.body
    async with org_transaction(pool, clinic.claim) as connection:
        assert await connection.fetchval("select count(*) from outbound_campaigns") == 1


def test_what_follows_is_waited_for_from_when_the_end_was_told() -> None:
    ended = datetime(2031, 5, 6, 11, tzinfo=UTC)
    for after_s, from_s in ((2, 0), (10, 0), (40, 40)):
        settled = ended + timedelta(seconds=after_s)
        assert told_over_at(ended, settled) == ended + timedelta(seconds=from_s)
    assert told_over_at(ended, None) == ended


@pytest.mark.parametrize(
    ("recording", "said", "kept"),
    [("kept", "Please don't record this call. I am Marmaduke.", []),
     ("asked", "I am Marmaduke.", []),
     ("off", "I am Marmaduke.", []),
     ("announced", "I am Marmaduke.", ["person"])],
)  # fmt: skip
async def test_words_are_kept_as_far_as_they_may_be(
    gateway: Gateway, call: CallAtVapi, clinic: Clinic, pool: asyncpg.Pool, recording: str, said: str,
    kept: list[str],
) -> None:  # fmt: skip
    async with org_transaction(pool, clinic.claim) as connection:
        await connection.execute("update organizations set recording = $1", recording)
    assert (
        await call.end(gateway, ("bot", "Hello."), ("user", said), ("bot", "Goodbye."))
    ).status_code == 200
    values = await call.rows(pool, "select kind from pii_vault where call_id = $1")
    assert [each["kind"] for each in values] == kept
    words = [each["said"] for each in await call.rows(pool, _TURNS)]
    assert len(words) == 2
    assert any(each != "[]" for each in words) is bool(kept)


async def test_a_hold_that_the_caller_was_told_of_outlives_the_call(
    gateway: Gateway, call: CallAtVapi, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    """Whose report has no words is judged by whether the call went on with the hold."""
    later, silent, cut = (replace(call, vapi_id=f"{call.vapi_id[:-1]}{n}") for n in "xyz")
    for each, told_after in ((call, True), (later, False), (silent, True), (cut, False)):
        offered = await each.use(gateway, "find_slots", service="nose job")
        assert (await each.use(gateway, "claim_slot", slot=offered["slots"][0]["slot"]))["held"]
        end = datetime.now(UTC) if told_after else each.started_at
        message = {"role": "bot", "message": "It is held.", "endTime": end.timestamp() * 1000}
        if each is silent:
            assert (await each.use(gateway, "note_texts", wanted=False)) is not None
        words = [] if each in (silent, cut) else [message]
        report = each.report(artifact={"messages": words})
        assert (await each.tell(gateway, "end-of-call-report", **report)).status_code == 200
        holds = await each.rows(pool, "select state from appointment_holds where call_id = $1")
        assert [row["state"] for row in holds] == ["held" if told_after else "released"]
        follow_up = await each.row(pool, _FOLLOW_UPS)
        assert follow_up["service_id"] == clinic.service_ids[0]  # by the times that were looked for


# --- reports that never come --------------------------------------------------------------------------------


@pytest.fixture
async def api() -> AsyncIterator[VapiApiSimulator]:
    async with VapiApiSimulator(api_key=API_KEY) as simulator:
        yield simulator


@dataclass(frozen=True)
class Asking:
    """A gateway at which a call is open, and the job that asks Vapi for it."""

    gateway: Gateway
    reports: Reports
    call: CallAtVapi
    pool: asyncpg.Pool

    async def ask(self) -> None:
        told = VapiCall(self.call.clinic.claim.org_id, self.call.vapi_id, Ends(), self.call.started_at)
        await self.reports.ask(told.claim, told.call_id)

    async def stands(self) -> tuple[str | None, int, bool]:
        """Why it ended, how often Vapi was asked in vain, whether it is to be asked again."""
        ended = await self.call.row(self.pool, "select end_reason from calls where id = $1")
        row = await self.call.row(self.pool, "select asked, next_at from vapi_calls where call_id = $1")
        return ended["end_reason"], row["asked"], row["next_at"] is not None

    def counted(self, outcome: str) -> float:
        return self.gateway.counted("gateway_vapi_reports_total", source="asked", outcome=outcome)


@pytest.fixture
async def asking(
    environ: dict[str, str], api: VapiApiSimulator, call: CallAtVapi, pool: asyncpg.Pool
) -> AsyncIterator[Asking]:
    async with running.gateway(environ | {"VAPI_API_URL": api.url}) as gateway:
        desk = gateway.edge.desk
        assert (await call.tell(gateway, "status-update", status="in-progress")).status_code == 200
        async with open_reports(gateway.edge.settings, desk.pool, desk.vault, desk.metrics) as reports:
            yield Asking(gateway, reports, call, pool)


async def test_a_report_that_never_came_is_asked_for(
    asking: Asking, api: VapiApiSimulator, call: CallAtVapi, stack: Stack, pool: asyncpg.Pool
) -> None:
    fetched = {**call.call, "phoneNumber": {"number": call.clinic.number}}
    api.add_call(**fetched)
    await asking.ask()
    assert await asking.stands() == (None, 0, True)  # it goes on
    assert (await call.tell(asking.gateway, "status-update", status="ended")).status_code == 200
    await call.rows(pool, "update vapi_calls set next_at = now() where call_id = $1 returning 1")
    worker = await asyncpg.create_pool(stack.postgres.worker, min_size=1, max_size=1)
    due = [call_id for claim, call_id in await due_vapi_calls(worker) if claim == call.clinic.claim]
    await worker.close()
    assert len(due) == 1
    api.calls[call.vapi_id] = {**fetched, "status": "ended", **call.report(*SAID)}
    await asking.ask()
    assert await asking.stands() == ("caller_hung_up", 0, False)
    assert len(await call.rows(pool, _TURNS)) == 3
    assert (await call.row(pool, "select sealed_caller from calls where id = $1"))["sealed_caller"]
    assert (await call.row(pool, _FOLLOW_UPS))["state"] == "due"
    await asking.ask()
    assert (asking.counted("settled"), asking.counted("repeated")) == (1, 0)
    assert (await call.end(asking.gateway, *SAID)).status_code == 200  # and comes after all
    assert asking.gateway.counted("gateway_vapi_reports_total", source="webhook", outcome="repeated") == 1


async def test_what_comes_late_does_not_put_off_asking_for_a_call_that_is_over(
    asking: Asking, api: VapiApiSimulator, call: CallAtVapi, environ: dict[str, str], pool: asyncpg.Pool
) -> None:
    """Be it at a replica that has not heard of its end; nor does Vapi, which goes on with its own work."""
    soon = timedelta(seconds=asking.gateway.edge.settings.waits.vapi_report_s)
    statement = "select next_at - now() as wait from vapi_calls where call_id = $1"
    assert (await call.row(pool, statement))["wait"] > 2 * soon
    assert (await call.tell(asking.gateway, "status-update", status="ended")).status_code == 200
    async with running.gateway(environ) as another:
        for kind, parts in (("hang", {}), ("status-update", {"status": "in-progress"})):
            assert (await call.tell(another, kind, **parts)).status_code == 200
        assert "error" not in await call.use(another, "find_slots", service="nose job")
    assert (await call.row(pool, statement))["wait"] <= soon
    api.add_call(**call.call)
    for over_for, least, most in (
        ("1 second", 55, 60),
        ("20 minutes", 1_100, 1_220),
        ("9 hours", 3_500, 3_600),
    ):
        over = (
            f"update vapi_calls set over_since = now() - interval '{over_for}' where call_id = $1 returning 1"
        )
        await call.rows(pool, over)
        await asking.ask()
        wait = (await call.row(pool, statement))["wait"]
        assert timedelta(seconds=least) < wait <= timedelta(seconds=most), over_for
    assert await asking.stands() == (None, 0, True)


async def test_a_call_that_vapi_does_not_know_is_lost(asking: Asking, call: CallAtVapi) -> None:
    await asking.ask()
    assert await asking.stands() == ("lost", 0, False)
    assert asking.counted("lost") == 1


async def test_vapi_is_asked_so_often_and_no_more(
    asking: Asking, api: VapiApiSimulator, call: CallAtVapi, pool: asyncpg.Pool
) -> None:
    api.add_call(**call.call)
    api.faults.add(Refuse(401), times=None)
    for tries in range(1, MOST_TRIES):
        await asking.ask()
        assert await asking.stands() == (None, tries, True)
    row = await call.row(pool, "select next_at - now() as pause from vapi_calls where call_id = $1")
    assert timedelta(minutes=30) < row["pause"] <= timedelta(hours=1)
    await asking.ask()
    assert await asking.stands() == ("lost", MOST_TRIES - 1, False)
    assert (asking.counted("failed"), asking.counted("lost")) == (MOST_TRIES - 1, 1)


async def test_what_vapi_answers_may_be_none_of_its_calls(asking: Asking, api: VapiApiSimulator) -> None:
    api.calls[asking.call.vapi_id] = {"id": ["somebody"], "customer": "somebody"}
    await asking.ask()
    assert await asking.stands() == (None, 1, True)
    patient = replace(asking.reports, process=Vapi(), again_s=1.0)  # nor is there an account to ask with
    async with VapiApi(Vapi(), Patience(1)) as nowhere:
        await replace(patient, api=nowhere).ask(
            asking.call.clinic.claim,
            (await asking.call.row(asking.pool, "select call_id from vapi_calls where call_id = $1"))[
                "call_id"
            ],
        )
    assert await asking.stands() == (None, 2, True)
    another = {**asking.call.call, "id": "another-call", "status": "ended", **asking.call.report(*SAID)}
    api.calls[asking.call.vapi_id] = another
    await asking.ask()
    assert await asking.stands() == (None, 3, True)
    assert await asking.call.rows(asking.pool, "select 1 from calls where id <> $1") == []


async def test_whoever_is_erased_is_asked_for_no_more(
    asking: Asking, call: CallAtVapi, pool: asyncpg.Pool
) -> None:
    """In the middle of the call, by the number that it shows."""
    claim, keys = call.clinic.claim, VaultSealer(asking.gateway.edge.desk.vault).keys
    assert (await call.use(asking.gateway, "find_slots", service="nose job"))["slots"]
    async with org_transaction(pool, claim) as connection:
        await erase_number(connection, keys, claim.org_id, Actor("operator"), e164=call.caller)
    assert await call.rows(pool, "select 1 from vapi_calls where call_id = $1") == []
    await asking.ask()
    assert (await call.tell(asking.gateway, "status-update", status="in-progress")).status_code == 200
    assert "error" in await call.use(asking.gateway, "find_slots", service="nose job")
    assert (await call.end(asking.gateway, *SAID)).status_code == 200
    row = await call.row(pool, "select * from calls where id = $1")
    assert (row["end_reason"], row["sealed_caller"]) == ("caller_hung_up", None)
    for table in ("pii_vault", "call_turns", "vapi_calls"):
        assert await call.rows(pool, f"select 1 from {table} where call_id = $1") == []


async def test_a_report_that_breaks_off_anywhere_and_comes_again_is_kept_once(
    gateway: Gateway, call: CallAtVapi, pool: asyncpg.Pool
) -> None:
    """Cut off at whichever step: what was written already is written again, and doubles nothing."""
    edge, told = gateway.edge, read_message(call.body("end-of-call-report", **call.report(*SAID)))
    assert told.call is not None
    profile = await edge.desk.profiles.get(call.clinic.claim.org_id)
    assert profile is not None
    known = VapiCall.told(profile.org_id, told.call, datetime.now(UTC))
    cut = 0
    for steps in range(400):
        settling = asyncio.create_task(edge.vapi_settling.settle(profile, known, told_end(told)))
        for _ in range(steps):
            await asyncio.sleep(0)
        settling.cancel()
        await asyncio.wait({settling})
        if not settling.cancelled():
            break
        cut += 1
        await call.rows(pool, "update vapi_calls set holder = null where call_id = $1 returning 1")
    else:
        assert await edge.vapi_settling.settle(profile, known, told_end(told))
    assert cut > 20
    assert [row["turn"] for row in await call.rows(pool, _TURNS)] == [0, 1, 2]
    assert len(await call.rows(pool, "select 1 from pii_vault where call_id = $1")) == 2
    assert len(await call.rows(pool, "select 1 from clinical_notes where call_id = $1")) == 1
    assert (await call.row(pool, _FOLLOW_UPS))["state"] == "due"
