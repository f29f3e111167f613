-- Where what is said in a call goes: sealed notes and values; what a clinic lets the agent know; its campaigns.
--
-- Way back: drop table public.clinical_notes, public.pii_vault, public.knowledge_chunks, public.outbound_campaigns;
-- alter table public.calls drop constraint calls_contact, drop column contact_id, drop column caller_digest, drop
-- column sealed_caller, drop column sealed_called. Older replicas look at none of it.

alter table public.calls
    add column contact_id uuid,
    add column caller_digest bytea check (length(caller_digest) = 32),
    add column sealed_caller bytea check (length(sealed_caller) between 1 and 1024),
    add column sealed_called bytea check (length(sealed_called) between 1 and 1024),
    add constraint calls_contact foreign key (org_id, contact_id) references public.contacts (org_id, id);

create index calls_by_caller on public.calls (org_id, caller_digest, started_at) where (caller_digest is not null);

-- What was said of somebody's health.
create table public.clinical_notes (
    id uuid primary key,
    org_id uuid not null references public.organizations (org_id),
    call_id uuid not null,
    contact_id uuid,
    turn integer check (turn >= 0),
    sealed bytea not null check (length(sealed) between 1 and 65536),
    noted_at timestamptz not null default clock_timestamp(),
    unique (org_id, id),
    foreign key (org_id, call_id) references public.calls (org_id, id),
    foreign key (org_id, contact_id) references public.contacts (org_id, id)
);

create index notes_by_call on public.clinical_notes (org_id, call_id);

create index notes_by_contact on public.clinical_notes (org_id, contact_id);

-- Other personal values that were said: what stands as a placeholder in the words kept of a call.
create table public.pii_vault (
    id uuid primary key,
    org_id uuid not null references public.organizations (org_id),
    call_id uuid not null,
    contact_id uuid,
    turn integer check (turn >= 0),
    kind text not null check (kind ~ '^[a-z][a-z_]{1,40}$'),
    sealed bytea not null check (length(sealed) between 1 and 16384),
    kept_at timestamptz not null default clock_timestamp(),
    unique (org_id, id),
    foreign key (org_id, call_id) references public.calls (org_id, id),
    foreign key (org_id, contact_id) references public.contacts (org_id, id)
);

create index values_by_call on public.pii_vault (org_id, call_id);

create index values_by_contact on public.pii_vault (org_id, contact_id);

-- Passages that the agent may answer from. `source` names a document of the clinic's own.
create table public.knowledge_chunks (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    source text not null check (length(source) between 1 and 500),
    position integer not null check (position >= 0),
    body text not null check (length(body) between 1 and 20000),
    updated_at timestamptz not null default clock_timestamp(),
    unique (org_id, source, position)
);

-- Whom the clinic has called or texted about what: the service by its id, never by its name.
create table public.outbound_campaigns (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    service_id uuid not null,
    status text not null default 'draft' check (status in ('draft', 'running', 'paused', 'ended')),
    starts_at timestamptz,
    ends_at timestamptz check (ends_at > starts_at),
    created_at timestamptz not null default clock_timestamp(),
    unique (org_id, id),
    foreign key (org_id, service_id) references public.services (org_id, id)
);

alter table public.clinical_notes enable row level security;
alter table public.clinical_notes force row level security;
create policy tenant on public.clinical_notes using (org_id = (select app.org_id()));

alter table public.pii_vault enable row level security;
alter table public.pii_vault force row level security;
create policy tenant on public.pii_vault using (org_id = (select app.org_id()));

alter table public.knowledge_chunks enable row level security;
alter table public.knowledge_chunks force row level security;
create policy tenant on public.knowledge_chunks using (org_id = (select app.org_id()));

alter table public.outbound_campaigns enable row level security;
alter table public.outbound_campaigns force row level security;
create policy tenant on public.outbound_campaigns using (org_id = (select app.org_id()));

grant select, insert, delete on public.clinical_notes, public.pii_vault to gw_app;
grant select, insert, update, delete on public.knowledge_chunks, public.outbound_campaigns to gw_app;
