"""`python -m booking.onboard clinic.toml`: take a clinic on, or change what is said of it.

The file holds the fields of `booking.clinic.ClinicSpec`; `docs/clinic.example.toml` shows them. Runs as the
owner, after the migrations. Repeat it (daily, by cron) to keep slots open for the days to come.
"""

import argparse
import asyncio
import sys
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import asyncpg
import msgspec

from booking.clinic import ClinicSpec, seed_clinic
from booking.errors import BookingUnavailable
from booking.owner import add_owner_url
from booking.types import Claim

DAYS_AHEAD = 60


class ClinicUnreadable(Exception):
    """The clinic's file makes no sense; the message is one line for whoever wrote it."""


def read_clinic(path: Path) -> ClinicSpec:
    """The clinic that the file describes. Raises `ClinicUnreadable`."""
    try:
        found = msgspec.toml.decode(path.read_bytes())
        unknown = set(found) - {field.name for field in fields(ClinicSpec)}
        if unknown:
            raise ClinicUnreadable(f"{path}: nobody knows {', '.join(sorted(unknown))}")
        spec = msgspec.convert(found, ClinicSpec)
        ZoneInfo(spec.time_zone)
    except OSError as error:
        raise ClinicUnreadable(f"{path}: {error.strerror}") from None
    except (msgspec.DecodeError, ZoneInfoNotFoundError, ValueError) as error:
        raise ClinicUnreadable(f"{path}: {error}") from None
    return spec


async def onboard(owner_url: str, spec: ClinicSpec, *, days: int = DAYS_AHEAD) -> Claim:
    """Make the clinic, with slots from today on. Raises `BookingUnavailable` or `ClinicUnreadable`."""
    try:
        owner = await asyncpg.connect(owner_url)
    except (OSError, asyncpg.PostgresError) as error:
        raise BookingUnavailable(f"Postgres: {type(error).__name__}") from error
    try:
        today = datetime.now(ZoneInfo(spec.time_zone)).date()
        return await seed_clinic(owner, spec, first_day=today, days=days)
    except asyncpg.IntegrityConstraintViolationError as error:
        raise ClinicUnreadable(f"the database refuses the clinic: {error.constraint_name}") from None
    finally:
        await owner.close()


def main() -> int:
    """0 when the clinic is what its file says."""
    parser = argparse.ArgumentParser(prog="python -m booking.onboard", description="Take a clinic on.")
    parser.add_argument("clinic", type=Path, help="the clinic's file, see docs/clinic.example.toml")
    parser.add_argument("--days", type=int, default=DAYS_AHEAD, help="open slots for so many days from today")
    add_owner_url(parser)
    chosen = parser.parse_args()
    if not chosen.owner_url:
        parser.error("give --owner-url or set DATABASE_OWNER_URL")
    try:
        spec = read_clinic(chosen.clinic)
        claim = asyncio.run(onboard(chosen.owner_url, spec, days=chosen.days))
    except (ClinicUnreadable, BookingUnavailable) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{spec.name}: org {claim.org_id}, answers {', '.join(spec.numbers)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
