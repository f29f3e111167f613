-- Calls that Vapi carries. Nobody here has such a call all the time: its requests come to any replica, one by one. What they
-- share until it ends is `sealed_state` (what was offered and held, codes that are out, answers that Vapi may ask for once
-- more), sealed under the org's key and gone with the call's end. Whoever works on it is its `holder`, until `held_until` at
-- the latest. `next_at`: when Vapi is to be asked what became of the call, as nothing was heard of it; null: it is settled.
--
-- The call itself is a row of calls, whose id follows from org and Vapi's own id; its follow-up is the same as any call's.
-- GW003 no such call.
--
-- Way back: drop trigger erased_vapi_call on public.calls; drop the functions named at the end and app.forget_vapi_call(); drop
-- table public.vapi_calls. Older replicas look at none of it: calls that are open then end as lost after six hours.

create table public.vapi_calls (
    call_id uuid primary key,
    org_id uuid not null references public.organizations (org_id),
    sealed_state bytea check (length(sealed_state) between 1 and 262144),
    holder uuid,
    held_until timestamptz,
    ended_reason text check (ended_reason ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$'),
    settled_at timestamptz,
    asked integer not null default 0 check (asked >= 0),
    next_at timestamptz,
    unique (org_id, call_id),
    check ((settled_at is null) = (next_at is not null)),
    check (settled_at is null or sealed_state is null),
    foreign key (org_id, call_id) references public.calls (org_id, id)
);

comment on column public.vapi_calls.ended_reason is 'in Vapi''s own word';
comment on column public.vapi_calls.asked is 'how often Vapi was asked what became of it';

create index vapi_calls_to_ask_for on public.vapi_calls (next_at) where (next_at is not null);

alter table public.vapi_calls enable row level security;
alter table public.vapi_calls force row level security;
create policy tenant on public.vapi_calls using (org_id = (select app.org_id()));
-- The sweep sees which is to be asked for, and nothing more of it.
create policy sweeper on public.vapi_calls for select to gw_worker using (next_at <= now());

grant select, insert, delete, update (sealed_state, holder, held_until, ended_reason, settled_at, asked, next_at)
    on public.vapi_calls to gw_app;
grant select (org_id, call_id, next_at) on public.vapi_calls to gw_worker;

-- The call is on record, if it was not. Whoever carries our own calls says again and again that they go on; Vapi says nothing,
-- so that this one counts as lost only when it is longer than any call may be, or when Vapi is asked. One whose caller was
-- erased is not begun again.
create function app.open_vapi_call(
    p_org uuid, p_call uuid, p_vapi_id text, p_started_at timestamptz, p_ask_after interval
) returns boolean
language plpgsql volatile
as $$
begin
    perform app.open_call(p_org, p_call, 'vapi', p_vapi_id, p_started_at);
    insert into public.vapi_calls (org_id, call_id, next_at)
    select c.org_id, c.id, clock_timestamp() + p_ask_after
    from public.calls c where c.org_id = p_org and c.id = p_call and c.carrier_call_id = p_vapi_id
    on conflict (call_id) do nothing;
    return found;
end
$$;

-- Something was heard of the call: Vapi need not be asked before then. False if it is settled.
create function app.heard_of_vapi_call(p_org uuid, p_call uuid, p_ask_after interval) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.vapi_calls v set next_at = clock_timestamp() + p_ask_after
    where v.org_id = p_org and v.call_id = p_call and v.settled_at is null;
    return found;
end
$$;

-- The holder's from now on, unless somebody else has it (`taken` is false then). GW003.
create function app.take_vapi_call(p_org uuid, p_call uuid, p_holder uuid, p_for interval)
returns table (taken boolean, settled boolean, sealed_state bytea)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_now timestamptz := clock_timestamp();
begin
    perform app.require_org(p_org);
    return query
        update public.vapi_calls v set holder = p_holder, held_until = v_now + p_for
        where v.org_id = p_org and v.call_id = p_call and (v.holder is null or v.held_until <= v_now)
        returning true, v.settled_at is not null, v.sealed_state;
    if found then
        return;
    end if;
    return query
        select false, v.settled_at is not null, null::bytea
        from public.vapi_calls v where v.org_id = p_org and v.call_id = p_call;
    if not found then
        raise exception 'no such call' using errcode = 'GW003';
    end if;
end
$$;

-- What the holder leaves for whoever comes next; null: what was there. False if it is the holder's no more: nothing changes.
create function app.keep_vapi_state(p_org uuid, p_call uuid, p_holder uuid, p_sealed bytea, p_leave boolean)
returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.vapi_calls v
    set sealed_state = case when v.settled_at is null then coalesce(p_sealed, v.sealed_state) end,
        holder = case when not p_leave then v.holder end,
        held_until = case when not p_leave then v.held_until end
    where v.org_id = p_org and v.call_id = p_call and v.holder = p_holder;
    return found;
end
$$;

-- The call is over and all that is to be kept of it stands; what follows it is settled by trigger. How many holds were given
-- back; null if it is not the holder's, or was settled before.
create function app.end_vapi_call(
    p_org uuid, p_call uuid, p_holder uuid, p_end_reason text, p_ended_reason text, p_ended_at timestamptz,
    p_keep_hold boolean
) returns integer
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    perform app.lock_call(p_call);
    perform from public.calls c where c.org_id = p_org and c.id = p_call for update;
    update public.vapi_calls v
    set settled_at = clock_timestamp(), next_at = null, sealed_state = null, holder = null, held_until = null,
        ended_reason = p_ended_reason
    where v.org_id = p_org and v.call_id = p_call and v.holder = p_holder and v.settled_at is null;
    if not found then
        return null;
    end if;
    return app.close_call(p_org, p_call, p_end_reason, p_ended_at, p_keep_hold);
end
$$;

-- Vapi's id of the call, since when it goes on, and how often it was asked for; no row: it is settled, or there is none.
create function app.unsettled_vapi_call(p_org uuid, p_call uuid)
returns table (vapi_id text, started_at timestamptz, asked integer)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select c.carrier_call_id, c.started_at, v.asked
        from public.vapi_calls v join public.calls c on c.org_id = v.org_id and c.id = v.call_id
        where v.org_id = p_org and v.call_id = p_call and v.settled_at is null;
end
$$;

-- Vapi was asked, in vain: when it is asked again, and whether that counts.
create function app.ask_again_for_vapi_call(p_org uuid, p_call uuid, p_after interval, p_counts boolean)
returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.vapi_calls v
    set asked = v.asked + case when p_counts then 1 else 0 end, next_at = clock_timestamp() + p_after
    where v.org_id = p_org and v.call_id = p_call and v.settled_at is null;
    return found;
end
$$;

create function app.due_vapi_calls(p_limit integer) returns table (org_id uuid, call_id uuid)
language sql stable
as $$
    select v.org_id, v.call_id from public.vapi_calls v
    where v.next_at <= now() order by v.next_at limit least(greatest(p_limit, 0), 1000)
$$;

-- Whoever was erased is known to Vapi by the call's id: nothing is asked for any more, and nothing is left of what it shared.
create function app.forget_vapi_call() returns trigger
language plpgsql
as $$
begin
    delete from public.vapi_calls v where v.org_id = new.org_id and v.call_id = new.id;
    return null;
end
$$;

create trigger erased_vapi_call after update of carrier_call_id on public.calls
    for each row when (new.carrier = 'vapi' and new.carrier_call_id is distinct from old.carrier_call_id)
    execute function app.forget_vapi_call();

grant execute on function
    app.open_vapi_call(uuid, uuid, text, timestamptz, interval),
    app.heard_of_vapi_call(uuid, uuid, interval),
    app.take_vapi_call(uuid, uuid, uuid, interval),
    app.keep_vapi_state(uuid, uuid, uuid, bytea, boolean),
    app.end_vapi_call(uuid, uuid, uuid, text, text, timestamptz, boolean),
    app.unsettled_vapi_call(uuid, uuid),
    app.ask_again_for_vapi_call(uuid, uuid, interval, boolean)
to gw_app;
grant execute on function app.due_vapi_calls(integer) to gw_worker;
