"""`find_slots(service, day, after)`: the soonest free slots, three at most."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from booking.slots import next_available
from booking.types import OrgProfile, Service, Slot
from gateway.spoken import listed
from gateway.tools.answers import answer, refusal, telling_failures
from gateway.tools.arguments import given, maybe_text_of, parsed, schema, text_of
from gateway.tools.call_booking import CallBooking
from gateway.tools.services import match_service
from pipeline.ports import ToolResult, ToolSpec

OFFERED: Final = 3
FURTHEST: Final = timedelta(days=400)
"""How far ahead a day is looked up; the calendar's ends, which cannot be reckoned with, lie far beyond."""


def find_slots_spec(profile: OrgProfile) -> ToolSpec:
    """What a model of this org is told of `FindSlots`."""
    names = ", ".join(service.name for service in profile.services)
    return ToolSpec(
        name="find_slots",
        description=(
            "Find free appointments, soonest first. Offer the caller what it returns, in the words of "
            f"`spoken`. Services: {names}."
        ),
        parameters=schema(
            service=text_of("what the appointment is for"),
            day=maybe_text_of("YYYY-MM-DD, if the caller wants a day"),
            after=maybe_text_of("HH:MM, if not before that time"),
        ),
        effectful=False,
    )


class FindSlots:
    def __init__(self, booking: CallBooking) -> None:
        self._booking = booking

    @property
    def spec(self) -> ToolSpec:
        return find_slots_spec(self._booking.profile)

    def memory(self) -> Callable[[], None]:
        """See `pipeline.ports.Remembers`: what was told on a wrong guess has not been offered."""
        return self._booking.memory()

    @telling_failures(slots=[])
    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        """Raises `ToolArgumentError` for a day or time that is none, and for a time with an offset: the
        clinic's clock is meant.
        """
        day = parsed(arguments, "day", date.fromisoformat, "YYYY-MM-DD")
        after = parsed(arguments, "after", _local_time, "HH:MM without an offset")
        service = match_service(self._booking.profile.services, given(arguments, "service"))
        if service is None:
            known = [each.name for each in self._booking.profile.services]
            return refusal("unknown_service", {"slots": [], "services": known})
        offers = self._booking.offer(await self._search(service, day, after))
        if not offers:
            return answer("none_free", {"slots": []}, detail={"count": "0"})
        others = listed([each["spoken"] for each in offers])
        return answer("found", {"slots": offers}, detail={"count": str(len(offers))}, others=others)

    async def _search(self, service: Service, day: date | None, after: time | None) -> list[Slot]:
        """Slots of that day from that time on; without a day the soonest ones not before that time of day."""
        booking = self._booking
        earliest, until = booking.now(), None
        if day is not None:
            if not _is_near(day, earliest.astimezone(booking.zone).date()):
                return []
            earliest = max(earliest, datetime.combine(day, time(), booking.zone))
            until = datetime.combine(day + timedelta(days=1), time(), booking.zone)
        return await next_available(
            booking.pool,
            booking.claim,
            service_id=service.id,
            after=earliest,
            limit=OFFERED,
            until=until,
            not_before=after,
        )


def _is_near(day: date, today: date) -> bool:
    return today <= day <= today + FURTHEST


def _local_time(text: str) -> time:
    read = time.fromisoformat(text)
    if read.tzinfo is not None:
        raise ValueError("a time of day with an offset")
    return read
