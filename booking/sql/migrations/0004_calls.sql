-- The record of a call. Neither end's number is kept here; `said` holds redacted words only.

create table public.calls (
    id uuid primary key,
    org_id uuid not null references public.organizations (org_id),
    carrier text not null check (carrier ~ '^[a-z][a-z0-9_]{1,40}$'),
    carrier_call_id text not null check (length(carrier_call_id) between 1 and 200),
    started_at timestamptz not null,
    ended_at timestamptz,
    end_reason text check (length(end_reason) between 1 and 100),
    check ((ended_at is null) = (end_reason is null)),
    unique (org_id, id)
);

create index calls_by_start on public.calls (org_id, started_at);

create table public.call_turns (
    org_id uuid not null references public.organizations (org_id),
    call_id uuid not null,
    turn integer not null check (turn >= 0),
    said jsonb not null,
    outcome text not null check (outcome in ('answered', 'interrupted', 'failed', 'silent')),
    stages_s jsonb not null default '{}',
    ttfb_ms double precision,
    overhead_ms double precision,
    stored_at timestamptz not null default now(),
    primary key (org_id, call_id, turn),
    foreign key (org_id, call_id) references public.calls (org_id, id)
);

alter table public.calls enable row level security;
alter table public.calls force row level security;
create policy tenant on public.calls using (org_id = (select app.org_id()));

alter table public.call_turns enable row level security;
alter table public.call_turns force row level security;
create policy tenant on public.call_turns using (org_id = (select app.org_id()));

grant select, insert, update on public.calls, public.call_turns to gw_app;
