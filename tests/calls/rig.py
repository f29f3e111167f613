"""A whole gateway with strict vendors around it and a carrier in front, over real sockets.

The caller's voice is a tone: the recogniser finds the utterances in the audio by their energy and takes their
words from the test's script. The agent's voice is a tone too, so what is heard can be counted.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec
from redis.asyncio import Redis

from bench.carrier import CallRecord, Carrier, LiveCall, TwilioAccount
from bench.carrier.steps import Pause
from bench.simulators.cartesia import CartesiaSimulator, ContextRecord
from bench.simulators.chat import ChatSimulator
from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script, tone
from bench.simulators.offline.tone import ToneVoice
from bench.simulators.replies import Call, ChatModel
from bench.simulators.sound import encode
from bench.simulators.twilio_api import ENDED, CallResource, TwilioApiSimulator
from booking.db import org_transaction
from gateway.feed import channel
from tests.conftest import Clinic, Stack
from tests.gateway import running

VOICE = ToneVoice(ms_per_char=20.0)
GREETING_S = 1.0
"""About how long the seeded greeting sounds at that pace."""

QUICK = {
    "SILENCE_PROMPT_S": "20",
    "SILENCE_GOODBYE_S": "20",
    "LLM_FIRST_CLAUSE_S": "0.6",
    "LLM_BETWEEN_TOKENS_S": "0.6",
    "TTS_FIRST_AUDIO_S": "0.6",
    "TTS_IDLE_S": "0.8",
    "FILLER_AFTER_S": "5",
    "MARK_WAIT_S": "0.5",
    "TURN_WATCHDOG_S": "3",
    "KEYPAD_PAUSE_S": "0.6",
}
"""Waits cut short, so that what happens after them can be seen within a test."""

OFFER = Call("find_slots", {"service": "rhinoplasty", "day": None, "after": None})
CLAIM = Call("claim_slot", {"slot": "s1"})
END = Call("end_call", {})


@dataclass
class Rig:
    """One gateway and everything around it."""

    gateway: running.Gateway
    deepgram: DeepgramSimulator
    chat: ChatSimulator
    cartesia: CartesiaSimulator
    twilio: TwilioApiSimulator
    carrier: Carrier
    clinic: Clinic
    pool: asyncpg.Pool
    script: Script
    feed: list[dict[str, Any]] = field(default_factory=list)
    published: asyncio.Condition = field(default_factory=asyncio.Condition)
    keeping: set[str] = field(default_factory=set)

    def keeps_hold(self, live: LiveCall) -> None:
        """Declare that this call's hold outlives it; any other that does fails the test."""
        self.keeping.add(live.plan.call_id)

    async def forgotten_holds(self) -> list[str]:
        """The carrier's ids of calls that hold a slot without having been declared as keeping it."""
        calls = {row["id"]: row["carrier_call_id"] for row in await self.call_rows()}
        holders = [calls.get(hold["call_id"], "no call") for hold in await self.live_holds()]
        return [holder for holder in holders if holder not in self.keeping]

    @asynccontextmanager
    async def call(self, **options: Any) -> AsyncIterator[LiveCall]:
        """Dial the clinic; afterwards the gateway holds no call any more."""
        async with self.carrier.call(self.clinic.number, **options) as live:
            self.twilio.add_call(live.plan.call_id)
            yield live
        await self.gateway.until_idle()

    async def events(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        """The first `count` public events of this type, waited for."""
        async with asyncio.timeout(10), self.published:
            await self.published.wait_for(lambda: len(self.of_kind(kind)) >= count)
        return self.of_kind(kind)

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.feed if event["type"] == kind]

    async def holds(self) -> list[asyncpg.Record]:
        """The clinic's holds, newest last."""
        async with org_transaction(self.pool, self.clinic.claim) as connection:
            rows: list[asyncpg.Record] = await connection.fetch(
                "select * from public.appointment_holds order by created_at"
            )
        return rows

    async def live_holds(self) -> list[asyncpg.Record]:
        return [hold for hold in await self.holds() if hold["state"] == "held"]

    async def appointments(self) -> list[asyncpg.Record]:
        """The clinic's appointments, oldest first."""
        async with org_transaction(self.pool, self.clinic.claim) as connection:
            rows: list[asyncpg.Record] = await connection.fetch(
                "select * from public.appointments order by booked_at"
            )
        return rows

    def code(self, to: str) -> str:
        """The code that was texted to this number last."""
        found = re.search(r"\b[0-9]{6}\b", self.twilio.messages.to(to)[-1].body)
        assert found
        return found[0]

    def tools(self) -> list[tuple[str, str]]:
        """The tools that ran, with what came of them."""
        return [(event["name"], event["outcome"]) for event in self.of_kind("ToolFinished")]

    async def call_rows(self) -> list[asyncpg.Record]:
        async with org_transaction(self.pool, self.clinic.claim) as connection:
            rows: list[asyncpg.Record] = await connection.fetch("select * from public.calls")
        return rows

    async def turn_rows(self) -> list[asyncpg.Record]:
        async with org_transaction(self.pool, self.clinic.claim) as connection:
            rows: list[asyncpg.Record] = await connection.fetch(
                "select * from public.call_turns order by turn"
            )
        return rows

    async def sound_of(self, text: str) -> bytes:
        """What the agent's voice makes of this text, as mu-law."""
        sounds = [sound async for sound in VOICE.speak(text)]
        return b"".join(encode(sound.samples, "pcm_mulaw") for sound in sounds)

    def contexts(self) -> list[ContextRecord]:
        """Every speech context of every socket, in order."""
        return [context for socket in self.cartesia.sockets for context in socket.contexts.values()]

    def asked(self, number: int) -> Sequence[Mapping[str, Any]]:
        """The messages of the n-th request to the model, from 0."""
        return self.chat.requests[number].messages


@asynccontextmanager
async def rig(
    stack: Stack,
    clinic: Clinic,
    pool: asyncpg.Pool,
    *,
    lines: Sequence[str] | Mapping[int, Sequence[str]],
    model: ChatModel,
    **environ: str,
) -> AsyncIterator[Rig]:
    """`lines`: what the caller says, utterance by utterance; `model`: what the model answers.

    When all is closed, no hold is left but those of calls that were declared as keeping theirs.
    """
    account = TwilioAccount(running.ACCOUNT, running.AUTH_TOKEN)
    carriers: list[Carrier] = []

    def updated(call: CallResource) -> None:
        """The account's REST interface changes a call: it ends, or goes on without its stream."""
        for carrier in carriers:
            if call.status in ENDED:
                carrier.complete(call.sid)
            else:
                carrier.replace(call.sid, [Pause(60)])

    async with AsyncExitStack() as closing:
        enter = closing.enter_async_context
        script = Script(lines, word_s=0.1)
        deepgram = await enter(DeepgramSimulator(script.hearing))
        chat = await enter(ChatSimulator(model))
        cartesia = await enter(CartesiaSimulator(VOICE))
        twilio = await enter(
            TwilioApiSimulator(
                account_sid=account.sid,
                auth_token=account.auth_token,
                updated=updated,
            )
        )
        twilio.messages.senders.add(clinic.number)
        vendors = running.Vendors(deepgram, chat, cartesia).environment()
        settings = running.environment(stack, **QUICK | vendors | {"TWILIO_API_URL": twilio.url} | environ)
        gateway = await enter(running.gateway(settings))
        carrier = await enter(Carrier(running.PUBLIC_URL, account, connect_url=gateway.url))
        carriers.append(carrier)
        made = Rig(gateway, deepgram, chat, cartesia, twilio, carrier, clinic, pool, script)
        await enter(_watched(stack.redis, made))
        yield made
    assert await made.forgotten_holds() == [], "a hold is left"


@asynccontextmanager
async def _watched(redis_url: str, made: Rig) -> AsyncIterator[None]:
    """Everything that the gateway publishes of this clinic's calls goes into `made.feed`."""
    async with Redis.from_url(redis_url) as redis, redis.pubsub() as pubsub:
        await pubsub.subscribe(channel(made.clinic.claim.org_id))

        async def collect() -> None:
            async for message in pubsub.listen():
                if message["type"] != "message":
                    continue
                async with made.published:
                    made.feed.append(msgspec.json.decode(message["data"]))
                    made.published.notify_all()

        collecting = asyncio.create_task(collect())
        try:
            yield
        finally:
            collecting.cancel()
            await asyncio.wait({collecting})


async def say(live: LiveCall, seconds: float = 0.6, pitch_hz: int = 440) -> None:
    """One utterance of the caller."""
    await live.say(tone(seconds, pitch_hz))


async def ask(live: LiveCall, seconds: float = 0.6, *, quiet_ms: int = 500, pitch_hz: int = 440) -> None:
    """One utterance, and the agent's whole answer to it."""
    before_ms = live.record.agent_audible_ms
    await say(live, seconds, pitch_hz)
    await live.until(lambda record: record.agent_audible_ms > before_ms)
    await live.agent_quiet(quiet_ms)


def agent_ms_after(record: CallRecord, at_ms: int) -> int:
    """How much agent audio reached the carrier after this instant."""
    return round(
        sum(event.length_ms for event in record.wire if event.at_ms > at_ms and hasattr(event, "length_ms"))
    )
