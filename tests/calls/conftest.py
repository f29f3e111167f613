"""`calling`: whole calls into a gateway of this test's own."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager

import asyncpg
import pytest

from bench.simulators.replies import ScriptedModel, Step
from tests.calls.rig import Rig, rig
from tests.conftest import Clinic, Stack

Calling = Callable[..., AbstractAsyncContextManager[Rig]]


@pytest.fixture
async def calling(stack: Stack, clinic: Clinic, pool: asyncpg.Pool) -> AsyncIterator[Calling]:
    """`calling(lines, replies, **environment)`: a gateway; what its callers and its model say.

    After the test no call is left, no hold but those declared with `keeps_hold`, and every recogniser's and
    synthesiser's socket is closed.
    """
    made: list[Rig] = []

    def make(
        lines: Sequence[str], replies: Sequence[Step | str], **environ: str
    ) -> AbstractAsyncContextManager[Rig]:
        return _noted(made, rig(stack, clinic, pool, lines=lines, model=ScriptedModel(replies), **environ))

    yield make
    for each in made:
        assert await each.forgotten_holds() == [], "a hold is left"
        assert all(session.close_code is not None for session in each.deepgram.sessions), "an open STT socket"
        assert all(socket.closed.is_set() for socket in each.cartesia.sockets), "an open TTS socket"
        assert all(row["ended_at"] is not None for row in await each.call_rows()), "a call without an end"


class _noted:  # noqa: N801  a context manager used like a function
    def __init__(self, made: list[Rig], opening: AbstractAsyncContextManager[Rig]) -> None:
        self._made = made
        self._opening = opening

    async def __aenter__(self) -> Rig:
        self._made.append(await self._opening.__aenter__())
        return self._made[-1]

    async def __aexit__(self, *exc_info: object) -> bool | None:
        return await self._opening.__aexit__(*exc_info)  # type: ignore[arg-type]
