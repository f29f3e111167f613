"""Booking's errors.

BookingError
├── UnsafeRole          the database role could step over row level security; the pool is not opened
├── SlotUnknown         no slot of this org has that id
├── CallOver            the call has ended, so it can hold nothing
├── CallUnknown         no call of this org has that id
├── BookingUnavailable  the database did not answer in time or is gone; `retryable` is true
├── StatementRefused    the database refuses the statement itself; `sqlstate` says why
├── MigrationEdited     an applied migration no longer reads as it did when it was applied
└── MigrationFailed     a migration could not be applied; nothing of it was kept

SQLSTATEs become these in `booking.db` alone. Messages name the fact, never a number, a word said or a key.
"""


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


class BookingUnavailable(BookingError):
    """The database did not answer in time or is gone. A change may have been made: ask again to know."""

    retryable = True


class StatementRefused(BookingError):
    """The database refuses the statement itself: a value, a right or a constraint is against it."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(f"the database refuses the statement: SQLSTATE {sqlstate}")
        self.sqlstate = sqlstate


class MigrationEdited(BookingError):
    """An applied migration no longer reads as it did when it was applied."""


class MigrationFailed(BookingError):
    """A migration could not be applied; nothing of it was kept."""
