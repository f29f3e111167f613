"""What any carrier's media socket says (events) and is told (actions), one frozen dataclass each.

A codec turns wire messages into events and actions into wire messages; it does no I/O and keeps no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

# --- the carrier says ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The stream of one call begins. `parameters` are the custom ones of our own answer document."""

    call_id: str
    stream_id: str
    account_id: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallerAudio:
    """mu-law, mono, 8 kHz, as it came. `timestamp_ms` counts from the stream's start, `chunk` the pieces."""

    mulaw: bytes
    timestamp_ms: int
    chunk: int = 0

    def is_behind(self, before: "CallerAudio") -> bool:
        """It comes after `before` and says that it belongs in front of it."""
        return self.timestamp_ms < before.timestamp_ms or self.chunk < before.chunk


@dataclass(frozen=True, slots=True)
class Dtmf:
    """One key: 0-9, * or #."""

    digit: str


@dataclass(frozen=True, slots=True)
class MarkReached:
    """A mark came back: what was queued before it has been played or, after a clear, dropped."""

    name: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The carrier says that the stream is over."""


CarrierEvent = CallStarted | CallerAudio | Dtmf | MarkReached | CallEnded

# --- we say -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlayAudio:
    """Queue mu-law, mono, 8 kHz."""

    mulaw: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """Put a label behind what is queued."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Drop what is queued."""


CarrierAction = PlayAudio | Mark | Clear
