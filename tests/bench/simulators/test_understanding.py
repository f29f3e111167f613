"""What callers say, as a recogniser writes it, and what is understood on Saturday, 21 November 2026."""

from datetime import date
from typing import Any

import pytest

from bench.simulators.understanding import Service, TimeOfDay, Wish, edit_distance, signals, understand

TODAY = date(2026, 11, 21)
SERVICES = (
    Service("Rhinoplasty consultation", ("nose job",)),
    Service("Botox consultation", ("wrinkle injections",)),
    Service("Liposuction consultation", ("lipo",)),
)


def november(day: int) -> date:
    return date(2026, 11, day)


def heard(text: str) -> Wish:
    return understand(text, TODAY, SERVICES)


@pytest.mark.parametrize(
    ("text", "minute", "certain"),
    [
        ("half past ten", 630, False),
        ("at half past 10, please", 630, False),
        ("half ten", 630, False),
        ("10:30 a.m.", 630, True),
        ("10.30am", 630, True),
        ("ten thirty a M.", 630, True),
        ("1030", 630, False),
        ("quarter past nine", 555, False),
        ("a quarter to three", 885, False),
        ("twenty past two", 860, False),
        ("20 minutes past nine", 560, False),
        ("ten to four", 950, False),
        ("nine oh five", 545, False),
        ("two o'clock in the afternoon", 840, True),
        ("2 p.m..", 840, True),
        ("two pm", 840, True),
        ("eight in the morning", None, False),
        ("at eight in the morning", 480, True),
        ("14:30", 870, True),
        ("noon", 720, True),
        ("at three", 900, False),
        ("Nine please.", 540, False),
        ("ten thirty, no, eleven thirty", 690, False),
        ("that one", None, False),
        ("for two people", None, False),
        ("the one", None, False),
        ("Tuesday", None, False),
    ],
)
def test_times_of_day(text: str, minute: int | None, certain: bool) -> None:
    time = heard(text).time
    assert (time.minute, time.certain) == (minute, certain) if time else minute is None


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("after three", "after"),
        ("before noon", "before"),
        ("no later than 4 pm", "before"),
        ("later than two", "after"),
        ("at ten", "at"),
    ],
)
def test_before_and_after(text: str, relation: str) -> None:
    time = heard(text).time
    assert time is not None
    assert time.relation == relation


def test_a_bare_hour_fits_both_halves_of_the_day() -> None:
    assert TimeOfDay(540).fits(540)
    assert TimeOfDay(540).fits(540 + 720)
    assert not TimeOfDay(540, certain=True).fits(540 + 720)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Tuesday", november(24)),
        ("on tuesdays", november(24)),
        ("Wensday", november(25)),
        ("Saturday", november(28)),
        ("today", november(21)),
        ("tomorrow", november(22)),
        ("the day after tomorrow", november(23)),
        ("next Wednesday", november(25)),
        ("a week on Tuesday", date(2026, 12, 1)),
        ("Tuesday week", date(2026, 12, 1)),
        ("the 24th", november(24)),
        ("the twenty fourth of November", november(24)),
        ("December the first", date(2026, 12, 1)),
        ("December 3rd", date(2026, 12, 3)),
        ("the fifth", date(2026, 12, 5)),
        ("Tuesday the first", date(2026, 12, 1)),
        ("Tuesday the 24th", november(24)),
        ("not Monday, Friday", november(27)),
        ("I can't do Monday or Tuesday but Thursday works", november(26)),
        ("the first one", None),
        ("the 40th", None),
    ],
)
def test_days(text: str, day: date | None) -> None:
    assert heard(text).day == day


def test_days_that_are_ruled_out() -> None:
    assert heard("not Monday or Tuesday").refused_days == (november(23), november(24))
    assert heard("Tuesday doesn't work").refused_days == (november(24),)


def test_next_week_begins_on_its_monday() -> None:
    assert heard("sometime next week").days_from == november(23)


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("a rhinoplasty", "Rhinoplasty consultation"),
        ("a rhino plastic consultation", "Rhinoplasty consultation"),
        ("I'd like a rhino plasti consultation.", "Rhinoplasty consultation"),
        ("a nose job", "Rhinoplasty consultation"),
        ("leposuction", "Liposuction consultation"),
        ("bow tox please", "Botox consultation"),
        ("wrinkled injections", "Botox consultation"),
        ("a consultation", None),
        ("I'd like to book an appointment", None),
        ("Is there anywhere to park near the clinic?", None),
    ],
)
def test_services_are_understood_by_near_misses(text: str, service: str | None) -> None:
    assert heard(text).service == service


@pytest.mark.parametrize(
    ("text", "pick"),
    [
        ("the first one", 0),
        ("The second, please.", 1),
        ("the later one", -1),
        ("the last one", -1),
        ("Either is fine", 0),
        ("the second of December", None),
        ("something later", None),
        ("last week", None),
    ],
)
def test_choices(text: str, pick: int | None) -> None:
    assert heard(text).pick == pick


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("anything else?", True),
        ("do you have other times", True),
        ("Something later, please", True),
        ("nothing else", False),
        ("no, there isn't anything else", False),
    ],
)
def test_asking_for_other_times(text: str, asks: bool) -> None:
    assert heard(text).other_times is asks


def test_a_greeting_is_no_time_of_day() -> None:
    assert heard("Good morning").part is None
    assert heard("Good morning, something in the afternoon").part == "afternoon"


@pytest.mark.parametrize(
    ("text", "move"),
    [
        ("No, that's all bye.", "goodbye"),
        ("No, that is everything.", "finished"),
        ("no thanks", "declined"),
        ("Are you a robot?", "robot"),
        ("pardon?", "again"),
        ("yeah go ahead", "yes"),
        ("can I speak to a doctor", "handover"),
    ],
)
def test_moves_of_a_conversation(text: str, move: str) -> None:
    assert move in signals(text)


@pytest.mark.parametrize(
    ("a", "b", "distance"), [("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0)]
)
def test_edit_distance(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == distance


def test_a_later_wish_wins_where_they_differ() -> None:
    first: Any = heard("botox on Tuesday at ten")
    both = first.then(heard("make that Wednesday"))
    assert (both.service, both.day, both.time.minute) == ("Botox consultation", november(25), 600)
