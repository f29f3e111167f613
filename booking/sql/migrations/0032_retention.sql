-- How long what is kept of people is kept, per org, and the daily clearing of what is older.
--
-- Way back: drop the functions named at the end; drop table public.retention_runs, public.retention_periods; drop index
-- public.turns_by_age, public.notes_by_age, public.values_by_age, public.texts_by_age, public.codes_by_age; revoke delete
-- on public.otp_codes from gw_app. Older replicas look at none of it.

-- What is not here has the default of `app.retention`.
create table public.retention_periods (
    org_id uuid not null references public.organizations (org_id),
    kind text not null check (kind in ('turns', 'notes', 'personal', 'texts', 'calls')),
    days integer not null check (days between 1 and 36500),
    changed_at timestamptz not null default clock_timestamp(),
    primary key (org_id, kind)
);

-- What each run cleared, by kind. A run that found nothing is one too.
create table public.retention_runs (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    counts jsonb not null,
    ran_at timestamptz not null default clock_timestamp(),
    unique (org_id, id)
);

create index retention_runs_by_time on public.retention_runs (org_id, ran_at);

create index turns_by_age on public.call_turns (org_id, stored_at) where (said <> '[]');

create index notes_by_age on public.clinical_notes (org_id, noted_at);

create index values_by_age on public.pii_vault (org_id, kept_at);

create index texts_by_age on public.sms_messages (org_id, recorded_at) where (sealed_body <> '\x00');

create index codes_by_age on public.otp_codes (org_id, stored_at);

alter table public.retention_periods enable row level security;
alter table public.retention_periods force row level security;
create policy tenant on public.retention_periods using (org_id = (select app.org_id()));

alter table public.retention_runs enable row level security;
alter table public.retention_runs force row level security;
create policy tenant on public.retention_runs using (org_id = (select app.org_id()));

grant select, insert, update on public.retention_periods to gw_app;
grant select, insert (org_id, counts) on public.retention_runs to gw_app;
grant delete on public.otp_codes to gw_app;

-- The org's periods, in days.
create function app.retention(p_org uuid)
returns table (turns integer, notes integer, personal integer, texts integer, calls integer)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select coalesce(max(r.days) filter (where r.kind = 'turns'), 90),
            coalesce(max(r.days) filter (where r.kind = 'notes'), 365),
            coalesce(max(r.days) filter (where r.kind = 'personal'), 90),
            coalesce(max(r.days) filter (where r.kind = 'texts'), 90),
            coalesce(max(r.days) filter (where r.kind = 'calls'), 365)
        from public.retention_periods r where r.org_id = p_org;
end
$$;

create function app.set_retention(
    p_org uuid, p_turns integer, p_notes integer, p_personal integer, p_texts integer, p_calls integer,
    p_actor_kind text, p_actor_id uuid
) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    insert into public.retention_periods (org_id, kind, days)
    select p_org, p.kind, p.days
    from unnest(
        array['turns', 'notes', 'personal', 'texts', 'calls'],
        array[p_turns, p_notes, p_personal, p_texts, p_calls]) p (kind, days)
    on conflict (org_id, kind) do update set days = excluded.days, changed_at = clock_timestamp();
    perform app.audit(p_org, p_actor_kind, p_actor_id, 'retention_changed', 'org', p_org);
end
$$;

-- Clears so many rows of each kind that are older than the org keeps them; how many of each. A call's key goes with the
-- last that is sealed under it, a number's with its last message.
create function app.forget_old(p_org uuid, p_batch integer)
returns table (turns integer, notes integer, personal integer, texts integer, codes integer, calls integer, keys integer)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_days record;
    v_now timestamptz := clock_timestamp();
begin
    perform app.require_org(p_org);
    select r.* into v_days from app.retention(p_org) r;

    update public.call_turns t set said = '[]' from (
        select o.call_id, o.turn from public.call_turns o
        where o.org_id = p_org and o.said <> '[]' and o.stored_at < v_now - make_interval(days => v_days.turns)
        order by o.stored_at limit p_batch
    ) old where t.org_id = p_org and t.call_id = old.call_id and t.turn = old.turn;
    get diagnostics turns = row_count;

    delete from public.clinical_notes n where n.org_id = p_org and n.id in (
        select o.id from public.clinical_notes o
        where o.org_id = p_org and o.noted_at < v_now - make_interval(days => v_days.notes)
        order by o.noted_at limit p_batch);
    get diagnostics notes = row_count;

    delete from public.pii_vault v where v.org_id = p_org and v.id in (
        select o.id from public.pii_vault o
        where o.org_id = p_org and o.kept_at < v_now - make_interval(days => v_days.personal)
        order by o.kept_at limit p_batch);
    get diagnostics personal = row_count;

    update public.sms_messages m
    set receiver_digest = app.digest_of_nobody(), sealed_receiver = '\x00', sealed_body = '\x00', check_after = null
    where m.org_id = p_org and m.id in (
        select o.id from public.sms_messages o
        where o.org_id = p_org and o.sealed_body <> '\x00'
          and o.recorded_at < v_now - make_interval(days => v_days.texts)
        order by o.recorded_at limit p_batch);
    get diagnostics texts = row_count;

    delete from public.otp_codes c where c.org_id = p_org and c.id in (
        select o.id from public.otp_codes o
        where o.org_id = p_org and o.stored_at < v_now - make_interval(days => v_days.texts)
        order by o.stored_at limit p_batch);
    get diagnostics codes = row_count;

    calls := app.clear_calls(p_org, array(
        select o.id from public.calls o
        where o.org_id = p_org and o.ended_at is not null and o.carrier_call_id not like 'erased %'
          and o.started_at < v_now - make_interval(days => v_days.calls)
        order by o.started_at limit p_batch));

    delete from public.contact_keys k where k.org_id = p_org and k.id in (
        select o.id from public.contact_keys o
        where o.org_id = p_org and o.made_at < v_now - make_interval(days => least(
                v_days.notes, v_days.personal, v_days.texts, v_days.calls))
          and (
            (o.call_id is not null
                and not exists (
                    select from public.clinical_notes n where n.org_id = p_org and n.call_id = o.call_id)
                and not exists (
                    select from public.pii_vault v where v.org_id = p_org and v.call_id = o.call_id)
                and exists (
                    select from public.calls c
                    where c.org_id = p_org and c.id = o.call_id and c.ended_at is not null
                      and num_nonnulls(c.sealed_caller, c.sealed_called) = 0))
            or (o.number_digest is not null
                and not exists (
                    select from public.sms_messages m
                    where m.org_id = p_org and m.receiver_digest = o.number_digest))
          )
        limit p_batch);
    get diagnostics keys = row_count;
    return next;
end
$$;

-- All orgs, in order, so many after that one. For gw_worker, which hands out what is to be done for each.
create function app.org_ids(p_after uuid, p_limit integer) returns setof uuid
language sql stable security definer set search_path = ''
as $$
    select o.org_id from public.organizations o
    where p_after is null or o.org_id > p_after order by o.org_id limit least(greatest(p_limit, 0), 1000)
$$;

create policy resolver on public.organizations for select to gw_resolver using (true);
grant select (org_id) on public.organizations to gw_resolver;

grant execute on function
    app.retention(uuid),
    app.set_retention(uuid, integer, integer, integer, integer, integer, text, uuid),
    app.forget_old(uuid, integer)
to gw_app;
grant execute on function app.org_ids(uuid, integer) to gw_worker;

grant create on schema app to gw_resolver;
alter function app.org_ids(uuid, integer) owner to gw_resolver;
revoke create on schema app from gw_resolver;
