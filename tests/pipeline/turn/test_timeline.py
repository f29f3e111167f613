"""Instants of a turn and what follows from them."""

import pytest

from pipeline.turn.timeline import Stage, Timeline, stage_lengths

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


def test_each_stage_is_as_long_as_what_it_waited_for() -> None:
    timeline = full()
    timeline.sounded(came_s=10.7, sent_s=10.704)
    assert stage_lengths(timeline.stages_s()) == pytest.approx(
        {
            "eager_end": 0.1,
            "end_of_turn": 0.3,
            "llm_request": 0.001,
            "llm_first_token": 0.199,
            "first_clause": 0.05,
            "tts_request": 0.002,
            "tts_first_audio": 0.098,
            "first_audio_sent": 0.054,
        }
    )


def test_of_a_reply_begun_on_a_guess_no_stage_is_told_from_the_end_of_the_turn() -> None:
    begun_early = {
        "speech_end": 1.0,
        "eager_end": 1.125,
        "llm_request": 1.126,
        "end_of_turn": 1.25,
        "llm_first_token": 1.376,
        "first_clause": 1.4,
        "tts_request": 1.401,
        "tts_first_audio": 1.5,
        "first_audio_sent": 1.502,
    }
    lengths = stage_lengths(begun_early)
    assert lengths["end_of_turn"] == 0.25, "the recogniser's time, not the gateway's"
    assert lengths["llm_request"] == pytest.approx(0.001)
    assert lengths["llm_first_token"] == 0.25, "since the request, which the end of the turn does not renew"
    assert lengths["first_audio_sent"] == pytest.approx(0.002)


def test_audio_made_before_the_turn_ended_waits_for_that_end_alone() -> None:
    made_early = {"speech_end": 1.0, "tts_request": 1.1, "tts_first_audio": 1.2, "end_of_turn": 1.25}
    lengths = stage_lengths(made_early | {"first_audio_sent": 1.253})
    assert lengths["tts_first_audio"] == pytest.approx(0.1)
    assert lengths["first_audio_sent"] == pytest.approx(0.003)


def test_a_stage_without_its_beginning_has_no_length() -> None:
    assert stage_lengths({}) == {}
    on_interim_words = {"llm_request": 0.8, "speech_end": 1.0, "eager_end": 1.1, "end_of_turn": 1.25}
    assert set(stage_lengths(on_interim_words)) == {"eager_end", "end_of_turn"}
    voice_after_the_guess = {"eager_end": 0.9, "speech_end": 1.0, "end_of_turn": 1.25}
    assert stage_lengths(voice_after_the_guess) == {"end_of_turn": 0.25}
