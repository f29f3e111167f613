"""`python -m bench hedge`: what a second request for a late reply wins and costs, by when it is sent.

The gateway's own adapter and hedge over real sockets, in front of a simulated model whose delays follow a
named latency model. Each setting meets the same draws for its first requests; second ones draw anew.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from bench.harness.figures import percentile
from bench.simulators.chat import ChatRequest, ChatSimulator, Pace
from bench.simulators.latency import MODELS, Draws
from bench.simulators.replies import ScriptedModel
from pipeline.events import TextDelta
from pipeline.hedge import HedgeBudget, Hedged, HedgedModel, HedgeLimits
from pipeline.ports import Message
from pipeline.providers.llm import ChatModel, LlmConfig
from pipeline.sentences import ClauseSplitter

REPLY = "Certainly. We have Tuesday at ten, or Thursday at a quarter past two. Which would suit you better?"
CALLER = "I would like to come in next week, if you have anything in the mornings."
PROMPT_CHARS = 4_000
"""Of a clinic's system prompt, about."""


@dataclass(frozen=True, slots=True)
class HedgeLoad:
    """`after_s`: the settings to compare; 0 is without."""

    after_s: Sequence[float]
    requests: int
    at_once: int
    model: str
    seed: int


@dataclass(slots=True)
class Outcome:
    """What one setting came to."""

    after_s: float
    clauses_ms: list[float] = field(default_factory=list)
    hedges: list[Hedged] = field(default_factory=list)
    tokens: int = 0

    def row(self) -> str:
        sent = [hedged for hedged in self.hedges if hedged.won != "capped"]
        won = sum(hedged.won == "second" for hedged in sent)
        capped = len(self.hedges) - len(sent)
        extra = sum(hedged.extra_tokens for hedged in sent)
        times = "".join(f"{percentile(self.clauses_ms, per_cent):9.0f}" for per_cent in (50, 90, 95, 99))
        share = 100 / len(self.clauses_ms)
        name = f"{self.after_s:g} s" if self.after_s else "off"
        counts = f"{len(sent) * share:11.1f}{won * share:9.1f}{capped * share:9.1f}"
        return f"{name:<8}{times}{counts}{100 * extra / self.tokens:14.1f}"


HEADING = "after        p50      p90      p95      p99   second, %   won, %   capped  tokens more, %"


def run_hedge(load: HedgeLoad) -> int:
    """Measures and prints; the process's exit status."""
    print(
        f"first speakable clause, ms; model {load.model}, seed {load.seed}, "
        f"{load.requests} requests, {load.at_once} at once"
    )
    print(HEADING)
    for after_s in load.after_s:
        print(asyncio.run(_measured(load, after_s)).row(), flush=True)
    return 0


async def _measured(load: HedgeLoad, after_s: float) -> Outcome:
    draws = Draws(MODELS[load.model], load.seed)
    outcome = Outcome(after_s)
    pace = Pace(between_tokens_s=draws.between_tokens_s)
    model = ScriptedModel([], otherwise=REPLY)
    async with AsyncExitStack() as stack:
        thinks = _thinks(draws)
        simulator = await stack.enter_async_context(
            ChatSimulator(model, pace=pace, thinks=thinks, record=False)
        )
        chat = ChatModel(LlmConfig("test-key", "scripted-receptionist", simulator.url))
        stack.push_async_callback(chat.aclose)
        limits = HedgeLimits(after_s or None, requests_per_call=load.requests, tokens_per_call=10**9)
        hedged = HedgedModel(chat, None, limits, HedgeBudget(), outcome.hedges.append)
        numbers = iter(range(load.requests))
        async with asyncio.TaskGroup() as group:
            for _ in range(load.at_once):
                group.create_task(_ask(hedged, numbers, outcome))
    return outcome


async def _ask(model: HedgedModel, numbers: Iterator[int], outcome: Outcome) -> None:
    """One caller after another, as long as there are numbers."""
    for number in numbers:
        messages = [Message("system", "x" * PROMPT_CHARS), Message("user", f"{number}. {CALLER}")]
        splitter, clauses_ms = ClauseSplitter(), list[float]()
        began_s = time.perf_counter()
        async for event in model.reply(messages, []):
            if isinstance(event, TextDelta) and splitter.feed(event.text):
                clauses_ms.append((time.perf_counter() - began_s) * 1000)
        outcome.clauses_ms.append(clauses_ms[0])
        outcome.tokens += (PROMPT_CHARS + len(CALLER) + len(REPLY)) // 4


def _thinks(draws: Draws) -> Callable[[ChatRequest], float]:
    """By the caller's number and how many-th request of his this is."""
    seen: dict[int, int] = {}

    def thinks(request: ChatRequest) -> float:
        number = int(str(request.messages[-1]["content"]).partition(".")[0])
        seen[number] = nth = seen.get(number, -1) + 1
        return draws.llm_ms(number, nth) / 1000

    return thinks
