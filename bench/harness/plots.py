"""Plots as inline SVG: no library, no script, no network. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 860
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 14, 40
COLOURS: Final = (
    "#2563eb",
    "#dc2626",
    "#059669",
    "#d97706",
    "#7c3aed",
    "#0891b2",
    "#be185d",
    "#4d7c0f",
    "#64748b",
)
_STEPS: Final = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000)
_TICKS: Final = 9


@dataclass(frozen=True, slots=True)
class Bar:
    """A labelled stretch of a time axis, in ms."""

    label: str
    begins_ms: float
    ends_ms: float


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high` on pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        span = self.high - self.low
        step = next((each for each in _STEPS if span / each <= _TICKS), _STEPS[-1])
        first = int(-(-self.low // step))
        return [step * number for number in range(first, int(self.high // step) + 1)]


def waterfall(bars: Sequence[Bar], marks: Mapping[str, float]) -> str:
    """Bars one below the other on one axis; `marks` are lines across all of them."""
    row, height = 26, _TOP + 26 * len(bars) + _BOTTOM
    ends = [bar.ends_ms for bar in bars] + list(marks.values())
    starts = [min(bar.begins_ms, bar.ends_ms) for bar in bars]
    axis = Axis(min(0.0, *starts, 0.0), max([*ends, 1.0]) * 1.03, 230, WIDTH - _RIGHT)
    parts = _vertical_grid(axis, height - _BOTTOM)
    for number, bar in enumerate(bars):
        top = _TOP + number * row
        begin, end = sorted((axis.at(bar.begins_ms), axis.at(bar.ends_ms)))
        told = f"{bar.label}: {bar.ends_ms - bar.begins_ms:.0f} ms, from {bar.begins_ms:.0f} ms"
        parts.append(f'<text x="222" y="{top + 15}" text-anchor="end">{escape(bar.label)}</text>')
        parts.append(
            f'<rect x="{begin}" y="{top + 3}" width="{max(2.0, end - begin):.1f}" height="{row - 8}" rx="3" '
            f'fill="{COLOURS[number % len(COLOURS)]}"><title>{escape(told)}</title></rect>'
        )
    for name, value in marks.items():
        parts.append(_vertical_line(axis.at(value), height - _BOTTOM, f"{name} {value:.0f} ms"))
    return _svg(height, parts)


def cdf(series: Mapping[str, Sequence[float]], limits: Sequence[float] = ()) -> str:
    """Share of turns (upwards) that took at most so long (to the right)."""
    height = 320
    known = {name: sorted(values) for name, values in series.items() if values}
    everything = [value for values in known.values() for value in values] + list(limits)
    x = Axis(min([0.0, *everything]), max([1.0, *everything]) * 1.03, _LEFT, WIDTH - _RIGHT)
    y = Axis(0.0, 1.0, height - _BOTTOM, _TOP)
    parts = _vertical_grid(x, height - _BOTTOM)
    for share in (0.5, 0.9, 0.95, 0.99):
        parts.append(_horizontal_line(y.at(share), f"{share:.0%}"))
    for number, (name, values) in enumerate(known.items()):
        points = [f"{x.at(values[0])},{y.at(0)}"]
        for rank, value in enumerate(values):
            points += [
                f"{x.at(value)},{y.at(rank / len(values))}",
                f"{x.at(value)},{y.at((rank + 1) / len(values))}",
            ]
        parts.append(_line(points, COLOURS[number % len(COLOURS)], name))
    parts += [_vertical_line(x.at(limit), height - _BOTTOM, f"objective {limit:g} ms") for limit in limits]
    return _svg(height, parts) + _legend(list(known))


def timeline(series: Mapping[str, Sequence[float | None]], limits: Sequence[float] = ()) -> str:
    """One dot per turn, in the order in which they were said."""
    height = 300
    everything = [value for values in series.values() for value in values if value is not None] + list(limits)
    turns = max((len(values) for values in series.values()), default=0)
    x = Axis(0.0, float(max(turns, 1)), _LEFT, WIDTH - _RIGHT)
    y = Axis(min([0.0, *everything]), max([1.0, *everything]) * 1.05, height - _BOTTOM, _TOP)
    parts = [_horizontal_line(y.at(value), f"{value:g}") for value in y.ticks()]
    for number, (name, values) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        for turn, value in enumerate(values):
            at = x.at(turn + 0.5)
            if value is None:
                parts.append(_dot(at, float(_TOP), "#dc2626", f"turn {turn + 1}, {name}: none"))
            else:
                told = f"turn {turn + 1}, {name}: {value:.0f} ms"
                parts.append(_dot(at, y.at(value), colour, told))
    parts += [_horizontal_line(y.at(limit), f"{limit:g}", "objective") for limit in limits]
    return _svg(height, parts) + _legend(list(series))


def lines(series: Mapping[str, Sequence[tuple[float, float]]], x_name: str) -> str:
    """Points joined in the order given, over any quantity to the right."""
    height = 300
    points = [point for values in series.values() for point in values]
    x = Axis(0.0, max([1.0, *(each[0] for each in points)]) * 1.05, _LEFT, WIDTH - _RIGHT)
    y = Axis(0.0, max([1.0, *(each[1] for each in points)]) * 1.05, height - _BOTTOM, _TOP)
    parts = [_horizontal_line(y.at(value), f"{value:g}") for value in y.ticks()]
    parts += _vertical_grid(x, height - _BOTTOM, unit="")
    for number, (name, values) in enumerate(series.items()):
        drawn = [f"{x.at(value)},{y.at(height_)}" for value, height_ in values]
        parts.append(_line(drawn, COLOURS[number % len(COLOURS)], name))
    parts.append(f'<text x="{WIDTH // 2}" y="{height - 4}" text-anchor="middle">{escape(x_name)}</text>')
    return _svg(height, parts) + _legend(list(series))


def _dot(x: float, y: float, colour: str, told: str) -> str:
    return f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"><title>{escape(told)}</title></circle>'


def _svg(height: int, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n'


def _legend(names: Sequence[str]) -> str:
    keys = (
        f'<span><i style="background:{COLOURS[number % len(COLOURS)]}"></i>{escape(name)}</span>'
        for number, name in enumerate(names)
    )
    return f'<p class="legend">{"".join(keys)}</p>\n'


def _vertical_grid(axis: Axis, bottom: float, unit: str = " ms") -> list[str]:
    return [
        f'<line class="grid" x1="{at}" x2="{at}" y1="{_TOP}" y2="{bottom}"/>'
        f'<text class="tick" x="{at}" y="{bottom + 16}" text-anchor="middle">{value:g}{unit}</text>'
        for at, value in ((axis.at(value), value) for value in axis.ticks())
    ]


def _horizontal_line(at: float, label: str, kind: str = "grid") -> str:
    return (
        f'<line class="{kind}" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{at}" y2="{at}"/>'
        f'<text class="tick" x="{_LEFT - 6}" y="{at + 4}" text-anchor="end">{escape(label)}</text>'
    )


def _vertical_line(at: float, bottom: float, label: str) -> str:
    return (
        f'<line class="objective" x1="{at}" x2="{at}" y1="{_TOP}" y2="{bottom}"/>'
        f'<text class="tick" x="{at}" y="{bottom + 32}" text-anchor="middle">{escape(label)}</text>'
    )


def _line(points: Sequence[str], colour: str, name: str) -> str:
    joined = " ".join(points)
    told = f"<title>{escape(name)}</title>"
    return f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2">{told}</polyline>'
