-- Codes that may have gone out although nobody confirmed it. Such a code is taken back like one that could not be sent,
-- but it counts as sent, for the hold or call and for the number: a provider that takes messages and does not answer
-- would be asked without end otherwise.
--
-- Way back: update public.otp_codes set state = 'replaced' where state = 'unconfirmed'; drop functions
-- app.void_otp(uuid, uuid, bytea) and app.void_call_otp(uuid, uuid, bytea); put the check on `state` back as 0010 has it.
-- Older replicas do not call them, and count what is neither live nor cleared.

alter table public.otp_codes
    drop constraint otp_codes_state_check,
    add constraint otp_codes_state_check
        check (state in ('live', 'used', 'replaced', 'cleared', 'unconfirmed', 'locked'));

-- Nobody knows whether the code with this digest went out. Not if another is in force. `app.clear_otp` is for one that
-- surely did not.
create function app.void_otp(p_org uuid, p_hold uuid, p_digest bytea) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.otp_codes c set state = 'unconfirmed', digest = null
    where c.org_id = p_org and c.hold_id = p_hold and c.state = 'live' and c.digest = p_digest;
    return found;
end
$$;

-- As void_otp.
create function app.void_call_otp(p_org uuid, p_call uuid, p_digest bytea) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.otp_codes c set state = 'unconfirmed', digest = null
    where c.org_id = p_org and c.call_id = p_call and c.state = 'live' and c.digest = p_digest;
    return found;
end
$$;

grant execute on function app.void_otp(uuid, uuid, bytea), app.void_call_otp(uuid, uuid, bytea) to gw_app;
