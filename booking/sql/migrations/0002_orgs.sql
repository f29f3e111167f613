-- The tenant, its numbers and its sealed credentials; how a claim is armed and how row level security reads it.

-- The org of the armed claim, null if none is. An ended local setting reads '', hence nullif.
create function app.org_id() returns uuid
language sql stable parallel safe
as $$
    select coalesce(claims ->> 'org_id', claims ->> 'clinic_id')::uuid
    from (select nullif(current_setting('request.jwt.claims', true), '')::jsonb) as setting (claims)
$$;

-- Arms the claim until the transaction ends and answers its org. As the first argument of the functions below it
-- makes claim and work one statement: arguments are evaluated before the body. Those functions are plpgsql, which is
-- never inlined, so that no plan can look at a row before the claim is set.
create function app.arm(claims text) returns uuid
language plpgsql volatile
as $$
begin
    perform set_config('request.jwt.claims', claims, true);
    if app.org_id() is null then
        raise exception 'a claim without an org' using errcode = 'insufficient_privilege';
    end if;
    return app.org_id();
end
$$;

-- The org that a function was asked to work for must be the armed one: checked here as well as by row level security.
create function app.require_org(asked uuid) returns void
language plpgsql stable
as $$
begin
    if asked is null or asked is distinct from app.org_id() then
        raise exception 'not the org of the armed claim' using errcode = 'insufficient_privilege';
    end if;
end
$$;

create table public.organizations (
    org_id uuid primary key default gen_random_uuid(),
    name text not null check (length(name) between 1 and 200),
    time_zone text not null check (length(time_zone) between 1 and 64),
    greeting text not null check (length(greeting) between 1 and 1000),
    agent_name text not null check (length(agent_name) between 1 and 100),
    voice text,
    created_at timestamptz not null default now()
);

create table public.phone_numbers (
    org_id uuid not null references public.organizations (org_id),
    number text not null unique check (number ~ '^\+[1-9][0-9]{6,14}$'),
    created_at timestamptz not null default now(),
    primary key (org_id, number)
);

comment on table public.phone_numbers is 'The clinic''s own numbers (E.164), never a caller''s';

create table public.org_credentials (
    org_id uuid not null references public.organizations (org_id),
    provider text not null check (provider ~ '^[a-z][a-z0-9_]{1,40}$'),
    sealed bytea not null check (length(sealed) between 1 and 65536),
    updated_at timestamptz not null default now(),
    primary key (org_id, provider)
);

alter table public.organizations enable row level security;
alter table public.organizations force row level security;
create policy tenant on public.organizations using (org_id = (select app.org_id()));

alter table public.phone_numbers enable row level security;
alter table public.phone_numbers force row level security;
create policy tenant on public.phone_numbers using (org_id = (select app.org_id()));
create policy resolver on public.phone_numbers for select to gw_resolver using (true);

alter table public.org_credentials enable row level security;
alter table public.org_credentials force row level security;
create policy tenant on public.org_credentials using (org_id = (select app.org_id()));

grant select on public.organizations, public.phone_numbers to gw_app;
grant select, insert, update, delete on public.org_credentials to gw_app;
grant select (org_id, number) on public.phone_numbers to gw_resolver;

-- The dialled number's org. Under FORCE a definer function of the tables' owner would see nothing, hence gw_resolver.
create function app.resolve_org(dialled text) returns uuid
language sql stable security definer set search_path = ''
as $$
    select org_id from public.phone_numbers where number = dialled
$$;

grant execute on function app.org_id() to gw_app, gw_worker, gw_resolver;
grant execute on function app.arm(text), app.require_org(uuid), app.resolve_org(text) to gw_app;

grant create on schema app to gw_resolver;
alter function app.resolve_org(text) owner to gw_resolver;
revoke create on schema app from gw_resolver;
