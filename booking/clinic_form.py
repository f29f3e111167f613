"""A clinic as it is written down, in a file or as JSON, and its way to a declaration and back.

Times are the clinic's own, `HH:MM`; `24:00` is the end of the day.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, time
from itertools import groupby
from typing import Annotated, Final, Literal, get_args
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from booking.declared import DeclaredClinic, DeclaredHoliday, DeclaredPractitioner, DeclaredService
from booking.errors import ClinicInvalid
from booking.types import Recording, WeeklyBreak, WorkingHours

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[Day, ...]] = get_args(Day)
LocalTime = Annotated[
    str, Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)(?![\s\S])", description="HH:MM, the clinic's")
]
Minutes = Annotated[int, Meta(ge=5, le=720)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
DEFAULT_SLOT_MINUTES: Final = 30
_WORKDAYS: Final[tuple[Day, ...]] = DAYS[:5]
NewId = Callable[[str, str], UUID | None]  # of a kind and a name


class HoursForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """Times of work on some days. Slots start every `slot_minutes`."""

    days: list[Day] = msgspec.field(default_factory=lambda: list(_WORKDAYS))
    opens: LocalTime = msgspec.field(name="from")
    closes: LocalTime = msgspec.field(name="to")
    slot_minutes: Minutes | None = None


class BreakForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """Times of rest on some days."""

    days: list[Day] = msgspec.field(default_factory=lambda: list(_WORKDAYS))
    begins: LocalTime = msgspec.field(name="from")
    ends: LocalTime = msgspec.field(name="to")


class ServiceForm(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A procedure that can be booked. `synonyms`: how callers call it; `guide`: an https address."""

    name: Name
    minutes: Minutes
    synonyms: list[Name] = []
    guide: str | None = None


class PractitionerForm(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who can be booked. Left out, `hours` and `breaks` are the clinic's, `services` are all of them."""

    name: Name
    hours: list[HoursForm] | None = None
    breaks: list[BreakForm] | None = None
    services: list[Name] | None = None
    google_calendar: str | None = None


class HolidayForm(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Whole days on which nobody works, or that practitioner does not; `to` is the last, or the first too."""

    first_day: date = msgspec.field(name="from")
    last_day: date | None = msgspec.field(default=None, name="to")
    practitioner: Name | None = None


class ClinicForm(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A clinic. Its `hours`, `breaks` and `slot_minutes` are for practitioners without hours of their own."""

    name: Name
    time_zone: str
    greeting: str = "Hello. How can I help?"
    agent_name: str = "Alice"
    voice: str | None = None
    recording: Recording = "kept"
    greets_by_name: bool = False
    numbers: list[str] = []
    slot_minutes: Minutes = DEFAULT_SLOT_MINUTES
    hours: list[HoursForm] = []
    breaks: list[BreakForm] = []
    services: list[ServiceForm] = []
    practitioners: list[PractitionerForm | str] = []
    holidays: list[HolidayForm] = []


def no_id(_kind: str, _name: str) -> None:
    """New rows get ids of their own."""


def declared_clinic(form: ClinicForm, new_id: NewId = no_id) -> DeclaredClinic:
    """What the form declares. `new_id`: the ids that new services and practitioners get.

    Raises `ClinicInvalid` for a practitioner without hours; other rules are `declared.require_sound`'s.
    """
    return DeclaredClinic(
        name=form.name,
        time_zone=form.time_zone,
        greeting=form.greeting,
        agent_name=form.agent_name,
        voice=form.voice,
        recording=form.recording,
        greets_by_name=form.greets_by_name,
        numbers=tuple(form.numbers),
        services=tuple(declared_service(each, new_id("service", each.name)) for each in form.services),
        practitioners=tuple(
            _practitioner(f"practitioners[{n}]", form, each, new_id)
            for n, each in enumerate(form.practitioners)
        ),
        holidays=tuple(declared_holiday(each) for each in form.holidays),
    )


def declared_service(form: ServiceForm, service_id: UUID | None = None) -> DeclaredService:
    return DeclaredService(form.name, form.minutes, tuple(form.synonyms), form.guide, service_id)


def declared_holiday(form: HolidayForm) -> DeclaredHoliday:
    return DeclaredHoliday(form.first_day, form.last_day or form.first_day, form.practitioner)


def declared_hours(
    forms: Iterable[HoursForm], slot_minutes: int = DEFAULT_SLOT_MINUTES
) -> tuple[WorkingHours, ...]:
    """One entry for each day, in order."""
    spans = [
        WorkingHours(
            DAYS.index(day), _time(each.opens), _time(each.closes), each.slot_minutes or slot_minutes
        )
        for each in forms
        for day in each.days
    ]
    return tuple(sorted(spans, key=lambda span: (span.weekday, span.opens)))


def declared_breaks(forms: Iterable[BreakForm]) -> tuple[WeeklyBreak, ...]:
    """One entry for each day, in order."""
    pauses = [
        WeeklyBreak(DAYS.index(day), _time(each.begins), _time(each.ends))
        for each in forms
        for day in each.days
    ]
    return tuple(sorted(pauses, key=lambda pause: (pause.weekday, pause.begins)))


def declared_practitioner(form: PractitionerForm, practitioner_id: UUID | None) -> DeclaredPractitioner:
    """One who has all of it in the form itself."""
    return DeclaredPractitioner(
        name=form.name,
        hours=declared_hours(form.hours or ()),
        breaks=declared_breaks(form.breaks or ()),
        services=None if form.services is None else frozenset(form.services),
        calendar_id=form.google_calendar,
        id=practitioner_id,
    )


def _practitioner(
    place: str, clinic: ClinicForm, named: PractitionerForm | str, new_id: NewId
) -> DeclaredPractitioner:
    form = PractitionerForm(name=named) if isinstance(named, str) else named
    hours = declared_hours(clinic.hours if form.hours is None else form.hours, clinic.slot_minutes)
    if not hours:
        raise ClinicInvalid(f"{place}.hours", "is missing, and the clinic has none for everybody")
    # The clinic's breaks go with the clinic's hours: on days of one's own they would mean nothing.
    breaks = clinic.breaks if form.breaks is None and form.hours is None else form.breaks or ()
    return DeclaredPractitioner(
        name=form.name,
        hours=hours,
        breaks=declared_breaks(breaks),
        services=None if form.services is None else frozenset(form.services),
        calendar_id=form.google_calendar,
        id=new_id("practitioner", form.name),
    )


def clinic_form(clinic: DeclaredClinic) -> ClinicForm:
    """The form that declares this clinic: each practitioner with hours of their own."""
    return ClinicForm(
        name=clinic.name,
        time_zone=clinic.time_zone,
        greeting=clinic.greeting,
        agent_name=clinic.agent_name,
        voice=clinic.voice,
        recording=clinic.recording,
        greets_by_name=clinic.greets_by_name,
        numbers=list(clinic.numbers),
        services=[service_form(each) for each in clinic.services],
        practitioners=[practitioner_form(each) for each in clinic.practitioners],
        holidays=[holiday_form(each) for each in clinic.holidays],
    )


def service_form(service: DeclaredService) -> ServiceForm:
    return ServiceForm(
        name=service.name,
        minutes=service.minutes,
        synonyms=list(service.synonyms),
        guide=service.guide_url,
    )


def practitioner_form(practitioner: DeclaredPractitioner) -> PractitionerForm:
    return PractitionerForm(
        name=practitioner.name,
        hours=hours_forms(practitioner.hours),
        breaks=break_forms(practitioner.breaks),
        services=None if practitioner.services is None else sorted(practitioner.services),
        google_calendar=practitioner.calendar_id,
    )


def holiday_form(holiday: DeclaredHoliday) -> HolidayForm:
    last_day = None if holiday.last_day == holiday.first_day else holiday.last_day
    return HolidayForm(first_day=holiday.first_day, last_day=last_day, practitioner=holiday.practitioner)


def hours_forms(hours: Sequence[WorkingHours]) -> list[HoursForm]:
    """Days of the same times in one entry."""

    def times(span: WorkingHours) -> tuple[time, time, int]:
        return (span.opens, span.closes, span.step_minutes)

    return [
        HoursForm(
            days=[DAYS[span.weekday] for span in spans],
            opens=_written(opens),
            closes=_written_end(closes),
            slot_minutes=step_minutes,
        )
        for (opens, closes, step_minutes), spans in groupby(sorted(hours, key=times), key=times)
    ]


def break_forms(breaks: Sequence[WeeklyBreak]) -> list[BreakForm]:
    """Days of the same times in one entry."""

    def times(pause: WeeklyBreak) -> tuple[time, time]:
        return (pause.begins, pause.ends)

    return [
        BreakForm(
            days=[DAYS[pause.weekday] for pause in pauses], begins=_written(begins), ends=_written_end(ends)
        )
        for (begins, ends), pauses in groupby(sorted(breaks, key=times), key=times)
    ]


def _time(text: str) -> time:
    return time(0, 0) if text == "24:00" else time.fromisoformat(text)


def _written(at: time) -> str:
    return at.isoformat(timespec="minutes")


def _written_end(at: time) -> str:
    return "24:00" if at == time(0, 0) else _written(at)
