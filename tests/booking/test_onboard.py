"""The command, as a process of its own: what it does, tells and refuses."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from booking.audit import page_of_records
from booking.clinic_file import key_id, read_clinic
from booking.clinic_upkeep import load_clinic
from booking.onboard import main
from booking.orgs import resolve_number
from booking.slots import next_available
from booking.staff import live_tokens, resolve_token
from booking.types import Claim
from tests.commands import run_inside
from tests.conftest import Clinic, Stack

EXAMPLE = Path(__file__).parents[2] / "docs" / "clinic.example.yaml"


class Command:
    """Runs it for a clinic that nobody else has."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self._url = stack.postgres.app
        self.key = uuid4().hex
        self.number = f"+4420{uuid4().int % 10**10:010d}"
        self.claim = Claim(key_id(self.key, "org"))
        self.file = folder / "clinic.yaml"
        self.write()

    def write(self, before: str = "", after: str = "") -> None:
        text = EXAMPLE.read_text().replace("key: example", f"key: {self.key}")
        assert before in text
        self.file.write_text(text.replace("+442079460099", self.number).replace(before or "\0", after))

    async def run(self, *arguments: str, url: str | None = None) -> tuple[int, str]:
        """Exit status and all that was written."""
        return await run_inside(main, *arguments, environ={"DATABASE_URL": self._url if url is None else url})

    async def edit(self, name: str, *arguments: str) -> tuple[int, str]:
        return await self.run(name, "--clinic", self.key, *arguments)


@pytest.fixture
def command(stack: Stack, tmp_path: Path) -> Command:
    return Command(stack, tmp_path)


async def test_a_file_makes_a_clinic_that_answers_its_number(command: Command, pool: asyncpg.Pool) -> None:
    status, told = await command.run("apply", str(command.file), "--dry-run")
    assert (status, f"+ number {command.number}" in told) == (0, True)
    assert await resolve_number(pool, command.number) is None
    status, told = await command.run(str(command.file), "--days", "10")
    assert (status, "+ practitioner Dr Morgan" in told, "slots: 0 added" in told) == (0, True, False)
    assert await resolve_number(pool, command.number) == command.claim.org_id
    stands, wanted = await load_clinic(pool, command.claim), read_clinic(command.file).clinic
    assert set(stands.services) == set(wanted.services)
    assert replace(stands, services=()) == replace(wanted, services=())
    status, told = await command.run(str(command.file), "--days", "10")
    assert told.splitlines()[1:] == ["nothing changed", "slots: 0 added, 0 withdrawn"]
    records = await page_of_records(pool, command.claim, limit=100)
    assert {record.actor.kind for record in records} == {"operator"}


async def test_what_is_shown_can_be_applied(command: Command, tmp_path: Path) -> None:
    await command.run("apply", str(command.file), "--days", "1")
    status, told = await command.edit("show")
    assert status == 0
    shown = tmp_path / "shown.yaml"
    shown.write_text(told)
    assert "nothing changed" in (await command.run("apply", str(shown), "--days", "1"))[1]


async def test_changes_one_by_one(command: Command, pool: asyncpg.Pool) -> None:
    await command.run("apply", str(command.file), "--days", "1")
    more = f"+4420{uuid4().int % 10**10:010d}"
    steps = [
        (("add-number", more), f"+ number {more}"),
        (("remove-number", command.number), f"- number {command.number}"),
        (("set-service", "Peel", "--minutes", "20", "--synonym", "facial"), "+ service Peel"),
        (("set-service", "Peel", "--minutes", "40"), "~ service Peel"),
        (("set-service", "Peel", "--guide", "https://clinic.example.com/peel"), "~ service Peel"),
        (("set-practitioner", "Dr Stone", "--hours", "mon-fri", "10:00-14:00", "--service", "Peel",
          "--break", "mon,wed", "12:00-12:30"), "+ practitioner Dr Stone"),
        (("set-practitioner", "Dr Stone", "--calendar", "stone@clinic.example.com"), "+ calendar Dr Stone"),
        (("add-holiday", "2030-12-24", "2030-12-27", "--practitioner", "Dr Stone"), "+ holiday 2030-12-24"),
        (("remove-holiday", "2030-12-24", "2030-12-27", "--practitioner", "Dr Stone"), "- holiday"),
        (("withdraw-practitioner", "Dr Morgan"), "- practitioner Dr Morgan"),
        (("withdraw-service", "Botox consultation"), "- service Botox consultation"),
    ]  # fmt: skip
    for (name, *arguments), change in steps:
        status, told = await command.edit(name, *arguments)
        assert (status, change in told) == (0, True), (name, told)
    clinic = await load_clinic(pool, command.claim)
    assert clinic.numbers == (more,)
    assert [each.name for each in clinic.services] == ["Peel", "Rhinoplasty consultation"]
    assert (clinic.services[0].minutes, clinic.services[0].synonyms) == (40, ("facial",))
    (_, stone) = clinic.practitioners
    assert (stone.name, stone.services, len(stone.hours), len(stone.breaks)) == (
        "Dr Stone", frozenset({"Peel"}), 5, 2,
    )  # fmt: skip
    peel = key_id(command.key, "service", "Peel")
    assert clinic.services[0].id == peel
    slots = await next_available(pool, command.claim, service_id=peel, after=datetime.now(UTC), limit=100)
    assert {slot.practitioner for slot in slots} == {"Dr Patel", "Dr Stone"}


async def test_what_takes_things_away_says_so(command: Command, pool: asyncpg.Pool) -> None:
    await command.run("apply", str(command.file), "--days", "1")
    await command.edit(
        "set-service", "Peel", "--minutes", "20", "--synonym", "facial", "--guide", "https://a.example/"
    )
    assert (await command.edit("set-service", "Peel", "--no-synonyms", "--guide", ""))[0] == 0
    (peel,) = [each for each in (await load_clinic(pool, command.claim)).services if each.name == "Peel"]
    assert (peel.minutes, peel.synonyms, peel.guide_url) == (20, (), None)
    status, told = await command.edit("set-service", "Scrub")
    assert (status, told) == (1, "a new service needs --minutes\n")


async def test_holidays_reach_as_far_as_the_slots(command: Command) -> None:
    await command.run("apply", str(command.file), "--days", "100")
    first, last = (datetime.now(UTC).date() + timedelta(days=ahead) for ahead in (80, 90))
    _, told = await command.edit("add-holiday", first.isoformat(), last.isoformat())
    assert re.search(r"slots: 0 added, [1-9]\d* withdrawn", told), told


async def test_staff_tokens_are_shown_once_and_stored_hashed(
    command: Command, pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    await command.run("apply", str(command.file), "--days", "1")
    status, told = await command.edit(
        "issue-token", "front desk", "--scope", "slots:read", "--scope", "org:read", "--days", "9"
    )
    secret = told.strip()
    holder = await resolve_token(pool, secret)
    assert (status, holder is not None and holder.org_id) == (0, command.claim.org_id)
    (token,) = await live_tokens(pool, command.claim)
    assert (token.name, token.scopes) == ("front desk", ("org:read", "slots:read"))
    status, told = await command.edit("list-tokens")
    assert told.startswith("front desk: org:read slots:read, until ")
    assert secret not in told
    assert await command.edit("revoke-token", "front desk") == (0, "revoked\n")
    assert await resolve_token(pool, secret) is None
    assert (await command.edit("revoke-token", "front desk"))[0] == 1
    records = await page_of_records(pool, command.claim, limit=2)
    assert [(each.action, each.subject_id) for each in records] == [
        ("token_revoked", token.id), ("token_issued", token.id),
    ]  # fmt: skip


async def test_what_cannot_be_done_is_told_in_one_line(
    command: Command, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    await command.run("apply", str(command.file), "--days", "1")
    before = await load_clinic(pool, command.claim)
    refused = [
        (("add-number", clinic.number), "numbers[1]: belongs to another clinic"),
        (("add-number", "020"), "numbers[1]: "),
        (("set-service", "x", "--minutes", "1"), "services[2].minutes: "),
        (("set-practitioner", "Dr New"), "hours: is missing"),
        (("set-practitioner", "Dr New", "--hours", "someday", "9-5"), "hours: is not like"),
        (("withdraw-service", "Massage"), "No service"),
        (("withdraw-practitioner", "Dr No"), "No practitioner"),
    ]
    for (name, *arguments), fault in refused:
        status, told = await command.edit(name, *arguments)
        assert (status, fault in told, told.count("\n")) == (1, True, 1), (name, told)
    assert await load_clinic(pool, command.claim) == before
    for name in ("show", "list-tokens"):
        assert await command.run(name, "--org", str(uuid4())) == (1, "There is no such org.\n")


@pytest.mark.parametrize("days", ["0", "-1", "9999", "soon"])
async def test_days_are_bounded(command: Command, days: str) -> None:
    for arguments in (
        ("apply", str(command.file)),
        ("issue-token", "x", "--clinic", command.key, "--scope", "slots:read"),
    ):
        status, told = await command.run(*arguments, f"--days={days}")
        assert (status, "--days: must be 1 to " in told) == (2, True)


async def test_other_refusals(command: Command, stack: Stack) -> None:
    command.write("minutes: 30", "minutes: long")
    assert (await command.run(str(command.file)))[0] == 1
    assert (await command.run("show", "--clinic", "nobody"))[0] == 1
    assert (await command.run("issue-token", "x", "--scope", "slots:read", "--org", str(uuid4())))[0] == 1
    assert (await command.edit("issue-token", "x", "--scope", "admin"))[0] == 2
    assert (await command.run("show"))[0] == 2
    assert (await command.run("apply", str(command.file), url=""))[0] == 2
    command.write()
    status, told = await command.run(str(command.file), url=stack.postgres.owner)
    assert (status, "the database role" in told) == (1, True)
