"""What a Google calendar keeps and refuses: events by id, deleted ones included, and when its owner is busy.

Sources: Google docs, Calendar API v3 reference "Events" (insert, get, update, delete), "Freebusy: query",
"Handle API errors" (read 2026-11). A deleted event stays as `cancelled` and keeps its id.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bench.simulators.google_refusal import ApiRefused

_ID: Final = re.compile(r"[a-v0-9]{5,1024}")
_FIELDS: Final = frozenset(
    {"id", "summary", "description", "start", "end", "status", "transparency", "visibility", "sequence"}
)
_CHOICES: Final[Mapping[str, frozenset[str]]] = {
    "status": frozenset({"confirmed", "tentative", "cancelled"}),
    "transparency": frozenset({"opaque", "transparent"}),
    "visibility": frozenset({"default", "public", "private", "confidential"}),
}
_LONGEST_TEXT_CHARS: Final = 8192
_LONGEST_QUERY: Final = timedelta(days=92)

Interval = tuple[datetime, datetime]


@dataclass(slots=True)
class Event:
    """One event; `sequence` counts the changes of its times (RFC 5545 section 3.8.7.4)."""

    id: str
    starts_at: datetime
    ends_at: datetime
    fields: dict[str, Any]
    status: str = "confirmed"
    sequence: int = 0

    def resource(self) -> dict[str, Any]:
        return self.fields | {
            "kind": "calendar#event",
            "id": self.id,
            "status": self.status,
            "sequence": self.sequence,
            "iCalUID": f"{self.id}@google.com",
        }


@dataclass(slots=True)
class Calendar:
    """A calendar; `roles` says who may do what with it: `owner`, `writer`, `reader`, `freeBusyReader`.

    `times` are the owner's own appointments, which are busy as events are.
    """

    id: str
    roles: dict[str, str]
    events: dict[str, Event] = field(default_factory=dict)
    times: list[Interval] = field(default_factory=list)

    @property
    def standing(self) -> list[Event]:
        """Events that are not deleted, soonest first."""
        return sorted(
            (event for event in self.events.values() if event.status != "cancelled"),
            key=lambda event: event.starts_at,
        )

    def insert(self, body: Mapping[str, Any]) -> Event:
        """A new event, or `ApiRefused`: 409 for an id that was ever used."""
        event = _event(body, str(body.get("id", "")))
        if event.id in self.events:
            raise ApiRefused(409, "duplicate", "The requested identifier already exists.")
        self.events[event.id] = event
        return event

    def get(self, event_id: str) -> Event:
        event = self.events.get(event_id)
        if event is None:
            raise ApiRefused(404, "notFound", "Not Found")
        return event

    def update(self, event_id: str, body: Mapping[str, Any]) -> Event:
        """The event as `body` has it, back from the deleted if it says `confirmed`."""
        before = self.get(event_id)
        after = _event(body, event_id)
        if body.get("sequence", 0) < before.sequence:
            raise ApiRefused(
                400,
                "invalid",
                "Invalid sequence value. The specified sequence number is below the current sequence number.",
            )
        moved = (before.starts_at, before.ends_at) != (after.starts_at, after.ends_at)
        after.sequence = before.sequence + moved
        self.events[event_id] = after
        return after

    def delete(self, event_id: str) -> None:
        event = self.get(event_id)
        if event.status == "cancelled":
            raise ApiRefused(410, "deleted", "Resource has been deleted")
        event.status = "cancelled"

    def busy(self, after: datetime, before: datetime) -> list[Interval]:
        """When the owner is busy, overlapping and adjoining times merged, cut to the query."""
        opaque = (
            (event.starts_at, event.ends_at)
            for event in self.standing
            if event.fields.get("transparency", "opaque") == "opaque"
        )
        met = [
            (max(start, after), min(end, before))
            for start, end in (*self.times, *opaque)
            if start < before and end > after
        ]
        return _merged(met)


def query_range(body: Mapping[str, Any]) -> Interval:
    """`timeMin` and `timeMax` of a free/busy query, or `ApiRefused`."""
    if unknown := sorted(body.keys() - {"timeMin", "timeMax", "timeZone", "items"}):
        raise ApiRefused(400, "badRequest", f"Unknown fields: {', '.join(unknown)}")
    after, before = _instant(body.get("timeMin"), "timeMin"), _instant(body.get("timeMax"), "timeMax")
    if before <= after:
        raise ApiRefused(400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar")
    if before - after > _LONGEST_QUERY:
        raise ApiRefused(400, "timeRangeTooLong", "The requested time range is too long.", domain="calendar")
    return after, before


def _event(body: Mapping[str, Any], event_id: str) -> Event:
    if unknown := sorted(body.keys() - _FIELDS):
        raise ApiRefused(400, "badRequest", f"Unknown fields: {', '.join(unknown)}")
    if not _ID.fullmatch(event_id) or body.get("id", event_id) != event_id:
        raise ApiRefused(400, "invalid", "Invalid resource id value.")
    for name, choices in _CHOICES.items():
        if name in body and body[name] not in choices:
            raise ApiRefused(400, "invalid", f"Invalid value for: {name}")
    if type(body.get("sequence", 0)) is not int:
        raise ApiRefused(400, "invalid", "Invalid value for: sequence")
    for name in ("summary", "description"):
        if not isinstance(text := body.get(name, ""), str) or len(text) > _LONGEST_TEXT_CHARS:
            raise ApiRefused(400, "invalid", f"Invalid value for: {name}")
    starts_at, ends_at = _event_time(body, "start"), _event_time(body, "end")
    if ends_at <= starts_at:
        raise ApiRefused(400, "timeRangeEmpty", "The specified time range is empty.", domain="calendar")
    kept = {name: value for name, value in body.items() if name not in ("id", "status", "sequence")}
    return Event(event_id, starts_at, ends_at, kept, str(body.get("status", "confirmed")))


def _event_time(body: Mapping[str, Any], name: str) -> datetime:
    value = body.get(name)
    if not isinstance(value, dict):
        raise ApiRefused(400, "required", f"Missing {name} time.")
    if value.keys() != {"dateTime"}:
        raise ApiRefused(400, "invalid", f"Expected {name}.dateTime alone")
    return _instant(value["dateTime"], name)


def _instant(value: object, name: str) -> datetime:
    """RFC 3339, hence with an offset."""
    if value is None:
        raise ApiRefused(400, "required", f"Required parameter: {name}")
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError:
        instant = datetime.min
    if instant.tzinfo is None:
        raise ApiRefused(400, "badRequest", f"Bad Request: {name} is no RFC 3339 time")
    return instant


def _merged(times: Iterable[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for start, end in sorted(times):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
