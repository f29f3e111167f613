"""The gate in front of the line: an utterance that lost the floor sends nothing more, wherever it is."""

import asyncio

import pytest

from pipeline.floor import Floor, Silenced
from pipeline.turn.limits import TurnLimits
from pipeline.turn.machine import TurnMachine
from pipeline.turn.protocol import CallBegan, KeyPressed, LineLost, TurnEvent
from tests.pipeline.runner.world import LoopClock, Phone, now_s

GREETING = (1, 1)


class SlowPhone(Phone):
    """Takes a second for each piece of audio."""

    async def play(self, mulaw: bytes) -> None:
        await asyncio.sleep(1.0)
        await super().play(mulaw)


class Stage:
    def __init__(self, phone: Phone) -> None:
        self.machine = TurnMachine(TurnLimits())
        self.floor = Floor(phone, self.machine, LoopClock(), self.tell)
        self.tell(CallBegan())

    def tell(self, event: TurnEvent) -> None:
        self.machine.handle(event, now_s())


async def test_what_was_not_admitted_is_not_sent() -> None:
    phone = Phone()
    stage = Stage(phone)
    await stage.floor.play(GREETING, b"\x01" * 80)
    stage.tell(KeyPressed("5"))
    with pytest.raises(Silenced):
        await stage.floor.play(GREETING, b"\x02" * 80)
    with pytest.raises(Silenced):
        await stage.floor.mark(GREETING, 0.01)
    assert [sent.what for sent in phone.sent] == ["audio"]


async def test_audio_that_waited_behind_other_audio_is_asked_again_when_its_turn_comes() -> None:
    phone = SlowPhone()
    stage = Stage(phone)
    first = asyncio.create_task(stage.floor.play(GREETING, b"\x01" * 80))
    second = asyncio.create_task(stage.floor.play(GREETING, b"\x02" * 80))
    await asyncio.sleep(0.5)
    stage.tell(KeyPressed("5"))
    await first
    with pytest.raises(Silenced):
        await second
    assert [sent.audio[0] for sent in phone.sent] == [1]


async def test_a_broken_line_is_told_and_silences() -> None:
    phone = Phone()
    stage = Stage(phone)
    told: list[TurnEvent] = []
    floor = Floor(phone, stage.machine, LoopClock(), told.append)
    phone.is_open = False
    with pytest.raises(Silenced):
        await floor.play(GREETING, b"\x01" * 80)
    assert LineLost("gone") in told
