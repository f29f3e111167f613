-- When practitioners work, and the slots that follow from it. GW151 no such practitioner.
--
-- Way back: put get_next_available_slots and claim_slot_atomic back as 0005 has them and drop the other functions named
-- at the end; drop table public.working_hours, public.working_breaks, public.holidays; alter table public.slots drop
-- column withdrawn_at; revoke insert, update (ends_at) on public.slots from gw_app. An older replica goes on offering
-- slots that were withdrawn, nothing worse.

-- Local times of the clinic on a weekday, Monday is 0. A `closes` of 00:00 is the end of the day. Slots start every
-- `step_minutes`.
create table public.working_hours (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    practitioner_id uuid not null,
    practitioner_number integer not null,
    weekday integer not null check (weekday between 0 and 6),
    opens time not null check (extract(second from opens) = 0),
    closes time not null check (extract(second from closes) = 0),
    step_minutes integer not null check (step_minutes between 5 and 720),
    check (closes > opens or closes = '00:00'),
    foreign key (org_id, practitioner_id, practitioner_number) references public.practitioners (org_id, id, number),
    constraint hours_apart exclude using gist (
        int4range(practitioner_number, practitioner_number, '[]') with &&,
        int4range(weekday, weekday, '[]') with &&,
        int4range(
            (extract(epoch from opens) / 60)::integer,
            case when closes = '00:00' then 1440 else (extract(epoch from closes) / 60)::integer end) with &&
    )
);

create table public.working_breaks (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    practitioner_id uuid not null,
    practitioner_number integer not null,
    weekday integer not null check (weekday between 0 and 6),
    begins time not null,
    ends time not null,
    check (ends > begins or ends = '00:00'),
    foreign key (org_id, practitioner_id, practitioner_number) references public.practitioners (org_id, id, number)
);

create index hours_by_practitioner on public.working_hours (org_id, practitioner_id);

create index breaks_by_practitioner on public.working_breaks (org_id, practitioner_id);

-- Whole days on which nobody works, or (with a practitioner) one does not.
create table public.holidays (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    practitioner_id uuid,
    practitioner_number integer,
    first_day date not null,
    last_day date not null check (last_day >= first_day and last_day <= first_day + 400),
    check ((practitioner_id is null) = (practitioner_number is null)),
    unique nulls not distinct (org_id, practitioner_id, first_day, last_day),
    foreign key (org_id, practitioner_id, practitioner_number) references public.practitioners (org_id, id, number)
);

-- A slot is never deleted, because holds point to it; one that hours or holidays have taken away is not offered.
alter table public.slots add column withdrawn_at timestamptz;

alter table public.working_hours enable row level security;
alter table public.working_hours force row level security;
create policy tenant on public.working_hours using (org_id = (select app.org_id()));

alter table public.working_breaks enable row level security;
alter table public.working_breaks force row level security;
create policy tenant on public.working_breaks using (org_id = (select app.org_id()));

alter table public.holidays enable row level security;
alter table public.holidays force row level security;
create policy tenant on public.holidays using (org_id = (select app.org_id()));

grant select, insert, delete on public.working_hours, public.working_breaks, public.holidays to gw_app;
grant insert, update (ends_at, withdrawn_at) on public.slots to gw_app;

-- The instant of a local time. One that the clocks pass twice (autumn) is two instants, the first or the last of which
-- is meant; one that they skip (spring) is read with the offset from before the change, by PostgreSQL (documentation,
-- appendix B.1) as by RFC 5545 section 3.3.5. Offsets change by at most three hours, in quarters of an hour.
create function app.local_instant(p_local timestamp, p_zone text, p_last boolean) returns timestamptz
language sql stable
as $$
    select coalesce(case when p_last then max(i) else min(i) end, p_local at time zone p_zone)
    from generate_series(
        p_local at time zone p_zone - interval '3 hours',
        p_local at time zone p_zone + interval '3 hours',
        interval '15 minutes') i
    where i at time zone p_zone = p_local
$$;

-- The slots that hours, breaks and holidays make on these days, one row for each active service that fits. Counted in
-- time that passes, not in what clocks show: a night in autumn has an hour more of them.
create function app.slots_by_hours(p_org uuid, p_practitioners uuid[], p_first date, p_last date)
returns table (practitioner_id uuid, practitioner_number integer, service_id uuid, starts_at timestamptz,
    ends_at timestamptz)
language sql stable
as $$
    with days as (
        select d::date as day, o.time_zone
        from public.organizations o, generate_series(p_first::timestamp, p_last::timestamp, interval '1 day') d
        where o.org_id = p_org
    ), spans as (
        select w.practitioner_id, w.practitioner_number, w.step_minutes, d.day, d.time_zone,
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
    join public.services v on v.org_id = p_org and v.active
    where t.starts_at + make_interval(mins => v.minutes) <= s.closes_at
      and not exists (
          select from pauses b
          where b.practitioner_id = s.practitioner_id and b.begins_at < t.starts_at + make_interval(mins => v.minutes)
            and b.ends_at > t.starts_at)
$$;

-- Makes the future slots of these days what hours and holidays say. A practitioner without any hours is left alone, as
-- are holds and bookings. Slots that nobody ever held take a service's new length, others keep theirs.
--
-- Claims on the practitioners concerned wait meanwhile (order of locks: 0005), so whoever has many of them asks for one
-- after the other.
create function app.generate_slots(p_org uuid, p_practitioner uuid, p_first date, p_last date)
returns table (added integer, withdrawn integer)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_now timestamptz;
    v_from timestamptz;
    v_until timestamptz;
    v_concerned uuid[];
    v_added integer;
    v_withdrawn integer;
begin
    perform app.require_org(p_org);
    if p_first is null or p_last is null or p_last < p_first or p_last > p_first + 400 then
        raise exception 'slots are made for 1 to 400 days' using errcode = '22023';
    end if;
    perform app.require_practitioner(p_org, p_practitioner);
    perform app.lock_practitioners(array(
        select p.number from public.practitioners p
        where p.org_id = p_org and (p_practitioner is null or p.id = p_practitioner)
    ));
    v_now := clock_timestamp();
    select app.local_instant(p_first::timestamp, o.time_zone, false),
        app.local_instant(p_last + interval '1 day', o.time_zone, false)
    into v_from, v_until
    from public.organizations o where o.org_id = p_org;
    v_concerned := array(
        select distinct w.practitioner_id from public.working_hours w
        where w.org_id = p_org and (p_practitioner is null or w.practitioner_id = p_practitioner)
    );

    insert into public.slots as s (org_id, practitioner_id, practitioner_number, service_id, starts_at, ends_at)
    select p_org, w.practitioner_id, w.practitioner_number, w.service_id, w.starts_at, w.ends_at
    from app.slots_by_hours(p_org, v_concerned, p_first, p_last) w
    where w.starts_at > v_now
    on conflict (org_id, practitioner_id, service_id, starts_at) do update set
        withdrawn_at = null,
        ends_at = case
            when exists (select from public.appointment_holds h where h.org_id = s.org_id and h.slot_id = s.id)
            then s.ends_at else excluded.ends_at
        end
    where s.withdrawn_at is not null or (
        s.ends_at <> excluded.ends_at
        and not exists (select from public.appointment_holds h where h.org_id = s.org_id and h.slot_id = s.id));
    get diagnostics v_added = row_count;

    with wanted as materialized (
        select w.* from app.slots_by_hours(p_org, v_concerned, p_first, p_last) w
    )
    update public.slots s set withdrawn_at = v_now
    where s.org_id = p_org and s.practitioner_id = any (v_concerned) and s.withdrawn_at is null
      and s.starts_at > v_now and s.starts_at >= v_from and s.starts_at < v_until
      and not exists (
          select from wanted w
          where w.practitioner_id = s.practitioner_id and w.service_id = s.service_id and w.starts_at = s.starts_at);
    get diagnostics v_withdrawn = row_count;
    return query select v_added, v_withdrawn;
end
$$;

create function app.require_practitioner(p_org uuid, p_practitioner uuid) returns void
language plpgsql stable
as $$
begin
    if p_practitioner is not null and not exists (
        select from public.practitioners p where p.org_id = p_org and p.id = p_practitioner
    ) then
        raise exception 'no such practitioner' using errcode = 'GW151';
    end if;
end
$$;

-- The practitioner's week, in place of the one before.
create function app.set_hours(
    p_org uuid, p_practitioner uuid, p_weekdays integer[], p_opens time[], p_closes time[], p_steps integer[],
    p_break_weekdays integer[], p_begins time[], p_ends time[]
) returns void
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
    perform app.lock_practitioners(array[v_number]);
    delete from public.working_hours w where w.org_id = p_org and w.practitioner_id = p_practitioner;
    delete from public.working_breaks b where b.org_id = p_org and b.practitioner_id = p_practitioner;
    insert into public.working_hours
        (org_id, practitioner_id, practitioner_number, weekday, opens, closes, step_minutes)
    select p_org, p_practitioner, v_number, w.*
    from unnest(p_weekdays, p_opens, p_closes, p_steps) w;
    insert into public.working_breaks (org_id, practitioner_id, practitioner_number, weekday, begins, ends)
    select p_org, p_practitioner, v_number, b.*
    from unnest(p_break_weekdays, p_begins, p_ends) b;
end
$$;

create function app.add_holiday(p_org uuid, p_first date, p_last date, p_practitioner uuid default null) returns uuid
language plpgsql volatile
as $$
declare
    v_id uuid;
begin
    perform app.require_org(p_org);
    perform app.require_practitioner(p_org, p_practitioner);
    insert into public.holidays (org_id, practitioner_id, practitioner_number, first_day, last_day)
    values (
        p_org, p_practitioner,
        (select p.number from public.practitioners p where p.org_id = p_org and p.id = p_practitioner),
        p_first, p_last)
    on conflict (org_id, practitioner_id, first_day, last_day) do nothing;
    select h.id into v_id from public.holidays h
    where h.org_id = p_org and h.practitioner_id is not distinct from p_practitioner
      and h.first_day = p_first and h.last_day = p_last;
    return v_id;
end
$$;

create function app.remove_holiday(p_org uuid, p_holiday uuid) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    delete from public.holidays h where h.org_id = p_org and h.id = p_holiday;
    return found;
end
$$;

grant execute on function
    app.local_instant(timestamp, text, boolean),
    app.slots_by_hours(uuid, uuid[], date, date),
    app.generate_slots(uuid, uuid, date, date),
    app.require_practitioner(uuid, uuid),
    app.set_hours(uuid, uuid, integer[], time[], time[], integer[], integer[], time[], time[]),
    app.add_holiday(uuid, date, date, uuid),
    app.remove_holiday(uuid, uuid)
to gw_app;

-- As before, but for slots that were withdrawn.
create or replace function app.get_next_available_slots(
    p_org uuid, p_service uuid, p_after timestamptz, p_limit integer default 3,
    p_until timestamptz default null, p_practitioner uuid default null
)
returns table (
    slot_id uuid, service_id uuid, practitioner_id uuid, practitioner text,
    starts_at timestamptz, ends_at timestamptz
)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_now timestamptz := clock_timestamp();
begin
    perform app.require_org(p_org);
    return query
        select s.id, s.service_id, p.id, p.name, s.starts_at, s.ends_at
        from public.slots s
        join public.practitioners p on p.org_id = s.org_id and p.id = s.practitioner_id and p.active
        join public.services v on v.org_id = s.org_id and v.id = s.service_id and v.active
        where s.org_id = p_org and s.service_id = p_service and s.withdrawn_at is null
          and s.starts_at >= p_after and s.starts_at > v_now
          and (p_until is null or s.starts_at < p_until)
          and (p_practitioner is null or s.practitioner_id = p_practitioner)
          and not exists (select from app.occupied(s.practitioner_number, s.starts_at, s.ends_at, v_now))
        order by s.starts_at, p.number
        limit least(greatest(p_limit, 0), 100);
end
$$;

-- Takes the slot for the call, or says why not and what is free instead: the first row is the slot asked for, with
-- outcome held, taken or past; rows with outcome free follow a refusal. A withdrawn slot is as good as taken.
--
-- Order of locks, the same for all, so that no two claims can wait for each other: the call (two claims of one call),
-- then the practitioners concerned by number (all claims on a practitioner, one after the other), then rows.
-- clock_timestamp() after the locks, because now() is from before the wait.
create or replace function app.claim_slot_atomic(
    p_org uuid, p_slot uuid, p_call uuid, p_ttl interval, p_alternatives integer default 3
)
returns table (
    outcome text, hold_id uuid, expires_at timestamptz, slot_id uuid, service_id uuid, practitioner_id uuid,
    practitioner text, starts_at timestamptz, ends_at timestamptz
)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_now timestamptz;
    v_slot record;
    v_hold record;
    v_outcome text;
begin
    perform app.require_org(p_org);
    if p_call is null or p_ttl is null or p_ttl <= interval '0' or p_ttl > interval '1 day' then
        raise exception 'a call and a time to live of at most a day are needed' using errcode = '22023';
    end if;
    perform app.lock_call(p_call);
    if exists (select from public.calls c where c.org_id = p_org and c.id = p_call and c.ended_at is not null) then
        raise exception 'the call has ended' using errcode = 'GW002';
    end if;
    perform app.lock_practitioners(array(
        select s.practitioner_number from public.slots s where s.org_id = p_org and s.id = p_slot
        union
        select h.practitioner_number from public.appointment_holds h
        where h.org_id = p_org and h.call_id = p_call and h.state = 'held'
    ));
    select s.*, p.name as practitioner, p.active and v.active and s.withdrawn_at is null as active into v_slot
    from public.slots s
    join public.practitioners p on p.org_id = s.org_id and p.id = s.practitioner_id
    join public.services v on v.org_id = s.org_id and v.id = s.service_id
    where s.org_id = p_org and s.id = p_slot
    for update of s;
    if not found then
        raise exception 'no such slot' using errcode = 'GW001';
    end if;
    v_now := clock_timestamp();

    select h.id, h.expires_at into v_hold from public.appointment_holds h
    where h.org_id = p_org and h.call_id = p_call and h.slot_id = p_slot
      and (h.state = 'booked' or (h.state = 'held' and h.expires_at > v_now));
    if found then
        v_outcome := 'held';
    elsif v_slot.starts_at <= v_now then
        v_outcome := 'past';
    elsif not v_slot.active or exists (
        select from app.occupied(v_slot.practitioner_number, v_slot.starts_at, v_slot.ends_at, v_now) h
        where h.call_id <> p_call or h.state = 'booked'
    ) then
        v_outcome := 'taken';
    else
        begin
            update public.appointment_holds h
            set state = case when h.expires_at <= v_now then 'expired' else 'released' end, ended_at = v_now
            where h.org_id = p_org and h.state = 'held' and (
                h.call_id = p_call
                or (h.expires_at <= v_now
                    and int4range(h.practitioner_number, h.practitioner_number, '[]')
                        && int4range(v_slot.practitioner_number, v_slot.practitioner_number, '[]')
                    and tstzrange(h.starts_at, h.ends_at) && tstzrange(v_slot.starts_at, v_slot.ends_at))
            );
            insert into public.appointment_holds as h
                (org_id, slot_id, call_id, practitioner_number, starts_at, ends_at, expires_at)
            values
                (p_org, p_slot, p_call, v_slot.practitioner_number, v_slot.starts_at, v_slot.ends_at, v_now + p_ttl)
            returning h.id, h.expires_at into v_hold;
            v_outcome := 'held';
        exception when exclusion_violation then
            v_outcome := 'taken'; -- by a statement that did not come through here
        end;
    end if;

    return query select v_outcome, null::uuid, null::timestamptz, v_slot.id, v_slot.service_id,
        v_slot.practitioner_id, v_slot.practitioner, v_slot.starts_at, v_slot.ends_at
        where v_outcome <> 'held';
    if v_outcome = 'held' then
        return query select v_outcome, v_hold.id, v_hold.expires_at, v_slot.id, v_slot.service_id,
            v_slot.practitioner_id, v_slot.practitioner, v_slot.starts_at, v_slot.ends_at;
    else
        return query select 'free', null::uuid, null::timestamptz, n.*
            from app.get_next_available_slots(
                p_org, v_slot.service_id, greatest(v_slot.starts_at, v_now), p_alternatives) n;
    end if;
end
$$;
