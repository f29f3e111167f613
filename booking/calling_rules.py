"""How a clinic's agent places calls: on or off, by which carrier, to whom, with which words, how often.

Who picks up may be anybody, and so may whoever hears what a machine took down. So the opening and the message
say whose call it is and nothing of what it is about: the clinic's services are refused in them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from string import Formatter
from typing import Final, Literal
from uuid import UUID

import asyncpg

from booking import db
from booking.errors import ClinicInvalid
from booking.follow_up_rules import Consent
from booking.types import Actor, Claim

CallCarrier = Literal["twilio", "telnyx", "plivo", "vonage"]
OnMachine = Literal["hang_up", "message"]

INTRODUCTION: Final = "Hello, this is {agent}, the automated assistant of {clinic}."
OPENING: Final = "You have been in touch with us lately. Is this a good moment to talk?"
GOAL: Final = "to find out whether they would like an appointment, and if so to book it"
MESSAGE: Final = (
    "Hello, this is {agent}, the automated assistant of {clinic}. There is nothing urgent. "
    "Please call us back when it suits you. Goodbye."
)
_PLACES: Final = frozenset({"agent", "clinic"})
_LENGTHS: Final = {"goal": 500, "opening": 300, "message": 500}


@dataclass(frozen=True, slots=True)
class CallingRules:
    """`goal`, `opening`, `message` None: ours. The opening follows `INTRODUCTION`, which is not for choice.

    `consent` asked: whoever said yes to calls is called; inquiry: also whoever said nothing of them.
    `on_machine`: what an answering machine gets. `most_attempts`: so often somebody is tried who is busy or
    does not answer, first after `pause_minutes`, then after twice as long each time; `ring_s`: for how long
    it rings.
    """

    enabled: bool = True
    carrier: CallCarrier = "twilio"
    consent: Consent = "asked"
    goal: str | None = None
    opening: str | None = None
    on_machine: OnMachine = "hang_up"
    message: str | None = None
    most_attempts: int = 3
    pause_minutes: int = 60
    ring_s: int = 25

    @property
    def pause(self) -> timedelta:
        return timedelta(minutes=self.pause_minutes)


@dataclass(frozen=True, slots=True)
class CallBrief:
    """As whom the agent speaks in a placed call, and to what end. None: as in the clinic's others."""

    agent_name: str | None
    goal: str | None = field(repr=False)
    opening: str | None = field(repr=False)

    def first_words(self, agent: str, clinic: str) -> str:
        """What the agent opens with: who calls, what calls, then the opening."""
        return f"{_filled(INTRODUCTION, agent, clinic)} {_filled(self.opening or OPENING, agent, clinic)}"


def spoken_message(rules: CallingRules, agent: str, clinic: str) -> str:
    """What is left on an answering machine."""
    return _filled(rules.message or MESSAGE, agent, clinic)


def require_sound(rules: CallingRules, services: Iterable[str]) -> None:
    """Raises `ClinicInvalid`. `services`: names and synonyms of what the clinic offers."""
    for name, low, number, most in (
        ("most_attempts", 1, rules.most_attempts, 6),
        ("pause_minutes", 5, rules.pause_minutes, 1440),
        ("ring_s", 5, rules.ring_s, 60),
    ):
        if not low <= number <= most:
            raise ClinicInvalid(name, f"is not {low} to {most}")
    named = tuple(services)
    require_words("goal", rules.goal)
    for name, words in (("opening", rules.opening), ("message", rules.message)):
        require_words(name, words)
        require_discreet(name, words, named)


def require_words(name: str, words: str | None) -> None:
    """Raises `ClinicInvalid` for what cannot be said."""
    if words is None:
        return
    if not (1 <= len(words) <= _LENGTHS[name] and words.isprintable() and words == words.strip()):
        most = _LENGTHS[name]
        raise ClinicInvalid(
            name, f"is not 1 to {most} printable characters on one line without space around them"
        )


def require_discreet(name: str, words: str | None, services: Iterable[str]) -> None:
    """Raises `ClinicInvalid` if it names a service, or has a place that there is not."""
    if words is None:
        return
    try:
        parts = list(Formatter().parse(words))
    except ValueError:
        raise ClinicInvalid(name, "has a brace that does not close") from None
    if any(spec or conversion or place not in _PLACES | {None} for _, place, spec, conversion in parts):
        raise ClinicInvalid(name, "has a place that is neither {agent} nor {clinic}")
    if any(_names(words, service) for service in services):
        raise ClinicInvalid(name, "names a service: whoever hears it may be anybody")


def _names(words: str, service: str) -> bool:
    said = re.escape(service.casefold())
    return re.search(rf"(?<!\w){said}(?:e?s)?(?!\w)", words.casefold()) is not None


def _filled(words: str, agent: str, clinic: str) -> str:
    return words.format(agent=agent, clinic=clinic)


async def load_calling_rules(pool: asyncpg.Pool, claim: Claim) -> CallingRules:
    """Raises `BookingUnavailable`."""
    (row,) = await db.fetch(pool, claim, "calling_rules")
    return CallingRules(**dict(row))


async def store_calling_rules(
    pool: asyncpg.Pool, claim: Claim, rules: CallingRules, *, services: Iterable[str], actor: Actor
) -> None:
    """From now on these hold, for calls that wait too. Audited. Raises `ClinicInvalid`."""
    require_sound(rules, services)
    await db.fetch(
        pool,
        claim,
        "set_calling_rules",
        rules.enabled,
        rules.carrier,
        rules.consent,
        rules.goal,
        rules.opening,
        rules.on_machine,
        rules.message,
        rules.most_attempts,
        rules.pause_minutes,
        rules.ring_s,
        actor.kind,
        actor.id,
    )


async def set_campaign_agent(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    campaign_id: UUID,
    brief: CallBrief,
    services: Iterable[str],
    actor: Actor,
) -> None:
    """As whom and to what end a campaign's calls are made from now on; a name of None stays as it is.

    Audited. Raises `CampaignUnknown`, `ClinicInvalid`.
    """
    require_words("goal", brief.goal)
    require_words("opening", brief.opening)
    require_discreet("opening", brief.opening, tuple(services))
    name = brief.agent_name
    if name is not None and not (1 <= len(name) <= 100 and name.isprintable() and name == name.strip()):
        raise ClinicInvalid("agent_name", "is not 1 to 100 printable characters without space around them")
    await db.fetch(
        pool,
        claim,
        "set_campaign_agent",
        campaign_id,
        name,
        brief.goal,
        brief.opening,
        actor.kind,
        actor.id,
    )


async def load_brief(pool: asyncpg.Pool, claim: Claim, *, placed_id: UUID) -> CallBrief | None:
    """None if there is no such placed call."""
    rows = await db.fetch(pool, claim, "call_brief", placed_id)
    return CallBrief(rows[0]["agent_name"], rows[0]["goal"], rows[0]["opening"]) if rows else None
