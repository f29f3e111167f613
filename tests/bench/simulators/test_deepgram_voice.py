"""Voice, pauses and patience, as tables of windows and words."""

import pytest

from bench.simulators.deepgram_hearing import Window
from bench.simulators.deepgram_voice import (
    COMPLETE_S,
    LINGERING_S,
    UNFINISHED_S,
    USUAL_S,
    VoiceTracker,
    end_confidence,
    patience_s,
    trailing_digits,
)


def _track(pattern: str) -> VoiceTracker:
    """Windows of 20 ms, `#` voiced."""
    tracker = VoiceTracker()
    for number, sign in enumerate(pattern, start=1):
        tracker.step(Window(number * 0.02, sign == "#"))
    return tracker


@pytest.mark.parametrize(
    ("pattern", "talking", "silence_s"),
    [
        ("....", False, 0.08),
        ("..####", False, 0.12),  # 80 ms may be a click
        ("..#####", True, 0.0),
        ("..#####...", False, 0.06),
        ("..#####..##..", False, 0.12),  # a click does not end the silence
        ("..#####..#####", True, 0.0),
    ],
)
def test_clicks_neither_begin_speech_nor_end_a_silence(pattern: str, talking: bool, silence_s: float) -> None:
    tracker = _track(pattern)
    assert tracker.talking is talking
    assert tracker.silence_s == pytest.approx(silence_s)


def test_speech_is_dated_back_to_its_first_window() -> None:
    assert _track("..#######").began_s == pytest.approx(0.04)


def test_onset_is_told_once() -> None:
    assert _track("..#####").onset
    assert not _track("..######").onset


@pytest.mark.parametrize(
    ("text", "expected_s"),
    [
        ("Yes.", COMPLETE_S),
        ("Yes, please.", COMPLETE_S),
        ("Tuesday at 10:30.", COMPLETE_S),
        ("Tuesday at half past ten", COMPLETE_S),
        ("Four, seven, two, nine, one, six.", COMPLETE_S),
        ("472916", COMPLETE_S),
        ("07700 900 123", COMPLETE_S),
        ("Do you have anything later?", COMPLETE_S),
        ("Good-by.", COMPLETE_S),
        ("Four, seven, two.", UNFINISHED_S),
        ("I would like to", UNFINISHED_S),
        ("On Tuesday, um.", UNFINISHED_S),
        ("Well,", UNFINISHED_S),
        ("I would like a consultation.", USUAL_S),
        ("That one.", USUAL_S),
        ("No, that's all, thank you.", LINGERING_S),
        ("No, thank you.", LINGERING_S),
        ("Hello.", LINGERING_S),
        ("Hi there.", LINGERING_S),
        ("Hello, I need an appointment.", USUAL_S),
        ("", USUAL_S),
    ],
)
def test_patience_follows_the_words(text: str, expected_s: float) -> None:
    assert patience_s(text) == expected_s


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("472 9", 4),
        ("my code is four seven two", 3),
        ("at 10:30", 0),
        ("the 24", 0),
        ("7", 1),
        ("that one", 0),
    ],
)
def test_trailing_digits(text: str, digits: int) -> None:
    assert trailing_digits(text) == digits


def test_confidence_rises_with_silence_and_meets_the_default_threshold_after_the_patience() -> None:
    steps = [end_confidence(silence_s, 0.5) for silence_s in (0.0, 0.2, 0.4, 0.5, 1.0, 3.0)]
    assert steps == sorted(steps)
    assert steps[0] == 0.0
    assert steps[3] == pytest.approx(0.7)
    assert steps[-1] < 1.0
