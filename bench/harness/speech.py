"""The caller's recorded voice, cut so that a turn's audio ends with its last voiced sample.

So the instant at which the caller falls silent is the instant at which the turn's last frame goes out, and no
measure of the caller's side needs a threshold of its own.
"""

from pathlib import Path
from typing import Final

import numpy as np

from bench.harness.click import write_click
from bench.recording import read_recording, split_turns
from pipeline.audio.mulaw import decode

RECORDINGS: Final = Path(__file__).parent.parent / "demo" / "recordings"
DEFAULT_VOICE: Final = RECORDINGS / "question.wav"
FRAME_BYTES: Final = 160
VOICED_BELOW_PEAK_DB: Final = 32.0
"""A frame is voiced down to so far below the loudest one of its turn."""


class NothingSaid(Exception):
    """The recording holds no speech; the message names it."""


def read_voice(path: Path) -> list[bytes]:
    """The recording's turns, mu-law at 8 kHz, whole frames, voiced to their ends.

    Raises `NothingSaid` and `bench.recording.RecordingUnusable`.
    """
    turns = [voiced for turn in split_turns(read_recording(path)) if (voiced := _voiced(turn))]
    if not turns:
        raise NothingSaid(f"{path}: nobody speaks in it")
    return turns


def numbered(turn_id: int, voice: bytes) -> bytes:
    """The turn's audio: its number, padded to a whole frame, and the voice."""
    click = write_click(turn_id)
    return click + b"\xff" * (-len(click) % FRAME_BYTES) + voice


def _voiced(turn: bytes) -> bytes:
    """From the first voiced frame to the last."""
    whole = turn[: len(turn) // FRAME_BYTES * FRAME_BYTES]
    frames = decode(whole).astype(np.float64).reshape(-1, FRAME_BYTES)
    if not frames.size:
        return b""
    level_db = 20 * np.log10(np.sqrt(np.square(frames).mean(axis=1)) + 1e-3)
    voiced = np.flatnonzero(level_db >= level_db.max() - VOICED_BELOW_PEAK_DB)
    return whole[voiced[0] * FRAME_BYTES : (voiced[-1] + 1) * FRAME_BYTES]
