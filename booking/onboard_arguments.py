"""The arguments of `python -m booking.onboard`."""

import argparse
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

import msgspec

from booking.clinic_form import DAYS, BreakForm, Day, HoursForm, declared_breaks, declared_hours
from booking.clinic_upkeep import DAYS_AHEAD, MOST_DAYS
from booking.errors import ClinicInvalid
from booking.owner import add_database_url
from booking.staff import SCOPES
from booking.types import WeeklyBreak, WorkingHours

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
F = TypeVar("F", HoursForm, BreakForm)
_TOKEN_DAYS: Final = 3_650
_WHEN: Final[dict[str, Any]] = {"nargs": 2, "action": "append", "metavar": ("DAYS", "FROM-TO")}


def onboard_parser() -> argparse.ArgumentParser:
    """`command` names what is to be done."""
    parser = argparse.ArgumentParser(
        prog="python -m booking.onboard",
        description="Take a clinic on and keep it up.",
        epilog="`python -m booking.onboard clinic.yaml` is `apply clinic.yaml`.",
        allow_abbrev=False,
    )
    add_database_url(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_whole(commands)
    _add_numbers(commands)
    _add_services(commands)
    _add_practitioners(commands)
    _add_holidays(commands)
    _add_tokens(commands)
    return parser


def hours_of(given: Sequence[Sequence[str]], slot_minutes: int) -> tuple[WorkingHours, ...]:
    """`mon-fri 09:00-17:00`, several of them. Raises `ClinicInvalid`."""
    return declared_hours([_form("hours", HoursForm, *each) for each in given], slot_minutes)


def breaks_of(given: Sequence[Sequence[str]]) -> tuple[WeeklyBreak, ...]:
    """`mon,wed 12:30-13:00`, several of them. Raises `ClinicInvalid`."""
    return declared_breaks([_form("breaks", BreakForm, *each) for each in given])


def _form(field: str, kind: type[F], days: str, times: str) -> F:
    begins, _, ends = times.partition("-")
    try:
        return msgspec.convert({"days": _days(days), "from": begins, "to": ends}, kind)
    except (msgspec.ValidationError, ValueError):
        raise ClinicInvalid(field, "is not like `mon-fri 09:00-17:00` or `mon,wed 09:00-12:30`") from None


def _days(text: str) -> list[Day]:
    days: list[Day] = []
    for part in text.lower().split(","):
        first, _, last = part.partition("-")
        days += DAYS[_day(first) : _day(last or first) + 1]
    return days


def _day(name: str) -> int:
    return [str(day) for day in DAYS].index(name)


def _add_whole(commands: Commands) -> None:
    apply = commands.add_parser("apply", help="make the clinic what its file says, and open its slots")
    apply.add_argument("file", type=Path, help="YAML or TOML, see docs/clinic.example.yaml")
    _add_dry_run(apply)
    _add_ahead(apply)
    show = commands.add_parser("show", help="print the clinic's file as it would read now")
    _add_clinic(show)
    slots = commands.add_parser("open-slots", help="open the slots of the days to come")
    _add_clinic(slots)
    _add_ahead(slots)


def _add_numbers(commands: Commands) -> None:
    for name, does in (("add-number", "answer a number"), ("remove-number", "give a number up")):
        _edit(commands, name, does).add_argument("number", help="E.164, as +442079460018")


def _add_services(commands: Commands) -> None:
    service = _edit(commands, "set-service", "offer a service; what is not given stays as it is")
    service.add_argument("name")
    service.add_argument("--minutes", type=int, help="how long it takes; a new service needs it")
    synonyms = service.add_mutually_exclusive_group()
    synonyms.add_argument("--synonym", action="append", help="how callers call it; may be repeated")
    synonyms.add_argument("--no-synonyms", action="store_true", help="callers have no other name for it")
    service.add_argument(
        "--guide", help="https address of what a patient may read; an empty one takes it away"
    )
    _edit(commands, "withdraw-service", "offer a service no more").add_argument("name")


def _add_practitioners(commands: Commands) -> None:
    person = _edit(commands, "set-practitioner", "let someone be booked; what is not given stays as it is")
    person.add_argument("name")
    person.add_argument("--hours", **_WHEN, help="mon-fri 09:00-17:00; may be repeated")
    person.add_argument(
        "--slot-minutes", type=int, default=30, help="slots start so often within these hours"
    )
    person.add_argument("--break", dest="breaks", **_WHEN, help="mon-fri 12:30-13:00; may be repeated")
    offered = person.add_mutually_exclusive_group()
    offered.add_argument("--service", action="append", help="a service that is offered; may be repeated")
    offered.add_argument("--all-services", action="store_true", help="also those to come")
    person.add_argument("--calendar", help="the Google calendar's id; an empty one takes it away")
    _edit(commands, "withdraw-practitioner", "let someone be booked no more").add_argument("name")


def _add_holidays(commands: Commands) -> None:
    for name, does in (("add-holiday", "close on some days"), ("remove-holiday", "work on them after all")):
        holiday = _edit(commands, name, does)
        holiday.add_argument("first", type=date.fromisoformat, help="the first day, as 2026-12-24")
        holiday.add_argument("last", type=date.fromisoformat, nargs="?", help="the last day")
        holiday.add_argument("--practitioner", help="who alone is away")


def _add_tokens(commands: Commands) -> None:
    issue = commands.add_parser(
        "issue-token", help="a staff token, in place of the one of its name; shown this once"
    )
    issue.add_argument("name", help="what it is for, never a person's name")
    issue.add_argument("--scope", action="append", choices=SCOPES, required=True, help="may be repeated")
    issue.add_argument(
        "--days", type=_days_up_to(_TOKEN_DAYS), help="good for so many days; else until it is revoked"
    )
    revoke = commands.add_parser("revoke-token", help="end a staff token")
    revoke.add_argument("name")
    listed = commands.add_parser("list-tokens", help="names, scopes and ends of the tokens in force")
    for each in (issue, revoke, listed):
        _add_clinic(each)


def _edit(commands: Commands, name: str, does: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=does)
    _add_clinic(parser)
    _add_dry_run(parser)
    return parser


def _add_clinic(parser: argparse.ArgumentParser) -> None:
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--clinic", help="the `key` of its file")
    whose.add_argument("--org", type=UUID, help="its org's id")


def _add_dry_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")


def _add_ahead(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--days",
        type=_days_up_to(MOST_DAYS),
        default=DAYS_AHEAD,
        help=f"open slots for so many days from today, {MOST_DAYS} at most",
    )


def _days_up_to(most: int) -> Callable[[str], int]:
    def days(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be 1 to {most}")
        return int(text)

    return days
