"""A clinic as a whole: taken on and given numbers by the platform, shown and reworded by itself.

A number is the platform's to give: a clinic that could take one that is free would get the calls of whoever
is to have it next.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

import msgspec
import structlog
from msgspec import UNSET, UnsetType

from booking import clinic_edits
from booking.clinic_changes import Change
from booking.clinic_form import ClinicForm, Name, declared_clinic
from booking.clinic_upkeep import Edit, change_clinic, declare_clinic, load_clinic, open_slots
from booking.declared import DeclaredClinic
from booking.errors import ClinicInvalid, OrgStands, OrgUnknown
from booking.trials import remove_trial
from booking.types import Recording
from gateway.api.operations import PLATFORM_SCOPE, Answer, Asked, Operation
from gateway.api.orgs_views import ChangesView, OrgView, changes_view, org_view
from gateway.api.problems import CONFLICT, INVALID, Refused
from gateway.api.reach import ORG_PATH

log = structlog.get_logger("gateway.api")

_NUMBER = ORG_PATH + "/numbers/{number}"


class DryRunQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`dry_run`: all of it is tried, told and undone."""

    dry_run: bool = False


class PutOrgQuery(DryRunQuery, kw_only=True, forbid_unknown_fields=True):
    """`trial_minutes`: the new org is one to try things out with, and is removed after so long."""

    trial_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] | None = None


class OrgWords(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What callers hear, when it is what time there, and what is kept; what is left out stays as it was."""

    name: Name | UnsetType = UNSET
    time_zone: Name | UnsetType = UNSET
    greeting: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)] | UnsetType = UNSET
    agent_name: Name | UnsetType = UNSET
    voice: Name | UnsetType | None = UNSET
    recording: Recording | UnsetType = UNSET
    greets_by_name: bool | UnsetType = UNSET


async def show_org(asked: Asked) -> Answer:
    return Answer(200, org_view(asked.principal.org_id, await load_clinic(asked.api.pool, asked.claim)))


async def put_org(asked: Asked) -> Answer:
    form: ClinicForm = asked.body
    query: PutOrgQuery = asked.query
    dry_run = query.dry_run
    trial = None if query.trial_minutes is None else timedelta(minutes=query.trial_minutes)
    try:
        wanted = declared_clinic(form)
        changes = await declare_clinic(
            asked.api.pool, asked.claim, wanted, actor=asked.actor, dry_run=dry_run, trial=trial
        )
    except ClinicInvalid as invalid:
        raise Refused(INVALID, pointer=f"$.{invalid.field}", detail=invalid.fault) from None
    except OrgStands:
        raise _no_trial() from None
    if not dry_run:
        await follow(asked, changes)
    return Answer(200, changes_view(changes, tried=dry_run))


async def delete_org(asked: Asked) -> Answer:
    """One that there is not is no fault. Its numbers are free again."""
    try:
        numbers = (await standing(asked)).numbers
        if await remove_trial(asked.api.pool, asked.claim):
            log.warning("trial_removed", org=str(asked.principal.org_id))
    except OrgUnknown:
        return Answer(204)
    except OrgStands:
        raise _no_trial() from None
    await asked.api.memory.forget_clinic(asked.principal.org_id, numbers)
    await asked.api.memory.forget_secrets(asked.principal.org_id)
    return Answer(204)


def _no_trial() -> Refused:
    return Refused(CONFLICT, detail="the org is no trial")


async def patch_org(asked: Asked) -> Answer:
    words: OrgWords = asked.body
    told = {name: value for name, value in msgspec.structs.asdict(words).items() if value is not UNSET}
    return await edited(asked, lambda clinic: replace(clinic, **told))


async def put_number(asked: Asked) -> Answer:
    return await edited(asked, lambda clinic: clinic_edits.with_number(clinic, asked.path["number"]))


async def delete_number(asked: Asked) -> Answer:
    return await edited(asked, lambda clinic: clinic_edits.without_number(clinic, asked.path["number"]))


async def edited(asked: Asked, edit: Edit) -> Answer:
    """The answer to a change of the clinic, which calls from now on go by."""
    return Answer(200, changes_view(await changed(asked, edit)))


async def changed(asked: Asked, edit: Edit) -> tuple[Change, ...]:
    """The change made, and what follows from it."""
    changes = await change_clinic(asked.api.pool, asked.claim, edit, actor=asked.actor)
    await follow(asked, changes)
    return changes


async def follow(asked: Asked, changes: tuple[Change, ...]) -> None:
    """Slots follow even if nothing has changed: the request before may have ended in between."""
    numbers = [each.name for each in changes if each.kind == "number"]
    await asked.api.memory.forget_clinic(asked.principal.org_id, numbers)
    await open_slots(asked.api.pool, asked.claim)


async def standing(asked: Asked) -> DeclaredClinic:
    return await load_clinic(asked.api.pool, asked.claim)


OPERATIONS = (
    Operation(
        name="getOrg",
        method="GET",
        path=ORG_PATH,
        scope="org:read",
        summary="The clinic as it stands",
        handler=show_org,
        answers={200: OrgView},
    ),
    Operation(
        name="putOrg",
        method="PUT",
        path=ORG_PATH,
        scope=PLATFORM_SCOPE,
        summary="Take a clinic on, or make it what is declared; what is not named is given up",
        handler=put_org,
        body=ClinicForm,
        query=PutOrgQuery,
        answers={200: ChangesView},
        problems=(CONFLICT,),
    ),
    Operation(
        name="removeTrialOrg",
        method="DELETE",
        path=ORG_PATH,
        scope=PLATFORM_SCOPE,
        summary="Remove an org that was made with `trial_minutes`, with all that is its own",
        handler=delete_org,
        answers={204: None},
        problems=(CONFLICT,),
    ),
    Operation(
        name="patchOrg",
        method="PATCH",
        path=ORG_PATH,
        scope="org:write",
        summary="Change what callers hear, the time zone, or whether their words are kept",
        handler=patch_org,
        body=OrgWords,
        answers={200: ChangesView},
    ),
    Operation(
        name="putNumber",
        method="PUT",
        path=_NUMBER,
        scope=PLATFORM_SCOPE,
        summary="Have the clinic answer a number (E.164)",
        handler=put_number,
        answers={200: ChangesView},
    ),
    Operation(
        name="deleteNumber",
        method="DELETE",
        path=_NUMBER,
        scope=PLATFORM_SCOPE,
        summary="Give a number up",
        handler=delete_number,
        answers={200: ChangesView},
    ),
)
