-- Handing a caller over to a person at the clinic: to which number, at what hours; and what has become of each attempt.
--
--   asked -> answered                     a person at the clinic has picked up; nothing of the call is followed up by text
--     |----> unanswered, failed           the caller comes back to the agent
--
-- `summary` is what the person is told before they are connected, in redacted words; it goes as soon as it has been told, or
-- nobody is there to tell it to. GW192 no such handover.
--
-- Way back: drop the functions named at the end; drop table public.handovers, public.handover_settings. Older replicas look at
-- none of it: the carrier ends a call whose person they cannot be asked about.

-- Days are Monday (0) to Sunday, hours the clinic's own; without a number nobody is handed over.
create table public.handover_settings (
    org_id uuid primary key references public.organizations (org_id),
    number text check (number ~ '^\+[1-9][0-9]{6,14}$'),
    days integer[] not null default '{0,1,2,3,4}' check (days <@ '{0,1,2,3,4,5,6}'),
    opens time not null default '09:00',
    closes time not null default '17:00',
    ring_s integer not null default 25 check (ring_s between 5 and 60),
    changed_at timestamptz not null default clock_timestamp()
);

create table public.handovers (
    id uuid primary key,
    org_id uuid not null references public.organizations (org_id),
    call_id uuid not null,
    state text not null default 'asked' check (state in ('asked', 'answered', 'unanswered', 'failed')),
    summary text check (length(summary) between 1 and 500),
    asked_at timestamptz not null default clock_timestamp(),
    settled_at timestamptz,
    unique (org_id, id),
    check ((state = 'asked') = (settled_at is null)),
    check (state = 'asked' or summary is null),
    foreign key (org_id, call_id) references public.calls (org_id, id)
);

create index handovers_by_call on public.handovers (org_id, call_id);

alter table public.handover_settings enable row level security;
alter table public.handover_settings force row level security;
create policy tenant on public.handover_settings using (org_id = (select app.org_id()));

alter table public.handovers enable row level security;
alter table public.handovers force row level security;
create policy tenant on public.handovers using (org_id = (select app.org_id()));

grant select, insert, update (number, days, opens, closes, ring_s, changed_at) on public.handover_settings to gw_app;
grant select, insert, update (state, summary, settled_at) on public.handovers to gw_app;
grant select (org_id), delete on public.handover_settings, public.handovers to gw_resolver;

create function app.handover_rules(p_org uuid)
returns table (number text, days integer[], opens time, closes time, ring_s integer)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select s.number, coalesce(s.days, '{0,1,2,3,4}'), coalesce(s.opens, '09:00'), coalesce(s.closes, '17:00'),
            coalesce(s.ring_s, 25)
        from (values (p_org)) o (id) left join public.handover_settings s on s.org_id = o.id;
end
$$;

-- False if the number is one of the clinic's own: the call would come back to the agent.
create function app.set_handover_rules(
    p_org uuid, p_number text, p_days integer[], p_opens time, p_closes time, p_ring_s integer, p_actor_kind text,
    p_actor_id uuid
) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    if exists (select from public.phone_numbers n where n.org_id = p_org and n.number = p_number) then
        return false;
    end if;
    insert into public.handover_settings (org_id, number, days, opens, closes, ring_s)
    values (p_org, p_number, p_days, p_opens, p_closes, p_ring_s)
    on conflict (org_id) do update set number = excluded.number, days = excluded.days, opens = excluded.opens,
        closes = excluded.closes, ring_s = excluded.ring_s, changed_at = clock_timestamp();
    perform app.audit(p_org, p_actor_kind, p_actor_id, 'handover_rules_changed', 'org', p_org);
    return true;
end
$$;

-- A caller of this call is to be put through. GW003.
create function app.ask_handover(p_org uuid, p_id uuid, p_call uuid, p_summary text) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    perform from public.calls c where c.org_id = p_org and c.id = p_call;
    if not found then
        raise exception 'no such call' using errcode = 'GW003';
    end if;
    insert into public.handovers (org_id, id, call_id, summary) values (p_org, p_id, p_call, p_summary)
    on conflict (id) do nothing;
end
$$;

-- What is told to whoever has picked up, once: by that the handover is answered. GW192.
create function app.answer_handover(p_org uuid, p_id uuid) returns text
language plpgsql volatile
as $$
declare
    v_summary text;
begin
    perform app.require_org(p_org);
    select h.summary into v_summary from public.handovers h where h.org_id = p_org and h.id = p_id for update;
    if not found then
        raise exception 'no such handover' using errcode = 'GW192';
    end if;
    update public.handovers h set state = 'answered', summary = null, settled_at = clock_timestamp()
    where h.org_id = p_org and h.id = p_id and h.state = 'asked';
    return v_summary;
end
$$;

-- Nobody was there, or whoever picked up did not talk to the caller, or the carrier could not do it. GW192.
create function app.end_handover(p_org uuid, p_id uuid, p_state text) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.handovers h set state = p_state, summary = null, settled_at = clock_timestamp()
    where h.org_id = p_org and h.id = p_id;
    if not found then
        raise exception 'no such handover' using errcode = 'GW192';
    end if;
end
$$;

-- Whether a person at the clinic has taken this call over, in whichever of its legs.
create function app.was_handed_over(p_org uuid, p_call uuid) returns boolean
language plpgsql stable
as $$
begin
    perform app.require_org(p_org);
    return exists (
        select from public.handovers h
        where h.org_id = p_org and h.state = 'answered' and h.call_id in (select app.legs_of(p_org, p_call)));
end
$$;

grant execute on function
    app.handover_rules(uuid),
    app.set_handover_rules(uuid, text, integer[], time, time, integer, text, uuid),
    app.ask_handover(uuid, uuid, uuid, text),
    app.answer_handover(uuid, uuid),
    app.end_handover(uuid, uuid, text),
    app.was_handed_over(uuid, uuid)
to gw_app;
