"""What the API shows of a clinic, and of what a request has changed in it."""

from collections.abc import Sequence
from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from booking.clinic_changes import Change, Kind, Verb
from booking.clinic_form import BreakForm, HoursForm, break_forms, hours_forms
from booking.declared import DeclaredClinic, DeclaredHoliday, DeclaredPractitioner, DeclaredService
from booking.types import Recording


class ServiceView(msgspec.Struct, kw_only=True):
    """A procedure that can be booked."""

    id: UUID
    name: str
    minutes: int
    synonyms: list[str]
    guide: str | None


class PractitionerView(msgspec.Struct, kw_only=True):
    """Who can be booked. `services`: null for all, also those to come."""

    id: UUID
    name: str
    hours: list[HoursForm]
    breaks: list[BreakForm]
    services: list[str] | None
    google_calendar: str | None


class HolidayView(msgspec.Struct, kw_only=True):
    """Whole days on which nobody works, or that practitioner does not."""

    id: UUID
    first_day: date = msgspec.field(name="from")
    last_day: date = msgspec.field(name="to")
    practitioner: str | None


class OrgView(msgspec.Struct, kw_only=True):
    """A clinic as it stands."""

    id: UUID
    name: str
    time_zone: str
    greeting: str
    agent_name: str
    voice: str | None
    recording: Recording
    greets_by_name: bool
    numbers: list[str]
    services: list[ServiceView]
    practitioners: list[PractitionerView]
    holidays: list[HolidayView]


class ChangeView(msgspec.Struct, kw_only=True):
    """One fact that is new, different or given up. `id`: of the service, practitioner or holiday."""

    verb: Verb
    kind: Kind
    name: str
    id: UUID | None


class ChangesView(msgspec.Struct, kw_only=True):
    """What the request has changed; nothing, if all stood as asked already. `tried`: it was undone again."""

    changes: list[ChangeView]
    tried: Literal[True] | None = None


def org_view(org_id: UUID, clinic: DeclaredClinic) -> OrgView:
    return OrgView(
        id=org_id,
        name=clinic.name,
        time_zone=clinic.time_zone,
        greeting=clinic.greeting,
        agent_name=clinic.agent_name,
        voice=clinic.voice,
        recording=clinic.recording,
        greets_by_name=clinic.greets_by_name,
        numbers=list(clinic.numbers),
        services=[service_view(each) for each in clinic.services],
        practitioners=[practitioner_view(each) for each in clinic.practitioners],
        holidays=[holiday_view(each) for each in clinic.holidays],
    )


def service_view(service: DeclaredService) -> ServiceView:
    return ServiceView(
        id=_standing(service.id),
        name=service.name,
        minutes=service.minutes,
        synonyms=list(service.synonyms),
        guide=service.guide_url,
    )


def practitioner_view(practitioner: DeclaredPractitioner) -> PractitionerView:
    return PractitionerView(
        id=_standing(practitioner.id),
        name=practitioner.name,
        hours=hours_forms(practitioner.hours),
        breaks=break_forms(practitioner.breaks),
        services=None if practitioner.services is None else sorted(practitioner.services),
        google_calendar=practitioner.calendar_id,
    )


def holiday_view(holiday: DeclaredHoliday) -> HolidayView:
    return HolidayView(
        id=_standing(holiday.id),
        first_day=holiday.first_day,
        last_day=holiday.last_day,
        practitioner=holiday.practitioner,
    )


def changes_view(changes: Sequence[Change], *, tried: bool = False) -> ChangesView:
    shown = [ChangeView(verb=c.verb, kind=c.kind, name=c.name, id=c.id) for c in changes]
    return ChangesView(changes=shown, tried=True if tried else None)


def _standing(row_id: UUID | None) -> UUID:
    if row_id is None:
        raise ValueError("what stands has an id")
    return row_id
