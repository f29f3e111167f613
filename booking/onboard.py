"""`python -m booking.onboard`: take a clinic on and keep it up, from a file or change by change.

    python -m booking.onboard apply clinic.yaml --dry-run
    python -m booking.onboard clinic.yaml
    python -m booking.onboard show --clinic example
    python -m booking.onboard add-number --clinic example +442079460018
    python -m booking.onboard set-practitioner --clinic example "Dr Patel" --hours mon-fri 09:00-17:00
    python -m booking.onboard issue-token --clinic example "front desk" --scope slots:read --days 90

Runs as role gw_app, after the migrations. Whatever is repeated changes nothing; what does change is printed
and stands in the audit log. Slots are opened for the days to come; a daily job goes on with them.

Exit status: 0 when done, 1 if it could not be done, 2 for arguments that make no sense.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from booking import clinic_edits
from booking.clinic_changes import Change
from booking.clinic_file import ClinicFile, ClinicUnreadable, key_id, read_clinic, written_clinic
from booking.clinic_upkeep import (
    DAYS_AHEAD,
    Edit,
    change_clinic,
    declare_clinic,
    load_clinic,
    open_slots,
)
from booking.db import open_pool
from booking.declared import DeclaredClinic, DeclaredHoliday, DeclaredPractitioner, DeclaredService
from booking.errors import BookingError
from booking.onboard_arguments import breaks_of, hours_of, onboard_parser
from booking.staff import issue_token, live_tokens, revoke_token
from booking.types import OPERATOR, Claim

_STATEMENT_S: Final = 60.0
_FILES: Final = (".yaml", ".yml", ".toml")


class Refused(Exception):
    """What was asked for cannot be done; the message is one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0].endswith(_FILES):
        given.insert(0, "apply")
    parser = onboard_parser()
    chosen = parser.parse_args(given)
    if not chosen.database_url:
        parser.error("give --database-url or set DATABASE_URL")
    try:
        told = asyncio.run(_run(chosen))
    except (ClinicUnreadable, Refused, BookingError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(told)
    return 0


async def _run(chosen: argparse.Namespace) -> str:
    if chosen.command == "apply":  # a file that makes no sense is told without a database
        chosen.found = read_clinic(chosen.file)
        chosen.org = chosen.found.org_id
    claim = Claim(chosen.org or key_id(chosen.clinic, "org"))
    async with await open_pool(chosen.database_url, max_size=1, statement_timeout_s=_STATEMENT_S) as pool:
        if chosen.command in _EDITS:
            return await _edit(pool, claim, chosen, _EDITS[chosen.command](chosen))
        return await _WORK[chosen.command](pool, claim, chosen)


# --- the whole clinic ---


async def _apply(pool: asyncpg.Pool, claim: Claim, chosen: argparse.Namespace) -> str:
    found: ClinicFile = chosen.found
    changes = await declare_clinic(pool, claim, found.clinic, actor=OPERATOR, dry_run=chosen.dry_run)
    told = f"{found.clinic.name}: org {claim.org_id}\n{_told(changes)}"
    return told if chosen.dry_run else told + await _opened(pool, claim, chosen.days)


async def _show(pool: asyncpg.Pool, claim: Claim, _chosen: argparse.Namespace) -> str:
    return written_clinic(ClinicFile(claim.org_id, await load_clinic(pool, claim)))


async def _open_slots(pool: asyncpg.Pool, claim: Claim, chosen: argparse.Namespace) -> str:
    return await _opened(pool, claim, chosen.days)


async def _opened(pool: asyncpg.Pool, claim: Claim, days: int) -> str:
    made = await open_slots(pool, claim, days=days)
    return f"slots: {made.added} added, {made.withdrawn} withdrawn\n"


def _told(changes: Sequence[Change]) -> str:
    return "".join(f"{change}\n" for change in changes) or "nothing changed\n"


# --- one fact of it ---


async def _edit(pool: asyncpg.Pool, claim: Claim, chosen: argparse.Namespace, edit: Edit) -> str:
    changes = await change_clinic(pool, claim, edit, actor=OPERATOR, dry_run=chosen.dry_run)
    return _told(changes) + ("" if chosen.dry_run else await _opened(pool, claim, DAYS_AHEAD))


def _new_id(chosen: argparse.Namespace, kind: str) -> UUID | None:
    """What the clinic's file would give it."""
    return None if chosen.clinic is None else key_id(chosen.clinic, kind, chosen.name)


def _service(chosen: argparse.Namespace) -> Edit:
    """What is not given stays as it is."""

    def edit(clinic: DeclaredClinic) -> DeclaredClinic:
        known = [each for each in clinic.services if each.name == chosen.name]
        if not known and chosen.minutes is None:
            raise Refused("a new service needs --minutes")
        new = DeclaredService(chosen.name, chosen.minutes or 0, id=_new_id(chosen, "service"))
        return clinic_edits.with_service(clinic, _service_as_given(chosen, known[0] if known else new))

    return edit


def _service_as_given(chosen: argparse.Namespace, service: DeclaredService) -> DeclaredService:
    if chosen.minutes is not None:
        service = replace(service, minutes=chosen.minutes)
    if chosen.synonym or chosen.no_synonyms:
        service = replace(service, synonyms=tuple(chosen.synonym or ()))
    if chosen.guide is not None:
        service = replace(service, guide_url=chosen.guide or None)
    return service


def _practitioner(chosen: argparse.Namespace) -> Edit:
    """What is not given stays as it is."""

    def edit(clinic: DeclaredClinic) -> DeclaredClinic:
        known = [each for each in clinic.practitioners if each.name == chosen.name]
        new = DeclaredPractitioner(chosen.name, id=_new_id(chosen, "practitioner"))
        return clinic_edits.with_practitioner(clinic, _as_given(chosen, known[0] if known else new))

    return edit


def _as_given(chosen: argparse.Namespace, person: DeclaredPractitioner) -> DeclaredPractitioner:
    if chosen.hours:
        person = replace(person, hours=hours_of(chosen.hours, chosen.slot_minutes))
    if chosen.breaks:
        person = replace(person, breaks=breaks_of(chosen.breaks))
    if chosen.service or chosen.all_services:
        person = replace(person, services=frozenset(chosen.service) if chosen.service else None)
    if chosen.calendar is not None:
        person = replace(person, calendar_id=chosen.calendar or None)
    return person


def _holiday(chosen: argparse.Namespace) -> DeclaredHoliday:
    return DeclaredHoliday(chosen.first, chosen.last or chosen.first, chosen.practitioner)


_EDITS: Final[Mapping[str, Callable[[argparse.Namespace], Edit]]] = {
    "add-number": lambda chosen: lambda clinic: clinic_edits.with_number(clinic, chosen.number),
    "remove-number": lambda chosen: lambda clinic: clinic_edits.without_number(clinic, chosen.number),
    "set-service": _service,
    "withdraw-service": lambda chosen: lambda clinic: clinic_edits.without_service(clinic, chosen.name),
    "set-practitioner": _practitioner,
    "withdraw-practitioner": lambda chosen: (
        lambda clinic: clinic_edits.without_practitioner(clinic, chosen.name)
    ),
    "add-holiday": lambda chosen: lambda clinic: clinic_edits.with_holiday(clinic, _holiday(chosen)),
    "remove-holiday": lambda chosen: lambda clinic: clinic_edits.without_holiday(clinic, _holiday(chosen)),
}


# --- staff tokens ---


async def _issue(pool: asyncpg.Pool, claim: Claim, chosen: argparse.Namespace) -> str:
    await load_clinic(pool, claim)
    lasting = None if chosen.days is None else datetime.now(UTC) + timedelta(days=chosen.days)
    issued = await issue_token(pool, claim, name=chosen.name, scopes=chosen.scope, expires_at=lasting)
    return f"{issued.secret}\n"


async def _revoke(pool: asyncpg.Pool, claim: Claim, chosen: argparse.Namespace) -> str:
    if not await revoke_token(pool, claim, name=chosen.name):
        raise Refused("there is no token of this name in force")
    return "revoked\n"


async def _tokens(pool: asyncpg.Pool, claim: Claim, _chosen: argparse.Namespace) -> str:
    await load_clinic(pool, claim)
    return "".join(
        f"{each.name}: {' '.join(each.scopes)}"
        f"{'' if each.expires_at is None else f', until {each.expires_at:%Y-%m-%d %H:%M} UTC'}\n"
        for each in await live_tokens(pool, claim)
    )


_Work = Callable[[asyncpg.Pool, Claim, argparse.Namespace], Awaitable[str]]
_WORK: Final[Mapping[str, _Work]] = {
    "apply": _apply,
    "show": _show,
    "open-slots": _open_slots,
    "issue-token": _issue,
    "revoke-token": _revoke,
    "list-tokens": _tokens,
}

if __name__ == "__main__":
    sys.exit(main())
