-- The HTTP API: whose staff may ask, and which request was answered how.
-- Way back: drop the functions named at the end, then the two tables. Nothing else refers to them.

-- A staff token is 32 random bytes; only its SHA-256 is kept, which is enough for a value that nobody can guess.
create table public.staff_tokens (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    name text not null check (length(name) between 1 and 100),
    token_digest bytea not null unique check (length(token_digest) = 32),
    scopes text[] not null check (cardinality(scopes) between 1 and 32),
    created_at timestamptz not null default now(),
    expires_at timestamptz check (expires_at > created_at),
    revoked_at timestamptz
);

comment on column public.staff_tokens.name is 'What the token is for (a system, a desk), never a person''s name';

create unique index staff_tokens_live on public.staff_tokens (org_id, name) where (revoked_at is null);

-- One POST under an Idempotency-Key. Both digests are keyed with a key of the org, because what a request holds may be
-- guessed; the answer is sealed. `attempt` is who works at it: after `pending_until` another may take over, and the
-- answer of the one before is refused.
create table public.idempotent_requests (
    org_id uuid not null references public.organizations (org_id),
    key_digest bytea not null check (length(key_digest) = 32),
    request_digest bytea not null check (length(request_digest) = 32),
    attempt uuid not null,
    pending_until timestamptz not null,
    expires_at timestamptz not null,
    sealed_answer bytea check (length(sealed_answer) between 1 and 262144),
    primary key (org_id, key_digest)
);

create index idempotent_requests_by_expiry on public.idempotent_requests (expires_at);

alter table public.staff_tokens enable row level security;
alter table public.staff_tokens force row level security;
create policy tenant on public.staff_tokens using (org_id = (select app.org_id()));
create policy resolver on public.staff_tokens for select to gw_resolver using (true);

alter table public.idempotent_requests enable row level security;
alter table public.idempotent_requests force row level security;
create policy tenant on public.idempotent_requests using (org_id = (select app.org_id()));
create policy sweeper_sees on public.idempotent_requests for select to gw_worker
    using (expires_at <= clock_timestamp());
create policy sweeper_deletes on public.idempotent_requests for delete to gw_worker
    using (expires_at <= clock_timestamp());

grant select, insert, update (revoked_at) on public.staff_tokens to gw_app;
grant select (id, org_id, token_digest, scopes, expires_at, revoked_at) on public.staff_tokens to gw_resolver;
grant select, insert, update, delete on public.idempotent_requests to gw_app;
grant select (org_id, key_digest, expires_at), delete on public.idempotent_requests to gw_worker;

-- Whose token this is, while it is good. Asked before any claim is armed, hence gw_resolver, as for numbers.
create function app.resolve_staff_token(p_digest bytea)
returns table (org_id uuid, token_id uuid, scopes text[])
language sql stable security definer set search_path = ''
as $$
    select t.org_id, t.id, t.scopes from public.staff_tokens t
    where t.token_digest = p_digest and t.revoked_at is null
      and (t.expires_at is null or t.expires_at > pg_catalog.clock_timestamp())
$$;

-- A new token under a name; the one before of that name ends in the same moment.
create function app.issue_staff_token(
    p_org uuid, p_name text, p_digest bytea, p_scopes text[], p_expires_at timestamptz default null
) returns uuid
language plpgsql volatile
as $$
declare
    v_id uuid;
begin
    perform app.require_org(p_org);
    perform pg_advisory_xact_lock(hashtextextended('staff token ' || p_org || p_name, 0));
    update public.staff_tokens t set revoked_at = clock_timestamp()
    where t.org_id = p_org and t.name = p_name and t.revoked_at is null;
    insert into public.staff_tokens (org_id, name, token_digest, scopes, expires_at)
    values (p_org, p_name, p_digest, p_scopes, p_expires_at)
    returning id into v_id;
    return v_id;
end
$$;

create function app.revoke_staff_token(p_org uuid, p_name text) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.staff_tokens t set revoked_at = clock_timestamp()
    where t.org_id = p_org and t.name = p_name and t.revoked_at is null;
    return found;
end
$$;

create function app.staff_tokens(p_org uuid)
returns table (token_id uuid, name text, scopes text[], created_at timestamptz, expires_at timestamptz)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select t.id, t.name, t.scopes, t.created_at, t.expires_at from public.staff_tokens t
        where t.org_id = p_org and t.revoked_at is null
        order by t.name;
end
$$;

-- Begins a request, or says what became of it: begun (this attempt is to do the work), replay (with its answer),
-- mismatch (the key was used for something else), pending (somebody is at it), no_org.
create function app.begin_request(
    p_org uuid, p_key bytea, p_request bytea, p_attempt uuid, p_pending interval, p_life interval
)
returns table (outcome text, sealed_answer bytea)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_now timestamptz := clock_timestamp();
    v_found record;
begin
    perform app.require_org(p_org);
    insert into public.idempotent_requests as r
        (org_id, key_digest, request_digest, attempt, pending_until, expires_at)
    values (p_org, p_key, p_request, p_attempt, v_now + p_pending, v_now + p_life)
    on conflict (org_id, key_digest) do update set
        request_digest = excluded.request_digest, attempt = excluded.attempt,
        pending_until = excluded.pending_until, expires_at = excluded.expires_at, sealed_answer = null
    where r.expires_at <= v_now
       or (r.sealed_answer is null and r.pending_until <= v_now and r.request_digest = excluded.request_digest);
    if found then
        return query select 'begun', null::bytea;
        return;
    end if;
    select r.request_digest, r.sealed_answer into v_found from public.idempotent_requests r
    where r.org_id = p_org and r.key_digest = p_key;
    return query select
        case
            when v_found.request_digest is distinct from p_request then 'mismatch'
            when v_found.sealed_answer is null then 'pending'
            else 'replay'
        end,
        case when v_found.request_digest = p_request then v_found.sealed_answer end;
exception when foreign_key_violation then
    return query select 'no_org', null::bytea;
end
$$;

-- Keeps the answer, unless another attempt has taken over.
create function app.settle_request(p_org uuid, p_key bytea, p_attempt uuid, p_answer bytea) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.idempotent_requests r set sealed_answer = p_answer
    where r.org_id = p_org and r.key_digest = p_key and r.attempt = p_attempt and r.sealed_answer is null;
    return found;
end
$$;

-- The attempt came to nothing: whoever asks again may work at once.
create function app.abandon_request(p_org uuid, p_key bytea, p_attempt uuid) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.idempotent_requests r set pending_until = clock_timestamp()
    where r.org_id = p_org and r.key_digest = p_key and r.attempt = p_attempt and r.sealed_answer is null;
    return found;
end
$$;

-- A page of free slots, soonest first, those of one instant by practitioner's number; the page after `p_last_starts`
-- and `p_last_practitioner` goes on behind that slot. Which slots are free says get_next_available_slots alone: a
-- practitioner has one slot of a service at an instant, so each one's are asked for by time. GW150 no such service,
-- GW151 no such practitioner.
create function app.page_of_free_slots(
    p_org uuid, p_service uuid, p_after timestamptz, p_limit integer, p_until timestamptz default null,
    p_practitioner uuid default null, p_last_starts timestamptz default null, p_last_practitioner uuid default null
)
returns table (
    slot_id uuid, service_id uuid, practitioner_id uuid, practitioner text,
    starts_at timestamptz, ends_at timestamptz
)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_last_number integer;
begin
    perform app.require_org(p_org);
    if not exists (select from public.services s where s.org_id = p_org and s.id = p_service) then
        raise exception 'no such service' using errcode = 'GW150';
    end if;
    if p_practitioner is not null and not exists (
        select from public.practitioners p where p.org_id = p_org and p.id = p_practitioner
    ) then
        raise exception 'no such practitioner' using errcode = 'GW151';
    end if;
    select p.number into v_last_number
    from public.practitioners p where p.org_id = p_org and p.id = p_last_practitioner;
    return query
        select n.* from public.practitioners p
        cross join lateral app.get_next_available_slots(
            p_org, p_service,
            case
                when p_last_starts is null then p_after
                when p.number > v_last_number then greatest(p_after, p_last_starts)
                else greatest(p_after, p_last_starts + interval '1 microsecond')
            end,
            p_limit, p_until, p.id) n
        where p.org_id = p_org and p.active and (p_practitioner is null or p.id = p_practitioner)
        order by n.starts_at, p.number
        limit least(greatest(p_limit, 0), 100);
end
$$;

-- How a hold stands; an expired one that nobody has flipped yet counts as expired. No row if there is none.
create function app.find_hold(p_org uuid, p_hold uuid)
returns table (
    state text, expires_at timestamptz, verified boolean, hold_id uuid, slot_id uuid, service_id uuid,
    practitioner_id uuid, practitioner text, starts_at timestamptz, ends_at timestamptz
)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select case when h.state = 'held' and h.expires_at <= clock_timestamp() then 'expired' else h.state end,
            h.expires_at,
            exists (
                select from public.otp_codes c where c.org_id = p_org and c.hold_id = p_hold and c.state = 'used'),
            h.id, s.id, s.service_id, p.id, p.name, s.starts_at, s.ends_at
        from public.appointment_holds h
        join public.slots s on s.org_id = h.org_id and s.id = h.slot_id
        join public.practitioners p on p.org_id = s.org_id and p.id = s.practitioner_id
        where h.org_id = p_org and h.id = p_hold;
end
$$;

-- Refuses a hold that no code sent to this number has verified, before anything is kept of the person: the number is
-- given by its digests, under any of the org's keys. GW010 no such hold, GW011 the hold is over, GW012 not verified.
create function app.require_verified(p_org uuid, p_hold uuid, p_digests bytea[]) returns void
language plpgsql volatile
as $$
declare
    v_hold record;
begin
    perform app.require_org(p_org);
    select h.state, h.expires_at into v_hold
    from public.appointment_holds h where h.org_id = p_org and h.id = p_hold;
    if not found then
        raise exception 'no such hold' using errcode = 'GW010';
    end if;
    if v_hold.state in ('released', 'expired') or (v_hold.state = 'held' and v_hold.expires_at <= clock_timestamp()) then
        raise exception 'the hold is over' using errcode = 'GW011';
    end if;
    if not exists (
        select from public.otp_codes c
        where c.org_id = p_org and c.hold_id = p_hold and c.state = 'used' and c.receiver_digest = any (p_digests)
    ) then
        raise exception 'no code was verified' using errcode = 'GW012';
    end if;
end
$$;

-- Scheduled clean-up over all orgs; how many rows went.
create function app.forget_old_requests(p_batch integer default 1000) returns integer
language plpgsql volatile
as $$
declare
    v_gone integer;
begin
    delete from public.idempotent_requests r using (
        select o.org_id, o.key_digest from public.idempotent_requests o
        where o.expires_at <= clock_timestamp()
        order by o.expires_at
        limit greatest(p_batch, 0)
    ) old
    where r.org_id = old.org_id and r.key_digest = old.key_digest and r.expires_at <= clock_timestamp();
    get diagnostics v_gone = row_count;
    return v_gone;
end
$$;

grant execute on function
    app.resolve_staff_token(bytea),
    app.issue_staff_token(uuid, text, bytea, text[], timestamptz),
    app.revoke_staff_token(uuid, text),
    app.staff_tokens(uuid),
    app.begin_request(uuid, bytea, bytea, uuid, interval, interval),
    app.settle_request(uuid, bytea, uuid, bytea),
    app.abandon_request(uuid, bytea, uuid),
    app.page_of_free_slots(uuid, uuid, timestamptz, integer, timestamptz, uuid, timestamptz, uuid),
    app.find_hold(uuid, uuid),
    app.require_verified(uuid, uuid, bytea[])
to gw_app;
grant execute on function app.forget_old_requests(integer) to gw_worker;

grant create on schema app to gw_resolver;
alter function app.resolve_staff_token(bytea) owner to gw_resolver;
revoke create on schema app from gw_resolver;
