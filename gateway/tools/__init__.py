"""Booking, offered to the model as tools: find, hold, prove a number, book, look up, move, cancel.

The model names no time, person or number of its own: it passes tokens of slots (`s1` …) and appointments
(`a1` …) that were offered in this very call. Times are spoken in the clinic's zone. What fails as expected
(slot taken, wrong code, database away) is a result with a sentence for the caller; only arguments that make
no sense raise. Calls that are repeated find what the first one did.

Nothing is told or changed of a person before a code came back in this call, because the number that a call
shows can be forged: a code for the slot that is held books it, and any code of the call opens the caller's
own appointments.
"""

from collections.abc import Callable

from booking.types import OrgProfile
from gateway.tools.call_booking import CallBooking
from gateway.tools.cancel_booking import CancelBooking
from gateway.tools.claim_slot import ClaimSlot
from gateway.tools.confirm_booking import ConfirmBooking
from gateway.tools.find_slots import FindSlots, find_slots_spec
from gateway.tools.my_appointments import MyAppointments
from gateway.tools.no_more_calls import NoMoreCalls
from gateway.tools.note_texts import NoteTexts
from gateway.tools.reschedule_booking import RescheduleBooking
from gateway.tools.send_code import SendCode
from gateway.tools.services import match_service
from gateway.tools.stop_recording import StopRecording
from gateway.tools.take_message import TakeMessage
from gateway.tools.transfer_to_human import TransferToHuman
from gateway.tools.verify_code import VerifyCode
from pipeline.ports import Tool, ToolSpec

__all__ = [
    "CallBooking",
    "CancelBooking",
    "ClaimSlot",
    "ConfirmBooking",
    "FindSlots",
    "MyAppointments",
    "NoMoreCalls",
    "NoteTexts",
    "RescheduleBooking",
    "SendCode",
    "StopRecording",
    "TakeMessage",
    "TransferToHuman",
    "VerifyCode",
    "call_tools",
    "match_service",
    "tool_specs",
]


def call_tools(booking: CallBooking, refuse: Callable[[], None]) -> tuple[Tool, ...]:
    """All tools of a call that the gateway provides. `refuse`: the caller does not want to be recorded."""
    return (
        FindSlots(booking),
        ClaimSlot(booking),
        SendCode(booking),
        VerifyCode(booking),
        ConfirmBooking(booking),
        MyAppointments(booking),
        CancelBooking(booking),
        RescheduleBooking(booking),
        NoteTexts(booking),
        StopRecording(refuse),
        *([] if booking.placed_id is None else [NoMoreCalls(booking)]),
    )


def tool_specs(profile: OrgProfile) -> tuple[ToolSpec, ...]:
    """What a model of this org is told of the tools that `call_tools` makes for each call."""
    return (
        find_slots_spec(profile),
        ClaimSlot.spec,
        SendCode.spec,
        VerifyCode.spec,
        ConfirmBooking.spec,
        MyAppointments.spec,
        CancelBooking.spec,
        RescheduleBooking.spec,
        NoteTexts.spec,
        StopRecording.spec,
    )
