-- Codes that belong to a call instead of a hold: who wants to hear of, move or cancel appointments proves the number
-- without holding a slot, because the number that a carrier shows can be forged. GW002 the call has ended, GW003 no such
-- call.
--
-- The rules are those of 0010: ten minutes at most, used once, wrong attempts and codes counted for the call as there
-- for the hold, and for the number over both kinds, so that neither is a way around the other. A code of the call opens
-- no hold: `app.is_verified` looks at the hold's own.
--
-- Way back: drop the functions named at the end; delete from public.otp_codes where hold_id is null; alter table
-- public.otp_codes drop column call_id, alter column hold_id set not null. Older replicas write and read codes of holds
-- alone and count those of calls for the number.

alter table public.otp_codes
    alter column hold_id drop not null,
    add column call_id uuid,
    add constraint codes_of_one check (num_nonnulls(hold_id, call_id) = 1),
    add constraint codes_call foreign key (org_id, call_id) references public.calls (org_id, id);

create unique index one_live_call_code on public.otp_codes (org_id, call_id) where (state = 'live');

create index codes_by_call on public.otp_codes (org_id, call_id);

-- Locks the call, which must not have ended, then (if any) the number that codes go to; both before codes.
create function app.lock_caller(p_org uuid, p_call uuid, p_receiver bytea) returns void
language plpgsql volatile
as $$
declare
    v_ended_at timestamptz;
begin
    perform app.lock_call(p_call);
    select c.ended_at into v_ended_at from public.calls c where c.org_id = p_org and c.id = p_call;
    if not found then
        raise exception 'no such call' using errcode = 'GW003';
    end if;
    if v_ended_at is not null then
        raise exception 'the call has ended' using errcode = 'GW002';
    end if;
    if p_receiver is not null then
        perform pg_advisory_xact_lock(hashtextextended('codes ' || p_org || encode(p_receiver, 'hex'), 0));
    end if;
end
$$;

-- How many codes may still be sent, and how many wrong ones tried, for the call and the number.
create function app.call_otp_left(p_org uuid, p_call uuid, p_receiver bytea)
returns table (codes_left integer, attempts_left integer)
language sql stable
as $$
    select
        least(app.max_codes_per_hold() - c.codes, app.max_codes_per_number() - n.number_codes),
        least(app.max_failures_per_hold() - c.failures, app.max_failures_per_number() - n.number_failures)
    from (
        select (count(*) filter (where state <> 'cleared'))::integer as codes,
            coalesce(sum(failures), 0)::integer as failures
        from public.otp_codes where org_id = p_org and call_id = p_call
    ) c, app.otp_counts(p_org, null, p_receiver) n
$$;

-- As store_otp.
create function app.store_call_otp(p_org uuid, p_call uuid, p_digest bytea, p_receiver bytea, p_ttl interval)
returns table (outcome text, expires_at timestamptz, codes_left integer)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_left record;
    v_expires timestamptz;
begin
    perform app.require_org(p_org);
    if p_ttl is null or p_ttl <= interval '0' or p_ttl > interval '10 minutes' then
        raise exception 'a code lives for at most ten minutes' using errcode = '22023';
    end if;
    perform app.lock_caller(p_org, p_call, p_receiver);
    select l.* into v_left from app.call_otp_left(p_org, p_call, p_receiver) l;
    if v_left.attempts_left <= 0 then
        return query select 'locked', null::timestamptz, 0;
        return;
    end if;
    if v_left.codes_left <= 0 then
        return query select 'limited', null::timestamptz, 0;
        return;
    end if;
    update public.otp_codes c set state = 'replaced', digest = null
    where c.org_id = p_org and c.call_id = p_call and c.state in ('live', 'used');
    insert into public.otp_codes as c (org_id, call_id, receiver_digest, digest, stored_at, expires_at)
    select p_org, p_call, p_receiver, p_digest, n.at, n.at + p_ttl
    from (select clock_timestamp() as at) n
    returning c.expires_at into v_expires;
    return query select 'stored', v_expires, v_left.codes_left - 1;
end
$$;

-- As clear_otp.
create function app.clear_call_otp(p_org uuid, p_call uuid, p_digest bytea) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.otp_codes c set state = 'cleared', digest = null
    where c.org_id = p_org and c.call_id = p_call and c.state = 'live' and c.digest = p_digest;
    return found;
end
$$;

-- As verify_otp; what is said there of the time that comparing takes holds here too.
create function app.verify_call_otp(p_org uuid, p_call uuid, p_digests bytea[])
returns table (outcome text, attempts_left integer, call_verified boolean)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_code record;
    v_left integer;
    v_verified boolean;
begin
    perform app.require_org(p_org);
    perform app.lock_caller(p_org, p_call, null);
    -- The call is locked, so no other code can come in between.
    select c.id, c.digest, c.expires_at, c.receiver_digest into v_code from public.otp_codes c
    where c.org_id = p_org and c.call_id = p_call and c.state = 'live';
    perform app.lock_caller(p_org, p_call, v_code.receiver_digest);
    select greatest(0, l.attempts_left) into v_left from app.call_otp_left(p_org, p_call, v_code.receiver_digest) l;
    v_verified := exists (
        select from public.otp_codes c where c.org_id = p_org and c.call_id = p_call and c.state = 'used');
    if v_left = 0 then
        update public.otp_codes c set state = 'locked', digest = null where c.org_id = p_org and c.id = v_code.id;
        return query select 'locked', 0, v_verified;
    elsif v_code.id is null or v_code.expires_at <= clock_timestamp() then
        return query select 'expired', v_left, v_verified;
    elsif v_code.digest = any (p_digests) then
        update public.otp_codes c set state = 'used', digest = null where c.org_id = p_org and c.id = v_code.id;
        return query select 'verified', v_left, true;
    else
        v_left := v_left - 1;
        update public.otp_codes c
        set failures = c.failures + 1, state = case when v_left = 0 then 'locked' else 'live' end,
            digest = case when v_left = 0 then null else c.digest end
        where c.org_id = p_org and c.id = v_code.id;
        return query select case when v_left = 0 then 'locked' else 'wrong' end, v_left, v_verified;
    end if;
end
$$;

-- Whether whoever calls has proved a number in this call, by a code for it or for a hold of it, and whose number that
-- is: one row if so, without a contact if nobody is known by it. The last number that was proved counts.
create function app.verified_caller(p_org uuid, p_call uuid, p_hold uuid default null)
returns table (contact_id uuid)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select p.id
        from (
            select o.receiver_digest, o.stored_at from public.otp_codes o
            where o.org_id = p_org and o.call_id = p_call and o.state = 'used'
            union all
            select o.receiver_digest, o.stored_at from public.otp_codes o
            join public.appointment_holds h on h.org_id = o.org_id and h.id = o.hold_id and h.call_id = p_call
            where o.org_id = p_org and o.hold_id = p_hold and o.state = 'used'
        ) proved
        left join public.contacts p on p.org_id = p_org and p.phone_digest = proved.receiver_digest
        order by proved.stored_at desc
        limit 1;
end
$$;

grant execute on function
    app.lock_caller(uuid, uuid, bytea),
    app.call_otp_left(uuid, uuid, bytea),
    app.store_call_otp(uuid, uuid, bytea, bytea, interval),
    app.clear_call_otp(uuid, uuid, bytea),
    app.verify_call_otp(uuid, uuid, bytea[]),
    app.verified_caller(uuid, uuid, uuid)
to gw_app;
