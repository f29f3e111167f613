"""What is to be done next for a call that is to be placed. Pure: facts and an instant in, a step out."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final

from booking.calling_rules import CallingRules

# Nobody was reached, and may be another time.
_AGAIN: Final = frozenset({"busy", "no_answer", "unavailable", "lost"})
# It never rang: there is no reason to leave them in peace first.
_AT_ONCE: Final = frozenset({"lost"})
_SOON: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class PlacedFacts:
    """One call as it stands, whose it is, and what its clinic has for it."""

    state: str
    outcome: str | None
    attempt: int
    has_contact: bool
    contact_zone: str | None
    campaign_status: str | None
    carrier: str
    carrier_call_id: str | None
    placing_at: datetime | None
    next_at: datetime | None
    number: str | None = field(repr=False)
    sealed: bytes | None = field(repr=False)
    org_name: str
    org_zone: str
    quiet_from: time
    quiet_to: time


@dataclass(frozen=True, slots=True)
class Nothing:
    """It is over, or goes on by itself."""


@dataclass(frozen=True, slots=True)
class Place:
    """Record the next attempt, and make it, unless it is night there."""


@dataclass(frozen=True, slots=True)
class AskCarrier:
    """Nobody has said for long what became of the attempt."""


@dataclass(frozen=True, slots=True)
class Settle:
    """The attempt came to nothing. `after`: the pause before the next one; None: there is none."""

    after: timedelta | None


@dataclass(frozen=True, slots=True)
class Refuse:
    reason: str


Step = Nothing | Place | AskCarrier | Settle | Refuse


def next_step(facts: PlacedFacts, rules: CallingRules, now: datetime) -> Step:
    match facts.state:
        case "unanswered":
            return Settle(pause_after(facts.outcome or "", facts.attempt, rules))
        case "queued" | "placing" | "ringing" | "talking" if facts.next_at is None or facts.next_at > now:
            return Nothing()
        case "queued":
            return _before_placing(facts)
        case "placing" | "ringing" | "talking":
            return AskCarrier()
        case _:
            return Nothing()


def _before_placing(facts: PlacedFacts) -> Step:
    if not facts.has_contact:
        return Refuse("erased")
    if facts.campaign_status not in (None, "running"):
        return Refuse("campaign_over")
    if facts.number is None:
        return Refuse("not_configured")
    return Place()


def pause_after(outcome: str, attempt: int, rules: CallingRules) -> timedelta | None:
    """Before the next attempt; None if there is to be none. It doubles with each attempt."""
    if outcome not in _AGAIN or attempt >= rules.most_attempts:
        return None
    if outcome in _AT_ONCE:
        return timedelta(0)
    if outcome == "unavailable":  # the carrier took nothing: nobody's telephone rang
        return _SOON
    doubled: timedelta = rules.pause * 2 ** (attempt - 1)
    return doubled
