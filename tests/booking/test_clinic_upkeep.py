"""A clinic is made what is declared, as the application's own role: all of it or nothing, once, on record."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking import clinic_edits
from booking.audit import page_of_records
from booking.clinic_changes import Change
from booking.clinic_upkeep import change_clinic, declare_clinic, load_clinic, open_slots
from booking.db import armed
from booking.declared import DeclaredClinic, DeclaredHoliday, DeclaredPractitioner, DeclaredService
from booking.errors import ClinicInvalid, OrgUnknown, PractitionerUnknown, ServiceUnknown, ValueInvalid
from booking.holds import claim_slot, hold_status
from booking.hours import generate_slots, set_offered_services
from booking.orgs import resolve_number
from booking.slots import next_available
from booking.types import Actor, Claim, Slot, SlotsGenerated, WeeklyBreak, WorkingHours
from tests.conftest import Clinic

ACTOR = Actor("token", uuid4())
EVERY_DAY = tuple(WorkingHours(day, time(9), time(17)) for day in range(7))
PATEL = DeclaredPractitioner("Dr Patel", EVERY_DAY, calendar_id="patel@clinic.example.com")
OKAFOR = DeclaredPractitioner("Dr Okafor", EVERY_DAY[:5], services=frozenset({"Filler"}))


def declared() -> DeclaredClinic:
    """A clinic that nobody else has."""
    return DeclaredClinic(
        name="Harley Street Clinic",
        time_zone="Europe/London",
        greeting="Hello.",
        agent_name="Alice",
        numbers=(f"+4420{uuid4().int % 10**10:010d}",),
        services=(DeclaredService("Botox", 30, ("wrinkles",)), DeclaredService("Filler", 45)),
        practitioners=(PATEL, OKAFOR),
        holidays=(DeclaredHoliday(date(2030, 1, 1), date(2030, 1, 2), "Dr Patel"),),
    )


async def made(pool: asyncpg.Pool, wanted: DeclaredClinic, claim: Claim | None = None) -> Claim:
    chosen = claim or Claim(uuid4())
    await declare_clinic(pool, chosen, wanted, actor=ACTOR)
    return chosen


def told(changes: Sequence[Change]) -> list[str]:
    return [str(change) for change in changes]


async def slots_of(pool: asyncpg.Pool, claim: Claim, service: str) -> list[Slot]:
    clinic = await load_clinic(pool, claim)
    (service_id,) = [each.id for each in clinic.services if each.name == service]
    assert service_id is not None
    return await next_available(pool, claim, service_id=service_id, after=datetime.now(UTC), limit=100)


async def test_a_clinic_is_made_and_then_nothing_changes(pool: asyncpg.Pool) -> None:
    wanted, claim = declared(), Claim(uuid4())
    changes = await declare_clinic(pool, claim, wanted, actor=ACTOR)
    assert told(changes) == [
        "+ org Harley Street Clinic",
        f"+ number {wanted.numbers[0]}",
        "+ service Botox",
        "+ service Filler",
        "+ practitioner Dr Patel",
        "+ practitioner Dr Okafor",
        "+ hours Dr Patel",
        "+ calendar Dr Patel",
        "+ hours Dr Okafor",
        "~ services Dr Okafor",
        "+ holiday 2030-01-01 to 2030-01-02",
    ]
    assert await load_clinic(pool, claim) == wanted
    assert await resolve_number(pool, wanted.numbers[0]) == claim.org_id
    assert await declare_clinic(pool, claim, wanted, actor=ACTOR) == ()


async def test_what_changes_is_told_and_on_record(pool: asyncpg.Pool) -> None:
    wanted = declared()
    claim = await made(pool, wanted)
    before = len(await page_of_records(pool, claim, limit=100))
    other = replace(
        wanted,
        greeting="Good morning.",
        numbers=(f"+4420{uuid4().int % 10**10:010d}",),
        services=(replace(wanted.services[0], minutes=60), DeclaredService("Peel", 20)),
        practitioners=(replace(PATEL, hours=EVERY_DAY[1:], calendar_id=None),),
        holidays=(),
    )
    changes = await declare_clinic(pool, claim, other, actor=ACTOR)
    assert told(changes) == [
        "~ org Harley Street Clinic",
        f"- number {wanted.numbers[0]}",
        f"+ number {other.numbers[0]}",
        "- service Filler",
        "~ service Botox",
        "+ service Peel",
        "- practitioner Dr Okafor",
        "~ hours Dr Patel",
        "- calendar Dr Patel",
        "- holiday 2030-01-01 to 2030-01-02",
    ]
    assert await load_clinic(pool, claim) == other
    records = (await page_of_records(pool, claim, limit=100))[: -before or None]
    assert [record.action for record in reversed(records)] == [
        "org_changed", "number_withdrawn", "number_added", "service_withdrawn", "service_changed",
        "service_added", "practitioner_withdrawn", "hours_changed", "calendar_withdrawn", "holiday_withdrawn",
    ]  # fmt: skip
    assert {record.actor for record in records} == {ACTOR}


async def test_what_comes_back_is_what_it_was(pool: asyncpg.Pool) -> None:
    wanted = declared()
    claim = await made(pool, wanted)
    first = {each.name: each.id for each in (await load_clinic(pool, claim)).practitioners}
    await made(pool, replace(wanted, practitioners=(PATEL,), services=wanted.services[1:]), claim)
    changes = await declare_clinic(pool, claim, wanted, actor=ACTOR)
    assert told(changes) == ["+ service Botox", "+ practitioner Dr Okafor"]
    assert {each.name: each.id for each in (await load_clinic(pool, claim)).practitioners} == first


async def test_a_trial_changes_nothing_and_tells_the_same(pool: asyncpg.Pool) -> None:
    wanted, claim = declared(), Claim(uuid4())
    trial = await declare_clinic(pool, claim, wanted, actor=ACTOR, dry_run=True)
    with pytest.raises(OrgUnknown):
        await load_clinic(pool, claim)
    assert await resolve_number(pool, wanted.numbers[0]) is None
    assert told(trial) == told(await declare_clinic(pool, claim, wanted, actor=ACTOR))


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_number_of_another_clinic_is_refused_with_all_that_came_with_it(
    pool: asyncpg.Pool, clinic: Clinic, dry_run: bool
) -> None:
    wanted = declared()
    claim = await made(pool, wanted)
    taken = replace(wanted, name="Other", numbers=(*wanted.numbers, clinic.number))
    with pytest.raises(ClinicInvalid) as refused:
        await declare_clinic(pool, claim, taken, actor=ACTOR, dry_run=dry_run)
    assert refused.value.field == "numbers[1]"
    assert clinic.number not in str(refused.value)
    assert await load_clinic(pool, claim) == wanted
    assert await resolve_number(pool, clinic.number) == clinic.claim.org_id


async def test_holidays_that_are_over_stay_and_are_told_once(pool: asyncpg.Pool) -> None:
    wanted = declared()
    claim = await made(pool, wanted)
    past = replace(wanted, holidays=(*wanted.holidays, DeclaredHoliday(date(2020, 1, 1), date(2020, 1, 1))))
    assert told(await declare_clinic(pool, claim, past, actor=ACTOR)) == ["+ holiday 2020-01-01"]
    assert await declare_clinic(pool, claim, past, actor=ACTOR) == ()
    assert await declare_clinic(pool, claim, wanted, actor=ACTOR) == ()


async def test_two_who_change_it_at_once_come_one_after_the_other(pool: asyncpg.Pool) -> None:
    claim = await made(pool, declared())

    async def add(n: int) -> None:
        service = DeclaredService(f"Service {n}", 30)
        await change_clinic(pool, claim, lambda it: clinic_edits.with_service(it, service), actor=ACTOR)

    await asyncio.gather(*(add(n) for n in range(8)))
    assert len((await load_clinic(pool, claim)).services) == 10


async def test_an_edit_of_a_clinic_that_is_not_there(pool: asyncpg.Pool) -> None:
    with pytest.raises(OrgUnknown):
        await change_clinic(pool, Claim(uuid4()), lambda it: it, actor=ACTOR)


async def test_a_renamed_service_is_the_same_one(pool: asyncpg.Pool) -> None:
    claim = await made(pool, declared())
    filler = (await load_clinic(pool, claim)).services[1]
    renamed = replace(filler, name="Dermal filler")
    changes = await change_clinic(pool, claim, lambda it: clinic_edits.with_service(it, renamed), actor=ACTOR)
    assert [(change.verb, change.kind, change.id) for change in changes] == [
        ("changed", "service", filler.id)
    ]
    (okafor,) = [each for each in (await load_clinic(pool, claim)).practitioners if each.name == "Dr Okafor"]
    assert okafor.services == frozenset({"Dermal filler"})


async def test_a_service_of_this_id_in_another_org_stays_there(pool: asyncpg.Pool, clinic: Clinic) -> None:
    stolen = DeclaredService("Stolen", 30, id=clinic.service_ids[0])
    claim = await made(pool, declared())
    before = await load_clinic(pool, clinic.claim)
    with pytest.raises(Exception, match="42501"):
        await change_clinic(pool, claim, lambda it: clinic_edits.with_service(it, stolen), actor=ACTOR)
    assert await load_clinic(pool, clinic.claim) == before


# --- slots ------------------------------------------------------------------------------------------------


async def test_slots_are_of_the_services_that_each_offers(pool: asyncpg.Pool) -> None:
    claim = await made(pool, declared())
    assert (await open_slots(pool, claim, days=9)).added > 0
    assert await open_slots(pool, claim, days=9) == SlotsGenerated(0, 0)
    assert {slot.practitioner for slot in await slots_of(pool, claim, "Botox")} == {"Dr Patel"}
    assert {slot.practitioner for slot in await slots_of(pool, claim, "Filler")} == {"Dr Patel", "Dr Okafor"}


@pytest.mark.parametrize("days", [0, -1, 401])
async def test_slots_are_opened_for_a_sensible_time(pool: asyncpg.Pool, days: int) -> None:
    with pytest.raises(ValueInvalid):
        await open_slots(pool, await made(pool, declared()), days=days)


async def test_what_is_offered_no_more_is_withdrawn_but_what_is_held(pool: asyncpg.Pool) -> None:
    claim = await made(pool, declared())
    await open_slots(pool, claim, days=9)
    held = (await slots_of(pool, claim, "Botox"))[0]
    await claim_slot(pool, claim, slot_id=held.id, call_id=uuid4(), ttl=timedelta(minutes=5))
    patel = held.practitioner_id
    (filler,) = [each.id for each in (await load_clinic(pool, claim)).services if each.name == "Filler"]
    await set_offered_services(pool, claim, practitioner_id=patel, service_ids=[filler])
    assert (await open_slots(pool, claim, days=9)).withdrawn > 0
    assert await slots_of(pool, claim, "Botox") == []
    assert (await hold_status(pool, claim, slot_id=held.id)).state == "held"
    await set_offered_services(pool, claim, practitioner_id=patel, service_ids=None)
    assert (await open_slots(pool, claim, days=9)).added > 0
    assert await slots_of(pool, claim, "Botox") != []


async def test_whoever_offers_everything_offers_what_comes_later(pool: asyncpg.Pool) -> None:
    claim = await made(pool, declared())
    peel = DeclaredService("Peel", 20)
    await change_clinic(pool, claim, lambda it: clinic_edits.with_service(it, peel), actor=ACTOR)
    await open_slots(pool, claim, days=3)
    assert {slot.practitioner for slot in await slots_of(pool, claim, "Peel")} == {"Dr Patel"}


async def test_a_practitioner_made_by_an_older_replica_offers_everything(
    pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic
) -> None:
    """It knows nothing of the relation: the column's default stands for what all did before."""
    row = (
        "insert into practitioners (org_id, id, name) values ($1, $2, 'Dr Stone') returning all_services",
        clinic.claim.org_id,
        uuid4(),
    )
    async with armed(owner, clinic.claim):
        assert await owner.fetchval(*row) is True


async def test_offers_of_unknown_ones_are_refused(
    pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    ours, theirs = clinic.practitioner_ids[0], other_clinic.service_ids[0]
    with pytest.raises(ServiceUnknown):
        await set_offered_services(pool, clinic.claim, practitioner_id=ours, service_ids=[theirs])
    with pytest.raises(PractitionerUnknown):
        await set_offered_services(
            pool, clinic.claim, practitioner_id=other_clinic.practitioner_ids[0], service_ids=None
        )


async def test_breaks_and_holidays_of_a_declaration_take_slots_away(pool: asyncpg.Pool) -> None:
    today = datetime.now(UTC).date()
    day = today + timedelta(days=3)
    lunch = tuple(WeeklyBreak(n, time(9), time(16)) for n in range(7))
    wanted = replace(
        declared(), practitioners=(replace(PATEL, breaks=lunch),), holidays=(DeclaredHoliday(day, day),)
    )
    claim = await made(pool, wanted)
    clinic = await load_clinic(pool, claim)
    practitioner: UUID | None = clinic.practitioners[0].id
    await generate_slots(
        pool, claim, first_day=today + timedelta(days=2), last_day=day, practitioner_id=practitioner
    )
    slots = await slots_of(pool, claim, "Botox")
    assert len(slots) == 2
    assert {slot.starts_at.date() for slot in slots} == {today + timedelta(days=2)}
