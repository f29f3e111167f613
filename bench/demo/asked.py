"""What a recorded caller asks for, and whether a held slot is that. Known to the judge of a call alone."""

import tomllib
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class AskedUnreadable(Exception):
    """The text file beside a recording makes no sense; the message is for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Conditions on the slot, in the clinic's own time; None where any will do. `service` is part of its
    name.
    """

    weekday: str | None = None
    at: time | None = None
    service: str | None = None

    def met_by(self, starts_at: datetime, service: str, zone: ZoneInfo) -> bool:
        """Is this slot what was asked for?"""
        local = starts_at.astimezone(zone)
        return (
            self.weekday in (None, WEEKDAYS[local.weekday()])
            and self.at in (None, local.time())
            and (self.service is None or self.service in service.lower())
        )

    def __str__(self) -> str:
        """For the terminal, where a service's name counts as medical."""
        weekday = self.weekday.capitalize() if self.weekday else None
        at = f"{self.at:%H:%M}" if self.at else None
        service = "for a certain service" if self.service else None
        return " ".join(word for word in (weekday, at, service) if word) or "any slot"


def read_asked(recording: Path) -> Asked:
    """From the text file of the same name; any slot will do where there is none. Raises `AskedUnreadable`."""
    beside = recording.with_suffix(".toml")
    if not beside.is_file():
        return Asked()
    try:
        asked = tomllib.loads(beside.read_text()).get("asked", {})
        return Asked(
            weekday=_weekday(asked.get("weekday")),
            at=time.fromisoformat(asked["time"]) if "time" in asked else None,
            service=str(asked["service"]).lower() if "service" in asked else None,
        )
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise AskedUnreadable(f"{beside}: {error}") from error


def _weekday(name: object) -> str | None:
    if name is None:
        return None
    if str(name).lower() not in WEEKDAYS:
        raise ValueError(f"no such weekday: {name}")
    return str(name).lower()
