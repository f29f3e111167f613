"""`python -m gateway.guides`: the PDF guides that a clinic's follow-ups lead to.

    python -m gateway.guides load --org 9f… --service "Rhinoplasty consultation" rhinoplasty.pdf
    python -m gateway.guides list --org 9f…
    python -m gateway.guides remove --org 9f… --service "Rhinoplasty consultation"

A service has one guide; loaded again, the new one takes its place, for links that are out too.

Exit status: 0 when done, 1 if it could not be done, 2 for settings or arguments that make no sense.
"""

import argparse
import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from booking.db import open_pool
from booking.errors import BookingError
from booking.guides import Guide, guide_of, put_guide, remove_guide
from booking.orgs import load_profile
from booking.types import OPERATOR, Claim, OrgProfile, Service
from gateway.errors import SettingsInvalid
from gateway.settings import Settings, load

LOAD_S: Final = 60.0


class Refused(Exception):
    """What was asked for cannot be done; the message is one line."""


def main(arguments: list[str] | None = None) -> int:
    """See the module."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = load()
    except SettingsInvalid as fault:
        sys.stderr.write(f"gateway.guides: {fault}\n")
        return 2
    try:
        told = asyncio.run(_act(settings, chosen))
    except (Refused, BookingError) as error:
        sys.stderr.write(f"gateway.guides: {error}\n")
        return 1
    sys.stdout.write(told)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gateway.guides",
        description="The PDF guides that a clinic's follow-ups lead to.",
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(dest="action", required=True)
    does = {
        "load": "a PDF, in place of the one before",
        "list": "which services have a guide",
        "remove": "a guide",
    }
    for name, told in does.items():
        action = actions.add_parser(name, help=told)
        action.add_argument("--org", type=UUID, required=True, help="the org's id")
        if name != "list":
            action.add_argument("--service", required=True, help="the service's name")
        if name == "load":
            action.add_argument("file", type=Path, help="the PDF")
    return parser


@dataclass(frozen=True, slots=True)
class _Work:
    """One clinic's guides."""

    pool: asyncpg.Pool
    claim: Claim
    profile: OrgProfile

    async def load(self, name: str, file: Path) -> str:
        try:
            content = await asyncio.to_thread(file.read_bytes)
        except OSError as error:
            raise Refused(f"{file.name}: {error.strerror}") from None
        guide = await put_guide(
            self.pool, self.claim, service_id=self._service(name).id, content=content, actor=OPERATOR
        )
        return _line(name, guide)

    async def list(self) -> str:
        told = [
            _line(service.name, await guide_of(self.pool, self.claim, service_id=service.id))
            for service in self.profile.services
        ]
        return "".join(told)

    async def remove(self, name: str) -> str:
        service_id = self._service(name).id
        if not await remove_guide(self.pool, self.claim, service_id=service_id, actor=OPERATOR):
            raise Refused(f"{name} has no guide")
        return f"removed: {name}\n"

    def _service(self, name: str) -> Service:
        for service in self.profile.services:
            if service.name.casefold() == name.casefold():
                return service
        raise Refused(f"there is no service {name!r}; see: list")


def _line(name: str, guide: Guide | None) -> str:
    if guide is None:
        return f"{name}\tno guide\n"
    return f"{name}\t{guide.pages} pages\t{guide.size_bytes} bytes\t{guide.uploaded_at:%Y-%m-%d %H:%M} UTC\n"


async def _act(settings: Settings, chosen: argparse.Namespace) -> str:
    async with await open_pool(settings.database_url, statement_timeout_s=LOAD_S) as pool:
        claim = Claim(chosen.org)
        profile = await load_profile(pool, claim)
        if profile is None:
            raise Refused("there is no such org")
        work = _Work(pool, claim, profile)
        match chosen.action:
            case "load":
                return await work.load(chosen.service, chosen.file)
            case "remove":
                return await work.remove(chosen.service)
        return await work.list()


if __name__ == "__main__":
    sys.exit(main())
