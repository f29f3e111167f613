"""Quiet hours, in the time of whoever is texted. Pure.

Where somebody is, their number tells as far as its country goes. Where a country has several times of day, a
text waits until it is a decent hour in all of them, so neither a Californian nor a Newfoundlander
is woken by a clinic of New York.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from booking.number_zones import LONGEST, ZONES

_ROUNDS: Final = 16
_FAR: Final = timedelta(days=3)


def zones_of(number: str, known: str | None, clinics: str) -> tuple[ZoneInfo, ...]:
    """Where it may be what time for the holder of this number (E.164).

    `known`: the contact's own zone, if somebody has told it; `clinics`: the clinic's, for a number of no
    country's.
    """
    names = (known,) if known and is_zone(known) else _by_number(number) or (clinics,)
    return tuple(map(ZoneInfo, names))


def _by_number(number: str) -> tuple[str, ...]:
    digits = number.removeprefix("+")
    for length in range(LONGEST, 0, -1):
        if found := ZONES.get(digits[:length]):
            return found
    return ()


@cache
def is_zone(name: str) -> bool:
    """Whether the IANA database has it."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def next_decent(now: datetime, zones: Sequence[ZoneInfo], quiet_from: time, quiet_to: time) -> datetime:
    """The first instant from now on that is quiet in none of the zones; now itself if it is not quiet.

    No quiet hours if both ends are the same. Where zones leave no hour between them, the first one decides.
    """
    at = now
    for _ in range(_ROUNDS):
        ends = [_quiet_end(at, zone, quiet_from, quiet_to) for zone in zones]
        later = max((end for end in ends if end is not None), default=None)
        if later is None:
            return at
        if later - now > _FAR:
            break
        at = later
    return next_decent(now, zones[:1], quiet_from, quiet_to)


def until_quiet(now: datetime, zones: Sequence[ZoneInfo], quiet_from: time, quiet_to: time) -> timedelta:
    """How long it is still decent in all the zones; a day where there are no quiet hours."""
    if quiet_from == quiet_to:
        return timedelta(days=1)
    return min(_next(quiet_from, now, zone) - now for zone in zones)


def _quiet_end(at: datetime, zone: ZoneInfo, quiet_from: time, quiet_to: time) -> datetime | None:
    """When the quiet hours end in which this instant lies; None if it lies in none."""
    local = at.astimezone(zone).time()
    if quiet_from <= quiet_to:
        quiet = quiet_from <= local < quiet_to
    else:
        quiet = local >= quiet_from or local < quiet_to
    return _next(quiet_to, at, zone) if quiet else None


def _next(wall: time, after: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after that one at which the clocks there show this time."""
    day = after.astimezone(zone).date()
    for days in range(3):
        at = datetime.combine(day + timedelta(days=days), wall, zone).astimezone(UTC)
        if at > after:
            return at
    raise ValueError("a clock that never shows the time")
