"""The goals that the latency design is held to, each read from the result of one command. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """`value` of the result of `part` (`bench.figures`) must be at most, or at least, `limit`. `count`: of
    how many turns, calls or interruptions it is.
    """

    name: str
    part: str
    value: Callable[[Result], float | None]
    count: Callable[[Result], float | None]
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
    n: int | None = None

    @property
    def met(self) -> bool:
        if self.value is None or not math.isfinite(self.value):
            return False
        over = self.value - self.goal.limit
        return over <= 0 if self.goal.kind == "at most" else over >= 0

    def as_json(self) -> dict[str, Any]:
        goal = self.goal
        return {
            "goal": goal.name, "limit": goal.limit_text, "value": self.value, "n": self.n, "met": self.met,
        }  # fmt: skip


def judge(goal: Goal, result: Result) -> Verdict:
    """A result that lacks the figure gives None."""
    count = _or_none(goal.count, result)
    return Verdict(goal, _or_none(goal.value, result), None if count is None else int(count))


def _or_none(read: Callable[[Result], float | None], result: Result) -> float | None:
    try:
        return read(result)
    except (LookupError, TypeError):
        return None


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


def _turns(step: int | None = None) -> Callable[[Result], float | None]:
    """How many were said."""

    def value(result: Result) -> float | None:
        return float(sum((result if step is None else result["steps"][step])["outcomes"].values()))

    return value


def _last_held(name: str) -> Callable[[Result], float | None]:
    """A figure of the largest step that held."""

    def value(result: Result) -> float | None:
        held: Sequence[Result] = [step for step in result["steps"] if step["verdict"] == "held"]
        found: float | None = held[-1][name]
        return found

    return value


def _of_turns(name: str, part: str, measure: str, figure: str, limit: float, step: int | None = None) -> Goal:
    """A goal of one figure of one measure."""
    return Goal(name, part, _summary(measure, figure, step), _summary(measure, "n", step), limit)


def _of_load(name: str, figure: str, limit: float) -> Goal:
    """A goal of the largest step that held."""
    return Goal(name, "load", _last_held(figure), _last_held("turns"), limit)


def _of_soak(name: str, figure: str, limit: float) -> Goal:
    def read(key: str) -> Callable[[Result], float | None]:
        return lambda result: result["soak"][key]

    return Goal(name, "load", read(figure), read("calls"), limit)


def _of_lookups(name: str, layer: str, limit_us: float) -> Goal:
    def read(figure: str) -> Callable[[Result], float | None]:
        return lambda result: result["layers_us"][layer][figure]

    return Goal(name, "credentials", read("p95"), read("n"), limit_us)


def _of_heard_words(name: str, figure: str, limit: float) -> Goal:
    count = _summary("words_off", "n")
    return Goal(name, "barge-in", lambda result: result[figure], count, limit, "at least")


LEAK_KIB: Final = 1.0
"""What a completed call may leave behind at the most, as far as a soak tells. That 0 lies within the interval
would be met by noise alone, the more surely the wider it is; with its high end bound, too, a soak that shows
nothing misses the goal. With 1 KiB a gateway of 5,000 calls a day would grow by 150 MiB in a month.
"""
_EAGER: Final = "published-eager-hurried"
_INTERIM: Final = "published-interim-hurried"
"""The tail goals are within reach of a second request that is sent early, at its price."""
GOALS: Final[Sequence[Goal]] = (
    _of_turns("overhead of a turn at one call, p50 ms", "turns", "overhead", "p50", 5),
    _of_turns("overhead of a turn at one call, p95 ms", "turns", "overhead", "p95", 15),
    _of_turns("TTFB over its floor, p50 ms", "turns", "over_floor", "p50", 15),
    _of_turns("TTFB over its floor, p95 ms", "turns", "over_floor", "p95", 40),
    _of_turns("TTFB p50 at steady delays, ms", "turns", "ttfb", "p50", 505),
    _of_turns("published, eager and hedge: TTFB p50 ms", _EAGER, "ttfb", "p50", 620, -1),
    _of_turns("published, eager and hedge: TTFB p95 ms", _EAGER, "ttfb", "p95", 940, -1),
    _of_turns("published, eager and hedge: TTFB p99 ms", _EAGER, "ttfb", "p99", 1200, -1),
    Goal("published, eager and hedge: turns failed", _EAGER, _failed(-1), _turns(-1), 0),
    _of_turns("published, interim and hedge: TTFB p50 ms", _INTERIM, "ttfb", "p50", 400, -1),
    _of_turns("published, interim and hedge: TTFB p95 ms", _INTERIM, "ttfb", "p95", 780, -1),
    Goal("published, interim and hedge: turns failed", _INTERIM, _failed(-1), _turns(-1), 0),
    _of_turns("last step of the ladder over its floor, p50 ms", "ladder", "over_floor", "p50", 15, -1),
    Goal(
        "calls at once on one core", "load",
        lambda result: result["last_held"], _last_held("turns"), 100, "at least",
    ),
    _of_load("overhead p95 ms at the most calls held", "overhead_p95_ms", 50),
    _of_load("memory per live call, MiB", "memory_mib_per_call", 1.5),
    _of_soak("memory per completed call, KiB, low end of 95 %", "low", 0),
    _of_soak("memory per completed call, KiB, high end of 95 %", "high", LEAK_KIB),
    _of_turns("speech event to clear, p95 ms", "barge-in", "event_to_clear_ms", "p95", 5),
    _of_heard_words(
        "interruptions whose heard words are off by one at most, share", "within_a_word_share", 0.99
    ),
    _of_heard_words("the same share, low end of 95 %", "within_a_word_low", 0.99),
    _of_lookups("an org's keys from process memory, p95 µs", "process memory", 20),
    _of_lookups("an org's keys from Redis, p95 µs", "Redis", 1000),
    Goal(
        "statements for a miss of 500 callers at once", "credentials",
        lambda result: result["statements_per_miss"], lambda result: result["misses"], 1,
    ),
)  # fmt: skip
