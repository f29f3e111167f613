"""Silence, voice and hum, told apart by level."""

import numpy as np
import pytest

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
