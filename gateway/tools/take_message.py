"""`take_message(message)`: what the caller wants the clinic to be told."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID, uuid4

from gateway.tools.answers import answer, refusal, telling_failures
from gateway.tools.arguments import schema, text_of
from gateway.tools.call_booking import CallBooking
from gateway.voicemail import Voicemail
from pipeline.errors import ToolArgumentError
from pipeline.ports import ToolResult, ToolSpec

_LONGEST: Final = 1500
_MOST: Final = 3  # of one call


class TakeMessage:
    """`taken`: the messages that were left in the call before. `new_id`: of the next one."""

    spec = ToolSpec(
        name="take_message",
        description=(
            "Leave the caller's message for the clinic, whose people read it later. Only when the caller "
            "wants to leave one; ask for the whole of it first."
        ),
        parameters=schema(message=text_of("The message in the caller's own words, all of them")),
        effectful=True,
    )

    def __init__(
        self,
        booking: CallBooking,
        voicemail: Voicemail,
        taken: list[str] | None = None,
        new_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self._booking = booking
        self._voicemail = voicemail
        self._taken = [] if taken is None else taken
        self._new_id = new_id
        self._ids: dict[str, UUID] = {}  # of messages of which it is not known whether they were kept

    @telling_failures(taken=False)
    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        message = _message(arguments)
        async with self._booking.changing:
            if message in self._taken:
                return answer("message_taken", {"taken": True})
            if len(self._taken) >= _MOST:
                return refusal("messages_full", {"taken": False})
            await self._booking.open()
            if message not in self._ids:
                self._ids[message] = self._new_id()
            if not await self._voicemail.keep(message, self._ids[message]):
                return refusal("failed", {"taken": False})
            self._taken.append(message)
        return answer("message_taken", {"taken": True})


def _message(arguments: Mapping[str, Any]) -> str:
    """Raises `ToolArgumentError`."""
    value = arguments.get("message")
    if not isinstance(value, str) or not value.strip():
        raise ToolArgumentError("message must be given")
    return value.replace("\x00", "").strip()[:_LONGEST]
