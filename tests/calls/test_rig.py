"""What the rig itself finds out."""

from contextlib import AbstractAsyncContextManager

import asyncpg
import pytest

from bench.simulators.replies import Reply, ScriptedModel
from tests.calls.rig import CLAIM, OFFER, Rig, ask, rig
from tests.conftest import Clinic, Stack

LINES = ["I'd like a consultation.", "The first one please."]
REPLIES = [Reply("Let me look.", (OFFER,)), "At ten or at eleven?", Reply("", (CLAIM,)), "That is held."]


async def test_hold_that_nobody_declared_is_found(stack: Stack, clinic: Clinic, pool: asyncpg.Pool) -> None:
    with pytest.raises(AssertionError, match="a hold is left"):
        await call_that_books(rig(stack, clinic, pool, lines=LINES, model=ScriptedModel(REPLIES)))


async def call_that_books(calling: AbstractAsyncContextManager[Rig]) -> None:
    async with calling as made, made.call() as live:
        await live.agent_answers(300)
        await ask(live)
        await ask(live)
