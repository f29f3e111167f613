-- A caller's word on being recorded, heard in the call itself: how an org has consent, and what a refusal clears.
--
-- A refusal marks the call and clears what is kept of its words, in one transaction. Whatever was being written at that
-- moment finds the mark: store_turn and keep_values wait for it, or it waits for them. Agreeing takes the mark away, for
-- what is said from then on. The ids of consents are chosen by whoever notes them, so that noting one again doubles nothing.
--
-- Also: a word noted in a call becomes its caller's, once that is known (settle_call_records never said so).
--
-- Way back: put app.store_turn(uuid, uuid, integer, jsonb, text, jsonb, double precision, double precision) as 0005 has it,
-- app.keep_values(uuid, uuid, uuid, uuid[], integer[], text[], bytea[]) and app.settle_call_records(uuid, uuid, uuid, bytea) as
-- 0030 has them; drop the functions named at the end; alter table public.calls drop column withheld_at; alter table
-- public.organizations drop column recording; revoke insert (id), update (contact_id) on public.consents from gw_app. Older
-- replicas look at none of it and call the same functions; a call is one replica's from its beginning to its end.

alter table public.organizations
    add column recording text not null default 'kept' check (recording in ('kept', 'announced', 'asked', 'off'));

comment on column public.organizations.recording is
    'whether words of calls are kept: unless refused, the same and the greeting says so, once agreed to, or never';

alter table public.calls add column withheld_at timestamptz;

comment on column public.calls.withheld_at is 'since then nothing of the call''s words is kept; null: nobody refused';

grant insert (recording), update (recording) on public.organizations to gw_app;
grant insert (id), update (contact_id) on public.consents to gw_app;

-- As org_profile, which stays for older replicas, with how consent to recording is had.
create function app.clinic_profile(p_org uuid)
returns table (
    org_id uuid, name text, time_zone text, greeting text, agent_name text, voice text,
    services jsonb, practitioners jsonb, recording text
)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select p.*, o.recording
        from app.org_profile(p_org) p join public.organizations o on o.org_id = p.org_id;
end
$$;

-- Nothing of the call's words is kept from now on, and nothing that was. That it took place is, with the times of its
-- turns and both of its ends. GW003.
--
-- Keys go first, as in erase_person; then the call's row, which store_turn looks at under a lock.
create function app.withhold_words(p_org uuid, p_call uuid) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    perform app.lock_call_key(p_call);
    perform from public.contact_keys k where k.org_id = p_org and k.call_id = p_call for update;
    perform from public.calls c where c.org_id = p_org and c.id = p_call for update;
    if not found then
        raise exception 'no such call' using errcode = 'GW003';
    end if;
    update public.calls c set withheld_at = clock_timestamp()
    where c.org_id = p_org and c.id = p_call and c.withheld_at is null;
    update public.call_turns t set said = '[]' where t.org_id = p_org and t.call_id = p_call and t.said <> '[]';
    delete from public.clinical_notes n where n.org_id = p_org and n.call_id = p_call;
    delete from public.pii_vault v where v.org_id = p_org and v.call_id = p_call;
end
$$;

-- The caller's word on being recorded, with all that follows from it and an audit record. False if it was noted before.
-- GW003.
create function app.note_call_consent(p_org uuid, p_id uuid, p_call uuid, p_given boolean) returns boolean
language plpgsql volatile
as $$
declare
    v_caller uuid;
begin
    perform app.require_org(p_org);
    perform app.lock_call_key(p_call);
    v_caller := app.caller_of(p_org, p_call);
    insert into public.consents (id, org_id, kind, given, source, contact_id, call_id)
    values (
        p_id, p_org, 'recording', p_given, 'call', case when not app.is_erased(p_org, v_caller) then v_caller end, p_call)
    on conflict (id) do nothing;
    if not found then
        return false;
    end if;
    if p_given then
        update public.calls c set withheld_at = null where c.org_id = p_org and c.id = p_call;
    else
        perform app.withhold_words(p_org, p_call);
    end if;
    perform app.audit(
        p_org, 'call', p_call, case when p_given then 'recording_agreed' else 'recording_refused' end, 'call', p_call);
    return true;
exception when foreign_key_violation then
    raise exception 'no such call' using errcode = 'GW003';
end
$$;

-- Whether the last word on being recorded of whoever has this number, given by its digests, was a no.
create function app.refuses_recording(p_org uuid, p_digests bytea[]) returns boolean
language plpgsql stable
as $$
begin
    perform app.require_org(p_org);
    return coalesce((
        select not s.given from public.consents s
        join public.contacts c on c.org_id = p_org and c.id = s.contact_id
        where s.org_id = p_org and s.kind = 'recording' and c.phone_digest = any (p_digests) and c.erased_at is null
        order by s.said_at desc, s.id limit 1), false);
end
$$;

create or replace function app.store_turn(
    p_org uuid, p_call uuid, p_turn integer, p_said jsonb, p_outcome text, p_stages_s jsonb,
    p_ttfb_ms double precision, p_overhead_ms double precision
) returns void
language plpgsql volatile
as $$
declare
    v_withheld boolean;
begin
    perform app.require_org(p_org);
    select c.withheld_at is not null into v_withheld from public.calls c
    where c.org_id = p_org and c.id = p_call for key share;
    insert into public.call_turns (org_id, call_id, turn, said, outcome, stages_s, ttfb_ms, overhead_ms)
    values (
        p_org, p_call, p_turn, case when v_withheld then '[]' else p_said end, p_outcome, p_stages_s, p_ttfb_ms,
        p_overhead_ms)
    on conflict (org_id, call_id, turn) do update set
        said = excluded.said, outcome = excluded.outcome, stages_s = excluded.stages_s,
        ttfb_ms = excluded.ttfb_ms, overhead_ms = excluded.overhead_ms;
exception when foreign_key_violation then
    raise exception 'no such call' using errcode = 'GW003';
end
$$;

-- Keeps what was said in a call, sealed under its key: `medical` among the notes, anything else in the vault. A row that
-- is there already stays, so that whoever cannot tell whether it was kept may ask again. If the key was destroyed
-- meanwhile, or the caller refused, nothing is kept. Says how many stand.
create or replace function app.keep_values(
    p_org uuid, p_call uuid, p_key uuid, p_ids uuid[], p_turns integer[], p_kinds text[], p_sealed bytea[]
) returns integer
language plpgsql volatile
as $$
declare
    v_contact uuid;
begin
    perform app.require_org(p_org);
    select k.contact_id into v_contact from public.contact_keys k
    where k.org_id = p_org and k.id = p_key and k.call_id = p_call for key share;
    if not found or exists (
        select from public.calls c where c.org_id = p_org and c.id = p_call and c.withheld_at is not null
    ) then
        return 0;
    end if;
    insert into public.clinical_notes (id, org_id, call_id, contact_id, turn, sealed)
    select v.id, p_org, p_call, v_contact, v.turn, v.sealed
    from unnest(p_ids, p_turns, p_kinds, p_sealed) v (id, turn, kind, sealed) where v.kind = 'medical'
    on conflict (id) do nothing;
    insert into public.pii_vault (id, org_id, call_id, contact_id, turn, kind, sealed)
    select v.id, p_org, p_call, v_contact, v.turn, v.kind, v.sealed
    from unnest(p_ids, p_turns, p_kinds, p_sealed) v (id, turn, kind, sealed) where v.kind <> 'medical'
    on conflict (id) do nothing;
    return cardinality(p_ids);
end
$$;

-- The call's records are its caller's: said once more when it ends, for rows that were written before that was known.
-- Answers the last address that the caller gave, whose it is, and their own key, under which it is to be sealed anew.
create or replace function app.settle_call_records(p_org uuid, p_call uuid, p_key uuid, p_wrapped bytea)
returns table (
    contact_id uuid, key_id uuid, wrapped bytea, address_id uuid, sealed_address bytea, call_key_id uuid,
    call_wrapped bytea
)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_contact uuid;
    v_address record;
begin
    perform app.require_org(p_org);
    perform app.lock_call_key(p_call);
    v_contact := app.caller_of(p_org, p_call);
    if v_contact is null or app.is_erased(p_org, v_contact) then
        return;
    end if;
    update public.contact_keys k set contact_id = v_contact
    where k.org_id = p_org and k.call_id = p_call and k.contact_id is null;
    update public.calls c set contact_id = v_contact
    where c.org_id = p_org and c.id = p_call and c.contact_id is null;
    update public.clinical_notes n set contact_id = v_contact
    where n.org_id = p_org and n.call_id = p_call and n.contact_id is null;
    update public.pii_vault v set contact_id = v_contact
    where v.org_id = p_org and v.call_id = p_call and v.contact_id is null;
    update public.consents s set contact_id = v_contact
    where s.org_id = p_org and s.call_id = p_call and s.contact_id is null;
    select a.id, a.sealed, k.id as key_id, k.wrapped into v_address
    from public.pii_vault a
    join public.contact_keys k on k.org_id = p_org and k.call_id = p_call
    where a.org_id = p_org and a.call_id = p_call and a.kind = 'address'
    order by a.turn desc nulls last, a.kept_at desc limit 1;
    if found then
        return query
            select v_contact, o.key_id, o.wrapped, v_address.id, v_address.sealed, v_address.key_id,
                v_address.wrapped
            from app.own_key(p_org, v_contact, '{}', p_key, p_wrapped) o;
    end if;
end
$$;

grant execute on function
    app.clinic_profile(uuid),
    app.withhold_words(uuid, uuid),
    app.note_call_consent(uuid, uuid, uuid, boolean),
    app.refuses_recording(uuid, bytea[])
to gw_app;
