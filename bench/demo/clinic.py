"""The clinic that `make run` calls."""

import secrets
from datetime import datetime, time
from zoneinfo import ZoneInfo

import asyncpg

from booking.clinic import ClinicSpec, ServiceSpec, seed_clinic
from booking.types import Claim

# From the ranges that Ofcom keeps free for drama: they ring nowhere.
CLINIC_NUMBER = "+442079460018"
TRIAL_NUMBER = "+442079460019"
"""Of the same account, and no clinic's: for orgs that are tried out on (`bench validate`)."""
_CALLER_NUMBERS = "+447700900{:03d}"
DAYS_AHEAD = 14

DEMO_CLINIC = ClinicSpec(
    key="demo",
    name="Harley Street Clinic",
    numbers=(CLINIC_NUMBER,),
    services=(
        ServiceSpec(
            "Rhinoplasty consultation", 30, ("rhinoplasty", "nose job", "nose surgery", "nose reshaping")
        ),
        ServiceSpec("Botox consultation", 30, ("botox", "wrinkle injections", "anti-wrinkle injections")),
        ServiceSpec("Liposuction consultation", 30, ("liposuction", "lipo", "fat removal")),
    ),
    practitioners=("Dr Patel", "Dr Morgan"),
    greeting="Hello, Harley Street Clinic. How can I help?",
    opens=time(9, 0),
    closes=time(17, 0),
)
ZONE = ZoneInfo(DEMO_CLINIC.time_zone)


def a_caller_number() -> str:
    """Mostly another one each time: calls at once do not read each other's texts, nor use up their number."""
    return _CALLER_NUMBERS.format(secrets.randbelow(1000))


async def seed_demo_clinic(owner_url: str) -> Claim:
    """Make the clinic, its slots for the next two weeks included. Repeating it adds what is missing."""
    owner = await asyncpg.connect(owner_url)
    try:
        today = datetime.now(ZONE).date()
        return await seed_clinic(owner, DEMO_CLINIC, first_day=today, days=DAYS_AHEAD)
    finally:
        await owner.close()
