"""Booking, offered to the model as tools: find slots, hold one.

The model never names a time: it passes the token of a slot that was offered in this very call (`s1`, `s2`
…). Times are spoken in the clinic's zone. What fails as expected (slot taken, database away) is a result
that the model can tell the caller; only arguments that make no sense raise.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from booking.calls import open_call
from booking.errors import BookingError, BookingUnavailable, CallOver, SlotUnknown
from booking.holds import claim_slot
from booking.slots import next_available
from booking.types import Claim, Conflict, Held, OrgProfile, Service, Slot
from gateway.spoken import spoken
from pipeline.errors import ToolArgumentError
from pipeline.ports import Tool, ToolResult, ToolSpec

CARRIER: Final = "twilio"
OFFERED: Final = 3
_LOOKED_AT: Final = 200  # slots of the following weeks that an hour is looked for in
_UNAVAILABLE: Final = (
    "Appointments cannot be looked up or held at this moment. Apologise and offer a call back."
)


@dataclass(slots=True, kw_only=True)
class CallBooking:
    """What one call's tools share: whose it is, what was offered, what is held. `now` is aware.

    `accepted`: the caller has heard a whole turn of ours since the slot was held.
    """

    pool: asyncpg.Pool
    claim: Claim
    call_id: UUID
    carrier_call_id: str
    profile: OrgProfile
    hold_s: float
    started_at: datetime
    now: Callable[[], datetime]
    held: Held | None = None
    accepted: bool = False
    offers: dict[str, Slot] = field(default_factory=dict)
    is_open: bool = False

    async def open(self) -> None:
        """Put the call on record, if it is not yet: a hold belongs to a recorded call."""
        if self.is_open:
            return
        await open_call(
            self.pool,
            self.claim,
            call_id=self.call_id,
            carrier=CARRIER,
            carrier_call_id=self.carrier_call_id,
            started_at=self.started_at,
        )
        self.is_open = True

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.profile.time_zone)

    def offer(self, slots: Sequence[Slot]) -> list[dict[str, str]]:
        """Tokens for these slots; one that was offered before keeps its token."""
        return [self._told(self._token(slot), slot) for slot in slots]

    def turn_answered(self) -> None:
        """A turn was spoken to its end: what is held by now, the caller has been told of."""
        self.accepted = self.held is not None

    def spoken(self, slot: Slot) -> str:
        return spoken(slot.starts_at.astimezone(self.zone))

    def _token(self, slot: Slot) -> str:
        for token, offered in self.offers.items():
            if offered.id == slot.id:
                return token
        token = f"s{len(self.offers) + 1}"
        self.offers[token] = slot
        return token

    def _told(self, token: str, slot: Slot) -> dict[str, str]:
        starts = slot.starts_at.astimezone(self.zone).isoformat()
        return {
            "slot": token,
            "starts": starts,
            "spoken": self.spoken(slot),
            "practitioner": slot.practitioner,
        }


class FindSlots:
    """`find_slots(service, day, after)`: the soonest free slots, three at most."""

    def __init__(self, booking: CallBooking) -> None:
        self._booking = booking

    @property
    def spec(self) -> ToolSpec:
        names = ", ".join(service.name for service in self._booking.profile.services)
        return ToolSpec(
            name="find_slots",
            description=(
                "Find free appointments, soonest first. Offer the caller what it returns, in the words of "
                f"`spoken`. Services: {names}."
            ),
            parameters={
                "type": "object",
                "properties": {
                    "service": {"type": "string", "description": "what the appointment is for"},
                    "day": {
                        "type": ["string", "null"],
                        "description": "YYYY-MM-DD, if the caller wants a day",
                    },
                    "after": {"type": ["string", "null"], "description": "HH:MM, if not before that time"},
                },
                "required": ["service", "day", "after"],
                "additionalProperties": False,
            },
            effectful=False,
        )

    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        """Raises `ToolArgumentError` for a day or time that is none."""
        day = _parsed(arguments, "day", date.fromisoformat, "YYYY-MM-DD")
        after = _parsed(arguments, "after", time.fromisoformat, "HH:MM")
        service = match_service(self._booking.profile.services, _text(arguments, "service"))
        if service is None:
            known = [each.name for each in self._booking.profile.services]
            return _result("unknown_service", {"slots": [], "reason": "no such service", "services": known})
        try:
            slots = await self._search(service, day, after)
        except BookingError:
            return _result("unavailable", {"slots": [], "reason": _UNAVAILABLE})
        outcome = "found" if slots else "none_free"
        return _result(outcome, {"slots": self._booking.offer(slots)}, count=str(len(slots)))

    async def _search(self, service: Service, day: date | None, after: time | None) -> list[Slot]:
        """Slots of that day from that time on; without a day the soonest ones not before that time of day."""
        booking = self._booking
        earliest = booking.now()
        until = None
        if day is not None:
            start = datetime.combine(day, after or time(), booking.zone)
            until = datetime.combine(day + timedelta(days=1), time(), booking.zone)
            earliest = max(earliest, start)
        filtered = day is None and after is not None
        slots = await next_available(
            booking.pool,
            booking.claim,
            service_id=service.id,
            after=earliest,
            limit=_LOOKED_AT if filtered else OFFERED,
            until=until,
        )
        if after is not None:
            slots = [slot for slot in slots if slot.starts_at.astimezone(booking.zone).time() >= after]
        return slots[:OFFERED]


class ClaimSlot:
    """`claim_slot(slot)`: hold an offered slot for this caller."""

    def __init__(self, booking: CallBooking) -> None:
        self._booking = booking

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(
            name="claim_slot",
            description=(
                "Hold an appointment that find_slots returned and the caller has chosen. Say that it is held "
                "only if the answer says held. A new choice replaces the earlier hold."
            ),
            parameters={
                "type": "object",
                "properties": {"slot": {"type": "string", "description": "the slot's token, such as s1"}},
                "required": ["slot"],
                "additionalProperties": False,
            },
            effectful=True,
        )

    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        """Raises `ToolArgumentError` for a slot that was not offered in this call."""
        booking = self._booking
        slot = booking.offers.get(_text(arguments, "slot"))
        if slot is None:
            raise ToolArgumentError("slot must be a token that find_slots returned in this call")
        try:
            answer = await self._claim(slot)
        except SlotUnknown:
            return _result("gone", {"held": False, "reason": "taken", "slots": []})
        except CallOver:
            return _result("call_over", {"held": False, "reason": "the call is over"})
        except BookingUnavailable:
            return _result("unavailable", {"held": False, "reason": _UNAVAILABLE})
        if isinstance(answer, Conflict):
            offers = booking.offer(answer.slots[:OFFERED])
            return _result(answer.reason, {"held": False, "reason": answer.reason, "slots": offers})
        return self._held(answer)

    async def _claim(self, slot: Slot) -> Held | Conflict:
        booking = self._booking
        await booking.open()
        ttl = timedelta(seconds=booking.hold_s)
        answer = await claim_slot(
            booking.pool, booking.claim, slot_id=slot.id, call_id=booking.call_id, ttl=ttl
        )
        if isinstance(answer, Held):
            booking.held, booking.accepted = answer, False
        return answer

    def _held(self, held: Held) -> ToolResult:
        booking = self._booking
        minutes = max(1, round((held.expires_at - booking.now()).total_seconds() / 60))
        told = {"held": True, "spoken": booking.spoken(held.slot), "expires_minutes": minutes}
        starts = held.slot.starts_at.astimezone(booking.zone).isoformat()
        return _result("held", told, starts=starts, expires=held.expires_at.isoformat())


def call_tools(booking: CallBooking) -> tuple[Tool, ...]:
    """All tools of a call that the gateway provides."""
    return (FindSlots(booking), ClaimSlot(booking))


def match_service(services: Sequence[Service], asked: str) -> Service | None:
    """The service that `asked` names: by name or synonym, else by the longest name found in it."""
    wanted = " ".join(asked.casefold().split())
    named = [(name.casefold(), service) for service in services for name in (service.name, *service.synonyms)]
    for name, service in named:
        if name == wanted:
            return service
    within = [
        (len(name), service) for name, service in named if name in wanted or (wanted and wanted in name)
    ]
    return max(within, key=lambda each: each[0])[1] if within else None


def _result(outcome: str, told: Mapping[str, Any], **detail: str) -> ToolResult:
    return ToolResult(content=json.dumps(told, ensure_ascii=False), outcome=outcome, detail=detail)


def _text(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ToolArgumentError(f"{name} must be given")
    return value.strip()


def _parsed(arguments: Mapping[str, Any], name: str, parse: Callable[[str], Any], form: str) -> Any:
    """The optional argument; models also write an absent one as "" or "null"."""
    value = arguments.get(name)
    if value is None or value in ("", "null"):
        return None
    try:
        return parse(value)
    except (TypeError, ValueError):
        raise ToolArgumentError(f"{name} must be {form} or null") from None
