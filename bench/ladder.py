"""`python -m bench ladder`: the road from a batch baseline to the whole design, one step at a time, in one
run.

The first steps are those of a bare relay (`bench.relay`), each with one switch more; the others our own
gateway's, each with one setting more. All of them meet the same delays, turn by turn, so a step's gain is
its own. Each row has its price: requests and tokens that nobody heard.
"""

import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench.demo.child import Child
from bench.demo.clinic import CLINIC_NUMBER
from bench.harness.caller import Manners
from bench.harness.figures import Objective, percentile
from bench.harness.floor import Policy
from bench.harness.page import page, section, table, write_page
from bench.harness.plots import cdf
from bench.harness.providers import open_providers, providers_environment
from bench.harness.results import Result, head, machine_line, write_json
from bench.harness.running import run
from bench.harness.screen import print_objectives
from bench.harness.speech import read_voice
from bench.harness.target import Address, Target, TargetUnusable, by_address, our_own
from bench.harness.turns import Turns
from bench.relay import NUMBER_VARIABLE
from bench.simulators.latency import Draws
from bench.ttfb import FAILED, MADE, WARM_UP_ID, Bench, Load, Outputs, Setup, said, warn_of_fewer

_OFF: Final = {"SPECULATION": "off", "LLM_HEDGE_AFTER_S": "off"}
_SWITCHED: Final = (
    ("+ look-ups side by side", "SIDE_BY_SIDE_LOOKUPS"),
    ("+ caches", "CACHES"),
    ("+ streaming", "CLAUSE_STREAMING"),
    ("+ pooling", "TTS_POOLING"),
    ("+ pre-warming", "PREWARM"),
)
"""Our gateway's switches in the order in which they are turned on."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One step. `switches` make it the relay's; otherwise it is our own gateway under `settings`."""

    name: str
    policy: Policy = field(default_factory=Policy)
    switches: Sequence[str] | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


def rungs(stable_ms: float, hedge_ms: float) -> list[Rung]:
    """All steps in order. `stable_ms`: for how long interim words must have stood; `hedge_ms`: when a second
    request is sent; both as the gateway's settings have them.
    """
    switched = ["lookups", "cache", "streaming", "pooling"]
    titles = ["relay: batch", "+ look-ups side by side", "+ cache", "+ streaming", "+ pooling"]
    relay = [Rung(title, switches=switched[:count]) for count, title in enumerate(titles)]
    hedged = {"LLM_HEDGE_AFTER_S": f"{hedge_ms / 1000:g}"}
    return [
        *relay,
        *_plain_rungs(),
        Rung("+ speculation (eager)", Policy("eager"), settings=_OFF | {"SPECULATION": "eager"}),
        Rung("+ hedge", Policy("eager", hedge_ms), settings=hedged | {"SPECULATION": "eager"}),
        Rung(
            "+ interim", Policy("interim", hedge_ms, stable_ms), settings=hedged | {"SPECULATION": "interim"}
        ),
    ]


def _plain_rungs() -> list[Rung]:
    """Our gateway without guess and hedge: all switches off, then each turned on beside those before it."""
    titles = ["our gateway, everything off", *(title for title, _ in _SWITCHED)]
    names = [name for _, name in _SWITCHED]
    return [
        Rung(title, settings=_OFF | dict.fromkeys(names[count:], "false"))
        for count, title in enumerate(titles)
    ]


def run_ladder(setup: Setup, load: Load, only: Sequence[int], outputs: Outputs) -> int:
    """0 if every turn of every step was answered and the last step met the objectives. `only`: positions of
    the steps, all if empty.
    """
    return run(_ladder(setup, load, only, outputs))


async def _ladder(setup: Setup, load: Load, only: Sequence[int], outputs: Outputs) -> int:
    if setup.address is not None or setup.ports is not None:
        raise TargetUnusable("the ladder starts gateways of its own: --url and --serve-providers are not its")
    if setup.carrier != "twilio":
        raise TargetUnusable("the ladder's first steps know Twilio alone")
    chosen = _chosen(_rungs_under(setup.policy), only)
    warn_of_fewer(len(load.calls()), load.at_once)
    results: list[tuple[Rung, Result]] = []
    async for rung, result in _steps(setup, load, chosen):
        results.append((rung, result))
        print(f"{rung.name}: {_p(result, 'ttfb', 50):.0f} / {_p(result, 'ttfb', 95):.0f} ms", file=sys.stderr)
    _print(results)
    print_objectives(results[-1][1], outputs.objectives)
    if outputs.json is not None:
        write_json(_as_json(results), outputs.json)
    if outputs.html is not None:
        write_page(ladder_page(results), outputs.html)
    return exit_code([result for _, result in results], load.turns, outputs.objectives)


def _chosen(steps: Sequence[Rung], only: Sequence[int]) -> Sequence[Rung]:
    if not only:
        return steps
    if not all(0 <= position < len(steps) for position in only):
        raise TargetUnusable(f"the ladder's steps are 0 to {len(steps) - 1}")
    return [steps[position] for position in only]


def exit_code(steps: Sequence[Result], turns: int, objectives: Sequence[Objective]) -> int:
    """All `turns` of each step must be answered; the objectives are the last step's, the whole design's."""
    whole = all(step.outcomes()["answered"] == turns for step in steps)
    met = all(each.met(steps[-1].values(each.measure)) for each in objectives)
    return MADE if whole and met else FAILED


async def _steps(setup: Setup, load: Load, chosen: Sequence[Rung]) -> AsyncIterator[tuple[Rung, Result]]:
    """The relay's first."""
    relay = [rung for rung in chosen if rung.switches is not None]
    if relay:
        async for step in _relay_rungs(setup, load, relay):
            yield step
    async for step in _own_rungs(setup, load, [rung for rung in chosen if rung.switches is None]):
        yield step


async def _own_rungs(setup: Setup, load: Load, steps: Sequence[Rung]) -> AsyncIterator[tuple[Rung, Result]]:
    """A gateway of its own for each."""
    for rung in steps:
        chosen = replace(setup, settings=dict(setup.settings) | dict(rung.settings), policy=rung.policy)
        turns = Turns(Draws(setup.model, setup.seed))
        async with (
            open_providers(turns) as urls,
            our_own(urls, chosen.settings, pinned=setup.pinned) as target,
        ):
            yield rung, await _measured(chosen, target, turns, load)


async def _relay_rungs(setup: Setup, load: Load, steps: Sequence[Rung]) -> AsyncIterator[tuple[Rung, Result]]:
    """One database for all of them, our own gateway's, which idles meanwhile."""
    turns = Turns(Draws(setup.model, setup.seed))
    async with open_providers(turns) as urls, our_own(urls, {}) as own:
        environ = providers_environment(urls) | {
            "DATABASE_URL": own.database_url or "",
            NUMBER_VARIABLE: CLINIC_NUMBER,
            "PATH": os.environ.get("PATH", ""),
        }
        for rung in steps:
            chosen = replace(setup, policy=rung.policy, manners=Manners(greeted=False))
            turns.restart()
            async with _relay(rung.switches or (), environ, own.folder) as target:
                yield rung, await _measured(chosen, target, turns, load)


@asynccontextmanager
async def _relay(
    switches: Sequence[str], environ: Mapping[str, str], folder: Path | None
) -> AsyncIterator[Target]:
    assert folder is not None  # noqa: S101  our own gateway has one
    child = Child("relay", folder)

    async def ready() -> bool:
        return child.has_spoken

    async with AsyncExitStack() as closing:
        closing.push_async_callback(child.stop)
        await child.start([sys.executable, "-m", "bench.relay", *switches], environ, Path.cwd(), ready)
        url = json.loads(child.output.read_text())["url"]
        target = await closing.enter_async_context(by_address(Address(url)))
        target.description = {"kind": "relay", "switches": list(switches)}
        yield target


async def _measured(setup: Setup, target: Target, turns: Turns, load: Load) -> Result:
    bench = Bench(setup, target, turns, read_voice(setup.voice))
    await bench.call([WARM_UP_ID])
    return await said(bench, load, "ladder")


def _rungs_under(policy: Policy) -> list[Rung]:
    """The steps, waiting as the settings say. Raises `TargetUnusable` if the hedge is off in them."""
    if policy.hedge_after_ms is None:
        raise TargetUnusable("the hedge is a step of the ladder: LLM_HEDGE_AFTER_S is seconds here")
    return rungs(policy.interim_stable_ms, policy.hedge_after_ms)


# --- telling ------------------------------------------------------------------------------------------------

_COLUMNS: Final = (
    "step", "TTFB p50 / p95 / p99 ms", "first filler p50 ms, turns", "gain p50",
    "floor p50 / p95", "over floor p50 / p95", "greeting p50 / p95 ms", "answered",
    "requests a turn", "asked twice", "thrown away", "tokens in vain a turn",
    "characters in vain a turn",
)  # fmt: skip


def rows(results: Sequence[tuple[Rung, Result]]) -> list[tuple[str, ...]]:
    """One row per step under `_COLUMNS`; the gain is over the step before."""
    told: list[tuple[str, ...]] = []
    before: float | None = None
    for rung, result in results:
        p50 = _p(result, "ttfb", 50)
        price = result.price()
        told.append(
            (
                rung.name,
                " / ".join(f"{_p(result, 'ttfb', each):.0f}" for each in (50, 95, 99)),
                _fillers(result),
                "" if before is None else f"{before - p50:+.0f}",
                f"{_p(result, 'floor', 50):.0f} / {_p(result, 'floor', 95):.0f}",
                f"{_p(result, 'over_floor', 50):.1f} / {_p(result, 'over_floor', 95):.1f}",
                _greeting(result),
                f"{result.outcomes()['answered']} of {len(result.turns)}",
                f"{price['requests_per_turn']:.2f}",
                f"{price['second_requests_share']:.1%}",
                f"{price['thrown_away_share']:.1%}",
                f"{price['tokens_wasted_per_turn']:.1f}",
                f"{price['characters_wasted_per_turn']:.1f}",
            )
        )
        before = p50
    return told


def _greeting(result: Result) -> str:
    """The bare relay has none."""
    all_ms = result.greetings_ms
    return f"{percentile(all_ms, 50):.0f} / {percentile(all_ms, 95):.0f}" if all_ms else ""


def _fillers(result: Result) -> str:
    count = len(result.values("first_filler"))
    return f"{_p(result, 'first_filler', 50):.0f}, {count}" if count else ""


def _p(result: Result, measure: str, per_cent: float) -> float:
    values = result.values(measure)
    return percentile(values, per_cent) if values else float("nan")


def _print(results: Sequence[tuple[Rung, Result]]) -> None:
    print(machine_line(results[-1][1].target))
    shown = Table()
    for name in _COLUMNS:
        shown.add_column(name, justify="left" if name == "step" else "right")
    for row in rows(results):
        shown.add_row(*row)
    Console(width=200 if not sys.stdout.isatty() else None).print(shown)


def _as_json(results: Sequence[tuple[Rung, Result]]) -> dict[str, Any]:
    return head("ladder") | {
        "steps": [{"name": rung.name} | result.as_json() for rung, result in results],
    }


def ladder_page(results: Sequence[tuple[Rung, Result]]) -> str:
    """The table, and the distribution of every step."""
    series = {rung.name: result.values("ttfb") for rung, result in results}
    return page("Ladder", [table(_COLUMNS, rows(results)), section("TTFB of each step", cdf(series))])
