"""The least time that a turn could take, given what its providers took: nothing but their delays. Pure.

All figures are milliseconds after the caller's last voiced sample. The first clause's tokens and the clause
rule belong to the policy: no gateway that speaks clause by clause can speak before its first clause is
certain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Speculation = Literal["off", "eager", "interim"]


@dataclass(frozen=True, slots=True)
class Policy:
    """When a gateway may begin, and whether it asks twice. `hedge_after_ms`: counted from the request, and of
    one that was sent before the end of the turn was guessed, from that.
    """

    speculation: Speculation = "off"
    hedge_after_ms: float | None = None
    interim_stable_ms: float = 0.0
    """For how long interim words must not have changed; those of the bench end like a sentence."""

    @property
    def name(self) -> str:
        hedged = "" if self.hedge_after_ms is None else f", hedge after {self.hedge_after_ms:g} ms"
        return f"speculation {self.speculation}{hedged}"


@dataclass(frozen=True, slots=True)
class Delays:
    """What one turn's providers took. `llm_ms`: to the first token, of the first request and of a second
    one.
    """

    end_ms: float
    eager_ms: float
    stable_ms: float | None
    llm_ms: Sequence[float]
    clause_ms: float
    tts_ms: float


def floor_ms(delays: Delays, policy: Policy) -> float:
    """The TTFB of a gateway that adds nothing."""
    ready_ms = _begins_ms(delays, policy) + clause_after_ms(delays, policy) + delays.tts_ms
    return max(delays.end_ms, ready_ms)


def clause_after_ms(delays: Delays, policy: Policy) -> float:
    """From the request to the first clause, by the faster of one or two requests."""
    first_ms = delays.llm_ms[0] + delays.clause_ms
    if policy.hedge_after_ms is None:
        return first_ms
    early_ms = max(0.0, delays.eager_ms - _begins_ms(delays, policy))
    return min(first_ms, early_ms + policy.hedge_after_ms + delays.llm_ms[1] + delays.clause_ms)


def _begins_ms(delays: Delays, policy: Policy) -> float:
    if policy.speculation == "off":
        return delays.end_ms
    if policy.speculation == "interim" and delays.stable_ms is not None:
        return min(delays.eager_ms, delays.stable_ms + policy.interim_stable_ms)
    return delays.eager_ms
