"""How soon callers are answered, org by org, over the replicas."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from gateway.latency_profiles import OrgLatency as Line
from gateway.status.judged import Judged, OrgLatency
from gateway.status.thresholds import TTFB_MS

NAME: Final = "ttfb"


def shown(line: Line) -> OrgLatency:
    return OrgLatency(
        org=line.org_id,
        status=line.figures.status,
        turns=line.figures.turns,
        p50_ms=line.figures.p50_ms,
        p95_ms=line.figures.p95_ms,
        profile=line.state.profile,
        since=datetime.fromtimestamp(line.state.since_s, UTC) if line.state.since_s else None,
    )


def judged(lines: Sequence[OrgLatency], *, known: bool) -> Judged:
    """`known`: the store in which turns are kept answers."""
    critical = [line.org for line in lines if line.status == "critical"]
    slowest_ms = max((line.p95_ms for line in lines if line.p95_ms is not None), default=None)
    told = f"of {len(lines)} with turns lately {len(critical) or 'none'} at {TTFB_MS:g} ms or more at p95"
    return Judged(
        name=NAME,
        level="alarm" if critical else "ok" if known else "unknown",
        told=told if known else "Redis does not answer, and it has the turns",
        figures={
            "orgs": len(lines),
            "critical": len(critical),
            "warning": sum(line.status == "warning" for line in lines),
            "slowest_p95_ms": slowest_ms,
        },
        orgs=critical,
    )
