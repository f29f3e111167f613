"""`python -m bench load`: how many calls at once a gateway holds, what each costs, and whether calls leave
anything behind.

Step by step more calls at once, until an objective breaks. A broken step is the gateway's fault only if the
bench kept its own time in it; the last step that held is the answer. `--soak` goes on with calls of one turn
and fits the gateway's memory against the calls that have ended. A ramp is meant to break: how many calls must
be held for it to end well is `--hold`.
"""

import asyncio
import itertools
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np

from bench.harness.caller import Played
from bench.harness.figures import Objective, percentile
from bench.harness.gauges import Gauges, watching
from bench.harness.page import page, section, table, write_page
from bench.harness.plots import lines
from bench.harness.results import Result, head, machine_line, policy_facts, write_json
from bench.harness.running import run
from bench.harness.target import TargetUnusable
from bench.ttfb import FAILED, MADE, Bench, Setup, open_bench
from gateway.settings import Limits

TOO_LATE_SHARE: Final = 0.01
TOO_LAGGED_MS: Final = 20.0
TOO_BUSY_CORES: Final = 0.95
SETTLED_SHARE: Final = 0.3
"""The first calls of a soak warm caches and pools: memory is fitted behind them."""
FEWEST_SAMPLES: Final = 20

Verdict = Literal["held", "gateway gave out", "bench gave out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """The steps, the turns of each call in them, and what must hold. `gaps_per_1000`: playback gaps allowed
    per 1,000 turns. `hold`: so many calls at once must be held, None for those of the first step.
    """

    steps: Sequence[int]
    turns: int = 4
    objectives: Sequence[Objective] = ()
    gaps_per_1000: float = 0.0
    hold: int | None = None
    soak_calls: int = 0
    soak_at_once: int = 20
    json: Path | None = None
    html: Path | None = None

    def __post_init__(self) -> None:
        if self.hold is not None and self.hold > max(self.steps):
            raise TargetUnusable(f"no step has {self.hold} calls at once: they cannot be held")

    @property
    def must_hold(self) -> int:
        return self.steps[0] if self.hold is None else self.hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step came to. Memory is over the gateway's before the first step; CPU in seconds per
    call-minute.
    """

    calls: int
    verdict: Verdict
    broken: Sequence[str]
    turns: int
    failed_calls: int
    gaps: int
    ttfb_p50_ms: float | None
    ttfb_p95_ms: float | None
    over_floor_p95_ms: float | None
    overhead_p50_ms: float | None
    overhead_p95_ms: float | None
    cpu_s_per_call_minute: float | None
    gateway_cores: float | None
    memory_mib_per_call: float | None
    gateway_lag_longest_ms: float | None
    bench_cores: float
    bench_lag_p99_ms: float
    bench_late_share: float


@dataclass(slots=True)
class Soak:
    """Memory against completed calls: the slope of the fitted line and its 95 % confidence interval, None
    where too few calls tell of it. `samples`: none of a gateway that is not our child; `failures`: why calls
    failed.
    """

    calls: int
    failed_calls: int
    kib_per_call: float | None
    low: float | None
    high: float | None
    samples: list[tuple[int, float]] = field(default_factory=list)
    failures: Mapping[str, int] = field(default_factory=dict)


def run_load(setup: Setup, ramp: Ramp) -> int:
    """0 if as many calls at once were held as must be, and no call of a soak failed."""
    return run(_load(setup, ramp))


async def _load(setup: Setup, ramp: Ramp) -> int:
    async with open_bench(_admitting(setup, ramp)) as bench:
        steps = await _ramp(bench, ramp)
        soak = await _soak(bench, ramp) if ramp.soak_calls else None
        target, providers = dict(bench.target.description), bench.providers()
    print(machine_line(target))
    _tell(steps, soak)
    told = head("load") | {
        "target": target,
        "providers": providers,
        "policy": policy_facts(setup.policy_known),
        "must_hold": ramp.must_hold,
        "objectives": [str(each) for each in ramp.objectives],
        "steps": [asdict(step) for step in steps],
        "last_held": last_held(steps),
        "soak": None if soak is None else asdict(soak),
    }
    if ramp.json is not None:
        write_json(told, ramp.json)
    if ramp.html is not None:
        write_page(load_page(steps, soak), ramp.html)
    return exit_code(ramp, steps, soak)


def last_held(steps: Sequence[Step]) -> int:
    """The most calls at once that held, 0 for none."""
    return max((step.calls for step in steps if step.verdict == "held"), default=0)


def exit_code(ramp: Ramp, steps: Sequence[Step], soak: Soak | None) -> int:
    """`FAILED` if fewer calls were held than must be, whoever gave out, or a call of the soak failed."""
    enough = last_held(steps) >= ramp.must_hold
    return MADE if enough and not (soak and soak.failed_calls) else FAILED


def _admitting(setup: Setup, ramp: Ramp) -> Setup:
    """Our own gateway takes as many calls as the ramp asks of it, unless it is told how many to take."""
    if setup.address is not None:
        return setup
    most = str(max(*ramp.steps, ramp.soak_at_once, Limits().max_calls))
    return replace(setup, settings={"MAX_CALLS": most, **setup.settings})


async def _ramp(bench: Bench, ramp: Ramp) -> list[Step]:
    """Up to the first step that does not hold, that one included."""
    process = bench.target.process
    idle_mib = process.memory_info().rss / 2**20 if process else 0.0
    ids = itertools.count()
    steps: list[Step] = []
    for calls in ramp.steps:
        steps.append(await _step(bench, ramp, calls, ids, idle_mib))
        print(told(steps[-1]), file=sys.stderr)
        if steps[-1].verdict != "held":
            break
    return steps


async def _step(bench: Bench, ramp: Ramp, calls: int, ids: "itertools.count[int]", idle_mib: float) -> Step:
    batches = [[next(ids) for _ in range(ramp.turns)] for _ in range(calls)]
    async with watching(bench.target.process, bench.target.base_url) as gauges:
        played = await _at_once(bench, batches)
    await bench.target.last_facts()
    result = bench.result("load", played)
    for call in played:
        for each in call.turns:
            bench.turns.forget(each.turn)
        if bench.target.told is not None:
            bench.target.told.forget(call.call_sid)
    call_s = sum(call.frames for call in played) * 0.02
    return judged(result, gauges, ramp, calls, call_s, idle_mib)


async def _at_once(bench: Bench, batches: Sequence[Sequence[int]]) -> list[Played]:
    """Callers do not speak in step: the calls begin spread over about a turn's length."""

    async def one(position: int, ids: Sequence[int]) -> Played:
        await asyncio.sleep(5.0 * position / len(batches))
        return await bench.call(ids)

    async with asyncio.TaskGroup() as group:
        playing = [group.create_task(one(*each)) for each in enumerate(batches)]
    return [task.result() for task in playing]


def judged(result: Result, gauges: Gauges, ramp: Ramp, calls: int, call_s: float, idle_mib: float) -> Step:
    """The step's figures and its verdict. `call_s`: seconds of media, over all calls."""
    gaps = sum(len(turn.gaps_ms) for turn in result.turns)
    failed = sum(result.calls_failed.values())
    broken = [str(each) for each in ramp.objectives if not each.met(result.values(each.measure))]
    if gaps > ramp.gaps_per_1000 * len(result.turns) / 1000:
        broken.append(f"{gaps} playback gaps")
    if failed:
        broken.append(f"{failed} failed calls")
    late_share = result.generator.get("late_frames_share", 0.0)
    bench_lag_ms = percentile(gauges.bench_lag_ms, 99) if gauges.bench_lag_ms else 0.0
    tired = late_share > TOO_LATE_SHARE or bench_lag_ms > TOO_LAGGED_MS or gauges.bench_cores > TOO_BUSY_CORES
    minutes = call_s / 60
    most_mib = max(gauges.gateway_rss_mib, default=None)
    return Step(
        calls=calls,
        verdict="held" if not broken else "bench gave out" if tired else "gateway gave out",
        broken=broken,
        turns=len(result.turns),
        failed_calls=failed,
        gaps=gaps,
        ttfb_p50_ms=_at(result.values("ttfb"), 50),
        ttfb_p95_ms=_at(result.values("ttfb"), 95),
        over_floor_p95_ms=_at(result.values("over_floor"), 95),
        overhead_p50_ms=_at(result.values("overhead"), 50),
        overhead_p95_ms=_at(result.values("overhead"), 95),
        cpu_s_per_call_minute=_rounded(gauges.gateway_cpu_s, 1 / minutes) if minutes else None,
        gateway_cores=_rounded(gauges.gateway_cores),
        memory_mib_per_call=None if most_mib is None else round(max(0.0, most_mib - idle_mib) / calls, 2),
        gateway_lag_longest_ms=_rounded(max(gauges.gateway_lag_ms, default=None)),
        bench_cores=round(gauges.bench_cores, 2),
        bench_lag_p99_ms=round(bench_lag_ms, 1),
        bench_late_share=late_share,
    )


def _at(values: Sequence[float], per_cent: float) -> float | None:
    return round(percentile(values, per_cent), 1) if values else None


def _rounded(value: float | None, factor: float = 1.0) -> float | None:
    return None if value is None else round(value * factor, 3)


# --- soak ---------------------------------------------------------------------------------------------------


async def _soak(bench: Bench, ramp: Ramp) -> Soak:
    """Calls of one turn, so many at once; the gateway's memory is read as each ends."""
    process = bench.target.process
    ids = itertools.count(2**41)
    left = iter(range(ramp.soak_calls))
    samples: list[tuple[int, float]] = []
    failures: Counter[str] = Counter()
    completed = 0

    async def caller() -> None:
        nonlocal completed
        for _ in left:
            played = await bench.call([next(ids)])
            if played.failure is not None:
                failures[played.failure] += 1
            for each in played.turns:
                bench.turns.forget(each.turn)
            if bench.target.told is not None:
                bench.target.told.forget(played.call_sid)
            completed += 1
            if process is not None:
                samples.append((completed, process.memory_info().rss / 1024))

    async with asyncio.TaskGroup() as group:
        for _ in range(ramp.soak_at_once):
            group.create_task(caller())
    fitted = fitted_slope(samples[int(len(samples) * SETTLED_SHARE) :])
    slope, low, high = fitted or (None, None, None)
    return Soak(completed, failures.total(), slope, low, high, samples, dict(failures))


def fitted_slope(samples: Sequence[tuple[float, float]]) -> tuple[float, float, float] | None:
    """Least squares: the slope and its 95 % confidence interval. Samples that follow each other are alike, so
    the interval comes from the means of ten blocks. None: fewer than `FEWEST_SAMPLES` tell nothing.
    """
    if len(samples) < FEWEST_SAMPLES:
        return None
    x, y = np.asarray(samples, dtype=np.float64).T
    slope, intercept = np.polyfit(x, y, 1)
    blocks = np.array_split(y - (slope * x + intercept), 10)
    spread = float(np.std([block.mean() for block in blocks], ddof=1))
    error = 1.96 * spread / (float(np.std(np.linspace(x[0], x[-1], 10))) * np.sqrt(10))
    return float(slope), float(slope - error), float(slope + error)


# --- telling ------------------------------------------------------------------------------------------------

_COLUMNS: Final = (
    "calls at once", "verdict", "TTFB p50 / p95 ms", "over floor p95", "overhead p50 / p95", "gaps",
    "failed", "CPU s per call-minute", "gateway cores", "MiB per call", "gateway lag, longest", "bench cores",
    "bench lag p99",
)  # fmt: skip


def cells(step: Step) -> tuple[str, ...]:
    """One row under `_COLUMNS`."""
    return (
        str(step.calls), step.verdict, _pair(step.ttfb_p50_ms, step.ttfb_p95_ms),
        _one(step.over_floor_p95_ms), _pair(step.overhead_p50_ms, step.overhead_p95_ms), str(step.gaps),
        str(step.failed_calls), _one(step.cpu_s_per_call_minute), _one(step.gateway_cores),
        _one(step.memory_mib_per_call), _one(step.gateway_lag_longest_ms), _one(step.bench_cores),
        _one(step.bench_lag_p99_ms),
    )  # fmt: skip


def told(step: Step) -> str:
    """One line while the ramp goes on."""
    why = f" ({', '.join(step.broken)})" if step.broken else ""
    return f"{step.calls} calls: {step.verdict}{why}; TTFB {_pair(step.ttfb_p50_ms, step.ttfb_p95_ms)} ms"


def _tell(steps: Sequence[Step], soak: Soak | None) -> None:
    print("| " + " | ".join(_COLUMNS) + " |\n|" + " --- |" * len(_COLUMNS))
    for step in steps:
        print("| " + " | ".join(cells(step)) + " |")
    print(f"the last step that held: {last_held(steps)} calls at once")
    for step in steps:
        if step.broken:
            print(f"{step.calls} calls at once: {step.verdict}: {', '.join(step.broken)}")
    if soak is not None:
        print(_soaked(soak))


def _soaked(soak: Soak) -> str:
    why = "".join(f" ({number} {reason})" for reason, number in soak.failures.items())
    return f"soak: {soak.calls} calls, {soak.failed_calls} failed{why}, {_growth(soak)}"


def _growth(soak: Soak) -> str:
    if not soak.samples:
        return "memory not known of this gateway"
    if soak.kib_per_call is None or soak.low is None or soak.high is None:
        return "too few samples to tell memory per completed call"
    interval = f"95 % interval {soak.low:+.2f} to {soak.high:+.2f}"
    return f"{soak.kib_per_call:+.2f} KiB per completed call ({interval})"


def load_page(steps: Sequence[Step], soak: Soak | None) -> str:
    """The ramp, and the soak's memory, as one HTML document."""
    series = {
        "TTFB p50": [(float(step.calls), step.ttfb_p50_ms or 0.0) for step in steps],
        "TTFB p95": [(float(step.calls), step.ttfb_p95_ms or 0.0) for step in steps],
    }
    costs = {"gateway cores x 100": [(float(step.calls), (step.gateway_cores or 0) * 100) for step in steps]}
    sections = [
        section("Steps", table(_COLUMNS, [cells(step) for step in steps])),
        section("TTFB (ms) by calls at once", lines(series, "calls at once")),
        section("CPU (% of a core) by calls at once", lines(costs, "calls at once")),
    ]
    if soak is not None:
        memory = {"resident MiB": [(float(call), kib / 1024) for call, kib in soak.samples]}
        plot = lines(memory, "completed calls")
        sections.append(section("Memory by completed calls", f"<p>{_soaked(soak)}</p>{plot}"))
    return page("Load", sections)


def _pair(first: float | None, second: float | None) -> str:
    return f"{_one(first)} / {_one(second)}"


def _one(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
