"""The scripted receptionist proves whom it books for: it has a code sent, takes it back, and books."""

from collections.abc import Mapping
from typing import Any, Final

from bench.simulators.receptionist_situation import Situation
from bench.simulators.replies import Call, Reply
from gateway.tools.spoken_digits import digits_said

ANYTHING_ELSE: Final = "Is there anything else I can help you with?"
ASK_CODE: Final = "Please read me the six-digit code that I texted you, or type it on your keypad."
SORRY: Final = "I'm sorry, something went wrong."
TOOLS: Final = frozenset({"send_code", "verify_code", "confirm_booking", "cancel_booking"})
_FEWEST_CODE_DIGITS: Final = 4
_FEWEST_NUMBER_DIGITS: Final = 7
_KEYS: Final = "(keypad)"
_ANOTHER_NUMBER: Final = frozenset({"no_number", "number_invalid", "not_mobile", "opted_out"})
_ANOTHER_CODE: Final = frozenset({"texts_busy", "text_unconfirmed", "expired", "code_void"})
_TRY_AGAIN: Final = frozenset({"unavailable"})


def prove(now: Situation, opening: str) -> Reply | None:
    """What follows a hold: a code to the caller. None without the tools for it."""
    if not now.tools >= TOOLS - {"cancel_booking"}:
        return None
    return Reply(opening, (_send(None),))


def answer(now: Situation, moves: frozenset[str]) -> Reply | None:
    """The caller's turn, if it is about the code; None if it is about something else."""
    digits = digits_said(now.said)
    if now.awaits_code and now.turn.day is None and _is_code(now.said, digits):
        return Reply(calls=(Call("verify_code", {"code": now.said}),))
    if now.awaits_code and "resend" in moves:
        return Reply(calls=(_send(None),))
    if now.refused in _ANOTHER_NUMBER and len(digits) >= _FEWEST_NUMBER_DIGITS:
        return Reply(calls=(_send(now.said),))
    return _agreed(now) if "yes" in moves else None


def tell(now: Situation, name: str, result: Mapping[str, Any]) -> Reply:
    """What a tool has answered: its own sentence, or the next step."""
    if result.get("verified") is True:
        return Reply(calls=(_confirm(),)) if now.held else Reply(f"{_sentence(result)} {ANYTHING_ELSE}")
    if result.get("sent") is True:
        return Reply(_sentence(result))
    if name == "confirm_booking" and result.get("booked") is True:
        practitioner = result.get("practitioner")
        doctor = f" with {practitioner}" if practitioner else ""
        return Reply(f"You are booked for {now.booked}{doctor}. {ANYTHING_ELSE}")
    said = _sentence(result)
    return Reply(said if said.endswith("?") else f"{said} {ANYTHING_ELSE}")


def cancel(now: Situation) -> Reply | None:
    """Give up what was booked in this call."""
    if now.booked is None or not now.appointment or "cancel_booking" not in now.tools:
        return None
    return Reply(calls=(Call("cancel_booking", {"appointment": now.appointment}),))


def _agreed(now: Situation) -> Reply | None:
    """ "Yes": to another code, to another try, to the same time once more."""
    if now.refused in _ANOTHER_CODE:
        return Reply(calls=(_send(None),))
    if now.refused in _TRY_AGAIN and now.held and not now.awaits_code:
        return Reply(calls=(_confirm(),))
    if now.refused == "hold_over" and now.claimed is not None:
        return Reply(calls=(Call("claim_slot", {"slot": now.claimed.slot}),))
    return None


def _is_code(said: str, digits: str) -> bool:
    return said.startswith(_KEYS) or len(digits) >= _FEWEST_CODE_DIGITS


def _send(number: str | None) -> Call:
    return Call("send_code", {"number": number})


def _confirm() -> Call:
    return Call("confirm_booking", {"name": None})


def _sentence(result: Mapping[str, Any]) -> str:
    return str(result.get("say") or SORRY)
