"""Instants out of audio: when an agent is first heard, whether it is its reply, where its speech has holes.
Pure.

Instants are monotonic seconds. A message's first sample sounds when it came, behind what was still to be
played.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.carrier.record import ClearCame, MediaCame, WireEvent
from pipeline.audio.mulaw import decode

REPLY_HZ: Final = 440.0
STOCK_HZ: Final = 660.0
"""The simulated voice says replies at one pitch and stock phrases (greeting, filler, apology) at another."""
# |sample| <= 120 of 32635: the noise floor of a synthesiser, not speech.
_QUIET: Final = bytes([*range(0x70, 0x80), *range(0xF0, 0x100)])
_AUDIBLE_SAMPLES: Final = 8
_PITCH_SAMPLES: Final = 160
_BYTES_PER_S: Final = 8000
SHORTEST_GAP_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of the agent after the caller fell silent. None: nothing of the kind."""

    first_s: float | None
    """First audible sample of anything."""
    reply_s: float | None
    """First audible sample of the reply's own words."""
    came_s: float | None
    """When the message came that holds it."""


def first_audible(mulaw: bytes) -> int | None:
    """Where the first audible sample is, None if there is none but noise and clicks."""
    if len(mulaw.translate(None, _QUIET)) < _AUDIBLE_SAMPLES:
        return None
    return len(mulaw) - len(mulaw.lstrip(_QUIET))


def is_reply(mulaw: bytes) -> bool:
    """Is this audible piece of the simulated voice at the reply's pitch? Judged by its first 20 ms."""
    samples = decode(mulaw[:_PITCH_SAMPLES]).astype(np.float64)
    if samples.size < _PITCH_SAMPLES // 4:
        return False
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size), n=1024))
    loudest_hz = float(spectrum.argmax()) * _BYTES_PER_S / 1024
    return abs(loudest_hz - REPLY_HZ) < abs(loudest_hz - STOCK_HZ)


def heard_after(wire: Iterable[WireEvent], silent_s: float, *, marked: bool) -> Heard:
    """What was first heard of the agent after that instant. `marked`: its voice tells replies from stock
    phrases; otherwise anything is a reply.
    """
    first_s: float | None = None
    for event in wire:
        if not isinstance(event, MediaCame) or event.came_s < silent_s:
            continue
        at = first_audible(event.mulaw)
        if at is None:
            continue
        sounds_s = event.came_s + event.waiting_ms / 1000 + at / _BYTES_PER_S
        first_s = sounds_s if first_s is None else first_s
        if not marked or is_reply(event.mulaw[at:]):
            return Heard(first_s, sounds_s, event.came_s)
    return Heard(first_s, None, None)


def gaps_s(wire: Sequence[WireEvent], from_s: float, to_s: float) -> list[float]:
    """Holes in one stretch of agent speech: the queue ran dry, and more came after `SHORTEST_GAP_S` or
    longer.

    A clear ends the stretch; what comes behind it is another one. What waits is known to a frame, so instants
    reckoned from it may differ by more than the shortest gap: what met a queue that was not dry is none.
    """
    holes: list[float] = []
    dry_s: float | None = None
    for event in wire:
        if isinstance(event, ClearCame):
            dry_s = None
        if not isinstance(event, MediaCame) or not from_s <= event.came_s < to_s:
            continue
        starts_s = event.came_s + event.waiting_ms / 1000
        if dry_s is not None and not event.waiting_ms and starts_s - dry_s >= SHORTEST_GAP_S:
            holes.append(starts_s - dry_s)
        dry_s = starts_s + len(event.mulaw) / _BYTES_PER_S
    return holes
