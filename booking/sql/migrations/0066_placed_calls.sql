-- Calls that the clinic places: to one of its contacts, by its agent, for a campaign or for none.
--
-- A call's row stands before its carrier is asked; each attempt is a state of its own, entered by compare-and-set, so that no
-- attempt is made twice:
--
--   queued -> placing -> ringing -> talking -> ended            `outcome` says how
--     ^          |          |          |
--     |          +----------+----------+--> unanswered          nobody was reached; the job judges
--     +------------------------------------------+
--   queued -> refused                                           `outcome` says why
--
-- `placing` is told the carrier's id of the call by its answer, by a webhook of that very attempt, or by its list of calls;
-- another id for the same attempt is foreign, and hung up. A contact has one call that is not over, whoever asks for one.
-- Whether somebody agrees to be called is a word of theirs as on being recorded: consents of kind `calls`.
-- GW013 no such contact, GW190 no such campaign, GW191 no such call.
--
-- Way back: drop trigger placed_call_due on public.placed_calls, erased_lead on public.contacts, erased_placed_call on
-- public.calls; drop the functions named at the end and those of the triggers; drop table public.placed_calls,
-- public.calling_settings; delete from public.consents where kind = 'calls'; put the check on its kind back as 0031 has it;
-- alter table public.outbound_campaigns drop column goal, drop column opening. Older replicas look at none of it: they neither
-- place calls nor know the addresses that tell of them.

alter table public.consents drop constraint consents_kind_check;
alter table public.consents add constraint consents_kind_check check (kind in ('recording', 'calls'));

alter table public.outbound_campaigns
    add column goal text check (length(goal) between 1 and 500),
    add column opening text check (length(opening) between 1 and 300);

comment on column public.outbound_campaigns.goal is 'what the agent is to come to; null: the clinic''s own, else ours';
comment on column public.outbound_campaigns.opening is 'what it says once it has said who it is; likewise';

-- What is not here has the defaults of `app.calling_rules`.
create table public.calling_settings (
    org_id uuid primary key references public.organizations (org_id),
    enabled boolean not null default true,
    carrier text not null default 'twilio' check (carrier in ('twilio', 'telnyx', 'plivo')),
    consent text not null default 'asked' check (consent in ('asked', 'inquiry')),
    goal text check (length(goal) between 1 and 500),
    opening text check (length(opening) between 1 and 300),
    on_machine text not null default 'hang_up' check (on_machine in ('hang_up', 'message')),
    message text check (length(message) between 1 and 500),
    most_attempts integer not null default 3 check (most_attempts between 1 and 6),
    pause_minutes integer not null default 60 check (pause_minutes between 5 and 1440),
    ring_s integer not null default 25 check (ring_s between 5 and 60),
    changed_at timestamptz not null default clock_timestamp()
);

comment on column public.calling_settings.consent is
    'asked: whoever said yes to calls is called; inquiry: also whoever has said nothing of it';

create table public.placed_calls (
    id uuid primary key,
    org_id uuid not null references public.organizations (org_id),
    contact_id uuid,
    campaign_id uuid,
    state text not null default 'queued' check (
        state in ('queued', 'placing', 'ringing', 'talking', 'unanswered', 'ended', 'refused')),
    outcome text check (outcome ~ '^[a-z][a-z_]{1,40}$'),
    attempt integer not null default 0 check (attempt >= 0),
    carrier text check (carrier ~ '^[a-z][a-z0-9_]{1,40}$'),
    carrier_call_id text check (length(carrier_call_id) between 1 and 200),
    answered_by text check (answered_by in ('human', 'machine', 'fax', 'unknown')),
    requested_at timestamptz not null default clock_timestamp(),
    placing_at timestamptz,
    answered_at timestamptz,
    ended_at timestamptz,
    next_at timestamptz,
    unique (org_id, id),
    check ((state in ('ended', 'refused')) = (ended_at is not null)),
    check (state not in ('ended', 'refused', 'unanswered') or outcome is not null),
    foreign key (org_id, contact_id) references public.contacts (org_id, id),
    foreign key (org_id, campaign_id) references public.outbound_campaigns (org_id, id)
);

comment on column public.placed_calls.placing_at is 'when the last attempt was recorded, before the carrier was asked';
comment on column public.placed_calls.next_at is 'when it is to be looked at; null: nothing more is to be done';

create unique index one_live_call_per_contact on public.placed_calls (org_id, contact_id)
    where (contact_id is not null and ended_at is null);

create index placed_calls_to_look_at on public.placed_calls (next_at) where (next_at is not null);

create index placed_calls_by_time on public.placed_calls (org_id, requested_at);

create index placed_calls_by_campaign on public.placed_calls (org_id, campaign_id) where (campaign_id is not null);

create index placed_calls_by_carrier_id on public.placed_calls (org_id, carrier_call_id) where (carrier_call_id is not null);

alter table public.calling_settings enable row level security;
alter table public.calling_settings force row level security;
create policy tenant on public.calling_settings using (org_id = (select app.org_id()));

alter table public.placed_calls enable row level security;
alter table public.placed_calls force row level security;
create policy tenant on public.placed_calls using (org_id = (select app.org_id()));
-- The sweep sees which is to be looked at, and nothing more of it.
create policy sweeper on public.placed_calls for select to gw_worker using (next_at <= now());
create policy resolver on public.placed_calls for select to gw_resolver using (true);

grant select, insert, update (enabled, carrier, consent, goal, opening, on_machine, message, most_attempts, pause_minutes,
    ring_s, changed_at) on public.calling_settings to gw_app;
grant select, insert, update (contact_id, state, outcome, attempt, carrier, carrier_call_id, answered_by, placing_at,
    answered_at, ended_at, next_at) on public.placed_calls to gw_app;
grant select (org_id, id, next_at) on public.placed_calls to gw_worker;
grant select (id, org_id), delete on public.placed_calls to gw_resolver;
grant select (org_id), delete on public.calling_settings to gw_resolver;

-- --- how the clinic wants it ------------------------------------------------------------------------------------------

create function app.calling_rules(p_org uuid)
returns table (
    enabled boolean, carrier text, consent text, goal text, opening text, on_machine text, message text,
    most_attempts integer, pause_minutes integer, ring_s integer
)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select coalesce(s.enabled, true), coalesce(s.carrier, 'twilio'), coalesce(s.consent, 'asked'), s.goal, s.opening,
            coalesce(s.on_machine, 'hang_up'), s.message, coalesce(s.most_attempts, 3), coalesce(s.pause_minutes, 60),
            coalesce(s.ring_s, 25)
        from (values (p_org)) o (id) left join public.calling_settings s on s.org_id = o.id;
end
$$;

create function app.set_calling_rules(
    p_org uuid, p_enabled boolean, p_carrier text, p_consent text, p_goal text, p_opening text, p_on_machine text,
    p_message text, p_most_attempts integer, p_pause_minutes integer, p_ring_s integer, p_actor_kind text, p_actor_id uuid
) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    insert into public.calling_settings (org_id, enabled, carrier, consent, goal, opening, on_machine, message, most_attempts,
        pause_minutes, ring_s)
    values (p_org, p_enabled, p_carrier, p_consent, p_goal, p_opening, p_on_machine, p_message, p_most_attempts,
        p_pause_minutes, p_ring_s)
    on conflict (org_id) do update set enabled = excluded.enabled, carrier = excluded.carrier, consent = excluded.consent,
        goal = excluded.goal, opening = excluded.opening, on_machine = excluded.on_machine, message = excluded.message,
        most_attempts = excluded.most_attempts, pause_minutes = excluded.pause_minutes, ring_s = excluded.ring_s,
        changed_at = clock_timestamp();
    perform app.audit(p_org, p_actor_kind, p_actor_id, 'calling_rules_changed', 'org', p_org);
end
$$;

-- As what and to what end a campaign's calls are made; null: as the clinic's others. GW190.
create function app.set_campaign_agent(
    p_org uuid, p_campaign uuid, p_agent_name text, p_goal text, p_opening text, p_actor_kind text, p_actor_id uuid
) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.outbound_campaigns o
    set agent_name = coalesce(p_agent_name, o.agent_name), goal = p_goal, opening = p_opening
    where o.org_id = p_org and o.id = p_campaign;
    if not found then
        raise exception 'no such campaign' using errcode = 'GW190';
    end if;
    perform app.audit(p_org, p_actor_kind, p_actor_id, 'campaign_changed', 'campaign', p_campaign);
end
$$;

-- --- who may be called ------------------------------------------------------------------------------------------------

-- Why this contact may not be called; null: they may. A STOP stands above all; then their last word on calls counts, said to
-- the clinic or in a call of theirs.
create function app.calls_refusal(p_org uuid, p_contact uuid) returns text
language plpgsql stable
as $$
declare
    v_digest bytea;
    v_last boolean;
    v_consent text := coalesce((select s.consent from public.calling_settings s where s.org_id = p_org), 'asked');
begin
    select c.phone_digest into v_digest from public.contacts c
    where c.org_id = p_org and c.id = p_contact and c.erased_at is null;
    if not found then
        return 'erased';
    end if;
    if not coalesce((select s.enabled from public.calling_settings s where s.org_id = p_org), true) then
        return 'off';
    end if;
    if app.has_opted_out(p_org, array[v_digest]) then
        return 'stopped';
    end if;
    select w.given into v_last from public.consents w
    where w.org_id = p_org and w.kind = 'calls' and w.contact_id = p_contact
    order by w.said_at desc, w.id limit 1;
    return case
        when v_last is null and v_consent = 'asked' then 'no_consent'
        when not coalesce(v_last, true) then 'declined'
    end;
end
$$;

-- A call is asked for, once under one id. Answers `placed`, `again` (this id was asked for before), `live` (the contact has a
-- call that is not over), or why they may not be called; then there is no call. GW013, GW190.
create function app.place_call(
    p_org uuid, p_id uuid, p_contact uuid, p_campaign uuid, p_actor_kind text, p_actor_id uuid
) returns text
language plpgsql volatile
as $$
declare
    v_refusal text;
begin
    perform app.require_org(p_org);
    perform from public.contacts c
    where c.org_id = p_org and c.id = p_contact and c.erased_at is null for no key update;
    if not found then
        raise exception 'no such contact' using errcode = 'GW013';
    end if;
    if exists (select from public.placed_calls p where p.org_id = p_org and p.id = p_id) then
        return 'again';
    end if;
    if p_campaign is not null then
        perform from public.outbound_campaigns o
        where o.org_id = p_org and o.id = p_campaign and o.status = 'running'
          and (o.contact_id is null or o.contact_id = p_contact);
        if not found then
            raise exception 'no such campaign' using errcode = 'GW190';
        end if;
    end if;
    v_refusal := app.calls_refusal(p_org, p_contact);
    if v_refusal is not null then
        return v_refusal;
    end if;
    insert into public.placed_calls (org_id, id, contact_id, campaign_id, next_at)
    values (p_org, p_id, p_contact, p_campaign, clock_timestamp())
    on conflict do nothing;
    if not found then
        return 'live';
    end if;
    perform app.audit(p_org, p_actor_kind, p_actor_id, 'call_placed', 'contact', p_contact);
    return 'placed';
end
$$;

-- It is there to be done in the transaction that asks for it, and again when an attempt came to nothing.
create function app.enqueue_placed_call() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    perform app.enqueue('place_call', new.id);
    return null;
end
$$;

create trigger placed_call_due after insert or update of state on public.placed_calls
    for each row when (new.state in ('queued', 'unanswered') and new.next_at <= clock_timestamp())
    execute function app.enqueue_placed_call();

create function app.due_placed_calls(p_limit integer) returns table (org_id uuid, id uuid)
language sql stable
as $$
    select p.org_id, p.id from public.placed_calls p
    where p.next_at <= now() order by p.next_at limit least(greatest(p_limit, 0), 1000)
$$;

-- --- the way of one call ----------------------------------------------------------------------------------------------

-- All that is needed to go on with one. `number`: which of the clinic's own it comes from; `sealed`: the clinic's own account
-- at its carrier, if it has one. GW191.
create function app.placed_call_facts(p_org uuid, p_id uuid)
returns table (
    state text, outcome text, attempt integer, contact_id uuid, contact_zone text, campaign_status text, carrier text,
    carrier_call_id text, answered_by text, placing_at timestamptz, next_at timestamptz, number text, sealed bytea,
    org_name text, org_zone text, quiet_from time, quiet_to time
)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select p.state, p.outcome, p.attempt, p.contact_id, c.time_zone, o.status,
            coalesce(case when p.state not in ('queued', 'unanswered') then p.carrier end, s.carrier, 'twilio'),
            p.carrier_call_id, p.answered_by, p.placing_at, p.next_at, n.number, k.sealed, g.name, g.time_zone,
            coalesce(f.quiet_from, '20:00'), coalesce(f.quiet_to, '09:00')
        from public.placed_calls p
        join public.organizations g on g.org_id = p.org_id
        left join public.contacts c on c.org_id = p.org_id and c.id = p.contact_id
        left join public.outbound_campaigns o on o.org_id = p.org_id and o.id = p.campaign_id
        left join public.calling_settings s on s.org_id = p.org_id
        left join public.follow_up_settings f on f.org_id = p.org_id
        left join public.org_credentials k on k.org_id = p.org_id and k.provider =
            coalesce(case when p.state not in ('queued', 'unanswered') then p.carrier end, s.carrier, 'twilio')
        left join lateral (
            select t.number from public.phone_numbers t where t.org_id = p.org_id order by t.created_at, t.number limit 1
        ) n on true
        where p.org_id = p_org and p.id = p_id;
    if not found then
        raise exception 'no such call' using errcode = 'GW191';
    end if;
end
$$;

-- The attempt after this one is recorded, and nobody else makes it: `begun`. Else `again` (somebody was quicker, or it is
-- over), or why the contact may not be called any more.
create function app.begin_placing(
    p_org uuid, p_id uuid, p_attempt integer, p_carrier text, p_unsure interval
) returns text
language plpgsql volatile
as $$
declare
    v_contact uuid;
    v_refusal text;
begin
    perform app.require_org(p_org);
    select p.contact_id into v_contact from public.placed_calls p
    where p.org_id = p_org and p.id = p_id and p.state = 'queued' and p.attempt = p_attempt for update;
    if not found then
        return 'again';
    end if;
    v_refusal := app.calls_refusal(p_org, v_contact);
    if v_refusal is not null then
        return v_refusal;
    end if;
    update public.placed_calls p
    set state = 'placing', attempt = p_attempt + 1, carrier = p_carrier, carrier_call_id = null, outcome = null,
        answered_by = null, answered_at = null, placing_at = clock_timestamp(), next_at = clock_timestamp() + p_unsure
    where p.org_id = p_org and p.id = p_id;
    return 'begun';
end
$$;

-- Not now, but then.
create function app.postpone_placed_call(p_org uuid, p_id uuid, p_until timestamptz) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.placed_calls p set next_at = p_until
    where p.org_id = p_org and p.id = p_id and p.ended_at is null;
end
$$;

-- There is nothing to be placed. False if it was placed, or is over.
create function app.refuse_placed_call(p_org uuid, p_id uuid, p_reason text) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.placed_calls p
    set state = 'refused', outcome = p_reason, ended_at = clock_timestamp(), next_at = null
    where p.org_id = p_org and p.id = p_id and p.state = 'queued';
    return found;
end
$$;

create function app.call_rank(p_state text) returns integer
language sql immutable parallel safe
as $$
    select case p_state when 'placing' then 1 when 'ringing' then 2 when 'talking' then 3 end
$$;

-- The carrier's word on this attempt's call: `ringing`, `talking`, `ended` (after it was answered), or why nobody was reached.
-- `taken`: it says something new; `known`: it does not; `foreign`: this call is not that attempt's, or the attempt is given
-- up: it is to be hung up. GW191.
create function app.report_placed_call(
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
    elsif p_word = 'ended' then
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

-- Nobody has this attempt's call: the carrier refused it, never had it, or knows nothing of it any more.
create function app.fail_placing(p_org uuid, p_id uuid, p_attempt integer, p_outcome text) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.placed_calls p set state = 'unanswered', outcome = p_outcome, next_at = clock_timestamp()
    where p.org_id = p_org and p.id = p_id and p.attempt = p_attempt and p.state in ('placing', 'ringing', 'talking');
    return found;
end
$$;

-- Who answers this attempt's call, once that is told. False if it was told before, or the call is another's.
create function app.note_answered_by(
    p_org uuid, p_id uuid, p_attempt integer, p_carrier_call_id text, p_answered_by text, p_outcome text
) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.placed_calls p set answered_by = p_answered_by, outcome = p_outcome
    where p.org_id = p_org and p.id = p_id and p.attempt = p_attempt and p.answered_by is null
      and p.carrier_call_id = p_carrier_call_id and p.state in ('ringing', 'talking');
    return found;
end
$$;

-- An attempt came to nothing: another one then, or (`p_after` null) none. A call that is given up keeps no id of the carrier's.
create function app.settle_placed_call(p_org uuid, p_id uuid, p_attempt integer, p_after interval) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.placed_calls p
    set state = case when p_after is null then 'ended' else 'queued' end, carrier_call_id = null,
        ended_at = case when p_after is null then clock_timestamp() end,
        next_at = case when p_after is not null then clock_timestamp() + p_after end
    where p.org_id = p_org and p.id = p_id and p.attempt = p_attempt and p.state = 'unanswered';
    return found;
end
$$;

-- As whom the agent speaks in this call, and to what end. No row: there is no such call.
create function app.call_brief(p_org uuid, p_id uuid) returns table (agent_name text, goal text, opening text, contact_id uuid)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select o.agent_name, coalesce(o.goal, s.goal), coalesce(o.opening, s.opening), p.contact_id
        from public.placed_calls p
        left join public.outbound_campaigns o on o.org_id = p.org_id and o.id = p.campaign_id
        left join public.calling_settings s on s.org_id = p.org_id
        where p.org_id = p_org and p.id = p_id;
end
$$;

-- Whoever is called says that they do not want to be, or do: with the contact whose call it is. False: it is nobody's any more.
create function app.note_calls_wanted(p_org uuid, p_id uuid, p_wanted boolean) returns boolean
language plpgsql volatile
as $$
declare
    v_contact uuid;
begin
    perform app.require_org(p_org);
    select p.contact_id into v_contact from public.placed_calls p where p.org_id = p_org and p.id = p_id;
    if v_contact is null then
        return false;
    end if;
    return app.record_consent(p_org, 'calls', p_wanted, 'call', v_contact, null, 'call', null);
end
$$;

-- A call that nobody was asked to place yet is not placed. False if it was.
create function app.withdraw_placed_call(p_org uuid, p_id uuid, p_actor_kind text, p_actor_id uuid) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    if not app.refuse_placed_call(p_org, p_id, 'withdrawn') then
        return exists (
            select from public.placed_calls p
            where p.org_id = p_org and p.id = p_id and p.state = 'refused' and p.outcome = 'withdrawn');
    end if;
    perform app.audit(p_org, p_actor_kind, p_actor_id, 'call_withdrawn', 'placed_call', p_id);
    return true;
end
$$;

-- Calls as the clinic sees them, newest first; with `p_id` that one alone. `call_id`: the record of what was said.
create function app.placed_calls(p_org uuid, p_id uuid, p_limit integer, p_before timestamptz default null)
returns table (
    id uuid, contact_id uuid, campaign_id uuid, state text, outcome text, attempt integer, answered_by text,
    requested_at timestamptz, placing_at timestamptz, answered_at timestamptz, ended_at timestamptz, next_at timestamptz,
    call_id uuid
)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select p.id, p.contact_id, p.campaign_id, p.state, p.outcome, p.attempt, p.answered_by, p.requested_at, p.placing_at,
            p.answered_at, p.ended_at, p.next_at,
            (select c.id from public.calls c
             where c.org_id = p.org_id and c.carrier = p.carrier and c.carrier_call_id = p.carrier_call_id
             order by c.started_at desc, c.id limit 1)
        from public.placed_calls p
        where p.org_id = p_org and (p_id is null or p.id = p_id) and (p_before is null or p.requested_at < p_before)
        order by p.requested_at desc, p.id desc limit least(greatest(p_limit, 0), 100);
end
$$;

-- As app.owned_elsewhere, of placed calls.
create function app.placed_call_elsewhere(p_org uuid, p_id uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
begin
    perform app.require_org(p_org);
    return exists (select from public.placed_calls p where p.id = p_id and p.org_id <> p_org);
end
$$;

-- --- forgetting -------------------------------------------------------------------------------------------------------

-- Whoever was erased is not called any more, and nothing says that they were.
create function app.forget_placed_calls() returns trigger
language plpgsql
as $$
begin
    update public.placed_calls p
    set contact_id = null, carrier_call_id = null, next_at = null, ended_at = coalesce(p.ended_at, clock_timestamp()),
        state = case when p.ended_at is not null then p.state when p.state = 'queued' then 'refused' else 'ended' end,
        outcome = case when p.ended_at is null then 'erased' else p.outcome end
    where p.org_id = new.org_id and p.contact_id = new.id;
    return null;
end
$$;

create trigger erased_lead after update of erased_at on public.contacts
    for each row when (new.erased_at is not null and old.erased_at is null) execute function app.forget_placed_calls();

-- A call's record loses the carrier's id of it, by whatever way: so does what says that it was placed.
create function app.forget_placed_call_id() returns trigger
language plpgsql
as $$
begin
    update public.placed_calls p set carrier_call_id = null
    where p.org_id = new.org_id and p.carrier = new.carrier and p.carrier_call_id = old.carrier_call_id
      and p.ended_at is not null;
    return null;
end
$$;

create trigger erased_placed_call after update of carrier_call_id on public.calls
    for each row when (new.carrier_call_id is distinct from old.carrier_call_id)
    execute function app.forget_placed_call_id();

grant execute on function
    app.calling_rules(uuid),
    app.set_calling_rules(uuid, boolean, text, text, text, text, text, text, integer, integer, integer, text, uuid),
    app.set_campaign_agent(uuid, uuid, text, text, text, text, uuid),
    app.calls_refusal(uuid, uuid),
    app.place_call(uuid, uuid, uuid, uuid, text, uuid),
    app.placed_call_facts(uuid, uuid),
    app.begin_placing(uuid, uuid, integer, text, interval),
    app.postpone_placed_call(uuid, uuid, timestamptz),
    app.refuse_placed_call(uuid, uuid, text),
    app.call_rank(text),
    app.report_placed_call(uuid, uuid, integer, text, text, interval),
    app.fail_placing(uuid, uuid, integer, text),
    app.note_answered_by(uuid, uuid, integer, text, text, text),
    app.settle_placed_call(uuid, uuid, integer, interval),
    app.call_brief(uuid, uuid),
    app.note_calls_wanted(uuid, uuid, boolean),
    app.withdraw_placed_call(uuid, uuid, text, uuid),
    app.placed_calls(uuid, uuid, integer, timestamptz),
    app.placed_call_elsewhere(uuid, uuid)
to gw_app;
grant execute on function app.due_placed_calls(integer) to gw_worker;

grant create on schema app to gw_resolver;
alter function app.enqueue_placed_call() owner to gw_resolver;
alter function app.placed_call_elsewhere(uuid, uuid) owner to gw_resolver;
revoke create on schema app from gw_resolver;
