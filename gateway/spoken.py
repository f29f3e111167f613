"""Times as a receptionist says them: "Tuesday the 24th at half past ten"."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

_NUMBERS: Final = (
    *("twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS: Final = {20: "twenty", 30: "thirty", 40: "forty", 50: "fifty"}


def spoken_day(local: datetime) -> str:
    """Weekday and day of the month: "Tuesday the 24th"."""
    return f"{local:%A} the {ordinal(local.day)}"


def spoken_time(local: datetime) -> str:
    """On the twelve-hour clock: "half past ten", "quarter to three", "nine o'clock", "ten twenty"."""
    hour, minute = local.hour, local.minute
    match minute:
        case 0:
            return f"{_hour(hour)} o'clock"
        case 15:
            return f"quarter past {_hour(hour)}"
        case 30:
            return f"half past {_hour(hour)}"
        case 45:
            return f"quarter to {_hour(hour + 1)}"
        case _:
            return f"{_hour(hour)} {_minute(minute)}"


def spoken(local: datetime) -> str:
    """Day and time."""
    return f"{spoken_day(local)} at {spoken_time(local)}"


def listed(parts: Sequence[str], word: str = "or") -> str:
    """ "ten, eleven or noon"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def ordinal(number: int) -> str:
    """ "1st", "22nd", "13th"."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _hour(hour: int) -> str:
    return _NUMBERS[hour % 12]


def _minute(minute: int) -> str:
    if minute < 10:
        return f"oh {_NUMBERS[minute]}"
    if minute < 20:
        return _NUMBERS[minute]
    tens, units = minute - minute % 10, minute % 10
    return _TENS[tens] + (f"-{_NUMBERS[units]}" if units else "")
