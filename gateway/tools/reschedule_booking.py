"""`reschedule_booking(appointment, slot)`: move an appointment to a slot that was offered."""

from collections.abc import Mapping
from typing import Any

from booking.bookings import reschedule_booking
from booking.types import Booking, Conflict, Slot
from gateway.tools.answers import answer, telling_failures
from gateway.tools.arguments import schema, text_of
from gateway.tools.call_booking import CallBooking
from gateway.tools.offered import conflict, offered_slot, own_appointment
from pipeline.ports import ToolResult, ToolSpec


class RescheduleBooking:
    spec = ToolSpec(
        name="reschedule_booking",
        description=(
            "Move an appointment that my_appointments or confirm_booking returned to a slot of the same "
            "service that find_slots returned. It is moved at once, without claim_slot. Say that it is "
            "moved only if the answer says so."
        ),
        parameters=schema(
            appointment=text_of("the appointment's token, such as a1"),
            slot=text_of("the new slot's token, such as s1"),
        ),
        effectful=True,
    )

    def __init__(self, booking: CallBooking) -> None:
        self._booking = booking

    @telling_failures(rescheduled=False)
    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        """Raises `ToolArgumentError` for what was not offered in this call."""
        booking = self._booking
        async with booking.changing:
            own, slot = own_appointment(booking, arguments), offered_slot(booking, arguments)
            moved = await self._move(own, slot)
            if isinstance(moved, Conflict):
                return conflict(booking, moved, {"rescheduled": False})
            booking.let_go(own.hold_id)
            return self._told(moved)

    async def _move(self, own: Booking, slot: Slot) -> Booking | Conflict:
        booking = self._booking
        await booking.open()
        return await reschedule_booking(
            booking.pool,
            booking.claim,
            booking_id=own.id,
            slot_id=slot.id,
            contact_id=own.contact_id,
            call_id=booking.call_id,
        )

    def _told(self, moved: Booking) -> ToolResult:
        booking = self._booking
        if booking.held_now() is not None:  # what the call held gave way
            booking.held = None
        token = booking.keep(moved)
        described = booking.described(moved.slot)
        told = {"rescheduled": True, "appointment": token, **described}
        return answer(
            "rescheduled", told, detail={"starts": described["starts"]}, time=booking.spoken(moved.slot)
        )
