"""What makes sense of a clinic's declaration, and what does not: without a database."""

from dataclasses import replace
from datetime import date, time

import pytest

from booking.clinic_form import clinic_form, declared_clinic
from booking.declared import (
    DeclaredClinic,
    DeclaredHoliday,
    DeclaredPractitioner,
    DeclaredService,
    require_sound,
)
from booking.errors import ClinicInvalid
from booking.types import Recording, WeeklyBreak, WorkingHours

MONDAY = WorkingHours(0, time(9), time(17))
PATEL = DeclaredPractitioner("Dr Patel", hours=(MONDAY,), breaks=(WeeklyBreak(0, time(12), time(13)),))
BOTOX = DeclaredService("Botox", 30, ("wrinkles",), "https://clinic.example.com/botox.pdf")
CLINIC = DeclaredClinic(
    name="Harley Street Clinic",
    time_zone="Europe/London",
    greeting="Hello.",
    agent_name="Alice",
    numbers=("+442079460018",),
    services=(BOTOX, DeclaredService("Filler", 45)),
    practitioners=(PATEL, replace(PATEL, name="Dr Okafor", services=frozenset({"Filler"}))),
    holidays=(DeclaredHoliday(date(2027, 1, 1), date(2027, 1, 4), "Dr Patel"),),
)


def patel(**changes: object) -> DeclaredClinic:
    return replace(CLINIC, practitioners=(replace(PATEL, **changes),), holidays=())


def botox(**changes: object) -> DeclaredClinic:
    return replace(CLINIC, services=(replace(BOTOX, **changes), DeclaredService("Filler", 45)))


def test_a_sound_clinic_is_and_can_be_written_down_and_read_again() -> None:
    require_sound(CLINIC)
    assert declared_clinic(clinic_form(CLINIC)) == CLINIC


@pytest.mark.parametrize(
    ("recording", "greeting"),
    [
        ("kept", "Hello."),
        ("off", "Hello."),
        ("announced", "Hello, this call is recorded in writing. How can I help?"),
        ("asked", "Hello, Harley Street. May we record this call?"),
        ("asked", "Hello. What you say would be transcribed. Is that all right?"),
    ],
)
def test_a_greeting_says_and_asks_what_the_clinic_keeps(recording: Recording, greeting: str) -> None:
    clinic = replace(CLINIC, recording=recording, greeting=greeting)
    require_sound(clinic)
    assert declared_clinic(clinic_form(clinic)) == clinic


def test_hours_until_midnight_and_hours_that_meet_are_sound() -> None:
    late = (WorkingHours(0, time(9), time(12)), WorkingHours(0, time(12), time(0)))
    require_sound(patel(hours=late, breaks=(WeeklyBreak(0, time(23), time(0)),)))


@pytest.mark.parametrize(
    ("clinic", "field"),
    [
        (replace(CLINIC, name=""), "name"),
        (replace(CLINIC, greeting="Hello\nthere"), "greeting"),
        (replace(CLINIC, agent_name="x" * 101), "agent_name"),
        (replace(CLINIC, recording="sometimes"), "recording"),
        (replace(CLINIC, recording="announced"), "greeting"),
        (replace(CLINIC, recording="announced", greeting="This is Harley Street."), "greeting"),
        (replace(CLINIC, recording="asked", greeting="Hello. This call is recorded."), "greeting"),
        (replace(CLINIC, recording="asked", greeting="May we record this? Fine. Who is it?"), "greeting"),
        (replace(CLINIC, name="\ud800"), "name"),
        (replace(CLINIC, time_zone="Europe/Atlantis"), "time_zone"),
        (replace(CLINIC, time_zone="../../etc/passwd"), "time_zone"),
        (replace(CLINIC, numbers=("+442079460018", "020 7946 0018")), "numbers[1]"),
        (replace(CLINIC, numbers=("+442079460018",) * 2), "numbers[1]"),
        (botox(minutes=4), "services[0].minutes"),
        (botox(minutes=721), "services[0].minutes"),
        (botox(synonyms=("",)), "services[0].synonyms"),
        (botox(synonyms=("filler",)), "services[1]"),
        (botox(name="FILLER"), "services[1]"),
        (botox(guide_url="http://clinic.example.com/x"), "services[0].guide"),
        (botox(guide_url="https://"), "services[0].guide"),
        (botox(guide_url="https://user:pass@clinic.example.com/"), "services[0].guide"),
        (botox(guide_url="https://clinic.example.com/a b"), "services[0].guide"),
        (botox(guide_url="https://[::1/"), "services[0].guide"),
        (botox(guide_url="https://clinic.example.com/" + "x" * 2000), "services[0].guide"),
        (replace(CLINIC, practitioners=(PATEL, PATEL)), "practitioners[1]"),
        (patel(name=" Dr Patel"), "practitioners[0].name"),
        (patel(hours=(WorkingHours(0, time(9), time(8)),), breaks=()), "practitioners[0].hours"),
        (patel(hours=(WorkingHours(7, time(9), time(10)),), breaks=()), "practitioners[0].hours"),
        (patel(hours=(WorkingHours(0, time(9), time(10), 1),), breaks=()), "practitioners[0].hours"),
        (
            patel(hours=(MONDAY, WorkingHours(0, time(16), time(18))), breaks=()),
            "practitioners[0].hours",
        ),
        (patel(breaks=(WeeklyBreak(0, time(13), time(12)),)), "practitioners[0].breaks"),
        (patel(breaks=(WeeklyBreak(0, time(17), time(18)),)), "practitioners[0].breaks"),
        (patel(breaks=(WeeklyBreak(1, time(12), time(13)),)), "practitioners[0].breaks"),
        (
            patel(breaks=(WeeklyBreak(0, time(12), time(14)), WeeklyBreak(0, time(13), time(15)))),
            "practitioners[0].breaks",
        ),
        (patel(services=frozenset({"Massage"})), "practitioners[0].services"),
        (patel(calendar_id="a/b"), "practitioners[0].google_calendar"),
        (replace(CLINIC, holidays=(DeclaredHoliday(date(2027, 1, 2), date(2027, 1, 1)),)), "holidays[0]"),
        (replace(CLINIC, holidays=(DeclaredHoliday(date(2027, 1, 2), date(2029, 1, 1)),)), "holidays[0]"),
        (replace(CLINIC, holidays=CLINIC.holidays * 2), "holidays[1]"),
        (
            replace(CLINIC, holidays=(DeclaredHoliday(date(2027, 1, 2), date(2027, 1, 2), "Dr No"),)),
            "holidays[0].practitioner",
        ),
    ],
)
def test_what_makes_no_sense_is_told_by_its_field(clinic: DeclaredClinic, field: str) -> None:
    with pytest.raises(ClinicInvalid) as told:
        require_sound(clinic)
    assert told.value.field == field
    assert "\n" not in str(told.value)
