-- What follows a call that ended without a booking: one text with a link to what the caller asked about, and a campaign for
-- the outbound agent.
--
-- A follow-up's row comes into being with its call's, by trigger, whatever carries the call; it is settled in the
-- transaction that ends the call, and its job enqueued there. So neither depends on who ends the call or how. While the
-- call goes on, `next_at` is when whoever has it counts as gone: a sweep then ends the call and settles.
--
--   open -> due -> sending -> sent -> delivered
--            |        |-> failed         `reason` says why
--            |-> waiting -> (as due)     quiet hours
--   any before `sending` -> skipped      `reason` says why
--
-- Of the words said only the id of a service is kept. The message is `message_id` of sms_messages, which is recorded before
-- it is sent; attempt n has an id of its own that follows from call and n. GW170 no such guide, GW003 no such call.
--
-- Way back: drop trigger call_opened, call_over on public.calls, follow_up_due on public.follow_ups, follow_up_reported,
-- patient_with_follow_up on public.sms_messages; drop the functions named at the end and those of the triggers; put
-- app.clear_calls back as 0031 has it; drop table public.guide_links, public.procedure_guides, public.follow_ups,
-- public.follow_up_settings; drop index public.calls_by_carrier_id; alter table public.outbound_campaigns drop column
-- contact_id, drop column call_id, drop column agent_name; alter table public.contacts drop column time_zone. Older
-- replicas look at none of it; the calls that they open and end are followed up all the same, without the service that
-- only newer ones note.

alter table public.contacts
    add column time_zone text check (length(time_zone) between 1 and 64);

comment on column public.contacts.time_zone is 'IANA name, where it is known; else it is told from the number';

grant update (time_zone) on public.contacts to gw_app;

-- What is not here has the defaults of `app.follow_up_rules`.
create table public.follow_up_settings (
    org_id uuid primary key references public.organizations (org_id),
    enabled boolean not null default true,
    agent_name text not null default 'Sarah' check (length(agent_name) between 1 and 100),
    template text check (length(template) between 1 and 1000),
    names_procedure boolean not null default false,
    consent text not null default 'asked' check (consent in ('asked', 'inquiry')),
    quiet_from time not null default '20:00',
    quiet_to time not null default '09:00',
    window_days integer not null default 30 check (window_days between 1 and 365),
    link_days integer not null default 14 check (link_days between 1 and 90),
    booking_url text check (booking_url ~ '^https://' and length(booking_url) <= 2000),
    changed_at timestamptz not null default clock_timestamp()
);

comment on column public.follow_up_settings.consent is
    'asked: whoever said yes to texts, in the call or before; inquiry: also whoever was not asked and did not refuse';

create table public.follow_ups (
    call_id uuid primary key,
    org_id uuid not null references public.organizations (org_id),
    state text not null default 'open' check (
        state in ('open', 'due', 'waiting', 'sending', 'sent', 'delivered', 'failed', 'skipped')),
    reason text check (reason ~ '^[a-z][a-z_]{1,40}$'),
    service_id uuid,
    texts_wanted boolean,
    attempt integer not null default 0 check (attempt >= 0),
    deferred boolean not null default false,
    message_id uuid,
    opened_at timestamptz not null default clock_timestamp(),
    settled_at timestamptz,
    handed_at timestamptz,
    next_at timestamptz,
    unique (org_id, call_id),
    check ((state = 'sending') <= (message_id is not null)),
    foreign key (org_id, call_id) references public.calls (org_id, id),
    foreign key (org_id, service_id) references public.services (org_id, id)
);

comment on column public.follow_ups.texts_wanted is 'what the caller answered in this call, when asked; null: was not asked';
comment on column public.follow_ups.deferred is 'something was waited for: quiet hours, a caller who may come back, a retry';
comment on column public.follow_ups.next_at is 'when it is to be looked at; null: nothing more is to be done';

create index follow_ups_to_look_at on public.follow_ups (next_at) where (next_at is not null);

create index follow_ups_by_time on public.follow_ups (org_id, opened_at);

create index follow_ups_by_service on public.follow_ups (org_id, service_id) where (service_id is not null);

-- One campaign for one follow-up: whom the outbound agent may call about what.
alter table public.outbound_campaigns
    add column contact_id uuid,
    add column call_id uuid,
    add column agent_name text not null default 'Sarah' check (length(agent_name) between 1 and 100),
    add constraint campaigns_contact foreign key (org_id, contact_id) references public.contacts (org_id, id),
    add constraint campaigns_call foreign key (org_id, call_id) references public.calls (org_id, id);

create unique index one_campaign_per_call on public.outbound_campaigns (org_id, call_id) where (call_id is not null);

create index campaigns_by_contact on public.outbound_campaigns (org_id, contact_id, created_at)
    where (contact_id is not null);

-- PDF files that patients may read: the last one of a service counts. They are the clinic's own, and nobody's secret.
create table public.procedure_guides (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    service_id uuid not null,
    content bytea not null check (length(content) between 8 and 20971520),
    sha256 bytea not null check (length(sha256) = 32),
    pages integer not null check (pages between 1 and 500),
    uploaded_at timestamptz not null default clock_timestamp(),
    unique (org_id, id),
    unique (org_id, service_id),
    foreign key (org_id, service_id) references public.services (org_id, id)
);

-- One link for one follow-up. The code in it is kept as a digest: reading the table opens no link.
create table public.guide_links (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    code_digest bytea not null unique check (length(code_digest) = 32),
    call_id uuid not null,
    service_id uuid not null,
    made_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    opens integer not null default 0 check (opens >= 0),
    first_opened_at timestamptz,
    last_opened_at timestamptz,
    unique (org_id, id),
    unique (org_id, call_id),
    foreign key (org_id, call_id) references public.calls (org_id, id),
    foreign key (org_id, service_id) references public.services (org_id, id)
);

create index links_by_service on public.guide_links (org_id, service_id);

alter table public.follow_up_settings enable row level security;
alter table public.follow_up_settings force row level security;
create policy tenant on public.follow_up_settings using (org_id = (select app.org_id()));

alter table public.follow_ups enable row level security;
alter table public.follow_ups force row level security;
create policy tenant on public.follow_ups using (org_id = (select app.org_id()));
-- The sweep sees which is to be looked at, and nothing more of it.
create policy sweeper on public.follow_ups for select to gw_worker using (next_at <= now());

alter table public.procedure_guides enable row level security;
alter table public.procedure_guides force row level security;
create policy tenant on public.procedure_guides using (org_id = (select app.org_id()));

alter table public.guide_links enable row level security;
alter table public.guide_links force row level security;
create policy tenant on public.guide_links using (org_id = (select app.org_id()));
create policy resolver on public.guide_links for select to gw_resolver using (true);

grant select, insert, update (enabled, agent_name, template, names_procedure, consent, quiet_from, quiet_to,
    window_days, link_days, booking_url, changed_at) on public.follow_up_settings to gw_app;
grant select, insert, update (state, reason, service_id, texts_wanted, attempt, deferred, message_id, settled_at,
    handed_at, next_at) on public.follow_ups to gw_app;
grant select (org_id, call_id, next_at) on public.follow_ups to gw_worker;
grant select, insert, delete on public.procedure_guides to gw_app;
grant select, insert, delete, update (expires_at, opens, first_opened_at, last_opened_at) on public.guide_links to gw_app;
grant select (org_id, code_digest) on public.guide_links to gw_resolver;

-- --- the call's beginning and end -------------------------------------------------------------------------------------

-- Who has a call says that it goes on; after so long without that the call counts as lost. Older replicas never say it:
-- theirs count as lost when they are longer than any call may be.
create function app.call_lease(p_said boolean) returns interval
language sql immutable parallel safe
as $$
    select case when p_said then interval '5 minutes' else interval '6 hours' end
$$;

create function app.open_follow_up() returns trigger
language plpgsql
as $$
begin
    insert into public.follow_ups (org_id, call_id, next_at)
    values (new.org_id, new.id, clock_timestamp() + app.call_lease(false))
    on conflict (call_id) do nothing;
    if new.ended_at is not null then
        perform app.settle_follow_up(new.org_id, new.id);
    end if;
    return null;
end
$$;

create function app.end_follow_up() returns trigger
language plpgsql
as $$
begin
    insert into public.follow_ups (org_id, call_id) values (new.org_id, new.id) on conflict (call_id) do nothing;
    perform app.settle_follow_up(new.org_id, new.id);
    return null;
end
$$;

-- A carrier's call whose media were lost and came back is on record more than once: this record and those before it.
create function app.legs_of(p_org uuid, p_call uuid) returns setof uuid
language sql stable
as $$
    select o.id from public.calls c
    join public.calls o on o.org_id = c.org_id and o.carrier_call_id = c.carrier_call_id and o.carrier = c.carrier
    where c.org_id = p_org and c.id = p_call and (o.started_at, o.id) <= (c.started_at, c.id)
$$;

create index calls_by_carrier_id on public.calls (org_id, carrier_call_id);

-- The service that the call was about: what was heard counts, else what was held; of its legs the last that tells.
create function app.asked_in(p_org uuid, p_call uuid) returns uuid
language sql stable
as $$
    select coalesce(
        (select f.service_id from public.follow_ups f
         where f.org_id = p_org and f.call_id = p_call),
        (select s.service_id from public.appointment_holds h
         join public.slots s on s.org_id = h.org_id and s.id = h.slot_id
         where h.org_id = p_org and h.call_id = p_call order by h.created_at desc, h.id limit 1),
        (select f.service_id from public.follow_ups f
         where f.org_id = p_org and f.call_id in (select app.legs_of(p_org, p_call)) and f.service_id is not null
         order by f.opened_at desc, f.call_id limit 1))
$$;

create function app.booked_in(p_org uuid, p_call uuid) returns boolean
language sql stable
as $$
    select exists (
        select from public.appointments a
        join public.appointment_holds h on h.org_id = a.org_id and h.id = a.hold_id
        where a.org_id = p_org and a.status = 'booked' and h.call_id in (select app.legs_of(p_org, p_call)))
$$;

-- The call is over: what needs no look at the caller is decided here, so that most calls make no job.
create function app.settle_follow_up(p_org uuid, p_call uuid) returns void
language plpgsql volatile
as $$
declare
    v_service uuid := app.asked_in(p_org, p_call);
    v_skip text := case
        when app.booked_in(p_org, p_call) then 'booked'
        when v_service is null then 'no_procedure'
    end;
begin
    update public.follow_ups f
    set state = case when v_skip is null then 'due' else 'skipped' end, reason = v_skip, service_id = v_service,
        settled_at = clock_timestamp(),
        next_at = case when v_skip is null then clock_timestamp() + interval '1 minute' end
    where f.org_id = p_org and f.call_id = p_call and f.state = 'open';
end
$$;

create trigger call_opened after insert on public.calls
    for each row execute function app.open_follow_up();

create trigger call_over after update of ended_at on public.calls
    for each row when (old.ended_at is null and new.ended_at is not null) execute function app.end_follow_up();

-- In the transaction that settles.
create function app.enqueue_follow_up() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    perform app.enqueue('follow_up', new.call_id);
    return null;
end
$$;

create trigger follow_up_due after update of state on public.follow_ups
    for each row when (new.state = 'due' and old.state is distinct from new.state)
    execute function app.enqueue_follow_up();

-- --- while the call goes on -------------------------------------------------------------------------------------------

-- The service that the caller asks about, by its id alone. False once the call is over.
create function app.note_asked(p_org uuid, p_call uuid, p_service uuid) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    if not exists (select from public.services s where s.org_id = p_org and s.id = p_service) then
        raise exception 'no such service' using errcode = 'GW150';
    end if;
    update public.follow_ups f set service_id = p_service
    where f.org_id = p_org and f.call_id = p_call and f.state = 'open';
    return found;
end
$$;

-- Whether the caller wants a text, in their own words just now. False once the call is over.
create function app.note_texts_wanted(p_org uuid, p_call uuid, p_wanted boolean) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.follow_ups f set texts_wanted = p_wanted
    where f.org_id = p_org and f.call_id = p_call and f.state = 'open';
    return found;
end
$$;

-- The call goes on: whoever has it is there. False if it counts as over.
create function app.call_goes_on(p_org uuid, p_call uuid) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.follow_ups f set next_at = clock_timestamp() + app.call_lease(true)
    where f.org_id = p_org and f.call_id = p_call and f.state = 'open';
    return found;
end
$$;

-- As open_call, which stays for older replicas, with the first word that the call goes on.
create function app.begin_call(
    p_org uuid, p_call uuid, p_carrier text, p_carrier_call_id text, p_started_at timestamptz
) returns boolean
language plpgsql volatile
as $$
declare
    v_opened boolean := app.open_call(p_org, p_call, p_carrier, p_carrier_call_id, p_started_at);
begin
    perform app.call_goes_on(p_org, p_call);
    return v_opened;
end
$$;

-- Ends a call that nobody has any more: holds are given back, and what follows it is settled by the trigger.
create function app.end_lost_call(p_org uuid, p_call uuid) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    perform app.lock_call(p_call);
    if not exists (
        select from public.follow_ups f
        where f.org_id = p_org and f.call_id = p_call and f.state = 'open' and f.next_at <= clock_timestamp()
    ) then
        return false;
    end if;
    perform app.close_call(p_org, p_call, 'lost', clock_timestamp(), false);
    -- A call that was on record before there were follow-ups may have ended without ours being told.
    perform app.settle_follow_up(p_org, p_call);
    return true;
end
$$;

-- --- the way of one follow-up -----------------------------------------------------------------------------------------

create function app.due_follow_ups(p_limit integer) returns table (org_id uuid, call_id uuid)
language sql stable
as $$
    select f.org_id, f.call_id from public.follow_ups f
    where f.next_at <= now() order by f.next_at limit least(greatest(p_limit, 0), 1000)
$$;

create function app.follow_up_rules(p_org uuid)
returns table (
    enabled boolean, agent_name text, template text, names_procedure boolean, consent text, quiet_from time,
    quiet_to time, window_days integer, link_days integer, booking_url text
)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select coalesce(s.enabled, true), coalesce(s.agent_name, 'Sarah'), s.template,
            coalesce(s.names_procedure, false), coalesce(s.consent, 'asked'), coalesce(s.quiet_from, '20:00'),
            coalesce(s.quiet_to, '09:00'), coalesce(s.window_days, 30), coalesce(s.link_days, 14), s.booking_url
        from (values (p_org)) o (id) left join public.follow_up_settings s on s.org_id = o.id;
end
$$;

create function app.set_follow_up_rules(
    p_org uuid, p_enabled boolean, p_agent_name text, p_template text, p_names_procedure boolean, p_consent text,
    p_quiet_from time, p_quiet_to time, p_window_days integer, p_link_days integer, p_booking_url text,
    p_actor_kind text, p_actor_id uuid
) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    insert into public.follow_up_settings (org_id, enabled, agent_name, template, names_procedure, consent,
        quiet_from, quiet_to, window_days, link_days, booking_url)
    values (p_org, p_enabled, p_agent_name, p_template, p_names_procedure, p_consent,
        p_quiet_from, p_quiet_to, p_window_days, p_link_days, p_booking_url)
    on conflict (org_id) do update set enabled = excluded.enabled, agent_name = excluded.agent_name,
        template = excluded.template, names_procedure = excluded.names_procedure, consent = excluded.consent,
        quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, window_days = excluded.window_days,
        link_days = excluded.link_days, booking_url = excluded.booking_url, changed_at = clock_timestamp();
    perform app.audit(p_org, p_actor_kind, p_actor_id, 'follow_up_rules_changed', 'org', p_org);
end
$$;

-- All that is needed to go on with one: its own state, its call, what is sealed of the caller with the key to it, what
-- became of the message that it last sent. `continued`: the carrier's call went on in a later record,
-- which is followed up in its place.
create function app.follow_up_facts(p_org uuid, p_call uuid)
returns table (
    state text, service_id uuid, texts_wanted boolean, attempt integer, deferred boolean, message_id uuid,
    settled_at timestamptz, next_at timestamptz, started_at timestamptz, ended_at timestamptz, end_reason text, continued boolean,
    contact_id uuid, sealed_caller bytea, key_id uuid, wrapped bytea, service_name text, has_guide boolean,
    guide_url text, org_name text, org_zone text, message_status text, message_code integer,
    message_recorded_at timestamptz, code_digest bytea
)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select f.state, f.service_id,
            (select w.texts_wanted from public.follow_ups w
             where w.org_id = p_org and w.call_id in (select app.legs_of(p_org, p_call)) and w.texts_wanted is not null
             order by w.opened_at desc limit 1),
            f.attempt, f.deferred, f.message_id, f.settled_at, f.next_at, c.started_at,
            c.ended_at, c.end_reason,
            exists (
                select from public.calls o
                where o.org_id = p_org and o.carrier = c.carrier and o.carrier_call_id = c.carrier_call_id
                  and (o.started_at, o.id) > (c.started_at, c.id)),
            app.caller_of(p_org, p_call), c.sealed_caller, k.id, k.wrapped, s.name,
            exists (
                select from public.procedure_guides g where g.org_id = p_org and g.service_id = f.service_id),
            s.guide_url, o.name, o.time_zone, m.status, m.error_code, m.recorded_at,
            l.code_digest
        from public.follow_ups f
        join public.calls c on c.org_id = f.org_id and c.id = f.call_id
        join public.organizations o on o.org_id = f.org_id
        left join public.services s on s.org_id = f.org_id and s.id = f.service_id
        left join public.contact_keys k on k.org_id = f.org_id and k.id = app.key_named(c.sealed_caller)
        left join public.sms_messages m on m.org_id = f.org_id and m.id = f.message_id
        left join public.guide_links l on l.org_id = f.org_id and l.call_id = f.call_id
        where f.org_id = p_org and f.call_id = p_call;
end
$$;

-- What a lead's own record says of texts, and where they are when it is what time. `stopped`: they told the carrier STOP.
create function app.lead_facts(p_org uuid, p_contact uuid, p_digests bytea[])
returns table (agreed_at timestamptz, refused_at timestamptz, stopped boolean, time_zone text)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select c.texts_agreed_at, c.texts_refused_at, app.has_opted_out(p_org, p_digests), c.time_zone
        from (values (1)) one (n)
        left join public.contacts c on c.org_id = p_org and c.id = p_contact and c.erased_at is null;
end
$$;

-- Not now, but later: quiet hours, or the caller may come back.
create function app.postpone_follow_up(p_org uuid, p_call uuid, p_until timestamptz) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.follow_ups f
    set state = case f.state when 'due' then 'waiting' else f.state end, next_at = p_until, deferred = true
    where f.org_id = p_org and f.call_id = p_call and f.state in ('due', 'waiting', 'sending');
end
$$;

create function app.skip_follow_up(p_org uuid, p_call uuid, p_reason text) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.follow_ups f set state = 'skipped', reason = p_reason, next_at = null
    where f.org_id = p_org and f.call_id = p_call and f.state in ('due', 'waiting');
end
$$;

-- The campaign, the link and the turn to `sending`, all at once; of two follow-ups for one lead the second sees the
-- first. Answers `begun`, or why not: `again` (it had begun, or is over), `recent` (the lead had one within the window),
-- `has_booking` (they have, or in this call had, an appointment of this service), `stopped`.
create function app.begin_follow_up(
    p_org uuid, p_call uuid, p_contact uuid, p_digests bytea[], p_message uuid, p_code_digest bytea,
    p_agent_name text, p_window_days integer, p_link_days integer
) returns text
language plpgsql volatile
as $$
declare
    v_service uuid;
    v_started timestamptz;
begin
    perform app.require_org(p_org);
    perform pg_advisory_xact_lock(hashtextextended('lead ' || p_contact, 0));
    select f.service_id, c.started_at into v_service, v_started from public.follow_ups f
    join public.calls c on c.org_id = f.org_id and c.id = f.call_id
    where f.org_id = p_org and f.call_id = p_call and f.state in ('due', 'waiting') for update of f;
    if not found then
        return 'again';
    end if;
    if app.has_opted_out(p_org, p_digests) then
        return 'stopped';
    end if;
    if app.is_erased(p_org, p_contact) then
        return 'erased';
    end if;
    if exists (
        select from public.appointments a
        join public.slots s on s.org_id = a.org_id and s.id = a.slot_id
        where a.org_id = p_org and a.contact_id = p_contact and s.service_id = v_service
          and ((a.status = 'booked' and a.starts_at > clock_timestamp()) or a.changed_at >= v_started)
    ) then
        return 'has_booking';
    end if;
    if exists (
        select from public.outbound_campaigns o
        where o.org_id = p_org and o.contact_id = p_contact and o.call_id is not null
          and o.created_at > clock_timestamp() - make_interval(days => p_window_days)
    ) then
        return 'recent';
    end if;
    insert into public.outbound_campaigns (org_id, service_id, status, starts_at, contact_id, call_id, agent_name)
    values (p_org, v_service, 'running', clock_timestamp(), p_contact, p_call, p_agent_name);
    insert into public.guide_links (org_id, code_digest, call_id, service_id, expires_at)
    values (p_org, p_code_digest, p_call, v_service, clock_timestamp() + make_interval(days => p_link_days));
    update public.follow_ups f
    set state = 'sending', reason = null, attempt = 1, message_id = p_message,
        next_at = clock_timestamp() + interval '1 minute'
    where f.org_id = p_org and f.call_id = p_call;
    return 'begun';
end
$$;

-- Who the campaign of this call is for.
create function app.campaign_lead(p_org uuid, p_call uuid) returns table (contact_id uuid)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select o.contact_id from public.outbound_campaigns o
        where o.org_id = p_org and o.call_id = p_call and o.contact_id is not null;
end
$$;

-- Attempt n gives way to n + 1, if it is still the last. False: somebody else was quicker, or it is over.
create function app.retry_follow_up(
    p_org uuid, p_call uuid, p_attempt integer, p_message uuid, p_after interval
) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.follow_ups f
    set state = 'sending', attempt = p_attempt + 1, message_id = p_message, handed_at = null, deferred = true,
        next_at = clock_timestamp() + p_after
    where f.org_id = p_org and f.call_id = p_call and f.attempt = p_attempt and f.state in ('sending', 'sent');
    return found;
end
$$;

-- Nothing more is tried. The campaign ends with it: nobody whom no text reaches is called about it by surprise.
create function app.fail_follow_up(p_org uuid, p_call uuid, p_reason text) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.follow_ups f set state = 'failed', reason = p_reason, next_at = null
    where f.org_id = p_org and f.call_id = p_call and f.state in ('sending', 'sent');
    if not found then
        return false;
    end if;
    update public.outbound_campaigns o set status = 'ended', ends_at = clock_timestamp()
    where o.org_id = p_org and o.call_id = p_call and o.status = 'running';
    return true;
end
$$;

-- Whatever the provider says of the last attempt's message, from whoever learnt it. What went wrong is for the job to
-- judge, at once.
create function app.follow_up_reported() returns trigger
language plpgsql
as $$
begin
    update public.follow_ups f
    set state = case
            when new.status in ('queued', 'sent') then 'sent'
            when new.status = 'delivered' then 'delivered'
            else 'sending'
        end,
        handed_at = case
            when new.status in ('queued', 'sent', 'delivered') then coalesce(f.handed_at, clock_timestamp())
        end,
        next_at = case when new.status not in ('queued', 'sent', 'delivered') then clock_timestamp() end
    where f.org_id = new.org_id and f.call_id = new.subject_id and f.message_id = new.id
      and f.state in ('sending', 'sent');
    return null;
end
$$;

create trigger follow_up_reported after update of status on public.sms_messages
    for each row when (new.kind = 'follow_up' and new.status <> 'recorded' and old.status is distinct from new.status)
    execute function app.follow_up_reported();

-- Whether a follow-up's message came to the provider is not asked sooner: one that was sent, and is not in the provider's
-- list by then, counts as lost and is sent anew.
create function app.patient_with_follow_up() returns trigger
language plpgsql
as $$
begin
    new.check_after := new.recorded_at + interval '5 minutes';
    return new;
end
$$;

create trigger patient_with_follow_up before insert on public.sms_messages
    for each row when (new.kind = 'follow_up') execute function app.patient_with_follow_up();

-- Follow-ups as the clinic sees them, newest first, opened before that instant.
create function app.page_of_follow_ups(p_org uuid, p_limit integer, p_before timestamptz default null)
returns table (
    call_id uuid, state text, reason text, service_id uuid, contact_id uuid, attempt integer, message_id uuid,
    opened_at timestamptz, settled_at timestamptz, handed_at timestamptz, campaign_id uuid, agent_name text,
    link_opens integer, link_expires_at timestamptz
)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select f.call_id, f.state, f.reason, f.service_id, o.contact_id, f.attempt, f.message_id, f.opened_at,
            f.settled_at, f.handed_at, o.id, o.agent_name, l.opens, l.expires_at
        from public.follow_ups f
        left join public.outbound_campaigns o on o.org_id = f.org_id and o.call_id = f.call_id
        left join public.guide_links l on l.org_id = f.org_id and l.call_id = f.call_id
        where f.org_id = p_org and f.state <> 'open' and (p_before is null or f.opened_at < p_before)
        order by f.opened_at desc, f.call_id desc limit least(greatest(p_limit, 0), 100);
end
$$;

-- --- guides and links -------------------------------------------------------------------------------------------------

-- The service's guide, in place of the one before. GW150.
create function app.put_guide(
    p_org uuid, p_service uuid, p_content bytea, p_pages integer, p_actor_kind text, p_actor_id uuid
) returns table (guide_id uuid, sha256 bytea, uploaded_at timestamptz)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    perform from public.services s where s.org_id = p_org and s.id = p_service for key share;
    if not found then
        raise exception 'no such service' using errcode = 'GW150';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('guide ' || p_service, 0));
    if not exists (
        select from public.procedure_guides g
        where g.org_id = p_org and g.service_id = p_service and g.sha256 = pg_catalog.sha256(p_content)
    ) then
        delete from public.procedure_guides g where g.org_id = p_org and g.service_id = p_service;
        insert into public.procedure_guides (org_id, service_id, content, sha256, pages)
        values (p_org, p_service, p_content, pg_catalog.sha256(p_content), p_pages);
        perform app.audit(p_org, p_actor_kind, p_actor_id, 'guide_uploaded', 'service', p_service);
    end if;
    return query
        select g.id, g.sha256, g.uploaded_at from public.procedure_guides g
        where g.org_id = p_org and g.service_id = p_service;
end
$$;

create function app.guide_of(p_org uuid, p_service uuid)
returns table (guide_id uuid, sha256 bytea, pages integer, bytes integer, uploaded_at timestamptz)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select g.id, g.sha256, g.pages, length(g.content), g.uploaded_at from public.procedure_guides g
        where g.org_id = p_org and g.service_id = p_service;
end
$$;

create function app.remove_guide(p_org uuid, p_service uuid, p_actor_kind text, p_actor_id uuid) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    delete from public.procedure_guides g where g.org_id = p_org and g.service_id = p_service;
    if not found then
        return false;
    end if;
    perform app.audit(p_org, p_actor_kind, p_actor_id, 'guide_removed', 'service', p_service);
    return true;
end
$$;

-- Whose link this is: asked before any claim is armed, hence gw_resolver, as for numbers.
create function app.resolve_guide_link(p_digest bytea) returns uuid
language sql stable security definer set search_path = ''
as $$
    select l.org_id from public.guide_links l where l.code_digest = p_digest
$$;

-- What a link leads to now; `p_count`: this opening counts. No row: no such link. `expired`: it leads nowhere any more.
create function app.open_guide_link(p_org uuid, p_digest bytea, p_count boolean)
returns table (expired boolean, content bytea, sha256 bytea, guide_url text, booking_url text, opens integer)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_link record;
begin
    perform app.require_org(p_org);
    update public.guide_links l
    set opens = least(l.opens + 1, 1000000), first_opened_at = coalesce(l.first_opened_at, clock_timestamp()),
        last_opened_at = clock_timestamp()
    where l.org_id = p_org and l.code_digest = p_digest and p_count and l.expires_at > clock_timestamp();
    select l.service_id, l.expires_at <= clock_timestamp() as over, l.opens into v_link
    from public.guide_links l where l.org_id = p_org and l.code_digest = p_digest;
    if not found then
        return;
    end if;
    if v_link.over then
        return query select true, null::bytea, null::bytea, null::text, null::text, v_link.opens;
        return;
    end if;
    return query
        select false, g.content, g.sha256, s.guide_url, r.booking_url, v_link.opens
        from public.services s
        left join public.procedure_guides g on g.org_id = s.org_id and g.service_id = s.id
        left join public.follow_up_settings r on r.org_id = s.org_id
        where s.org_id = p_org and s.id = v_link.service_id;
end
$$;

-- --- forgetting -------------------------------------------------------------------------------------------------------

-- As in 0031, and what followed these calls: what was asked about, for whom, and the links.
create or replace function app.clear_calls(p_org uuid, p_calls uuid[]) returns integer
language plpgsql volatile
as $$
declare
    v_cleared integer;
begin
    delete from public.guide_links l where l.org_id = p_org and l.call_id = any (p_calls);
    update public.outbound_campaigns o
    set contact_id = null, status = 'ended', ends_at = coalesce(o.ends_at, clock_timestamp())
    where o.org_id = p_org and o.call_id = any (p_calls) and o.contact_id is not null;
    update public.follow_ups f
    set service_id = null, texts_wanted = null, next_at = null,
        state = case when f.state in ('due', 'waiting', 'sending') then 'skipped' else f.state end,
        reason = case when f.state in ('due', 'waiting', 'sending') then 'erased' else f.reason end
    where f.org_id = p_org and f.call_id = any (p_calls) and f.state <> 'open';
    update public.follow_ups f set service_id = null, texts_wanted = false
    where f.org_id = p_org and f.call_id = any (p_calls) and f.state = 'open';
    update public.calls c
    set contact_id = null, caller_digest = null, sealed_caller = null, sealed_called = null,
        carrier_call_id = 'erased ' || c.id
    where c.org_id = p_org and c.id = any (p_calls) and (
        num_nonnulls(c.contact_id, c.caller_digest, c.sealed_caller, c.sealed_called) > 0
        or c.carrier_call_id not like 'erased %');
    get diagnostics v_cleared = row_count;
    return v_cleared;
end
$$;

grant execute on function
    app.call_lease(boolean),
    app.legs_of(uuid, uuid),
    app.asked_in(uuid, uuid),
    app.booked_in(uuid, uuid),
    app.settle_follow_up(uuid, uuid),
    app.note_asked(uuid, uuid, uuid),
    app.note_texts_wanted(uuid, uuid, boolean),
    app.call_goes_on(uuid, uuid),
    app.begin_call(uuid, uuid, text, text, timestamptz),
    app.end_lost_call(uuid, uuid),
    app.follow_up_rules(uuid),
    app.set_follow_up_rules(uuid, boolean, text, text, boolean, text, time, time, integer, integer, text, text, uuid),
    app.follow_up_facts(uuid, uuid),
    app.lead_facts(uuid, uuid, bytea[]),
    app.postpone_follow_up(uuid, uuid, timestamptz),
    app.skip_follow_up(uuid, uuid, text),
    app.begin_follow_up(uuid, uuid, uuid, bytea[], uuid, bytea, text, integer, integer),
    app.campaign_lead(uuid, uuid),
    app.retry_follow_up(uuid, uuid, integer, uuid, interval),
    app.fail_follow_up(uuid, uuid, text),
    app.page_of_follow_ups(uuid, integer, timestamptz),
    app.put_guide(uuid, uuid, bytea, integer, text, uuid),
    app.guide_of(uuid, uuid),
    app.remove_guide(uuid, uuid, text, uuid),
    app.resolve_guide_link(bytea),
    app.open_guide_link(uuid, bytea, boolean)
to gw_app;
grant execute on function app.due_follow_ups(integer) to gw_worker;

grant create on schema app to gw_resolver;
alter function app.enqueue_follow_up() owner to gw_resolver;
alter function app.resolve_guide_link(bytea) owner to gw_resolver;
revoke create on schema app from gw_resolver;
