"""Any sound file becomes a caller's turns."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from bench.recording import RecordingUnusable, read_recording, split_turns
from pipeline.audio.mulaw import decode

RECORDINGS = Path(__file__).parents[2] / "bench" / "demo" / "recordings"


def speech(*lengths_and_pauses_s: float) -> NDArray[np.float32]:
    """Noise bursts and silences, alternating."""
    rng = np.random.default_rng(1)
    pieces = [
        rng.normal(0, 0.2 if n % 2 == 0 else 0.0005, int(length * 8000))
        for n, length in enumerate(lengths_and_pauses_s)
    ]
    return np.concatenate(pieces).astype(np.float32)


def test_long_pauses_part_turns_and_short_ones_do_not() -> None:
    turns = split_turns(speech(1.0, 0.5, 1.0, 1.5, 0.8))
    assert [round(len(turn) / 8000, 1) for turn in turns] == [2.6, 0.9]


def test_nothing_is_said_in_silence_hum_or_clicks() -> None:
    assert split_turns(np.zeros(80_000, np.float32)) == []
    assert split_turns(speech(0.0, 5.0)) == []
    assert split_turns(np.zeros(0, np.float32)) == []


def test_other_rates_and_stereo_are_taken(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000) * 0.5
    soundfile.write(tmp_path / "a.wav", np.stack([tone, tone], axis=1), 48_000)
    (turn,) = split_turns(read_recording(tmp_path / "a.wav"))
    assert abs(len(turn) - 8000) < 400
    assert np.abs(decode(turn)).max() > 12_000


def test_unusable_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no sound")
    for name in ("a.wav", "missing.wav"):
        with pytest.raises(RecordingUnusable, match=name):
            read_recording(tmp_path / name)


@pytest.mark.parametrize("name", ["tuesday", "thursday", "wednesday", "question"])
def test_bundled_recordings_have_three_turns(name: str) -> None:
    assert len(split_turns(read_recording(RECORDINGS / f"{name}.wav"))) == 3
