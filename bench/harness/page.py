"""A run as one HTML file that opens without a network: tables, waterfall, distribution, turn by turn."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from bench.harness.figures import Objective
from bench.harness.plots import Bar, cdf, timeline, waterfall
from bench.harness.results import Result, TurnResult, machine_facts
from bench.harness.waterfall import spans_of, stage_table

_STYLE: Final = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}
td,th{padding:.2rem .8rem;border-bottom:1px solid #8884;text-align:right}
td:first-child,th:first-child{text-align:left}
svg{width:100%;height:auto}
svg text{font:12px system-ui,sans-serif;fill:currentColor}
.grid{stroke:#8884}.objective{stroke:#dc2626;stroke-dasharray:4 3}.tick{opacity:.75}
.legend span{margin-right:1.2rem}
.legend i{display:inline-block;width:.8em;height:.8em;margin-right:.4em;border-radius:2px}
.missed{color:#dc2626;font-weight:600}.met{color:#059669}
"""
SLOWEST: Final = 5


def write_page(document: str, path: Path) -> None:
    """The folders above it are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document, encoding="utf-8")


def ttfb_page(result: Result, objectives: Sequence[Objective]) -> str:
    """The whole document."""
    limits = [each.limit for each in objectives if each.measure == "ttfb"]
    turns = result.turns
    sections = [
        _facts(result),
        _judged(result, objectives),
        section(
            "Percentiles (ms)", table(("", "n", "p50", "p90", "p95", "p99", "max"), _percentile_rows(result))
        ),
        section("Where the median turn's time goes", _waterfall(turns)),
        section("Distribution", cdf(_series(result), limits)),
        section("Turn by turn", timeline(_per_turn(turns), limits)),
        *(
            section(f"Turn {turn.number} of call {turn.call[-6:]}: {turn.ttfb_ms:.0f} ms", _one(turn))
            for turn in _slowest(turns)
        ),
    ]
    return page("Time to first byte", sections)


def page(title: str, sections: Iterable[str]) -> str:
    """A document of these sections, everything inline."""
    body = "\n".join(sections)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{content}"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Text cells are escaped; numbers are shown to a tenth."""

    def cells(row: Sequence[Any], kind: str) -> str:
        return "".join(f"<{kind}>{escape(_shown(cell))}</{kind}>" for cell in row)

    body = "\n".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f"<table><tr>{cells(head, 'th')}</tr>\n{body}</table>"


def _shown(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.1f}" if isinstance(cell, float) else str(cell)


def _facts(result: Result) -> str:
    rows: list[Sequence[Any]] = [
        ("made", result.made_at),
        ("target", " ".join(f"{name}={value}" for name, value in result.target.items())),
        ("providers", " ".join(f"{name}={value}" for name, value in result.providers.items())),
        ("floor under", "" if result.policy is None else result.policy.name),
        ("machine", " ".join(f"{name}={value}" for name, value in machine_facts().items())),
        ("load", " ".join(f"{name}={value}" for name, value in result.load.items())),
        ("turns", ", ".join(f"{count} {kind}" for kind, count in result.outcomes().items())),
        ("price", ", ".join(f"{name}={value:g}" for name, value in result.price().items())),
        ("the bench itself", ", ".join(f"{name}={value:g}" for name, value in result.generator.items())),
    ]
    return table(("", ""), rows)


def _judged(result: Result, objectives: Sequence[Objective]) -> str:
    lines = []
    for objective in objectives:
        values = result.values(objective.measure)
        kind = "met" if objective.met(values) else "missed"
        told = f"{objective.of(values):.1f} ms" if values else "no value"
        lines.append(f'<p class="{kind}">{kind}: {escape(str(objective))} ({told})</p>')
    return "\n".join(lines)


def _percentile_rows(result: Result) -> list[Sequence[Any]]:
    return [
        (measure, int(figures["n"]), *(figures[name] for name in ("p50", "p90", "p95", "p99", "max")))
        for measure, figures in result.summary().items()
        if figures["n"]
    ]


def _waterfall(turns: Sequence[TurnResult]) -> str:
    stages = stage_table(turns)
    if not stages:
        return "<p>The target tells nothing of its stages.</p>"
    return waterfall([Bar(each.name, each.begins_ms, each.begins_ms + each.lasts_ms) for each in stages], {})


def _one(turn: TurnResult) -> str:
    marks = {} if turn.floor_ms is None else {"floor": turn.floor_ms}
    return waterfall([Bar(*span) for span in spans_of(turn)], marks)


def _slowest(turns: Sequence[TurnResult]) -> list[TurnResult]:
    told = [turn for turn in turns if turn.ttfb_ms is not None and turn.stages_ms]
    return sorted(told, key=lambda turn: turn.ttfb_ms or 0.0, reverse=True)[:SLOWEST]


def _series(result: Result) -> dict[str, list[float]]:
    names = {"heard": "ttfb", "the gateway's own": "own_ttfb", "floor": "floor"}
    return {name: result.values(measure) for name, measure in names.items()}


def _per_turn(turns: Sequence[TurnResult]) -> dict[str, list[float | None]]:
    heard: list[float | None] = [turn.ttfb_ms for turn in turns]
    floors: list[float | None] = [turn.floor_ms for turn in turns]
    return {"heard": heard} | ({"floor": floors} if any(floor is not None for floor in floors) else {})
