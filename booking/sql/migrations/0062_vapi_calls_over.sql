-- A call at Vapi that is over is asked for soon after, whatever is heard of it later: a message that was long on its way, and
-- one that another replica took, no longer put that off. Fewer round trips besides: a call is begun or heard of in one, looked
-- at without being taken, and a report's turns are kept together.
--
-- Way back: drop the functions named at the end; put app.heard_of_vapi_call(uuid, uuid, interval) as 0060 has it; alter table
-- public.vapi_calls drop column over_since. Older replicas see no difference, but that they put no question off either.

alter table public.vapi_calls add column over_since timestamptz;

comment on column public.vapi_calls.over_since is 'when Vapi told that the call has ended; its report is still to come';

grant update (over_since) on public.vapi_calls to gw_app;

-- Something was heard of the call: Vapi need not be asked before then, or sooner if it is over. False if it is settled.
create or replace function app.heard_of_vapi_call(p_org uuid, p_call uuid, p_ask_after interval) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.vapi_calls v
    set next_at = least(
        clock_timestamp() + p_ask_after, case when v.over_since is not null then v.next_at end)
    where v.org_id = p_org and v.call_id = p_call and v.settled_at is null;
    return found;
end
$$;

-- Something was heard of a call that may not be on record yet, be it that it is over. Whether it was put there now.
create function app.note_vapi_call(
    p_org uuid, p_call uuid, p_vapi_id text, p_started_at timestamptz, p_ask_after interval, p_is_over boolean
) returns boolean
language plpgsql volatile
as $$
declare
    v_opened boolean := false;
begin
    perform from public.vapi_calls v where v.org_id = p_org and v.call_id = p_call;
    if not found then
        v_opened := app.open_vapi_call(p_org, p_call, p_vapi_id, p_started_at, p_ask_after);
    end if;
    if not v_opened then
        perform app.heard_of_vapi_call(p_org, p_call, p_ask_after);
    end if;
    if p_is_over then
        update public.vapi_calls v set over_since = clock_timestamp()
        where v.org_id = p_org and v.call_id = p_call and v.settled_at is null and v.over_since is null;
    end if;
    return v_opened;
end
$$;

-- What the call's requests share, for whoever only reads it; nothing of it while somebody works on it (`free` is false then).
-- GW003.
create function app.look_at_vapi_call(p_org uuid, p_call uuid)
returns table (free boolean, settled boolean, sealed_state bytea)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select v.holder is null or v.held_until <= clock_timestamp(), v.settled_at is not null,
            case when v.holder is null or v.held_until <= clock_timestamp() then v.sealed_state end
        from public.vapi_calls v where v.org_id = p_org and v.call_id = p_call;
    if not found then
        raise exception 'no such call' using errcode = 'GW003';
    end if;
end
$$;

-- As app.unsettled_vapi_call, which stays for older replicas, with how long ago the call is known to be over.
create function app.vapi_call_to_ask_for(p_org uuid, p_call uuid)
returns table (vapi_id text, started_at timestamptz, asked integer, over_for interval)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select c.carrier_call_id, c.started_at, v.asked, clock_timestamp() - v.over_since
        from public.vapi_calls v join public.calls c on c.org_id = v.org_id and c.id = v.call_id
        where v.org_id = p_org and v.call_id = p_call and v.settled_at is null;
end
$$;

-- Turns as app.store_turn keeps each, of a call that was told as a whole: [{turn, said, outcome}, …]. GW003.
create function app.keep_told_turns(p_org uuid, p_call uuid, p_turns jsonb) returns void
language plpgsql volatile
as $$
declare
    v_turn jsonb;
begin
    perform app.require_org(p_org);
    for v_turn in select told from jsonb_array_elements(p_turns) told loop
        perform app.store_turn(
            p_org, p_call, (v_turn ->> 'turn')::integer, v_turn -> 'said', v_turn ->> 'outcome', '{}', null, null);
    end loop;
end
$$;

grant execute on function
    app.note_vapi_call(uuid, uuid, text, timestamptz, interval, boolean),
    app.look_at_vapi_call(uuid, uuid),
    app.vapi_call_to_ask_for(uuid, uuid),
    app.keep_told_turns(uuid, uuid, jsonb)
to gw_app;
