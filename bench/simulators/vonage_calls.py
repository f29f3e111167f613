"""Calls that a Vonage application places, and its list of them, as the REST interface has them. Strict.

Vonage docs, "Voice API reference: create an outbound call, get details of your calls", "Voicemail detection"
(read 2026-11). Whoever is called is played by the test, which changes `status`. Stricter than the vendor in
two points: an unknown field is refused, so that a misspelt one is seen, and so is a number that is not the
application's, whose call would show no number.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from bench.simulators.vonage_ncco import NUMBER, are_addresses, ncco_fault

STATUSES: Final = frozenset(
    {
        "started",
        "ringing",
        "answered",
        "machine",
        "completed",
        "busy",
        "cancelled",
        "failed",
        "rejected",
        "timeout",
        "unanswered",
    }
)
LIVE: Final = frozenset({"started", "ringing", "answered", "machine"})
_FIELDS: Final = frozenset(
    {
        "to",
        "from",
        "random_from_number",
        "ncco",
        "answer_url",
        "answer_method",
        "event_url",
        "event_method",
        "machine_detection",
        "advanced_machine_detection",
        "length_timer",
        "ringing_timer",
    }
)
_LISTED: Final = frozenset(
    {"status", "date_start", "date_end", "page_size", "record_index", "order", "conversation_uuid"}
)
_BEEP_S: Final = range(45, 121)
_RING_S: Final = range(1, 121)
_LENGTH_S: Final = range(1, 7201)
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Refused(Exception):
    """A request is answered 400; `parameter` is what was wrong."""

    def __init__(self, parameter: str) -> None:
        super().__init__(parameter)
        self.parameter = parameter


@dataclass(slots=True)
class VonagePlaced:
    """One call that was placed. `fields`: as it was asked for."""

    fields: Mapping[str, Any]
    status: str = "started"
    uuid: str = field(default_factory=lambda: str(uuid4()))
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def to(self) -> str:
        return str(self.fields["to"][0]["number"])

    @property
    def from_(self) -> str:
        return str(self.fields["from"]["number"])

    @property
    def conversation(self) -> str:
        return f"CON-{self.uuid}"


class PlacedCalls:
    """The application's, in the order in which they were taken. It calls from `numbers`, without plus."""

    def __init__(self) -> None:
        self.numbers: set[str] = set()
        self.all: list[VonagePlaced] = []
        self.taken: Callable[[VonagePlaced], None] = lambda _call: None

    def create(self, fields: object) -> VonagePlaced:
        """Take a call. Raises `Refused`."""
        if not isinstance(fields, dict):
            raise Refused("body")
        if unknown := sorted(fields.keys() - _FIELDS):
            raise Refused(unknown[0])
        self._check_ends(fields)
        _check_document(fields)
        _check_detection(fields)
        _check_counts(fields)
        call = VonagePlaced(fields)
        self.all.append(call)
        self.taken(call)
        return call

    def with_id(self, uuid: str) -> VonagePlaced | None:
        return next((call for call in self.all if call.uuid == uuid), None)

    def matching(self, query: Mapping[str, str]) -> list[VonagePlaced]:
        """Those that the listing's filters leave, oldest first or as `order` says. Raises `Refused`."""
        if unknown := sorted(query.keys() - _LISTED):
            raise Refused(unknown[0])
        if query.get("status", "started") not in STATUSES:
            raise Refused("status")
        if query.get("order", "asc") not in ("asc", "desc"):
            raise Refused("order")
        start, end = (_instant(query, name) for name in ("date_start", "date_end"))
        found = [
            call
            for call in self.all
            if query.get("status", call.status) == call.status
            and (start is None or call.started_at >= start)
            and (end is None or call.started_at <= end)
            and query.get("conversation_uuid", call.conversation) == call.conversation
        ]
        return found if query.get("order", "asc") == "asc" else found[::-1]

    def _check_ends(self, fields: Mapping[str, Any]) -> None:
        match fields.get("to"):
            case [{"type": "phone", "number": str(number), **more}] if NUMBER.fullmatch(
                number
            ) and more.keys() <= {"dtmfAnswer"}:
                pass
            case _:
                raise Refused("to")
        if "from" in fields and fields.get("random_from_number"):
            raise Refused("random_from_number")
        match fields.get("from"):
            case {"type": "phone", "number": str(number), **more} if not more and number in self.numbers:
                pass
            case _:
                raise Refused("from")


def _check_document(fields: Mapping[str, Any]) -> None:
    if ("ncco" in fields) == ("answer_url" in fields):
        raise Refused("answer_url")
    if "ncco" in fields and ncco_fault(fields["ncco"]):
        raise Refused("ncco")
    for name in ("answer_url", "event_url"):
        if name in fields and not are_addresses(fields[name]):
            raise Refused(name)
    for name, usual in (("answer_method", "GET"), ("event_method", "POST")):
        if fields.get(name, usual) not in ("GET", "POST"):
            raise Refused(name)


def _check_detection(fields: Mapping[str, Any]) -> None:
    if fields.get("machine_detection", "continue") not in ("continue", "hangup"):
        raise Refused("machine_detection")
    told = fields.get("advanced_machine_detection")
    if told is None:
        return
    good = (
        isinstance(told, dict)
        and told.keys() <= {"behavior", "mode", "beep_timeout"}
        and told.get("behavior") in ("continue", "hangup")
        and told.get("mode", "detect") in ("default", "detect", "detect_beep")
        and _is_count(told.get("beep_timeout", 45), _BEEP_S)
    )
    if not good:
        raise Refused("advanced_machine_detection")


def _check_counts(fields: Mapping[str, Any]) -> None:
    for name, among in (("ringing_timer", _RING_S), ("length_timer", _LENGTH_S)):
        if name in fields and not _is_count(fields[name], among):
            raise Refused(name)


def _is_count(value: object, among: range) -> bool:
    """JSON's true and 45.0 are none, though Python takes them for 1 and 45."""
    return type(value) is int and value in among


def _instant(query: Mapping[str, str], name: str) -> datetime | None:
    if name not in query:
        return None
    if not _INSTANT.fullmatch(query[name]):
        raise Refused(name)
    return datetime.fromisoformat(query[name])
