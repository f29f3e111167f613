-- The audit log's chain, per org: hash n is SHA-256 of hash n-1 and of the record, so that whoever changes a record, takes
-- one away, puts one in between or exchanges two breaks it. Writers know nothing of it and never wait for one another: a
-- record is queued as it is written, and `app.link_audit` links what is queued. What the hash is made of is said in
-- compliance/chain.py, which verifies it without these functions.
--
-- No record is skipped, however late its transaction commits: the queue's row commits with the record, so both become
-- visible at once, and what is linked is what is queued; no instant, sequence or transaction number decides. A record that
-- commits late is linked late, behind those that came before it into sight.
--
-- Way back: drop trigger queued_for_the_chain on public.audit_log; drop the functions named at the end and
-- app.queue_for_chain(), app.audit_line(public.audit_log); drop table public.audit_unlinked, public.audit_chain; revoke
-- select on public.audit_log from gw_resolver. An older replica's records are queued and linked all the same.

create table public.audit_chain (
    org_id uuid not null references public.organizations (org_id),
    position bigint not null check (position >= 1),
    record_id uuid not null,
    hash bytea not null check (length(hash) = 32),
    linked_at timestamptz not null default clock_timestamp(),
    primary key (org_id, position),
    unique (org_id, record_id)
);

comment on column public.audit_chain.record_id is 'no foreign key: that the record is still there is for verifying to say';

create trigger only_added_to before update or delete on public.audit_chain
    for each row execute function app.refuse_rewriting();

create trigger never_emptied before truncate on public.audit_chain
    for each statement execute function app.refuse_rewriting();

-- Records that are not linked yet.
create table public.audit_unlinked (
    org_id uuid not null references public.organizations (org_id),
    record_id uuid not null,
    primary key (org_id, record_id)
);

alter table public.audit_chain enable row level security;
alter table public.audit_chain force row level security;
create policy tenant on public.audit_chain using (org_id = (select app.org_id()));

alter table public.audit_unlinked enable row level security;
alter table public.audit_unlinked force row level security;
create policy tenant on public.audit_unlinked using (org_id = (select app.org_id()));

-- Which orgs have something to link, and nothing more, is seen across orgs.
create policy resolver on public.audit_unlinked for select to gw_resolver using (true);

grant select on public.audit_chain, public.audit_unlinked to gw_app;
grant select on public.audit_log to gw_resolver;
grant select, insert (org_id, position, record_id, hash) on public.audit_chain to gw_resolver;
grant select, insert, delete on public.audit_unlinked to gw_resolver;

create function app.queue_for_chain() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    insert into public.audit_unlinked (org_id, record_id) values (new.org_id, new.id);
    return null;
end
$$;

create trigger queued_for_the_chain after insert on public.audit_log
    for each row execute function app.queue_for_chain();

-- What is there already. Nobody writes meanwhile: making the trigger keeps writers out until this has committed.
alter table public.audit_log no force row level security;
alter table public.audit_unlinked no force row level security;
insert into public.audit_unlinked (org_id, record_id) select l.org_id, l.id from public.audit_log l;
alter table public.audit_log force row level security;
alter table public.audit_unlinked force row level security;

-- A record as the hash takes it: each field with its length in bytes before it, so that no two records read the same.
create function app.audit_line(p_record public.audit_log) returns bytea
language sql immutable
as $$
    select convert_to(string_agg(octet_length(f.field) || ':' || f.field, '' order by f.place), 'UTF8')
    from unnest(array[
        'audit 1', p_record.org_id::text, p_record.id::text,
        (extract(epoch from p_record.recorded_at) * 1000000)::bigint::text, p_record.actor_kind,
        coalesce(p_record.actor_id::text, ''), p_record.action, p_record.subject_kind,
        coalesce(p_record.subject_id::text, '')
    ]) with ordinality f (field, place)
$$;

-- Links so many queued records, those recorded first before the others; the new head, and when the oldest of them was
-- recorded. One at a time for an org, over all replicas: whoever comes second links nothing and does not wait.
create function app.link_audit(p_org uuid, p_limit integer)
returns table (linked integer, head bigint, hash bytea, oldest timestamptz)
language plpgsql volatile security definer set search_path = ''
as $$
#variable_conflict use_column
declare
    v_record public.audit_log;
begin
    perform app.require_org(p_org);
    linked := 0;
    if not pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('audit chain ' || p_org, 0)) then
        return next;
        return;
    end if;
    select c.position, c.hash into head, hash from public.audit_chain c
    where c.org_id = p_org order by c.position desc limit 1;
    head := coalesce(head, 0);
    hash := coalesce(hash, pg_catalog.decode(pg_catalog.repeat('00', 32), 'hex'));
    for v_record in
        select l.* from public.audit_unlinked u
        join public.audit_log l on l.org_id = u.org_id and l.id = u.record_id
        where u.org_id = p_org order by l.recorded_at, l.id limit least(greatest(p_limit, 0), 1000)
    loop
        linked := linked + 1;
        head := head + 1;
        hash := pg_catalog.sha256(hash || app.audit_line(v_record));
        oldest := least(oldest, v_record.recorded_at);
        insert into public.audit_chain (org_id, position, record_id, hash) values (p_org, head, v_record.id, hash);
        delete from public.audit_unlinked u where u.org_id = p_org and u.record_id = v_record.id;
    end loop;
    return next;
end
$$;

-- Orgs that have records to link. For gw_worker; each is then armed and linked by itself.
create function app.unlinked_orgs(p_limit integer) returns setof uuid
language sql stable security definer set search_path = ''
as $$
    select distinct u.org_id from public.audit_unlinked u limit least(greatest(p_limit, 0), 1000)
$$;

grant execute on function app.audit_line(public.audit_log) to gw_resolver;
grant execute on function app.link_audit(uuid, integer) to gw_app;
grant execute on function app.unlinked_orgs(integer) to gw_worker;

grant create on schema app to gw_resolver;
alter function app.queue_for_chain() owner to gw_resolver;
alter function app.link_audit(uuid, integer) owner to gw_resolver;
alter function app.unlinked_orgs(integer) owner to gw_resolver;
revoke create on schema app from gw_resolver;
