"""What is older than the org keeps it goes, the rest stays."""

from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec
import pytest

from compliance.consent import note_consent
from compliance.errors import RetentionInvalid
from compliance.records import CallEnds
from compliance.retention import Cleared, Periods, clear_batch, note_run, periods_of, set_periods
from tests.booking.patients import new_phone
from tests.compliance.offices import CLERK, Office
from tests.conftest import Stack

AGES = {
    "call_turns": "stored_at",
    "clinical_notes": "noted_at",
    "pii_vault": "kept_at",
    "sms_messages": "recorded_at",
    "calls": "started_at",
    "contact_keys": "made_at",
    "contacts": "updated_at",
    "consents": "said_at",
}


async def periods(office: Office) -> Periods:
    async with office.armed() as connection:
        return await periods_of(connection, office.org_id)


async def clear(office: Office, batch: int = 500) -> Cleared:
    async with office.armed() as connection:
        return await clear_batch(connection, office.keys, office.org_id, batch=batch)


async def ended_call(office: Office) -> UUID:
    """With everything that is kept of one, and a message."""
    call_id, phone = await office.call(), new_phone()
    await office.say(call_id, ends=CallEnds(phone, office.clinic.number))
    await office.text(phone)
    await office.end(call_id)
    return call_id


async def age(office: Office, admin_url: str, days: int) -> None:
    """All that is there now was kept so many days ago."""
    admin = await asyncpg.connect(admin_url)
    try:
        for table, column in AGES.items():
            await admin.execute(
                f"update {table} set {column} = {column} - $2::interval where org_id = $1",
                office.org_id,
                timedelta(days=days),
            )
    finally:
        await admin.close()


async def test_an_org_that_set_nothing_has_the_defaults(office: Office) -> None:
    assert await periods(office) == Periods()


async def test_periods_are_each_orgs_own_and_audited(office: Office, other_office: Office) -> None:
    chosen = Periods(turns=1, notes=3000, personal=5, texts=7, calls=11, contacts=13)
    for wanted in (Periods(turns=2), chosen):
        async with office.armed() as connection:
            await set_periods(connection, office.org_id, CLERK, wanted)
    assert await periods(office) == chosen
    assert await periods(other_office) == Periods()
    assert await office.audited() == [("retention_changed", "org")] * 2


@pytest.mark.parametrize("days", [0, -1, 36_501, True, 1.5])
def test_a_period_that_makes_no_sense_is_refused(days: int) -> None:
    with pytest.raises(RetentionInvalid):
        Periods(notes=days)


@pytest.mark.parametrize(
    ("days", "cleared"),
    [
        (89, Cleared()),
        (91, Cleared(turns=1, personal=3, texts=1, keys=1)),
        (366, Cleared(turns=1, notes=1, personal=3, texts=1, calls=1, keys=2)),
    ],
)
async def test_each_kind_goes_when_its_time_is_over(
    office: Office, stack: Stack, days: int, cleared: Cleared
) -> None:
    await ended_call(office)
    await age(office, stack.admin, days)
    await ended_call(office)
    total = Cleared()
    for _ in range(3):
        total = total.plus(await clear(office))
    assert total == cleared
    assert (await office.count("pii_vault"), await office.count("clinical_notes")) == (
        6 - cleared.personal,
        2 - cleared.notes,
    )
    (old, new) = await office.rows("select said <> '[]' as kept from call_turns order by stored_at")
    assert (old["kept"], new["kept"]) == (not cleared.turns, True)


async def test_it_goes_batch_by_batch(office: Office, stack: Stack) -> None:
    for _ in range(3):
        await ended_call(office)
    await age(office, stack.admin, 400)
    rounds = [await clear(office, batch=2) for _ in range(6)]
    assert [each.turns for each in rounds[:3]] == [2, 1, 0]
    assert [each.personal for each in rounds] == [2, 2, 2, 2, 1, 0]
    assert rounds[-1] == Cleared()


async def test_a_call_that_goes_on_keeps_its_key(office: Office, stack: Stack) -> None:
    call_id = await office.call()
    key = await office.key_of(call_id)
    await age(office, stack.admin, 400)
    assert (await clear(office)).keys == 0
    assert (await office.key_of(call_id)).id == key.id


async def test_another_orgs_rows_stay(office: Office, other_office: Office, stack: Stack) -> None:
    await ended_call(other_office)
    await age(other_office, stack.admin, 400)
    assert await clear(office) == Cleared()
    assert await other_office.count("pii_vault") == 3


async def test_what_a_run_cleared_is_kept(office: Office) -> None:
    async with office.armed() as connection:
        await note_run(connection, office.org_id, Cleared(turns=3))
    (run,) = await office.rows("select counts from retention_runs")
    assert msgspec.json.decode(run["counts"]) == asdict(Cleared(turns=3))


async def aged_contact(office: Office, admin_url: str, days: int, phone: str | None = None) -> UUID:
    contact_id = await office.contact(phone)
    await age(office, admin_url, days)
    return contact_id


async def test_a_contact_of_whom_nothing_is_heard_is_erased(office: Office, stack: Stack) -> None:
    gone = await aged_contact(office, stack.admin, 1094)
    assert (await clear(office)).contacts == 0
    await age(office, stack.admin, 2)
    kept = await office.contact()
    assert await clear(office) == Cleared(contacts=1)
    assert await office.read("contact", gone) is None
    assert await office.read("contact", kept) is not None
    (proof,) = await office.rows("select contact_id, actor_kind from erasures")
    assert (proof["contact_id"], proof["actor_kind"]) == (gone, "worker")
    assert ("contact_erased", "contact") in await office.audited()


async def test_whoever_was_heard_of_is_not(office: Office, stack: Stack) -> None:
    """By a call, a text, a word of consent; or there is something to come."""
    texted = new_phone()
    called, booked, agreed, _ = [
        await aged_contact(office, stack.admin, 0, phone) for phone in (None, None, None, texted)
    ]
    await age(office, stack.admin, 2000)
    call_id = await office.call()
    await office.hold_for(called, call_id)
    await office.settle(call_id)
    await office.hold_for(booked, await office.call())
    await office.text(texted)
    async with office.armed() as connection:
        await note_consent(
            connection, office.org_id, CLERK, kind="recording", given=True, source="staff", contact_id=agreed
        )
    idle = await aged_contact(office, stack.admin, 0)
    await office.rows("update contacts set updated_at = updated_at - interval '2000 days' returning id")
    assert (await clear(office)).contacts == 1
    assert await office.rows("select id from contacts where erased_at is not null") == [(idle,)]
