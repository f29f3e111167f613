-- A slot that nobody can take is not open: one that has begun is past, one that is offered no more is none (GW001), as a
-- claim would find. Who holds it or has booked it is told of those too.
--
-- Way back: put app.get_slot_hold_status back as 0005 has it. Name and arguments are the same; older replicas hand on
-- the state as they get it.

create or replace function app.get_slot_hold_status(p_org uuid, p_slot uuid)
returns table (state text, expires_at timestamptz, call_id uuid)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_now timestamptz := clock_timestamp();
    v_slot record;
begin
    perform app.require_org(p_org);
    select s.practitioner_number, s.starts_at, s.ends_at, p.active and v.active and s.withdrawn_at is null as offered
    into v_slot
    from public.slots s
    join public.practitioners p on p.org_id = s.org_id and p.id = s.practitioner_id
    join public.services v on v.org_id = s.org_id and v.id = s.service_id
    where s.org_id = p_org and s.id = p_slot;
    if not found then
        raise exception 'no such slot' using errcode = 'GW001';
    end if;
    return query
        select h.state, case when h.state = 'held' then h.expires_at end, case when h.state = 'held' then h.call_id end
        from app.occupied(v_slot.practitioner_number, v_slot.starts_at, v_slot.ends_at, v_now) h
        order by h.state = 'booked' desc, h.expires_at desc
        limit 1;
    if found then
        return;
    end if;
    if not v_slot.offered then
        raise exception 'the slot is offered no more' using errcode = 'GW001';
    end if;
    return query select
        case when v_slot.starts_at <= v_now then 'past' else 'open' end, null::timestamptz, null::uuid;
end
$$;
