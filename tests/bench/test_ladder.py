"""`python -m bench ladder`: its steps are settings that exist, and the relay answers, batch and streaming."""

import json
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.ladder import Rung, rungs
from bench.relay import SWITCHES
from gateway.errors import SettingsInvalid
from gateway.settings import load, variables


def test_each_step_adds_one_switch_and_every_setting_is_read() -> None:
    steps = rungs(300.0)
    relay = [step.switches for step in steps if step.switches is not None]
    assert [len(switches) for switches in relay] == list(range(len(SWITCHES) + 1))
    assert set(relay[-1]) == set(SWITCHES)
    known = {variable.name for variable in variables()}
    own = [step for step in steps if step.switches is None]
    assert all(set(step.settings) <= known for step in own)
    assert [step.policy.speculation for step in own] == ["off", "off", "eager", "eager", "interim"]
    assert [step.policy.hedge_after_ms is None for step in own] == [True, True, True, False, False]


@pytest.mark.parametrize(
    "step", [step for step in rungs(300.0) if step.switches is None], ids=lambda step: step.name
)
def test_the_gateway_takes_the_settings_of_each_step(step: Rung) -> None:
    with pytest.raises(SettingsInvalid) as refused:  # much else is missing here, and told in the same line
        load(dict(step.settings), env_file=None)
    assert not any(name in str(refused.value) for name in step.settings)
    with pytest.raises(SettingsInvalid, match="SPECULATION"):
        load({"SPECULATION": "sometimes"}, env_file=None)


def test_the_relay_gains_by_streaming(tmp_path: Path) -> None:
    file = tmp_path / "ladder.json"
    arguments = ["ladder", "--model", "steady", "--turns", "2", "--only", "0", "4", "--json", str(file)]
    assert main(arguments) == 0
    batch, streaming = json.loads(file.read_text())["steps"]
    assert batch["outcomes"]["answered"] == streaming["outcomes"]["answered"] == 2
    assert streaming["summary"]["ttfb"]["p50"] < batch["summary"]["ttfb"]["p50"] - 100
    floors = [[turn["floor_ms"] for turn in each["turns"]] for each in (batch, streaming)]
    assert floors[0] == floors[1], "each step meets the same delays"
