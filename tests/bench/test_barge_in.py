"""`python -m bench barge-in`: what the carrier played, in words; and one short run against the real thing."""

import json
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.barge_in import MEASURES, Interruption, all_met, within_a_word, words_played
from bench.harness.figures import parse_objective

SPOKEN = "Bakod, that is fine."  # 20 ms a character


@pytest.mark.parametrize(
    ("played_ms", "words"),
    [
        (0.0, 0),
        (100.0, 0),
        (120.0, 1),
        (140.0, 1),
        (219.9, 1),
        (220.0, 2),
        (240.0, 2),
        (400.0, 4),
        (9999.0, 4),
    ],
)
def test_a_word_counts_when_it_was_played_whole(played_ms: float, words: int) -> None:
    assert words_played(SPOKEN, played_ms) == words


def interruption(played: int | None, recorded: int | None) -> Interruption:
    return Interruption(
        call="CA1",
        number=1,
        speech_to_clear_ms=300.0,
        event_to_clear_ms=1.0,
        own_clear_ms=1.0,
        overlap_ms=300.0,
        stale_ms=0.0,
        words_played=played,
        words_recorded=recorded,
    )


def test_words_are_off_either_way_and_unknown_ones_do_not_count() -> None:
    several = [interruption(5, 4), interruption(5, 5), interruption(5, 7), interruption(None, 5)]
    assert [each.words_off for each in several] == [-1, 0, 2, None]
    assert within_a_word(several) == pytest.approx(2 / 3)
    assert within_a_word([interruption(5, None)]) is None


@pytest.mark.parametrize(
    ("objective", "met"),
    [
        ("p95<=1", True),  # of the recogniser's word to the clear
        ("event_to_clear.p95<1", False),
        ("speech_to_clear.max<=300", True),
        ("own_clear.mean<=0.9", False),
        ("overlap.p99<300", False),
        ("stale.max<=0", True),
        ("words_off.max<=2", True),
        ("words_off.max<2", False),
        ("words_off.mean<=1", True),
        ("beyond_a_word.mean<=0.34", True),
        ("beyond_a_word.mean<=0.33", False),
    ],
)
def test_objectives_are_held_against_what_they_name(objective: str, met: bool) -> None:
    several = [interruption(5, 4), interruption(5, 5), interruption(5, 7), interruption(None, 5)]
    assert all_met(several, [parse_objective(objective, MEASURES)]) is met


@pytest.mark.parametrize("measure", MEASURES)
def test_an_objective_of_which_nothing_is_known_is_missed(measure: str) -> None:
    assert not all_met([], [parse_objective(f"{measure}.max<=1", MEASURES)])


def test_an_objective_of_other_commands_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["barge-in", "--slo", "overhead.p50<=5"])
    assert ended.value.code == 2
    assert "'overhead' is no measure; there are event_to_clear" in capsys.readouterr().err


def test_an_interrupted_agent_is_cleared_and_says_nothing_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "barge_in.json"
    arguments = ["barge-in", "--model", "quick", "--interruptions", "2", "--json", str(file)]
    arguments += ["--per-call", "1", "--at-once", "2", "--slo", "stale.max<=0", "--slo", "words_off.max<0"]
    assert main(arguments) == 1
    printed = capsys.readouterr().out
    assert "met    stale.max<=0: 0\n" in printed
    assert "MISSED words_off.max<0: " in printed
    told = json.loads(file.read_text())
    assert len({each["call"] for each in told["interruptions"]}) == 2
    assert told["within_a_word_low"] < told["within_a_word_share"] <= 1
    for each in told["interruptions"]:
        assert 0 < each["event_to_clear_ms"] < each["speech_to_clear_ms"] < 3000
        assert each["stale_ms"] == 0
        assert abs(each["words_off"]) <= 2
        assert each["words_played"] > 0
