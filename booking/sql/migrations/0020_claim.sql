-- A claim in fewer statements, each with a plan that can be kept. Asked for a slot that nobody is near, by a call that
-- holds nothing, it locks, looks once and inserts; what an overlap or an earlier hold of the call costs more is paid
-- only by the claim that meets one.
--
-- Way back: put app.org_id and app.arm back as 0002 has them, app.lock_practitioners as 0005, app.claim_slot_atomic as
-- 0008; drop function app.lock_practitioner; alter table public.appointment_holds add constraint
-- appointment_holds_org_id_fkey foreign key (org_id) references public.organizations (org_id). Names, arguments and
-- answers are the same, so older replicas notice nothing.

-- One expression, which the planner puts in place of the call; a query of its own would be started for each table that
-- a policy guards. Written as a body, not as text: what its names mean is settled here, not by who calls.
create or replace function app.org_id() returns uuid
language sql stable parallel safe
return (coalesce(
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'org_id',
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'clinic_id'
))::uuid;

create or replace function app.arm(claims text) returns uuid
language plpgsql volatile
as $$
declare
    v_claims text := set_config('request.jwt.claims', claims, true);
    v_org uuid := app.org_id();
begin
    if v_org is null then
        raise exception 'a claim without an org' using errcode = 'insufficient_privilege';
    end if;
    return v_org;
end
$$;

-- That the org exists follows from the slot's reference, which carries the org. Checked for each hold once more, it
-- also locked the org's one row for all who claimed at the same moment.
alter table public.appointment_holds drop constraint appointment_holds_org_id_fkey;

-- 1735877988 names this kind of lock.
create function app.lock_practitioner(p_number integer) returns void
language sql volatile
as $$
    select pg_advisory_xact_lock(1735877988, p_number)
$$;

create or replace function app.lock_practitioners(p_numbers integer[]) returns void
language plpgsql volatile
as $$
declare
    v_number integer;
begin
    for v_number in select distinct n from unnest(p_numbers) n order by n loop
        perform app.lock_practitioner(v_number);
    end loop;
end
$$;

grant execute on function app.lock_practitioner(integer) to gw_app;

-- Takes the slot for the call, or says why not and what is free instead: the first row is the slot asked for, with
-- outcome held, taken or past; rows with outcome free follow a refusal. A withdrawn slot is as good as taken.
--
-- Order of locks, the same for all, so that no two claims can wait for each other: the call (two claims of one call),
-- then the practitioners concerned by number (all claims on a practitioner, one after the other), then rows.
-- clock_timestamp() after the locks, because now() is from before the wait.
--
-- `v_met`: something live meets the slot, be it the call's own or a hold whose time has passed. If not, and the call
-- holds nothing, there is nothing to be judged or ended before the insert.
--
-- No sequential scans: plans are kept as long as a connection, and one made while a clinic is new would go on reading
-- whole tables when they have grown.
create or replace function app.claim_slot_atomic(
    p_org uuid, p_slot uuid, p_call uuid, p_ttl interval, p_alternatives integer default 3
)
returns table (
    outcome text, hold_id uuid, expires_at timestamptz, slot_id uuid, service_id uuid, practitioner_id uuid,
    practitioner text, starts_at timestamptz, ends_at timestamptz
)
language plpgsql volatile
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
    v_now timestamptz;
    v_over boolean;
    v_number integer;
    v_held_number integer;
    v_slot record;
    v_met boolean;
    v_hold uuid;
    v_expires_at timestamptz;
    v_outcome text;
begin
    perform app.require_org(p_org);
    if p_call is null or p_ttl is null or p_ttl <= interval '0' or p_ttl > interval '1 day' then
        raise exception 'a call and a time to live of at most a day are needed' using errcode = '22023';
    end if;
    perform app.lock_call(p_call);
    select
        exists (select from public.calls c where c.org_id = p_org and c.id = p_call and c.ended_at is not null),
        (select s.practitioner_number from public.slots s where s.org_id = p_org and s.id = p_slot),
        (
            select h.practitioner_number from public.appointment_holds h
            where h.org_id = p_org and h.call_id = p_call and h.state = 'held'
        )
    into v_over, v_number, v_held_number;
    if v_over then
        raise exception 'the call has ended' using errcode = 'GW002';
    end if;
    if v_held_number is null or v_held_number = v_number then
        perform app.lock_practitioner(v_number);
    else
        perform app.lock_practitioners(array[v_number, v_held_number]);
    end if;
    select s.id, s.service_id, s.practitioner_id, s.starts_at, s.ends_at, p.name as practitioner,
        p.active and v.active and s.withdrawn_at is null as active,
        exists (select from app.occupied(s.practitioner_number, s.starts_at, s.ends_at, '-infinity')) as met
    into v_slot
    from public.slots s
    join public.practitioners p on p.org_id = s.org_id and p.id = s.practitioner_id
    join public.services v on v.org_id = s.org_id and v.id = s.service_id
    where s.org_id = p_org and s.id = p_slot
    for update of s;
    if not found then
        raise exception 'no such slot' using errcode = 'GW001';
    end if;
    v_now := clock_timestamp();
    v_met := v_slot.met or v_held_number is not null;

    if v_met then
        select h.id, h.expires_at into v_hold, v_expires_at from public.appointment_holds h
        where h.org_id = p_org and h.call_id = p_call and h.slot_id = p_slot
          and (h.state = 'booked' or (h.state = 'held' and h.expires_at > v_now));
    end if;
    if v_hold is not null then
        v_outcome := 'held';
    elsif v_slot.starts_at <= v_now then
        v_outcome := 'past';
    elsif not v_slot.active or (v_met and exists (
        select from app.occupied(v_number, v_slot.starts_at, v_slot.ends_at, v_now) h
        where h.call_id <> p_call or h.state = 'booked'
    )) then
        v_outcome := 'taken';
    else
        begin
            if v_met then
                update public.appointment_holds h
                set state = case when h.expires_at <= v_now then 'expired' else 'released' end, ended_at = v_now
                where h.org_id = p_org and h.call_id = p_call and h.state = 'held';
                update public.appointment_holds h set state = 'expired', ended_at = v_now
                where h.org_id = p_org and h.practitioner_number = v_number
                  and h.starts_at < v_slot.ends_at and h.starts_at > v_slot.starts_at - interval '12 hours'
                  and h.ends_at > v_slot.starts_at
                  and h.state = 'held' and h.expires_at <= v_now;
            end if;
            insert into public.appointment_holds as h
                (org_id, slot_id, call_id, practitioner_number, starts_at, ends_at, expires_at)
            values
                (p_org, p_slot, p_call, v_number, v_slot.starts_at, v_slot.ends_at, v_now + p_ttl)
            returning h.id, h.expires_at into v_hold, v_expires_at;
            v_outcome := 'held';
        exception when exclusion_violation then
            v_outcome := 'taken'; -- by a statement that did not come through here
        end;
    end if;

    return query select v_outcome, v_hold, v_expires_at, v_slot.id, v_slot.service_id, v_slot.practitioner_id,
        v_slot.practitioner, v_slot.starts_at, v_slot.ends_at;
    if v_outcome <> 'held' then
        return query select 'free', null::uuid, null::timestamptz, n.*
            from app.get_next_available_slots(
                p_org, v_slot.service_id, greatest(v_slot.starts_at, v_now), p_alternatives) n;
    end if;
end
$$;
