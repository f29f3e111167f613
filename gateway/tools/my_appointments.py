"""`my_appointments()`: what whoever calls has booked, once they have proved a number."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from booking.bookings import page_of_bookings
from booking.reception import verified_caller
from booking.types import Booking
from gateway.spoken import listed
from gateway.tools.answers import answer, refusal, telling_failures
from gateway.tools.arguments import schema
from gateway.tools.call_booking import CallBooking
from pipeline.ports import ToolResult, ToolSpec

_TOLD: Final = 5


class MyAppointments:
    spec = ToolSpec(
        name="my_appointments",
        description=(
            "The caller's coming appointments, soonest first. The number that a call shows can be "
            "forged, so the caller must prove it first: send_code, then verify_code."
        ),
        parameters=schema(),
        effectful=False,
    )

    def __init__(self, booking: CallBooking) -> None:
        self._booking = booking

    def memory(self) -> Callable[[], None]:
        """See `pipeline.ports.Remembers`: what was told on a wrong guess has not been offered."""
        return self._booking.memory()

    @telling_failures(appointments=[])
    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        booking = self._booking
        proved = booking.proved.hold_id if booking.proved else None
        caller = await verified_caller(booking.pool, booking.claim, call_id=booking.call_id, hold_id=proved)
        if caller is None:
            return refusal("unverified_caller", {"appointments": []})
        if caller.contact_id is None:
            return answer("no_appointments", {"appointments": []}, detail={"count": "0"})
        return self._told(
            await page_of_bookings(
                booking.pool,
                booking.claim,
                limit=_TOLD,
                contact_id=caller.contact_id,
                status="booked",
                after=booking.now(),
            )
        )

    def _told(self, bookings: list[Booking]) -> ToolResult:
        if not bookings:
            return answer("no_appointments", {"appointments": []}, detail={"count": "0"})
        told = [self._appointment(each) for each in bookings]
        others = listed([each["spoken"] for each in told], "and")
        return answer("appointments", {"appointments": told}, detail={"count": str(len(told))}, others=others)

    def _appointment(self, each: Booking) -> dict[str, str]:
        booking = self._booking
        service = booking.service_name(each.slot.service_id)
        return {"appointment": booking.keep(each), **booking.described(each.slot), "service": service}
