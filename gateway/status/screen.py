"""The status on a terminal: one page of plain text."""

from collections.abc import Iterator
from typing import Final

from gateway.status.judged import Judged, OrgLatency, Status

TITLES: Final = {
    "double_bookings": "Double bookings",
    "codes": "Codes by text",
    "texts": "Texts delivered",
    "ttfb": "Answers (TTFB)",
    "tenancy": "Across clinics",
    "follow_ups": "Follow-ups",
    "queue": "Queue of jobs",
    "sweeps": "Sweeps",
    "audit_log": "Audit log",
}
_MARKS: Final = {"ok": "ok", "alarm": "ALARM", "unknown": "UNKNOWN"}
_ORGS_SHOWN: Final = 5
LINES_SHOWN: Final = 20


def render(status: Status) -> str:
    """Ends with a line break."""
    return "\n".join([*_head(status), *_promises(status), *_latency(status), ""])


def _head(status: Status) -> Iterator[str]:
    yield (
        f"{_MARKS[status.level].upper()}   {asked(status)}, "
        f"{status.since:%Y-%m-%d %H:%M} to {status.made_at:%Y-%m-%d %H:%M} UTC"
    )
    yield ""


def asked(status: Status) -> str:
    """How many orgs that is of."""
    partly = "" if status.orgs_asked == status.orgs else f"{status.orgs_asked} of "
    return f"{partly}{status.orgs} {'org' if status.orgs == 1 else 'orgs'}"


def _promises(status: Status) -> Iterator[str]:
    for each in status.promises:
        yield f"{_MARKS[each.level]:<9}{TITLES[each.name]:<17}{each.told}"
        if each.orgs:
            yield f"{'':<26}{_named(each)}"


def _named(judged: Judged) -> str:
    shown = ", ".join(str(org) for org in judged.orgs[:_ORGS_SHOWN])
    more = len(judged.orgs) - _ORGS_SHOWN
    return f"orgs {shown}" + (f" and {more} more" if more > 0 else "")


def _latency(status: Status) -> Iterator[str]:
    if not status.latency:
        return
    yield ""
    yield f"{'org':<38}{'turns':>6}{'p50 ms':>9}{'p95 ms':>9}  {'status':<12}profile"
    for line in status.latency[:LINES_SHOWN]:
        yield (
            f"{line.org!s:<38}{line.turns:>6}{_ms(line.p50_ms):>9}{_ms(line.p95_ms):>9}  "
            f"{line.status:<12}{line.profile}{_since(line)}"
        )
    more = len(status.latency) - LINES_SHOWN
    if more > 0:
        yield f"and {more} more"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _since(line: OrgLatency) -> str:
    return "" if line.since is None else f" since {line.since:%H:%M}"
