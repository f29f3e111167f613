"""Between 8 and 16 kHz: pieces do not matter, a telephone's band stays, what is above it goes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio.mulaw import Samples
from pipeline.audio.resample import Doubler, Halver


def tone(hz: int, rate: int, seconds: float = 0.5) -> Samples:
    return (10_000 * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)).astype(np.int16)


def loudness(sound: Samples) -> float:
    """Of what is in the middle, as a share of the tone's."""
    return float(np.sqrt((sound[200:-200].astype(float) ** 2).mean() * 2)) / 10_000


@pytest.mark.parametrize("hz", [100, 1_000, 3_000, 3_400])
def test_a_telephones_band_passes_both_ways(hz: int) -> None:
    assert loudness(Halver().feed(tone(hz, 16_000))) == pytest.approx(1, abs=0.02)
    assert loudness(Doubler().feed(tone(hz, 8_000))) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("hz", [4_600, 5_500, 7_900])
def test_what_8_khz_cannot_hold_is_not_folded_into_it(hz: int) -> None:
    assert loudness(Halver().feed(tone(hz, 16_000))) < 0.005


def test_no_mirror_image_is_heard_above_the_band() -> None:
    spectrum = np.abs(np.fft.rfft(Doubler().feed(tone(1_000, 8_000))[400:4_400]))
    at_hz = np.fft.rfftfreq(4_000, 1 / 16_000)
    assert spectrum[at_hz > 5_000].max() < spectrum.max() / 300


@given(st.lists(st.integers(0, 90), max_size=30), st.sampled_from([Halver, Doubler]))
def test_it_does_not_matter_where_it_is_cut(sizes: list[int], kind: type[Halver] | type[Doubler]) -> None:
    sound = tone(700, 8_000, 0.2)[: sum(sizes)]
    pieces, at = [], 0
    cut = kind()
    for size in sizes:
        pieces.append(cut.feed(sound[at : at + size]))
        at += size
    whole = kind().feed(sound)
    assert np.array_equal(np.concatenate([*pieces, np.empty(0, np.int16)]), whole)


def test_silence_stays_silence_and_the_loudest_is_not_wrapped() -> None:
    assert not Doubler().feed(np.zeros(500, np.int16)).any()
    square = np.tile(np.repeat(np.array([32767, -32768], np.int16), 20), 50)
    for sound in (Halver().feed(square), Doubler().feed(square)):
        assert np.abs(np.diff(sound.astype(int))).max() < 65_000
        assert sound.max() == 32767


def test_what_was_forgotten_sounds_on_in_nothing() -> None:
    doubler = Doubler()
    doubler.feed(tone(700, 8_000))
    doubler.forget()
    assert not doubler.feed(np.zeros(100, np.int16)).any()
