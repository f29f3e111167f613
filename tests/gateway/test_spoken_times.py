"""Times as they are said."""

from datetime import datetime

import pytest

from gateway.spoken import ordinal, spoken


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("2026-11-24T10:30", "Tuesday the 24th at half past ten"),
        ("2026-11-22T12:00", "Sunday the 22nd at twelve o'clock"),
        ("2026-11-21T14:45", "Saturday the 21st at quarter to three"),
        ("2026-11-23T09:05", "Monday the 23rd at nine oh five"),
        ("2026-11-11T15:20", "Wednesday the 11th at three twenty"),
        ("2026-11-12T11:45", "Thursday the 12th at quarter to twelve"),
        ("2026-11-13T12:15", "Friday the 13th at quarter past twelve"),
        ("2026-11-02T16:37", "Monday the 2nd at four thirty-seven"),
        ("2026-11-02T23:45", "Monday the 2nd at quarter to twelve"),
    ],
)
def test_time_is_spoken(when: str, said: str) -> None:
    assert spoken(datetime.fromisoformat(when)) == said


def test_ordinals() -> None:
    told = [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 20, 21, 22, 23, 31)]
    assert told == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "12th",
        "13th",
        "20th",
        "21st",
        "22nd",
        "23rd",
        "31st",
    ]
