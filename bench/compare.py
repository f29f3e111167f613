"""`python -m bench compare A.json B.json`: did the change help? Ratios of B over A, each with its
uncertainty.

Two runs of the same seed and model met the same delays turn by turn: then the difference of each turn with
its twin is told too, which needs far fewer turns to show anything.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.harness.figures import MEASURES, RESAMPLES, Interval, ratio
from bench.harness.results import SCHEMA

SAME, WORSE, UNUSABLE = 0, 1, 2
PERCENTILES: Final = (50.0, 95.0, 99.0)
FEWEST: Final = 5


class NoResult(Exception):
    """The file holds no result with turns; the message names it."""


@dataclass(frozen=True, slots=True)
class Row:
    """B over A for one percentile of one measure."""

    measure: str
    per_cent: float
    before_ms: float
    after_ms: float
    ratio: Interval

    @property
    def verdict(self) -> str:
        """What the interval shows, nothing more."""
        if self.ratio.high < 1:
            return "less"
        return "more" if self.ratio.low > 1 else "no difference shown"


def run_compare(before: Path, after: Path, worse_than: float | None) -> int:
    """1 if the TTFB's p50 or p95 has grown by more than the factor `worse_than`, with 97.5 % confidence."""
    try:
        first, second = read_result(before), read_result(after)
    except NoResult as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    rows = compared(first, second)
    judged = [row for row in rows if row.measure == "ttfb" and row.per_cent < 99]
    if not judged:
        print(f"nothing to compare: a run has fewer than {FEWEST} turns with a TTFB", file=sys.stderr)
        return UNUSABLE
    _print(rows, first, second)
    broken = worse_than is not None and any(row.ratio.low > worse_than for row in judged)
    return WORSE if broken else SAME


def read_result(path: Path) -> Mapping[str, Any]:
    """Raises `NoResult`."""
    try:
        told = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise NoResult(f"{path}: {type(error).__name__}") from None
    if not isinstance(told, dict) or told.get("schema") != SCHEMA or not told.get("turns"):
        raise NoResult(f"{path}: no result of {SCHEMA} with turns in it")
    return told


def compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Row]:
    """The measures of which both have at least `FEWEST` values above zero."""
    rows = []
    for measure in MEASURES:
        first, second = _values(before, measure), _values(after, measure)
        if min(len(first), len(second)) < FEWEST or min(*first, *second) <= 0:
            continue
        for per_cent in PERCENTILES:
            found = ratio(first, second, per_cent)
            low, high = (float(np.percentile(values, per_cent)) for values in (first, second))
            rows.append(Row(measure, per_cent, low, high, found))
    return rows


def twins(before: Mapping[str, Any], after: Mapping[str, Any]) -> Interval | None:
    """The median difference of a turn's TTFB, B less A, ms; None unless the runs met the same delays."""
    if before["providers"] != after["providers"]:
        return None
    first, second = _by_id(before), _by_id(after)
    shared = sorted(first.keys() & second.keys())
    if len(shared) < FEWEST:
        return None
    differences = np.array([second[turn] - first[turn] for turn in shared])
    chance = np.random.default_rng(1)
    medians = np.median(differences[chance.integers(0, len(shared), (RESAMPLES, len(shared)))], axis=1)
    low, high = np.percentile(medians, [2.5, 97.5])
    return Interval(float(np.median(differences)), float(low), float(high))


def _values(told: Mapping[str, Any], measure: str) -> list[float]:
    found = (turn.get(f"{measure}_ms") for turn in told["turns"])
    return [float(value) for value in found if value is not None]


def _by_id(told: Mapping[str, Any]) -> dict[int, float]:
    return {turn["id"]: turn["ttfb_ms"] for turn in told["turns"] if turn["ttfb_ms"] is not None}


def _print(rows: Sequence[Row], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    console = Console()
    if before["providers"] != after["providers"]:
        console.print("the two runs did not meet the same providers: what differs may be theirs")
    table = Table()
    for name in ("", "A ms", "B ms", "B / A", "95 % interval", ""):
        table.add_column(name, justify="left" if not name else "right")
    for row in rows:
        interval = f"{row.ratio.low:.3f} to {row.ratio.high:.3f}"
        name, figures = f"{row.measure} p{row.per_cent:g}", (f"{row.before_ms:.1f}", f"{row.after_ms:.1f}")
        table.add_row(name, *figures, f"{row.ratio.value:.3f}", interval, row.verdict)
    console.print(table)
    difference = twins(before, after)
    if difference is not None:
        told = f"{difference.value:+.1f} ms [{difference.low:+.1f}, {difference.high:+.1f}]"
        console.print(f"the same turn under the same delays, median difference of the TTFB: {told}")
