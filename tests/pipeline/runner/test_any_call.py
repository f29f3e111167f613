"""Random callers against random providers that fail at random, through the whole runner: the rules hold."""

import asyncio
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest

from pipeline.errors import ProviderDropped
from pipeline.events import (
    CallerSaid,
    EagerEndOfTurn,
    EndOfTurn,
    InterimTranscript,
    SpeechStarted,
    ToolCall,
    TurnFinished,
    TurnResumed,
)
from pipeline.ports import Message, ToolResult
from tests.pipeline.runner.world import Beat, CallInProgress, Fault, Hand, Mind, Sent, Voice, call

CALLS = 2000
STOCK = set(range(101, 107))
LEVELS = ("off", "eager", "interim")

LLM_FAULT = ProviderDropped("llm", "reset", retryable=True)
TTS_FAULT = ProviderDropped("tts", "reset", retryable=True)
TEXTS = (
    "Certainly, one moment. ",
    "We have Tuesday at ten and Wednesday at four. Which one? ",
    "Yes. ",
    "Hm, ",
)


def completion(random: Random) -> list[Beat]:
    beats: list[Beat] = [random.choice(TEXTS) for _ in range(random.randint(0, 3))]
    if random.random() < 0.3:
        beats.insert(random.randint(0, len(beats)), random.choice([0.3, 2.0, 9.0]))
    if random.random() < 0.4:
        beats.append(ToolCall("c", random.choice(["claim_slot", "find_slots", "nothing", "end_call"]), "{}"))
    if random.random() < 0.15:
        beats.insert(random.randint(0, len(beats)), LLM_FAULT)
    return beats


def fault(random: Random) -> Fault | None:
    if random.random() < 0.85:
        return None
    return Fault(random.randint(0, 4), random.choice([TTS_FAULT, None]))


async def caller(c: CallInProgress, random: Random) -> None:
    for _ in range(random.randint(1, 6)):
        await c.passes(random.choice([0.0, 0.1, 0.7, 2.0, 5.0, 12.0]))
        match random.randint(0, 9):
            case 0:
                c.runner.dtmf(random.choice("0123456789#"))
            case 1:
                c.ear.hears(SpeechStarted(), EndOfTurn(""))
            case 2:
                c.speaks("well I")
                await c.passes(0.5)
                c.ear.hears(EndOfTurn("well I think Tuesday"))
            case 3 | 4 | 5:
                await perhaps_ends(c, random)
            case _:
                c.says(random.choice(["Tuesday", "mm-hm", "no wait", "How much is it?", "Goodbye"]))
    await c.passes(random.choice([0.0, 1.0, 20.0]))


async def perhaps_ends(c: CallInProgress, random: Random) -> None:
    """A turn that seems to end before it does."""
    c.ear.hears(SpeechStarted(), InterimTranscript("On Tuesday"), EagerEndOfTurn("On Tuesday"))
    await c.passes(random.choice([0.0, 0.1, 0.4, 1.5]))
    match random.randint(0, 3):
        case 0:
            c.ear.hears(EndOfTurn("On Tuesday."))
        case 1:
            c.ear.hears(TurnResumed(), InterimTranscript("On Tuesday or Wednesday"))
            await c.passes(random.choice([0.0, 0.5]))
            c.ear.hears(EndOfTurn("On Tuesday or Wednesday"))
        case 2:
            c.ear.hears(TurnResumed(), EagerEndOfTurn("On Tuesday"))
            await c.passes(0.2)
            c.ear.hears(EndOfTurn("On Tuesday"))
        case _:
            c.ear.hears(EndOfTurn("On Thursday"))


async def play(seed: int) -> CallInProgress:
    random = Random(seed)
    mind = Mind(*(completion(random) for _ in range(40)))
    voice = Voice(*(fault(random) for _ in range(40)))
    effect = Effect("claim_slot", takes_s=random.choice([0.0, 3.0]), effectful=True)
    tools = [effect, Hand("find_slots", takes_s=0.5)]
    limits = {"silence_prompt_s": 8.0, "max_call_s": 90.0, "speculation": LEVELS[seed % 3]}
    async with call(mind, voice, tools, **limits) as c:
        effect.call = c
        c.phone.returns_marks = random.random() < 0.8
        await caller(c, random)
    assert effect.ended == len(effect.begun), "an effect was not finished"
    assert effect.all_committed, "an effect of a turn that was not committed"
    return c


class Effect(Hand):
    """A tool that looks whether the turn it acts for has been committed: its words are on record by then."""

    call: CallInProgress
    all_committed = True

    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        asked = [each.content for each in self.call.mind.requests[-1] if each.role == "user"]
        said = [each.text for each in self.call.diary.of(CallerSaid)]
        self.all_committed &= letters(said).startswith(letters(asked))
        return await super().run(arguments)


def letters(texts: Sequence[str]) -> str:
    return "".join(filter(str.isalpha, "".join(texts))).lower()


def check_nothing_sounds_after_its_clear(sent: list[Sent]) -> None:
    silenced: set[int] = set()
    sounding: set[int] = set()
    for each in sent:
        if each.what == "clear":
            silenced |= sounding
            sounding = set()
        elif each.what == "audio" and each.audio[0] not in STOCK:
            assert each.audio[0] not in silenced, "audio of a cancelled turn behind its clear"
            sounding.add(each.audio[0])


def check_audio_is_in_order_and_whole(c: CallInProgress) -> None:
    heard = b"".join(each.audio for each in c.phone.sent if each.what == "audio")
    replies = [voice for voice in c.sounds() if voice not in STOCK]
    assert replies == sorted(replies), "contexts are interleaved"
    for voice in set(replies):
        assert heard.count(voice) % 2000 == 0, "half a word"


def check_every_call_is_answered(messages: list[Message]) -> None:
    waiting: list[str | None] = []
    for message in messages:
        if waiting:
            assert message.role == "tool"
            assert message.tool_call_id == waiting.pop(0)
        else:
            assert message.role != "tool"
            waiting += [call_id for call_id, _, _ in message.tool_calls]
    assert not waiting


@pytest.mark.parametrize("first", range(0, CALLS, 500))
async def test_random_calls_keep_the_rules(first: int) -> None:
    for seed in range(first, first + 500):
        c = await play(seed)
        check_nothing_sounds_after_its_clear(c.phone.sent)
        check_audio_is_in_order_and_whole(c)
        for request in c.mind.requests:
            check_every_call_is_answered(request)
        turns = [turn.turn for turn in c.diary.of(TurnFinished)]
        assert turns == list(range(1, len(turns) + 1))
        assert len(asyncio.all_tasks()) == 1
