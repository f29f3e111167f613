-- The soonest free slots and a page of appointments, read in the order of their index and no further than asked. As they
-- stood, all rows of the org were joined and then sorted: the planner takes org, service, practitioner and id for
-- independent of each other, expected one row, and found many thousands. Now what limits stands inside, and the rest is
-- joined to what is left.
--
-- Way back: put app.get_next_available_slots back as 0008 has it and app.page_of_bookings as 0009 has it. Answers are
-- the same as before.

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
    if not exists (select from public.services v where v.org_id = p_org and v.id = p_service and v.active) then
        return;
    end if;
    -- The practitioner is asked for row by row in here: a join would be done before the limit.
    return query
        select s.id, s.service_id, p.id, p.name, s.starts_at, s.ends_at
        from (
            select f.* from public.slots f
            where f.org_id = p_org and f.service_id = p_service and f.withdrawn_at is null
              and f.starts_at >= p_after and f.starts_at > v_now
              and (p_until is null or f.starts_at < p_until)
              and (p_practitioner is null or f.practitioner_id = p_practitioner)
              and (
                  select a.active from public.practitioners a
                  where a.org_id = p_org and a.id = f.practitioner_id)
              and not exists (select from app.occupied(f.practitioner_number, f.starts_at, f.ends_at, v_now))
            order by f.starts_at, f.practitioner_number
            limit least(greatest(p_limit, 0), 100)
        ) s
        join public.practitioners p on p.org_id = s.org_id and p.id = s.practitioner_id
        order by s.starts_at, s.practitioner_number;
end
$$;

create or replace function app.page_of_bookings(
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
        from (
            select b.* from public.appointments b
            where b.org_id = p_org
              and (p_contact is null or b.contact_id = p_contact)
              and (p_status is null or b.status = p_status)
              and (p_after is null or b.starts_at >= p_after)
              and (p_until is null or b.starts_at < p_until)
              and (p_last_starts is null or (b.starts_at, b.id) > (p_last_starts, p_last_id))
            order by b.starts_at, b.id
            limit least(greatest(p_limit, 0), 100)
        ) a
        join public.slots s on s.org_id = a.org_id and s.id = a.slot_id
        join public.practitioners p on p.org_id = s.org_id and p.id = s.practitioner_id
        order by a.starts_at, a.id;
end
$$;
