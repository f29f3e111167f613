"""One stretch of a call that is recorded, as the call fills it: nothing here waits, and nothing fails."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from gateway.recording.tape import Tape
from pipeline.audio.mulaw import SAMPLE_RATE_HZ


@dataclass
class Stretch:
    """`most_s`: so much of it is held in memory; a store that takes nothing for longer cuts it off.

    `waiting_samples`: taken from the tape and not in the store yet, as its writer says.
    """

    tape: Tape
    most_s: float
    id: UUID = field(default_factory=uuid4)
    waiting_samples: int = 0
    ended_at_s: float | None = None
    cut_off: bool = False
    dropped: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def caller(self, mulaw: bytes, timestamp_ms: int, now_s: float) -> None:
        self.tape.caller(mulaw, timestamp_ms, now_s)
        self._bound(now_s)

    def agent(self, mulaw: bytes, now_s: float) -> None:
        self.tape.agent(mulaw, now_s)
        self._bound(now_s)

    def end(self, now_s: float) -> None:
        """Nothing comes after this."""
        if self.ended_at_s is None:
            self.ended_at_s = now_s
        self.over.set()

    def drop(self, now_s: float) -> None:
        """Nothing of it may be kept: what is held here is gone with this."""
        self.dropped = True
        self.tape = Tape(now_s)
        self.end(now_s)

    def _bound(self, now_s: float) -> None:
        if self.tape.held_samples + self.waiting_samples > self.most_s * SAMPLE_RATE_HZ:
            self.cut_off = True
            self.end(now_s)
