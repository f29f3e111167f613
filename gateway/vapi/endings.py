"""Why a call of Vapi's ended: its hundreds of reasons, by what they mean for us. Pure.

Vapi docs, "Call ended reason", and OpenAPI `endedReason` (read 2026-11). The set is open; the raw word is
kept beside the group as far as it has the form of one.
"""

import re
from typing import Final, Literal

Group = Literal[
    "caller_hung_up",
    "assistant_ended",
    "forwarded",
    "limit",
    "not_reached",
    "canceled",
    "start_up",
    "custom_service",
    "platform",
    "unknown",
    "lost",
]
IN_ORDER: Final[frozenset[Group]] = frozenset({"caller_hung_up", "assistant_ended", "forwarded"})
"""The caller knows how the call stood: our goodbye, their hanging up, or the clinic's own people."""

_REASON: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_OURS: Final = ("custom-llm", "custom-voice", "custom-transcriber")
_EXACTLY: Final[dict[str, Group]] = {
    **dict.fromkeys(
        (
            "vonage-completed",
            "vonage-disconnected",
            "call.in-progress.twilio-completed-call",
            "call.in-progress.sip-completed-call",
            "call.ringing.sip-inbound-caller-hungup-before-call-connect",
        ),
        "caller_hung_up",
    ),
    **dict.fromkeys(("call.ending.hook-executed-say", "call.ringing.hook-executed-say"), "assistant_ended"),
    **dict.fromkeys(
        (
            "assistant-forwarded-call",
            "call.ending.hook-executed-transfer",
            "call.ringing.hook-executed-transfer",
        ),
        "forwarded",
    ),
    **dict.fromkeys(("silence-timed-out", "exceeded-max-duration"), "limit"),
    **dict.fromkeys(
        (
            "customer-busy",
            "customer-did-not-answer",
            "voicemail",
            "twilio-failed-to-connect-call",
            "twilio-reported-customer-misdialed",
            "vonage-rejected",
            "vonage-failed-to-connect-call",
            "customer-did-not-give-microphone-permission",
        ),
        "not_reached",
    ),
    **dict.fromkeys(("manually-canceled", "call-deleted", "scheduled-call-deleted"), "canceled"),
    **dict.fromkeys(
        (
            "phone-call-provider-bypass-enabled-but-no-call-received",
            "assistant-join-timed-out",
            "call.ringing.error-sip-inbound-call-failed-to-connect",
        ),
        "start_up",
    ),
    **dict.fromkeys(("worker-shutdown", "phone-call-provider-closed-websocket"), "platform"),
}
_BEGINNING: Final[tuple[tuple[str, Group], ...]] = (
    ("customer-ended-call", "caller_hung_up"),
    ("assistant-ended-call", "assistant_ended"),
    ("assistant-said-end-call-phrase", "assistant_ended"),
    ("call.forwarding.", "not_reached"),  # it failed: the caller has spoken with nobody else
    ("sip-outbound-", "not_reached"),
    ("assistant-request-", "start_up"),
    ("assistant-not-", "start_up"),
    ("call-start-error-", "start_up"),
    ("call.start.", "start_up"),
    ("pipeline-", "platform"),
    ("call.in-progress.error-", "platform"),
)


def group_of(reason: str) -> Group:
    """What the raw reason comes to. Our own services at fault stand above all."""
    if any(each in reason for each in _OURS):
        return "custom_service"
    if reason in _EXACTLY:
        return _EXACTLY[reason]
    return next((group for begins, group in _BEGINNING if reason.startswith(begins)), "unknown")


def kept_reason(reason: str) -> str | None:
    """The raw word; None for what has not the form of one."""
    return reason if _REASON.fullmatch(reason) else None
