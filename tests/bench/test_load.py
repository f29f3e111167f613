"""`python -m bench load`: who gave out, what memory does, and one short ramp against the real thing."""

import asyncio
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.harness.figures import parse_objective
from bench.harness.floor import Policy
from bench.harness.gauges import Gauges
from bench.harness.results import Result, TurnResult
from bench.load import Ramp, Soak, Step, exit_code, fitted_slope, judged, load_page
from tests.bench.carrier.gateway import Media, gateway


def turn(ttfb_ms: float, gaps_ms: tuple[float, ...] = ()) -> TurnResult:
    return TurnResult(
        call="CA1",
        number=1,
        id=1,
        outcome="answered",
        ttfb_ms=ttfb_ms,
        first_sound_ms=ttfb_ms,
        own_ttfb_ms=ttfb_ms,
        overhead_ms=1.0,
        floor_ms=600.0,
        stages_ms={},
        drawn_ms={},
        gaps_ms=gaps_ms,
    )


def step(
    *turns: TurnResult,
    failed: int = 0,
    late_share: float = 0.0,
    lag_ms: float = 1.0,
    bench_cores: float = 0.2,
) -> Step:
    failures = {"unanswered": failed} if failed else {}
    result = Result("load", {}, {}, Policy(), list(turns), failures, {"late_frames_share": late_share})
    gauges = Gauges(0.0, 10.0, 5.0, [100.0, 130.0], [], 10.0 * bench_cores, [lag_ms] * 50)
    ramp = Ramp(steps=[1], objectives=[parse_objective("p95<800")])
    return judged(result, gauges, ramp, calls=10, call_s=600.0, idle_mib=100.0)


def test_a_step_holds_when_nothing_breaks_and_tells_what_a_call_costs() -> None:
    held = step(turn(610.0), turn(700.0))
    assert (held.verdict, held.broken) == ("held", [])
    assert held.cpu_s_per_call_minute == 0.5
    assert held.gateway_cores == 0.5
    assert held.memory_mib_per_call == 3.0


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (step(turn(900.0)), "ttfb.p95<800"),
        (step(turn(610.0, (40.0,))), "1 playback gaps"),
        (step(turn(610.0), failed=2), "2 failed calls"),
    ],
)
def test_whatever_breaks_is_the_gateways_while_the_bench_keeps_time(broken: Step, why: str) -> None:
    assert broken.verdict == "gateway gave out"
    assert broken.broken == [why]


@pytest.mark.parametrize(
    "tired",
    [step(turn(900.0), late_share=0.02), step(turn(900.0), lag_ms=30), step(turn(900.0), bench_cores=0.99)],
)
def test_a_bench_that_lost_its_own_time_blames_nobody_else(tired: Step) -> None:
    assert tired.verdict == "bench gave out"


def ramped(*steps: tuple[int, str]) -> list[Step]:
    """A ramp's steps: calls at once and verdict."""
    broken = step(turn(900.0))
    held = step(turn(610.0))
    return [replace(held if verdict == "held" else broken, calls=calls) for calls, verdict in steps]


BROKE_AT_50 = ramped((1, "held"), (25, "held"), (50, "gave out"))


@pytest.mark.parametrize(
    ("hold", "steps", "code"),
    [
        (None, BROKE_AT_50, 0),
        (None, ramped((1, "gave out")), 1),
        (25, BROKE_AT_50, 0),
        (20, BROKE_AT_50, 0),
        (26, BROKE_AT_50, 1),
        (50, BROKE_AT_50, 1),
        (50, ramped((1, "held"), (25, "held"), (50, "held")), 0),
    ],
)
def test_a_ramp_may_break_above_what_must_be_held(hold: int | None, steps: list[Step], code: int) -> None:
    assert exit_code(Ramp(steps=[1, 25, 50], hold=hold), steps, None) == code


@pytest.mark.parametrize(("failed", "code"), [(0, 0), (1, 1)])
def test_a_failed_call_of_the_soak_fails_the_whole(failed: int, code: int) -> None:
    soak = Soak(calls=20, failed_calls=failed, kib_per_call=None, low=None, high=None)
    assert exit_code(Ramp(steps=[1, 25, 50]), BROKE_AT_50, soak) == code


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--steps", "1", "25", "--hold", "26"], "no step has 26 calls at once"),
        (["--hold", "0"], "'0' is no number from 1 on"),
        (["--soak", "-3"], "'-3' is no number from 0 on"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_before_anything_starts(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["load", *arguments])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert why in told
    assert "starting servers" not in told


def test_memory_that_grows_is_told_from_memory_that_wobbles() -> None:
    chance = random.Random(5)
    flat = [(call, 50_000 + chance.gauss(0, 200)) for call in range(1, 400)]
    _, low, high = fitted(flat)
    assert low < 0 < high
    growing = [(call, rss + 8 * call) for call, rss in flat]
    slope, low, high = fitted(growing)
    assert slope == pytest.approx(8, abs=1)
    assert low > 0
    assert fitted_slope(flat[:19]) is None


def fitted(samples: list[tuple[int, float]]) -> tuple[float, float, float]:
    found = fitted_slope(samples)
    assert found is not None
    return found


def test_the_page_shows_every_step() -> None:
    text = load_page([step(turn(610.0)), step(turn(900.0))], None)
    assert text.count("<tr>") == 3
    assert "gateway gave out" in text


def test_a_short_ramp_and_soak(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "load.json"
    arguments = [
        "load", "--model", "quick", "--steps", "2", "--turns", "1", "--slo", "p95<5000",
            "--gaps", "1000", "--soak", "2", "--soak-at-once", "2", "--json", str(file),
    ]  # fmt: skip
    assert main(arguments) == 0
    told = json.loads(file.read_text())
    assert told["last_held"] == 2
    assert told["steps"][0]["turns"] == 2
    assert told["steps"][0]["cpu_s_per_call_minute"] > 0
    assert (told["soak"]["calls"], told["soak"]["failed_calls"]) == (2, 0)
    assert {told["soak"][name] for name in ("kib_per_call", "low", "high")} == {None}
    assert len(told["soak"]["samples"]) == 2
    assert "too few samples" in capsys.readouterr().out


async def cut_off(media: Media) -> None:
    """The gateway ends every stream as soon as it has started."""


async def run_on(*arguments: str) -> int:
    """The command against a gateway that ends every stream."""
    async with gateway(cut_off) as served:
        url = served.url.replace("http", "ws") + "/twilio/media"
        return await asyncio.to_thread(main, ["load", "--no-greeting", "--url", url, *arguments])


def test_a_soak_call_that_failed_is_told_in_every_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, page = tmp_path / "load.json", tmp_path / "load.html"
    outputs = ["--json", str(file), "--html", str(page)]
    assert asyncio.run(run_on("--steps", "1", "--turns", "1", "--soak", "1", *outputs)) == 1
    soak = json.loads(file.read_text())["soak"]
    assert (soak["calls"], soak["failed_calls"]) == (1, 1)
    (reason,) = soak["failures"]
    assert soak["failures"][reason] == 1
    told = f"1 calls, 1 failed (1 {reason})"
    assert told in capsys.readouterr().out
    assert told in page.read_text()
