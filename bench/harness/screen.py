"""The results on the terminal: live progress while a run goes on, tables when it is over."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from bench.harness.caller import Timed
from bench.harness.figures import Objective, percentile
from bench.harness.results import Result, machine_line
from bench.harness.waterfall import stage_table

_NAMES: Final[Mapping[str, str]] = {
    "ttfb": "TTFB, heard",
    "floor": "floor of the same turns",
    "over_floor": "TTFB over its floor",
    "own_ttfb": "TTFB, the gateway's own",
    "difference": "heard - own",
    "overhead": "overhead, the gateway's own",
    "first_sound": "first sound, fillers too",
    "first_filler": "first filler, where one came",
}


class Progress:
    """A line that grows: turns so far, and their percentiles."""

    def __init__(self, title: str, turns: int) -> None:
        self._title = title
        self._turns = turns
        self._ttfbs_ms: list[float] = []
        self._failed = 0
        self._live = Live(self._table(), console=Console(stderr=True), refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def took(self, timed: Timed) -> None:
        """One more turn."""
        if timed.ttfb_ms is None:
            self._failed += 1
        else:
            self._ttfbs_ms.append(timed.ttfb_ms)
        self._live.update(self._table())

    def _table(self) -> Table:
        table = Table(title=self._title)
        for name in ("turns", "failed", "last", "p50", "p90", "p95", "p99"):
            table.add_column(name, justify="right")
        told = [f"{len(self._ttfbs_ms) + self._failed} of {self._turns}", str(self._failed)]
        if self._ttfbs_ms:
            told.append(f"{self._ttfbs_ms[-1]:.0f} ms")
            told += [f"{percentile(self._ttfbs_ms, each):.0f} ms" for each in (50, 90, 95, 99)]
        table.add_row(*told)
        return table


def print_ttfb(result: Result, objectives: Sequence[Objective]) -> None:
    """Percentiles, stages, price and objectives."""
    console = Console()
    console.print(machine_line(result.target))
    console.print(_head(result))
    console.print(_percentiles(result))
    stages = stage_table(result.turns)
    if stages:
        table = _columns("stage, the median turn", "begins", "lasts", "lasts p95")
        for stage in stages:
            table.add_row(
                stage.name, *(f"{value:.0f}" for value in (stage.begins_ms, stage.lasts_ms, stage.p95_ms))
            )
        console.print(table)
    price = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in result.price().items())
    console.print(f"price: {price or 'not known of providers that are not simulated here'}")
    late = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in result.generator.items())
    console.print(f"the bench itself: {late}")
    print_objectives(result, objectives)


def print_objectives(result: Result, objectives: Sequence[Objective]) -> None:
    """One line for each: met or missed, and by what figure."""
    for objective in objectives:
        values = result.values(objective.measure)
        told = f"{objective.of(values):.1f} ms" if values else "no value"
        print(f"{'met   ' if objective.met(values) else 'MISSED'} {objective}: {told}")


def _head(result: Result) -> str:
    outcomes = ", ".join(
        f"{count} {kind.replace('_', ' ')}" for kind, count in result.outcomes().items() if count
    )
    failed = ", ".join(f"{count} x {kind}" for kind, count in result.calls_failed.items())
    model = result.providers.get("model", result.providers["kind"])
    policy = "" if result.policy is None else f"; floor under {result.policy.name}"
    gaps = sum(len(turn.gaps_ms) for turn in result.turns)
    return (
        f"{len(result.turns)} turns: {outcomes or 'none'}; providers: {model}{policy}; "
        f"playback gaps: {gaps}{f'; calls failed: {failed}' if failed else ''}"
    )


def _percentiles(result: Result) -> Table:
    table = _columns("ms", "n", "p50", "p90", "p95", "p99", "max")
    for measure, figures in result.summary().items():
        if figures["n"]:
            shown = (f"{figures[name]:.1f}" for name in ("p50", "p90", "p95", "p99", "max"))
            table.add_row(_NAMES[measure], str(int(figures["n"])), *shown)
    return table


def _columns(first: str, *others: str) -> Table:
    table = Table()
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table
