-- What a carrier or a clock tells late changes nothing that has happened. A placed call that somebody has answered is over by
-- whatever its carrier says of its end: `busy` and `no_answer` behind that no longer have it tried again. And a follow-up that
-- was begun and waits for its text asks whether its lead has booked meanwhile.
--
-- Way back: put app.report_placed_call(uuid, uuid, integer, text, text, interval) back as 0066 has it; drop function
-- app.has_booked_since_call(uuid, uuid, uuid). Older replicas see no difference but the first.

-- As in 0066; of a call that was answered each word of its end means `ended`.
create or replace function app.report_placed_call(
    p_org uuid, p_id uuid, p_attempt integer, p_carrier_call_id text, p_word text, p_look_again interval
) returns text
language plpgsql volatile
as $$
declare
    v_call record;
begin
    perform app.require_org(p_org);
    select p.state, p.attempt, p.carrier_call_id into v_call from public.placed_calls p
    where p.org_id = p_org and p.id = p_id for update;
    if not found then
        raise exception 'no such call' using errcode = 'GW191';
    end if;
    if v_call.attempt <> p_attempt or coalesce(v_call.carrier_call_id, p_carrier_call_id) <> p_carrier_call_id
        or (v_call.carrier_call_id is null and v_call.state <> 'placing') then
        return 'foreign';
    end if;
    if app.call_rank(v_call.state) is null or app.call_rank(p_word) <= app.call_rank(v_call.state) then
        return 'known';
    end if;
    if p_word in ('ringing', 'talking') then
        update public.placed_calls p
        set state = p_word, carrier_call_id = p_carrier_call_id, next_at = clock_timestamp() + p_look_again,
            answered_at = case when p_word = 'talking' then clock_timestamp() end
        where p.org_id = p_org and p.id = p_id;
    elsif p_word = 'ended' or v_call.state = 'talking' then
        update public.placed_calls p
        set state = 'ended', carrier_call_id = p_carrier_call_id, next_at = null, ended_at = clock_timestamp(),
            answered_at = coalesce(p.answered_at, clock_timestamp()),
            outcome = case
                when p.outcome is not null then p.outcome
                when p.answered_by in ('machine', 'fax') then p.answered_by
                else 'talked'
            end
        where p.org_id = p_org and p.id = p_id;
    else
        update public.placed_calls p
        set state = 'unanswered', carrier_call_id = p_carrier_call_id, outcome = p_word, next_at = clock_timestamp()
        where p.org_id = p_org and p.id = p_id;
    end if;
    return 'taken';
end
$$;

-- Whether this lead has an appointment to come of the service that the call was about, or had one changed since it began.
create function app.has_booked_since_call(p_org uuid, p_call uuid, p_contact uuid) returns boolean
language plpgsql stable
as $$
begin
    perform app.require_org(p_org);
    return exists (
        select from public.follow_ups f
        join public.calls c on c.org_id = f.org_id and c.id = f.call_id
        join public.appointments a on a.org_id = f.org_id and a.contact_id = p_contact
        join public.slots s on s.org_id = a.org_id and s.id = a.slot_id and s.service_id = f.service_id
        where f.org_id = p_org and f.call_id = p_call
          and ((a.status = 'booked' and a.starts_at > clock_timestamp()) or a.changed_at >= c.started_at));
end
$$;

grant execute on function app.has_booked_since_call(uuid, uuid, uuid) to gw_app;
