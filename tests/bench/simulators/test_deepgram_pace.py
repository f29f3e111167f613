"""How long a stream may be silent and how fast it may run, as instants."""

import pytest

from bench.simulators.deepgram_pace import Pace


def test_a_text_does_not_keep_a_stream_alive_that_never_had_audio() -> None:
    pace = Pace(100.0, idle_s=10.0, burst_s=5.0)
    pace.took(0.0, 104.0)
    assert pace.deadline_s == 110.0


def test_audio_and_then_texts_keep_it_alive() -> None:
    pace = Pace(100.0, idle_s=10.0, burst_s=5.0)
    pace.took(0.02, 104.0)
    assert pace.deadline_s == 114.0
    pace.took(0.0, 112.0)
    assert pace.deadline_s == 122.0


@pytest.mark.parametrize(
    ("rate", "too_fast"),
    [(0.5, False), (1.0, False), (1.25, False), (1.5, True), (20.0, True)],
)
def test_more_than_a_quarter_faster_than_real_time_is_too_fast_in_the_long_run(
    rate: float, too_fast: bool
) -> None:
    pace = Pace(0.0, idle_s=10.0, burst_s=5.0)
    for frame in range(6000):
        pace.took(0.02, frame * 0.02 / rate)
    assert pace.too_fast is too_fast


def test_a_burst_is_forgiven() -> None:
    pace = Pace(0.0, idle_s=10.0, burst_s=5.0)
    pace.took(4.9, 1.0)
    assert not pace.too_fast
    pace.took(0.2, 1.0)
    assert pace.too_fast
