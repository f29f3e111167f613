"""What a run came to: one row per turn, the run around them, and their JSON (`docs/bench.md` has the
schema).
"""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from bench.demo.feed import Fact
from bench.harness.caller import Timed
from bench.harness.figures import MEASURES, summary
from bench.harness.floor import Delays, Policy, floor_ms
from bench.harness.target import Facts
from bench.harness.turns import Turn, Turns
from bench.tree import commit

SCHEMA: Final = "clinic-voice-gateway/bench/1"
_MATCHES_WITHIN_S: Final = 15.0

Outcome = Literal["answered", "filler_only", "unanswered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnResult:
    """One turn; all instants in ms after the caller's last voiced sample, None for what is not known.

    `ttfb_ms` is heard, `own_ttfb_ms` and `overhead_ms` are told by the gateway; `floor_ms` is what the drawn
    delays allow under the policy. `guesses_dropped`: replies begun before the turn's end and thrown away, as
    told by the gateway. `tokens_wasted`: at least so many, prompts included, of requests that were cancelled
    or answered for nothing; `characters_wasted`: of what the synthesiser was given, all but the answer.
    """

    call: str
    number: int
    id: int
    outcome: Outcome
    ttfb_ms: float | None
    first_sound_ms: float | None
    own_ttfb_ms: float | None
    overhead_ms: float | None
    floor_ms: float | None
    stages_ms: Mapping[str, float]
    drawn_ms: Mapping[str, float]
    gaps_ms: Sequence[float]
    requests: int = 0
    early_requests: int = 0
    contexts: int = 0
    tokens_wasted: int = 0
    characters_wasted: int = 0
    speculated: str | None = None
    guesses_dropped: int = 0

    @property
    def over_floor_ms(self) -> float | None:
        return _less(self.ttfb_ms, self.floor_ms)

    @property
    def first_filler_ms(self) -> float | None:
        """When a stock phrase first met the clock; it answers nothing, whatever comes after it."""
        first_ms = self.first_sound_ms
        if first_ms is None or (self.ttfb_ms is not None and first_ms >= self.ttfb_ms):
            return None
        return first_ms

    @property
    def difference_ms(self) -> float | None:
        """What the caller waits beyond the gateway's own figure."""
        return _less(self.ttfb_ms, self.own_ttfb_ms)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(slots=True)
class Result:
    """One run of `ttfb`, or one step of another command."""

    command: str
    target: Mapping[str, Any]
    providers: Mapping[str, Any]
    policy: Policy | None
    turns: list[TurnResult]
    calls_failed: Mapping[str, int]
    generator: Mapping[str, float] = field(default_factory=dict)
    load: Mapping[str, int] = field(default_factory=dict)
    """Turns in all and of one call, and calls at once."""
    greetings_ms: Sequence[float] = ()
    """One per call: from its webhook to the greeting's first audible sample."""
    made_at: str = field(default_factory=_now)

    def values(self, measure: str) -> list[float]:
        """The known values of a measure, in order. Raises `KeyError` for none of `MEASURES`."""
        if measure not in MEASURES:
            raise KeyError(measure)
        found = (getattr(turn, f"{measure}_ms") for turn in self.turns)
        return [value for value in found if value is not None]

    def summary(self) -> dict[str, dict[str, float]]:
        return {measure: summary(self.values(measure)) for measure in MEASURES}

    @property
    def is_priced(self) -> bool:
        """What was asked of the providers is known of simulated ones alone."""
        return self.providers.get("kind") == "simulated"

    def price(self) -> dict[str, float]:
        """What the speed costs, per turn; empty where that is not known."""
        if not self.is_priced:
            return {}
        turns = len(self.turns) or 1
        requests = sum(turn.requests + turn.early_requests for turn in self.turns)
        return {
            "requests_per_turn": round(requests / turns, 3),
            "second_requests_share": round(sum(turn.requests > 1 for turn in self.turns) / turns, 3),
            "thrown_away_share": round(self._thrown_away_share(), 3),
            "tokens_wasted_per_turn": round(sum(turn.tokens_wasted for turn in self.turns) / turns, 2),
            "characters_wasted_per_turn": round(
                sum(turn.characters_wasted for turn in self.turns) / turns, 2
            ),
        }

    def _thrown_away_share(self) -> float:
        """Of the guesses begun, those that were dropped."""
        dropped = sum(turn.guesses_dropped for turn in self.turns)
        begun = dropped + sum(turn.speculated in ("eager", "interim") for turn in self.turns)
        return dropped / begun if begun else 0.0

    def outcomes(self) -> dict[str, int]:
        kinds: tuple[Outcome, ...] = ("answered", "filler_only", "unanswered")
        return {kind: sum(turn.outcome == kind for turn in self.turns) for kind in kinds}

    def as_json(self) -> dict[str, Any]:
        return head(self.command) | {
            "made_at": self.made_at,
            "target": dict(self.target),
            "providers": dict(self.providers),
            "policy": policy_facts(self.policy),
            "load": dict(self.load),
            "summary": self.summary(),
            "greeting": summary(list(self.greetings_ms)),
            "outcomes": self.outcomes(),
            "price": self.price(),
            "gaps": sum(len(turn.gaps_ms) for turn in self.turns),
            "calls_failed": dict(self.calls_failed),
            "generator": dict(self.generator),
            "turns": [_turn_json(turn, priced=self.is_priced) for turn in self.turns],
        }


def head(command: str) -> dict[str, Any]:
    """What the JSON of every command begins with."""
    return {"schema": SCHEMA, "command": command, "made_at": _now(), "machine": machine_facts()}


def policy_facts(policy: Policy | None) -> dict[str, Any] | None:
    """None where it tells of no floor."""
    return None if policy is None else asdict(policy)


def write_json(result: Mapping[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


def machine_facts() -> dict[str, Any]:
    """What the figures were made on and of; its load tells how far they can be trusted. `commit` and `dirty`
    are None where the tree is no repository.
    """
    made_of = commit()
    return {
        "commit": made_of and made_of.hash,
        "dirty": made_of and made_of.dirty,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
    }


def machine_line(target: Mapping[str, Any]) -> str:
    """The same in one line, as a table's head: of a gateway by its address the commit is not its own, but the
    bench's.
    """
    facts = machine_facts()
    measured = "measured by" if target.get("kind") == "address" else "measured"
    return (
        f"{measured}: {commit() or 'no repository'}; {facts['system']}, {facts['cpus']} CPUs, "
        f"Python {facts['python']}, load {facts['load_1min']}"
    )


def turn_result(timed: Timed, turns: Turns | None, policy: Policy | None, told: Facts | None) -> TurnResult:
    """All that is known of a turn. `turns`: the providers' own book, None where they are not simulated
    here.
    """
    heard, silent_s = timed.heard, timed.silent_s
    fact = _fact_of(timed, told)
    known = turns is not None and bool(timed.turn.told)
    delays = delays_of(timed.turn, turns, timed.silent_s) if turns is not None and known else None
    return TurnResult(
        call=timed.call_sid,
        number=timed.number,
        id=timed.turn.id,
        outcome=_outcome(timed),
        ttfb_ms=timed.ttfb_ms,
        first_sound_ms=None if heard.first_s is None else (heard.first_s - silent_s) * 1000,
        own_ttfb_ms=fact.get("ttfb_ms"),
        overhead_ms=fact.get("overhead_ms"),
        floor_ms=floor_ms(delays, policy) if delays is not None and policy is not None else None,
        stages_ms={name: (at_s - silent_s) * 1000 for name, at_s in fact.get("stages_s", {}).items()},
        drawn_ms=_drawn(delays, timed),
        gaps_ms=[gap_s * 1000 for gap_s in timed.gaps_s],
        requests=len(timed.turn.requests),
        early_requests=len(timed.turn.early_requests),
        contexts=len(timed.turn.contexts),
        tokens_wasted=max(wasted_tokens(timed.turn), fact.get("wasted_tokens", 0)),
        characters_wasted=unheard_characters(timed.turn),
        speculated=fact.get("speculated"),
        guesses_dropped=fact.get("guesses_dropped", 0),
    )


def delays_of(turn: Turn, turns: Turns, silent_s: float) -> Delays:
    """The turn's draws; and when interim words told all of it, at an update of the recogniser's."""
    draws = turns.draws
    told_s = turn.stable_s()
    early = turn.delays.stable_ms is not None
    return Delays(
        end_ms=turn.delays.end_ms,
        eager_ms=turn.delays.eager_ms,
        stable_ms=(told_s - silent_s) * 1000 if early and told_s is not None else None,
        llm_ms=(draws.llm_ms(turn.id, 0), draws.llm_ms(turn.id, 1)),
        clause_ms=(turn.first_clause_tokens - 1) * draws.between_tokens_s * 1000,
        tts_ms=draws.tts_ms(turn.id, 0),
    )


def _outcome(timed: Timed) -> Outcome:
    if timed.heard.reply_s is not None:
        return "answered"
    return "unanswered" if timed.heard.first_s is None else "filler_only"


def _fact_of(timed: Timed, told: Facts | None) -> Fact:
    """The gateway's own word on this turn: the one whose end of turn lies right behind the caller's."""
    for fact in told.finished.get(timed.call_sid, []) if told is not None else []:
        ended_s = fact["stages_s"].get("end_of_turn")
        if ended_s is not None and -0.1 <= ended_s - timed.silent_s < _MATCHES_WITHIN_S:
            return fact
    return {}


def _drawn(delays: Delays | None, timed: Timed) -> dict[str, float]:
    if delays is None:
        return {}
    stable_s = timed.turn.stable_s()
    told = {} if stable_s is None else {"words_told": (stable_s - timed.silent_s) * 1000}
    return told | {
        "stt_eager": delays.eager_ms,
        "stt_end": delays.end_ms,
        "llm": delays.llm_ms[0],
        "llm_second": delays.llm_ms[1],
        "clause": delays.clause_ms,
        "tts": delays.tts_ms,
    }


def wasted_tokens(turn: Turn) -> int:
    """Tokens billed in vain, prompts included: all of part-of-the-words requests, and of whole ones all but
    the longest answer's.
    """
    whole = [request.tokens_billed for request in turn.requests]
    return sum(request.tokens_billed for request in turn.early_requests) + sum(whole) - max(whole, default=0)


def unheard_characters(turn: Turn) -> int:
    """What was synthesised in vain: the texts of all contexts but the longest."""
    given = [sum(map(len, context.texts)) for context in turn.contexts]
    return sum(given) - max(given, default=0)


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


_PRICES: Final = frozenset(
    ("requests", "early_requests", "contexts", "tokens_wasted", "characters_wasted", "guesses_dropped")
)


def _turn_json(turn: TurnResult, *, priced: bool) -> dict[str, Any]:
    told = asdict(turn) | {"over_floor_ms": turn.over_floor_ms, "difference_ms": turn.difference_ms}
    told["first_filler_ms"] = turn.first_filler_ms
    return {name: _rounded(value) for name, value in told.items() if priced or name not in _PRICES}


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, 2)
        case dict():
            return {name: _rounded(each) for name, each in value.items()}
        case list() | tuple():
            return [_rounded(each) for each in value]
    return value
