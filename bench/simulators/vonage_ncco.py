"""What Vonage's call control objects may say, as far as a gateway says it over REST. Strict.

Vonage docs, "NCCO reference" (read 2026-11). Any other action, field or value is refused; numbers come
without a plus, and an address is a list of one.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

NUMBER: Final = re.compile(r"[1-9][0-9]{6,14}")
MOST_TALK_CHARS: Final = 1500
MOST_CONNECTED_S: Final = 7200
_SHARED_EVENTS: Final = frozenset({"action", "eventUrl", "eventMethod"})
FIELDS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "connect": _SHARED_EVENTS
        | {"endpoint", "from", "randomFromNumber", "eventType", "timeout", "limit"}
        | {"machineDetection", "advancedMachineDetection", "ringbackTone"},
        "talk": frozenset({"action", "text", "bargeIn", "loop", "level", "language", "style", "premium"}),
        "notify": _SHARED_EVENTS | {"payload"},
        "phone": frozenset({"type", "number", "dtmfAnswer", "onAnswer"}),
    }
)


def ncco_fault(actions: object) -> str | None:
    """What is wrong with a document; None if it can be played."""
    if not isinstance(actions, list) or not actions:
        return "ncco: a list of actions"
    return next((fault for each in actions if (fault := _fault(each))), None)


def is_address(url: object) -> bool:
    return isinstance(url, str) and urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).netloc)


def are_addresses(urls: object) -> bool:
    """As Vonage takes one: in a list."""
    return isinstance(urls, list) and len(urls) == 1 and is_address(urls[0])


def _fault(action: object) -> str | None:
    kind = action.get("action") if isinstance(action, dict) else None
    if not isinstance(action, dict) or not isinstance(kind, str) or kind not in _CHECKS:
        return "ncco: an unknown action"
    if unknown := sorted(action.keys() - FIELDS[kind]):
        return f"{kind}: unknown field {unknown[0]}"
    if "eventUrl" in action and not are_addresses(action["eventUrl"]):
        return f"{kind}: eventUrl"
    if action.get("eventMethod", "POST") not in ("GET", "POST"):
        return f"{kind}: eventMethod"
    return _CHECKS[kind](action)


def _talk(action: Mapping[str, Any]) -> str | None:
    text = action.get("text")
    good = isinstance(text, str) and 0 < len(text.strip()) <= MOST_TALK_CHARS
    return None if good else "talk: text"


def _notify(action: Mapping[str, Any]) -> str | None:
    good = isinstance(action.get("payload"), dict) and "eventUrl" in action
    return None if good else "notify: payload and eventUrl"


def _connect(action: Mapping[str, Any]) -> str | None:
    endpoints = action.get("endpoint")
    if not isinstance(endpoints, list) or len(endpoints) != 1 or not isinstance(endpoints[0], dict):
        return "connect: exactly one endpoint"
    if action.get("eventType", "synchronous") != "synchronous":
        return "connect: eventType"
    if "from" in action and not _is_number(action["from"]):
        return "connect: from"
    for name, most in (("timeout", MOST_CONNECTED_S), ("limit", MOST_CONNECTED_S)):
        if name in action and not (type(action[name]) is int and 1 <= action[name] <= most):
            return f"connect: {name}"
    return _phone(endpoints[0])


def _phone(endpoint: Mapping[str, Any]) -> str | None:
    if endpoint.get("type") != "phone" or endpoint.keys() - FIELDS["phone"]:
        return "connect: endpoint"
    if not _is_number(endpoint.get("number")):
        return "connect: number"
    told = endpoint.get("onAnswer")
    if told is not None and not (isinstance(told, dict) and is_address(told.get("url"))):
        return "connect: onAnswer"
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, str) and NUMBER.fullmatch(value) is not None


_CHECKS: Final[Mapping[str, Callable[[Mapping[str, Any]], str | None]]] = MappingProxyType(
    {"connect": _connect, "talk": _talk, "notify": _notify}
)
