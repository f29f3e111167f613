"""What booking asks of others: text messages, a calendar, seals, a watch on the codes.

Adapters over vendors stand in `booking.sms` and `booking.calendar`, one over master keys in
`booking.sealing`; the gateway seals with its vault, in the same format.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from booking.types import Claim

SmsStatus = Literal[
    "recorded",  # by us, before the provider was asked: if it stays so, nobody knows whether it went out
    "queued",
    "sent",
    "delivered",
    "undelivered",
    "failed",
    "refused",  # by the provider's answer to our request: never went out
    "lost",  # never reached the provider: reconciled, not sent again
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value stands; part of its seal. `row` is the row's primary key as text."""

    table: str
    column: str
    row: str


@dataclass(frozen=True, slots=True)
class PersonKey:
    """A person's key as it is stored, itself sealed. Destroying that row makes what it sealed unreadable."""

    id: UUID
    wrapped: bytes = field(repr=False)


class PersonSealer(Protocol):
    """Seals and opens one person's values. No I/O."""

    def seal(self, plain: bytes, place: Place) -> bytes: ...

    def open(self, blob: bytes, place: Place) -> bytes:
        """Raises `SealUnreadable`, also for what was erased; what the org's key sealed opens too."""
        ...


class Sealer(Protocol):
    """Seals, opens and digests under an org's own keys, without I/O, or under those of its people."""

    def seal(self, org_id: UUID, plain: bytes, place: Place) -> bytes: ...

    def open(self, org_id: UUID, blob: bytes, place: Place) -> bytes:
        """Raises `SealUnreadable`: altered, moved, or sealed under a key that is not at hand."""
        ...

    async def new_key(self, org_id: UUID) -> PersonKey:
        """A key for somebody, to be stored before anything is kept that it sealed."""
        ...

    async def under(self, org_id: UUID, key: PersonKey | None) -> PersonSealer:
        """What seals and opens under this key; None: under the org's. Raises `SealUnreadable`."""
        ...

    def digest(self, org_id: UUID, purpose: str, value: bytes) -> bytes:
        """HMAC-SHA256 (32 bytes) under the org's newest key; `purpose` keeps kinds of values apart.

        Purpose `phone` over an E.164 number is what contacts are found by, `otp` is for codes.
        """
        ...

    def digests(self, org_id: UUID, purpose: str, value: bytes) -> Sequence[bytes]:
        """The digest under each configured key, newest first: a look-up matches any of them."""
        ...


@dataclass(frozen=True, slots=True)
class SmsAccount:
    """Who sends an org's messages. `sender`: an E.164 number, or a messaging service's id (`MG…`).

    `org_name` is what the org calls itself in a message.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    sender: str = field(repr=False)
    org_name: str


@dataclass(frozen=True, slots=True)
class OutgoingSms:
    """One message; `to` is E.164.

    `status_url`: where the provider reports what became of it, if anywhere. `valid_s`: after so long in the
    provider's queue it is not sent any more.
    """

    to: str = field(repr=False)
    body: str = field(repr=False)
    status_url: str | None = None
    valid_s: int | None = None


@dataclass(frozen=True, slots=True)
class ProviderSms:
    """A message as the provider knows it. `error_code` is the provider's own, None if there is none.

    `changed_at`: since when it has this status, None if that is not told.
    """

    provider_id: str
    status: SmsStatus
    error_code: int | None = None
    changed_at: datetime | None = None


class SmsSender(Protocol):
    """Hands messages to a provider, never twice the same."""

    async def send(self, account: SmsAccount, sms: OutgoingSms) -> ProviderSms:
        """Raises `SmsRefused` (it did not go out), `SmsUnavailable` (nor then; ask again later) or
        `SmsUnconfirmed` (nobody knows; ask `find`). Cancelled: as `SmsUnconfirmed`.
        """
        ...

    async def find(self, account: SmsAccount, sms: OutgoingSms, *, since: datetime) -> list[ProviderSms]:
        """Messages with this very receiver and body that the provider took since then, oldest first.

        Raises `SmsUnavailable`.
        """
        ...


class SmsAccounts(Protocol):
    """Whose account an org sends from."""

    async def account(self, claim: Claim) -> SmsAccount:
        """Raises `SmsNotConfigured`, or `BookingUnavailable` if that cannot be told now."""
        ...


SendOutcome = Literal[
    "accepted",
    "not_configured",
    "credentials",
    "receiver",
    "opted_out",
    "configuration",
    "content",
    "unavailable",
    "unconfirmed",
    "limited",
    "not_held",
    "failed",  # anything else, as the database being away
]
CheckOutcome = Literal["verified", "wrong", "expired", "locked"]


class CodeWatch(Protocol):
    """Is told how codes fare: what the alerts on success and delivery rates are computed from."""

    def code_sent(self, outcome: SendOutcome, seconds: float) -> None:
        """A code was handed to the provider, or was not; `seconds` from the request for it."""
        ...

    def code_checked(self, outcome: CheckOutcome) -> None: ...

    def sms_settled(self, kind: str, status: SmsStatus) -> None:
        """A message reached its last status, said once per message; `kind` as recorded: `otp` …"""
        ...

    def sms_delivered(self, kind: str, seconds: float) -> None:
        """Besides, once per message that has arrived: so long after it was sent."""
        ...


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """An appointment in a calendar. `id` follows from the appointment, so that no retry doubles it."""

    id: str
    summary: str = field(repr=False)
    starts_at: datetime
    ends_at: datetime
    description: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Busy:
    """A time at which a calendar's owner cannot be booked."""

    starts_at: datetime
    ends_at: datetime


class Calendar(Protocol):
    """One practitioner's calendar by its id. Raises `CalendarRefused` or `CalendarUnavailable`."""

    async def put(self, calendar_id: str, event: CalendarEvent) -> None:
        """The event stands as given, whether it stood before or not."""
        ...

    async def remove(self, calendar_id: str, event_id: str) -> None:
        """The event is gone; one that was gone before counts as removed."""
        ...

    async def busy(self, calendar_id: str, *, after: datetime, before: datetime) -> Sequence[Busy]: ...


class Calendars(Protocol):
    """Whose calendars an org may read and write."""

    async def calendar(self, claim: Claim) -> Calendar:
        """Raises `CalendarNotConfigured`, or `BookingUnavailable` if that cannot be told now."""
        ...
