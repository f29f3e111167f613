"""Instants of a turn and what follows from them."""

import pytest

from pipeline.turn.timeline import Stage, Timeline

FULL: list[tuple[Stage, float]] = [
    ("speech_end", 10.0),
    ("eager_end", 10.1),
    ("end_of_turn", 10.3),
    ("llm_request", 10.301),
    ("llm_first_token", 10.5),
    ("first_clause", 10.55),
    ("tts_request", 10.552),
    ("tts_first_audio", 10.65),
]


def full() -> Timeline:
    timeline = Timeline()
    for stage, at_s in FULL:
        timeline.mark(stage, at_s)
    return timeline


def test_ttfb_and_our_share_of_it() -> None:
    timeline = full()
    timeline.sounded(came_s=10.7, sent_s=10.704)
    assert timeline.ttfb_ms() == pytest.approx(704)
    assert timeline.overhead_ms() == pytest.approx(1 + 2 + 4)
    assert len(timeline.stages_s()) == 9


def test_the_first_instant_stays() -> None:
    timeline = full()
    timeline.mark("llm_first_token", 99.0)
    timeline.sounded(10.7, 10.7)
    timeline.sounded(99.0, 99.0)
    assert timeline.stages_s()["llm_first_token"] == 10.5
    assert timeline.ttfb_ms() == pytest.approx(700)


def test_a_turn_that_never_sounded_has_no_ttfb() -> None:
    assert full().ttfb_ms() is None
    assert full().overhead_ms() is None
