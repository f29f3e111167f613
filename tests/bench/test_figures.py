"""`python -m bench figures`: each part is a command that exists, what is made is kept, goals are judged."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import all_commands, main
from bench.figures import NAMES, PARTS, Part
from bench.goals import GOALS, judge
from bench.harness.figures import share_low

RUN: dict[str, Any] = {
    "summary": {
        "overhead": {"n": 20, "p50": 5.0, "p95": 15.1},
        "over_floor": {"n": 0},
        "ttfb": {"p50": 500.0},
    }
}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_each_part_is_a_command_of_the_harness(part: Part) -> None:
    whole, quick = (all_commands().parse_args(shlex.split(each)) for each in (part.command, part.quick))
    assert whole.chosen.name == quick.chosen.name


def test_a_goal_is_met_at_its_limit_and_not_by_a_figure_that_is_missing() -> None:
    verdicts = [judge(goal, RUN) for goal in GOALS if goal.part == "turns"]
    assert [verdict.met for verdict in verdicts] == [True, False, False, False, True]
    assert verdicts[2].value is None
    assert [verdict.n for verdict in verdicts] == [20, 20, 0, 0, None]


def test_calls_held_are_judged_from_below() -> None:
    (goal,) = [goal for goal in GOALS if goal.name == "calls at once on one core"]
    assert not judge(goal, {"last_held": 99}).met
    assert judge(goal, {"last_held": 100}).met


def test_memory_that_too_few_calls_tell_nothing_of_meets_no_goal() -> None:
    assert soak_verdicts(None, None) == [False, False]
    assert soak_verdicts(-0.4, 0.3) == [True, True]


@pytest.mark.parametrize(
    ("low", "high"), [(0.1, 0.4), (-30.0, 30.0)], ids=["surely growing", "too wide to tell"]
)
def test_memory_must_be_shown_not_to_grow(low: float, high: float) -> None:
    assert not all(soak_verdicts(low, high))


def soak_verdicts(low: float | None, high: float | None) -> list[bool]:
    goals = [goal for goal in GOALS if goal.name.startswith("memory per completed call")]
    verdicts = [judge(goal, {"soak": {"calls": 2000, "low": low, "high": high}}) for goal in goals]
    assert [verdict.n for verdict in verdicts] == [2000, 2000]
    return [verdict.met for verdict in verdicts]


def test_too_few_interruptions_cannot_show_ninety_nine_per_cent() -> None:
    share, low = (goal for goal in GOALS if "share" in goal.name)
    told = {"within_a_word_share": 1.0, "within_a_word_low": share_low(40, 40)}
    result = told | {"summary": {"words_off": {"n": 40}}}
    assert judge(share, result).met
    assert not judge(low, result).met
    assert judge(low, result).as_json()["n"] == 40
    assert judge(low, result | {"within_a_word_low": share_low(479, 480)}).met


def test_every_goal_reads_a_part_that_writes_json() -> None:
    assert {goal.part for goal in GOALS} <= {part.name for part in PARTS if part.writes_json}
    assert len(NAMES) == len(set(NAMES))


def test_a_part_that_is_there_is_not_made_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["figures", "--quick", "--only", "hedge", "--out", str(tmp_path)]
    assert main(arguments) == 0
    book = json.loads((tmp_path / "figures.json").read_text())
    assert book["parts"]["hedge"]["exit"] == 0
    assert book["parts"]["hedge"]["commit"]
    assert "tokens more" in book["parts"]["hedge"]["text"]
    assert book["goals"] == [], "a try at a small size judges nothing"
    capfd.readouterr()
    assert main(arguments) == 0
    assert "0 of 1 parts to make" in capfd.readouterr().err
    assert json.loads((tmp_path / "figures.json").read_text())["parts"] == book["parts"]
    assert "## hedge" in (tmp_path / "figures.md").read_text()
