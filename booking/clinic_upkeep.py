"""Takes a clinic on and keeps it up: what is declared is compared with what stands, and the difference made.

One transaction, in which one org is changed by one at a time: all of it or nothing, each change on record
in the audit log, and nothing at all if nothing differs. Slots follow in statements of their own
(`open_slots`): they are many, and claims on a practitioner wait while theirs are made.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg

from booking import db
from booking.clinic_changes import Change, Kind, changes_between
from booking.clinic_state import Standing, load_standing
from booking.declared import DeclaredClinic, DeclaredPractitioner, require_sound
from booking.errors import ClinicInvalid, OrgUnknown, ValueInvalid
from booking.hours import generate_slots
from booking.trials import mark_trial
from booking.types import Actor, Claim, SlotsGenerated

DAYS_AHEAD: Final = 60
MOST_DAYS: Final = 400
_DAYS_AT_ONCE: Final = 14

Edit = Callable[[DeclaredClinic], DeclaredClinic]
_SUBJECTS: Final[Mapping[Kind, str]] = {
    "number": "phone_number",
    "hours": "practitioner",
    "services": "practitioner",
    "calendar": "practitioner",
}


async def load_clinic(pool: asyncpg.Pool, claim: Claim) -> DeclaredClinic:
    """The clinic as it stands, each part with its id. Raises `OrgUnknown`."""
    async with db.org_transaction(pool, claim) as connection:
        standing = await load_standing(connection, claim)
    return _known(standing).clinic


async def declare_clinic(
    pool: asyncpg.Pool,
    claim: Claim,
    wanted: DeclaredClinic,
    *,
    actor: Actor,
    dry_run: bool = False,
    trial: timedelta | None = None,
) -> tuple[Change, ...]:
    """Make the clinic what is declared, a new one if there is none; what has changed, in order.

    `dry_run`: all of it is tried and undone. `trial`: the new one is removed after so long. Raises
    `ClinicInvalid`, and `OrgStands` for a trial that is a clinic already; then nothing has changed.
    """
    require_sound(wanted)
    async with db.org_transaction(pool, claim) as connection:
        changes = await make_stand(connection, claim, wanted, actor=actor, dry_run=dry_run)
        if trial is not None:
            await mark_trial(connection, claim, trial)
        return changes


async def change_clinic(
    pool: asyncpg.Pool, claim: Claim, edit: Edit, *, actor: Actor, dry_run: bool = False
) -> tuple[Change, ...]:
    """Make of the clinic what `edit` makes of its declaration; what has changed.

    Raises `OrgUnknown`, `ClinicInvalid`, and what `edit` raises; then nothing has changed.
    """
    async with db.org_transaction(pool, claim) as connection:
        await _alone(connection, claim)
        wanted = edit(_known(await load_standing(connection, claim)).clinic)
        require_sound(wanted)
        return await make_stand(connection, claim, wanted, actor=actor, dry_run=dry_run)


async def make_stand(
    connection: asyncpg.Connection,
    claim: Claim,
    wanted: DeclaredClinic,
    *,
    actor: Actor | None,
    dry_run: bool = False,
) -> tuple[Change, ...]:
    """`declare_clinic` for a sound declaration, in a transaction of the caller's with the claim armed.

    Without an actor nothing goes on record.
    """
    await _alone(connection, claim)
    await _require_zone(connection, wanted)
    changes = changes_between(await load_standing(connection, claim), wanted)
    trial = connection.transaction()
    await trial.start()
    for change in changes:
        await _MAKE[change.kind](connection, claim, change)
        if actor is not None:
            await _record(connection, claim, actor, change)
    await (trial.rollback() if dry_run else trial.commit())
    return changes


async def open_slots(pool: asyncpg.Pool, claim: Claim, *, days: int = DAYS_AHEAD) -> SlotsGenerated:
    """Make the slots of the clinic's next days, from its today on, what hours and holidays say.

    Later days that have slots already follow too. Repeatable; holds and bookings stay. Some days of one
    practitioner at a time, so that claims wait briefly. Raises `OrgUnknown`, `ValueInvalid` for days that are
    not 1 to `MOST_DAYS`.
    """
    if not 1 <= days <= MOST_DAYS:
        raise ValueInvalid("days")
    clinic = await load_clinic(pool, claim)
    zone = ZoneInfo(clinic.time_zone)
    today = datetime.now(UTC).astimezone(zone).date()
    days = max(days, (await _last_day(pool, claim, zone, today) - today).days + 1)
    added = withdrawn = 0
    for practitioner in clinic.practitioners:
        for begun in range(0, days, _DAYS_AT_ONCE):
            made = await generate_slots(
                pool,
                claim,
                first_day=today + timedelta(days=begun),
                last_day=today + timedelta(days=min(begun + _DAYS_AT_ONCE, days) - 1),
                practitioner_id=practitioner.id,
            )
            added, withdrawn = added + made.added, withdrawn + made.withdrawn
    return SlotsGenerated(added, withdrawn)


async def _last_day(pool: asyncpg.Pool, claim: Claim, zone: ZoneInfo, today: date) -> date:
    """The last day that has slots on offer; today if none has."""
    async with db.org_transaction(pool, claim) as connection:
        latest: datetime | None = await connection.fetchval(
            "select max(starts_at) from public.slots where org_id = $1 and withdrawn_at is null", claim.org_id
        )
    return today if latest is None else max(today, latest.astimezone(zone).date())


def _known(standing: Standing | None) -> Standing:
    if standing is None:
        raise OrgUnknown(OrgUnknown.__doc__)
    return standing


async def _alone(connection: asyncpg.Connection, claim: Claim) -> None:
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('clinic ' || $1::uuid, 0))", claim.org_id
    )


async def _require_zone(connection: asyncpg.Connection, wanted: DeclaredClinic) -> None:
    """The database reckons with zones of its own."""
    try:
        await connection.fetchval("select clock_timestamp() at time zone $1", wanted.time_zone)
    except asyncpg.InvalidParameterValueError:
        raise ClinicInvalid("time_zone", "is not known to the database") from None


async def _record(connection: asyncpg.Connection, claim: Claim, actor: Actor, change: Change) -> None:
    await connection.execute(
        "select app.audit($1, $2, $3, $4, $5, $6)",
        claim.org_id,
        actor.kind,
        actor.id,
        f"{change.kind}_{change.verb}",
        _SUBJECTS.get(change.kind, change.kind),
        claim.org_id if change.kind == "org" else change.id,
    )


# --- how each kind of change is made ---


async def _make_org(connection: asyncpg.Connection, claim: Claim, change: Change) -> None:
    org: DeclaredClinic = change.wanted
    await connection.execute(
        """
        insert into public.organizations
            (org_id, name, time_zone, greeting, agent_name, voice, recording, greets_by_name)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (org_id) do update set name = excluded.name, time_zone = excluded.time_zone,
            greeting = excluded.greeting, agent_name = excluded.agent_name, voice = excluded.voice,
            recording = excluded.recording, greets_by_name = excluded.greets_by_name
        """,
        claim.org_id, org.name, org.time_zone, org.greeting, org.agent_name, org.voice, org.recording,
        org.greets_by_name,
    )  # fmt: skip


async def _make_number(connection: asyncpg.Connection, claim: Claim, change: Change) -> None:
    if change.wanted is None:
        await connection.execute(
            "delete from public.phone_numbers where org_id = $1 and number = $2", claim.org_id, change.name
        )
        return
    try:
        await connection.execute(
            "insert into public.phone_numbers (org_id, number) values ($1, $2)", claim.org_id, change.name
        )
    except asyncpg.UniqueViolationError:
        raise ClinicInvalid(f"numbers[{change.wanted}]", "belongs to another clinic") from None


async def _make_service(connection: asyncpg.Connection, claim: Claim, change: Change) -> None:
    if change.wanted is None:
        await connection.execute(
            "update public.services set active = false where org_id = $1 and id = $2", claim.org_id, change.id
        )
        return
    service = change.wanted
    await connection.execute(
        """
        insert into public.services (org_id, id, name, synonyms, minutes, guide_url, active)
        values ($1, $2, $3, $4, $5, $6, true)
        on conflict (id) do update set name = excluded.name, synonyms = excluded.synonyms,
            minutes = excluded.minutes, guide_url = excluded.guide_url, active = true
        """,
        claim.org_id, change.id, service.name, list(service.synonyms), service.minutes, service.guide_url,
    )  # fmt: skip


async def _make_practitioner(connection: asyncpg.Connection, claim: Claim, change: Change) -> None:
    await connection.execute(
        """
        insert into public.practitioners (org_id, id, name, active) values ($1, $2, $3, $4)
        on conflict (id) do update set name = excluded.name, active = excluded.active
        """,
        claim.org_id, change.id, change.name, change.wanted is not None,
    )  # fmt: skip


async def _make_services_offered(connection: asyncpg.Connection, claim: Claim, change: Change) -> None:
    await connection.execute(
        "select app.set_offered_services($1, $2, $3)",
        claim.org_id,
        change.id,
        None if change.wanted is None else list(change.wanted),
    )


async def _make_hours(connection: asyncpg.Connection, claim: Claim, change: Change) -> None:
    person: DeclaredPractitioner = change.wanted
    await connection.execute(
        "select app.set_hours($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        claim.org_id,
        change.id,
        [each.weekday for each in person.hours],
        [each.opens for each in person.hours],
        [each.closes for each in person.hours],
        [each.step_minutes for each in person.hours],
        [each.weekday for each in person.breaks],
        [each.begins for each in person.breaks],
        [each.ends for each in person.breaks],
    )


async def _make_calendar(connection: asyncpg.Connection, claim: Claim, change: Change) -> None:
    await connection.execute(
        "select app.set_practitioner_calendar($1, $2, $3)", claim.org_id, change.id, change.wanted
    )


async def _make_holiday(connection: asyncpg.Connection, claim: Claim, change: Change) -> None:
    if change.wanted is None:
        await connection.execute("select app.remove_holiday($1, $2)", claim.org_id, change.id)
        return
    holiday, practitioner_id = change.wanted
    await connection.execute(
        "select app.add_holiday($1, $2, $3, $4)",
        claim.org_id, holiday.first_day, holiday.last_day, practitioner_id,
    )  # fmt: skip


_Make = Callable[[asyncpg.Connection, Claim, Change], Awaitable[Any]]
_MAKE: Final[Mapping[Kind, _Make]] = {
    "org": _make_org,
    "number": _make_number,
    "service": _make_service,
    "practitioner": _make_practitioner,
    "services": _make_services_offered,
    "hours": _make_hours,
    "calendar": _make_calendar,
    "holiday": _make_holiday,
}
