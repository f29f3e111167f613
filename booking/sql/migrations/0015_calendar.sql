-- Practitioners' calendars: booked appointments become events in them, and their busy times take slots away.
-- GW151 no such practitioner.
--
-- Way back: put app.occupied back as 0006 has it; drop the functions named at the end; drop table
-- public.calendar_events, public.calendar_busy, public.practitioner_calendars; drop
-- policy sweeper on public.org_credentials and take its columns from gw_worker; take execute on app.enqueue from the
-- owner. An older replica offers and claims what the functions say, hence busy times bind it too; events that it causes
-- are pushed by newer ones.

-- `sync_due_at`: when the calendar's busy times are to be asked for. `sync_id`: the asking that is under way or was the
-- last; the answer of an earlier one is refused. `trouble`: why the calendar could not be had the last
-- time, null if it could; its busy times stay in force.
create table public.practitioner_calendars (
    org_id uuid not null references public.organizations (org_id),
    practitioner_id uuid not null,
    practitioner_number integer not null,
    calendar_id text not null check (calendar_id ~ '^[^[:space:]/?#%]{3,254}$'),
    sync_due_at timestamptz not null default clock_timestamp(),
    sync_id uuid,
    synced_at timestamptz,
    trouble text check (trouble in ('not_configured', 'credentials', 'calendar', 'access', 'request')),
    primary key (org_id, practitioner_id),
    unique (org_id, practitioner_number),
    foreign key (org_id, practitioner_id, practitioner_number) references public.practitioners (org_id, id, number)
);

create index calendars_due on public.practitioner_calendars (sync_due_at);

comment on column public.practitioner_calendars.calendar_id is
    'As its provider names it, often the practitioner''s address: kept out of logs and errors';

-- What a calendar says of its owner's time, our own events left out. Longer times stand in pieces of a day, so that
-- those which meet an interval end within a day of it, and an index finds them.
create table public.calendar_busy (
    org_id uuid not null references public.organizations (org_id),
    practitioner_number integer not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    check (ends_at > starts_at and ends_at <= starts_at + interval '24 hours'),
    primary key (org_id, practitioner_number, ends_at, starts_at),
    foreign key (org_id, practitioner_number) references public.practitioner_calendars (org_id, practitioner_number)
);

-- Where an appointment's event may stand: written before it is put there and gone after it was removed, so that a crash
-- loses no event. `confirmed_at`: since then it surely stands.
create table public.calendar_events (
    org_id uuid not null references public.organizations (org_id),
    appointment_id uuid not null,
    calendar_id text not null check (length(calendar_id) between 3 and 254),
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    confirmed_at timestamptz,
    primary key (org_id, appointment_id, calendar_id),
    foreign key (org_id, appointment_id) references public.appointments (org_id, id)
);

create index events_by_calendar on public.calendar_events (org_id, calendar_id, ends_at);

alter table public.practitioner_calendars enable row level security;
alter table public.practitioner_calendars force row level security;
create policy tenant on public.practitioner_calendars using (org_id = (select app.org_id()));
create policy sweeper on public.practitioner_calendars for select to gw_worker using (sync_due_at <= now());

alter table public.calendar_busy enable row level security;
alter table public.calendar_busy force row level security;
create policy tenant on public.calendar_busy using (org_id = (select app.org_id()));

alter table public.calendar_events enable row level security;
alter table public.calendar_events force row level security;
create policy tenant on public.calendar_events using (org_id = (select app.org_id()));

-- Which orgs have credentials for a calendar: the worker says at its start if none has. Never what they are.
create policy sweeper on public.org_credentials for select to gw_worker using (provider = 'google_calendar');

grant select, insert, update, delete on public.practitioner_calendars, public.calendar_events to gw_app;
grant select, insert, delete on public.calendar_busy to gw_app;
grant select (org_id, practitioner_id, sync_due_at) on public.practitioner_calendars to gw_worker;
grant select (org_id, provider) on public.org_credentials to gw_worker;

-- As in 0006, and the practitioner's busy times, which look like booked holds of nobody's call. Of such a row only
-- number, times and state mean something.
--
-- The words of the constraint `no_overlap` serve no index here: range operators are not leakproof, so under row level
-- security they are looked at after the org alone has been found. Comparisons of numbers and times are leakproof. No
-- slot is longer than 12 hours (0003), no busy time than a day.
create or replace function app.occupied(
    p_number integer, p_starts timestamptz, p_ends timestamptz, p_at timestamptz
)
returns setof public.appointment_holds
language sql stable
as $$
    select h.* from public.appointment_holds h
    where h.practitioner_number = p_number
      and h.starts_at < p_ends and h.starts_at > p_starts - interval '12 hours' and h.ends_at > p_starts
      and h.state in ('held', 'booked')
      and (h.state = 'booked' or h.expires_at > p_at)
    union all
    select (jsonb_populate_record(null::public.appointment_holds, jsonb_build_object(
        'id', '00000000-0000-0000-0000-000000000000', 'org_id', b.org_id,
        'slot_id', '00000000-0000-0000-0000-000000000000', 'call_id', '00000000-0000-0000-0000-000000000000',
        'practitioner_number', b.practitioner_number, 'starts_at', b.starts_at, 'ends_at', b.ends_at,
        'state', 'booked', 'expires_at', b.ends_at, 'created_at', b.starts_at))).*
    from public.calendar_busy b
    where b.practitioner_number = p_number
      and b.ends_at > p_starts and b.ends_at < p_ends + interval '24 hours' and b.starts_at < p_ends
$$;

-- Whose calendar is which; null takes it away. Booked appointments to come are pushed (again), their events in another
-- calendar removed. May be repeated, as after the calendar was shared at last.
create function app.set_practitioner_calendar(p_org uuid, p_practitioner uuid, p_calendar text) returns void
language plpgsql volatile
as $$
declare
    v_number integer;
    v_changed boolean;
begin
    perform app.require_org(p_org);
    select p.number into v_number from public.practitioners p where p.org_id = p_org and p.id = p_practitioner;
    if not found then
        raise exception 'no such practitioner' using errcode = 'GW151';
    end if;
    perform app.lock_practitioners(array[v_number]);
    v_changed := not exists (
        select from public.practitioner_calendars c
        where c.org_id = p_org and c.practitioner_id = p_practitioner and c.calendar_id = p_calendar
    );
    if v_changed then
        delete from public.calendar_busy b where b.org_id = p_org and b.practitioner_number = v_number;
        delete from public.practitioner_calendars c where c.org_id = p_org and c.practitioner_id = p_practitioner;
    end if;
    if p_calendar is not null then
        insert into public.practitioner_calendars as c (org_id, practitioner_id, practitioner_number, calendar_id)
        values (p_org, p_practitioner, v_number, p_calendar)
        on conflict (org_id, practitioner_id) do update set sync_due_at = clock_timestamp();
        perform app.enqueue('calendar_busy_sync', p_practitioner);
    end if;
    perform app.enqueue('calendar_push', a.id)
    from public.appointments a
    where a.org_id = p_org and a.practitioner_number = v_number and a.starts_at > clock_timestamp()
      and ((a.status = 'booked' and p_calendar is not null)
           or exists (select from public.calendar_events e where e.org_id = p_org and e.appointment_id = a.id));
end
$$;

create function app.practitioner_calendars(p_org uuid)
returns table (practitioner_id uuid, calendar_id text, synced_at timestamptz, trouble text)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select c.practitioner_id, c.calendar_id, c.synced_at, c.trouble from public.practitioner_calendars c
        where c.org_id = p_org order by c.practitioner_number;
end
$$;

create function app.calendar_credentials(p_org uuid) returns table (sealed bytea)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select c.sealed from public.org_credentials c where c.org_id = p_org and c.provider = 'google_calendar';
end
$$;

-- What is to be done for an appointment's event: where it is to stand (`wanted`, noted down here before anybody puts it
-- there) and where it may stand but is not to.
create function app.plan_calendar_push(p_org uuid, p_appointment uuid)
returns table (
    calendar_id text, wanted boolean, starts_at timestamptz, ends_at timestamptz, practitioner_id uuid
)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_wanted text;
begin
    perform app.require_org(p_org);
    insert into public.calendar_events as e (org_id, appointment_id, calendar_id, starts_at, ends_at)
    select a.org_id, a.id, c.calendar_id, a.starts_at, a.ends_at
    from public.appointments a
    join public.practitioner_calendars c on c.org_id = a.org_id and c.practitioner_number = a.practitioner_number
    where a.org_id = p_org and a.id = p_appointment and a.status = 'booked'
    on conflict (org_id, appointment_id, calendar_id) do update set confirmed_at = null
    returning e.calendar_id into v_wanted;
    return query
        select e.calendar_id, e.calendar_id is not distinct from v_wanted, e.starts_at, e.ends_at, p.id
        from public.calendar_events e
        join public.appointments a on a.org_id = e.org_id and a.id = e.appointment_id
        join public.practitioners p on p.org_id = a.org_id and p.number = a.practitioner_number
        where e.org_id = p_org and e.appointment_id = p_appointment
        order by e.calendar_id is not distinct from v_wanted desc;
end
$$;

-- The event stands in the calendar, or is gone from it. When it is gone, an answer that still holds it as busy time may
-- be under way: it is refused, and the calendar asked again.
create function app.settle_calendar_event(p_org uuid, p_appointment uuid, p_calendar text, p_stands boolean)
returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    if p_stands then
        update public.calendar_events e set confirmed_at = clock_timestamp()
        where e.org_id = p_org and e.appointment_id = p_appointment and e.calendar_id = p_calendar;
        return;
    end if;
    delete from public.calendar_events e
    where e.org_id = p_org and e.appointment_id = p_appointment and e.calendar_id = p_calendar;
    update public.practitioner_calendars c set sync_id = null, sync_due_at = clock_timestamp()
    where c.org_id = p_org and c.calendar_id = p_calendar;
end
$$;

-- Begins to ask for a practitioner's busy times: which calendar, until when (the end of the last slot). No row: the
-- practitioner has no calendar, or none that is asked for.
create function app.begin_busy_sync(p_org uuid, p_practitioner uuid, p_again_after interval)
returns table (calendar_id text, sync_id uuid, after timestamptz, before timestamptz)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        update public.practitioner_calendars c
        set sync_id = gen_random_uuid(), sync_due_at = clock_timestamp() + p_again_after
        where c.org_id = p_org and c.practitioner_id = p_practitioner
        returning c.calendar_id, c.sync_id, clock_timestamp(), (
            select least(max(s.ends_at), clock_timestamp() + interval '400 days') from public.slots s
            where s.org_id = p_org and s.practitioner_id = p_practitioner and s.starts_at > clock_timestamp()
        );
end
$$;

-- The practitioner's busy times are these, our own events taken out. False if they were asked for anew meanwhile, or
-- the calendar is another now: then nothing has changed. A calendar that is had again after trouble gets the events
-- that it missed.
create function app.finish_busy_sync(
    p_org uuid, p_practitioner uuid, p_sync uuid, p_starts timestamptz[], p_ends timestamptz[]
) returns boolean
language plpgsql volatile
as $$
declare
    v_calendar record;
begin
    perform app.require_org(p_org);
    select c.* into v_calendar from public.practitioner_calendars c
    where c.org_id = p_org and c.practitioner_id = p_practitioner and c.sync_id = p_sync
    for update;
    if not found then
        return false;
    end if;
    update public.practitioner_calendars c set synced_at = clock_timestamp(), trouble = null
    where c.org_id = p_org and c.practitioner_id = p_practitioner;
    delete from public.calendar_busy b
    where b.org_id = p_org and b.practitioner_number = v_calendar.practitioner_number;
    insert into public.calendar_busy (org_id, practitioner_number, starts_at, ends_at)
    select p_org, v_calendar.practitioner_number, piece, least(piece + interval '24 hours', upper(times))
    from unnest(
        (select coalesce(range_agg(tstzrange(t.starts_at, t.ends_at)), '{}')
         from unnest(p_starts, p_ends) t (starts_at, ends_at))
        - (select coalesce(range_agg(tstzrange(e.starts_at, e.ends_at)), '{}')
           from public.calendar_events e
           where e.org_id = p_org and e.calendar_id = v_calendar.calendar_id and e.ends_at > clock_timestamp())
    ) times
    cross join lateral generate_series(lower(times), upper(times) - interval '1 microsecond', interval '24 hours') piece;
    if v_calendar.trouble is not null then
        perform app.enqueue('calendar_push', a.id)
        from public.appointments a
        left join public.calendar_events e
            on e.org_id = a.org_id and e.appointment_id = a.id and e.calendar_id = v_calendar.calendar_id
        where a.org_id = p_org and a.practitioner_number = v_calendar.practitioner_number
          and a.starts_at > clock_timestamp()
          and case a.status when 'booked' then e.confirmed_at is null else e.appointment_id is not null end;
    end if;
    return true;
end
$$;

-- Why a calendar could not be had.
create function app.note_calendar_trouble(p_org uuid, p_practitioner uuid, p_trouble text) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.practitioner_calendars c set trouble = p_trouble
    where c.org_id = p_org and c.practitioner_id = p_practitioner;
end
$$;

-- Practitioners of all orgs whose busy times are to be asked for now, longest due first. For gw_worker.
create function app.due_busy_syncs(p_limit integer) returns table (org_id uuid, practitioner_id uuid)
language sql stable
as $$
    select c.org_id, c.practitioner_id from public.practitioner_calendars c
    where c.sync_due_at <= now() order by c.sync_due_at limit least(greatest(p_limit, 0), 1000)
$$;

-- How many orgs have credentials for a calendar. For gw_worker.
create function app.orgs_with_calendars() returns bigint
language sql stable
as $$
    select count(distinct c.org_id) from public.org_credentials c where c.provider = 'google_calendar'
$$;

grant execute on function
    app.set_practitioner_calendar(uuid, uuid, text),
    app.practitioner_calendars(uuid),
    app.calendar_credentials(uuid),
    app.plan_calendar_push(uuid, uuid),
    app.settle_calendar_event(uuid, uuid, text, boolean),
    app.begin_busy_sync(uuid, uuid, interval),
    app.finish_busy_sync(uuid, uuid, uuid, timestamptz[], timestamptz[]),
    app.note_calendar_trouble(uuid, uuid, text)
to gw_app;

grant execute on function app.due_busy_syncs(integer), app.orgs_with_calendars() to gw_worker;

-- Onboarding runs as the owner, and what it changes may have to be pushed.
do $$
declare
    v_owner text := current_user;
begin
    set local role gw_resolver;
    execute format('grant execute on function app.enqueue(text, uuid, interval) to %I', v_owner);
    execute format('set local role %I', v_owner);
end
$$;
