"""`python -m bench ttfb`: how long a caller waits for each answer, by the audio itself, and where the time
goes.

Exit codes: 0 the run was whole and every objective was met; 1 a turn or call failed or an objective was
missed; 2 it could not be run.
"""

import asyncio
import itertools
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.harness.caller import Manners, Played, Timed, play_call
from bench.harness.figures import Objective
from bench.harness.floor import Policy
from bench.harness.page import ttfb_page, write_page
from bench.harness.providers import Ports, open_providers
from bench.harness.results import Result, turn_result, write_json
from bench.harness.running import run
from bench.harness.screen import Progress, print_ttfb
from bench.harness.speech import DEFAULT_VOICE, read_voice
from bench.harness.target import Address, Target, by_address, our_own
from bench.harness.turns import Turns
from bench.simulators.latency import MODELS, Draws, LatencyModel
from gateway.garbage import settle

MADE, FAILED, UNUSABLE = 0, 1, 2
STAGGER_S: Final = 3.0
NO_POLICY: Final = Policy()
USUAL_MANNERS: Final = Manners()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What is measured, and against which providers; shared by all latency commands.

    `address` None is our own gateway, with `settings`, called by `carrier`. `ports` are served for a gateway
    by its address that is to use the simulated providers; without them nothing is known of a foreign
    gateway's providers.
    """

    model: LatencyModel = MODELS["published"]
    seed: int = 1
    address: Address | None = None
    ports: Ports | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    carrier: str = "twilio"
    policy: Policy = NO_POLICY
    voice: Path = DEFAULT_VOICE
    manners: Manners = USUAL_MANNERS
    pinned: bool = False
    long_replies: bool = False

    @property
    def simulated(self) -> bool:
        return self.address is None or self.ports is not None

    @property
    def policy_known(self) -> Policy | None:
        """None where no floor is: of providers that are not simulated, and of Nova, which ends turns by its
        own endpointing and not when that was drawn.
        """
        goes_by_draws = self.settings.get("STT_MODEL", "flux").startswith("flux")
        return self.policy if self.simulated and goes_by_draws else None


@dataclass(frozen=True, slots=True)
class Outputs:
    json: Path | None = None
    html: Path | None = None
    objectives: Sequence[Objective] = ()


@dataclass(slots=True)
class Bench:
    """A target that runs, and the book of turns that its providers answer from."""

    setup: Setup
    target: Target
    turns: Turns
    voices: Sequence[bytes]

    async def call(self, ids: Sequence[int], on_turn: Callable[[Timed], None] = lambda timed: None) -> Played:
        """Place one call with one turn per id."""
        manners = self.setup.manners
        return await play_call(self.target, self.turns, self.voices, ids, manners, on_turn)

    def providers(self) -> dict[str, Any]:
        if not self.setup.simulated:
            return {"kind": "the target's own"}
        model = self.setup.model
        return {"kind": "simulated", "model": model.name, "seed": self.setup.seed, "delays": repr(model)}

    def result(self, command: str, calls: Sequence[Played]) -> Result:
        """All turns of these calls, with what the providers and the gateway know of them."""
        book = self.turns if self.setup.simulated else None
        policy = self.setup.policy_known
        rows = [turn_result(each, book, policy, self.target.told) for call in calls for each in call.turns]
        failures = Counter(call.failure for call in calls if call.failure is not None)
        return Result(
            command=command,
            target=self.target.description,
            providers=self.providers(),
            policy=policy,
            turns=rows,
            calls_failed=dict(failures),
            generator=generator_facts(calls),
            greetings_ms=[call.greeting_ms for call in calls if call.greeting_ms is not None],
        )


@asynccontextmanager
async def open_bench(setup: Setup) -> AsyncIterator[Bench]:
    """Providers and target, while the body runs; one turn has been said before, so that nothing is cold."""
    voices = read_voice(setup.voice)
    turns = Turns(Draws(setup.model, setup.seed), long_replies=setup.long_replies)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        urls = await enter(open_providers(turns, setup.ports)) if setup.simulated else {}
        if setup.address is None:
            target = await enter(our_own(urls, setup.settings, pinned=setup.pinned, carrier=setup.carrier))
        else:
            target = await enter(by_address(setup.address))
        bench = Bench(setup, target, turns, voices)
        await bench.call([WARM_UP_ID])
        settle()
        yield bench


WARM_UP_ID: Final = 2**40


def generator_facts(calls: Sequence[Played]) -> dict[str, float]:
    """How well the carrier's side kept its own time: what is late here is no fault of the gateway's."""
    frames = sum(call.frames for call in calls)
    late = sum(call.late_frames for call in calls)
    return {
        "worst_late_ms": round(max((call.worst_late_ms for call in calls), default=0.0), 1),
        "late_frames_share": round(late / frames, 5) if frames else 0.0,
    }


@dataclass(frozen=True, slots=True)
class Load:
    """So many turns in all, in calls of so many, so many calls at once."""

    turns: int = 30
    per_call: int = 10
    at_once: int = 1

    def calls(self) -> list[list[int]]:
        """The turns' ids, call by call: the same whatever is measured."""
        ids = iter(range(self.turns))
        return [list(batch) for batch in iter(lambda: list(itertools.islice(ids, self.per_call)), [])]

    def facts(self) -> dict[str, int]:
        """For the result; calls at once as there really were."""
        at_once = min(self.at_once, len(self.calls()))
        return {"turns": self.turns, "per_call": self.per_call, "at_once": at_once}


def warn_of_fewer(calls: int, at_once: int) -> None:
    """On standard error, where so few calls are made that they can never be as many at once as asked for."""
    if calls < at_once:
        print(f"no more than {calls} of {at_once} calls at once: there are no more calls", file=sys.stderr)


def run_ttfb(setup: Setup, load: Load, outputs: Outputs) -> int:
    """Measure, print, write. The exit code."""
    return run(_ttfb(setup, load, outputs))


async def _ttfb(setup: Setup, load: Load, outputs: Outputs) -> int:
    warn_of_fewer(len(load.calls()), load.at_once)
    with Progress("TTFB", load.turns) as progress:
        result = await measure(setup, load, progress.took)
    return report(result, outputs)


async def measure(setup: Setup, load: Load, on_turn: Callable[[Timed], None] = lambda timed: None) -> Result:
    """The turns of `load` said to the target."""
    async with open_bench(setup) as bench:
        return await said(bench, load, "ttfb", on_turn)


async def said(
    bench: Bench, load: Load, command: str, on_turn: Callable[[Timed], None] = lambda timed: None
) -> Result:
    """The turns of `load` said to a target that runs."""
    waiting = asyncio.Semaphore(load.at_once)

    async def one(position: int, ids: list[int]) -> Played:
        async with waiting:
            if position < load.at_once > 1:
                await asyncio.sleep(STAGGER_S * position / load.at_once)
            return await bench.call(ids, on_turn)

    async with asyncio.TaskGroup() as group:
        playing = [group.create_task(one(*each)) for each in enumerate(load.calls())]
    await bench.target.last_facts()
    result = bench.result(command, [task.result() for task in playing])
    result.load = load.facts()
    return result


def report(result: Result, outputs: Outputs) -> int:
    """Print the tables, write the files, judge the objectives. The exit code."""
    if not result.values("ttfb"):
        print("no turn was measured", file=sys.stderr)
    print_ttfb(result, outputs.objectives)
    if outputs.json is not None:
        write_json(result.as_json(), outputs.json)
    if outputs.html is not None:
        write_page(ttfb_page(result, outputs.objectives), outputs.html)
    whole = not result.calls_failed and result.outcomes()["answered"] == len(result.turns)
    met = all(each.met(result.values(each.measure)) for each in outputs.objectives)
    return MADE if whole and met and result.turns else FAILED
