"""Vapi's id of a call, as whatever Vapi sends may hold one: a UUID today. Pure."""

import re
from typing import Any, Final

_CALL_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")


def sound_call_id(told: Any) -> str:
    """ "" for what is none."""
    return told if isinstance(told, str) and _CALL_ID.fullmatch(told) else ""
