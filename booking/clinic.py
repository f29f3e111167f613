"""Taking a clinic on: its org, numbers, services, practitioners and slots, in one go that can be repeated.

Runs as the owner of the tables; row level security binds the owner too, so the clinic's claim is armed as for
anyone. Ids follow from the spec's `key`, hence the same spec always means the same clinic: seeding again
changes what is said of it, adds slots that are missing and leaves holds and bookings alone. Numbers that the
spec no longer names are given up; services and practitioners are offered no more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import asyncpg

from booking.db import claims_json
from booking.types import Claim

_NAMESPACE = UUID("6f1d7c1e-3f0a-4f53-9d0e-2b8d5f1c7a44")


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
    opens: time = time(9, 0)
    closes: time = time(17, 0)
    slot_minutes: int = 30
    weekdays: frozenset[int] = field(default=frozenset(range(5)))

    @property
    def claim(self) -> Claim:
        return Claim(org_id=self.id_of("org"))

    def id_of(self, *path: str) -> UUID:
        """The id that a part of this clinic always has."""
        return uuid5(_NAMESPACE, "\x1f".join((self.key, *path)))

    def service_id(self, name: str) -> UUID:
        return self.id_of("service", name)

    def practitioner_id(self, name: str) -> UUID:
        return self.id_of("practitioner", name)


async def seed_clinic(
    owner: asyncpg.Connection, spec: ClinicSpec, *, first_day: date, days: int = 14
) -> Claim:
    """Make the clinic what `spec` says, with slots from `first_day` on for `days` days. Answers its claim."""
    ZoneInfo(spec.time_zone)
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(spec.claim))
        await _organization(owner, spec)
        await _people_and_services(owner, spec)
        await _slots(owner, spec, first_day, days)
    return spec.claim


async def _organization(owner: asyncpg.Connection, spec: ClinicSpec) -> None:
    org_id = spec.claim.org_id
    await owner.execute(
        """
        insert into public.organizations (org_id, name, time_zone, greeting, agent_name, voice)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (org_id) do update set name = excluded.name, time_zone = excluded.time_zone,
            greeting = excluded.greeting, agent_name = excluded.agent_name, voice = excluded.voice
        """,
        org_id, spec.name, spec.time_zone, spec.greeting, spec.agent_name, spec.voice,
    )  # fmt: skip
    await owner.execute(
        "delete from public.phone_numbers where org_id = $1 and number <> all ($2::text[])",
        org_id, spec.numbers,
    )  # fmt: skip
    await owner.executemany(
        """
        insert into public.phone_numbers (org_id, number) values ($1, $2)
        on conflict (org_id, number) do nothing
        """,
        [(org_id, number) for number in spec.numbers],
    )


async def _people_and_services(owner: asyncpg.Connection, spec: ClinicSpec) -> None:
    org_id = spec.claim.org_id
    await owner.execute("update public.services set active = false where org_id = $1", org_id)
    await owner.execute("update public.practitioners set active = false where org_id = $1", org_id)
    await owner.executemany(
        """
        insert into public.services (org_id, id, name, synonyms, minutes) values ($1, $2, $3, $4, $5)
        on conflict (id) do update set synonyms = excluded.synonyms, minutes = excluded.minutes, active = true
        """,
        [(org_id, spec.service_id(s.name), s.name, list(s.synonyms), s.minutes) for s in spec.services],
    )
    await owner.executemany(
        """
        insert into public.practitioners (org_id, id, name) values ($1, $2, $3)
        on conflict (id) do update set active = true
        """,
        [(org_id, spec.practitioner_id(name), name) for name in spec.practitioners],
    )


async def _slots(owner: asyncpg.Connection, spec: ClinicSpec, first_day: date, days: int) -> None:
    starts, closings = [], []
    for start, closing in _starts(spec, [first_day + timedelta(days=n) for n in range(days)]):
        starts.append(start)
        closings.append(closing)
    await owner.execute(
        """
        insert into public.slots
            (org_id, service_id, practitioner_id, practitioner_number, starts_at, ends_at)
        select s.org_id, s.id, p.id, p.number, t.starts_at, t.starts_at + make_interval(mins => s.minutes)
        from public.services s, public.practitioners p,
             unnest($2::timestamptz[], $5::timestamptz[]) as t (starts_at, closes_at)
        where s.org_id = $1 and p.org_id = $1 and s.id = any ($3::uuid[]) and p.id = any ($4::uuid[])
          and t.starts_at + make_interval(mins => s.minutes) <= t.closes_at
        on conflict (org_id, practitioner_id, service_id, starts_at) do nothing
        """,
        spec.claim.org_id,
        starts,
        [spec.service_id(service.name) for service in spec.services],
        [spec.practitioner_id(name) for name in spec.practitioners],
        closings,
    )


def _starts(spec: ClinicSpec, days: Sequence[date]) -> Iterator[tuple[datetime, datetime]]:
    """Each slot's start with the closing time of its day."""
    zone = ZoneInfo(spec.time_zone)
    for day in days:
        if day.weekday() not in spec.weekdays:
            continue
        start, closing = datetime.combine(day, spec.opens), datetime.combine(day, spec.closes)
        while start < closing:
            yield start.replace(tzinfo=zone), closing.replace(tzinfo=zone)
            start += timedelta(minutes=spec.slot_minutes)
