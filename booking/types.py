"""The facts of booking as frozen dataclasses. Every datetime is aware (UTC as it comes from the database)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
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
    """How a slot stands. `expires_at` and `call_id` only while it is held."""

    state: Literal["open", "held", "booked"]
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


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance of a turn, redacted. `kind` as in the journal (`reply` …), None for the caller."""

    speaker: Literal["caller", "agent"]
    text: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class CallTurn:
    """One turn of a call as it is kept: redacted words, where the time went. `stages_s` as in the journal."""

    turn: int
    said: tuple[Said, ...]
    outcome: Literal["answered", "interrupted", "failed", "silent"]
    stages_s: Mapping[str, float] = field(default_factory=dict)
    ttfb_ms: float | None = None
    overhead_ms: float | None = None
