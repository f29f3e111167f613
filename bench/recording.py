"""A recorded voice as a caller's turns: any sound file in, mu-law 8 kHz out, cut where the speaker pauses for
long.

Energy alone decides where speech is: nothing about its words is known here.
"""

from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from pipeline.audio.mulaw import encode

RATE_HZ = 8000
FRAME_SAMPLES = 160
TURN_PAUSE_MS = 1000
EDGE_MS = 120
SHORTEST_TURN_MS = 160
LONGEST_S = 600
# Speech stands this far above the floor of its own recording, and above this level in any.
ABOVE_FLOOR_DB = 12.0
BELOW_PEAK_DB = 35.0
FAINTEST_DBFS = -50.0


class RecordingUnusable(Exception):
    """The sound file cannot be read, or is longer than a call; the message is for the person who named it."""


def read_recording(path: Path) -> NDArray[np.float32]:
    """The file's audio, mono float in -1..1 at 8 kHz, shape (n,). Raises `RecordingUnusable`."""
    try:
        audio, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise RecordingUnusable(f"{path}: not a readable sound file ({error})") from error
    if len(audio) > LONGEST_S * rate_hz:
        raise RecordingUnusable(f"{path}: longer than {LONGEST_S // 60} minutes")
    mono = np.ascontiguousarray(audio.mean(axis=1))
    return mono if rate_hz == RATE_HZ else np.asarray(soxr.resample(mono, rate_hz, RATE_HZ), np.float32)


def split_turns(audio: NDArray[np.float32], pause_ms: int = TURN_PAUSE_MS) -> list[bytes]:
    """The stretches of speech with less than `pause_ms` of silence inside, as mu-law; none if nothing is
    spoken.
    """
    voiced = _voiced_frames(audio)
    gap_frames = pause_ms // 20
    turns: list[list[int]] = []
    for frame in voiced:
        if turns and frame - turns[-1][1] <= gap_frames:
            turns[-1][1] = frame
        else:
            turns.append([frame, frame])
    long_enough = [(first, last) for first, last in turns if (last - first + 1) * 20 >= SHORTEST_TURN_MS]
    return [_cut(audio, first, last) for first, last in long_enough]


def _voiced_frames(audio: NDArray[np.float32]) -> list[int]:
    frames = len(audio) // FRAME_SAMPLES
    if frames == 0:
        return []
    power = np.square(audio[: frames * FRAME_SAMPLES].reshape(frames, FRAME_SAMPLES)).mean(axis=1)
    level_db = 10 * np.log10(power + 1e-10)
    threshold_db = max(
        FAINTEST_DBFS,
        min(float(np.percentile(level_db, 10)) + ABOVE_FLOOR_DB, float(level_db.max()) - 10),
        float(level_db.max()) - BELOW_PEAK_DB,
    )
    return [int(frame) for frame in np.flatnonzero(level_db > threshold_db)]


def as_mulaw(audio: NDArray[np.float32]) -> bytes:
    """Float audio in -1..1 as a telephone carries it."""
    pcm: NDArray[np.int16] = np.clip(np.round(audio * 32767), -32768, 32767).astype(np.int16)
    return encode(pcm)


def _cut(audio: NDArray[np.float32], first: int, last: int) -> bytes:
    edge = EDGE_MS * RATE_HZ // 1000
    return as_mulaw(audio[max(0, first * FRAME_SAMPLES - edge) : (last + 1) * FRAME_SAMPLES + edge])
