"""Booking's errors.

BookingError
├── UnsafeRole          the database role could step over row level security; the pool is not opened
├── SlotUnknown         no slot of this org has that id
├── CallOver            the call has ended, so it can hold nothing
├── CallUnknown         no call of this org has that id
├── ServiceUnknown      no service of this org has that id
├── PractitionerUnknown no practitioner of this org has that id
├── HoldUnknown         no hold of this org has that id
├── HoldOver            the hold has expired, was given back or is booked already
├── HoldUnverified      no code was verified for the hold with this contact's number
├── ContactUnknown      no contact of this org has that id
├── BookingUnknown      no appointment of this org, or of this contact, has that id
├── BookingOver         the appointment was cancelled or moved, or has begun
├── SlotUnsuitable      the slot is for another service
├── BookingUnavailable  the database did not answer in time or is gone; `retryable` is true
├── StatementRefused    the database refuses the statement itself; `sqlstate` says why
├── ClinicInvalid       what a clinic is to be makes no sense; `field` says where
├── GuideInvalid        a file that cannot be a guide; it says why
├── OrgUnknown          there is no such org
├── OrgStands           the org is no trial: it can neither become one nor be removed
├── ScopeUnknown        a staff token was to get a scope that none may have, or no scope
├── ValueInvalid        a value that cannot be meant, as a time without an offset; `reason` says which
├── SealUnreadable      a sealed value does not open: altered, moved, or its key is not at hand
├── MasterKeyInvalid    what values are to be sealed under is no master key, or there is none
├── NumberInvalid       not a phone number in E.164
├── CodeMalformed       a code is six digits
├── SmsError
│   ├── SmsNotConfigured   the org has nobody to send its messages; nothing was changed
│   ├── SmsRefused         the provider refuses the message, which did not go out; `reason` says whose fault
│   ├── SmsUnavailable     the provider took nothing and may do so later; `retryable` is true
│   └── SmsUnconfirmed     nobody knows whether it went out: not to be sent again before that is known
├── CalendarError
│   ├── CalendarNotConfigured  the org has no credentials for a calendar, or they do not read
│   ├── CalendarRefused        the provider refuses, however often it is asked; `reason` says whose fault
│   └── CalendarUnavailable    not reached, too busy, or not understood; `retryable` is true
├── CampaignUnknown     no running campaign of this org for this contact has that id
├── PlacedCallUnknown   no placed call of this org has that id
├── HandoverUnknown     no handover of this org has that id
├── CallingError
│   ├── CallingNotConfigured  the org has no number or no account to place calls with
│   ├── CallingRefused        the carrier refuses the call, which was not made; `reason` says whose fault
│   ├── CallingUnavailable    the carrier took nothing and may do so later; `retryable` is true
│   └── CallingUnconfirmed    nobody knows whether it calls: not to be asked again before that is known
├── MigrationEdited     an applied migration no longer reads as it did when it was applied
└── MigrationFailed     a migration could not be applied; nothing of it was kept

SQLSTATEs become these in `booking.db` alone. Messages name the fact, never a number, a word said or a key.
"""

from typing import Literal


class BookingError(Exception):
    """Root of what booking raises. `retryable`: the same request may work if made again."""

    retryable = False


class UnsafeRole(BookingError):
    """The database role could step over row level security."""


class SlotUnknown(BookingError):
    """No slot of this org has that id."""


class CallOver(BookingError):
    """The call has ended, so it can hold nothing."""


class CallUnknown(BookingError):
    """No call of this org has that id."""


class ServiceUnknown(BookingError):
    """No service of this org has that id."""


class PractitionerUnknown(BookingError):
    """No practitioner of this org has that id."""


class HoldUnknown(BookingError):
    """No hold of this org has that id."""


class HoldOver(BookingError):
    """The hold has expired, was given back or is booked already."""


class HoldUnverified(BookingError):
    """No code was verified for the hold with this contact's number."""


class ContactUnknown(BookingError):
    """No contact of this org has that id."""


class BookingUnknown(BookingError):
    """No appointment of this org, or of this contact, has that id."""


class BookingOver(BookingError):
    """The appointment was cancelled or moved, or has begun."""


class SlotUnsuitable(BookingError):
    """The slot is for another service."""


class BookingUnavailable(BookingError):
    """The database did not answer in time or is gone. A change may have been made: ask again to know."""

    retryable = True


class StatementRefused(BookingError):
    """The database refuses the statement itself: a value, a right or a constraint is against it."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(f"the database refuses the statement: SQLSTATE {sqlstate}")
        self.sqlstate = sqlstate


class ClinicInvalid(BookingError):
    """What a clinic is to be makes no sense, or cannot be had. Nothing was changed.

    `field`: which part of the declaration, as `practitioners[1].hours`; `fault` completes "it …". Neither
    repeats a value.
    """

    def __init__(self, field: str, fault: str) -> None:
        super().__init__(f"{field}: {fault}")
        self.field = field
        self.fault = fault


class GuideInvalid(BookingError):
    """A file cannot be a guide. Nothing was changed. `fault` completes "it …"."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"the guide {fault}")
        self.fault = fault


class OrgUnknown(BookingError):
    """There is no such org."""


class OrgStands(BookingError):
    """The org is no trial: it can neither become one nor be removed."""


class ScopeUnknown(BookingError):
    """A staff token was to get a scope that none may have, or no scope at all."""


class ValueInvalid(BookingError):
    """A value cannot be meant. Nothing was changed.

    `reason`: an instant without an offset; a time of day with one; text that is none; a time to live or a
    number of days that is none, not positive or too large.
    """

    def __init__(
        self, reason: Literal["time_without_offset", "time_of_day_with_offset", "text", "ttl", "days"]
    ) -> None:
        super().__init__(f"a value makes no sense: {reason}")
        self.reason = reason


class SealUnreadable(BookingError):
    """A sealed value does not open: altered, moved, or its key is not at hand."""


class MasterKeyInvalid(BookingError):
    """At least one master key is needed, and each is 32 bytes."""


class NumberInvalid(BookingError):
    """Not a phone number in E.164."""


class CodeMalformed(BookingError):
    """A code is six digits."""


class SmsError(BookingError):
    """A text message did not go out, or may not have."""


class SmsNotConfigured(SmsError):
    """The org has nobody to send its messages."""


class SmsRefused(SmsError):
    """The provider refuses the message; it did not go out and will not, however often it is asked.

    `reason`: bad credentials; a receiver that cannot be texted; one who has opted out; a sender or region
    that is not set up; the text itself. `code` is the provider's own.
    """

    def __init__(
        self,
        reason: Literal["credentials", "receiver", "opted_out", "configuration", "content"],
        code: int,
    ) -> None:
        super().__init__(f"the provider refuses the message: {reason}, code {code}")
        self.reason = reason
        self.code = code


class SmsUnavailable(SmsError):
    """The provider took nothing: not reached, or too busy."""

    retryable = True


class SmsUnconfirmed(SmsError):
    """Nobody knows whether the message went out."""


class CalendarError(BookingError):
    """A calendar was not changed or not read, or may not have been."""


class CalendarNotConfigured(CalendarError):
    """The org has no credentials for a calendar, or they do not read."""


class CalendarRefused(CalendarError):
    """The provider refuses, and will however often it is asked.

    `reason`: credentials it does not take; a calendar that is not there or not shared with us; one that is
    shared for reading alone; the request itself. `status` is the provider's HTTP status.
    """

    def __init__(self, reason: Literal["credentials", "calendar", "access", "request"], status: int) -> None:
        super().__init__(f"the calendar's provider refuses: {reason}, HTTP {status}")
        self.reason = reason
        self.status = status


class CalendarUnavailable(CalendarError):
    """The calendar's provider was not reached, is too busy or gave no answer that makes sense."""

    retryable = True


class CampaignUnknown(BookingError):
    """No running campaign of this org for this contact has that id."""


class PlacedCallUnknown(BookingError):
    """No placed call of this org has that id."""


class HandoverUnknown(BookingError):
    """No handover of this org has that id."""


class CallingError(BookingError):
    """A call was not placed, or may not have been."""


class CallingNotConfigured(CallingError):
    """The org has no number or no account to place calls with."""


class CallingRefused(CallingError):
    """The carrier refuses the call; it was not made and will not be, however often it is asked.

    `reason`: bad credentials; a number that cannot be called; a number or region that is not set up.
    """

    def __init__(self, reason: Literal["credentials", "receiver", "configuration"]) -> None:
        super().__init__(f"the carrier refuses the call: {reason}")
        self.reason = reason


class CallingUnavailable(CallingError):
    """The carrier took nothing: not reached, or too busy."""

    retryable = True


class CallingUnconfirmed(CallingError):
    """Nobody knows whether the carrier calls."""


class MigrationEdited(BookingError):
    """An applied migration no longer reads as it did when it was applied."""


class MigrationFailed(BookingError):
    """A migration could not be applied; nothing of it was kept."""
