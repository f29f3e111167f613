"""Whole calls without what makes them faster: they are answered, and what is switched off is really off."""

import asyncio
from collections import Counter

from tests.calls.conftest import Calling
from tests.calls.rig import Rig, ask
from tests.conftest import Clinic
from tests.gateway import running

OFF = dict.fromkeys(("PREWARM", "SIDE_BY_SIDE_LOOKUPS", "CACHES", "TTS_POOLING"), "false")
LONG_ENOUGH_S = 0.3
"""For a connection that were made ahead to be seen."""


def looked_up(made: Rig) -> Counter[str]:
    """Look-ups of profiles by the layer that answered."""
    layers = ("memory", "redis", "source")
    counted = made.gateway.counted
    return Counter(
        {each: int(counted("gateway_lookups_total", cache="profile", layer=each)) for each in layers}
    )


async def greeted(made: Rig, clinic: Clinic) -> None:
    """A call whose webhook comes long before its media: nothing is connected to in between."""
    token = await made.gateway.token(clinic.number)
    await asyncio.sleep(LONG_ENOUGH_S)
    assert (made.deepgram.sessions, made.cartesia.sockets, made.cartesia.requests) == ([], [], [])
    async with made.gateway.media() as media:
        await media.send(running.start(token))
        await running.first_audio(media)
    await made.gateway.until_idle()


async def test_calls_are_answered_without_any_of_it(calling: Calling, clinic: Clinic) -> None:
    async with calling(["Hello there."], ["What can I do?"], **OFF) as made:
        await greeted(made, clinic)
        first = looked_up(made)
        assert [len(socket.contexts) for socket in made.cartesia.sockets] == [1]
        async with made.call() as live:
            await live.agent_answers(300)
            await ask(live)
        assert +looked_up(made) == Counter(source=2 * first["source"])
        replies = [len(socket.contexts) for socket in made.cartesia.sockets]
        assert replies == [1, 1, 1], "greeting, greeting, reply: each over a socket of its own"
        assert made.cartesia.requests == [], "no phrase is made to be kept"
