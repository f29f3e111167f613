"""`confirm_booking(name)`: what is held becomes an appointment."""

from collections.abc import Mapping
from typing import Any

from booking.contacts import Person
from booking.reception import book_person
from booking.types import Booking
from gateway.tools.answers import answer, refusal, telling_failures
from gateway.tools.arguments import maybe, maybe_text_of, schema
from gateway.tools.call_booking import CallBooking
from pipeline.ports import ToolResult, ToolSpec


class ConfirmBooking:
    spec = ToolSpec(
        name="confirm_booking",
        description=(
            "Book the appointment that is held, once verify_code has answered verified. Say that it is "
            "booked only if the answer says booked. Without an answer, call it again: it books once."
        ),
        parameters=schema(name=maybe_text_of("the caller's full name, if they gave it; else null")),
        effectful=True,
    )

    def __init__(self, booking: CallBooking) -> None:
        self._booking = booking

    @telling_failures(booked=False)
    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        booking = self._booking
        name = maybe(arguments, "name")
        async with booking.changing:
            held, proved = booking.held, booking.proved
            if held is None:
                return refusal("nothing_held", {"booked": False})
            if proved is None or proved.hold_id != held.hold_id:
                return refusal("unverified", {"booked": False})
            booked = await book_person(
                booking.pool,
                booking.claim,
                booking.sealer,
                hold_id=held.hold_id,
                person=Person(proved.to, name),
            )
            return self._told(booked)

    def _told(self, booked: Booking) -> ToolResult:
        """As the row stands: a repetition may come after the appointment was moved or cancelled."""
        booking = self._booking
        token = booking.keep(booked)
        if booked.status != "booked":
            return refusal("already_over", {"booked": False, "appointment": token})
        booking.booked = booked
        described = booking.described(booked.slot)
        told = {"booked": True, "appointment": token, **described}
        detail = {"starts": described["starts"]}
        return answer("booked", told, detail=detail, time=booking.spoken(booked.slot))
