"""What is to be done next for a follow-up. Pure: facts and an instant in, a step out.

Codes are Twilio's ("Error and warning dictionary", read 2026-11). What may go better later is tried again,
after a pause that grows; what will not is given up at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from booking.follow_up_rules import Consent

MOST_ATTEMPTS: Final = 5
# A carrier's call whose media were lost comes back within seconds, on record anew.
COMES_BACK: Final = timedelta(seconds=10)
# Whoever is put through to a person and reaches nobody is back by then.
PUT_THROUGH: Final = timedelta(seconds=90)
_CUT_OFF: Final = frozenset({"socket_lost", "cancelled", "failed", "oversized_frame", "too_many_frames"})
_PAUSES: Final = (
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
# 20003, 20404: the account's keys; 20429, 30001, 30022: too much at once; 30002: the account is suspended;
# 30003: the telephone is off; 30008: the network does not say; 30017: congestion.
_AGAIN: Final = frozenset({20003, 20404, 20429, 30001, 30002, 30003, 30008, 30017, 30022})
_REASONS: Final[Mapping[int, str]] = {
    21610: "stopped",
    30004: "blocked",
    30005: "receiver",
    30006: "receiver",
    30007: "filtered",
    21211: "receiver",
    21614: "receiver",
    21635: "receiver",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """One follow-up, its call, and what became of the message that it sent last. `sealed_caller`: the number
    that the call showed, under the key `key_id`, if it is still there.
    """

    state: str
    service_id: UUID | None
    texts_wanted: bool | None
    attempt: int
    deferred: bool
    message_id: UUID | None
    settled_at: datetime | None
    next_at: datetime | None
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    continued: bool
    contact_id: UUID | None
    service_name: str | None = field(repr=False)
    has_guide: bool
    guide_url: str | None = field(repr=False)
    org_name: str
    org_zone: str
    message_status: str | None
    message_code: int | None
    message_recorded_at: datetime | None
    code_digest: bytes | None = field(repr=False)
    sealed_caller: bytes | None = field(default=None, repr=False)
    key_id: UUID | None = None
    wrapped: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Nothing:
    """It is over, or goes on by itself."""


@dataclass(frozen=True, slots=True)
class EndCall:
    """Nobody has the call any more."""


@dataclass(frozen=True, slots=True)
class Prepare:
    """Find out who is to be texted, and begin."""


@dataclass(frozen=True, slots=True)
class Send:
    """The message of this attempt has not been recorded."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class AskProvider:
    """Nobody knows whether the message went out, and by now the provider's list tells."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Once more, after a pause."""

    after: timedelta


@dataclass(frozen=True, slots=True)
class Skip:
    reason: str


@dataclass(frozen=True, slots=True)
class Fail:
    reason: str


Step = Nothing | EndCall | Prepare | Send | Wait | AskProvider | Retry | Skip | Fail


def next_step(facts: Facts, now: datetime, unsure: timedelta) -> Step:
    """`unsure`: so long after it was recorded a message is in the provider's list, if it came there."""
    match facts.state:
        case "open":
            return EndCall() if facts.next_at is not None and facts.next_at <= now else Nothing()
        case "due" | "waiting":
            return _before_sending(facts, now)
        case "sending":
            return _sending(facts, now, unsure)
        case _:
            return Nothing()


def _before_sending(facts: Facts, now: datetime) -> Step:
    if facts.continued:
        return Skip("continued")
    if facts.ended_at is not None and facts.end_reason in (*_CUT_OFF, "transferred"):
        comes_back_until = facts.ended_at + (COMES_BACK if facts.end_reason in _CUT_OFF else PUT_THROUGH)
        if now < comes_back_until:
            return Wait(comes_back_until)
    return Prepare()


def _sending(facts: Facts, now: datetime, unsure: timedelta) -> Step:
    match facts.message_status:
        case None:
            # A further attempt waits for its time; the first one has none to wait for.
            early = facts.attempt > 1 and facts.next_at is not None and facts.next_at > now
            return Wait(facts.next_at) if early and facts.next_at is not None else Send()
        case "recorded":
            recorded_at = facts.message_recorded_at or now
            known_at = recorded_at + unsure
            return AskProvider() if known_at <= now else Wait(known_at)
        case "lost":  # it never came there
            return _again(facts, timedelta(0))
        case "refused" | "undelivered" | "failed":
            return _after_failure(facts)
        case _:
            return Nothing()


def _after_failure(facts: Facts) -> Step:
    code = facts.message_code
    if code is None or code in _AGAIN:
        return _again(facts, _PAUSES[min(facts.attempt, len(_PAUSES)) - 1])
    return Fail(_REASONS.get(code, "refused" if facts.message_status == "refused" else "undelivered"))


def _again(facts: Facts, after: timedelta) -> Step:
    return Retry(after) if facts.attempt < MOST_ATTEMPTS else Fail("tried_often")


@dataclass(frozen=True, slots=True)
class LeadWords:
    """What somebody has said of texts, at any time."""

    agreed_at: datetime | None
    refused_at: datetime | None
    stopped: bool
    time_zone: str | None = None


def said_since(words: LeadWords, at: datetime | None) -> bool:
    """Whether they have said anything of texts since then, which then counts above what they said before."""
    return at is not None and any(
        said is not None and said >= at for said in (words.agreed_at, words.refused_at)
    )


def consent_refusal(texts_wanted: bool | None, words: LeadWords, consent: Consent) -> str | None:
    """Why they may not be texted; None if they may. The later word counts, a STOP above all."""
    if words.stopped:
        return "stopped"
    if texts_wanted is not None:
        return None if texts_wanted else "declined"
    if words.refused_at is not None and (words.agreed_at is None or words.agreed_at <= words.refused_at):
        return "declined"
    if words.agreed_at is None and consent == "asked":
        return "no_consent"
    return None
