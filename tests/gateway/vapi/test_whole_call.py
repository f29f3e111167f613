"""From the command that sets an org up at Vapi to the record of a call that was carried there."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import numpy as np
import pytest

from bench.simulators.cartesia import CartesiaSimulator
from bench.simulators.chat import ChatSimulator
from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script, silence, tone
from bench.simulators.offline.tone import ToneVoice
from bench.simulators.replies import Call, Reply, ScriptedModel
from bench.simulators.vapi_api import VapiApiSimulator
from booking.db import org_transaction
from gateway.vapi.__main__ import main
from gateway.vapi.sharing import call_id_of
from pipeline.audio.mulaw import decode
from tests.commands import run_inside
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.vapi.platform import Platform

KEY, TOKEN = "vapi-private-key", "what-vapi-shows"
WANTS = "I would like a dermal filler."
FIND = Reply("", (Call("find_slots", {"service": "Dermal filler", "day": None, "after": None}),))
CLAIM = Reply("", (Call("claim_slot", {"slot": "s1"}),))
OFFERS, HELD = "I can offer ten o'clock.", "It is held for you."
AUTHS = (
    {"kind": "hmac", "secret_key": TOKEN},
    {"kind": "secret", "secret": TOKEN},
    {"kind": "oauth2", "client_id": "vapi", "client_secret": TOKEN},
)
START = {"type": "start", "encoding": "linear16", "container": "raw", "sampleRate": 16000, "channels": 2}


@pytest.fixture
async def vapi() -> AsyncIterator[VapiApiSimulator]:
    async with VapiApiSimulator(api_key=KEY) as simulator:
        yield simulator


@pytest.fixture
async def vendors() -> AsyncIterator[running.Vendors]:
    async with (
        DeepgramSimulator(Script([WANTS]).hearing) as deepgram,
        ChatSimulator(ScriptedModel([FIND, OFFERS, CLAIM, HELD])) as chat,
        CartesiaSimulator(ToneVoice()) as cartesia,
    ):
        yield running.Vendors(deepgram, chat, cartesia)


async def heard(platform: Platform) -> str:
    """What the clinic's recogniser makes of the caller, whom Vapi puts on the first of two channels."""
    caller = np.repeat(decode(tone(1.2) + silence(1.8)), 2).astype("<i2")
    audio = np.stack([caller, np.zeros_like(caller)], axis=1).tobytes()
    async with await platform.hear() as socket:
        await socket.send(json.dumps(START))
        for place in range(0, len(audio), 6_400):
            await socket.send(audio[place : place + 6_400])
        while True:
            frame = json.loads(await socket.recv())
            if frame["transcriptType"] == "final":
                return str(frame["transcription"])


@pytest.mark.parametrize("auth", AUTHS, ids=lambda auth: auth["kind"])
async def test_a_call_goes_by_what_the_command_set_up(
    stack: Stack, vendors: running.Vendors, vapi: VapiApiSimulator, clinic: Clinic, pool: asyncpg.Pool,
    auth: dict[str, str],
) -> None:  # fmt: skip
    account = {"VAPI_API_KEY": KEY, "VAPI_AUTH": json.dumps(auth), "VAPI_LLM_KEY": "what-the-llm-is-shown"}
    environ = running.environment(stack, VAPI_API_URL=vapi.url, **vendors.environment(), **account)
    vapi.add_number(clinic.number)
    applied = ("apply", "--org", str(clinic.claim.org_id), "--number", clinic.number)
    assert (await run_inside(main, *applied, environ=environ))[0] == 0
    async with running.gateway(environ) as gateway:
        platform = Platform(vapi, gateway, clinic.number)
        await platform.ring()
        assert platform.assistant["firstMessage"] == clinic.spec.greeting
        greeting = {"role": "assistant", "content": clinic.spec.greeting}
        for text in (clinic.spec.greeting, OFFERS):
            assert np.abs(np.frombuffer(await platform.speak(text), "<i2")).max() > 5_000
        wants = {"role": "user", "content": await heard(platform)}
        assert wants["content"] == WANTS
        offers = {"role": "assistant", "content": await platform.think(greeting, wants)}
        agrees = {"role": "user", "content": "Yes please."}
        assert await platform.think(greeting, wants, offers, agrees) == HELD

        said = [("bot", greeting), ("user", wants), ("bot", offers), ("user", agrees)]
        messages = [
            {"role": role, "message": told["content"], "time": round(datetime.now(UTC).timestamp() * 1000)}
            for role, told in said
        ]
        told = {"endedReason": "customer-ended-call", "artifact": {"messages": messages}, "analysis": {}}
        for _ in range(2):
            assert (await platform.tell("end-of-call-report", **told)).status_code == 200
    call_id = call_id_of(clinic.claim.org_id, platform.call_id)
    async with org_transaction(pool, clinic.claim) as connection:
        call = await connection.fetchrow("select * from calls where id = $1", call_id)
        held = await connection.fetch("select from appointment_holds where call_id = $1", call_id)
        turns = await connection.fetch("select said from call_turns where call_id = $1", call_id)
    assert call is not None
    assert (call["carrier"], call["end_reason"], len(held)) == ("vapi", "caller_hung_up", 1)
    assert "dermal filler" not in str(turns)
