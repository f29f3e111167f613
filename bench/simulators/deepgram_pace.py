"""How fast a stream runs and how long it may be silent: pure, in monotonic seconds given from outside.

"Streaming API errors" and "Audio Keep Alive", developers.deepgram.com/docs, read 2026-10: NET-0001 after
about 10 s without audio or text; a text does not keep a stream alive that never had audio; audio at most
about 1.25 times as fast as real time.
"""

from typing import Final

_REAL_TIME: Final = 1.25


class Pace:
    """One stream's pace. `burst_s`: how far audio may run ahead before `too_fast` says so, for good."""

    def __init__(self, opened_s: float, *, idle_s: float, burst_s: float) -> None:
        self.deadline_s = opened_s + idle_s  # when the stream will have been idle for too long
        self.audio_s = 0.0
        self.too_fast = False
        self._idle_s, self._burst_s = idle_s, burst_s
        self._first_audio_at_s: float | None = None

    def took(self, audio_s: float, now_s: float) -> None:
        """A frame came: so much audio, or 0 for a text."""
        if audio_s > 0 and self._first_audio_at_s is None:
            self._first_audio_at_s = now_s
        if self._first_audio_at_s is None:
            return
        self.audio_s += audio_s
        self.deadline_s = now_s + self._idle_s
        if self.audio_s - _REAL_TIME * (now_s - self._first_audio_at_s) > self._burst_s:
            self.too_fast = True
