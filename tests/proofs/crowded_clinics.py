"""A hundred clinics in one database: their slots, people, holds, codes and appointments, made by the server
itself.

As superuser with triggers off, so that millions of rows take minutes: they satisfy every reference by the way
they are made, and checks, unique indexes and the constraint on overlaps judge them as ever.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import asyncpg
import psycopg
from psycopg import sql

ORGS = 100
PRACTITIONERS, SERVICES = 10, 5
_COLUMNS = PRACTITIONERS * SERVICES
"""Slots that start at the same time in one clinic."""

_SEED = (
    # md5 of a name as the id of the row, so that one statement knows what another made.
    """
    insert into public.organizations (org_id, name, time_zone, greeting, agent_name)
    select md5('org ' || o)::uuid, 'Clinic', 'Europe/London', 'Hello.', 'Ava'
    from generate_series(1, %(orgs)s) o
    """,
    """
    insert into public.services (id, org_id, name, minutes)
    select md5(format('service %%s %%s', o, s))::uuid, md5('org ' || o)::uuid, 'Service ' || s, 30
    from generate_series(1, %(orgs)s) o, generate_series(1, %(services)s) s
    """,
    """
    insert into public.practitioners (id, org_id, number, name) overriding system value
    select md5(format('practitioner %%s %%s', o, p))::uuid, md5('org ' || o)::uuid, o * 100 + p, 'Dr ' || p
    from generate_series(1, %(orgs)s) o, generate_series(1, %(practitioners)s) p
    """,
    # A start every half hour, day and night, from tomorrow on.
    """
    insert into public.slots
        (id, org_id, service_id, practitioner_id, practitioner_number, starts_at, ends_at)
    select md5(format('slot %%s %%s %%s %%s', o, p, s, n))::uuid, md5('org ' || o)::uuid,
        md5(format('service %%s %%s', o, s))::uuid, md5(format('practitioner %%s %%s', o, p))::uuid,
        o * 100 + p, t.at + n * interval '30 min', t.at + (n + 1) * interval '30 min'
    from generate_series(1, %(orgs)s) o, generate_series(1, %(starts)s) n,
        generate_series(1, %(practitioners)s) p, generate_series(1, %(services)s) s,
        (select date_trunc('hour', now()) + interval '1 day' as at) t
    """,
    """
    insert into public.contacts (id, org_id, phone_digest, sealed_phone)
    select md5(format('contact %%s %%s', o, n))::uuid, md5('org ' || o)::uuid,
        sha256(format('phone %%s %%s', o, n)::bytea), 'sealed'
    from generate_series(1, %(orgs)s) o, generate_series(1, %(starts)s) n
    """,
    # Each practitioner's starts in turn: booked, held, expired unflipped, released, and three times nothing.
    """
    insert into public.appointment_holds
        (id, org_id, slot_id, call_id, practitioner_number, starts_at, ends_at, state, expires_at, created_at,
        ended_at, contact_id)
    select md5(format('hold %%s %%s %%s', o, p, n))::uuid, md5('org ' || o)::uuid,
        md5(format('slot %%s %%s 1 %%s', o, p, n))::uuid, md5(format('call %%s %%s %%s', o, p, n))::uuid,
        o * 100 + p, t.at + n * interval '30 min', t.at + (n + 1) * interval '30 min', w.state,
        case when n %% 7 = 2 then now() - interval '1 s' else now() + interval '1 day' end, now(),
        case when w.state = 'released' then now() end, md5(format('contact %%s %%s', o, n))::uuid
    from generate_series(1, %(orgs)s) o, generate_series(1, %(starts)s) n,
        generate_series(1, %(practitioners)s) p,
        (select date_trunc('hour', now()) + interval '1 day' as at) t,
        lateral (select (array['booked', 'held', 'held', 'released'])[n %% 7 + 1] as state) w
    where n %% 7 < 4
    """,
    """
    insert into public.appointments
        (id, org_id, hold_id, slot_id, contact_id, practitioner_number, starts_at, ends_at)
    select md5('appointment ' || h.id)::uuid, h.org_id, h.id, h.slot_id, h.contact_id, h.practitioner_number,
        h.starts_at, h.ends_at
    from public.appointment_holds h where h.state = 'booked'
    """,
    """
    insert into public.otp_codes (org_id, hold_id, receiver_digest, digest, state, expires_at)
    select h.org_id, h.id, c.phone_digest, case when h.state = 'held' then sha256('code') end,
        case h.state when 'held' then 'live' else 'used' end, now() + interval '9 min'
    from public.appointment_holds h join public.contacts c on c.org_id = h.org_id and c.id = h.contact_id
    where h.state in ('held', 'booked')
    """,
)


@contextmanager
def triggers_off(connection: psycopg.Connection) -> Iterator[None]:
    connection.execute("set session_replication_role = replica")
    yield
    connection.execute("reset session_replication_role")


def seed(admin_url: str, slots_per_org: int) -> None:
    """Fills a migrated, empty database. Blocks: some seconds per 100,000 slots in all."""
    sizes = {
        "orgs": sql.Literal(ORGS),
        "practitioners": sql.Literal(PRACTITIONERS),
        "services": sql.Literal(SERVICES),
        "starts": sql.Literal(slots_per_org // _COLUMNS),
    }
    with psycopg.connect(admin_url, autocommit=True) as admin:
        with triggers_off(admin):
            for statement in _SEED:
                admin.execute(statement % {name: size.as_string() for name, size in sizes.items()})
        admin.execute("vacuum (analyze)")


async def id_of(connection: asyncpg.Connection, name: str) -> UUID:
    """The id of a row that was made under this name."""
    found: UUID = await connection.fetchval("select md5($1)::uuid", name)
    return found
