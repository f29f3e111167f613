"""The line as the utterances of one call share it: in order, gated, and entered in the heard ledger."""

import asyncio
from collections.abc import Awaitable, Callable

from pipeline.audio.mulaw import duration_s
from pipeline.errors import LineClosed, PipelineError
from pipeline.ports import Clock, Line
from pipeline.turn.machine import TurnMachine
from pipeline.turn.playback import Take
from pipeline.turn.protocol import AudioQueued, LineLost, MarkQueued, TurnEvent


class Silenced(PipelineError):
    """This utterance has lost the floor; nothing of it goes out any more. Inside the pipeline only."""


class Floor:
    """Every byte of ours passes here. `tell` hands an event to the machine at once."""

    def __init__(
        self, line: Line, machine: TurnMachine, clock: Clock, tell: Callable[[TurnEvent], None]
    ) -> None:
        self._line = line
        self._machine = machine
        self._clock = clock
        self._tell = tell
        self._sending = asyncio.Lock()

    def is_idle(self) -> bool:
        """Nothing of ours is on the line."""
        return self._machine.line_idle(self._clock.now_s())

    async def play(self, take: Take, mulaw: bytes) -> float:
        """Send audio of an utterance; the instant at which it was sent. Raises `Silenced`.

        Cancelling it sends nothing more.
        """
        async with self._sending:
            self._check(take)
            # Entered before it is sent: the ledger's upper bound must hold whatever happens meanwhile.
            self._tell(AudioQueued(take, duration_s(mulaw)))
            await self._or_lost(self._line.play(mulaw))
            return self._clock.now_s()

    async def mark(self, take: Take, offset_s: float) -> None:
        """Put a mark behind the audio of an utterance; its name says which and where. Raises `Silenced`."""
        name = f"t{self._machine.turn}.{take[0]}.{take[1]}.{round(offset_s * 1000)}"
        async with self._sending:
            self._check(take)
            self._tell(MarkQueued(name))
            await self._or_lost(self._line.mark(name))

    async def clear(self) -> None:
        """Drop what is queued. Raises `Silenced` if the line is gone."""
        async with self._sending:
            await self._or_lost(self._line.clear())

    def _check(self, take: Take) -> None:
        if not self._machine.admits(take[0]):
            raise Silenced

    async def _or_lost(self, sending: Awaitable[None]) -> None:
        try:
            await sending
        except LineClosed as closed:
            self._tell(LineLost(str(closed) or "line_closed"))
            raise Silenced from None
