-- Trial orgs: made for a while to try a deployment out, and removed again with all that is theirs, audit log included. An org
-- is one from the transaction that makes it, or never: no clinic can be made one later, so none can be removed.
--
-- What is removed is whatever row of public names the org, table by table; a row that others refer to goes in a later round.
-- A table that comes later lets gw_resolver remove from it: grant select (org_id), delete.
--
-- Way back: drop the functions named at the end; drop trigger trial_from_the_start on public.organizations; drop function
-- app.refuse_later_trial(); put app.refuse_rewriting back as 0011 has it; alter table public.organizations drop column
-- trial_until; revoke delete on all tables in schema public from gw_resolver, save on public.audit_unlinked; revoke delete,
-- select (payload) on jobs.pgqueuer from gw_resolver. Older replicas look at none of it: a trial org is an org to them.

alter table public.organizations add column trial_until timestamptz;

comment on column public.organizations.trial_until is 'when it is removed, with everything that is its own; null: never';

create function app.refuse_later_trial() returns trigger
language plpgsql
as $$
begin
    if old.trial_until is not null or old.created_at <> transaction_timestamp() then
        raise exception 'an org is a trial from its first moment, or none' using errcode = 'GW180';
    end if;
    return new;
end
$$;

create trigger trial_from_the_start before update of trial_until on public.organizations
    for each row when (old.trial_until is distinct from new.trial_until) execute function app.refuse_later_trial();

grant update (trial_until) on public.organizations to gw_app;

-- As in 0011, but that a trial org's own records go with it.
create or replace function app.refuse_rewriting() returns trigger
language plpgsql
as $$
begin
    if tg_level = 'ROW' and tg_op = 'DELETE' and exists (
        select from public.organizations o where o.org_id = old.org_id and o.trial_until is not null
    ) then
        return old;
    end if;
    raise exception 'the audit log is only added to' using errcode = 'insufficient_privilege';
end
$$;

-- A trial org with all that names it; false if there is no such org. GW180: it is none. Nobody adds to it meanwhile: each
-- row of its own refers to the org's, which is locked first.
create function app.remove_trial_org(p_org uuid) returns boolean
language plpgsql volatile security definer set search_path = ''
as $$
declare
    v_is_trial boolean;
    v_table text;
    v_left text[] := array(
        select c.relname::text from pg_catalog.pg_class c
        join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped
        where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind in ('r', 'p')
          and c.relname <> 'organizations' and pg_catalog.has_table_privilege(c.oid, 'delete')
        order by c.relname);
    v_kept text[];
begin
    perform app.require_org(p_org);
    select o.trial_until is not null into v_is_trial from public.organizations o where o.org_id = p_org for update;
    if not found then
        return false;
    end if;
    if not v_is_trial then
        raise exception 'the org is no trial' using errcode = 'GW180';
    end if;
    delete from jobs.pgqueuer job where substr(job.payload, 1, 16) = pg_catalog.uuid_send(p_org);
    while cardinality(v_left) > 0 loop
        v_kept := '{}';
        foreach v_table in array v_left loop
            begin
                execute pg_catalog.format('delete from public.%I where org_id = $1', v_table) using p_org;
            exception when foreign_key_violation then
                v_kept := v_kept || v_table;
            end;
        end loop;
        if cardinality(v_kept) = cardinality(v_left) then
            raise exception 'tables refer to one another' using errcode = 'foreign_key_violation';
        end if;
        v_left := v_kept;
    end loop;
    delete from public.organizations o where o.org_id = p_org;
    return true;
end
$$;

-- Trial orgs whose time is over. For gw_worker; each is then armed and removed by itself.
create function app.ended_trials(p_limit integer) returns setof uuid
language sql stable security definer set search_path = ''
as $$
    select o.org_id from public.organizations o
    where o.trial_until <= now() order by o.trial_until limit least(greatest(p_limit, 0), 1000)
$$;

create index orgs_on_trial on public.organizations (trial_until) where (trial_until is not null);

do $$
declare
    v_table text;
begin
    for v_table in
        select c.relname from pg_catalog.pg_class c
        join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped
        where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind in ('r', 'p')
    loop
        execute format('grant select (org_id), delete on public.%I to gw_resolver', v_table);
    end loop;
end
$$;

grant select (trial_until), update (trial_until) on public.organizations to gw_resolver;
grant delete, select (payload) on jobs.pgqueuer to gw_resolver;

grant execute on function app.remove_trial_org(uuid) to gw_app;
grant execute on function app.ended_trials(integer) to gw_worker;

grant create on schema app to gw_resolver;
alter function app.remove_trial_org(uuid) owner to gw_resolver;
alter function app.ended_trials(integer) owner to gw_resolver;
revoke create on schema app from gw_resolver;
