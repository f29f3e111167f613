"""`cancel_booking(appointment)`: give up an appointment that was told in this call."""

from collections.abc import Mapping
from typing import Any

from booking.bookings import cancel_booking
from gateway.tools.answers import answer, telling_failures
from gateway.tools.arguments import schema, text_of
from gateway.tools.call_booking import CallBooking
from gateway.tools.offered import own_appointment
from pipeline.ports import ToolResult, ToolSpec


class CancelBooking:
    spec = ToolSpec(
        name="cancel_booking",
        description=(
            "Cancel an appointment that my_appointments or confirm_booking returned, once the caller has "
            "said which and that they mean it. Say that it is cancelled only if the answer says so."
        ),
        parameters=schema(appointment=text_of("the appointment's token, such as a1")),
        effectful=True,
    )

    def __init__(self, booking: CallBooking) -> None:
        self._booking = booking

    @telling_failures(cancelled=False)
    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        """Raises `ToolArgumentError` for an appointment that was not told in this call."""
        booking = self._booking
        async with booking.changing:
            own = own_appointment(booking, arguments)
            ended = await cancel_booking(
                booking.pool, booking.claim, booking_id=own.id, contact_id=own.contact_id
            )
            booking.let_go(ended.hold_id)
            token, spoken = booking.keep(ended), booking.spoken(ended.slot)
            return answer(
                "cancelled", {"cancelled": True, "appointment": token, "spoken": spoken}, time=spoken
            )
