from pathlib import Path

import asyncpg
import pytest

from booking.onboard import ClinicUnreadable, onboard, read_clinic
from booking.orgs import load_profile, resolve_number
from tests.conftest import Clinic, Stack

EXAMPLE = Path(__file__).parents[2] / "docs" / "clinic.example.toml"


def written(folder: Path, text: str) -> Path:
    path = folder / "clinic.toml"
    path.write_text(text)
    return path


async def test_the_example_clinic_answers_its_number(
    stack: Stack, pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    spec = read_clinic(EXAMPLE)
    claim = await onboard(stack.postgres.owner, spec, days=2)
    assert await resolve_number(pool, spec.numbers[0]) == claim.org_id
    profile = await load_profile(pool, claim)
    assert profile is not None
    assert profile.name == "Example Clinic"
    assert {service.name for service in profile.services} == {service.name for service in spec.services}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("key = ", "clinic.toml"),
        ("phone = 1", "nobody knows phone"),
        ('key = "x"', "missing required field"),
        (EXAMPLE.read_text().replace("\nminutes = 30", '\nminutes = "long"'), "services"),
        (EXAMPLE.read_text().replace("Europe/London", "Europe/Atlantis"), "Atlantis"),
    ],
)
def test_a_file_that_makes_no_sense_is_told_in_one_line(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ClinicUnreadable) as told:
        read_clinic(written(tmp_path, text))
    assert fault in str(told.value)
    assert "\n" not in str(told.value)


async def test_a_number_of_another_clinic_is_refused(stack: Stack, tmp_path: Path, clinic: Clinic) -> None:
    text = (
        EXAMPLE.read_text().replace("+442079460099", clinic.spec.numbers[0]).replace('"example"', '"other"')
    )
    with pytest.raises(ClinicUnreadable, match="phone_numbers"):
        await onboard(stack.postgres.owner, read_clinic(written(tmp_path, text)), days=1)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ClinicUnreadable, match="No such file"):
        read_clinic(tmp_path / "none.toml")
