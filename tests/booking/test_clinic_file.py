"""Clinic files as people write them."""

from datetime import time
from pathlib import Path
from uuid import uuid4

import pytest

from booking.clinic_file import ClinicFile, ClinicUnreadable, key_id, read_clinic, written_clinic
from booking.types import WeeklyBreak, WorkingHours

DOCS = Path(__file__).parents[2] / "docs"
YAML, TOML = DOCS / "clinic.example.yaml", DOCS / "clinic.example.toml"


def written(folder: Path, text: str, suffix: str = ".yaml") -> Path:
    path = folder / f"clinic{suffix}"
    path.write_text(text)
    return path


def test_the_examples_say_the_same() -> None:
    found = read_clinic(YAML)
    assert read_clinic(TOML) == found
    assert found.org_id == key_id("example", "org")
    patel, morgan = found.clinic.practitioners
    assert patel.services is None
    assert patel.hours == tuple(WorkingHours(day, time(9), time(17), 30) for day in range(5))
    assert patel.breaks == tuple(WeeklyBreak(day, time(12, 30), time(13)) for day in range(5))
    assert morgan.hours[-1] == WorkingHours(5, time(9), time(12), 20)
    assert (morgan.breaks, morgan.services) == ((), frozenset({"Botox consultation"}))
    assert found.clinic.numbers == ("+442079460099",)
    assert found.clinic.services[0].guide_url == "https://clinic.example.com/guides/rhinoplasty.pdf"


def test_what_is_written_reads_as_the_same(tmp_path: Path) -> None:
    found = ClinicFile(uuid4(), read_clinic(YAML).clinic)
    assert read_clinic(written(tmp_path, written_clinic(found))) == found


def test_yaml_guesses_nothing(tmp_path: Path) -> None:
    """Unquoted, YAML 1.1 would read a number, false, null, a date and minutes."""
    text = (
        YAML.read_text()
        .replace("[botox]", "[0123, no, 2026-01-01, 10:30]")
        .replace("name: Dr Morgan", "name: No")
    )
    found = read_clinic(written(tmp_path, text.replace("practitioner: Dr Morgan", "practitioner: No")))
    assert found.clinic.services[1].synonyms == ("0123", "no", "2026-01-01", "10:30")
    assert found.clinic.practitioners[1].name == "No"


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("key: example", "key: [", "line"),
        ("key: example", "key: example\nkey: other", "stands twice"),
        ("key: example", "", "key: is missing"),
        ("key: example", "key: example\norg: 6f1d7c1e-3f0a-4f53-9d0e-2b8d5f1c7a44", "key: "),
        ("key: example", "key: example\nfax: 1", "unknown field `fax`"),
        ("time_zone: Europe/London", "time_zone: Europe/Atlantis", "time_zone: "),
        ("time_zone: Europe/London", "", "missing required field `time_zone`"),
        ("    minutes: 30", "    minutes: long", "services[0].minutes: "),
        ("    minutes: 30", "    minutes: 30.5", "services[0].minutes: "),
        ("to: 17:00", "to: 25:00", "hours[0].to: "),
        ("to: 17:00", "to: 08:00", "practitioners[0].hours: "),
        ("[tue, thu]", "[tue, thu, tue]", "practitioners[1].hours: "),
        ("[tue, thu]", "[tuesday]", "practitioners[1].hours[0].days[0]: "),
        ("services: [Botox consultation]", "services: [Massage]", "practitioners[1].services: "),
        ("+442079460099", "02079460099", "numbers[0]: "),
        ("https://", "http://", "services[0].guide: "),
        ("from: 2027-02-15", "from: 2027-02-30", "holidays[1].from: "),
        ("practitioner: Dr Morgan", "practitioner: Dr No", "holidays[1].practitioner: "),
    ],
)
def test_a_file_that_makes_no_sense_is_told_in_one_line(
    tmp_path: Path, before: str, after: str, fault: str
) -> None:
    text = YAML.read_text()
    assert before in text
    with pytest.raises(ClinicUnreadable) as told:
        read_clinic(written(tmp_path, text.replace(before, after, 1)))
    assert fault in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        ("key = ", ".toml"),
        ('key = "x"', ".toml"),
        (TOML.read_text().replace("minutes = 30", 'minutes = "30"', 1), ".toml"),
        (TOML.read_text().replace("09:00:00", "09:00:30", 1), ".toml"),
        ("- a list", ".yaml"),
        ("", ".yaml"),
        ("\x00", ".yaml"),
        ("key: x", ".json"),
        ("#" * 1_000_001, ".yaml"),
    ],
)
def test_other_files_are_told_too(tmp_path: Path, text: str, suffix: str) -> None:
    with pytest.raises(ClinicUnreadable) as told:
        read_clinic(written(tmp_path, text, suffix))
    assert "\n" not in str(told.value)


def test_a_practitioner_without_hours_is_told(tmp_path: Path) -> None:
    text = "key: x\nname: X\ntime_zone: Europe/London\npractitioners: [Dr Patel]\n"
    with pytest.raises(ClinicUnreadable, match=r"practitioners\[0\].hours: is missing"):
        read_clinic(written(tmp_path, text))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ClinicUnreadable, match="No such file"):
        read_clinic(tmp_path / "none.yaml")
