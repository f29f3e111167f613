"""The tokens that tools take: of slots and appointments that were offered in this call, of nothing else."""

from collections.abc import Mapping
from typing import Any

from booking.types import Booking, Conflict, Slot
from gateway.spoken import listed
from gateway.tools.answers import refusal
from gateway.tools.arguments import given
from gateway.tools.call_booking import CallBooking
from gateway.tools.find_slots import OFFERED
from pipeline.errors import ToolArgumentError
from pipeline.ports import ToolResult

_NONE_LEFT = "I have nothing else on that day or soon after"


def offered_slot(booking: CallBooking, arguments: Mapping[str, Any]) -> Slot:
    """Raises `ToolArgumentError` for a slot that was not offered in this call."""
    slot = booking.offers.get(given(arguments, "slot"))
    if slot is None:
        raise ToolArgumentError("slot must be a token that find_slots returned in this call")
    return slot


def own_appointment(booking: CallBooking, arguments: Mapping[str, Any]) -> Booking:
    """An appointment of whoever proved the number in this call; others get no token. Raises
    `ToolArgumentError`.
    """
    appointment = booking.appointments.get(given(arguments, "appointment"))
    if appointment is None:
        raise ToolArgumentError("appointment must be a token that my_appointments returned in this call")
    return appointment


def conflict(booking: CallBooking, lost: Conflict, facts: Mapping[str, Any]) -> ToolResult:
    """The slot is not to be had; others are offered in its place."""
    offers = booking.offer(lost.slots[:OFFERED])
    others = f"I can offer {listed([each['spoken'] for each in offers])}" if offers else _NONE_LEFT
    return refusal(lost.reason, {**facts, "slots": offers}, others=others.rstrip("."))
