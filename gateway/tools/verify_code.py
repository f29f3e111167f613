"""`verify_code(code)`: check what the caller read out or typed."""

from collections.abc import Mapping
from typing import Any, Final

from booking.types import CodeCheck
from gateway.tools.answers import answer, refusal, telling_failures
from gateway.tools.arguments import given, schema, text_of
from gateway.tools.call_booking import CallBooking, SentCode
from gateway.tools.sentences import Outcome
from gateway.tools.spoken_digits import code_said
from pipeline.ports import ToolResult, ToolSpec

DIGITS: Final = 6
_UNVERIFIED: Final = {"verified": False}


class VerifyCode:
    spec = ToolSpec(
        name="verify_code",
        description=(
            "Check the code that send_code texted. Pass on just what the caller said or typed, never a "
            "guess; never say a code yourself."
        ),
        parameters=schema(code=text_of("the code in the caller's words or keys")),
        effectful=True,
    )

    def __init__(self, booking: CallBooking) -> None:
        self._booking = booking

    @telling_failures(verified=False)
    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        booking = self._booking
        code = code_said(given(arguments, "code"), DIGITS)
        async with booking.changing:
            sent = booking.sent
            if sent is None:
                return refusal("no_code", _UNVERIFIED)
            if sent == booking.proved:
                return answer("verified", {"verified": True})
            if sent.hold_id is not None and not self._is_held(sent):
                return refusal("code_void" if booking.held_now() else "hold_over", _UNVERIFIED)
            if code is None:
                return refusal("malformed", _UNVERIFIED)
            return self._told(sent, await self._check(sent, code))

    def _is_held(self, sent: SentCode) -> bool:
        held = self._booking.held_now()
        return held is not None and held.hold_id == sent.hold_id

    async def _check(self, sent: SentCode, code: str) -> CodeCheck:
        booking, checks = self._booking, self._booking.verification
        if sent.hold_id is not None:
            return await checks.check_code(booking.claim, hold_id=sent.hold_id, code=code)
        return await checks.check_caller_code(booking.claim, call_id=booking.call_id, code=code)

    def _told(self, sent: SentCode, checked: CodeCheck) -> ToolResult:
        if checked.outcome == "verified" or checked.hold_verified:  # an answer that was lost before
            self._booking.proved = sent
            return answer("verified", {"verified": True})
        outcome: Outcome = checked.outcome
        left = "one try left" if checked.attempts_left == 1 else f"{checked.attempts_left} tries left"
        return refusal(outcome, _UNVERIFIED | {"attempts_left": checked.attempts_left}, left=left)
