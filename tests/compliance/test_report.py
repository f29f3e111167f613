"""The compliance report: what happened is counted, what is wrong is told, nothing personal stands in it."""

import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from booking import audit
from booking.types import Actor as BookingActor
from compliance.chain import link_batch
from compliance.consent import note_consent
from compliance.erasure import erase_contact
from compliance.export import export_contact
from compliance.protection import protection_of
from compliance.report import ENTRIES_SHOWN, Report, make_report
from compliance.report_page import render
from compliance.retention import Cleared, Periods, note_run
from tests.compliance.offices import CLERK, SAID, Office
from tests.conftest import Stack

PHONE = "+447700900777"
NAME = "Jane Quillfeather"


async def reported(office: Office, since: datetime | None = None, until: datetime | None = None) -> Report:
    now = datetime.now(UTC)
    async with office.armed() as connection:
        return await make_report(
            connection, office.org_id, since or now - timedelta(days=1), until or now + timedelta(minutes=1)
        )


async def a_busy_day(office: Office) -> dict[str, str]:
    """Everything that a report counts, once; the ids."""
    contact_id = await office.contact(PHONE, NAME)
    call_id = await office.call()
    await office.hold_for(contact_id, call_id)
    await office.say(call_id)
    await office.end(call_id)
    await office.settle(call_id)
    await office.text(PHONE)
    (note,) = await office.rows("select id from clinical_notes")
    await office.read("note", note["id"])
    async with office.armed() as connection:
        await export_contact(connection, office.keys, office.org_id, CLERK, contact_id=contact_id)
        await note_consent(
            connection, office.org_id, CLERK, kind="texts", given=True, source="staff", contact_id=contact_id
        )
        await note_run(connection, office.org_id, Cleared(turns=3, keys=1))
    foreign = uuid4()
    await audit.record(
        office.pool,
        office.claim,
        actor=BookingActor("token", uuid4()),
        action="foreign_refused",
        subject_kind="booking",
        subject_id=foreign,
    )
    return {"contact": str(contact_id), "note": str(note["id"]), "foreign": str(foreign)}


async def test_a_busy_day_is_counted(office: Office) -> None:
    ids = await a_busy_day(office)
    told = await reported(office)
    assert told.masked == {"MEDICAL": 1}
    assert told.kept == {"medical": 1, "person": 1, "email": 1}
    assert told.calls == {"goodbye": 1}
    assert told.turns == {"answered": 1}
    assert [(each.action, str(each.subject_id)) for each in told.readings] == [("read_for_care", ids["note"])]
    assert [str(each.subject_id) for each in told.refusals] == [ids["foreign"]]
    assert [str(each.subject_id) for each in told.exports] == [ids["contact"]]
    assert [each.action for each in told.consents] == ["texts_agreed"]
    assert told.texts == {"otp recorded": 1}
    assert told.retention.cleared["turns"] == 3
    assert told.retention.cleared["runs"] == 1
    assert told.retention.days == asdict(Periods())
    assert (told.chain.intact, told.chain.unlinked) == (True, sum(told.actions.values()))
    assert told.protection.protected


async def test_an_erasure_is_in_it_with_its_proof(office: Office) -> None:
    contact_id = await office.contact(PHONE, NAME)
    async with office.armed() as connection:
        erasure = await erase_contact(connection, office.keys, office.org_id, CLERK, contact_id=contact_id)
    assert erasure is not None
    (entry,) = (await reported(office)).erasures
    assert (entry.id, entry.contact_id, entry.counts) == (erasure.id, contact_id, dict(erasure.counts))


async def test_only_the_period_counts(office: Office) -> None:
    await a_busy_day(office)
    now = datetime.now(UTC)
    told = await reported(office, now - timedelta(days=9), now - timedelta(days=2))
    assert (told.masked, told.kept, told.calls, told.texts, told.readings, told.actions) == (
        {}, {}, {}, {}, [], {},
    )  # fmt: skip


async def test_another_org_is_not_in_it(office: Office, other_office: Office) -> None:
    await a_busy_day(office)
    told = await reported(other_office)
    assert (told.kept, told.readings, told.exports) == ({}, [], [])


async def test_nothing_personal_is_in_it(office: Office) -> None:
    await a_busy_day(office)
    told = await reported(office)
    for text in (msgspec.json.encode(told).decode(), render(told)):
        personal = [PHONE, PHONE[1:], NAME, *(each.value for each in SAID)]
        assert [each for each in personal if each.casefold() in text.casefold()] == []


async def test_the_page_is_whole_and_takes_nothing_from_elsewhere(office: Office) -> None:
    ids = await a_busy_day(office)
    page = render(await reported(office))
    assert page.startswith("<!doctype html>")
    assert not re.search(r"https?:|src=|<script|@import|url\(", page)
    assert ids["note"] in page
    assert unbalanced(page) == []


def unbalanced(page: str) -> list[str]:
    """Tags that are opened and not closed, or the other way round."""

    opened: list[str] = []
    wrong: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag != "meta":
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            if not opened or opened.pop() != tag:
                wrong.append(tag)

    Reader().feed(page)
    return opened + wrong


async def test_a_broken_chain_is_told_on_both(stack: Stack, office: Office) -> None:
    await a_busy_day(office)
    async with office.armed() as connection:
        await link_batch(connection, office.org_id)
    admin = await asyncpg.connect(stack.admin)
    try:
        await admin.execute("set session_replication_role = replica")
        await admin.execute(
            "update audit_log set subject_id = null where org_id = $1 and action = 'read_for_care'",
            office.org_id,
        )
    finally:
        await admin.close()
    told = await reported(office)
    assert (told.chain.intact, told.chain.fault) == (False, "altered")
    assert "broken: altered" in render(told)


async def test_what_was_left_out_is_told(office: Office) -> None:
    """Links for which there was no time, and entries beyond those that are listed."""
    await a_busy_day(office)
    async with office.armed() as connection:
        await link_batch(connection, office.org_id)
    async with office.armed() as connection:
        day = timedelta(days=1)
        now = datetime.now(UTC)
        told = await make_report(connection, office.org_id, now - day, now + day, verify_s=0.0)
    assert (told.chain.intact, told.chain.complete, told.chain.links) == (True, False, 1)
    assert "intact up to link 1, the rest not looked at" in render(told)
    crowded = msgspec.structs.replace(told, readings=told.readings[:1] * ENTRIES_SHOWN)
    assert "The newest 1,000 of the period" in render(crowded)
    assert "The newest 1,000 of the period" not in render(told)


WEAKENED = {
    "row level security is off": "alter table notes_x disable row level security",
    "not forced": "alter table notes_x no force row level security",
    "no policy": "drop policy tenant on notes_x",
    "a policy that admits all": "alter policy tenant on notes_x using (true)",
    "a policy for somebody": "create policy more on notes_x to gw_app using (true)",
    "rows of no org": "alter table notes_x alter column org_id drop not null",
}
_TABLE = """
create table notes_x (org_id uuid not null);
alter table notes_x enable row level security;
alter table notes_x force row level security;
create policy tenant on notes_x using (org_id = (select app.org_id()));
grant select on notes_x to gw_app;
"""


@pytest.mark.parametrize("weakening", [None, *WEAKENED])
async def test_a_table_that_is_not_protected_is_told(
    owner: asyncpg.Connection, weakening: str | None
) -> None:
    transaction = owner.transaction()
    await transaction.start()
    try:
        await owner.execute(_TABLE + (WEAKENED[weakening] if weakening else ""))
        found = await protection_of(owner)
    finally:
        await transaction.rollback()
    weak = [each.name for each in found.tables if not each.protected and each.name.startswith("public.")]
    assert weak == (["public.notes_x"] if weakening else [])


async def test_a_role_that_owns_is_told(owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    assert not (await protection_of(owner)).role_bound
    async with pool.acquire() as connection:
        found = await protection_of(connection)
    assert (found.role, found.role_bound, found.protected) == ("gw_app", True, True)
    assert len(found.tables) > 30
