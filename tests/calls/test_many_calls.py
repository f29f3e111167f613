"""Twenty calls at once, none of which touches another."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from bench.simulators.faults import DropSocket
from bench.simulators.replies import Reply, ScriptedModel
from tests.calls.rig import Rig, ask, rig
from tests.conftest import Clinic, Stack

CALLERS = 20
PITCHES_HZ = [300 + 100 * n for n in range(CALLERS)]


def name(pitch_hz: int) -> str:
    """Of its own rhythm, so that the tone that speaks it can be told from all others."""
    number = PITCHES_HZ.index(pitch_hz)
    return f"{'a' * (number // 5 + 1)} {'b' * (number % 5 + 1)}"


def echo(messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> Reply:
    """Says the caller's own words back."""
    return Reply(f"You said {messages[-1]['content']}")


async def test_each_caller_gets_the_answer_to_their_own_words(
    stack: Stack, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    lines = {pitch: [f"{name(pitch)} first.", f"{name(pitch)} second."] for pitch in PITCHES_HZ}
    model = ScriptedModel([], otherwise=echo)
    async with rig(stack, clinic, pool, lines=lines, model=model) as made:
        async with asyncio.TaskGroup() as group:
            calls = {pitch: group.create_task(one_call(made, pitch)) for pitch in PITCHES_HZ}
        spoken = [text for context in made.contexts() for text in context.spoken]
        for pitch, call in calls.items():
            answers = [await made.sound_of(text) for text in spoken if f" {name(pitch)} " in text]
            assert len(answers) == 2
            assert all(answer in call.result() for answer in answers)
            others = [
                await made.sound_of(text)
                for text in spoken
                if "said" in text and f" {name(pitch)} " not in text
            ]
            assert not any(other in call.result() for other in others)
        turns = await made.events("TurnFinished", 2 * CALLERS)
    assert {turn["outcome"] for turn in turns} == {"answered"}


async def one_call(made: Rig, pitch_hz: int) -> bytes:
    async with made.call() as live:
        await live.agent_answers(500)
        await ask(live, 0.8, pitch_hz=pitch_hz)
        await ask(live, 0.8, pitch_hz=pitch_hz)
    return bytes(live.record.agent_channel)


async def test_fault_in_one_call_is_not_felt_in_another(
    stack: Stack, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    lines = {440: ["Caller one."], 1200: ["Caller two."]}
    async with rig(stack, clinic, pool, lines=lines, model=ScriptedModel([], otherwise=echo)) as made:
        made.deepgram.faults.add(DropSocket(after_audio_ms=600))
        async with made.call(strict=False) as first, made.call() as second:
            await first.send_raw("{ no json")
            await asyncio.gather(first.agent_answers(500), second.agent_answers(500))
            first.drop()
            await ask(second, 0.8, pitch_hz=1200)
            first.hang_up()
            await first.ended()
        [turn] = await made.events("TurnFinished")
    assert turn["outcome"] == "answered"
