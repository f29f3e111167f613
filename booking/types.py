"""The facts of booking as frozen dataclasses. Every datetime is aware (UTC as it comes from the database)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Final, Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Claim:
    """On whose behalf a statement runs: the org of a verified token or of a resolved number, nothing else."""

    org_id: UUID


@dataclass(frozen=True, slots=True)
class Slot:
    """A bookable interval of one practitioner for one service."""

    id: UUID
    service_id: UUID
    practitioner_id: UUID
    practitioner: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """The slot is the call's until `expires_at`. The same call asking again gets the same hold and expiry."""

    hold_id: UUID
    slot: Slot
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Conflict:
    """The slot could not be had: it is taken or past. `slots`: what is free from then on."""

    reason: Literal["taken", "past"]
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class HoldStatus:
    """How a slot stands; `past`: free, but it has begun. `expires_at` and `call_id` only while it is held."""

    state: Literal["open", "held", "booked", "past"]
    expires_at: datetime | None = None
    call_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A procedure that can be booked; `synonyms` are how callers may call it."""

    id: UUID
    name: str
    synonyms: tuple[str, ...]
    minutes: int


@dataclass(frozen=True, slots=True)
class Practitioner:
    id: UUID
    name: str


Recording = Literal["kept", "announced", "asked", "off"]
"""Whether words of calls are kept: `kept` unless the caller refuses; `announced` the same, and the greeting
says so; `asked`, by the greeting, and kept once the caller agrees; `off`: never.
"""
KEPT_UNASKED: Final[frozenset[Recording]] = frozenset({"kept", "announced"})
"""Under which of them words are kept from the first on, until a caller refuses."""


@dataclass(frozen=True, slots=True)
class OrgProfile:
    """What a call needs to know of its clinic. `voice`: the synthesiser's voice id, None for the default."""

    org_id: UUID
    name: str
    time_zone: str
    greeting: str
    agent_name: str
    voice: str | None
    services: tuple[Service, ...]
    practitioners: tuple[Practitioner, ...]
    recording: Recording = "kept"

    @property
    def keeps_unasked(self) -> bool:
        """Words are kept from the first on, until the caller refuses."""
        return self.recording in KEPT_UNASKED


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance of a turn, redacted. `kind` as in the journal (`reply` …), None for the caller."""

    speaker: Literal["caller", "agent"]
    text: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class CallTurn:
    """One turn of a call as it is kept: redacted words, where the time went, what was spent in vain.

    `stages_s`, `speculated` and what is wasted as in the journal.
    """

    turn: int
    said: tuple[Said, ...]
    outcome: Literal["answered", "interrupted", "failed", "silent"]
    stages_s: Mapping[str, float] = field(default_factory=dict)
    ttfb_ms: float | None = None
    overhead_ms: float | None = None
    speculated: Literal["none", "eager", "interim", "thrown"] = "none"
    wasted_tokens: int = 0
    wasted_characters: int = 0


@dataclass(frozen=True, slots=True)
class Contact:
    """A person who books, found by the number. Personal throughout: never shown by `repr`."""

    id: UUID
    phone: str = field(repr=False)
    name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ReturningCaller:
    """The contact whose number a call shows, which proves nothing. Not here: when and for what they come.

    `first_name`: where the clinic calls people by name. `has_upcoming`: an appointment lies ahead. `texts`:
    their last word on texts other than codes; `stopped`: the carrier passed a STOP on, which holds for codes
    too; None: they never said.
    """

    contact_id: UUID
    first_name: str | None = field(default=None, repr=False)
    has_upcoming: bool = False
    texts: Literal["agreed", "refused", "stopped"] | None = None


BookingStatus = Literal["booked", "cancelled", "rescheduled"]


@dataclass(frozen=True, slots=True)
class Booking:
    """An appointment. `replaces`: the one that it was moved from; that one's status is `rescheduled`."""

    id: UUID
    hold_id: UUID
    contact_id: UUID
    slot: Slot
    status: BookingStatus
    booked_at: datetime
    changed_at: datetime | None = None
    replaces: UUID | None = None


@dataclass(frozen=True, slots=True)
class AfterBooking:
    """The last appointment of a page: the next page goes on behind it."""

    starts_at: datetime
    booking_id: UUID


@dataclass(frozen=True, slots=True)
class CodeStored:
    """Whether the code is in force. `limited`: too many were sent, `locked`: too many were wrong.

    `expires_at` only of a stored one; never after the hold's own expiry. `codes_left`: how many more may be
    sent for this hold.
    """

    outcome: Literal["stored", "limited", "locked"]
    expires_at: datetime | None
    codes_left: int

    @property
    def stored(self) -> bool:
        return self.outcome == "stored"


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """What a code was worth. `expired`: there is no code in force; a code that was used is none any more.

    `hold_verified`: whether the hold stands verified, by this code or before (for whoever lost an answer).
    """

    outcome: Literal["verified", "wrong", "expired", "locked"]
    attempts_left: int
    hold_verified: bool


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When a practitioner works on a weekday (Monday is 0), in the clinic's local time.

    Slots start every `step_minutes` from `opens` on and end by `closes`; `closes` 00:00 is the day's end.
    Several on one day may not overlap.
    """

    weekday: int
    opens: time
    closes: time
    step_minutes: int = 30


@dataclass(frozen=True, slots=True)
class WeeklyBreak:
    """When a practitioner who works cannot be booked, in the clinic's local time."""

    weekday: int
    begins: time
    ends: time


@dataclass(frozen=True, slots=True)
class SlotsGenerated:
    """`added`: new, or offered again. `withdrawn`: not offered any more, as hours or holidays changed."""

    added: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did what is audited; `id` is one of ours, never a number, name or address.

    `carrier`: by its verified word. `stranger`: whoever could not show who they are.
    """

    kind: Literal["call", "token", "worker", "operator", "carrier", "stranger"]
    id: UUID | None = None


OPERATOR: Final = Actor("operator")
"""Whoever works at the command line."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One entry of the audit log. It holds no personal value."""

    id: UUID
    recorded_at: datetime
    actor: Actor
    action: str
    subject_kind: str
    subject_id: UUID | None
