"""A gateway killed anywhere in what it does for calls at Vapi, again and again: tools, the end, a report that
comes and comes again or has to be asked for, what follows. In the end each call's words stand once, and there
is one campaign and one text for each that was to have one.

pytest tests/proofs/test_killed_at_vapi.py --kills 300
"""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from bench.simulators.vapi_api import VapiApiSimulator
from booking.db import open_pool
from gateway.vapi.sharing import call_id_of
from tests.booking.following import mobile
from tests.conftest import Clinic, Stack
from tests.gateway.vapi.calling import API_KEY, ENVIRONMENT, WEBHOOK, CallAtVapi, set_up, signed
from tests.proofs.test_killed import (
    CALLS_AT_ONCE,
    MOST_DEATHS,
    PATIENT_S,
    Carrier,
    aside,
    carrier,
    is_over,
    require_one_each,
    shop,
    stands,
)

__all__ = ["aside", "shop"]

LIVES = (100, 300, 800)
"""Turns of the loop at most: in about as many so many calls are begun, told to their end, followed up."""
LONGEST_LIFE_S = 1.5
SETTLING = 120
"""The same from the first report on, until all are settled."""
ASKED_AFTER_S = 20.0
_SAID = (
    ("bot", "Hello."),
    ("user", "My name is Marmaduke Featherstone and I'd like a nose job."),
    ("bot", "I can offer Tuesday at ten."),
    ("user", "I'll think about it."),
    ("bot", "Goodbye."),
)
_KEPT = """
select c.id as call_id, c.end_reason, v.settled_at is not null as settled,
    (select count(*) from call_turns t where t.call_id = c.id) as turns,
    (select count(*) from pii_vault p where p.call_id = c.id) as names,
    (select count(*) from text_replies r where r.call_id = c.id) as messages
from calls c join vapi_calls v on v.call_id = c.id where c.id = any ($1)
"""
_FOUND = """
select v.over_since is not null as over, v.settled_at is not null as settled, f.state,
    (select count(*) from call_turns t where t.call_id = c.id) > 0 as words
from calls c join vapi_calls v on v.call_id = c.id join follow_ups f on f.call_id = c.id where c.id = any ($1)
"""
# What time alone does. Of a call that goes on, six hours have not passed: its report is still asked for.
_TIME_PASSES = """
update public.follow_ups set next_at = now() where state in ('due', 'waiting', 'sending') and next_at > now();
update public.sms_messages set check_after = now() where status in ('queued', 'sent');
update public.vapi_calls set next_at = now() where next_at > now();
update jobs.pgqueuer set heartbeat = now() - interval '1 hour' where status = 'picked';
update jobs.pgqueuer set execute_after = now() where status = 'queued' and execute_after > now();
"""
_LEASES_END = "update public.vapi_calls set held_until = now() where holder is not null"


@dataclass
class AtVapi:
    """One call, whose messages Vapi sends to whichever gateway lives, each as often as it was told to.

    `answered`: by what each of them was answered, if it was.
    """

    call: CallAtVapi
    vapi: VapiApiSimulator
    made: Carrier
    http: httpx.AsyncClient
    reports: bool = field(default_factory=lambda: random.random() < 0.8)
    answered: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        return call_id_of(self.call.clinic.claim.org_id, self.call.vapi_id)

    async def take_place(self) -> None:
        """From its first message to its report, which Vapi may have lost; then it tells it if it is asked."""
        told: dict[str, Any] = {**self.call.call, "phoneNumber": {"number": self.call.clinic.number}}
        self.vapi.add_call(**told)
        await self._tell("status-update", status="in-progress")
        for name, arguments in (
            ("find_slots", {"service": "nose job"}),
            ("note_texts", {"wanted": True}),
            ("take_message", {"message": "Please ring me."}),
        ):
            await self._tell("tool-calls", 1, toolCallList=[self.call.tool_call(name, **arguments)])
        report = self.call.report(*_SAID)
        self.vapi.calls[self.call.vapi_id] = {**told, "status": "ended", **report}
        await self._tell("status-update", status="ended", endedReason="customer-ended-call")
        if self.reports:
            await self._tell("end-of-call-report", **report)

    async def _tell(self, kind: str, retries: int = 5, **parts: Any) -> None:
        body, wait_s = self.call.body(kind, **parts), 0.05
        path = WEBHOOK + ("/call-ended" if kind == "end-of-call-report" else "")
        for _ in range(1 + retries):
            answer = await self._sent(body, path)
            if answer is not None and answer.status_code == 200:
                self._note(kind, answer.json())
                return
            await asyncio.sleep(wait_s)
            wait_s *= 2

    async def _sent(self, body: bytes, path: str) -> httpx.Response | None:
        url = self.made.mortals.url
        try:
            return await self.http.post(url + path, content=body, headers=signed(body)) if url else None
        except httpx.HTTPError:
            return None

    def _note(self, kind: str, answer: dict[str, Any]) -> None:
        for result in answer.get("results", ()):
            self.answered[result["name"]] = "result" in result
        self.answered[kind] = answer


@pytest.fixture
async def vapi() -> AsyncIterator[VapiApiSimulator]:
    async with VapiApiSimulator(api_key=API_KEY) as simulator:
        yield simulator


@pytest.fixture
async def at_vapi(aside: Stack, shop: Clinic) -> Clinic:
    async with await open_pool(aside.postgres.app, max_size=1) as pool:
        await set_up(pool, shop)
    return shop


def pairs(calls: Sequence[AtVapi]) -> list[tuple[UUID, str]]:
    return [(each.id, each.call.caller) for each in calls]


def where(row: asyncpg.Record) -> str:
    """What a kill found, in words."""
    if row["settled"]:
        return f"follow-up {row['state']}"
    return "words kept" if row["words"] else "over" if row["over"] else "going on"


async def killed_on_the_way(
    there: asyncpg.Connection, made: Carrier, calls: Sequence[AtVapi], found: Counter[str]
) -> int:
    """So many lives that end somewhere while the calls take place; how many kills there were."""
    kills = 0
    async with asyncio.TaskGroup() as lines:
        for death in range(random.randint(1, MOST_DEATHS)):
            at_report = random.random() < 0.5
            turns = random.randrange(SETTLING if at_report else random.choice(LIVES))
            await made.mortals.begin(turns, [], at_report=at_report)
            if death == 0:
                for each in calls:
                    lines.create_task(each.take_place())
            await made.mortals.died(within_s=LONGEST_LIFE_S)
            await made.mortals.end()
            kills += 1
            found.update(map(where, await there.fetch(_FOUND, [each.id for each in calls])))
            await there.execute(_TIME_PASSES + _LEASES_END)
        await made.mortals.begin(None, [])
    return kills


async def settled(there: asyncpg.Connection, made: Carrier, calls: Sequence[AtVapi]) -> None:
    """The gateway that lives brings all to their end: what is not told any more it asks for."""
    async with asyncio.timeout(PATIENT_S):
        while not is_over(await stands(there, pairs(calls))):
            await there.execute(_TIME_PASSES)
            await asyncio.sleep(0.1)
    await made.mortals.end()


async def require_kept_once(there: asyncpg.Connection, calls: Sequence[AtVapi]) -> None:
    """Of whatever call a gateway has ever heard: its words, its end, the message that was left."""
    rows = {row["call_id"]: row for row in await there.fetch(_KEPT, [each.id for each in calls])}
    for each in calls:
        row = rows.get(each.id)
        if row is None:
            assert not each.answered
            continue
        found = (row["end_reason"], row["settled"], row["turns"], row["names"])
        assert found == ("caller_hung_up", True, 3, 1), each.answered
        assert row["messages"] <= 1
        assert row["messages"] or not each.answered.get("take_message")


def require_followed(rows: Sequence[asyncpg.Record], calls: Sequence[AtVapi]) -> None:
    """None is left out for want of what was told."""
    known = {row["call_id"]: row for row in rows}
    for each in calls:
        row = known.get(each.id)
        if row is not None:
            assert row["known"]
            assert row["asked"]
            assert row["wanted"] or not each.answered.get("note_texts")


@pytest.mark.timeout(3600)
async def test_killed_anywhere_each_call_at_vapi_is_kept_and_followed_up_once(
    request: pytest.FixtureRequest, aside: Stack, at_vapi: Clinic, there: asyncpg.Connection,
    vapi: VapiApiSimulator,
) -> None:  # fmt: skip
    wanted = int(request.config.getoption("kills", default=None) or 2)
    found, kills, due, unheard = Counter[str](), 0, 0, 0
    vapis = {**ENVIRONMENT, "VAPI_API_URL": vapi.url}
    async with carrier(aside, at_vapi, **vapis) as made, httpx.AsyncClient(timeout=ASKED_AFTER_S) as http:
        while kills < wanted or not due:
            calls = [
                AtVapi(CallAtVapi(at_vapi, caller=mobile()), vapi, made, http) for _ in range(CALLS_AT_ONCE)
            ]
            kills += await killed_on_the_way(there, made, calls, found)
            await settled(there, made, calls)
            rows = await stands(there, pairs(calls))
            await require_kept_once(there, calls)
            require_followed(rows, calls)
            due += require_one_each(rows, made, pairs(calls))
            unheard += len(calls) - len(rows)
        assert len(made.twilio.messages.all) == due
    told = f"{kills} kills, {due} calls followed up, {unheard} never heard of; a kill found: "
    sys.stdout.write(f"{told}{dict(found.most_common())}\n")
