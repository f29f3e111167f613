"""How loud mu-law is, without decoding it: table look-ups in C, about a microsecond for a frame of 20 ms."""

from typing import Final

import numpy as np

from pipeline.audio.mulaw import DECODED

_MAGNITUDE: Final = np.abs(DECODED.astype(np.int32))

_LEVEL_UNIT: Final = 16
_LEVELS: Final = np.minimum(_MAGNITUDE // _LEVEL_UNIT, 255).astype(np.uint8).tobytes()
"""Code -> |sample| / 16, capped at 255: fine where speech and line noise part, coarse where all is loud."""

INAUDIBLE_BELOW: Final = 64
"""|sample| under which a sample counts as silence: -54 dB of full scale."""
_INAUDIBLE: Final = bytes(np.flatnonzero(_MAGNITUDE < INAUDIBLE_BELOW).astype(np.uint8))


def is_silent(mulaw: bytes) -> bool:
    """No audible sample in it. Stops looking at the first one."""
    return not mulaw.lstrip(_INAUDIBLE)


def level(mulaw: bytes) -> float:
    """Mean |sample| of the piece on the int16 scale, each sample capped at 4095; 0 for no samples."""
    if not mulaw:
        return 0.0
    return sum(mulaw.translate(_LEVELS)) * _LEVEL_UNIT / len(mulaw)


class VoiceDetector:
    """Is there voice in this frame? Level against a floor that follows the line's own noise.

    The floor drops at once to a quieter frame and creeps up under steady sound, so that hum becomes
    background within some ten seconds while words, which have gaps, do not.
    """

    QUIETEST_VOICE: Final = 160.0
    """Mean |sample| that is voice on a silent line: -46 dB."""
    OVER_FLOOR: Final = 3.0
    CREEP: Final = 1.004

    def __init__(self) -> None:
        self._floor = self.QUIETEST_VOICE / self.OVER_FLOOR
        self.level = 0.0
        """Of the last frame."""
        self.stands_out = False
        """The last frame was above the line's own noise, though perhaps too quiet to be voice by itself."""

    def is_voice(self, mulaw: bytes) -> bool:
        """One frame (20 ms of mu-law at 8 kHz; the creep of the floor is tuned to that)."""
        now = self.level = level(mulaw)
        self.stands_out = now >= self._floor * self.OVER_FLOOR
        self._floor = max(1.0, min(now, self._floor * self.CREEP))
        return self.stands_out and now >= self.QUIETEST_VOICE


class VoiceActivity:
    """Stretches of voice in a stream of frames; a gap shorter than `gap_frames` is part of the stretch.

    A word begins loud and ends quiet: its last 100 ms are often too quiet to begin a stretch. Within one,
    a frame is voiced down to `ENDING` of the loudest so far, if it stands out from the line's noise. That
    tells when the caller fell silent; how long the stretch goes on is for the louder frames to say.
    """

    QUIETEST_ENDING: Final = 20.0
    """Mean |sample| of the quietest end of a word: -64 dB."""
    ENDING: Final = 1 / 80
    """Of the loudest frame's level: -38 dB."""

    def __init__(self, gap_frames: int = 15) -> None:
        self._detector = VoiceDetector()
        self._gap_frames = gap_frames
        self._quiet_frames = gap_frames
        self._loudest = 0.0
        self.voiced = False
        """The last frame had voice in it by its own energy, be it the quiet end of a word."""

    @property
    def active(self) -> bool:
        """A stretch of voice is going on."""
        return self._quiet_frames < self._gap_frames

    def feed(self, mulaw: bytes) -> bool:
        """One frame; True if a stretch began or ended with it."""
        before = self.active
        loud = self._detector.is_voice(mulaw)
        self._loudest = max(self._detector.level, self._loudest if before else 0.0)
        self.voiced = loud or (before and self._is_ending())
        self._quiet_frames = 0 if loud else self._quiet_frames + 1
        return before != self.active

    def _is_ending(self) -> bool:
        quietest = max(self.QUIETEST_ENDING, self._loudest * self.ENDING)
        return self._detector.stands_out and self._detector.level >= quietest
