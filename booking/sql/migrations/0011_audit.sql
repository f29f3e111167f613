-- Who did what to which row, only ever added to; and whether an id that is not visible is another org's.
-- It holds ids and words of ours, nothing personal, so that erasing a person never touches it. Rows stand unlinked as
-- they come; a chain over them is kept elsewhere and never changes them.
--
-- Way back: drop the functions named at the end; drop table public.audit_log; drop the policies `resolver` made here
-- and revoke what gw_resolver was granted. Older replicas look at none of it.

create table public.audit_log (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    recorded_at timestamptz not null default clock_timestamp(),
    actor_kind text not null check (actor_kind in ('call', 'token', 'worker', 'operator')),
    actor_id uuid,
    action text not null check (action ~ '^[a-z][a-z_]{1,60}$'),
    subject_kind text not null check (subject_kind ~ '^[a-z][a-z_]{1,60}$'),
    subject_id uuid
);

create index audit_by_time on public.audit_log (org_id, recorded_at, id);

-- Binds the owner of the table too, who has every right on it.
create function app.refuse_rewriting() returns trigger
language plpgsql
as $$
begin
    raise exception 'the audit log is only added to' using errcode = 'insufficient_privilege';
end
$$;

create trigger only_added_to before update or delete on public.audit_log
    for each row execute function app.refuse_rewriting();

create trigger never_emptied before truncate on public.audit_log
    for each statement execute function app.refuse_rewriting();

alter table public.audit_log enable row level security;
alter table public.audit_log force row level security;
create policy tenant on public.audit_log using (org_id = (select app.org_id()));

-- No instant and no id of one's own choosing.
grant select, insert (org_id, actor_kind, actor_id, action, subject_kind, subject_id) on public.audit_log to gw_app;

create function app.audit(
    p_org uuid, p_actor_kind text, p_actor_id uuid, p_action text, p_subject_kind text, p_subject_id uuid default null
) returns uuid
language plpgsql volatile
as $$
declare
    v_id uuid;
begin
    perform app.require_org(p_org);
    insert into public.audit_log as l (org_id, actor_kind, actor_id, action, subject_kind, subject_id)
    values (p_org, p_actor_kind, p_actor_id, p_action, p_subject_kind, p_subject_id)
    returning l.id into v_id;
    return v_id;
end
$$;

create function app.audit_records(p_org uuid, p_limit integer, p_before timestamptz default null)
returns table (
    record_id uuid, recorded_at timestamptz, actor_kind text, actor_id uuid, action text, subject_kind text,
    subject_id uuid
)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select l.id, l.recorded_at, l.actor_kind, l.actor_id, l.action, l.subject_kind, l.subject_id
        from public.audit_log l
        where l.org_id = p_org and (p_before is null or l.recorded_at < p_before)
        order by l.recorded_at desc, l.id desc
        limit least(greatest(p_limit, 0), 100);
end
$$;

-- gw_resolver sees which org an id belongs to, and nothing else of these tables.
do $$
declare
    v_table text;
begin
    foreach v_table in array array[
        'services', 'practitioners', 'slots', 'appointment_holds', 'appointments', 'contacts', 'calls'
    ] loop
        execute format('create policy resolver on public.%I for select to gw_resolver using (true)', v_table);
        execute format('grant select (id, org_id) on public.%I to gw_resolver', v_table);
    end loop;
end
$$;

-- Whether another org than the armed one has a row of this id: true or false and not a word more, to whoever has armed
-- an org.
create function app.owned_elsewhere(p_org uuid, p_kind text, p_id uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
declare
    v_owner uuid;
begin
    perform app.require_org(p_org);
    case p_kind
        when 'service' then select t.org_id into v_owner from public.services t where t.id = p_id;
        when 'practitioner' then select t.org_id into v_owner from public.practitioners t where t.id = p_id;
        when 'slot' then select t.org_id into v_owner from public.slots t where t.id = p_id;
        when 'hold' then select t.org_id into v_owner from public.appointment_holds t where t.id = p_id;
        when 'booking' then select t.org_id into v_owner from public.appointments t where t.id = p_id;
        when 'contact' then select t.org_id into v_owner from public.contacts t where t.id = p_id;
        when 'call' then select t.org_id into v_owner from public.calls t where t.id = p_id;
        else raise exception 'no such kind of row' using errcode = '22023';
    end case;
    return coalesce(v_owner <> p_org, false);
end
$$;

grant execute on function app.require_org(uuid) to gw_resolver;
grant execute on function
    app.audit(uuid, text, uuid, text, text, uuid),
    app.audit_records(uuid, integer, timestamptz),
    app.owned_elsewhere(uuid, text, uuid)
to gw_app;

grant create on schema app to gw_resolver;
alter function app.owned_elsewhere(uuid, text, uuid) owner to gw_resolver;
revoke create on schema app from gw_resolver;
