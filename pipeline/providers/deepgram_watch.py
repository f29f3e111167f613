"""When a recogniser's socket needs something although no message made it due. Pure: the instant is an
argument.

Flux ends turns by the audio's time and Nova by its silence, so a line that stops sending would leave a turn
open for ever: silence is fed. Nova closes a socket that gets nothing for 10 s (NET-0001), and KeepAlive
counts only once audio has been sent. A stream may also stay open and say no more (field report, 2026-09).
"""

from dataclasses import dataclass
from enum import Enum, auto

from pipeline.providers.deepgram_config import DeepgramConfig


class Chore(Enum):
    FEED_SILENCE = auto()
    KEEP_ALIVE = auto()
    FORCE_LAPSED = auto()  # nobody answered the forced end of turn
    MUTE = auto()  # the recogniser says nothing of a turn, or of speech, that it must hear


@dataclass(slots=True)
class Watch:
    """One socket's deadlines. Instants are monotonic seconds; `feed_s` is the length of one piece of
    silence.
    """

    config: DeepgramConfig
    feed_s: float
    keeps_alive: bool  # the dialect has a KeepAlive message
    opened_s: float
    patience: float = 1.0  # multiplies `mute_after_s`; grown by the owner after each mute socket in a row
    _audio_s: float = 0.0
    _fed_s: float = 0.0
    _heard_s: float = 0.0
    _loud_for_s: float = 0.0
    _kept_s: float = 0.0
    _forced_s: float | None = None
    _sent_any: bool = False

    def __post_init__(self) -> None:
        self._audio_s = self._fed_s = self._heard_s = self._kept_s = self.opened_s

    def audio_came(self, now_s: float, length_s: float, *, loud: bool) -> None:
        self._audio_s = self._kept_s = now_s
        self._sent_any = True
        if loud:
            self._loud_for_s += length_s

    def heard(self, now_s: float) -> None:
        """A message about turns came."""
        self._heard_s = now_s
        self._loud_for_s = 0.0

    def forced(self, now_s: float) -> None:
        self._forced_s = now_s if self._forced_s is None else self._forced_s

    def turn_ended(self) -> None:
        self._forced_s = None

    @property
    def is_forcing(self) -> bool:
        return self._forced_s is not None

    def due_s(self, *, turn_open: bool) -> float:
        """The latest instant to call `check`; earlier does no harm."""
        deadlines = [self._quiet_due_s(turn_open=turn_open)]
        if turn_open:
            deadlines.append(self._heard_s + self._mute_after_s)
        if self._forced_s is not None:
            deadlines.append(self._forced_s + self.config.force_wait_s)
        return min(deadlines)

    def check(self, now_s: float, *, turn_open: bool) -> Chore | None:
        """What is due now, at most one thing; it counts as done."""
        if self._forced_s is not None and now_s >= self._forced_s + self.config.force_wait_s:
            self._forced_s = None
            return Chore.FORCE_LAPSED
        silent_turn = turn_open and now_s >= self._heard_s + self._mute_after_s
        if silent_turn or self._loud_for_s >= self._mute_after_s:
            self.heard(now_s)
            return Chore.MUTE
        if now_s < self._quiet_due_s(turn_open=turn_open):
            return None
        return self._keep_going(now_s, turn_open=turn_open)

    @property
    def _mute_after_s(self) -> float:
        return self.config.mute_after_s * self.patience

    def _rests(self, *, turn_open: bool) -> bool:
        return self.keeps_alive and self._sent_any and not turn_open

    def _quiet_due_s(self, *, turn_open: bool) -> float:
        if self._rests(turn_open=turn_open):
            return self._kept_s + self.config.keep_alive_s
        return max(self._audio_s + self.config.idle_after_s, self._fed_s + self.feed_s)

    def _keep_going(self, now_s: float, *, turn_open: bool) -> Chore:
        if self._rests(turn_open=turn_open):
            self._kept_s = now_s
            return Chore.KEEP_ALIVE
        self._fed_s = max(self._quiet_due_s(turn_open=turn_open), now_s - self.feed_s)
        self._kept_s = now_s
        self._sent_any = True
        return Chore.FEED_SILENCE
