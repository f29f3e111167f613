"""A strict part of Plivo's REST interface: calls that the account places, and the lists in which they stand.

A call is queued, live or over, and asked for by `status=queued`, `status=live` or without a status; whoever
is called is played by the test, which has a call ring, be answered and end. Sources: Plivo docs "Make an
outbound call", "Retrieve all calls", "Transfer a call", "Standard Plivo hangup causes" (read 2026-11), and
the answers that the tests of plivo/plivo-python hold. Stricter than the vendor in one point: an unknown field
is refused.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, Literal
from urllib.parse import urlsplit

_URLS: Final = ("answer", "ring", "hangup", "fallback", "machine_detection", "callback")
_COUNTS: Final[Mapping[str, range]] = {
    "ring_timeout": range(86_401),
    "hangup_on_ring": range(86_401),
    "time_limit": range(1, 86_401),
    "machine_detection_time": range(2000, 10_001),
    "machine_detection_maximum_speech_length": range(1000, 6001),
    "machine_detection_initial_silence": range(2000, 10_001),
    "machine_detection_maximum_words": range(2, 11),
    "machine_detection_initial_greeting": range(1000, 5001),
}
_PLACED: Final = frozenset(
    {
        *("from", "to", "caller_name", "send_digits", "send_on_preanswer", "sip_headers"),
        *("machine_detection", "parent_call_uuid", "error_if_parent_not_found"),
        *(f"{each}_{kind}" for each in _URLS for kind in ("url", "method")),
        *_COUNTS,
    }
)
_LISTED: Final = frozenset(
    {
        *("call_direction", "from_number", "to_number", "limit", "offset", "subaccount", "parent_call_uuid"),
        *("end_time__gt", "end_time__gte", "end_time__lt", "end_time__lte", "hangup_cause_code"),
    }
)
_WAITING: Final = frozenset({"status", "call_direction", "from_number", "to_number", "limit", "offset"})
_QUEUED: Final = frozenset({"status", "limit", "offset"})
# Plivo's own package says in the body too which call it is.
_TRANSFERRED: Final = frozenset({"call_uuid", "legs", "aleg_url", "aleg_method", "bleg_url", "bleg_method"})
_NUMBER: Final = re.compile(r"\+?[1-9][0-9]{6,14}")
_MOST_LISTED: Final = 20
_TIME: Final = "%Y-%m-%d %H:%M:%S"

Standing = Literal["queued", "ringing", "in-progress", "over"]


class PlivoRefused(Exception):
    """The request is answered with this status and nothing is done."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(slots=True)
class PlivoPlaced:
    """A call that the account has placed, and where it stands. `cause`: why it is over, by Plivo's number."""

    call_uuid: str
    fields: Mapping[str, Any]
    standing: Standing = "ringing"
    cause: int = 4000
    begun_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    answered_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        return self.standing in ("ringing", "in-progress")

    def answer(self) -> None:
        """Somebody picks up."""
        self.standing, self.answered_at = "in-progress", datetime.now(UTC)

    def end(self, cause: int = 4000) -> None:
        self.standing, self.cause, self.ended_at = "over", cause, datetime.now(UTC)

    def waiting(self) -> dict[str, Any]:
        """As it is told of while it is queued or live."""
        return {
            "api_id": str(uuid.uuid4()),
            "call_status": self.standing,
            "call_uuid": self.call_uuid,
            "caller_name": "",
            "direction": "outbound",
            "from": self.fields["from"],
            "request_uuid": self.call_uuid,
            "session_start": self.begun_at.strftime(_TIME + ".%f"),
            "to": self.fields["to"],
        }

    def record(self) -> dict[str, Any]:
        """As it is told of once it is over. Times are of the zone that the console is set to."""
        return {
            "answer_time": None if self.answered_at is None else _local(self.answered_at),
            "bill_duration": 0,
            "call_direction": "outbound",
            "call_uuid": self.call_uuid,
            "end_time": None if self.ended_at is None else _local(self.ended_at),
            "from_number": self.fields["from"],
            "hangup_cause_code": self.cause,
            "initiation_time": _local(self.begun_at),
            "parent_call_uuid": None,
            "to_number": self.fields["to"],
        }


class PlivoCalls:
    """The account's, in the order in which they were taken. It calls from `numbers` alone."""

    def __init__(self) -> None:
        self.numbers: set[str] = set()
        self.all: list[PlivoPlaced] = []
        self.taken: Callable[[PlivoPlaced], None] = lambda _call: None

    def find(self, call_uuid: str) -> PlivoPlaced | None:
        return next((call for call in self.all if call.call_uuid == call_uuid), None)

    def create(self, fields: Mapping[str, Any]) -> PlivoPlaced:
        """Take a call, or raise `PlivoRefused`."""
        _require_known(fields, _PLACED)
        _check_numbers(fields)
        _check_addresses(fields, _URLS)
        _check_counts(fields)
        if fields.get("machine_detection", "true") not in ("true", "hangup"):
            raise PlivoRefused(400, "machine_detection is true or hangup")
        if _digits(fields["from"]) not in {_digits(each) for each in self.numbers}:
            raise PlivoRefused(400, "from is no number of the account")
        call = PlivoPlaced(str(uuid.uuid4()), dict(fields))
        self.all.append(call)
        self.taken(call)
        return call

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """One page of a list, newest first."""
        status = query.get("status")
        if status not in (None, "live", "queued"):
            raise PlivoRefused(400, "status is live or queued")
        _require_known(query, {None: _LISTED, "live": _WAITING, "queued": _QUEUED}[status])
        limit, offset = int(query.get("limit", _MOST_LISTED)), int(query.get("offset", 0))
        if not 1 <= limit <= _MOST_LISTED:
            raise PlivoRefused(400, f"limit is 1 to {_MOST_LISTED}")
        found = [call for call in reversed(self.all) if _stands(call, status) and _matches(call, query)]
        page = found[offset : offset + limit]
        if status is not None:
            return {"api_id": str(uuid.uuid4()), "calls": [call.call_uuid for call in page]}
        meta = {"limit": limit, "offset": offset, "next": None, "previous": None, "total_count": len(found)}
        return {"api_id": str(uuid.uuid4()), "meta": meta, "objects": [call.record() for call in page]}

    def one(self, call_uuid: str, status: str | None) -> dict[str, Any]:
        """Raises `PlivoRefused` for one that does not stand there."""
        call = self.find(call_uuid)
        if call is None or not _stands(call, status):
            raise PlivoRefused(404, "not found")
        return call.record() if status is None else call.waiting()


def check_transfer(fields: Mapping[str, Any]) -> None:
    """Raises `PlivoRefused`."""
    _require_known(fields, _TRANSFERRED)
    legs = fields.get("legs")
    if legs not in ("aleg", "bleg", "both"):
        raise PlivoRefused(400, "legs is aleg, bleg or both")
    for leg in ("aleg", "bleg"):
        if legs in (leg, "both") and f"{leg}_url" not in fields:
            raise PlivoRefused(400, f"{leg}_url is needed")
    _check_addresses(fields, ("aleg", "bleg"))


def _stands(call: PlivoPlaced, status: str | None) -> bool:
    match status:
        case "live":
            return call.is_live
        case "queued":
            return call.standing == "queued"
        case _:
            return call.standing == "over"


def _matches(call: PlivoPlaced, query: Mapping[str, str]) -> bool:
    """Numbers match by their beginnings."""
    ends = {"from_number": call.fields["from"], "to_number": call.fields["to"]}
    return (
        query.get("call_direction", "outbound") == "outbound"
        and all(_digits(told).startswith(_digits(query.get(name, ""))) for name, told in ends.items())
        and _time_in(query, "end_time__gte") <= (call.ended_at or datetime.now(UTC))
    )


def _time_in(query: Mapping[str, str], name: str) -> datetime:
    """Filters are UTC."""
    try:
        return datetime.strptime(query.get(name, "2000-01-01 00:00:00"), _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise PlivoRefused(400, f"{name} is YYYY-MM-DD HH:MM:SS") from None


def _check_numbers(fields: Mapping[str, Any]) -> None:
    for name in ("from", "to", "answer_url"):
        if not isinstance(fields.get(name), str):
            raise PlivoRefused(400, f"{name} is needed")
    for name in ("from", "to"):
        if not _NUMBER.fullmatch(fields[name]):
            raise PlivoRefused(400, f"{name} is no number")
    if _digits(fields["from"]) == _digits(fields["to"]):
        raise PlivoRefused(400, "from and to are the same")


def _check_addresses(fields: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        url, method = fields.get(f"{name}_url"), fields.get(f"{name}_method", "POST")
        if url is not None and urlsplit(str(url)).scheme not in ("http", "https"):
            raise PlivoRefused(400, f"{name}_url is no address")
        if method not in ("GET", "POST"):
            raise PlivoRefused(400, f"{name}_method is GET or POST")


def _check_counts(fields: Mapping[str, Any]) -> None:
    for name, among in _COUNTS.items():
        told = str(fields.get(name, among.start))
        if not (told.isascii() and told.isdigit() and int(told) in among):
            raise PlivoRefused(400, f"{name} is {among.start} to {among.stop - 1}")


def _require_known(fields: Mapping[str, Any], known: frozenset[str]) -> None:
    if unknown := sorted(fields.keys() - known):
        raise PlivoRefused(HTTPStatus.BAD_REQUEST, f"unknown field {unknown[0]}")


def _digits(number: str) -> str:
    return number.removeprefix("+")


def _local(at: datetime) -> str:
    return at.strftime(_TIME) + "+00:00"
