"""What the carrier holds to play to the caller: a queue of audio with marks in it.

Pure: no clock. Whoever owns it takes one frame per 20 ms. A mark is returned once all that was queued before
it has been played, at once if nothing is queued. What a clear does to the marks, and how much may wait, is
each carrier's own.
"""

from collections import deque
from dataclasses import dataclass, field

from bench.carrier.errors import Rule

FRAME_BYTES = 160
FRAME_MS = 20
BYTES_PER_MS = 8
SILENCE = 0xFF


@dataclass(frozen=True, slots=True)
class QueueRules:
    """`most_ms`: of audio that may wait, `overflow` is broken by more. `flushes_marks`: a clear returns the
    marks of what it drops; otherwise they never come back.
    """

    most_ms: int
    overflow: Rule
    flushes_marks: bool


@dataclass(slots=True)
class PlaybackQueue:
    """Audio waiting to be played, in order, with the marks behind it."""

    rules: QueueRules
    _audio: bytearray = field(default_factory=bytearray)
    _marks: deque[tuple[int, str]] = field(default_factory=deque)
    _queued: int = 0
    _played: int = 0

    @property
    def waiting_ms(self) -> float:
        return (self._queued - self._played) / BYTES_PER_MS

    def queue(self, mulaw: bytes) -> bool:
        """Take audio; False if too much is waiting already and it was dropped."""
        if self._queued - self._played + len(mulaw) > self.rules.most_ms * BYTES_PER_MS:
            return False
        self._audio += mulaw
        self._queued += len(mulaw)
        return True

    def mark(self, name: str) -> list[str]:
        """Put a mark behind what is queued; returned at once if nothing is."""
        self._marks.append((self._queued, name))
        return self._due()

    def clear(self) -> tuple[list[str], float]:
        """Drop everything: the pending marks that are due now, and how much audio was dropped (ms)."""
        dropped_ms = self.waiting_ms
        self._audio.clear()
        self._played = self._queued
        if not self.rules.flushes_marks:
            self._marks.clear()
        return self._due(), dropped_ms

    def take_frame(self) -> tuple[bytes, int, list[str]]:
        """The next 20 ms, padded with silence; how many of its bytes are the agent's; marks reached by its
        end.
        """
        agent = bytes(self._audio[:FRAME_BYTES])
        del self._audio[:FRAME_BYTES]
        self._played += len(agent)
        return agent + bytes([SILENCE]) * (FRAME_BYTES - len(agent)), len(agent), self._due()

    def _due(self) -> list[str]:
        due = []
        while self._marks and self._marks[0][0] <= self._played:
            due.append(self._marks.popleft()[1])
        return due
