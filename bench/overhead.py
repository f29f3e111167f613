"""`python -m bench overhead`: what the gateway itself adds to a turn, and what a call costs it.

The gateway runs as a process of its own, over real sockets, with real Postgres and Redis. Carrier and
providers are simulated in this process with the cheapest engines there are: tones, whose words come from a
script. So the figures are the gateway's: overhead is the time between the providers' stages, told by the
gateway for each turn; CPU and memory are those of its process, per call that was live.

What this tells and `bench ttfb` and `bench load` do not: the gateway as it comes, latency profiles included,
which those two switch off; and with no delay drawn. The recogniser ends a turn by what it hears, model and
voice take no time, so a reply begun on the eager guess lies ready when the turn ends, and what is left of a
turn is the gateway's own. How long a caller waits by the audio, what holds and who gave out are theirs to
tell.
"""

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.carrier import Carrier, LiveCall
from bench.demo.clinic import CLINIC_NUMBER, DEMO_CLINIC
from bench.demo.feed import Fact, Feed, open_feed
from bench.demo.plan import OFFLINE_KEY, PROVIDERS, Provider, make_plan
from bench.demo.supervisor import Supervisor
from bench.harness.figures import percentile
from bench.harness.starting import say_starting
from bench.simulators.cartesia import CartesiaSimulator
from bench.simulators.chat import ChatSimulator
from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script, tone
from bench.simulators.offline.tone import ToneVoice
from bench.simulators.replies import ScriptedModel

CALLER_LINE = "Yes that would be lovely thank you"
REPLY = "That is fine. Is there anything else that I can do for you?"
MS_PER_CHAR = 20.0
SAID_S = 0.8
QUIET_MS = 500
LAST_FACTS_S = 2.0
SAMPLE_S = 0.2
STAGGER_S = 3.0
"""Callers do not speak in step: the calls begin spread over this time, about a turn's length."""
KEYS = frozenset({OFFLINE_KEY})


@dataclass(frozen=True, slots=True)
class Load:
    """So many calls at once, each with so many turns."""

    calls: int
    turns: int


WARM_UP = Load(calls=1, turns=1)


@dataclass(slots=True)
class Measured:
    """What one load came to."""

    load: Load
    overheads_ms: list[float] = field(default_factory=list)
    ttfbs_ms: list[float] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    cpu_share: float = 0.0
    """Of one core, per live call."""
    memory_mib: float = 0.0
    """Per live call, over the idle process."""

    def add(self, fact: Fact) -> None:
        if fact["type"] != "TurnFinished":
            return
        self.outcomes.append(fact["outcome"])
        if fact["overhead_ms"] is not None and fact["ttfb_ms"] is not None:
            self.overheads_ms.append(fact["overhead_ms"])
            self.ttfbs_ms.append(fact["ttfb_ms"])

    @property
    def complete(self) -> bool:
        return self.outcomes.count("answered") == self.load.calls * self.load.turns

    def row(self) -> str:
        overhead, ttfb = (
            f"{percentile(values, 50):.1f} / {percentile(values, 95):.1f}" if values else "-"
            for values in (self.overheads_ms, self.ttfbs_ms)
        )
        answered = f"{self.outcomes.count('answered')} of {self.load.calls * self.load.turns}"
        cpu, memory = f"{self.cpu_share * 100:.1f} %", f"{self.memory_mib:.1f} MiB"
        return f"| {self.load.calls} | {answered} | {overhead} | {ttfb} | {cpu} | {memory} |"


HEADER = (
    "| calls at once | turns answered | overhead p50 / p95 ms | TTFB p50 / p95 ms "
    "| CPU per call | memory per call |\n"
    "| --- | --- | --- | --- | --- | --- |"
)


def run_overhead(loads: Sequence[Load]) -> int:
    """Print one row per load. 0 if every turn was answered."""
    measured = asyncio.run(_measure(loads))
    sys.stdout.write("\n".join([HEADER, *(each.row() for each in measured)]) + "\n")
    return 0 if all(each.complete for each in measured) else 1


async def _measure(loads: Sequence[Load]) -> list[Measured]:
    spoken = sum(load.calls * load.turns for load in (WARM_UP, *loads))
    say_starting()
    root = Path(tempfile.mkdtemp(prefix="gw-overhead-"))
    async with AsyncExitStack() as closing:
        closing.callback(shutil.rmtree, root, ignore_errors=True)
        enter = closing.enter_async_context
        script = Script([CALLER_LINE] * spoken, word_s=0.1)
        deepgram = await enter(DeepgramSimulator(script.hearing, keys=KEYS))
        chat = await enter(ChatSimulator(ScriptedModel([], otherwise=REPLY), keys=KEYS))
        cartesia = await enter(CartesiaSimulator(ToneVoice(ms_per_char=MS_PER_CHAR), keys=KEYS))
        urls: Mapping[Provider, str] = {"deepgram": deepgram.url, "llm": chat.url, "cartesia": cartesia.url}
        plan = make_plan(_environment(urls))
        supervisor = await enter(Supervisor(plan, root, _nothing_to_report))
        feed = await enter(open_feed(supervisor.running.redis_url, DEMO_CLINIC.claim.org_id))
        await _one_load(WARM_UP, supervisor.carrier, feed)
        return [await _one_load(load, supervisor.carrier, feed) for load in loads]


def _environment(urls: Mapping[Provider, str]) -> dict[str, str]:
    """Nothing of the caller's own environment: each run measures the defaults."""
    environ: dict[str, str] = {}
    for provider, url in urls.items():
        key_name, url_name = PROVIDERS[provider]
        environ |= {key_name: OFFLINE_KEY, url_name: url}
    return environ


def _nothing_to_report(name: str, what: str, seconds: float) -> None:
    """Starting is not what is measured."""


async def _one_load(load: Load, carrier: Carrier, feed: Feed) -> Measured:
    measured = Measured(load)
    gateway = _gateway_process()
    idle_bytes = gateway.memory_info().rss
    memory = _Memory(gateway)
    async with AsyncExitStack() as watching:
        watching.push_async_callback(_stopped, asyncio.create_task(_collect(feed, measured)))
        watching.push_async_callback(_stopped, asyncio.create_task(memory.watch()))
        began_s, cpu_began_s = time.monotonic(), _cpu_s(gateway)
        async with asyncio.TaskGroup() as group:
            for number in range(load.calls):
                group.create_task(_one_call(carrier, load.turns, STAGGER_S * number / load.calls))
        measured.cpu_share = (_cpu_s(gateway) - cpu_began_s) / (time.monotonic() - began_s) / load.calls
        await asyncio.sleep(LAST_FACTS_S)
    measured.memory_mib = max(0, memory.most_bytes - idle_bytes) / load.calls / 2**20
    return measured


async def _one_call(carrier: Carrier, turns: int, after_s: float) -> None:
    await asyncio.sleep(after_s)
    async with carrier.call(CLINIC_NUMBER) as live:
        await live.agent_answers(QUIET_MS)
        for _ in range(turns):
            await _one_turn(live)


async def _one_turn(live: LiveCall) -> None:
    """The answer may begin in the frame in which the question ends, so it is counted from before that."""
    before_ms = live.record.agent_audible_ms
    await live.say(tone(SAID_S))
    await live.until(lambda record: record.agent_audible_ms > before_ms)
    await live.agent_quiet(QUIET_MS)


async def _collect(feed: Feed, measured: Measured) -> None:
    async for fact in feed.facts():
        measured.add(fact)


async def _stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait({task})


class _Memory:
    """The most that a process has held since."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self.most_bytes = 0

    async def watch(self) -> None:
        while True:
            self.most_bytes = max(self.most_bytes, self._process.memory_info().rss)
            await asyncio.sleep(SAMPLE_S)


def _gateway_process() -> psutil.Process:
    children = psutil.Process().children()
    return next(child for child in children if child.cmdline()[1:] == ["-m", "gateway"])


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
