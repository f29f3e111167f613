-- Which services each practitioner offers, and the slots that follow from it. GW150 no such service, GW151 no such
-- practitioner.
--
-- Way back: put app.slots_by_hours back as 0008 has it; drop function app.set_offered_services(uuid, uuid, uuid[]); drop
-- table public.practitioner_services; alter table public.practitioners drop column all_services; revoke update
-- (all_services) on public.practitioners from gw_app. An older replica makes practitioners who offer everything, as all
-- did before; the slots that it generates follow the relation, because the function does.

-- Whoever offers everything also offers the services to come; for the others the relation below says what they offer.
alter table public.practitioners add column all_services boolean not null default true;

create table public.practitioner_services (
    org_id uuid not null references public.organizations (org_id),
    practitioner_id uuid not null,
    practitioner_number integer not null,
    service_id uuid not null,
    primary key (org_id, practitioner_id, service_id),
    foreign key (org_id, practitioner_id, practitioner_number) references public.practitioners (org_id, id, number),
    foreign key (org_id, service_id) references public.services (org_id, id)
);

alter table public.practitioner_services enable row level security;
alter table public.practitioner_services force row level security;
create policy tenant on public.practitioner_services using (org_id = (select app.org_id()));

grant select, insert, delete on public.practitioner_services to gw_app;
grant update (all_services) on public.practitioners to gw_app;

-- The services that the practitioner offers from now on; null: all, also those to come. Slots follow by generate_slots.
create function app.set_offered_services(p_org uuid, p_practitioner uuid, p_services uuid[]) returns void
language plpgsql volatile
as $$
declare
    v_number integer;
begin
    perform app.require_org(p_org);
    select p.number into v_number from public.practitioners p where p.org_id = p_org and p.id = p_practitioner;
    if not found then
        raise exception 'no such practitioner' using errcode = 'GW151';
    end if;
    if exists (
        select from unnest(p_services) wanted
        where not exists (select from public.services s where s.org_id = p_org and s.id = wanted)
    ) then
        raise exception 'no such service' using errcode = 'GW150';
    end if;
    perform app.lock_practitioners(array[v_number]);
    delete from public.practitioner_services o where o.org_id = p_org and o.practitioner_id = p_practitioner;
    insert into public.practitioner_services (org_id, practitioner_id, practitioner_number, service_id)
    select distinct p_org, p_practitioner, v_number, wanted from unnest(p_services) wanted;
    update public.practitioners p set all_services = p_services is null
    where p.org_id = p_org and p.id = p_practitioner;
end
$$;

grant execute on function app.set_offered_services(uuid, uuid, uuid[]) to gw_app;

-- As in 0008, one row for each active service that the practitioner offers and that fits.
create or replace function app.slots_by_hours(p_org uuid, p_practitioners uuid[], p_first date, p_last date)
returns table (practitioner_id uuid, practitioner_number integer, service_id uuid, starts_at timestamptz,
    ends_at timestamptz)
language sql stable
as $$
    with days as (
        select d::date as day, o.time_zone
        from public.organizations o, generate_series(p_first::timestamp, p_last::timestamp, interval '1 day') d
        where o.org_id = p_org
    ), spans as (
        select w.practitioner_id, w.practitioner_number, p.all_services, w.step_minutes, d.day, d.time_zone,
            app.local_instant(d.day + w.opens, d.time_zone, false) as opens_at,
            app.local_instant(
                d.day + w.closes + case when w.closes = '00:00' then interval '1 day' else interval '0' end,
                d.time_zone, true) as closes_at
        from days d
        join public.working_hours w on w.org_id = p_org and w.weekday = extract(isodow from d.day) - 1
        join public.practitioners p on p.org_id = w.org_id and p.id = w.practitioner_id and p.active
        where w.practitioner_id = any (p_practitioners)
          and not exists (
              select from public.holidays h
              where h.org_id = p_org and d.day between h.first_day and h.last_day
                and (h.practitioner_id is null or h.practitioner_id = w.practitioner_id))
    ), pauses as (
        select b.practitioner_id, app.local_instant(d.day + b.begins, d.time_zone, false) as begins_at,
            app.local_instant(
                d.day + b.ends + case when b.ends = '00:00' then interval '1 day' else interval '0' end,
                d.time_zone, true) as ends_at
        from days d
        join public.working_breaks b on b.org_id = p_org and b.weekday = extract(isodow from d.day) - 1
        where b.practitioner_id = any (p_practitioners)
    )
    select s.practitioner_id, s.practitioner_number, v.id, t.starts_at, t.starts_at + make_interval(mins => v.minutes)
    from spans s
    cross join lateral generate_series(s.opens_at, s.closes_at, make_interval(mins => s.step_minutes)) t (starts_at)
    join public.services v on v.org_id = p_org and v.active and (
        s.all_services or exists (
            select from public.practitioner_services o
            where o.org_id = p_org and o.practitioner_id = s.practitioner_id and o.service_id = v.id))
    where t.starts_at + make_interval(mins => v.minutes) <= s.closes_at
      and not exists (
          select from pauses b
          where b.practitioner_id = s.practitioner_id and b.begins_at < t.starts_at + make_interval(mins => v.minutes)
            and b.ends_at > t.starts_at)
$$;
