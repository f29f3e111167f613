-- Codes by text message, bound to a hold. Kept as HMAC-SHA256 under a key of the org, made outside (org, hold and code
-- go into it), so that nothing in here can be guessed back. GW010 no such hold, GW011 the hold is over.
--
-- NIST SP 800-63B-4 section 3.1.3 and OWASP ASVS 5 section 6.5 and 6.6: at most ten minutes, used once, wrong attempts
-- counted for the hold and for the number, whatever code is in force, codes limited for both.
--
-- Way back: drop the functions named at the end, then the table. Older replicas do not look at either.

-- One code. `live`: in force until `expires_at`. `used`: it verified the hold, which stands until a newer code is
-- stored. The digest is kept no longer than it is of use.
create table public.otp_codes (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    hold_id uuid not null,
    receiver_digest bytea not null check (length(receiver_digest) = 32),
    digest bytea check (length(digest) = 32),
    state text not null default 'live' check (state in ('live', 'used', 'replaced', 'cleared', 'locked')),
    failures integer not null default 0 check (failures >= 0),
    stored_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    check (expires_at <= stored_at + interval '10 minutes'),
    check ((digest is not null) = (state = 'live')),
    foreign key (org_id, hold_id) references public.appointment_holds (org_id, id)
);

create unique index one_live_code on public.otp_codes (org_id, hold_id) where (state = 'live');

create index codes_by_hold on public.otp_codes (org_id, hold_id);

create index codes_by_receiver on public.otp_codes (org_id, receiver_digest, stored_at);

alter table public.otp_codes enable row level security;
alter table public.otp_codes force row level security;
create policy tenant on public.otp_codes using (org_id = (select app.org_id()));

grant select, insert, update (digest, state, failures) on public.otp_codes to gw_app;

-- What counts against a hold and a number. A code that could not be sent (`cleared`) is none that was sent, yet what was
-- tried on it stays tried.
create function app.otp_counts(p_org uuid, p_hold uuid, p_receiver bytea)
returns table (hold_codes integer, hold_failures integer, number_codes integer, number_failures integer)
language sql stable
as $$
    select h.codes, h.failures, n.codes, n.failures
    from (
        select (count(*) filter (where state <> 'cleared'))::integer as codes,
            coalesce(sum(failures), 0)::integer as failures
        from public.otp_codes where org_id = p_org and hold_id = p_hold
    ) h, (
        select (count(*) filter (where state <> 'cleared'))::integer as codes,
            coalesce(sum(failures), 0)::integer as failures
        from public.otp_codes
        where org_id = p_org and receiver_digest = p_receiver and stored_at > statement_timestamp() - interval '1 hour'
    ) n
$$;

create function app.max_codes_per_hold() returns integer
language sql immutable parallel safe return 4;

create function app.max_codes_per_number() returns integer
language sql immutable parallel safe return 10;

create function app.max_failures_per_hold() returns integer
language sql immutable parallel safe return 5;

create function app.max_failures_per_number() returns integer
language sql immutable parallel safe return 15;

-- Locks the hold, which must be live, then (if any) the number that codes go to. After practitioners, before codes, and
-- nobody who has a number waits for a hold.
create function app.lock_held(p_org uuid, p_hold uuid, p_receiver bytea) returns timestamptz
language plpgsql volatile
as $$
declare
    v_expires_at timestamptz;
begin
    select h.expires_at into v_expires_at from public.appointment_holds h
    where h.org_id = p_org and h.id = p_hold and h.state = 'held' and h.expires_at > clock_timestamp()
    for update;
    if not found or v_expires_at <= clock_timestamp() then
        perform app.refuse_hold(p_org, p_hold);
    end if;
    if p_receiver is not null then
        perform pg_advisory_xact_lock(hashtextextended('codes ' || p_org || encode(p_receiver, 'hex'), 0));
    end if;
    return v_expires_at;
end
$$;

-- Puts a code in force in place of an earlier one, and of what that one verified; or says that too many were sent
-- (limited) or tried (locked).
create function app.store_otp(p_org uuid, p_hold uuid, p_digest bytea, p_receiver bytea, p_ttl interval)
returns table (outcome text, expires_at timestamptz, codes_left integer)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_hold_expires timestamptz;
    v_count record;
    v_left integer;
    v_expires timestamptz;
begin
    perform app.require_org(p_org);
    if p_ttl is null or p_ttl <= interval '0' or p_ttl > interval '10 minutes' then
        raise exception 'a code lives for at most ten minutes' using errcode = '22023';
    end if;
    v_hold_expires := app.lock_held(p_org, p_hold, p_receiver);
    select c.* into v_count from app.otp_counts(p_org, p_hold, p_receiver) c;
    v_left := least(
        app.max_codes_per_hold() - v_count.hold_codes, app.max_codes_per_number() - v_count.number_codes);
    if v_count.hold_failures >= app.max_failures_per_hold()
        or v_count.number_failures >= app.max_failures_per_number()
    then
        return query select 'locked', null::timestamptz, 0;
        return;
    end if;
    if v_left <= 0 then
        return query select 'limited', null::timestamptz, 0;
        return;
    end if;
    update public.otp_codes c set state = 'replaced', digest = null
    where c.org_id = p_org and c.hold_id = p_hold and c.state in ('live', 'used');
    insert into public.otp_codes as c (org_id, hold_id, receiver_digest, digest, stored_at, expires_at)
    select p_org, p_hold, p_receiver, p_digest, n.at, least(n.at + p_ttl, v_hold_expires)
    from (select clock_timestamp() as at) n
    returning c.expires_at into v_expires;
    return query select 'stored', v_expires, v_left - 1;
end
$$;

-- The code with this digest could not be sent. Not if another is in force.
create function app.clear_otp(p_org uuid, p_hold uuid, p_digest bytea) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.otp_codes c set state = 'cleared', digest = null
    where c.org_id = p_org and c.hold_id = p_hold and c.state = 'live' and c.digest = p_digest;
    return found;
end
$$;

-- Checks a code, given as its digests under all of the org's keys, once. bytea compares in a time that tells how many
-- leading bytes agree; what is compared are HMACs of equal length under a key that whoever guesses does not have, so
-- the time tells nothing about a code, and no guess can be steered by it.
create function app.verify_otp(p_org uuid, p_hold uuid, p_digests bytea[])
returns table (outcome text, attempts_left integer, hold_verified boolean)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_receiver bytea;
    v_code record;
    v_count record;
    v_left integer;
    v_verified boolean;
begin
    perform app.require_org(p_org);
    perform app.lock_held(p_org, p_hold, null);
    -- The hold is locked, so no other code can come in between.
    select c.id, c.digest, c.expires_at, c.receiver_digest into v_code from public.otp_codes c
    where c.org_id = p_org and c.hold_id = p_hold and c.state = 'live';
    perform app.lock_held(p_org, p_hold, v_code.receiver_digest);
    select c.* into v_count from app.otp_counts(p_org, p_hold, v_code.receiver_digest) c;
    v_left := greatest(0, least(
        app.max_failures_per_hold() - v_count.hold_failures,
        app.max_failures_per_number() - v_count.number_failures));
    v_verified := exists (
        select from public.otp_codes c where c.org_id = p_org and c.hold_id = p_hold and c.state = 'used');
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

-- Whether the hold was verified by a code sent to this contact's number.
create function app.is_verified(p_org uuid, p_hold uuid, p_contact uuid) returns boolean
language sql stable
as $$
    select exists (
        select from public.otp_codes o
        join public.contacts c on c.org_id = o.org_id and c.phone_digest = o.receiver_digest
        where o.org_id = p_org and o.hold_id = p_hold and o.state = 'used' and c.id = p_contact)
$$;

grant execute on function
    app.otp_counts(uuid, uuid, bytea),
    app.max_codes_per_hold(),
    app.max_codes_per_number(),
    app.max_failures_per_hold(),
    app.max_failures_per_number(),
    app.lock_held(uuid, uuid, bytea),
    app.store_otp(uuid, uuid, bytea, bytea, interval),
    app.clear_otp(uuid, uuid, bytea),
    app.verify_otp(uuid, uuid, bytea[]),
    app.is_verified(uuid, uuid, uuid)
to gw_app;
