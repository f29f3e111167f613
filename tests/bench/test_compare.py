"""`python -m bench compare`: shows a difference where there is one, and says when there is none to show."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import main
from bench.compare import compared, twins
from bench.harness.results import SCHEMA


def told(factor: float = 1.0, added_ms: float = 0.0, seed: int = 1, turns: int = 120) -> dict[str, Any]:
    delays, noise = random.Random(seed), random.Random(factor + added_ms)
    rows = [
        {"id": number, "ttfb_ms": delays.gauss(600, 80) * factor + added_ms + noise.gauss(0, 3)}
        for number in range(turns)
    ]
    return {"schema": SCHEMA, "providers": {"seed": seed}, "turns": rows}


def files(tmp_path: Path, *results: Any) -> list[str]:
    paths = [tmp_path / f"{number}.json" for number in range(len(results))]
    for path, result in zip(paths, results, strict=True):
        path.write_text(json.dumps(result))
    return [str(path) for path in paths]


def run(*arguments: str) -> int:
    return main(["compare", *arguments])


def test_a_real_gain_is_shown() -> None:
    verdicts = {row.per_cent: row.verdict for row in compared(told(), told(factor=0.7))}
    assert verdicts[50.0] == verdicts[95.0] == "less"


def test_chance_is_not_shown_as_a_gain() -> None:
    assert compared(told(seed=1), told(seed=2))[0].verdict == "no difference shown"


def test_twins_show_what_percentiles_cannot() -> None:
    before, after = told(), told(added_ms=6.0)
    assert compared(before, after)[0].verdict == "no difference shown"
    difference = twins(before, after)
    assert difference is not None
    assert 4 < difference.low < 6 < difference.high < 8
    assert twins(told(seed=1), told(seed=2)) is None


def test_another_number_of_calls_at_once_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, ten = ({"load": {"turns": 120, "at_once": calls}} for calls in (1, 10))
    for result, is_told in ((told() | one, False), (told() | ten, True), (told(), True)):
        run(*files(tmp_path, told() | one, result))
        assert ("not as many calls at once" in capsys.readouterr().out.replace("\n", " ")) is is_told


def test_what_got_worse_than_allowed_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, slower = files(tmp_path, told(), told(factor=1.5))
    assert run(before, slower, "--worse-than", "1.1") == 1
    assert run(slower, before, "--worse-than", "1.1") == 0
    assert run(before, slower) == 0
    assert "ttfb p95" in capsys.readouterr().out


def over_floor(result: dict[str, Any], *values_ms: float) -> dict[str, Any]:
    """The first turns' TTFB over the floor."""
    for turn, value_ms in zip(result["turns"], values_ms, strict=False):
        turn["over_floor_ms"] = value_ms
    return result


def test_a_measure_that_may_be_below_zero_is_compared_by_difference() -> None:
    chance = random.Random(3)
    near = [chance.gauss(2, 2) for _ in range(119)]
    before, after = over_floor(told(), -0.4, *near), over_floor(told(), *(value + 3 for value in near))
    ttfb, *_, over = [row for row in compared(before, after) if row.per_cent == 50.0]
    assert (ttfb.by, over.by, over.measure) == ("ratio", "difference", "over_floor")
    assert (over.verdict, ttfb.verdict) == ("more", "no difference shown")
    assert 2 < over.change.low < over.change.value < over.change.high < 4
    again = [row for row in compared(after, before) if row.measure == "over_floor"]
    assert again[0].verdict == "less"
    assert {row.verdict for row in compared(before, before)} == {"no difference shown"}


def test_the_table_tells_differences_and_what_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = over_floor(told(), -1.0, *[2.0] * 119)
    paths = files(tmp_path, before, over_floor(told(), *[4.5] * 120), over_floor(told(), 1.0, 2.0))
    assert run(paths[0], paths[1]) == 0
    printed = capsys.readouterr().out
    assert "+2.5 ms" in printed
    assert "left out" not in printed
    assert run(paths[0], paths[2]) == 0
    assert "left out: over_floor: 120 values in A, 2 in B, fewer than 5" in capsys.readouterr().out


def test_a_factor_of_what_is_no_ratio_is_not_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early = told()
    early["turns"][0]["ttfb_ms"] = -5.0
    before, after = files(tmp_path, told(), early)
    assert run(before, after) == 0
    assert run(before, after, "--worse-than", "1.1") == 2
    assert "by what factor it has grown cannot be told" in capsys.readouterr().err


def test_too_few_turns_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*files(tmp_path, told(), told(turns=4))) == 2
    printed = capsys.readouterr()
    assert "fewer than 5 turns" in printed.err
    assert printed.out == ""


@pytest.mark.parametrize(
    "content",
    [[], {"schema": "other"}, {"schema": SCHEMA, "turns": []}, {"schema": SCHEMA, "steps": [told()]}],
)
def test_what_is_no_result_is_refused(tmp_path: Path, content: Any) -> None:
    good, bad = files(tmp_path, told(), content)
    assert run(good, bad) == 2
    assert run(good, str(tmp_path / "none.json")) == 2
