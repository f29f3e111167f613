-- Free slots from a time of day on, by the clinic's clock. Whoever looks for an evening among the first so many slots of
-- any hour does not find the one that a full calendar has.
--
-- Way back: put app.get_next_available_slots back as 0022 has it; drop function app.free_slots(uuid, uuid, timestamptz,
-- integer, timestamptz, uuid, time). Name, arguments and answers of the former are the same, so older replicas notice
-- nothing.

-- The soonest free slots. `p_not_before`: on every day those that start at that local time or later; null: at any.
create function app.free_slots(
    p_org uuid, p_service uuid, p_after timestamptz, p_limit integer, p_until timestamptz, p_practitioner uuid,
    p_not_before time
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
    v_zone text;
begin
    perform app.require_org(p_org);
    if not exists (select from public.services v where v.org_id = p_org and v.id = p_service and v.active) then
        return;
    end if;
    if p_not_before is not null then
        select o.time_zone into v_zone from public.organizations o where o.org_id = p_org;
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
              and (p_not_before is null or (f.starts_at at time zone v_zone)::time >= p_not_before)
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

-- The same at any time of day.
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
begin
    return query select f.* from app.free_slots(p_org, p_service, p_after, p_limit, p_until, p_practitioner, null) f;
end
$$;

grant execute on function app.free_slots(uuid, uuid, timestamptz, integer, timestamptz, uuid, time) to gw_app;
