"""`no_more_calls()`: whoever the clinic has called does not want to be called."""

from collections.abc import Mapping
from typing import Any

from booking.placed_calls import note_calls_wanted
from gateway.tools.answers import answer, telling_failures
from gateway.tools.arguments import schema
from gateway.tools.call_booking import CallBooking
from pipeline.ports import ToolResult, ToolSpec


class NoMoreCalls:
    """Of calls that the clinic has placed. There is no tool for the opposite."""

    spec = ToolSpec(
        name="no_more_calls",
        description=(
            "Have the clinic not call this person again. Only when they say that they do not want to be "
            "called; a bad moment is no such word."
        ),
        parameters=schema(),
        effectful=True,
    )

    def __init__(self, booking: CallBooking) -> None:
        self._booking = booking

    @telling_failures(noted=False)
    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        booking = self._booking
        noted = booking.placed_id is not None and await note_calls_wanted(
            booking.pool, booking.claim, placed_id=booking.placed_id, wanted=False
        )
        return answer("calls_declined", {"noted": noted})
