"""Two tracks on one time line: what the caller said, what was really played to them. Pure.

The line begins at `started_s` and runs with the clock that is handed in. The caller's audio stands where its
own timestamps put it, which a late network does not move: the least delay seen is taken for none. The agent's
audio is played by the carrier one piece behind the other from when it is sent, hence stands behind what was
sent before, or at now; a clear cuts off what has not been played by then.
"""

from collections import deque
from typing import Final

import numpy as np

from pipeline.audio.mulaw import SAMPLE_RATE_HZ, SILENCE

CHANNELS: Final = 2
_JITTER_SAMPLES: Final = SAMPLE_RATE_HZ // 2
"""Pieces that are off by more were not delayed: their sender counts otherwise from there on."""
_JUDGED: Final = 50  # pieces of audio: a second of most carriers'


class Tape:
    """One stretch of a call. What was taken is gone from it; `held_samples` is what it holds of a track."""

    def __init__(self, started_s: float) -> None:
        self._started_s = started_s
        self._taken = 0
        self._caller = bytearray()
        self._agent = bytearray()
        self._anchor: int | None = None
        self._heard = 0
        self._delays: deque[int] = deque(maxlen=_JUDGED)

    @property
    def held_samples(self) -> int:
        return max(len(self._caller), len(self._agent))

    def caller(self, mulaw: bytes, timestamp_ms: int, now_s: float) -> None:
        """A piece that has just come. `timestamp_ms` 0: the carrier tells none, pieces follow one another."""
        stamp = timestamp_ms * SAMPLE_RATE_HZ // 1000 if timestamp_ms else self._heard
        self._heard = stamp + len(mulaw)
        _put(self._caller, self._place(stamp, len(mulaw), now_s) - self._taken, mulaw)

    def agent(self, mulaw: bytes, now_s: float) -> None:
        """A piece that is being sent."""
        at = max(self._at(now_s) - self._taken, len(self._agent))
        _put(self._agent, at, mulaw)

    def cleared(self, now_s: float) -> None:
        """The carrier drops what it has not played."""
        del self._agent[max(0, self._at(now_s) - self._taken) :]

    def take(self, until_s: float) -> bytes:
        """All up to this instant: mu-law, caller left and agent right, one byte each by turns."""
        count = self._at(until_s) - self._taken
        if count <= 0:
            return b""
        both = np.full((count, CHANNELS), SILENCE, np.uint8)
        for channel, track in enumerate((self._caller, self._agent)):
            piece = np.frombuffer(bytes(track[:count]), np.uint8)
            both[: len(piece), channel] = piece
            del track[:count]
        self._taken += count
        return both.tobytes()

    def _at(self, now_s: float) -> int:
        return round((now_s - self._started_s) * SAMPLE_RATE_HZ)

    def _place(self, stamp: int, length: int, now_s: float) -> int:
        """Where on the line a piece belongs that ends now at the latest."""
        latest = self._at(now_s) - length
        if self._anchor is None:
            self._anchor = latest - stamp
        delay = latest - (self._anchor + stamp)
        self._delays.append(delay)
        if delay < 0:
            self._move(delay)
            if -delay <= _JITTER_SAMPLES:
                del self._caller[:-delay]  # what is there came later than it was said, by as much
        elif len(self._delays) == _JUDGED and (least := min(self._delays)) > _JITTER_SAMPLES:
            self._move(least)  # the sender made a pause and does not count it
        return self._anchor + stamp

    def _move(self, by: int) -> None:
        self._anchor = (self._anchor or 0) + by
        self._delays.clear()


def _put(track: bytearray, at: int, mulaw: bytes) -> None:
    """Write at this place, over what is there, behind silence if there is a gap; what was taken stays out."""
    if at < 0:
        mulaw, at = mulaw[-at:], 0
    if at > len(track):
        track.extend(bytes((SILENCE,)) * (at - len(track)))
    track[at : at + len(mulaw)] = mulaw
