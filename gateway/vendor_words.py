"""What a model calls a tool and a vendor calls a fault, brought to closed sets before anybody is shown it.

Either may be any word, also one that somebody has said: a model makes up names of tools, and a vendor's
machine-readable code is only as closed as the vendor keeps it.
"""

import re
from dataclasses import replace
from typing import Final

from pipeline.events import JournalEvent, ProviderFailed, ToolFinished

TOOLS: Final = frozenset(
    {
        "find_slots",
        "claim_slot",
        "send_code",
        "verify_code",
        "confirm_booking",
        "my_appointments",
        "no_more_calls",
        "cancel_booking",
        "reschedule_booking",
        "note_texts",
        "stop_recording",
        "take_message",
        "transfer_to_human",
        "end_call",
    }
)
FAULTS: Final = frozenset(
    {
        "adapter_failed",
        "audio_stalled",
        "audio_unread",
        "client_closed",
        "concurrency_limited",
        "connection_lost",
        "empty",
        "ended",
        "ended_early",
        "error_in_stream",
        "events_unread",
        "idle",
        "keeps_dropping",
        "line_too_long",
        "link_closed",
        "malformed_message",
        "no_answer",
        "no_audio",
        "no_clause",
        "no_end",
        "no_finish",
        "no_first_audio",
        "open_timeout",
        "phrase_timeout",
        "quota_exceeded",
        "read_timeout",
        "reply_limit",
        "socket_closed",
        "stalled",
        "tool_loop",
        "unreachable",
    }
)
_NUMBERED: Final = re.compile(r"(?:http|status)_[1-5][0-9]{2}|closed_[1-4][0-9]{3}")
UNKNOWN_TOOL: Final = "unknown"
OTHER_FAULT: Final = "other"


def in_closed_words(event: JournalEvent) -> JournalEvent:
    """The event with words of ours alone where the model's or a vendor's may have stood."""
    match event:
        case ToolFinished():
            return replace(event, name=tool_name(event.name))
        case ProviderFailed():
            return replace(event, fault=fault_name(event.fault))
    return event


def tool_name(name: str) -> str:
    return name if name in TOOLS else UNKNOWN_TOOL


def fault_name(fault: str) -> str:
    return fault if fault in FAULTS or _NUMBERED.fullmatch(fault) else OTHER_FAULT
