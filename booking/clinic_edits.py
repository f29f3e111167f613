"""Common changes to a clinic's declaration, each a pure function of it.

Services, practitioners and holidays are named by id where the caller has one, else by name or days.
"""

from dataclasses import replace
from uuid import UUID

from booking.declared import DeclaredClinic, DeclaredHoliday, DeclaredPractitioner, DeclaredService
from booking.errors import ClinicInvalid, PractitionerUnknown, ServiceUnknown


def with_number(clinic: DeclaredClinic, number: str) -> DeclaredClinic:
    """The clinic answers this number too."""
    return clinic if number in clinic.numbers else replace(clinic, numbers=(*clinic.numbers, number))


def without_number(clinic: DeclaredClinic, number: str) -> DeclaredClinic:
    """The number is given up; one that it has not is no fault."""
    return replace(clinic, numbers=tuple(each for each in clinic.numbers if each != number))


def with_service(clinic: DeclaredClinic, service: DeclaredService) -> DeclaredClinic:
    """The service is on offer, in place of the one of its id, or else of its name.

    Practitioners who offer it go on to under its new name.
    """
    before = next((each for each in clinic.services if _is(each, service)), None)
    if before is None:
        return replace(clinic, services=(*clinic.services, service))
    services = tuple(service if each is before else each for each in clinic.services)
    practitioners = tuple(_renamed(each, before.name, service.name) for each in clinic.practitioners)
    return replace(clinic, services=services, practitioners=practitioners)


def without_service(clinic: DeclaredClinic, name: str) -> DeclaredClinic:
    """The service is on offer no more, by nobody. Raises `ServiceUnknown`."""
    if all(each.name != name for each in clinic.services):
        raise ServiceUnknown(ServiceUnknown.__doc__)
    services = tuple(each for each in clinic.services if each.name != name)
    practitioners = tuple(_not_offering(each, name) for each in clinic.practitioners)
    return replace(clinic, services=services, practitioners=practitioners)


def with_practitioner(clinic: DeclaredClinic, practitioner: DeclaredPractitioner) -> DeclaredClinic:
    """The practitioner can be booked, in place of the one of this id, or else of this name."""
    if not practitioner.hours:
        raise ClinicInvalid("hours", "is missing: nobody could be booked")
    before = next((each for each in clinic.practitioners if _is(each, practitioner)), None)
    if before is None:
        return replace(clinic, practitioners=(*clinic.practitioners, practitioner))
    holidays = tuple(
        replace(each, practitioner=practitioner.name) if each.practitioner == before.name else each
        for each in clinic.holidays
    )
    practitioners = tuple(practitioner if each is before else each for each in clinic.practitioners)
    return replace(clinic, practitioners=practitioners, holidays=holidays)


def without_practitioner(clinic: DeclaredClinic, name: str) -> DeclaredClinic:
    """The practitioner cannot be booked any more; bookings stay. Raises `PractitionerUnknown`."""
    practitioner_named(clinic, name)
    practitioners = tuple(each for each in clinic.practitioners if each.name != name)
    holidays = tuple(each for each in clinic.holidays if each.practitioner != name)
    return replace(clinic, practitioners=practitioners, holidays=holidays)


def with_holiday(clinic: DeclaredClinic, holiday: DeclaredHoliday) -> DeclaredClinic:
    """Nobody works on these days, or that practitioner does not."""
    known = holiday in clinic.holidays
    return clinic if known else replace(clinic, holidays=(*clinic.holidays, holiday))


def without_holiday(clinic: DeclaredClinic, holiday: DeclaredHoliday) -> DeclaredClinic:
    """Work on these days; a holiday that there is not is no fault."""
    return replace(clinic, holidays=tuple(each for each in clinic.holidays if each != holiday))


def practitioner_named(clinic: DeclaredClinic, name: str) -> DeclaredPractitioner:
    """Raises `PractitionerUnknown`."""
    for each in clinic.practitioners:
        if each.name == name:
            return each
    raise PractitionerUnknown(PractitionerUnknown.__doc__)


def practitioner_of(clinic: DeclaredClinic, practitioner_id: UUID) -> DeclaredPractitioner:
    """Raises `PractitionerUnknown`."""
    for each in clinic.practitioners:
        if each.id == practitioner_id:
            return each
    raise PractitionerUnknown(PractitionerUnknown.__doc__)


def service_of(clinic: DeclaredClinic, service_id: UUID) -> DeclaredService:
    """Raises `ServiceUnknown`."""
    for each in clinic.services:
        if each.id == service_id:
            return each
    raise ServiceUnknown(ServiceUnknown.__doc__)


def _is(one: DeclaredService | DeclaredPractitioner, other: DeclaredService | DeclaredPractitioner) -> bool:
    return one.name == other.name if other.id is None else one.id == other.id


def _renamed(practitioner: DeclaredPractitioner, before: str, name: str) -> DeclaredPractitioner:
    offered = practitioner.services
    if offered is None or before not in offered:
        return practitioner
    return replace(practitioner, services=offered - {before} | {name})


def _not_offering(practitioner: DeclaredPractitioner, name: str) -> DeclaredPractitioner:
    offered = practitioner.services
    return practitioner if offered is None else replace(practitioner, services=offered - {name})
