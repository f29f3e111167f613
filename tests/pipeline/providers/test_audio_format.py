"""What a recogniser is given: how long it lasts, and whether it is loud."""

import numpy as np
import pytest

from pipeline.providers.audio_format import PHONE, AudioFormat

WIDE = AudioFormat("linear16", 22_050)


def test_loudness_tells_speech_from_line_noise() -> None:
    assert not PHONE.is_loud(b"\xff" * 160)
    assert not PHONE.is_loud(b"\x7f\xfe\xf0\x70" * 40)
    assert PHONE.is_loud(b"\x8f\x0f" * 80)
    assert PHONE.is_loud(b"\xff" * 100 + b"\x90" * 60)
    assert not PHONE.is_loud(b"")


@pytest.mark.parametrize(
    ("samples", "loud"),
    [([0] * 100, False), ([-32_768] * 26 + [0] * 74, True), ([1_000] * 25 + [999] * 75, False), ([], False)],
)
def test_loudness_of_samples_is_told_by_their_size_whatever_their_sign(
    samples: list[int], loud: bool
) -> None:
    assert WIDE.is_loud(np.array(samples, "<i2").tobytes()) is loud


@pytest.mark.parametrize("audio", [PHONE, WIDE, AudioFormat("linear16", 44_100)])
def test_sizes_are_whole_samples_and_agree_with_their_lengths(audio: AudioFormat) -> None:
    for seconds in (0.0, 0.02, 0.33335, 1.0, 6.0):
        size = audio.size(seconds)
        assert size % audio.sample_bytes == 0
        assert 0 <= seconds - audio.seconds(size) + 1e-9 <= audio.seconds(audio.sample_bytes) + 2e-9
        assert len(audio.silence(seconds)) == size
    assert not audio.is_loud(audio.silence(1))
