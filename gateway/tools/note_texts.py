"""`note_texts(wanted)`: what the caller answers when asked whether they may be texted about it."""

from collections.abc import Mapping
from typing import Any

from booking.follow_up import note_texts_wanted
from gateway.tools.answers import answer, telling_failures
from gateway.tools.arguments import flag, flag_of, schema
from gateway.tools.call_booking import CallBooking
from pipeline.ports import ToolResult, ToolSpec


class NoteTexts:
    spec = ToolSpec(
        name="note_texts",
        description=(
            "Note the caller's own yes or no to a text with a guide to what they asked about. "
            "Only after they have answered that question; never for them."
        ),
        parameters=schema(wanted=flag_of("true: they said yes; false: they said no")),
        effectful=True,
    )

    def __init__(self, booking: CallBooking) -> None:
        self._booking = booking

    @telling_failures(noted=False)
    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        booking, wanted = self._booking, flag(arguments, "wanted")
        await booking.open()
        await note_texts_wanted(booking.pool, booking.claim, call_id=booking.call_id, wanted=wanted)
        return answer("texts_wanted" if wanted else "texts_declined", {"noted": True})
