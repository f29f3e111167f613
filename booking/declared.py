"""A clinic as it is to be, and what makes sense of it: rules of one clinic alone, without a database.

Services and practitioners are told apart by name; an `id` is that of a row that stands, or the one that a new
row is to get. Two declarations that mean the same compare equal.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Final, get_args
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import available_timezones

from booking.errors import ClinicInvalid
from booking.types import Recording, WeeklyBreak, WorkingHours
from booking.values import E164

_RECORDING: Final = re.compile(r"\b(?:record|transcri)", re.IGNORECASE)
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
_CALENDAR: Final = re.compile(r"[^\s/?#%]{3,254}")
_SHORTEST_MINUTES, _LONGEST_MINUTES = 5, 720
_LONGEST_HOLIDAY: Final = timedelta(days=400)
_LONGEST_GUIDE: Final = 2000
_MIDNIGHT: Final = time(0, 0)
_DAY_MINUTES: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class DeclaredService:
    """`synonyms` are how callers may call it. `guide_url`: what a patient may read about it, https."""

    name: str
    minutes: int
    synonyms: tuple[str, ...] = ()
    guide_url: str | None = None
    id: UUID | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class DeclaredPractitioner:
    """`services`: names of what is offered, None for all. `calendar_id`: as Google names the calendar."""

    name: str
    hours: tuple[WorkingHours, ...] = ()
    breaks: tuple[WeeklyBreak, ...] = ()
    services: frozenset[str] | None = None
    calendar_id: str | None = field(default=None, repr=False)
    id: UUID | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class DeclaredHoliday:
    """Whole days on which nobody works, or the practitioner of this name does not."""

    first_day: date
    last_day: date
    practitioner: str | None = None
    id: UUID | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class DeclaredClinic:
    """All that is said of a clinic but its secrets.

    `greets_by_name`: whoever shows a known number, which can be forged, may be called by its first name.
    """

    name: str
    time_zone: str
    greeting: str
    agent_name: str
    voice: str | None = None
    recording: Recording = "kept"
    greets_by_name: bool = False
    numbers: tuple[str, ...] = ()
    services: tuple[DeclaredService, ...] = ()
    practitioners: tuple[DeclaredPractitioner, ...] = ()
    holidays: tuple[DeclaredHoliday, ...] = ()


def require_sound(clinic: DeclaredClinic) -> None:
    """Raises `ClinicInvalid`, which names the first field that makes no sense."""
    _require_length("name", clinic.name, 200)
    _require_length("greeting", clinic.greeting, 1000)
    _require_length("agent_name", clinic.agent_name, 100)
    if clinic.voice is not None:
        _require_length("voice", clinic.voice, 200)
    _require_greeting(clinic.greeting, clinic.recording)
    if clinic.time_zone not in _zones():
        raise ClinicInvalid("time_zone", "is no time zone of the IANA database, as Europe/London")
    _require_numbers(clinic.numbers)
    _require_services(clinic.services)
    names = frozenset(service.name for service in clinic.services)
    _require_distinct("practitioners", [practitioner.name for practitioner in clinic.practitioners])
    for n, practitioner in enumerate(clinic.practitioners):
        _require_practitioner(f"practitioners[{n}]", practitioner, names)
    _require_holidays(clinic)


def _require_greeting(greeting: str, recording: Recording) -> None:
    """A notice that nobody hears is none, and a question that was never put has no answer."""
    if recording not in get_args(Recording):
        raise ClinicInvalid("recording", f"is none of {', '.join(get_args(Recording))}")
    if recording in ("announced", "asked") and not _RECORDING.search(greeting):
        raise ClinicInvalid("greeting", "does not say that the call is recorded, as `recording` has it")
    if recording == "asked" and not _RECORDING.search(_last_sentences(greeting)):
        raise ClinicInvalid("greeting", "does not end by asking whether the call may be recorded")


def _last_sentences(greeting: str) -> str:
    """The question that it ends with, and the sentence before, which may say what is asked; "" if none."""
    if not greeting.endswith("?"):
        return ""
    return " ".join(_SENTENCE_END.split(greeting)[-2:])


@cache
def _zones() -> frozenset[str]:
    """Their files are searched for: some 20 ms."""
    return frozenset(available_timezones())


def _require_numbers(numbers: Sequence[str]) -> None:
    for n, number in enumerate(numbers):
        if not E164.fullmatch(number):
            raise ClinicInvalid(f"numbers[{n}]", "is no number in E.164, as +442079460018")
    _require_distinct("numbers", numbers)


def _require_services(services: Sequence[DeclaredService]) -> None:
    """A word that means two services would leave the agent guessing."""
    owner: dict[str, int] = {}
    for n, service in enumerate(services):
        place = f"services[{n}]"
        _require_length(f"{place}.name", service.name, 200)
        _require_minutes(f"{place}.minutes", service.minutes)
        _require_guide(f"{place}.guide", service.guide_url)
        for word in (service.name, *service.synonyms):
            _require_length(f"{place}.synonyms", word, 200)
            if owner.setdefault(word.casefold(), n) != n:
                raise ClinicInvalid(place, f"has a name or synonym of services[{owner[word.casefold()]}]")


def _require_guide(place: str, guide_url: str | None) -> None:
    if guide_url is None:
        return
    try:
        parts = urlsplit(guide_url)
        sound = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
    except ValueError:
        sound = False
    if not sound or len(guide_url) > _LONGEST_GUIDE or not (guide_url.isprintable() and " " not in guide_url):
        raise ClinicInvalid(place, f"is no https address of {_LONGEST_GUIDE} characters at most")


def _require_practitioner(place: str, practitioner: DeclaredPractitioner, services: frozenset[str]) -> None:
    _require_length(f"{place}.name", practitioner.name, 200)
    for hours in practitioner.hours:
        _require_minutes(f"{place}.hours", hours.step_minutes)
    worked = [_Span.of(each.weekday, each.opens, each.closes) for each in practitioner.hours]
    rested = [_Span.of(each.weekday, each.begins, each.ends) for each in practitioner.breaks]
    _require_apart(f"{place}.hours", worked)
    _require_apart(f"{place}.breaks", rested)
    if not all(any(pause.meets(span) for span in worked) for pause in rested):
        raise ClinicInvalid(f"{place}.breaks", "has a break outside the hours")
    if practitioner.services is not None and practitioner.services - services:
        raise ClinicInvalid(f"{place}.services", "names a service that is not among the clinic's")
    if practitioner.calendar_id is not None and not _CALENDAR.fullmatch(practitioner.calendar_id):
        raise ClinicInvalid(f"{place}.google_calendar", "is no id of a calendar")


def _require_holidays(clinic: DeclaredClinic) -> None:
    names = {practitioner.name for practitioner in clinic.practitioners}
    for n, holiday in enumerate(clinic.holidays):
        place = f"holidays[{n}]"
        if not timedelta(0) <= holiday.last_day - holiday.first_day <= _LONGEST_HOLIDAY:
            raise ClinicInvalid(place, "ends before it begins, or is longer than 400 days")
        if holiday.practitioner is not None and holiday.practitioner not in names:
            raise ClinicInvalid(f"{place}.practitioner", "is not among the clinic's practitioners")
        if holiday in clinic.holidays[:n]:
            raise ClinicInvalid(place, "stands there twice")


@dataclass(frozen=True, slots=True, order=True)
class _Span:
    """Part of a weekday, in minutes from its beginning."""

    weekday: int
    begins: int
    ends: int

    @classmethod
    def of(cls, weekday: int, begins: time, ends: time) -> "_Span":
        return cls(weekday, _minute(begins), _DAY_MINUTES if ends == _MIDNIGHT else _minute(ends))

    def meets(self, other: "_Span") -> bool:
        return self.weekday == other.weekday and self.begins < other.ends and other.begins < self.ends


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _require_apart(place: str, spans: Iterable[_Span]) -> None:
    ordered = sorted(spans)
    if any(not 0 <= span.weekday <= 6 or span.begins >= span.ends for span in ordered):
        raise ClinicInvalid(place, "ends before it begins")
    if any(earlier.meets(later) for earlier, later in pairwise(ordered)):
        raise ClinicInvalid(place, "has two times of one day that overlap")


def _require_minutes(place: str, minutes: int) -> None:
    if not _SHORTEST_MINUTES <= minutes <= _LONGEST_MINUTES:
        raise ClinicInvalid(place, f"is not {_SHORTEST_MINUTES} to {_LONGEST_MINUTES} minutes")


def _require_length(place: str, text: str, most: int) -> None:
    if not (1 <= len(text) <= most and text.isprintable() and text == text.strip()):
        raise ClinicInvalid(place, f"is not 1 to {most} printable characters without space around them")


def _require_distinct(place: str, values: Sequence[str]) -> None:
    for n, value in enumerate(values):
        if value.casefold() in {other.casefold() for other in values[:n]}:
            raise ClinicInvalid(f"{place}[{n}]", "stands there twice")
