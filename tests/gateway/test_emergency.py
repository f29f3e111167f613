"""Which number an agent names in an emergency, for every time zone that a clinic can have."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Final
from uuid import UUID

import pytest

from booking.types import OrgProfile
from gateway.emergency import UNKNOWN, emergency_number
from gateway.prompt import system_prompt
from gateway.vapi.assistant import standing_instructions

PROFILE = OrgProfile(UUID(int=1), "The Clinic", "Europe/London", "Hello.", "Alice", None, (), ())

# ISO 3166 codes, as the time zone database's own list of zones by country has them.
COUNTRIES: Final[Mapping[str, str]] = {
    "999 or 112": "GB IE GG JE IM",
    "911": "US CA PR VI GU AS MP",
    "112": "AT BE BG HR CY CZ DK EE FI FR DE GR HU IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO CH"
    " FO SJ AX GI VA SM MC AD",
    "000": "AU",
    "111": "NZ",
}
OF_COUNTRY: Final = {code: number for number, codes in COUNTRIES.items() for code in codes.split()}


def test_every_zone_of_every_country_has_that_countrys_number_or_none() -> None:
    lines = files("tzdata.zoneinfo").joinpath("zone.tab").read_text().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    inhabited = [(row[0], row[2]) for row in rows if not row[2].startswith("Antarctica/")]
    wrong = {
        zone: told
        for code, zone in inhabited
        if (told := emergency_number(zone)) != OF_COUNTRY.get(code, UNKNOWN)
    }
    assert len(inhabited) > 400
    assert wrong == {}


@pytest.mark.parametrize(
    ("zone", "number"),
    [
        ("GB", "999 or 112"),
        ("Europe/Belfast", "999 or 112"),
        ("US/Eastern", "911"),
        ("America/Indiana/Knox", "911"),
        ("Canada/Pacific", "911"),
        ("Australia/NSW", "000"),
        ("NZ", "111"),
        ("America/Mexico_City", UNKNOWN),
        ("Asia/Dubai", UNKNOWN),
        ("CET", UNKNOWN),
        ("UTC", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_former_names_count_and_what_tells_no_country_has_no_number(zone: str, number: str) -> None:
    assert emergency_number(zone) == number


@pytest.mark.parametrize(
    ("zone", "told"),
    [("Europe/Dublin", "999 or 112"), ("America/Toronto", "911"), ("Europe/Paris", "112"), ("UTC", UNKNOWN)],
)
def test_our_model_and_vapis_are_told_the_clinics_own(zone: str, told: str) -> None:
    profile = replace(PROFILE, time_zone=zone)
    rule = f"In an emergency tell the caller to ring {told}.\n"
    assert rule in system_prompt(profile, datetime(2027, 3, 1, tzinfo=UTC))
    assert rule in standing_instructions(profile)
