"""`claim_slot(slot)`: hold an offered slot for this caller."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from booking.holds import claim_slot
from booking.types import Held, Slot
from gateway.tools.answers import answer, telling_failures
from gateway.tools.arguments import schema, text_of
from gateway.tools.call_booking import CallBooking
from gateway.tools.offered import conflict, offered_slot
from pipeline.ports import ToolResult, ToolSpec


class ClaimSlot:
    spec = ToolSpec(
        name="claim_slot",
        description=(
            "Hold an appointment that find_slots returned and the caller has chosen. Say that it is held "
            "only if the answer says held; it is not booked yet. A new choice replaces the earlier hold."
        ),
        parameters=schema(slot=text_of("the slot's token, such as s1")),
        effectful=True,
    )

    def __init__(self, booking: CallBooking) -> None:
        self._booking = booking

    @telling_failures(held=False)
    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        """Raises `ToolArgumentError` for a slot that was not offered in this call."""
        booking = self._booking
        slot = offered_slot(booking, arguments)
        async with booking.changing:
            booked = booking.booked
            if booked is not None and booked.status == "booked" and booked.slot.id == slot.id:
                facts = {"held": True, "booked": True, "spoken": booking.spoken(slot)}
                return answer("already_booked", facts, time=booking.spoken(slot))
            held = booking.held_now()
            if held is not None and booking.held_by is not None and held.slot.id == slot.id:
                return self._held(held)
            return await self._claim(slot)

    async def _claim(self, slot: Slot) -> ToolResult:
        booking = self._booking
        await booking.open()
        ttl = timedelta(seconds=booking.hold_s)
        claimed = await claim_slot(
            booking.pool, booking.claim, slot_id=slot.id, call_id=booking.call_id, ttl=ttl
        )
        if not isinstance(claimed, Held):
            return conflict(booking, claimed, {"held": False})
        await booking.release_earlier()
        booking.hold(claimed)
        return self._held(claimed)

    def _held(self, held: Held) -> ToolResult:
        booking = self._booking
        minutes = max(1, round((held.expires_at - booking.now()).total_seconds() / 60))
        told = {"held": True, "spoken": booking.spoken(held.slot), "expires_minutes": minutes}
        starts = held.slot.starts_at.astimezone(booking.zone).isoformat()
        detail = {"starts": starts, "expires": held.expires_at.isoformat()}
        return answer("held", told, detail=detail, time=booking.spoken(held.slot))
