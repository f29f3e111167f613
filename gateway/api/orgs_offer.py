"""What a clinic offers: its services, practitioners and holidays, each changed by its id."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

import msgspec

from booking import clinic_edits
from booking.clinic_form import (
    BreakForm,
    HolidayForm,
    HoursForm,
    PractitionerForm,
    ServiceForm,
    declared_breaks,
    declared_holiday,
    declared_hours,
    declared_practitioner,
    declared_service,
)
from booking.clinic_upkeep import Edit
from booking.declared import DeclaredClinic
from booking.errors import PractitionerUnknown, ServiceUnknown
from gateway.api.operations import PREFIX, Answer, Asked, Operation
from gateway.api.orgs import changed, edited, standing
from gateway.api.orgs_views import (
    ChangesView,
    HolidayView,
    PractitionerView,
    ServiceView,
    changes_view,
    holiday_view,
    practitioner_view,
    service_view,
)
from gateway.api.ownership import not_visible
from gateway.api.problems import NOT_FOUND, Refused
from gateway.api.reach import ORG_PATH

_SERVICES, _SERVICE = ORG_PATH + "/services", ORG_PATH + "/services/{service_id}"
_PRACTITIONERS = ORG_PATH + "/practitioners"
_PRACTITIONER = _PRACTITIONERS + "/{practitioner_id}"
_HOLIDAYS, _HOLIDAY = ORG_PATH + "/holidays", ORG_PATH + "/holidays/{holiday_id}"


class WeekForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """When a practitioner works, in place of the week before."""

    hours: Annotated[list[HoursForm], msgspec.Meta(min_length=1)]
    breaks: list[BreakForm] = []


def _location(asked: Asked, kind: str, row_id: UUID) -> dict[str, str]:
    return {"Location": f"{PREFIX}/orgs/{asked.principal.org_id}/{kind}/{row_id}"}


async def create_service(asked: Asked) -> Answer:
    """The same request again finds the service by its id, which follows from the request."""
    form: ServiceForm = asked.body
    new = declared_service(form, UUID(bytes=asked.key[:16]))
    await changed(asked, lambda clinic: clinic_edits.with_service(clinic, new))
    made = next(each for each in (await standing(asked)).services if each.name == form.name)
    view = service_view(made)
    return Answer(201, view, _location(asked, "services", view.id))


async def put_service(asked: Asked) -> Answer:
    service_id, form = asked.id("service_id"), asked.body

    def edit(clinic: DeclaredClinic) -> DeclaredClinic:
        clinic_edits.service_of(clinic, service_id)
        return clinic_edits.with_service(clinic, declared_service(form, service_id))

    return await _of_service(asked, service_id, edit)


async def delete_service(asked: Asked) -> Answer:
    service_id = asked.id("service_id")

    def edit(clinic: DeclaredClinic) -> DeclaredClinic:
        return clinic_edits.without_service(clinic, clinic_edits.service_of(clinic, service_id).name)

    return await _of_service(asked, service_id, edit)


async def _of_service(asked: Asked, service_id: UUID, edit: Edit) -> Answer:
    try:
        return await edited(asked, edit)
    except ServiceUnknown:
        raise await not_visible(asked, "service", service_id) from None


async def create_practitioner(asked: Asked) -> Answer:
    form: PractitionerForm = asked.body
    new = declared_practitioner(form, UUID(bytes=asked.key[:16]))
    await changed(asked, lambda clinic: clinic_edits.with_practitioner(clinic, new))
    made = next(each for each in (await standing(asked)).practitioners if each.name == form.name)
    view = practitioner_view(made)
    return Answer(201, view, _location(asked, "practitioners", view.id))


async def put_practitioner(asked: Asked) -> Answer:
    practitioner_id, form = asked.id("practitioner_id"), asked.body

    def edit(clinic: DeclaredClinic) -> DeclaredClinic:
        clinic_edits.practitioner_of(clinic, practitioner_id)
        return clinic_edits.with_practitioner(clinic, declared_practitioner(form, practitioner_id))

    return await _of_practitioner(asked, practitioner_id, edit)


async def put_hours(asked: Asked) -> Answer:
    practitioner_id, week = asked.id("practitioner_id"), asked.body

    def edit(clinic: DeclaredClinic) -> DeclaredClinic:
        person = replace(
            clinic_edits.practitioner_of(clinic, practitioner_id),
            hours=declared_hours(week.hours),
            breaks=declared_breaks(week.breaks),
        )
        return clinic_edits.with_practitioner(clinic, person)

    return await _of_practitioner(asked, practitioner_id, edit)


async def delete_practitioner(asked: Asked) -> Answer:
    practitioner_id = asked.id("practitioner_id")

    def edit(clinic: DeclaredClinic) -> DeclaredClinic:
        person = clinic_edits.practitioner_of(clinic, practitioner_id)
        return clinic_edits.without_practitioner(clinic, person.name)

    return await _of_practitioner(asked, practitioner_id, edit)


async def _of_practitioner(asked: Asked, practitioner_id: UUID, edit: Edit) -> Answer:
    try:
        return await edited(asked, edit)
    except PractitionerUnknown:
        raise await not_visible(asked, "practitioner", practitioner_id) from None


async def create_holiday(asked: Asked) -> Answer:
    """The same days again are the same holiday."""
    holiday = declared_holiday(asked.body)
    await changed(asked, lambda clinic: clinic_edits.with_holiday(clinic, holiday))
    found = [each for each in (await standing(asked)).holidays if each == holiday]
    if not found:
        raise Refused(NOT_FOUND, detail="these days are over")
    view = holiday_view(found[0])
    return Answer(201, view, _location(asked, "holidays", view.id))


async def delete_holiday(asked: Asked) -> Answer:
    """One that there is not is no fault."""
    holiday_id = asked.id("holiday_id")

    def edit(clinic: DeclaredClinic) -> DeclaredClinic:
        return replace(clinic, holidays=tuple(each for each in clinic.holidays if each.id != holiday_id))

    return Answer(200, changes_view(await changed(asked, edit)))


OPERATIONS = (
    Operation(
        name="createService",
        method="POST",
        path=_SERVICES,
        scope="org:write",
        summary="Offer a service",
        handler=create_service,
        body=ServiceForm,
        answers={201: ServiceView},
    ),
    Operation(
        name="putService",
        method="PUT",
        path=_SERVICE,
        scope="org:write",
        summary="Change what is said of a service, its name too",
        handler=put_service,
        body=ServiceForm,
        answers={200: ChangesView},
    ),
    Operation(
        name="deleteService",
        method="DELETE",
        path=_SERVICE,
        scope="org:write",
        summary="Offer a service no more; holds and bookings stay",
        handler=delete_service,
        answers={200: ChangesView},
    ),
    Operation(
        name="createPractitioner",
        method="POST",
        path=_PRACTITIONERS,
        scope="org:write",
        summary="Let a practitioner be booked",
        handler=create_practitioner,
        body=PractitionerForm,
        answers={201: PractitionerView},
    ),
    Operation(
        name="putPractitioner",
        method="PUT",
        path=_PRACTITIONER,
        scope="org:write",
        summary="Change all that is said of a practitioner",
        handler=put_practitioner,
        body=PractitionerForm,
        answers={200: ChangesView},
    ),
    Operation(
        name="putHours",
        method="PUT",
        path=_PRACTITIONER + "/hours",
        scope="org:write",
        summary="Change when a practitioner works; slots follow, holds and bookings stay",
        handler=put_hours,
        body=WeekForm,
        answers={200: ChangesView},
    ),
    Operation(
        name="deletePractitioner",
        method="DELETE",
        path=_PRACTITIONER,
        scope="org:write",
        summary="Let a practitioner be booked no more; holds and bookings stay",
        handler=delete_practitioner,
        answers={200: ChangesView},
    ),
    Operation(
        name="createHoliday",
        method="POST",
        path=_HOLIDAYS,
        scope="org:write",
        summary="Close on some days, all or one practitioner",
        handler=create_holiday,
        body=HolidayForm,
        answers={201: HolidayView},
    ),
    Operation(
        name="deleteHoliday",
        method="DELETE",
        path=_HOLIDAY,
        scope="org:write",
        summary="Work on these days after all",
        handler=delete_holiday,
        answers={200: ChangesView},
    ),
)
