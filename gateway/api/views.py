"""What the API shows of booking's facts: ids and times. Names of services stay out, being medical."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from booking.types import Booking, Slot
from booking.values import E164

ENDS = r"(?![\s\S])"  # in Python as in ECMA: `$` would let a line break through in the former
AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]
PageSize = Annotated[int, msgspec.Meta(ge=1, le=100)]
PhoneNumber = Annotated[str, msgspec.Meta(pattern="^" + E164.pattern + ENDS, description="E.164")]


class SlotView(msgspec.Struct, kw_only=True):
    """A bookable interval of one practitioner for one service."""

    id: UUID
    service_id: UUID
    practitioner_id: UUID
    practitioner: str
    starts_at: AwareTime
    ends_at: AwareTime


def slot_view(slot: Slot) -> SlotView:
    return SlotView(
        id=slot.id,
        service_id=slot.service_id,
        practitioner_id=slot.practitioner_id,
        practitioner=slot.practitioner,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
    )


class BookingView(msgspec.Struct, kw_only=True):
    """An appointment. `replaces`: the one that it was moved from, whose status is `rescheduled`."""

    id: UUID
    hold_id: UUID
    contact_id: UUID
    status: Literal["booked", "cancelled", "rescheduled"]
    booked_at: AwareTime
    changed_at: AwareTime | None
    replaces: UUID | None
    slot: SlotView


def booking_view(booking: Booking) -> BookingView:
    return BookingView(
        id=booking.id,
        hold_id=booking.hold_id,
        contact_id=booking.contact_id,
        status=booking.status,
        booked_at=booking.booked_at,
        changed_at=booking.changed_at,
        replaces=booking.replaces,
        slot=slot_view(booking.slot),
    )
