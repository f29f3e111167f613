"""A whole call that ends with a held slot."""

import wave
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from bench.simulators.replies import Reply, ScriptedModel
from booking.slots import next_available
from tests.calls.rig import CLAIM, END, OFFER, ask, rig
from tests.conftest import Clinic, Stack

LINES = ["I'd like a rhinoplasty consultation.", "The first one please.", "No thank you, goodbye."]


def model() -> ScriptedModel:
    return ScriptedModel(
        [
            Reply("Let me look.", (OFFER,)),
            "I have three times for you. Which would you like?",
            Reply("", (CLAIM,)),
            "That is held for you. Anything else?",
            Reply("Goodbye then.", (END,)),
        ]
    )


@pytest.mark.parametrize("stt_model", ["flux-general-en", "nova-3", "nova-2"])
async def test_caller_is_heard_answered_and_gets_the_slot(
    stack: Stack, clinic: Clinic, pool: asyncpg.Pool, tmp_path: Path, stt_model: str
) -> None:
    wanted = await next_available(
        pool, clinic.claim, service_id=clinic.service_ids[0], after=datetime.now(UTC), limit=1
    )
    async with rig(stack, clinic, pool, lines=LINES, model=model(), STT_MODEL=stt_model) as made:
        async with made.call() as live:
            await live.agent_answers(500)
            await ask(live)
            await ask(live)
            await ask(live, quiet_ms=0)
            record = await live.ended()
            made.keeps_hold(live)
        [hold] = await made.live_holds()
        [row] = await made.call_rows()
        turns = await made.events("TurnFinished", 3)

    assert hold["slot_id"] == wanted[0].id
    assert hold["call_id"] == row["id"]
    assert record.end_reason == "rest_completed"
    assert [request.form for request in made.twilio.requests] == [{"Status": "completed"}]
    assert [turn["outcome"] for turn in turns] == ["answered"] * 3
    for turn in turns:
        for chain in (OF_THE_TURN, OF_THE_REPLY):
            stages = [turn["stages_s"][name] for name in chain]
            assert stages == sorted(stages)
        assert turn["overhead_ms"] < turn["ttfb_ms"]
    record.write_wav(tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav")) as written:
        assert (written.getnchannels(), written.getframerate()) == (2, 8000)


# A reply that was begun on a guess asks the model before the turn's end.
OF_THE_TURN = ("speech_end", "end_of_turn", "first_audio_sent")
OF_THE_REPLY = (
    "llm_request", "llm_first_token", "first_clause", "tts_request", "tts_first_audio", "first_audio_sent",
)  # fmt: skip


async def test_model_is_told_who_said_what_and_what_the_tools_answered(
    stack: Stack, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    async with rig(stack, clinic, pool, lines=LINES, model=model()) as made, made.call() as live:
        await live.agent_answers(500)
        await ask(live)
        await ask(live)
        made.keeps_hold(live)
    last = made.asked(3)
    assert [message["role"] for message in last[1:]] == [
        "assistant", "user", "assistant", "tool", "assistant", "user", "assistant", "tool",
    ]  # fmt: skip
    assert last[2]["content"] == LINES[0]
    assert '"slot":"s1"' in last[4]["content"].replace(" ", "")
    assert '"held":true' in last[8]["content"].replace(" ", "")


async def test_mulaw_goes_through_untouched_both_ways(
    stack: Stack, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    async with rig(stack, clinic, pool, lines=LINES, model=model()) as made, made.call() as live:
        await live.agent_answers(500)
        await ask(live)
    said = bytes(live.record.caller_channel).strip(b"\xff")
    assert said
    assert said in bytes(made.deepgram.sessions[0].audio)
    heard = bytes(live.record.agent_channel)
    spoken = [text for context in made.contexts() for text in context.spoken]
    assert spoken
    for text in spoken:
        assert await made.sound_of(text) in heard


async def test_nothing_said_is_published_or_stored_unredacted(
    stack: Stack, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    async with rig(stack, clinic, pool, lines=LINES, model=model()) as made:
        async with made.call() as live:
            await live.agent_answers(500)
            await ask(live)
        [said] = await made.events("CallerSaid")
        rows = await made.turn_rows()
    assert "[REDACTED: MEDICAL" in said["text"]
    assert rows
    for public in (made.feed, rows):
        assert "rhinoplasty" not in str(public).casefold()
