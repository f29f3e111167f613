"""What is said of one promise, and of all."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

Level = Literal["ok", "alarm", "unknown"]
Figure = int | float | str | None


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One promise. `told`: in a few words; `orgs`: those that make it an alarm."""

    name: str
    level: Level
    told: str
    figures: dict[str, Figure]
    orgs: list[UUID] = []


class OrgLatency(msgspec.Struct, frozen=True, kw_only=True):
    """How fast one org's callers are answered, rolling; percentiles are null of too few turns."""

    org: UUID
    status: str
    turns: int
    p50_ms: float | None
    p95_ms: float | None
    profile: str
    since: datetime | None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, at one time. `orgs_asked` falls short of `orgs` when there was no time for all."""

    made_at: datetime
    since: datetime
    level: Level
    orgs: int
    orgs_asked: int
    promises: list[Judged]
    latency: list[OrgLatency]

    def of(self, name: str) -> Judged:
        """The promise of this name. Raises `StopIteration`: there is none."""
        return next(each for each in self.promises if each.name == name)


def worst(levels: Sequence[Level]) -> Level:
    """An alarm counts above what is not known."""
    for level in ("alarm", "unknown"):
        if level in levels:
            return level
    return "ok"


def percentile(values: Sequence[float], share: float) -> float | None:
    """Nearest rank: one of the values; None of none."""
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"
