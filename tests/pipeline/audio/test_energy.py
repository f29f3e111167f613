"""Silence, voice and hum, told apart by level; and where a caller's voice ends."""

from pathlib import Path

import numpy as np
import pytest

from bench.demo import recordings
from bench.recording import read_recording, split_turns
from pipeline.audio.energy import VoiceActivity, VoiceDetector, is_silent, level
from pipeline.audio.mulaw import decode, encode, silence

RANDOM = np.random.default_rng(7)


def noise(amplitude: int, frames: int = 1) -> bytes:
    return encode(RANDOM.integers(-amplitude, amplitude + 1, 160 * frames).astype(np.int16))


def tone(amplitude: int) -> bytes:
    wave = amplitude * np.sin(2 * np.pi * 200 * np.arange(160) / 8000)
    return encode(wave.astype(np.int16))


@pytest.mark.parametrize("quiet", [b"", silence(20), b"\x7f" * 160, noise(40)])
def test_what_is_below_hearing_is_silent(quiet: bytes) -> None:
    assert is_silent(quiet)


def test_one_audible_sample_is_enough() -> None:
    assert not is_silent(silence(20) + b"\x00" + silence(20))


def test_level_is_the_mean_magnitude() -> None:
    audio = noise(2000)
    assert level(audio) == pytest.approx(np.abs(decode(audio).astype(int)).mean(), rel=0.02)
    assert level(b"") == 0


@pytest.mark.parametrize(("frame", "voiced"), [(silence(20), False), (noise(60), False), (tone(1500), True)])
def test_voice_is_louder_than_a_quiet_line(frame: bytes, voiced: bool) -> None:
    assert VoiceDetector().is_voice(frame) is voiced


def test_steady_hum_becomes_background_and_voice_stands_out_from_it() -> None:
    detector = VoiceDetector()
    hum = [detector.is_voice(noise(500)) for _ in range(1000)]
    assert hum[0]
    assert not any(hum[-100:])
    assert detector.is_voice(tone(4000))


def test_speech_with_gaps_does_not_become_background() -> None:
    detector = VoiceDetector()
    for _ in range(100):
        assert all(detector.is_voice(tone(1500)) for _ in range(15))
        assert not any(detector.is_voice(silence(20)) for _ in range(5))


def test_short_gaps_belong_to_a_stretch_of_voice() -> None:
    activity = VoiceActivity(gap_frames=5)
    frames = [silence(20)] * 3 + [tone(1500)] * 4 + [silence(20)] * 4 + [tone(1500)] + [silence(20)] * 6
    changes = [number for number, frame in enumerate(frames) if activity.feed(frame)]
    assert changes == [3, 16]
    assert not activity.active


def last_voiced(frames: list[bytes]) -> int:
    activity = VoiceActivity()
    voiced = [number for number, frame in enumerate(frames) if (activity.feed(frame), activity.voiced)[1]]
    return voiced[-1]


def test_quiet_end_of_a_word_is_voiced_and_a_quiet_sound_alone_is_not() -> None:
    word = [silence(20)] * 50 + [tone(1500)] * 5 + [tone(60)] * 7 + [silence(20)] * 20
    assert last_voiced(word) == 61
    assert last_voiced(word + [tone(60)] * 7) == 61


def test_quiet_end_of_a_word_does_not_lengthen_the_stretch() -> None:
    activity = VoiceActivity(gap_frames=5)
    frames = [silence(20), tone(1500), *[tone(60)] * 4, silence(20)]
    assert [number for number, frame in enumerate(frames) if activity.feed(frame)] == [1, 6]


def test_noise_of_the_line_is_no_end_of_a_word() -> None:
    frames = [noise(100) for _ in range(50)] + [tone(1500)] * 10 + [noise(100) for _ in range(30)]
    assert last_voiced(frames) == 59


TURNS = [
    pytest.param(turn, id=f"{path.stem} {number}")
    for path in sorted(Path(recordings.__path__[0]).glob("*.wav"))
    for number, turn in enumerate(split_turns(read_recording(path)), 1)
]


def rms(frame: bytes) -> float:
    return float(np.sqrt(np.mean(np.square(decode(frame).astype(float)))))


def last_above(frames: list[bytes], noise_rms: float) -> int:
    """The plain reference: the last frame above the noise and within 40 dB of the loudest."""
    levels = [rms(frame) for frame in frames]
    threshold = max(2 * noise_rms, max(levels) / 100)
    return max(number for number, loudness in enumerate(levels) if loudness > threshold)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("line_noise", [0, 30])
def test_recorded_voice_ends_where_its_energy_does(turn: bytes, line_noise: int) -> None:
    spoken = decode(silence(1000) + turn + silence(1000)).astype(int)
    heard = encode((spoken + RANDOM.integers(-line_noise, line_noise + 1, spoken.size)).astype(np.int16))
    frames = [heard[at : at + 160] for at in range(0, len(heard) - 159, 160)]
    assert abs(last_voiced(frames) - last_above(frames, line_noise / 3**0.5)) * 20 <= 40
