"""How fast an org's calls are answered, and whether it runs on its turbo profile for that. Pure.

A turn counts with its TTFB. One that failed or was interrupted before anything of its answer was heard counts
with the time until then, once that is slow: its answer would have come later still. Before that it tells
nothing, since what fails at once is not fast.

Acceptable below 500 ms at the 95th percentile of TTFB, warning below 800, critical from there on. Critical
switches the org to turbo. It comes back once the 95th percentile has stayed below a lower bound for a time,
or, with too few turns to tell, once those that made it critical would no longer count.
After a switch the turns before it no longer count, and nothing switches again for a while: a profile is
judged by its own turns, and two bounds with times keep it from swinging.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from pipeline.events import TurnFinished

Status = Literal["unknown", "acceptable", "warning", "critical"]
Profile = Literal["normal", "turbo"]

WARNING_MS: Final = 500.0
CRITICAL_MS: Final = 800.0


@dataclass(frozen=True, slots=True)
class LatencyRules:
    """How turns are judged."""

    window_s: float = 900.0
    """Turns older than this no longer count."""
    turns: int = 200
    """Of an org's newest turns so many count at most."""
    min_turns: int = 20
    """With fewer nothing is known."""
    hold_s: float = 600.0
    """Between two switches of one org at least."""
    calm_s: float = 300.0
    """The 95th percentile stays below `back_ms` for so long before turbo ends."""
    back_ms: float = 650.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: when it was judged, wall-clock seconds, and how long its caller waited."""

    at_s: float
    waited_ms: float


@dataclass(frozen=True, slots=True)
class Figures:
    """An org's rolling percentiles; None where there are too few turns."""

    turns: int
    p50_ms: float | None
    p95_ms: float | None
    status: Status


@dataclass(frozen=True, slots=True)
class OrgState:
    """The profile, since when (wall-clock seconds), and since when turbo has looked calm."""

    profile: Profile = "normal"
    since_s: float = 0.0
    calm_since_s: float | None = None


def waited_ms(turn: TurnFinished, now_s: float) -> float | None:
    """How long the caller waited for the answer, at least; None if that is not known. `now_s`: its end."""
    if turn.ttfb_ms is not None:
        return turn.ttfb_ms
    speech_end_s = turn.stages_s.get("speech_end")
    if speech_end_s is None or turn.outcome not in ("failed", "interrupted"):
        return None
    elapsed_ms = (now_s - speech_end_s) * 1000
    return elapsed_ms if elapsed_ms >= WARNING_MS else None


def figures(turns: Sequence[Turn], state: OrgState, now_s: float, rules: LatencyRules) -> Figures:
    """Of the turns that the org's profile is to be judged by."""
    oldest_s = max(now_s - rules.window_s, state.since_s)
    newest = sorted((turn for turn in turns if turn.at_s >= oldest_s), key=lambda turn: turn.at_s)
    counted = sorted(turn.waited_ms for turn in newest[-rules.turns :])
    if len(counted) < rules.min_turns:
        return Figures(len(counted), None, None, "unknown")
    p95_ms = _rank(counted, 0.95)
    return Figures(len(counted), _rank(counted, 0.5), p95_ms, _status(p95_ms))


def next_state(state: OrgState, seen: Figures, now_s: float, rules: LatencyRules) -> OrgState:
    """What follows for the org; the same state if nothing does."""
    lasted_s = now_s - state.since_s
    if seen.p95_ms is None:
        is_over = state.profile == "turbo" and lasted_s >= rules.hold_s + rules.window_s
        return OrgState("normal", now_s) if is_over else state
    may_switch = lasted_s >= rules.hold_s
    if state.profile == "normal":
        return OrgState("turbo", now_s) if seen.status == "critical" and may_switch else state
    if seen.p95_ms >= rules.back_ms:
        return replace(state, calm_since_s=None)
    calm_since_s = now_s if state.calm_since_s is None else state.calm_since_s
    if may_switch and now_s - calm_since_s >= rules.calm_s:
        return OrgState("normal", now_s)
    return replace(state, calm_since_s=calm_since_s)


def _rank(ordered: Sequence[float], share: float) -> float:
    """Nearest rank: one of the values, never between two."""
    return ordered[math.ceil(share * len(ordered)) - 1]


def _status(p95_ms: float) -> Status:
    if p95_ms < WARNING_MS:
        return "acceptable"
    return "warning" if p95_ms < CRITICAL_MS else "critical"
