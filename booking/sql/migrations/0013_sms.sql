-- Text messages: recorded before they are sent, settled by the provider's word, never sent twice.
-- Both numbers and the text are sealed; a receiver is found by digest. `subject_id` is what the message is about: the
-- hold of a code, the call of a follow-up.
--
-- Way back: drop function app.record_sms, app.advance_sms, app.sms_message, app.sms_account, app.postpone_sms,
-- app.sms_rank, app.due_sms; drop table public.sms_messages. Older replicas do not look at any of it.

-- A status may only be followed by one of higher rank. The provider's word stands above our guess `lost`; its last
-- words (rank 4) stand for ever.
create function app.sms_rank(p_status text) returns integer
language sql immutable parallel safe
as $$
    select case p_status
        when 'recorded' then 0 when 'lost' then 1 when 'queued' then 2 when 'sent' then 3
        when 'delivered' then 4 when 'undelivered' then 4 when 'failed' then 4 when 'refused' then 4
    end
$$;

create table public.sms_messages (
    id uuid primary key,
    org_id uuid not null references public.organizations (org_id),
    kind text not null check (kind ~ '^[a-z][a-z0-9_]{1,40}$'),
    subject_id uuid not null,
    receiver_digest bytea not null check (length(receiver_digest) = 32),
    sealed_receiver bytea not null check (length(sealed_receiver) between 1 and 1024),
    sealed_body bytea not null check (length(sealed_body) between 1 and 16384),
    provider_id text check (provider_id ~ '^[A-Za-z0-9]{1,64}$'),
    status text not null default 'recorded' check (app.sms_rank(status) is not null),
    error_code integer,
    recorded_at timestamptz not null default clock_timestamp(),
    settled_at timestamptz,
    check_after timestamptz default clock_timestamp() + interval '1 minute',
    unique (org_id, id),
    unique (org_id, provider_id),
    check ((settled_at is not null) = (app.sms_rank(status) in (1, 4)))
);

comment on column public.sms_messages.check_after is
    'when the provider is to be asked what became of it; null when there is nothing more to learn';

create index sms_by_subject on public.sms_messages (org_id, subject_id);

create index sms_by_receiver on public.sms_messages (org_id, receiver_digest, recorded_at);

create index sms_to_check on public.sms_messages (check_after) where check_after is not null;

alter table public.sms_messages enable row level security;
alter table public.sms_messages force row level security;
create policy tenant on public.sms_messages using (org_id = (select app.org_id()));

-- The sweep sees which message is due, never what is in it.
create policy sweeper on public.sms_messages for select to gw_worker using (check_after <= now());

grant select (org_id, id, check_after) on public.sms_messages to gw_worker;
grant select, insert on public.sms_messages to gw_app;
grant update (provider_id, status, error_code, settled_at, check_after) on public.sms_messages to gw_app;

-- False if a message with this id was recorded before: then whoever asks must not send it.
create function app.record_sms(
    p_org uuid, p_id uuid, p_kind text, p_subject uuid, p_receiver_digest bytea, p_sealed_receiver bytea,
    p_sealed_body bytea
) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    insert into public.sms_messages (org_id, id, kind, subject_id, receiver_digest, sealed_receiver, sealed_body)
    values (p_org, p_id, p_kind, p_subject, p_receiver_digest, p_sealed_receiver, p_sealed_body)
    on conflict (id) do nothing;
    return found;
end
$$;

-- What has become of a message, from whoever learnt it: our own request, a status callback, a look into the provider's
-- list. Nothing changes unless the status ranks higher, nor by word of another message of the provider's. No row: no
-- such message.
create function app.advance_sms(
    p_org uuid, p_id uuid, p_status text, p_provider_id text default null, p_error_code integer default null
) returns table (advanced boolean, kind text, status text)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_rank integer := app.sms_rank(p_status);
begin
    perform app.require_org(p_org);
    if v_rank is null then
        raise exception 'no such status' using errcode = '22023';
    end if;
    return query
        update public.sms_messages m
        set status = p_status, provider_id = coalesce(m.provider_id, p_provider_id), error_code = p_error_code,
            settled_at = case when v_rank in (1, 4) then clock_timestamp() end,
            check_after = case when v_rank in (2, 3) then clock_timestamp() + interval '10 minutes' end
        where m.org_id = p_org and m.id = p_id and app.sms_rank(m.status) < v_rank
          and (p_provider_id is null or coalesce(m.provider_id, p_provider_id) = p_provider_id)
          and not exists (
              select from public.sms_messages o
              where o.org_id = p_org and o.provider_id = p_provider_id and o.id <> p_id)
        returning true, m.kind, m.status;
    if not found then
        return query
            select false, m.kind, m.status from public.sms_messages m where m.org_id = p_org and m.id = p_id;
    end if;
end
$$;

create function app.sms_message(p_org uuid, p_id uuid)
returns table (
    kind text, status text, provider_id text, sealed_receiver bytea, sealed_body bytea, recorded_at timestamptz
)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select m.kind, m.status, m.provider_id, m.sealed_receiver, m.sealed_body, m.recorded_at
        from public.sms_messages m where m.org_id = p_org and m.id = p_id;
end
$$;

-- Asked again after as long as the message is old (10 minutes at least), and no more once it is a day old: some
-- carriers never report.
create function app.postpone_sms(p_org uuid, p_id uuid) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.sms_messages m
    set check_after = case
        when m.recorded_at > clock_timestamp() - interval '1 day'
        then clock_timestamp() + greatest(clock_timestamp() - m.recorded_at, interval '10 minutes')
    end
    where m.org_id = p_org and m.id = p_id and m.check_after is not null;
end
$$;

-- Messages of all orgs that the provider is to be asked about now, longest due first. For gw_worker: it gets org and id,
-- and whoever reconciles arms the org.
create function app.due_sms(p_limit integer) returns table (org_id uuid, id uuid)
language sql stable
as $$
    select m.org_id, m.id from public.sms_messages m
    where m.check_after <= now() order by m.check_after limit least(greatest(p_limit, 0), 1000)
$$;

-- Whose account and number the org sends from: its own sealed credentials (null: the process-wide account) and the
-- first of its numbers.
create function app.sms_account(p_org uuid) returns table (sealed bytea, number text, org_name text)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select c.sealed, n.number, o.name
        from public.organizations o
        left join public.org_credentials c on c.org_id = o.org_id and c.provider = 'twilio'
        left join lateral (
            select p.number from public.phone_numbers p where p.org_id = o.org_id
            order by p.created_at, p.number limit 1
        ) n on true
        where o.org_id = p_org;
end
$$;

grant execute on function
    app.sms_rank(text),
    app.record_sms(uuid, uuid, text, uuid, bytea, bytea, bytea),
    app.advance_sms(uuid, uuid, text, text, integer),
    app.sms_message(uuid, uuid),
    app.postpone_sms(uuid, uuid),
    app.sms_account(uuid)
to gw_app;

grant execute on function app.due_sms(integer) to gw_worker;
