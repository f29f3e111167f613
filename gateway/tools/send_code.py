"""`send_code(number)`: text a code to the caller, who proves the number by it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from booking.types import CodeStored
from gateway.tools.answers import answer, refusal, telling_failures
from gateway.tools.arguments import maybe, maybe_text_of, schema
from gateway.tools.call_booking import CallBooking, SentCode
from gateway.tools.phone_numbers import e164, is_landline
from pipeline.ports import ToolResult, ToolSpec

MOST_TEXTS: Final = 6
"""Codes of one call, whatever it holds and whichever numbers it names: a call is no way to text the world."""


class SendCode:
    spec = ToolSpec(
        name="send_code",
        description=(
            "Text a six-digit code to the caller, to book what is held or to look up their appointments. "
            "It goes to the number they are calling from unless they name another. Never invent a "
            "number, and never say one back."
        ),
        parameters=schema(
            number=maybe_text_of("only a number that the caller has said, in their words; else null")
        ),
        effectful=True,
    )

    def __init__(self, booking: CallBooking) -> None:
        self._booking = booking

    @telling_failures(sent=False)
    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        booking = self._booking
        said = maybe(arguments, "number")
        async with booking.changing:
            to = e164(said, booking.ends.dialled or booking.ends.caller or "") if said else self._known()
            if to is None:
                return refusal("no_number", {"sent": False})
            if is_landline(to):
                return refusal("not_mobile", {"sent": False})
            return self._repeated(self._wanted(to)) or await self._send(self._wanted(to))

    def _known(self) -> str | None:
        """The number that this call has texted before, else the one that it came from."""
        return self._booking.sent.to if self._booking.sent else self._booking.ends.caller

    def _wanted(self, to: str) -> SentCode:
        held = self._booking.held_now()
        return SentCode(to, held.hold_id if held else None, self._booking.now())

    def _repeated(self, wanted: SentCode) -> ToolResult | None:
        """The same was asked for before: a new code would void what that one proved, or go out twice."""
        booking = self._booking
        if booking.proved is not None and _proves(booking.proved, wanted):
            return answer("already_verified", {"sent": False, "verified": True})
        if booking.sent is not None and _is_repeated(booking.sent, wanted, booking.resend_s):
            return answer("already_sent", {"sent": True})
        if booking.texts >= MOST_TEXTS:
            return refusal("limited", {"sent": False})
        return None

    async def _send(self, wanted: SentCode) -> ToolResult:
        booking = self._booking
        await booking.open()
        booking.texts += 1
        stored = await self._text(wanted)
        if not stored.stored:
            return refusal("locked" if stored.outcome == "locked" else "limited", {"sent": False})
        booking.sent = replace(wanted, at=booking.now())
        return answer("sent", {"sent": True, "codes_left": stored.codes_left})

    async def _text(self, wanted: SentCode) -> CodeStored:
        booking = self._booking
        if wanted.hold_id is not None:
            return await booking.verification.send_code(booking.claim, hold_id=wanted.hold_id, to=wanted.to)
        return await booking.verification.send_caller_code(
            booking.claim, call_id=booking.call_id, to=wanted.to
        )


def _proves(proved: SentCode, wanted: SentCode) -> bool:
    """A hold takes a code of its own; for the call any will do."""
    return proved.to == wanted.to and wanted.hold_id in (None, proved.hold_id)


def _is_repeated(sent: SentCode, wanted: SentCode, resend_s: float) -> bool:
    same = (sent.to, sent.hold_id) == (wanted.to, wanted.hold_id)
    return same and (wanted.at - sent.at).total_seconds() < resend_s
