"""When the next frame may go to a peer that plays at its own pace and holds little. Pure."""

import math


class Pace:
    """Of one line. Of what it was sent, the peer never holds more than `lead_s`.

    A frame is due by the schedule of all frames before it, not by when the last one really went: delays do
    not add up, and what a stall kept back may follow at once, still within the lead. `now_s` is any clock
    that never goes back.
    """

    def __init__(self, frame_s: float, lead_s: float) -> None:
        if not 0 < frame_s <= lead_s:
            raise ValueError("the lead must be a frame at least")
        self._frame_s = frame_s
        self._lead_s = lead_s
        self._played_at_s = -math.inf

    def wait_s(self, now_s: float) -> float:
        """How long the next frame must wait; 0 if it may go now."""
        return max(0.0, self._played_at_s + self._frame_s - self._lead_s - now_s)

    def sent(self, now_s: float) -> None:
        """A frame goes now."""
        self._played_at_s = max(self._played_at_s, now_s) + self._frame_s

    def cleared(self) -> None:
        """The peer has been told to drop what it holds."""
        self._played_at_s = -math.inf

    def held_s(self, now_s: float) -> float:
        """How much the peer holds by now, if it played all the time."""
        return max(0.0, self._played_at_s - now_s)
