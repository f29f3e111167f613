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


def test_what_got_worse_than_allowed_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, slower = files(tmp_path, told(), told(factor=1.5))
    assert run(before, slower, "--worse-than", "1.1") == 1
    assert run(slower, before, "--worse-than", "1.1") == 0
    assert run(before, slower) == 0
    assert "ttfb p95" in capsys.readouterr().out


def test_too_few_turns_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*files(tmp_path, told(), told(turns=4))) == 2
    printed = capsys.readouterr()
    assert "fewer than 5 turns" in printed.err
    assert printed.out == ""


@pytest.mark.parametrize("content", [[], {"schema": "other"}, {"schema": SCHEMA, "turns": []}])
def test_what_is_no_result_is_refused(tmp_path: Path, content: Any) -> None:
    good, bad = files(tmp_path, told(), content)
    assert run(good, bad) == 2
    assert run(good, str(tmp_path / "none.json")) == 2
