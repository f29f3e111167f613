"""The goals that the latency design is held to, each read from the result of one command. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """`value` of the result of `part` (`bench.figures`) must be at most, or at least, `limit`."""

    name: str
    part: str
    value: Callable[[Result], float | None]
    limit: float
    kind: Literal["at most", "at least"] = "at most"

    @property
    def limit_text(self) -> str:
        return f"{'≤' if self.kind == 'at most' else '≥'} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A goal and what was measured; None, or an infinite one, is not met."""

    goal: Goal
    value: float | None

    @property
    def met(self) -> bool:
        if self.value is None or not math.isfinite(self.value):
            return False
        over = self.value - self.goal.limit
        return over <= 0 if self.goal.kind == "at most" else over >= 0

    def as_json(self) -> dict[str, Any]:
        goal = self.goal
        return {"goal": goal.name, "limit": goal.limit_text, "value": self.value, "met": self.met}


def judge(goal: Goal, result: Result) -> Verdict:
    """A result that lacks the figure gives None."""
    try:
        return Verdict(goal, goal.value(result))
    except (LookupError, TypeError):
        return Verdict(goal, None)


def _summary(measure: str, figure: str, step: int | None = None) -> Callable[[Result], float | None]:
    """Of a run, or of a step of a ladder (counted from its end)."""

    def value(result: Result) -> float | None:
        run = result if step is None else result["steps"][step]
        found: float | None = run["summary"][measure][figure]
        return found

    return value


def _failed(step: int | None = None) -> Callable[[Result], float | None]:
    """Turns that were not answered, or by a filler alone."""

    def value(result: Result) -> float | None:
        outcomes: Mapping[str, int] = (result if step is None else result["steps"][step])["outcomes"]
        return float(sum(count for kind, count in outcomes.items() if kind != "answered"))

    return value


def _last_held(name: str) -> Callable[[Result], float | None]:
    """A figure of the largest step that held."""

    def value(result: Result) -> float | None:
        held: Sequence[Result] = [step for step in result["steps"] if step["verdict"] == "held"]
        found: float | None = held[-1][name]
        return found

    return value


_EAGER, _INTERIM = -2, -1
GOALS: Final[Sequence[Goal]] = (
    Goal("overhead of a turn at one call, p50 ms", "turns", _summary("overhead", "p50"), 5),
    Goal("overhead of a turn at one call, p95 ms", "turns", _summary("overhead", "p95"), 15),
    Goal("TTFB over its floor, p50 ms", "turns", _summary("over_floor", "p50"), 15),
    Goal("TTFB over its floor, p95 ms", "turns", _summary("over_floor", "p95"), 40),
    Goal("TTFB p50 at steady delays, ms", "turns", _summary("ttfb", "p50"), 505),
    Goal("published, eager and hedge: TTFB p50 ms", "published", _summary("ttfb", "p50", _EAGER), 620),
    Goal("published, eager and hedge: TTFB p95 ms", "published", _summary("ttfb", "p95", _EAGER), 940),
    Goal(
        "published, eager and hedge: TTFB p99 ms", "published", _summary("ttfb", "p99", _EAGER), 1200
    ),
    Goal("published, eager and hedge: turns failed", "published", _failed(_EAGER), 0),
    Goal(
        "published, interim and hedge: TTFB p50 ms", "published", _summary("ttfb", "p50", _INTERIM), 400
    ),
    Goal(
        "published, interim and hedge: TTFB p95 ms", "published", _summary("ttfb", "p95", _INTERIM), 780
    ),
    Goal("published, interim and hedge: turns failed", "published", _failed(_INTERIM), 0),
    Goal("last step of the ladder over its floor, p50 ms", "ladder", _summary("over_floor", "p50", -1), 15),
    Goal("calls at once on one core", "load", lambda result: result["last_held"], 100, "at least"),
    Goal("overhead p95 ms at the most calls held", "load", _last_held("overhead_p95_ms"), 50),
    Goal("memory per live call, MiB", "load", _last_held("memory_mib_per_call"), 1.5),
    Goal("memory per completed call, KiB, low end of 95 %", "load", lambda result: result["soak"]["low"], 0),
    Goal("speech event to clear, p95 ms", "barge-in", _summary("event_to_clear_ms", "p95"), 5),
    Goal(
        "interruptions whose heard words are off by one at most, share", "barge-in",
        lambda result: result["within_a_word_share"], 0.99, "at least",
    ),
)  # fmt: skip
