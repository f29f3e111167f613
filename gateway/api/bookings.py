"""Appointments: made from a verified hold, shown, moved, cancelled."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from booking.bookings import (
    cancel_booking,
    find_booking,
    page_of_bookings,
    reschedule_booking,
)
from booking.contacts import Person
from booking.errors import (
    BookingOver,
    BookingUnknown,
    HoldOver,
    HoldUnknown,
    HoldUnverified,
    SlotUnknown,
    SlotUnsuitable,
)
from booking.reception import book_person
from booking.types import AfterBooking, Conflict
from gateway.api import cursors
from gateway.api.cursors import Cursor
from gateway.api.operations import PREFIX, Answer, Asked, Operation
from gateway.api.ownership import is_foreign, not_visible
from gateway.api.problems import (
    BOOKING_OVER,
    FOREIGN,
    HOLD_OVER,
    HOLD_UNVERIFIED,
    NOT_FOUND,
    SLOT_PAST,
    SLOT_TAKEN,
    SLOT_UNSUITABLE,
    Refused,
)
from gateway.api.views import ENDS, AwareTime, BookingView, PageSize, PhoneNumber, booking_view

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Email = Annotated[str, msgspec.Meta(max_length=254, pattern=r"^[^@\s]+@[^@\s]+" + ENDS)]


class ContactDetails(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Who comes. `phone`: the number that the hold's code was sent to; what is left out stays as it was."""

    phone: PhoneNumber
    name: Name | None = None
    email: Email | None = None


class BookingRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A verified hold becomes an appointment of this contact."""

    hold_id: UUID
    contact: ContactDetails


class BookingMove(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """To another slot of the same service."""

    slot_id: UUID


class BookingQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`after` and `until` bound the start. Times have an offset."""

    contact_id: UUID | None = None
    status: Literal["booked", "cancelled", "rescheduled"] | None = None
    after: AwareTime | None = None
    until: AwareTime | None = None
    limit: PageSize = 20
    cursor: str | None = None


class BookingPage(msgspec.Struct, kw_only=True):
    """`next`: the cursor of the page behind this one, null if there is none."""

    items: list[BookingView]
    next: str | None


async def create_booking(asked: Asked) -> Answer:
    """A hold makes one appointment: its repetition is answered with the same.

    Nothing is kept of a person whose number was not verified.
    """
    order: BookingRequest = asked.body
    api, claim, details = asked.api, asked.claim, order.contact
    person = Person(phone=details.phone, name=details.name, email=details.email)
    try:
        booking = await book_person(api.pool, claim, api.sealer, hold_id=order.hold_id, person=person)
    except HoldUnknown:
        raise await not_visible(asked, "hold", order.hold_id) from None
    except HoldOver:
        raise Refused(HOLD_OVER) from None
    except HoldUnverified:
        raise Refused(HOLD_UNVERIFIED) from None
    return Answer(201, booking_view(booking), {"Location": f"{PREFIX}/bookings/{booking.id}"})


async def list_bookings(asked: Asked) -> Answer:
    query: BookingQuery = asked.query
    cursor = cursors.read(query.cursor)
    bookings = await page_of_bookings(
        asked.api.pool,
        asked.claim,
        limit=query.limit,
        contact_id=query.contact_id,
        status=query.status,
        after=query.after,
        until=query.until,
        last=AfterBooking(cursor.at, cursor.id) if cursor else None,
    )
    if not bookings and query.contact_id is not None and await is_foreign(asked, "contact", query.contact_id):
        raise Refused(FOREIGN, detail="contact")
    full = len(bookings) == query.limit
    after = Cursor(bookings[-1].slot.starts_at, bookings[-1].id) if full else None
    items = [booking_view(booking) for booking in bookings]
    return Answer(200, BookingPage(items=items, next=cursors.write(after) if after else None))


async def show_booking(asked: Asked) -> Answer:
    booking_id = asked.id("booking_id")
    booking = await find_booking(asked.api.pool, asked.claim, booking_id=booking_id)
    if booking is None:
        raise await not_visible(asked, "booking", booking_id)
    return Answer(200, booking_view(booking))


async def move_booking(asked: Asked) -> Answer:
    """The answer is the new appointment; asked again for the same slot, it is the same one."""
    move: BookingMove = asked.body
    booking_id = asked.id("booking_id")
    try:
        moved = await reschedule_booking(
            asked.api.pool, asked.claim, booking_id=booking_id, slot_id=move.slot_id
        )
    except BookingUnknown:
        raise await not_visible(asked, "booking", booking_id) from None
    except SlotUnknown:
        raise await not_visible(asked, "slot", move.slot_id) from None
    except BookingOver:
        raise Refused(BOOKING_OVER) from None
    except SlotUnsuitable:
        raise Refused(SLOT_UNSUITABLE, pointer="$.slot_id") from None
    if isinstance(moved, Conflict):
        raise Refused(SLOT_PAST if moved.reason == "past" else SLOT_TAKEN, alternatives=moved.slots)
    return Answer(200, booking_view(moved), {"Content-Location": f"{PREFIX}/bookings/{moved.id}"})


async def end_booking(asked: Asked) -> Answer:
    booking_id = asked.id("booking_id")
    try:
        await cancel_booking(asked.api.pool, asked.claim, booking_id=booking_id)
    except BookingUnknown:
        raise await not_visible(asked, "booking", booking_id) from None
    except BookingOver:
        raise Refused(BOOKING_OVER) from None
    return Answer(204)


OPERATIONS = (
    Operation(
        name="createBooking",
        method="POST",
        path="/bookings",
        scope="bookings:write",
        summary="Book a verified hold for a contact",
        handler=create_booking,
        body=BookingRequest,
        answers={201: BookingView},
        problems=(FOREIGN, NOT_FOUND, HOLD_OVER, HOLD_UNVERIFIED),
    ),
    Operation(
        name="listBookings",
        method="GET",
        path="/bookings",
        scope="bookings:read",
        summary="Appointments, soonest first",
        handler=list_bookings,
        query=BookingQuery,
        answers={200: BookingPage},
        problems=(FOREIGN,),
    ),
    Operation(
        name="getBooking",
        method="GET",
        path="/bookings/{booking_id}",
        scope="bookings:read",
        summary="How an appointment stands",
        handler=show_booking,
        answers={200: BookingView},
    ),
    Operation(
        name="moveBooking",
        method="PATCH",
        path="/bookings/{booking_id}",
        scope="bookings:write",
        summary="Move an appointment: the new slot is taken and the old one freed, or nothing changes",
        handler=move_booking,
        body=BookingMove,
        answers={200: BookingView},
        problems=(SLOT_TAKEN, SLOT_PAST, BOOKING_OVER, SLOT_UNSUITABLE),
    ),
    Operation(
        name="cancelBooking",
        method="DELETE",
        path="/bookings/{booking_id}",
        scope="bookings:write",
        summary="Cancel an appointment; one that is cancelled already is no fault",
        handler=end_booking,
        answers={204: None},
        problems=(BOOKING_OVER,),
    ),
)
