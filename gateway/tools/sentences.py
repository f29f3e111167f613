"""What is said of each outcome of a tool, and of each error of booking. One table for all tools.

A sentence may be spoken as it stands: it names no person, number or code. `{time}`, `{others}`, `{left}` are
filled in by the tool. The model may put it in its own words but not into another sense.
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from booking import errors

Outcome = Literal[
    "found",
    "none_free",
    "unknown_service",
    "held",
    "already_booked",
    "taken",
    "past",
    "gone",
    "sent",
    "already_sent",
    "already_verified",
    "no_number",
    "number_invalid",
    "not_mobile",
    "opted_out",
    "limited",
    "verified",
    "wrong",
    "expired",
    "locked",
    "malformed",
    "no_code",
    "code_void",
    "nothing_held",
    "unverified",
    "hold_over",
    "booked",
    "unverified_caller",
    "appointments",
    "no_appointments",
    "cancelled",
    "rescheduled",
    "already_over",
    "unsuitable",
    "texts_wanted",
    "texts_declined",
    "not_recorded",
    "calls_declined",
    "message_taken",
    "messages_full",
    "put_through",
    "nobody_there",
    "not_put_through",
    "no_texts",
    "texts_busy",
    "text_unconfirmed",
    "call_over",
    "unavailable",
    "failed",
]

SENTENCES: Final[Mapping[Outcome, str]] = {
    "found": "I can offer {others}.",
    "none_free": "I'm sorry, nothing is free then. Would another day suit you?",
    "unknown_service": "I'm sorry, we don't offer that.",
    "held": "I'm holding {time} for you. To book it, I'll text a code to your mobile.",
    "already_booked": "You are booked for {time} already.",
    "taken": "That time has just gone; {others}.",
    "past": "That time has passed; {others}.",
    "gone": "I'm sorry, that time is not offered any more. Shall I look for another?",
    "sent": "I've texted you a six-digit code. Please read it out, or type it on your keypad.",
    "already_sent": "I texted you a code a moment ago; it may take half a minute to come. What does it say?",
    "already_verified": "Thank you, your number is confirmed already.",
    "no_number": "I can't see the number you are calling from. Which mobile number may I text?",
    "number_invalid": "I'm sorry, that doesn't seem to be a complete phone number. Could you say it again?",
    "not_mobile": "That number can't get text messages. Is there a mobile number that I may text?",
    "opted_out": (
        "That number has asked us for no more texts. Is there another mobile number that I may text?"
    ),
    "limited": "I'm sorry, I can't send any more codes for now. The clinic can call you back to finish this.",
    "verified": "Thank you, that's the right code.",
    "wrong": "I'm sorry, that's not the code I sent. Could you look again? You have {left}.",
    "expired": "I'm sorry, that code has run out. Shall I send you a new one?",
    "locked": "I'm sorry, there were too many wrong codes, so I must stop. The clinic can call you back.",
    "malformed": "I need all six digits of the code. Could you read them out one by one, or type them?",
    "no_code": "I haven't sent you a code yet. Shall I text you one?",
    "code_void": "That code was for another time. Shall I text you a new one?",
    "nothing_held": "I'm not holding a time for you yet. When would you like to come?",
    "unverified": "Before I can book it, I need the code that I text you.",
    "hold_over": "I'm sorry, I couldn't hold that time any longer. Shall I see if it is still free?",
    "booked": "You are booked for {time}.",
    "unverified_caller": (
        "Before I can look at your appointments, I need to know it's you. May I text a code to your mobile?"
    ),
    "appointments": "You have {others}.",
    "no_appointments": "I can find no coming appointment under that number.",
    "cancelled": "Your appointment on {time} is cancelled.",
    "rescheduled": "Your appointment is now on {time}.",
    "already_over": "I'm sorry, that appointment can't be changed any more.",
    "unsuitable": "I'm sorry, that time is for something else. Shall I look for another?",
    "texts_wanted": "Thank you. I'll text you a link once we have hung up.",
    "texts_declined": "That's fine, I won't text you.",
    "not_recorded": "That's fine, nothing that is said in this call is kept.",
    "calls_declined": "That's fine, we won't call you again.",
    "message_taken": "Thank you, I have left your message for the clinic.",
    "messages_full": "I have left your messages already. The clinic will read them.",
    "put_through": "I'm putting you through now.",
    "nobody_there": "I'm sorry, there is nobody at the desk now. Would you like to leave a message?",
    "not_put_through": "I'm sorry, I can't put you through just now. Would you like to leave a message?",
    "no_texts": "I'm sorry, I can't send texts just now. The clinic can call you back to finish this.",
    "texts_busy": "I'm sorry, the message didn't go out just now. Shall I try once more?",
    "text_unconfirmed": "I'm not sure that text went out. Shall I send another? Only the newest code counts.",
    "call_over": "I'm sorry, this call is over, so I can't do that any more.",
    "unavailable": "I'm sorry, I can't reach the diary just now. Shall we call you back?",
    "failed": "I'm sorry, that didn't work. The clinic can call you back.",
}

_REFUSED: Final[Mapping[str, Outcome]] = {
    "receiver": "number_invalid",
    "opted_out": "opted_out",
    "credentials": "no_texts",
    "configuration": "no_texts",
    "content": "no_texts",
}
# Twilio docs, error pages 21614, 21635 and 30006 (read 2026-11): not a mobile, a landline, found to be one.
_NOT_MOBILE: Final = frozenset({21614, 21635, 30006})

FAILURES: Final[Mapping[type[errors.BookingError], Outcome]] = {
    errors.SlotUnknown: "gone",
    errors.SlotUnsuitable: "unsuitable",
    errors.ServiceUnknown: "unknown_service",
    errors.PractitionerUnknown: "gone",
    errors.CallOver: "call_over",
    errors.CallUnknown: "failed",
    errors.HoldUnknown: "hold_over",
    errors.HoldOver: "hold_over",
    errors.HoldUnverified: "unverified",
    errors.ContactUnknown: "failed",
    errors.BookingUnknown: "already_over",
    errors.BookingOver: "already_over",
    errors.BookingUnavailable: "unavailable",
    errors.StatementRefused: "failed",
    errors.ValueInvalid: "failed",
    errors.SealUnreadable: "failed",
    errors.NumberInvalid: "number_invalid",
    errors.CodeMalformed: "malformed",
    errors.SmsError: "no_texts",
    errors.SmsNotConfigured: "no_texts",
    errors.SmsUnavailable: "texts_busy",
    errors.SmsUnconfirmed: "text_unconfirmed",
}
"""`SmsRefused` is told by its reason. An error that no tool can meet (a migration's) has no entry."""


def outcome_of(error: errors.BookingError) -> Outcome:
    """Raises the error itself if it is none that a caller could be told of."""
    if isinstance(error, errors.SmsRefused):
        return "not_mobile" if error.code in _NOT_MOBILE else _REFUSED[error.reason]
    outcome = FAILURES.get(type(error))
    if outcome is None:
        raise error
    return outcome


def outcomes() -> frozenset[Outcome]:
    """Every one that a tool may have."""
    return frozenset(get_args(Outcome))
