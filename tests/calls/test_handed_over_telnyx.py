"""A caller who comes by Telnyx and is put through: two legs, whom each event reaches, who comes back."""

import asyncio
import base64
import wave
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from bench.carrier import Carrier, LiveCall, TelnyxAccount
from bench.carrier.dialect import CallPlan
from bench.carrier.rest import TelnyxOrders
from bench.simulators.cartesia import CartesiaSimulator
from bench.simulators.chat import ChatSimulator
from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script
from bench.simulators.faults import Refuse
from bench.simulators.offline.tone import ToneVoice
from bench.simulators.replies import Reply, ScriptedModel
from bench.simulators.telnyx_api import TelnyxApiSimulator, TelnyxCall
from booking.db import org_transaction
from booking.handovers import store_handover_rules
from tests.calls.rig import QUICK, say
from tests.calls.test_handed_over import ALL_DAY, CLERK, DESK, THROUGH, until
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.routes.test_telnyx import post

OURS = TelnyxAccount()
LINES = ["This is Mary, put me through, please.", "So nobody is there."]


@dataclass
class Telnyx:
    """A gateway, Telnyx in front of it, and Telnyx's REST interface behind it."""

    gateway: running.Gateway
    carrier: Carrier
    api: TelnyxApiSimulator
    chat: ChatSimulator
    pool: asyncpg.Pool
    clinic: Clinic

    @asynccontextmanager
    async def call(self) -> AsyncIterator[LiveCall]:
        async with self.carrier.call(self.clinic.number, strict=False) as live:
            yield live
        await self.gateway.until_idle()

    async def put_through(self, live: LiveCall) -> str:
        """The person's leg, which rings."""
        await live.agent_answers(500)
        await say(live)
        await until(lambda: "playback_start" in self.ordered(live.plan.call_id))
        (person,) = (each for each in self.api.calls if each != live.plan.call_id)
        return person

    def ordered(self, call_id: str) -> list[str]:
        return [each.action for each in self.api.commands if each.call_id == call_id]

    def last(self, call_id: str, action: str) -> Mapping[str, Any]:
        return next(
            each.fields
            for each in reversed(self.api.commands)
            if (each.call_id, each.action) == (call_id, action)
        )

    async def tell(self, person: str, kind: str, **more: Any) -> httpx.Response:
        """An event of the person's leg, with the state that was put into it last."""
        states = [each.fields for each in self.api.commands if each.call_id == person]
        state = next(
            (each["client_state"] for each in reversed(states) if "client_state" in each),
            self.api.calls[person].dialled["client_state"],
        )
        told = {"call_control_id": person, "direction": "outgoing", "client_state": state, **more}
        data = {"record_type": "event", "event_type": kind, "id": str(uuid4()), "payload": told}
        return await post(self.gateway, {"data": data, "meta": {"attempt": 1}})

    async def handovers(self) -> list[tuple[str, str | None]]:
        async with org_transaction(self.pool, self.clinic.claim) as connection:
            rows = await connection.fetch("select state, summary from handovers order by asked_at")
        return [(row["state"], row["summary"]) for row in rows]

    async def ends(self) -> list[str | None]:
        async with org_transaction(self.pool, self.clinic.claim) as connection:
            rows = await connection.fetch("select end_reason from calls order by started_at")
        return [row["end_reason"] for row in rows]

    def heard(self) -> list[str]:
        """What the model was told last that the caller has said."""
        return [each["content"] for each in self.chat.requests[-1].messages if each["role"] == "user"]


@asynccontextmanager
async def telnyx(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic, replies: Sequence[str | Reply]
) -> AsyncIterator[Telnyx]:
    await store_handover_rules(pool, clinic.claim, ALL_DAY, actor=CLERK)
    carriers: list[Carrier] = []
    async with AsyncExitStack() as closing:
        enter = closing.enter_async_context
        deepgram = await enter(DeepgramSimulator(Script(LINES, word_s=0.1).hearing))
        chat = await enter(ChatSimulator(ScriptedModel(list(replies), otherwise="Very well.")))
        cartesia = await enter(CartesiaSimulator(ToneVoice(ms_per_char=20.0)))
        orders = TelnyxOrders(lambda: next(iter(carriers), None))
        api = await enter(TelnyxApiSimulator(api_key=OURS.api_key, carried_out=orders))
        api.numbers[clinic.number] = "1684641123236054244"
        own = {
            "TELNYX_API_KEY": OURS.api_key,
            "TELNYX_PUBLIC_KEY": OURS.public_key,
            "TELNYX_API_URL": api.url,
        }
        vendors = running.Vendors(deepgram, chat, cartesia).environment()
        gateway = await enter(running.gateway(running.environment(stack, **QUICK, **vendors, **own)))

        def rings(plan: CallPlan) -> None:
            api.calls[plan.call_id] = TelnyxCall()

        def ended(plan: CallPlan) -> None:
            api.calls[plan.call_id].state = "ended"

        carrier = Carrier(running.PUBLIC_URL, OURS, connect_url=gateway.url, dialled=rings, over=ended)
        carriers.append(await enter(carrier))
        yield Telnyx(gateway, carrier, api, chat, pool, clinic)


@pytest.fixture
async def made(stack: Stack, pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Telnyx]:
    replies = [Reply("Of course.", (THROUGH,)), "Not now.", Reply("Of course.", (THROUGH,))]
    async with telnyx(stack, pool, clinic, replies) as opened:
        yield opened


async def test_the_person_hears_what_is_wanted_and_then_the_caller(made: Telnyx) -> None:
    async with made.call() as live:
        person, caller = await made.put_through(live), live.plan.call_id
        dialled = made.api.calls[person].dialled
        assert (dialled["to"], dialled["from"], dialled["link_to"]) == (DESK, made.clinic.number, caller)
        assert (dialled["timeout_secs"], dialled["time_limit_secs"]) == (20, 900)
        assert "Mary" not in base64.b64decode(dialled["client_state"]).decode()
        assert made.ordered(caller) == ["answer", "streaming_stop", "playback_start"]
        tone = await made.gateway.http.get(
            made.gateway.url
            + made.last(caller, "playback_start")["audio_url"].removeprefix(running.PUBLIC_URL)
        )
        with wave.open(BytesIO(tone.content)) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (8000, 1, 24000)
        await until_ended(made)
        assert await made.ends() == ["transferred"]
        assert (await made.tell(person, "call.initiated")).status_code == 200
        made.api.calls[person].state = "answered"
        for _ in range(2):  # told twice
            assert (await made.tell(person, "call.answered")).status_code == 200
        sentence = made.last(person, "speak")["payload"]
        first = next(each for each in made.api.commands if each.action == "speak").fields["payload"]
        assert "bill" in first
        assert not {"Mary", "Smith", "rhinoplasty", "REDACTED"} & set(first.replace(".", "").split())
        assert "putting a caller through" in sentence
        assert (await made.tell(person, "call.speak.ended")).status_code == 200
        assert made.api.calls[caller].bridged == person
        assert not made.api.calls[caller].is_played_to
        made.api.calls[person].state = "ended"
        over = await made.tell(person, "call.hangup", hangup_cause="normal_clearing")
        assert over.status_code == 200
        assert made.ordered(caller)[-1] == "hangup"
        await live.ended()
    assert await made.handovers() == [("answered", None)]
    assert made.gateway.counted("gateway_handovers_total", outcome="answered") == 1


async def until_ended(made: Telnyx) -> None:
    """The agent's part of the call."""
    async with asyncio.timeout(20):
        while None in (await made.ends() or [None]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_whom_nobody_takes_is_back_with_the_agent_who_remembers(made: Telnyx) -> None:
    async with made.call() as live:
        person, caller = await made.put_through(live), live.plan.call_id
        await until_ended(made)
        made.api.calls[person].state = "ended"
        made.api.faults.add(Refuse(503))
        made.api.faults.add(Refuse(503))
        told = {"hangup_cause": "timeout"}
        assert (await made.tell(person, "call.hangup", **told)).status_code == 503  # it comes again
        heard_ms = live.record.agent_audible_ms
        for _ in range(2):  # and once more, though it was taken
            assert (await made.tell(person, "call.hangup", **told)).status_code == 200
        assert made.ordered(caller)[3:] == ["playback_stop", "streaming_start"]
        await until(lambda: live.record.agent_audible_ms > heard_ms)
        await live.agent_quiet(500)
        await say(live)
        await until(lambda: len(made.chat.requests) > 1 and made.heard() == LINES)
        await live.agent_quiet(500)
    assert await made.handovers() == [("unanswered", None)]
    assert made.ordered(caller).count("streaming_start") == 1
    assert made.gateway.counted("gateway_handovers_total", outcome="unanswered") == 1


async def test_what_telnyx_refuses_leaves_the_caller_with_the_agent(made: Telnyx) -> None:
    async with made.call() as live:
        caller, numbers = live.plan.call_id, dict(made.api.numbers)
        await live.agent_answers(500)
        made.api.numbers.clear()  # nothing to ring up from
        await say(live)
        await until(lambda: len(made.chat.requests) > 1)
        await live.agent_quiet(500)
        assert list(made.api.calls) == [caller]
        made.api.numbers.update(numbers)
        made.api.calls[caller].is_streamed = False  # so its stream cannot be stopped
        await say(live)
        await until(lambda: len(made.chat.requests) > 3)
        (person,) = (each for each in made.api.calls if each != caller)
        assert made.api.calls[person].state == "ended"
        over = await made.tell(person, "call.hangup", hangup_cause="originator_cancel")
        assert (over.status_code, made.ordered(caller)) == (200, ["answer"])
        await live.agent_quiet(500)
    assert await made.handovers() == [("failed", None)] * 2


async def test_a_caller_who_gives_up_lets_it_ring_no_longer(made: Telnyx) -> None:
    async with made.call() as live:
        person = await made.put_through(live)
        live.hang_up()
        await live.ended()
        assert made.api.calls[person].state == "ended"
        over = await made.tell(person, "call.hangup", hangup_cause="originator_cancel")
        assert over.status_code == 200
        late = await made.tell(person, "call.answered")
        assert late.status_code == 200
    assert "streaming_start" not in made.ordered(live.plan.call_id)
    assert made.ordered(person) == ["hangup"]
