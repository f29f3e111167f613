"""`transfer_to_human(wanted)`: the caller is put through to a person at the clinic."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import structlog

from booking.handovers import ask_handover, end_handover
from gateway.errors import CarrierRefused
from gateway.handover import CallHandover, HandoverOrder
from gateway.tools.answers import answer, refusal, telling_failures
from gateway.tools.arguments import given, schema, text_of
from gateway.tools.call_booking import CallBooking
from pipeline.ports import ToolResult, ToolSpec

log = structlog.get_logger("gateway.call")

_NOT: Final = {"transferred": False}


class TransferToHuman:
    """Of calls whose carrier can do it, for a clinic with a number to put them through to. What is held stays
    held.
    """

    spec = ToolSpec(
        name="transfer_to_human",
        description=(
            "Put the caller through to a person at the clinic. Only when the caller wants that, or needs "
            "what no other tool can do. After it the call is no longer yours."
        ),
        parameters=schema(wanted=text_of("What the caller wants, in one plain sentence")),
        effectful=True,
    )

    def __init__(self, booking: CallBooking, handover: CallHandover) -> None:
        self._booking = booking
        self._handover = handover

    @telling_failures(**_NOT)
    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        booking, wanted = self._booking, given(arguments, "wanted")
        async with booking.changing:
            if self._handover.done:
                return answer("put_through", {"transferred": True})
            zone = ZoneInfo(booking.profile.time_zone)
            if not self._handover.rules.is_staffed(booking.now(), zone):
                return refusal("nobody_there", _NOT)
            await booking.open()
            return await self._put_through(wanted)

    async def _put_through(self, wanted: str) -> ToolResult:
        booking, handover = self._booking, self._handover
        handover_id, pool, claim = uuid4(), booking.pool, booking.claim
        summary = handover.summarised(wanted)
        await ask_handover(pool, claim, handover_id=handover_id, call_id=booking.call_id, summary=summary)
        order = HandoverOrder(
            org_id=claim.org_id,
            handover_id=handover_id,
            number=handover.rules.number or "",
            ring_s=handover.rules.ring_s,
            longest_s=handover.longest_s,
            ends=booking.ends,
        )
        try:
            await handover.order(order)
        except (CarrierRefused, OSError, TimeoutError) as error:
            log.warning("not_put_through", call=str(booking.call_id), error=type(error).__name__)
            await end_handover(pool, claim, handover_id=handover_id, state="failed")
            return refusal("not_put_through", _NOT)
        handover.done = True
        return answer("put_through", {"transferred": True})
