"""Percentiles, their uncertainty, and objectives on them. Pure."""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

PERCENTILES: Final = (50, 90, 95, 99)
RESAMPLES: Final = 2000
_SURPRISE: Final = 0.05
MEASURES: Final = (
    "ttfb",
    "floor",
    "over_floor",
    "own_ttfb",
    "difference",
    "overhead",
    "first_sound",
    "first_filler",
)
"""What is known of a turn, ms (`bench.harness.results.TurnResult`)."""


def percentile(values: Sequence[float], per_cent: float) -> float:
    """By linear interpolation between the two nearest values."""
    return float(np.percentile(np.asarray(values, dtype=np.float64), per_cent))


def summary(values: Sequence[float | None]) -> dict[str, float]:
    """`n`, and where there is any value: `mean`, `min`, `max`, `p50 p90 p95 p99`, to a tenth of a
    millisecond.
    """
    known = [value for value in values if value is not None]
    if not known:
        return {"n": 0}
    told = {"mean": sum(known) / len(known), "min": min(known), "max": max(known)}
    told |= {f"p{each}": percentile(known, each) for each in PERCENTILES}
    return {"n": len(known)} | {name: round(value, 1) for name, value in told.items()}


def share_low(hits: int, of: int) -> float:
    """The low end of a share, with 95 % confidence (Clopper and Pearson, one-sided): the share under which so
    many hits or more would still come once in twenty times. 0 of none.
    """
    low, high = 0.0, hits / of if of else 0.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        if _chance_of(hits, of, middle) < _SURPRISE:
            low = middle
        else:
            high = middle
    return low


def _chance_of(hits: int, of: int, share: float) -> float:
    """That so many or more of these hit."""

    def exactly(each: int) -> float:
        ways = math.lgamma(of + 1) - math.lgamma(each + 1) - math.lgamma(of - each + 1)
        return math.exp(ways + each * math.log(share) + (of - each) * math.log1p(-share))

    return math.fsum(map(exactly, range(hits, of + 1)))


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def ratio(before: Sequence[float], after: Sequence[float], per_cent: float, seed: int = 1) -> Interval:
    """After over before at a percentile, by the bootstrap: both samples drawn anew `RESAMPLES` times."""
    chance = np.random.default_rng(seed)
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    ratios = _resampled(second, per_cent, chance) / _resampled(first, per_cent, chance)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return Interval(percentile(after, per_cent) / percentile(before, per_cent), float(low), float(high))


def difference(before: Sequence[float], after: Sequence[float], per_cent: float, seed: int = 1) -> Interval:
    """After less before at a percentile, by the same bootstrap: for measures that may be zero or less."""
    chance = np.random.default_rng(seed)
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    differences = _resampled(second, per_cent, chance) - _resampled(first, per_cent, chance)
    low, high = np.percentile(differences, [2.5, 97.5])
    return Interval(percentile(after, per_cent) - percentile(before, per_cent), float(low), float(high))


def _resampled(
    values: NDArray[np.float64], per_cent: float, chance: np.random.Generator
) -> NDArray[np.float64]:
    picked = chance.integers(0, values.size, (RESAMPLES, values.size))
    percentiles: NDArray[np.float64] = np.percentile(values[picked], per_cent, axis=1)
    return percentiles


# --- objectives ---------------------------------------------------------------------------------------------

_OBJECTIVE: Final = re.compile(
    r"\s*(?:(\w+)\.)?(p\d{1,2}(?:\.\d+)?|mean|max)\s*(<=|<)\s*(\d+(?:\.\d+)?)\s*(?:ms)?\s*"
)
_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {"<": operator.lt, "<=": operator.le}


class ObjectiveUnreadable(ValueError):
    """The text is no objective; the message says what it must be."""


@dataclass(frozen=True, slots=True)
class Objective:
    """`figure` of `measure` (`ttfb`, `overhead`, …) must compare so with `limit`, in the measure's unit."""

    measure: str
    figure: str
    comparison: str
    limit: float

    def met(self, values: Sequence[float]) -> bool:
        """No value at all does not meet it."""
        return bool(values) and _COMPARE[self.comparison](self.of(values), self.limit)

    def of(self, values: Sequence[float]) -> float:
        match self.figure:
            case "mean":
                return sum(values) / len(values)
            case "max":
                return max(values)
            case _:
                return percentile(values, float(self.figure[1:]))

    def __str__(self) -> str:
        return f"{self.measure}.{self.figure}{self.comparison}{self.limit:g}"


def parse_objective(text: str, measures: Sequence[str] = MEASURES) -> Objective:
    """`overhead.p50<=5`; without a name, as in `p95<800`, it is the first of `measures`. Raises
    `ObjectiveUnreadable`.
    """
    found = _OBJECTIVE.fullmatch(text)
    if found is None:
        raise ObjectiveUnreadable(f"{text!r} is no objective such as p95<800 or {measures[0]}.p50<=5")
    measure, figure, comparison, limit = found.groups(default=measures[0])
    if measure not in measures:
        raise ObjectiveUnreadable(f"{measure!r} is no measure; there are {', '.join(measures)}")
    return Objective(measure, figure, comparison, float(limit))
