"""Bars of one turn on one scale."""

import pytest

from bench.demo.waterfall import Bar, bars, draw

STAGES_S = {
    "speech_end": 10.0,
    "end_of_turn": 10.5,
    "llm_request": 10.5,
    "llm_first_token": 10.6,
    "first_clause": 10.7,
    "tts_request": 10.7,
    "tts_first_audio": 10.8,
    "first_audio_sent": 10.8,
}


def test_stages_lie_one_after_the_other() -> None:
    assert [(bar.label, round(bar.start_ms), round(bar.length_ms)) for bar in bars(STAGES_S)] == [
        ("end of turn", 0, 500),
        ("model", 500, 100),
        ("clause", 600, 100),
        ("voice", 700, 100),
    ]


def test_drawn_to_scale() -> None:
    assert draw(STAGES_S, 8, ascii_only=True) == [
        "end of turn #####       500 ms",
        "model            #      100 ms",
        "clause            #     100 ms",
        "voice              #    100 ms",
    ]


def test_a_reply_begun_on_a_guess_lies_where_it_was_made() -> None:
    early = {"llm_request": 9.9, "llm_first_token": 10.1, "first_clause": 10.1, "tts_request": 10.1}
    drawn = draw(STAGES_S | early | {"tts_first_audio": 10.3, "first_audio_sent": 10.5}, 6, ascii_only=True)
    assert drawn == [
        "end of turn  #####    500 ms",
        "model       ##        200 ms",
        "clause        #         0 ms",
        "voice         ##      200 ms",
    ]


def test_a_stage_without_length_stays_visible() -> None:
    instant = STAGES_S | {"llm_first_token": 10.5}
    assert "▏" in draw(instant, 8)[1]


def test_missing_instants_leave_their_stages_out() -> None:
    assert bars({}) == []
    assert draw({"speech_end": 1.0}) == []
    assert bars({"speech_end": 1.0, "end_of_turn": 1.2}) == [Bar("end of turn", 0.0, pytest.approx(200.0))]
