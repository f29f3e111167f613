"""A full calendar with one evening slot in it."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from booking.clinic import ServiceSpec, seed_clinic
from booking.db import claims_json
from tests.conftest import Clinic, random_spec


async def clinic_with_one_evening(owner: asyncpg.Connection) -> Clinic:
    """Four practitioners from nine to five, a slot each quarter of an hour; the tenth day has one at six."""
    spec = replace(
        random_spec(),
        practitioners=("Dr Patel", "Dr Okafor", "Dr Lind", "Dr Roux"),
        services=(ServiceSpec("Dermal filler", 15, ("fillers",)),),
        slot_minutes=15,
    )
    first_day = datetime.now(UTC).date() + timedelta(days=1)
    clinic = Clinic(spec, await seed_clinic(owner, spec, first_day=first_day), first_day)
    evening = datetime.combine(first_day + timedelta(days=9), time(18), ZoneInfo(spec.time_zone))
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(clinic.claim))
        moved = await owner.execute(
            "update slots set (starts_at, ends_at) = ($1::timestamptz, $1 + interval '15 minutes')"
            " where id = (select id from slots where org_id = $2 order by starts_at desc limit 1)",
            evening,
            clinic.claim.org_id,
        )
    assert moved == "UPDATE 1"
    return clinic
