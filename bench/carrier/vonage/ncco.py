"""Vonage's answer document, parsed and validated: "NCCO reference" (Vonage docs, read 2026-11).

Only the actions that a media gateway answers with are known; any other action, field or value is refused.
There is no action that hangs up: a call ends when its document does. A `notify` stands at the end alone here:
what its answer says comes after it, or nothing.
"""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from bench.carrier.errors import AnswerRejected
from bench.carrier.markup import MAX_DOCUMENT_BYTES, socket_url
from bench.carrier.steps import ConnectStream, Pause, Redirect, Say, Step
from bench.carrier.vonage.rules import ADDRESS, CONTENT_TYPE, HEADERS, NUMBER, SCHEMA, UNREADABLE
from bench.simulators.vonage_ncco import FIELDS

MOST_HEADER_BYTES: Final = 512
_RATE: Final = re.compile(r"audio/l16;\s?rate=(8000|16000|24000)")
_DIGITS: Final = re.compile(r"[0-9]{3,15}")
_FIELDS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "connect": FIELDS["connect"],
        "talk": FIELDS["talk"],
        "notify": FIELDS["notify"],
        "wait": frozenset({"action", "timeout"}),
        "endpoint": frozenset({"type", "uri", "content-type", "headers", "authorization"}),
        "authorization": frozenset({"type", "value"}),
    }
)


def parse_ncco(document: bytes) -> list[Step]:
    """The document's actions in order. Raises `AnswerRejected`."""
    if len(document) > MAX_DOCUMENT_BYTES:
        raise AnswerRejected(UNREADABLE, f"document of {len(document)} bytes")
    try:
        actions = json.loads(document)
    except ValueError:
        raise AnswerRejected(UNREADABLE, "not JSON") from None
    if not isinstance(actions, list):
        raise AnswerRejected(UNREADABLE, "not a list")
    return [_step(_object(each, "an action")) for each in actions]


def _step(action: Mapping[str, Any]) -> Step:
    kind = action.get("action")
    if kind not in ("connect", "talk", "wait", "notify"):
        raise AnswerRejected(SCHEMA, f"action {kind!r:.40} is not played here")
    _check_fields(action, kind)
    match kind:
        case "connect":
            return _connect(action)
        case "talk" if isinstance(action.get("text"), str) and action["text"].strip():
            return Say(action["text"].strip())
        case "notify" if isinstance(action.get("payload"), dict) and "eventUrl" in action:
            return Redirect(str(_event_url(action["eventUrl"])))
        case "wait" if isinstance(action.get("timeout", 10), int):
            return Pause(action.get("timeout", 10))
    raise AnswerRejected(SCHEMA, f"{kind} is empty or has a wrong value")


def _connect(action: Mapping[str, Any]) -> ConnectStream:
    endpoints = action.get("endpoint")
    if not isinstance(endpoints, list) or len(endpoints) != 1:
        raise AnswerRejected(SCHEMA, "connect has exactly one endpoint")
    endpoint = _object(endpoints[0], "an endpoint")
    if endpoint.get("type") != "websocket":
        raise AnswerRejected(SCHEMA, f"endpoint type {endpoint.get('type')!r:.40} is not played here")
    _check_fields(endpoint, "endpoint")
    _check_from(action.get("from"))
    vendors, header = _authorization(endpoint.get("authorization"))
    event_url = _event_url(action.get("eventUrl"))
    if action.get("eventType", "synchronous") != "synchronous":
        raise AnswerRejected(SCHEMA, "eventType is synchronous or nothing")
    return ConnectStream(
        url=socket_url(str(endpoint.get("uri", "")), malformed=ADDRESS, scheme=ADDRESS),
        parameters=_headers(endpoint.get("headers", {})),
        action=event_url if "eventType" in action else None,
        status_callback=event_url,
        rate_hz=_rate_hz(endpoint.get("content-type")),
        signed=vendors,
        headers=header,
    )


def _check_from(number: object) -> None:
    if number is not None and not (isinstance(number, str) and _DIGITS.fullmatch(number)):
        raise AnswerRejected(NUMBER, "from is no number without a plus")


def _rate_hz(content_type: object) -> int:
    found = _RATE.fullmatch(content_type) if isinstance(content_type, str) else None
    if found is None:
        raise AnswerRejected(CONTENT_TYPE, f"content-type {content_type!r:.40}")
    return int(found[1])


def _headers(headers: object) -> Mapping[str, Any]:
    told = headers if isinstance(headers, dict) else None
    if told is None or len(json.dumps(told, separators=(",", ":")).encode()) > MOST_HEADER_BYTES:
        raise AnswerRejected(HEADERS, "headers are no object or too long")
    return told


def _authorization(authorization: object) -> tuple[bool, Mapping[str, str]]:
    """Whether Vonage signs the upgrade, and the header that the answer gave it."""
    if authorization is None:
        return False, {}
    given = _object(authorization, "authorization")
    _check_fields(given, "authorization")
    match given:
        case {"type": "vonage"}:
            return True, {}
        case {"type": "custom", "value": str(value)} if value:
            return False, {"Authorization": value}
    raise AnswerRejected(SCHEMA, "authorization is vonage, or custom with a value")


def _event_url(urls: object) -> str | None:
    if urls is None:
        return None
    if not isinstance(urls, list) or len(urls) != 1 or urlsplit(str(urls[0])).scheme not in ("http", "https"):
        raise AnswerRejected(SCHEMA, "eventUrl is a list of one absolute http(s) address")
    return str(urls[0])


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise AnswerRejected(SCHEMA, f"{what} is no object")
    return value


def _check_fields(given: Mapping[str, Any], kind: str) -> None:
    if unknown := sorted(given.keys() - _FIELDS[kind]):
        raise AnswerRejected(SCHEMA, f"{kind} has no field {unknown[0]}")
