"""A clinic as it stands in the database. Reads under a claim that is armed already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import UUID

import asyncpg

from booking.declared import DeclaredClinic, DeclaredHoliday, DeclaredPractitioner, DeclaredService
from booking.types import Claim, WeeklyBreak, WorkingHours

_ORG = """
select name, time_zone, greeting, agent_name, voice, recording, greets_by_name
from public.organizations where org_id = $1
"""
_NUMBERS = "select number from public.phone_numbers where org_id = $1 order by created_at, number"
_SERVICES = """
select id, name, minutes, synonyms, guide_url, active from public.services where org_id = $1 order by name
"""
_PRACTITIONERS = """
select p.id, p.number, p.name, p.active, p.all_services, c.calendar_id,
    array(
        select s.name from public.practitioner_services o
        join public.services s on s.org_id = o.org_id and s.id = o.service_id and s.active
        where o.org_id = p.org_id and o.practitioner_id = p.id) as services
from public.practitioners p
left join public.practitioner_calendars c on c.org_id = p.org_id and c.practitioner_id = p.id
where p.org_id = $1 order by p.number
"""
_HOURS = """
select practitioner_id, weekday, opens, closes, step_minutes from public.working_hours
where org_id = $1 order by practitioner_id, weekday, opens
"""
_BREAKS = """
select practitioner_id, weekday, begins, ends from public.working_breaks
where org_id = $1 order by practitioner_id, weekday, begins
"""
_HOLIDAYS = """
select h.id, h.first_day, h.last_day, p.name as practitioner,
    h.last_day < (clock_timestamp() at time zone o.time_zone)::date as past
from public.holidays h
join public.organizations o on o.org_id = h.org_id
left join public.practitioners p on p.org_id = h.org_id and p.id = h.practitioner_id
where h.org_id = $1 and (p.id is null or p.active)
order by h.first_day, h.last_day, p.number
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the clinic offers, with the ids of all its parts; and what is over.

    `numbers`: each practitioner's, in whose order locks are taken.
    """

    clinic: DeclaredClinic
    former_services: tuple[DeclaredService, ...] = ()
    former_practitioners: tuple[DeclaredPractitioner, ...] = ()
    past_holidays: tuple[DeclaredHoliday, ...] = ()
    numbers: Mapping[UUID, int] = field(default_factory=dict)


async def load_standing(connection: asyncpg.Connection, claim: Claim) -> Standing | None:
    """None if there is no such org."""
    org = await connection.fetchrow(_ORG, claim.org_id)
    if org is None:
        return None

    async def rows(statement: str) -> Sequence[Any]:
        return list(await connection.fetch(statement, claim.org_id))

    services = await rows(_SERVICES)
    practitioners = await rows(_PRACTITIONERS)
    hours, breaks = _by_practitioner(await rows(_HOURS)), _by_practitioner(await rows(_BREAKS))

    def people(active: bool) -> tuple[DeclaredPractitioner, ...]:
        return tuple(
            _practitioner(row, hours.get(row["id"], []), breaks.get(row["id"], []))
            for row in practitioners
            if row["active"] is active
        )

    holidays = await rows(_HOLIDAYS)
    clinic = DeclaredClinic(
        **org,
        numbers=tuple(row["number"] for row in await rows(_NUMBERS)),
        services=tuple(_service(row) for row in services if row["active"]),
        practitioners=people(active=True),
        holidays=tuple(_holiday(row) for row in holidays if not row["past"]),
    )
    return Standing(
        clinic,
        former_services=tuple(_service(row) for row in services if not row["active"]),
        former_practitioners=people(active=False),
        past_holidays=tuple(_holiday(row) for row in holidays if row["past"]),
        numbers={row["id"]: row["number"] for row in practitioners},
    )


def _by_practitioner(rows: Sequence[Any]) -> dict[UUID, list[Any]]:
    return {key: list(group) for key, group in groupby(rows, key=lambda row: row["practitioner_id"])}


def _service(row: Any) -> DeclaredService:
    return DeclaredService(row["name"], row["minutes"], tuple(row["synonyms"]), row["guide_url"], row["id"])


def _holiday(row: Any) -> DeclaredHoliday:
    return DeclaredHoliday(row["first_day"], row["last_day"], row["practitioner"], row["id"])


def _practitioner(row: Any, hours: Sequence[Any], breaks: Sequence[Any]) -> DeclaredPractitioner:
    return DeclaredPractitioner(
        name=row["name"],
        hours=tuple(
            WorkingHours(each["weekday"], each["opens"], each["closes"], each["step_minutes"])
            for each in hours
        ),
        breaks=tuple(WeeklyBreak(each["weekday"], each["begins"], each["ends"]) for each in breaks),
        services=None if row["all_services"] else frozenset(row["services"]),
        calendar_id=row["calendar_id"],
        id=row["id"],
    )
