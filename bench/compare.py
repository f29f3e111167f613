"""`python -m bench compare A.json B.json`: did the change help? Ratios of B over A, each with its
uncertainty; differences for a measure that is zero or less in some turn, whose ratio would tell nothing.

Two runs of the same seed and model met the same delays turn by turn: then the difference of each turn with
its twin is told too, which needs far fewer turns to show anything.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.harness.figures import MEASURES, RESAMPLES, Interval, difference, percentile, ratio
from bench.harness.results import SCHEMA

SAME, WORSE, UNUSABLE = 0, 1, 2
PERCENTILES: Final = (50.0, 95.0, 99.0)
FEWEST: Final = 5


class NoResult(Exception):
    """The file holds no result with turns; the message names it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One percentile of one measure: B over A, or B less A in ms."""

    measure: str
    per_cent: float
    before_ms: float
    after_ms: float
    by: Literal["ratio", "difference"]
    change: Interval

    @property
    def verdict(self) -> str:
        """What the interval shows, nothing more."""
        same = 1 if self.by == "ratio" else 0
        if self.change.high < same:
            return "less"
        return "more" if self.change.low > same else "no difference shown"

    @property
    def told(self) -> tuple[str, str]:
        """The change and its interval."""
        change = self.change
        if self.by == "ratio":
            return f"{change.value:.3f}", f"{change.low:.3f} to {change.high:.3f}"
        return f"{change.value:+.1f} ms", f"{change.low:+.1f} to {change.high:+.1f} ms"


def run_compare(before: Path, after: Path, worse_than: float | None) -> int:
    """1 if the TTFB's p50 or p95 has grown by more than the factor `worse_than`, with 97.5 % confidence;
    `UNUSABLE` for files that do not compare, or by no factor.
    """
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
    if worse_than is None:
        return SAME
    if any(row.by == "difference" for row in judged):
        print("a TTFB is zero or less: by what factor it has grown cannot be told", file=sys.stderr)
        return UNUSABLE
    return WORSE if any(row.change.low > worse_than for row in judged) else SAME


def read_result(path: Path) -> Mapping[str, Any]:
    """Raises `NoResult`."""
    try:
        told = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise NoResult(f"{path}: {type(error).__name__}") from None
    if not isinstance(told, dict) or told.get("schema") != SCHEMA or not told.get("turns"):
        raise NoResult(f"{path}: no result of {SCHEMA} with turns in it, as ttfb writes one")
    return told


def compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Row]:
    """The measures of which both have at least `FEWEST` values: by ratio if all are above zero, else by
    difference.
    """
    rows = []
    for measure in MEASURES:
        first, second = _values(before, measure), _values(after, measure)
        if min(len(first), len(second)) >= FEWEST:
            rows += [_row(measure, per_cent, first, second) for per_cent in PERCENTILES]
    return rows


def _row(measure: str, per_cent: float, first: Sequence[float], second: Sequence[float]) -> Row:
    low, high = percentile(first, per_cent), percentile(second, per_cent)
    if min(*first, *second) > 0:
        return Row(measure, per_cent, low, high, "ratio", ratio(first, second, per_cent))
    return Row(measure, per_cent, low, high, "difference", difference(first, second, per_cent))


def left_out(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The measures that one run at least knows of and that are not compared, each with the reason."""
    told = []
    for measure in MEASURES:
        counts = len(_values(before, measure)), len(_values(after, measure))
        if max(counts) > 0 and min(counts) < FEWEST:
            told.append(f"{measure}: {counts[0]} values in A, {counts[1]} in B, fewer than {FEWEST}")
    return told


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


def _at_once(told: Mapping[str, Any]) -> int | None:
    """None where the result does not say."""
    load: Mapping[str, int] = told.get("load", {})
    return load.get("at_once")


def _by_id(told: Mapping[str, Any]) -> dict[int, float]:
    return {turn["id"]: turn["ttfb_ms"] for turn in told["turns"] if turn["ttfb_ms"] is not None}


def _print(rows: Sequence[Row], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    console = Console()
    if before["providers"] != after["providers"]:
        console.print("the two runs did not meet the same providers: what differs may be theirs")
    if _at_once(before) != _at_once(after):
        console.print("the two runs had not as many calls at once: what differs may come of that")
    table = Table()
    for name in ("", "A ms", "B ms", "B / A, or B - A", "95 % interval", ""):
        table.add_column(name, justify="left" if not name else "right")
    for row in rows:
        name, figures = f"{row.measure} p{row.per_cent:g}", (f"{row.before_ms:.1f}", f"{row.after_ms:.1f}")
        table.add_row(name, *figures, *row.told, row.verdict)
    console.print(table)
    for reason in left_out(before, after):
        console.print(f"left out: {reason}")
    typical = twins(before, after)
    if typical is not None:
        told = f"{typical.value:+.1f} ms [{typical.low:+.1f}, {typical.high:+.1f}]"
        console.print(f"the same turn under the same delays, median difference of the TTFB: {told}")
