"""The caller hangs up, at every stage of a call; nothing is left and nothing stays held by accident."""

import pytest

from bench.carrier import LiveCall
from bench.simulators.cartesia import StallSpeech
from bench.simulators.replies import ChatFault, Reply
from tests.calls.conftest import Calling
from tests.calls.rig import CLAIM, OFFER, Rig, ask, say

LINES = ["I'd like a rhinoplasty consultation.", "The first one please."]
REPLIES = [Reply("Let me look.", (OFFER,)), "At ten or at eleven?", Reply("", (CLAIM,)), "That is held. " * 8]


async def at_once(live: LiveCall, made: Rig) -> None:
    """Before the greeting."""


async def in_the_greeting(live: LiveCall, made: Rig) -> None:
    await live.agent_speaks(200)


async def while_speaking(live: LiveCall, made: Rig) -> None:
    await live.agent_answers(300)
    await say(live, 0.4)


async def while_the_model_thinks(live: LiveCall, made: Rig) -> None:
    made.chat.faults.add(ChatFault(then="stall"))
    await live.agent_answers(300)
    await say(live)
    await made.events("CallerSaid")


async def while_the_voice_is_made(live: LiveCall, made: Rig) -> None:
    await live.agent_answers(300)
    made.cartesia.faults.add(StallSpeech(), times=None)
    await say(live)
    await made.events("CallerSaid")


async def while_the_agent_speaks(live: LiveCall, made: Rig) -> None:
    await live.agent_answers(300)
    await say(live)
    await live.agent_speaks(100)


@pytest.mark.parametrize(
    "stage",
    [
        at_once, in_the_greeting, while_speaking, while_the_model_thinks, while_the_voice_is_made,
        while_the_agent_speaks,
    ],
)  # fmt: skip
@pytest.mark.parametrize("way", ["hang_up", "drop"])
async def test_hang_up_leaves_nothing(calling: Calling, stage: object, way: str) -> None:
    async with calling(LINES, REPLIES) as made:
        async with made.call(strict=way == "hang_up") as live:
            await stage(live, made)  # type: ignore[operator]
            live.hang_up() if way == "hang_up" else live.drop()
            if way == "drop":
                live.hang_up()
            await live.ended()
        assert await made.live_holds() == []


async def test_hold_is_given_back_when_the_caller_goes_before_hearing_of_it(calling: Calling) -> None:
    async with calling(LINES, REPLIES) as made:
        async with made.call() as live:
            await live.agent_answers(300)
            await ask(live)
            await say(live)
            await live.agent_speaks(100)
            live.hang_up()
        assert [hold["state"] for hold in await made.holds()] == ["released"]


async def test_hold_lives_on_when_the_caller_knows_of_it(calling: Calling) -> None:
    async with calling(LINES, REPLIES) as made:
        async with made.call() as live:
            await live.agent_answers(300)
            await ask(live)
            await ask(live)
            live.hang_up()
            made.keeps_hold(live)
        assert len(await made.live_holds()) == 1


async def test_dropped_socket_is_taken_up_again(calling: Calling) -> None:
    async with calling(LINES, REPLIES) as made:
        async with made.call() as live:
            await live.agent_answers(300)
            live.drop()
            await live.agent_answers(300)
            live.hang_up()
        assert live.record.streams == 2
