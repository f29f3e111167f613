"""The same as one HTML page: no script, nothing from elsewhere. It asks anew every half minute."""

from collections.abc import Iterable
from html import escape
from typing import Final

from gateway.status.judged import Judged, OrgLatency, Status
from gateway.status.screen import TITLES, asked

_STYLE: Final = """
body { font: 15px/1.45 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: #1c2430;
  margin: 2rem auto; max-width: 62rem; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; margin: 0; } .quiet { color: #5a6675; } code { font-size: .86em; }
table { border-collapse: collapse; width: 100%; margin: 1.5rem 0; }
th, td { text-align: left; padding: .45rem .8rem .45rem 0; border-bottom: 1px solid #e3e8ee;
  vertical-align: top; }
th { color: #5a6675; font-weight: 600; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
td.level { width: 6rem; font-weight: 600; color: #2e7d4f; } td.level.alarm { color: #b3261e; }
td.level.unknown { color: #8a6100; }
@media (prefers-color-scheme: dark) { body { background: #12161c; color: #dfe5ec; }
  th, td { border-color: #2b333d; } .quiet, th { color: #94a0ae; } td.level { color: #6fc18f; }
  td.level.alarm { color: #ff8a80; } td.level.unknown { color: #e0b34c; } }
"""


def render(status: Status) -> str:
    """A whole document. Every value is escaped, though none should need it."""
    title = f"Status: {status.level}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="refresh" content="30">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f'<p class="quiet">{escape(asked(status))}, {status.since:%Y-%m-%d %H:%M} to '
        f"{status.made_at:%Y-%m-%d %H:%M:%S} UTC</p>"
        f"{_table((), map(_promise, status.promises))}{_latency(status.latency)}</body></html>"
    )


def _promise(judged: Judged) -> str:
    orgs = "".join(f"<br><code>{org}</code>" for org in judged.orgs)
    return (
        f'<td class="level {judged.level}">{judged.level}</td><td>{escape(TITLES[judged.name])}</td>'
        f"<td>{escape(judged.told)}{orgs}</td>"
    )


def _latency(lines: Iterable[OrgLatency]) -> str:
    rows = [
        f"<td><code>{line.org}</code></td>"
        + "".join(
            f'<td class="number">{value}</td>' for value in (line.turns, _ms(line.p50_ms), _ms(line.p95_ms))
        )
        + f"<td>{escape(line.status)}</td><td>{escape(line.profile)}</td>"
        for line in lines
    ]
    return _table(("org", "turns", "p50 ms", "p95 ms", "status", "profile"), rows) if rows else ""


def _table(heads: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
