"""Look-ups measured, a few of them: real stores, every layer, a small crowd."""

import pytest

from bench.credentials import Plan, run_credentials


def test_every_layer_answers_and_a_crowd_asks_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_credentials(Plan(lookups=5, callers=20, rounds=2)) == 0
    tables = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    layers = [line for line in tables if line.startswith(("| process memory", "| Redis", "| Postgres"))]
    assert [line.split("|")[2].strip() for line in layers] == ["500", "5", "5"]
    assert any(line.startswith("| 20 | 2 | 1 |") for line in tables)
    assert tables[-1].startswith("| 2 | ")
