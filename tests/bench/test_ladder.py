"""`python -m bench ladder`: its steps are settings that exist, and the relay answers, batch and streaming."""

import json
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.figures import PARTS
from bench.harness.figures import parse_objective
from bench.harness.results import Result, TurnResult
from bench.ladder import Rung, exit_code, rungs
from bench.relay import SWITCHES
from gateway.errors import SettingsInvalid
from gateway.settings import load, variables


def test_each_step_adds_one_switch_and_every_setting_is_read() -> None:
    steps = rungs(300.0, 700.0)
    relay = [step.switches for step in steps if step.switches is not None]
    assert [len(switches) for switches in relay] == list(range(len(SWITCHES) + 1))
    assert set(relay[-1]) == set(SWITCHES)
    known = {variable.name for variable in variables()}
    own = [step for step in steps if step.switches is None]
    assert all(set(step.settings) <= known for step in own)
    off = [sum(value == "false" for value in step.settings.values()) for step in own]
    assert off == [5, 4, 3, 2, 1, 0, 0, 0, 0]
    assert [step.policy.speculation for step in own] == ["off"] * 6 + ["eager", "eager", "interim"]
    assert [step.policy.hedge_after_ms is None for step in own] == [True] * 7 + [False, False]


def test_the_steps_wait_as_they_are_told_to() -> None:
    *_, hedged, interim = rungs(100.0, 450.0)
    assert hedged.settings["LLM_HEDGE_AFTER_S"] == "0.45"
    assert (interim.policy.hedge_after_ms, interim.policy.interim_stable_ms) == (450.0, 100.0)


def test_the_published_figures_are_of_no_guess_of_eager_and_of_interim_ones() -> None:
    (published,) = [part for part in PARTS if part.name == "published"]
    words = published.command.split()
    first = words.index("--only") + 1
    chosen = [rungs(300.0, 700.0)[int(word)] for word in words[first : first + 3]]
    assert [(step.policy.speculation, step.policy.hedge_after_ms) for step in chosen] == [
        ("off", None),
        ("eager", 700.0),
        ("interim", 700.0),
    ]
    assert "false" not in chosen[0].settings.values(), "everything else is on"


@pytest.mark.parametrize(
    "step", [step for step in rungs(300.0, 700.0) if step.switches is None], ids=lambda step: step.name
)
def test_the_gateway_takes_the_settings_of_each_step(step: Rung) -> None:
    with pytest.raises(SettingsInvalid) as refused:  # much else is missing here, and told in the same line
        load(dict(step.settings), env_file=None)
    assert not any(name in str(refused.value) for name in step.settings)
    with pytest.raises(SettingsInvalid, match="SPECULATION"):
        load({"SPECULATION": "sometimes"}, env_file=None)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--url", "wss://gw.example.com/media"], "gateways of its own"),
        (["--serve-providers", "1", "2", "3"], "gateways of its own"),
        (["--only", "99"], "the ladder's steps are 0 to"),
    ],
)
def test_what_the_ladder_cannot_do_is_refused_in_one_line(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ladder", "--turns", "1", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert why in line


def test_objectives_are_judged_on_the_last_step() -> None:
    steps = [run_of(900.0, 910.0), run_of(500.0, 510.0)]
    assert exit_code(steps, 2, [parse_objective("p95<600")]) == 0
    assert exit_code(steps, 2, [parse_objective("p95<505")]) == 1
    assert exit_code(steps, 2, [parse_objective("overhead.p95<600")]) == 1, "a figure that is missing"
    assert exit_code(steps, 3, []) == 1, "a turn went unanswered"


def run_of(*ttfbs_ms: float) -> Result:
    turns = [
        TurnResult(
            call="CA1", number=1, id=1, outcome="answered", ttfb_ms=ttfb_ms, first_sound_ms=ttfb_ms,
            own_ttfb_ms=None, overhead_ms=None, floor_ms=None, stages_ms={}, drawn_ms={}, gaps_ms=(),
        )
        for ttfb_ms in ttfbs_ms
    ]  # fmt: skip
    return Result("ladder", {}, {}, None, turns, {})


def test_the_relay_gains_by_streaming(tmp_path: Path) -> None:
    file = tmp_path / "ladder.json"
    arguments = ["ladder", "--model", "steady", "--turns", "2", "--only", "0", "4", "--json", str(file)]
    assert main(arguments) == 0
    batch, streaming = json.loads(file.read_text())["steps"]
    assert batch["outcomes"]["answered"] == streaming["outcomes"]["answered"] == 2
    assert streaming["summary"]["ttfb"]["p50"] < batch["summary"]["ttfb"]["p50"] - 100
    floors = [[turn["floor_ms"] for turn in each["turns"]] for each in (batch, streaming)]
    assert floors[0] == floors[1], "each step meets the same delays"
