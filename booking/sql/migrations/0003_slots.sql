-- What can be booked, and what is held. References between tenant tables carry the org, so that no row can point
-- into another org whatever the statement.

create table public.services (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    name text not null check (length(name) between 1 and 200),
    synonyms text[] not null default '{}',
    minutes integer not null check (minutes between 5 and 720),
    active boolean not null default true,
    unique (org_id, id),
    unique (org_id, name)
);

-- `number` is the practitioner in a range, for the constraint on overlaps below.
create table public.practitioners (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    number integer not null generated always as identity unique,
    name text not null check (length(name) between 1 and 200),
    active boolean not null default true,
    unique (org_id, id, number)
);

create table public.slots (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    service_id uuid not null,
    practitioner_id uuid not null,
    practitioner_number integer not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    check (ends_at > starts_at and ends_at <= starts_at + interval '12 hours'),
    unique (org_id, practitioner_id, service_id, starts_at),
    unique (org_id, id, practitioner_number, starts_at, ends_at),
    foreign key (org_id, service_id) references public.services (org_id, id),
    foreign key (org_id, practitioner_id, practitioner_number) references public.practitioners (org_id, id, number)
);

create index slots_by_service on public.slots (org_id, service_id, starts_at);

-- A slot taken for a call: `held` until `expires_at` (past that it counts as free until somebody flips it), or
-- `booked`. Its practitioner and times are the slot's (the foreign key says so), and no two live rows of one
-- practitioner may overlap, whatever the functions do: practitioner as an int4range, because core GiST has no
-- operator class for a plain integer.
create table public.appointment_holds (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    slot_id uuid not null,
    call_id uuid not null,
    practitioner_number integer not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    state text not null default 'held' check (state in ('held', 'booked', 'released', 'expired')),
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    check ((ended_at is null) = (state in ('held', 'booked'))),
    foreign key (org_id, slot_id, practitioner_number, starts_at, ends_at)
        references public.slots (org_id, id, practitioner_number, starts_at, ends_at),
    constraint no_overlap exclude using gist (
        int4range(practitioner_number, practitioner_number, '[]') with &&,
        tstzrange(starts_at, ends_at) with &&
    ) where (state in ('held', 'booked'))
);

create unique index one_hold_per_call on public.appointment_holds (org_id, call_id) where (state = 'held');

create index holds_by_slot on public.appointment_holds (org_id, slot_id);

alter table public.services enable row level security;
alter table public.services force row level security;
create policy tenant on public.services using (org_id = (select app.org_id()));

alter table public.practitioners enable row level security;
alter table public.practitioners force row level security;
create policy tenant on public.practitioners using (org_id = (select app.org_id()));

alter table public.slots enable row level security;
alter table public.slots force row level security;
create policy tenant on public.slots using (org_id = (select app.org_id()));

alter table public.appointment_holds enable row level security;
alter table public.appointment_holds force row level security;
create policy tenant on public.appointment_holds using (org_id = (select app.org_id()));

grant select on public.services, public.practitioners to gw_app;
-- SELECT … FOR UPDATE asks for an UPDATE right; this column is never changed.
grant select, update (org_id) on public.slots to gw_app;
grant select, insert, update on public.appointment_holds to gw_app;
