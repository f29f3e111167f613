"""What happened on one call, as the carrier saw it, and both channels of its audio to the sample.

All instants are milliseconds of stream time: the number of frames exchanged so far times 20.
"""

import wave
from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from bench.carrier.errors import CarrierFault
from bench.carrier.playback import BYTES_PER_MS, FRAME_MS
from bench.carrier.steps import Step
from pipeline.audio.mulaw import decode

EndReason = Literal[
    "caller_hung_up",
    "dropped",
    "refused",
    "gateway_closed",
    "rest_completed",
    "rest_replaced",
    "fault",
    "answer_ended",
]


@dataclass(frozen=True, slots=True)
class MediaCame:
    """Agent audio arrived from the gateway, `came_s` by the monotonic clock, behind `waiting_ms` that were
    still to be played.
    """

    at_ms: int
    length_ms: float
    mulaw: bytes = field(default=b"", repr=False)
    came_s: float = 0.0
    waiting_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class MarkCame:
    at_ms: int
    name: str


@dataclass(frozen=True, slots=True)
class ClearCame:
    """The gateway dropped the queue; `dropped_ms` of audio were never heard."""

    at_ms: int
    dropped_ms: float
    came_s: float = 0.0


@dataclass(frozen=True, slots=True)
class MarkWentBack:
    at_ms: int
    name: str
    flushed: bool


@dataclass(frozen=True, slots=True)
class KeysCame:
    """The gateway asked for tones."""

    at_ms: int
    digits: str


WireEvent = MediaCame | MarkCame | ClearCame | MarkWentBack | KeysCame

# |sample| <= 120 of 32635 in mu-law: the noise floor of a synthesiser, not speech.
_QUIET = bytes([*range(0x70, 0x80), *range(0xF0, 0x100)])
_AUDIBLE_SAMPLES = 8


def is_audible(frame: bytes) -> bool:
    """Is there more in these mu-law bytes than a noise floor?"""
    return len(frame.translate(None, _QUIET)) >= _AUDIBLE_SAMPLES


@dataclass(slots=True)
class CallRecord:
    """Grows while the call runs. `spoken_by_carrier` are the carrier's own sentences; `documents` counts
    answer documents, `steps` are what was done by them or by orders; `struck` counts the line's planned
    faults; `close_codes` are those of the streams' sockets.

    `dialled_s`, `answered_s`, `streamed_s`: when the call was told of, when it was known what to do, when the
    first stream ran (monotonic seconds). `sent_s`: when each frame of the caller went out; `worst_late_ms`:
    how far behind its own clock the carrier was at worst, which is no fault of the gateway's; `late_frames`:
    frames a frame or more late.
    """

    call_id: str
    stream_id: str = ""
    caller_channel: bytearray = field(default_factory=bytearray)
    agent_channel: bytearray = field(default_factory=bytearray)
    wire: list[WireEvent] = field(default_factory=list)
    faults: list[CarrierFault] = field(default_factory=list)
    spoken_by_carrier: list[str] = field(default_factory=list)
    documents: int = 0
    steps: list[Step] = field(default_factory=list)
    streams: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    dialled_s: float | None = None
    answered_s: float | None = None
    streamed_s: float | None = None
    dropped_inbound_frames: int = 0
    agent_audible_ms: int = 0
    last_agent_audible_ms: int | None = None
    last_caller_audible_ms: int | None = None
    end_reason: EndReason | None = None
    close_codes: list[int | None] = field(default_factory=list)
    sent_s: "array[float]" = field(default_factory=lambda: array("d"))
    worst_late_ms: float = 0.0
    late_frames: int = 0

    @property
    def now_ms(self) -> int:
        return len(self.agent_channel) // BYTES_PER_MS

    def add_fault(self, fault: CarrierFault) -> None:
        """One more, at this instant."""
        fault.at_ms = self.now_ms
        self.faults.append(fault)

    def add_frame(self, caller: bytes, agent: bytes) -> None:
        """Both channels of the same 20 ms."""
        self.caller_channel += caller
        self.agent_channel += agent
        if is_audible(agent):
            self.agent_audible_ms += FRAME_MS
            self.last_agent_audible_ms = self.now_ms
        if is_audible(caller):
            self.last_caller_audible_ms = self.now_ms

    def add_lateness(self, late_s: float) -> None:
        """How late the frame that is due now is sent."""
        self.worst_late_ms = max(self.worst_late_ms, late_s * 1000)
        self.late_frames += late_s * 1000 >= FRAME_MS

    def write_wav(self, path: Path) -> None:
        """16-bit PCM, 8 kHz, two channels: caller left, agent right."""
        channels = [decode(bytes(self.caller_channel)), decode(bytes(self.agent_channel))]
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as out:
            out.setnchannels(2)
            out.setsampwidth(2)
            out.setframerate(8000)
            out.writeframes(np.stack(channels, axis=1).astype("<i2").tobytes())
