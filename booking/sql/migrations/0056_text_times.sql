-- As app.advance_sms, which stays for older replicas, and says of a text that has arrived how long that took: from its being
-- recorded, a moment before it was handed over, to `p_at`. That is the provider's word on when it arrived; null: now, as for a
-- report that comes at once. Whoever is told `advanced` is the only one, whichever replica that is.
--
-- Way back: drop function app.advance_text(uuid, uuid, text, text, integer, timestamptz). Older replicas do not call it.

create function app.advance_text(
    p_org uuid, p_id uuid, p_status text, p_provider_id text default null, p_error_code integer default null,
    p_at timestamptz default null
) returns table (advanced boolean, kind text, status text, delivered_s double precision)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_came record;
    v_delivered_s double precision;
begin
    select a.advanced, a.kind, a.status into v_came
    from app.advance_sms(p_org, p_id, p_status, p_provider_id, p_error_code) a;
    if not found then
        return;
    end if;
    if v_came.advanced and p_status = 'delivered' then
        -- Two clocks: what the provider says is neither before the text was recorded nor in the time to come.
        update public.sms_messages m
        set settled_at = greatest(m.recorded_at, least(m.settled_at, coalesce(p_at, m.settled_at)))
        where m.org_id = p_org and m.id = p_id
        returning extract(epoch from m.settled_at - m.recorded_at) into v_delivered_s;
    end if;
    return query select v_came.advanced, v_came.kind, v_came.status, v_delivered_s;
end
$$;

grant execute on function app.advance_text(uuid, uuid, text, text, integer, timestamptz) to gw_app;
