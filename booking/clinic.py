"""Clinics of one rhythm, whose practitioners all work the same hours: for demos, benches and tests.

Ids follow from the spec's `key`, hence the same spec always means the same clinic: seeding again changes
what is said of it, adds slots that are missing and leaves holds and bookings alone.
"""

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from uuid import UUID

import asyncpg

from booking.clinic_file import key_id
from booking.clinic_upkeep import make_stand
from booking.db import armed
from booking.declared import DeclaredClinic, DeclaredPractitioner, DeclaredService, require_sound
from booking.types import Claim, Recording, WorkingHours


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    name: str
    minutes: int
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClinicSpec:
    """A clinic as it is to be. `opens`/`closes` are local times; slots start every `slot_minutes` and end by
    closing time.

    `weekdays`: Monday is 0. `key` names the clinic for ever.
    """

    key: str
    name: str
    numbers: tuple[str, ...]
    services: tuple[ServiceSpec, ...]
    practitioners: tuple[str, ...]
    time_zone: str = "Europe/London"
    greeting: str = "Hello. How can I help?"
    agent_name: str = "Alice"
    voice: str | None = None
    recording: Recording = "kept"
    opens: time = time(9, 0)
    closes: time = time(17, 0)
    slot_minutes: int = 30
    weekdays: frozenset[int] = field(default=frozenset(range(5)))

    @property
    def claim(self) -> Claim:
        return Claim(org_id=self.id_of("org"))

    def id_of(self, *path: str) -> UUID:
        """The id that a part of this clinic always has."""
        return key_id(self.key, *path)

    def service_id(self, name: str) -> UUID:
        return self.id_of("service", name)

    def practitioner_id(self, name: str) -> UUID:
        return self.id_of("practitioner", name)

    def declared(self) -> DeclaredClinic:
        """The same, spelt out."""
        hours = tuple(
            WorkingHours(weekday, self.opens, self.closes, self.slot_minutes)
            for weekday in sorted(self.weekdays)
        )
        return DeclaredClinic(
            name=self.name,
            time_zone=self.time_zone,
            greeting=self.greeting,
            agent_name=self.agent_name,
            voice=self.voice,
            recording=self.recording,
            numbers=self.numbers,
            services=tuple(
                DeclaredService(each.name, each.minutes, each.synonyms, id=self.service_id(each.name))
                for each in self.services
            ),
            practitioners=tuple(
                DeclaredPractitioner(name, hours, id=self.practitioner_id(name))
                for name in self.practitioners
            ),
        )


async def seed_clinic(
    owner: asyncpg.Connection, spec: ClinicSpec, *, first_day: date, days: int = 14
) -> Claim:
    """Make the clinic what `spec` says, with slots from `first_day` on for `days` days. Answers its claim.

    It is nobody's act, so it leaves no audit record. Raises `ClinicInvalid`.
    """
    clinic = spec.declared()
    require_sound(clinic)
    async with armed(owner, spec.claim):
        await make_stand(owner, spec.claim, clinic, actor=None)
        if days:
            await owner.execute(
                "select app.generate_slots($1, null, $2, $3)",
                spec.claim.org_id,
                first_day,
                first_day + timedelta(days=days - 1),
            )
    return spec.claim
