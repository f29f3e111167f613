-- The calls' functions, each one round trip. SQLSTATEs of ours: GW001 no such slot, GW002 the call has ended,
-- GW003 no such call. Each runs with the caller's rights, under row level security.

-- Live holds and bookings of a practitioner that meet an interval, in the words of the constraint `no_overlap`, so
-- that its index serves. `at`: an expired hold is not live.
create function app.occupied(p_number integer, p_starts timestamptz, p_ends timestamptz, p_at timestamptz)
returns setof public.appointment_holds
language sql stable
as $$
    select h.* from public.appointment_holds h
    where int4range(h.practitioner_number, h.practitioner_number, '[]') && int4range(p_number, p_number, '[]')
      and tstzrange(h.starts_at, h.ends_at) && tstzrange(p_starts, p_ends)
      and h.state in ('held', 'booked')
      and (h.state = 'booked' or h.expires_at > p_at)
$$;

create function app.get_next_available_slots(
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
        where s.org_id = p_org and s.service_id = p_service
          and s.starts_at >= p_after and s.starts_at > v_now
          and (p_until is null or s.starts_at < p_until)
          and (p_practitioner is null or s.practitioner_id = p_practitioner)
          and not exists (select from app.occupied(s.practitioner_number, s.starts_at, s.ends_at, v_now))
        order by s.starts_at, p.number
        limit least(greatest(p_limit, 0), 100);
end
$$;

-- Takes the slot for the call, or says why not and what is free instead: the first row is the slot asked for, with
-- outcome held, taken or past; rows with outcome free follow a refusal.
--
-- Order of locks, the same for all, so that no two claims can wait for each other: the call (two claims of one call),
-- then the practitioners concerned by number (all claims on a practitioner, one after the other), then rows.
-- clock_timestamp() after the locks, because now() is from before the wait.
create function app.claim_slot_atomic(
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
    select s.*, p.name as practitioner, p.active and v.active as active into v_slot
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

create function app.lock_call(p_call uuid) returns void
language sql volatile
as $$
    select pg_advisory_xact_lock(hashtextextended('call ' || p_call, 0))
$$;

-- One after the other in ascending order; 1735877988 names this kind of lock.
create function app.lock_practitioners(p_numbers integer[]) returns void
language plpgsql volatile
as $$
declare
    v_number integer;
begin
    for v_number in select distinct n from unnest(p_numbers) n order by n loop
        perform pg_advisory_xact_lock(1735877988, v_number);
    end loop;
end
$$;

create function app.get_slot_hold_status(p_org uuid, p_slot uuid)
returns table (state text, expires_at timestamptz, call_id uuid)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_slot record;
begin
    perform app.require_org(p_org);
    select s.practitioner_number, s.starts_at, s.ends_at into v_slot
    from public.slots s where s.org_id = p_org and s.id = p_slot;
    if not found then
        raise exception 'no such slot' using errcode = 'GW001';
    end if;
    return query
        select h.state, case when h.state = 'held' then h.expires_at end, case when h.state = 'held' then h.call_id end
        from app.occupied(v_slot.practitioner_number, v_slot.starts_at, v_slot.ends_at, clock_timestamp()) h
        order by h.state = 'booked' desc, h.expires_at desc
        limit 1;
    if not found then
        return query select 'open', null::timestamptz, null::uuid;
    end if;
end
$$;

create function app.release_slot_lock(p_org uuid, p_hold uuid) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.appointment_holds h set state = 'released', ended_at = clock_timestamp()
    where h.org_id = p_org and h.id = p_hold and h.state = 'held' and h.expires_at > clock_timestamp();
    return found;
end
$$;

-- After any claim of the call that is still under way, hence the lock.
create function app.release_call_holds(p_org uuid, p_call uuid) returns integer
language plpgsql volatile
as $$
declare
    v_released integer;
begin
    perform app.require_org(p_org);
    perform app.lock_call(p_call);
    update public.appointment_holds h set state = 'released', ended_at = clock_timestamp()
    where h.org_id = p_org and h.call_id = p_call and h.state = 'held';
    get diagnostics v_released = row_count;
    return v_released;
end
$$;

create function app.org_profile(p_org uuid)
returns table (
    org_id uuid, name text, time_zone text, greeting text, agent_name text, voice text,
    services jsonb, practitioners jsonb
)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select o.org_id, o.name, o.time_zone, o.greeting, o.agent_name, o.voice,
            coalesce((
                select jsonb_agg(jsonb_build_object(
                    'id', s.id, 'name', s.name, 'synonyms', s.synonyms, 'minutes', s.minutes) order by s.name)
                from public.services s where s.org_id = p_org and s.active), '[]'),
            coalesce((
                select jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name) order by p.number)
                from public.practitioners p where p.org_id = p_org and p.active), '[]')
        from public.organizations o where o.org_id = p_org;
end
$$;

create function app.sealed_credentials(p_org uuid) returns table (provider text, sealed bytea)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query select c.provider, c.sealed from public.org_credentials c where c.org_id = p_org;
end
$$;

create function app.store_credentials(p_org uuid, p_provider text, p_sealed bytea) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    insert into public.org_credentials (org_id, provider, sealed) values (p_org, p_provider, p_sealed)
    on conflict (org_id, provider) do update set sealed = excluded.sealed, updated_at = now();
end
$$;

create function app.open_call(
    p_org uuid, p_call uuid, p_carrier text, p_carrier_call_id text, p_started_at timestamptz
) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    insert into public.calls (org_id, id, carrier, carrier_call_id, started_at)
    values (p_org, p_call, p_carrier, p_carrier_call_id, p_started_at)
    on conflict (id) do nothing;
    return found;
end
$$;

-- The end of a call and of what it holds, in one; after any claim of the call that is still under way.
create function app.close_call(
    p_org uuid, p_call uuid, p_end_reason text, p_ended_at timestamptz, p_keep_hold boolean
) returns integer
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    perform app.lock_call(p_call);
    update public.calls c set ended_at = p_ended_at, end_reason = p_end_reason
    where c.org_id = p_org and c.id = p_call and c.ended_at is null;
    if p_keep_hold then
        return 0;
    end if;
    return app.release_call_holds(p_org, p_call);
end
$$;

create function app.store_turn(
    p_org uuid, p_call uuid, p_turn integer, p_said jsonb, p_outcome text, p_stages_s jsonb,
    p_ttfb_ms double precision, p_overhead_ms double precision
) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    insert into public.call_turns (org_id, call_id, turn, said, outcome, stages_s, ttfb_ms, overhead_ms)
    values (p_org, p_call, p_turn, p_said, p_outcome, p_stages_s, p_ttfb_ms, p_overhead_ms)
    on conflict (org_id, call_id, turn) do update set
        said = excluded.said, outcome = excluded.outcome, stages_s = excluded.stages_s,
        ttfb_ms = excluded.ttfb_ms, overhead_ms = excluded.overhead_ms;
exception when foreign_key_violation then
    raise exception 'no such call' using errcode = 'GW003';
end
$$;

grant execute on function
    app.occupied(integer, timestamptz, timestamptz, timestamptz),
    app.get_next_available_slots(uuid, uuid, timestamptz, integer, timestamptz, uuid),
    app.claim_slot_atomic(uuid, uuid, uuid, interval, integer),
    app.lock_call(uuid),
    app.lock_practitioners(integer[]),
    app.get_slot_hold_status(uuid, uuid),
    app.release_slot_lock(uuid, uuid),
    app.release_call_holds(uuid, uuid),
    app.org_profile(uuid),
    app.sealed_credentials(uuid),
    app.store_credentials(uuid, text, bytea),
    app.open_call(uuid, uuid, text, text, timestamptz),
    app.close_call(uuid, uuid, text, timestamptz, boolean),
    app.store_turn(uuid, uuid, integer, jsonb, text, jsonb, double precision, double precision)
to gw_app;
