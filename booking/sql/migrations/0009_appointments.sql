-- Appointments, and the flipping of expired holds. GW010 no such hold, GW011 the hold is over, GW012 not verified,
-- GW013 no such contact, GW014 no such appointment, GW015 the appointment is over, GW016 another service's slot.
--
-- An appointment stands on its hold: while it is booked, the hold is (a foreign key on the hold's state says so), and
-- two live holds of a practitioner never overlap (`no_overlap`), hence no two booked appointments do, whoever writes
-- them.
-- What follows from a change (a calendar's event) is enqueued by a trigger on this table, in the same transaction: see
-- the migration of the jobs.
--
-- Way back: drop the functions named at the end; drop table public.appointments; alter table public.appointment_holds
-- drop constraint holds_with_org, drop constraint holds_with_state; drop index public.holds_by_expiry; drop the
-- policies sweeper_sees and sweeper_flips on public.appointment_holds; revoke all on it from gw_worker.
-- Older replicas look at none of it: they hold and release as before.

alter table public.appointment_holds
    add constraint holds_with_org unique (org_id, id),
    add constraint holds_with_state unique (org_id, id, slot_id, state);

create table public.appointments (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    hold_id uuid not null,
    slot_id uuid not null,
    contact_id uuid not null,
    practitioner_number integer not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    status text not null default 'booked' check (status in ('booked', 'cancelled', 'rescheduled')),
    hold_state text not null generated always as (case status when 'booked' then 'booked' else 'released' end) stored,
    replaces_id uuid,
    booked_at timestamptz not null default clock_timestamp(),
    changed_at timestamptz,
    check ((changed_at is null) = (status = 'booked')),
    unique (org_id, id),
    unique (org_id, hold_id),
    unique (org_id, replaces_id),
    foreign key (org_id, hold_id, slot_id, hold_state) references public.appointment_holds (org_id, id, slot_id, state),
    foreign key (org_id, slot_id, practitioner_number, starts_at, ends_at)
        references public.slots (org_id, id, practitioner_number, starts_at, ends_at),
    foreign key (org_id, contact_id) references public.contacts (org_id, id),
    foreign key (org_id, replaces_id) references public.appointments (org_id, id)
);

create index appointments_by_start on public.appointments (org_id, starts_at, id);

create index appointments_by_contact on public.appointments (org_id, contact_id, starts_at, id);

create index holds_by_expiry on public.appointment_holds (expires_at) where (state = 'held');

alter table public.appointments enable row level security;
alter table public.appointments force row level security;
create policy tenant on public.appointments using (org_id = (select app.org_id()));

-- The sweeper of expired holds sees these alone, and may make of them nothing but expired ones.
create policy sweeper_sees on public.appointment_holds for select to gw_worker
    using (expires_at <= clock_timestamp() and state in ('held', 'expired'));
create policy sweeper_flips on public.appointment_holds for update to gw_worker
    using (expires_at <= clock_timestamp() and state = 'held') with check (state = 'expired');

grant select, insert, update (status, changed_at) on public.appointments to gw_app;
grant select (id, org_id, state, expires_at), update (state, ended_at) on public.appointment_holds to gw_worker;

-- One appointment as the functions answer it. plpgsql, so that it is never inlined ahead of a claim (0002).
create function app.find_booking(p_org uuid, p_booking uuid)
returns table (
    booking_id uuid, hold_id uuid, contact_id uuid, status text, booked_at timestamptz, changed_at timestamptz,
    replaces_id uuid, slot_id uuid, service_id uuid, practitioner_id uuid, practitioner text,
    starts_at timestamptz, ends_at timestamptz
)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select a.id, a.hold_id, a.contact_id, a.status, a.booked_at, a.changed_at, a.replaces_id,
            s.id, s.service_id, p.id, p.name, s.starts_at, s.ends_at
        from public.appointments a
        join public.slots s on s.org_id = a.org_id and s.id = a.slot_id
        join public.practitioners p on p.org_id = s.org_id and p.id = s.practitioner_id
        where a.org_id = p_org and a.id = p_booking;
end
$$;

-- A verified hold becomes an appointment. One hold makes one appointment: asked again for the same contact (or none),
-- it is answered as it stands now. Verified means by a code sent to the number of this very contact.
--
-- Order of locks as in 0005: practitioner, slot, hold, appointment; all functions here that change an appointment begin
-- with the practitioners, so they come one after the other with claims.
create function app.confirm_booking(p_org uuid, p_hold uuid, p_contact uuid default null)
returns table (
    booking_id uuid, hold_id uuid, contact_id uuid, status text, booked_at timestamptz, changed_at timestamptz,
    replaces_id uuid, slot_id uuid, service_id uuid, practitioner_id uuid, practitioner text,
    starts_at timestamptz, ends_at timestamptz
)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_hold record;
    v_contact uuid;
    v_booking uuid;
begin
    perform app.require_org(p_org);
    perform app.lock_practitioners(array(
        select h.practitioner_number from public.appointment_holds h where h.org_id = p_org and h.id = p_hold));
    select h.* into v_hold from public.appointment_holds h where h.org_id = p_org and h.id = p_hold for update;
    if not found then
        raise exception 'no such hold' using errcode = 'GW010';
    end if;
    select a.id, a.contact_id into v_booking, v_contact
    from public.appointments a where a.org_id = p_org and a.hold_id = p_hold;
    if found and (p_contact is null or p_contact = v_contact) then
        return query select b.* from app.find_booking(p_org, v_booking) b;
        return;
    end if;
    if v_hold.state <> 'held' or least(v_hold.expires_at, v_hold.starts_at) <= clock_timestamp() then
        raise exception 'the hold is over' using errcode = 'GW011';
    end if;
    v_contact := coalesce(p_contact, v_hold.contact_id);
    if not exists (select from public.contacts c where c.org_id = p_org and c.id = v_contact) then
        raise exception 'no such contact' using errcode = 'GW013';
    end if;
    if not app.is_verified(p_org, p_hold, v_contact) then
        raise exception 'no code was verified' using errcode = 'GW012';
    end if;
    update public.appointment_holds h set state = 'booked', contact_id = v_contact
    where h.org_id = p_org and h.id = p_hold and h.state = 'held';
    insert into public.appointments as a
        (org_id, hold_id, slot_id, contact_id, practitioner_number, starts_at, ends_at)
    values
        (p_org, p_hold, v_hold.slot_id, v_contact, v_hold.practitioner_number, v_hold.starts_at, v_hold.ends_at)
    returning a.id into v_booking;
    return query select b.* from app.find_booking(p_org, v_booking) b;
end
$$;

-- Ends a booked appointment and frees its slot. False if it is not booked (any more). One statement for both rows,
-- because neither may be seen without the other.
create function app.end_booking(p_org uuid, p_booking uuid, p_status text) returns boolean
language plpgsql volatile
as $$
begin
    with ended as (
        update public.appointments a set status = p_status, changed_at = clock_timestamp()
        where a.org_id = p_org and a.id = p_booking and a.status = 'booked'
        returning a.hold_id
    )
    update public.appointment_holds h set state = 'released', ended_at = clock_timestamp()
    from ended e where h.org_id = p_org and h.id = e.hold_id and h.state = 'booked';
    return found;
end
$$;

create function app.cancel_booking(p_org uuid, p_booking uuid, p_contact uuid default null)
returns table (
    booking_id uuid, hold_id uuid, contact_id uuid, status text, booked_at timestamptz, changed_at timestamptz,
    replaces_id uuid, slot_id uuid, service_id uuid, practitioner_id uuid, practitioner text,
    starts_at timestamptz, ends_at timestamptz
)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_booking record;
begin
    perform app.require_org(p_org);
    perform app.lock_practitioners(array(
        select a.practitioner_number from public.appointments a where a.org_id = p_org and a.id = p_booking));
    select a.* into v_booking from public.appointments a
    where a.org_id = p_org and a.id = p_booking and (p_contact is null or a.contact_id = p_contact);
    if not found then
        raise exception 'no such appointment' using errcode = 'GW014';
    end if;
    if v_booking.status <> 'cancelled' and (
        v_booking.starts_at <= clock_timestamp() or not app.end_booking(p_org, p_booking, 'cancelled')
    ) then
        raise exception 'the appointment is over' using errcode = 'GW015';
    end if;
    return query select b.* from app.find_booking(p_org, p_booking) b;
end
$$;

-- Moves an appointment: outcome booked with the new one, or taken or past with what is free instead, and then nothing
-- has changed. Its own old slot does not stand in its way, nor does what `p_call` holds, which gives way.
create function app.reschedule_booking(
    p_org uuid, p_booking uuid, p_slot uuid, p_contact uuid default null, p_call uuid default null,
    p_alternatives integer default 3
)
returns table (
    outcome text, booking_id uuid, hold_id uuid, contact_id uuid, status text, booked_at timestamptz,
    changed_at timestamptz, replaces_id uuid, slot_id uuid, service_id uuid, practitioner_id uuid, practitioner text,
    starts_at timestamptz, ends_at timestamptz
)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_now timestamptz;
    v_old record;
    v_slot record;
    v_new uuid;
    v_outcome text;
begin
    perform app.require_org(p_org);
    if p_call is not null then
        perform app.lock_call(p_call);
        if exists (
            select from public.calls c where c.org_id = p_org and c.id = p_call and c.ended_at is not null
        ) then
            raise exception 'the call has ended' using errcode = 'GW002';
        end if;
    end if;
    perform app.lock_practitioners(array(
        select a.practitioner_number from public.appointments a where a.org_id = p_org and a.id = p_booking
        union
        select s.practitioner_number from public.slots s where s.org_id = p_org and s.id = p_slot
        union
        select h.practitioner_number from public.appointment_holds h
        where h.org_id = p_org and h.call_id = p_call and h.state = 'held'
    ));
    select s.*, p.active and v.active and s.withdrawn_at is null as active into v_slot
    from public.slots s
    join public.practitioners p on p.org_id = s.org_id and p.id = s.practitioner_id
    join public.services v on v.org_id = s.org_id and v.id = s.service_id
    where s.org_id = p_org and s.id = p_slot
    for update of s;
    select a.*, s.service_id, h.call_id into v_old
    from public.appointments a
    join public.slots s on s.org_id = a.org_id and s.id = a.slot_id
    join public.appointment_holds h on h.org_id = a.org_id and h.id = a.hold_id
    where a.org_id = p_org and a.id = p_booking and (p_contact is null or a.contact_id = p_contact);
    if not found then
        raise exception 'no such appointment' using errcode = 'GW014';
    end if;
    if v_slot.id is null then
        raise exception 'no such slot' using errcode = 'GW001';
    end if;
    select a.id into v_new from public.appointments a
    where a.org_id = p_org and a.slot_id = p_slot and a.status = 'booked'
      and (a.id = p_booking or a.replaces_id = p_booking);
    if found then
        return query select 'booked', b.* from app.find_booking(p_org, v_new) b;
        return;
    end if;
    v_now := clock_timestamp();
    if v_old.status <> 'booked' or v_old.starts_at <= v_now then
        raise exception 'the appointment is over' using errcode = 'GW015';
    end if;
    if v_slot.service_id <> v_old.service_id then
        raise exception 'the slot is for another service' using errcode = 'GW016';
    end if;

    if v_slot.starts_at <= v_now then
        v_outcome := 'past';
    elsif not v_slot.active or exists (
        select from app.occupied(v_slot.practitioner_number, v_slot.starts_at, v_slot.ends_at, v_now) h
        where h.id <> v_old.hold_id and (h.state = 'booked' or h.call_id is distinct from p_call)
    ) then
        v_outcome := 'taken';
    else
        begin
            perform app.end_booking(p_org, p_booking, 'rescheduled');
            update public.appointment_holds h
            set state = case when h.expires_at <= v_now then 'expired' else 'released' end, ended_at = v_now
            where h.org_id = p_org and h.state = 'held' and (
                h.call_id = p_call
                or (h.expires_at <= v_now and h.practitioner_number = v_slot.practitioner_number
                    and h.starts_at < v_slot.ends_at and h.ends_at > v_slot.starts_at)
            );
            with taken as (
                insert into public.appointment_holds
                    (org_id, slot_id, call_id, practitioner_number, starts_at, ends_at, state, expires_at, contact_id)
                values (
                    p_org, p_slot, coalesce(p_call, v_old.call_id), v_slot.practitioner_number, v_slot.starts_at,
                    v_slot.ends_at, 'booked', v_now, v_old.contact_id)
                returning id
            )
            insert into public.appointments as a
                (org_id, hold_id, slot_id, contact_id, practitioner_number, starts_at, ends_at, replaces_id)
            select p_org, t.id, p_slot, v_old.contact_id, v_slot.practitioner_number, v_slot.starts_at,
                v_slot.ends_at, p_booking
            from taken t
            returning a.id into v_new;
            v_outcome := 'booked';
        exception when exclusion_violation then
            v_outcome := 'taken'; -- by a statement that did not come through here
        end;
    end if;

    if v_outcome = 'booked' then
        return query select v_outcome, b.* from app.find_booking(p_org, v_new) b;
    else
        return query select v_outcome, null::uuid, null::uuid, null::uuid, null::text, null::timestamptz,
            null::timestamptz, null::uuid, v_slot.id, v_slot.service_id, v_slot.practitioner_id, null::text,
            v_slot.starts_at, v_slot.ends_at;
        return query select 'free', null::uuid, null::uuid, null::uuid, null::text, null::timestamptz,
            null::timestamptz, null::uuid, n.*
            from app.get_next_available_slots(
                p_org, v_slot.service_id, greatest(v_slot.starts_at, v_now), p_alternatives) n;
    end if;
end
$$;

-- Appointments, soonest first. Planned for its arguments each time: which index serves depends on what is asked.
create function app.page_of_bookings(
    p_org uuid, p_limit integer, p_contact uuid default null, p_status text default null,
    p_after timestamptz default null, p_until timestamptz default null, p_last_starts timestamptz default null,
    p_last_id uuid default null
)
returns table (
    booking_id uuid, hold_id uuid, contact_id uuid, status text, booked_at timestamptz, changed_at timestamptz,
    replaces_id uuid, slot_id uuid, service_id uuid, practitioner_id uuid, practitioner text,
    starts_at timestamptz, ends_at timestamptz
)
language plpgsql volatile
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select a.id, a.hold_id, a.contact_id, a.status, a.booked_at, a.changed_at, a.replaces_id,
            s.id, s.service_id, p.id, p.name, s.starts_at, s.ends_at
        from public.appointments a
        join public.slots s on s.org_id = a.org_id and s.id = a.slot_id
        join public.practitioners p on p.org_id = s.org_id and p.id = s.practitioner_id
        where a.org_id = p_org
          and (p_contact is null or a.contact_id = p_contact)
          and (p_status is null or a.status = p_status)
          and (p_after is null or a.starts_at >= p_after)
          and (p_until is null or a.starts_at < p_until)
          and (p_last_starts is null or (a.starts_at, a.id) > (p_last_starts, p_last_id))
        order by a.starts_at, a.id
        limit least(greatest(p_limit, 0), 100);
end
$$;

-- Flips holds whose time has passed, over all orgs, the longest overdue first. Rows that somebody is at are left for
-- the next time, so it never waits and nobody waits long for it.
create function app.release_expired_slot_holds(p_batch integer default 500) returns integer
language plpgsql volatile
as $$
declare
    v_flipped integer;
begin
    update public.appointment_holds h set state = 'expired', ended_at = clock_timestamp()
    where h.id in (
        select o.id from public.appointment_holds o
        where o.state = 'held' and o.expires_at <= statement_timestamp()
        order by o.expires_at
        limit greatest(p_batch, 0)
        for update skip locked
    ) and h.state = 'held';
    get diagnostics v_flipped = row_count;
    return v_flipped;
end
$$;

grant execute on function
    app.find_booking(uuid, uuid),
    app.confirm_booking(uuid, uuid, uuid),
    app.end_booking(uuid, uuid, text),
    app.cancel_booking(uuid, uuid, uuid),
    app.reschedule_booking(uuid, uuid, uuid, uuid, uuid, integer),
    app.page_of_bookings(uuid, integer, uuid, text, timestamptz, timestamptz, timestamptz, uuid)
to gw_app;

grant execute on function app.release_expired_slot_holds(integer) to gw_worker;
