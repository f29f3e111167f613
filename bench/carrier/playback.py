"""What the carrier holds to play to the caller: a queue of audio with marks in it.

Pure: no clock. Whoever owns it takes one frame per 20 ms. A mark is returned once all that was queued before
it has been played, at once if nothing is queued; a clear drops the audio and returns all pending marks
(Twilio docs, Media Streams messages, read 2026-11).
"""

from collections import deque
from dataclasses import dataclass, field

FRAME_BYTES = 160
FRAME_MS = 20
BYTES_PER_MS = 8
SILENCE = 0xFF
MAX_QUEUED_BYTES = 10 * 60 * 8000
QUEUE_OVERFLOW = 31931


@dataclass(slots=True)
class PlaybackQueue:
    """Audio waiting to be played, in order, with the marks behind it."""

    _audio: bytearray = field(default_factory=bytearray)
    _marks: deque[tuple[int, str]] = field(default_factory=deque)
    _queued: int = 0
    _played: int = 0

    @property
    def waiting_ms(self) -> float:
        return (self._queued - self._played) / BYTES_PER_MS

    def queue(self, mulaw: bytes) -> bool:
        """Take audio; False if ten minutes are waiting already and it was dropped (31931)."""
        if self._queued - self._played + len(mulaw) > MAX_QUEUED_BYTES:
            return False
        self._audio += mulaw
        self._queued += len(mulaw)
        return True

    def mark(self, name: str) -> list[str]:
        """Put a mark behind what is queued; returned at once if nothing is."""
        self._marks.append((self._queued, name))
        return self._due()

    def clear(self) -> tuple[list[str], float]:
        """Drop everything: the pending marks, all due now, and how much audio was dropped (ms)."""
        dropped_ms = self.waiting_ms
        self._audio.clear()
        self._played = self._queued
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
