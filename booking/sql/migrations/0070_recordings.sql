-- Sound of calls, for clinics that record it: what was recorded, where it lies, and when it goes. The sound itself lies in a
-- store of objects, in parts that are sealed under the call's key; here is no word of it.
--
--   recording -> stored              the call is over and every part lies in the store
--       |     -> incomplete          some of it is missing: the store was away too long, or the process died
--   any of these -> deleting -> deleted
--
-- While it is recorded `next_at` is when whoever records counts as gone; while it is being deleted, when the store is looked at
-- again. It goes by trigger with the key that it is sealed under, and when the caller refuses in the call, so that no way of
-- erasing or refusing forgets it; and when its time is over. GW003 no such call.
--
-- Way back: drop trigger key_destroyed on public.contact_keys, words_withheld on public.calls; put app.forget_old(uuid, integer)
-- as 0051 has it; delete from public.retention_periods where kind = 'recordings'; put the check on its kind back as 0058 has it;
-- drop the functions named at the end and app.enqueue_recording(), app.key_of_recordings_gone(), app.withhold_recordings(); drop
-- table public.recordings; alter table public.organizations drop column records_sound. What lies in the store is to be deleted
-- there. Older replicas look at none of it; what they erase or clear takes recordings along.

alter table public.organizations add column records_sound boolean not null default false;

comment on column public.organizations.records_sound is
    'whether the sound of calls is recorded, where the words are kept and callers know';

grant update (records_sound) on public.organizations to gw_app;

create table public.recordings (
    id uuid primary key,
    org_id uuid not null references public.organizations (org_id),
    call_id uuid not null,
    key_id uuid not null,
    place text not null check (length(place) between 1 and 1000),
    state text not null default 'recording' check (
        state in ('recording', 'stored', 'incomplete', 'deleting', 'deleted')),
    parts integer not null default 0 check (parts between 0 and 99999),
    bytes bigint not null default 0 check (bytes >= 0),
    duration_ms bigint not null default 0 check (duration_ms >= 0),
    sha256 bytea check (length(sha256) = 32),
    started_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    deleting_at timestamptz,
    deleted_at timestamptz,
    next_at timestamptz,
    unique (org_id, id),
    check ((state in ('recording', 'deleting')) = (next_at is not null)),
    foreign key (org_id, call_id) references public.calls (org_id, id)
);

comment on column public.recordings.key_id is 'of contact_keys; that row may be gone, and the sound with it';
comment on column public.recordings.place is 'before each part''s number, in the store';
comment on column public.recordings.bytes is 'as they lie in the store, sealed';
comment on column public.recordings.sha256 is 'of all parts in order, sealed; null: it was cut off';

create index recordings_by_call on public.recordings (org_id, call_id);

create index recordings_by_key on public.recordings (org_id, key_id);

create index recordings_by_age on public.recordings (org_id, started_at) where (state in ('stored', 'incomplete'));

create index recordings_to_look_at on public.recordings (next_at) where (next_at is not null);

alter table public.recordings enable row level security;
alter table public.recordings force row level security;
create policy tenant on public.recordings using (org_id = (select app.org_id()));
create policy resolver on public.recordings for select to gw_resolver using (true);
-- The sweep sees which is to be looked at, and nothing more of it.
create policy sweeper on public.recordings for select to gw_worker using (next_at <= now());

grant select, insert, update (state, parts, bytes, duration_ms, sha256, ended_at, deleting_at, deleted_at, next_at)
    on public.recordings to gw_app;
grant select (id, org_id, key_id, state), delete on public.recordings to gw_resolver;
grant select (id, org_id, next_at) on public.recordings to gw_worker;

-- Sound is kept from now on, or no more; audited. What lies in the store stays for its time.
create function app.set_sound_recording(p_org uuid, p_on boolean, p_actor_kind text, p_actor_id uuid) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.organizations o set records_sound = p_on where o.org_id = p_org and o.records_sound <> p_on;
    if found then
        perform app.audit(
            p_org, p_actor_kind, p_actor_id, case when p_on then 'sound_recording_on' else 'sound_recording_off' end,
            'org', p_org);
    end if;
end
$$;

create function app.records_sound(p_org uuid) returns boolean
language plpgsql stable
as $$
begin
    perform app.require_org(p_org);
    return coalesce((select o.records_sound from public.organizations o where o.org_id = p_org), false);
end
$$;

-- A recording begins, unless the org records none, is there for a trial (whose rows go without anybody to look after the
-- store), the caller has refused, or the key is gone. GW003.
create function app.open_recording(p_org uuid, p_call uuid, p_id uuid, p_key uuid, p_place text, p_lease interval)
returns boolean
language plpgsql volatile
as $$
declare
    v_withheld boolean;
begin
    perform app.require_org(p_org);
    perform from public.contact_keys k
    where k.org_id = p_org and k.id = p_key and k.call_id = p_call for key share;
    if not found then
        return false;
    end if;
    select c.withheld_at is not null into v_withheld from public.calls c
    where c.org_id = p_org and c.id = p_call for key share;
    if not found then
        raise exception 'no such call' using errcode = 'GW003';
    end if;
    if v_withheld or not exists (
        select from public.organizations o where o.org_id = p_org and o.records_sound and o.trial_until is null
    ) then
        return false;
    end if;
    insert into public.recordings (id, org_id, call_id, key_id, place, next_at)
    values (p_id, p_org, p_call, p_key, p_place, clock_timestamp() + p_lease)
    on conflict (id) do nothing;
    return exists (
        select from public.recordings r where r.org_id = p_org and r.id = p_id and r.state = 'recording');
end
$$;

-- So much of it lies in the store. False if it is recorded no more: then what lies there is to go.
create function app.note_recorded(
    p_org uuid, p_id uuid, p_parts integer, p_bytes bigint, p_duration_ms bigint, p_lease interval
) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.recordings r
    set parts = p_parts, bytes = p_bytes, duration_ms = p_duration_ms, next_at = clock_timestamp() + p_lease
    where r.org_id = p_org and r.id = p_id and r.state = 'recording' and r.parts <= p_parts;
    return found;
end
$$;

-- The call is over. False if it was settled otherwise meanwhile.
create function app.close_recording(p_org uuid, p_id uuid, p_whole boolean, p_sha256 bytea) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.recordings r
    set state = case when p_whole then 'stored' else 'incomplete' end, sha256 = p_sha256,
        ended_at = clock_timestamp(), next_at = null
    where r.org_id = p_org and r.id = p_id and r.state = 'recording' and r.parts > 0;
    return found;
end
$$;

-- These go: the row says so, and a job has the store delete them.
create function app.discard_recordings(p_org uuid, p_ids uuid[]) returns integer
language plpgsql volatile
as $$
declare
    v_count integer;
begin
    perform app.require_org(p_org);
    update public.recordings r
    set state = 'deleting', deleting_at = clock_timestamp(), next_at = clock_timestamp(),
        ended_at = coalesce(r.ended_at, clock_timestamp())
    where r.org_id = p_org and r.id = any (p_ids) and r.state in ('recording', 'stored', 'incomplete');
    get diagnostics v_count = row_count;
    return v_count;
end
$$;

-- In the transaction that says so.
create function app.enqueue_recording() returns trigger
language plpgsql
as $$
begin
    perform app.enqueue('recording', new.id);
    return null;
end
$$;

create trigger recording_to_delete after update of state on public.recordings
    for each row when (new.state = 'deleting' and old.state <> 'deleting') execute function app.enqueue_recording();

create function app.key_of_recordings_gone() returns trigger
language plpgsql
as $$
begin
    if exists (
        select from public.recordings r
        where r.org_id = old.org_id and r.key_id = old.id and r.state in ('recording', 'stored', 'incomplete')
    ) then
        perform app.discard_recordings(old.org_id, array(
            select r.id from public.recordings r where r.org_id = old.org_id and r.key_id = old.id));
    end if;
    return null;
end
$$;

create trigger key_destroyed after delete on public.contact_keys
    for each row execute function app.key_of_recordings_gone();

create function app.withhold_recordings() returns trigger
language plpgsql
as $$
begin
    perform app.discard_recordings(new.org_id, array(
        select r.id from public.recordings r where r.org_id = new.org_id and r.call_id = new.id));
    return null;
end
$$;

create trigger words_withheld after update of withheld_at on public.calls
    for each row when (old.withheld_at is null and new.withheld_at is not null)
    execute function app.withhold_recordings();

-- How it stands, after what a crash left is settled: of whoever records nothing was heard for too long, so what lies in the
-- store is all there is. `deleting_for`: since when it is to go. No row: no such recording.
create function app.settle_recording(p_org uuid, p_id uuid)
returns table (state text, place text, deleting_for interval)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    update public.recordings r set state = 'incomplete', ended_at = clock_timestamp(), next_at = null
    where r.org_id = p_org and r.id = p_id and r.state = 'recording' and r.next_at <= clock_timestamp() and r.parts > 0;
    if not found then
        perform app.discard_recordings(p_org, array(
            select r.id from public.recordings r
            where r.org_id = p_org and r.id = p_id and r.state = 'recording' and r.next_at <= clock_timestamp()));
    end if;
    return query
        select r.state, r.place, clock_timestamp() - r.deleting_at from public.recordings r
        where r.org_id = p_org and r.id = p_id;
end
$$;

-- The store has nothing of it any more, and nobody can be putting anything there: `p_done`. Else it is looked at again.
create function app.note_deleted_recording(p_org uuid, p_id uuid, p_done boolean, p_after interval) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.recordings r
    set state = case when p_done then 'deleted' else r.state end, sha256 = case when not p_done then r.sha256 end,
        deleted_at = case when p_done then clock_timestamp() end,
        next_at = case when not p_done then clock_timestamp() + p_after end
    where r.org_id = p_org and r.id = p_id and r.state = 'deleting';
    return found;
end
$$;

create function app.due_recordings(p_limit integer) returns table (org_id uuid, recording_id uuid)
language sql stable
as $$
    select r.org_id, r.id from public.recordings r
    where r.next_at <= now() order by r.next_at limit least(greatest(p_limit, 0), 1000)
$$;

-- Where a recording lies and the key to it, once that it is heard stands in the audit log. A key that is gone is null. One
-- that is recorded or deleted is told as it stands, and nothing written.
create function app.read_recording(p_org uuid, p_id uuid, p_purpose text, p_actor_kind text, p_actor_id uuid)
returns table (
    state text, place text, parts integer, bytes bigint, duration_ms bigint, key_id uuid, wrapped bytea
)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select r.state, r.place, r.parts, r.bytes, r.duration_ms, k.id, k.wrapped
        from public.recordings r
        left join public.contact_keys k on k.org_id = r.org_id and k.id = r.key_id
        where r.org_id = p_org and r.id = p_id;
    if exists (
        select from public.recordings r
        where r.org_id = p_org and r.id = p_id and r.state in ('stored', 'incomplete')
    ) then
        perform app.audit(p_org, p_actor_kind, p_actor_id, 'read_for_' || p_purpose, 'recording', p_id);
    end if;
end
$$;

-- As app.sealed_elsewhere, of recordings.
create function app.recording_elsewhere(p_org uuid, p_id uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
begin
    perform app.require_org(p_org);
    return exists (select from public.recordings r where r.id = p_id and r.org_id <> p_org);
end
$$;

-- --- how long they are kept ----------------------------------------------------------------------------------

alter table public.retention_periods drop constraint retention_periods_kind_check;
alter table public.retention_periods add constraint retention_periods_kind_check
    check (kind in ('turns', 'notes', 'personal', 'texts', 'calls', 'contacts', 'recordings'));

-- The org's period for recordings, in days.
create function app.recording_days(p_org uuid) returns integer
language plpgsql stable
as $$
begin
    perform app.require_org(p_org);
    return coalesce((
        select r.days from public.retention_periods r where r.org_id = p_org and r.kind = 'recordings'), 90);
end
$$;

-- Whoever changes the periods has that on record by app.set_retention.
create function app.keep_recordings_for(p_org uuid, p_days integer) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    insert into public.retention_periods (org_id, kind, days) values (p_org, 'recordings', p_days)
    on conflict (org_id, kind) do update set days = excluded.days, changed_at = clock_timestamp();
end
$$;

-- So many recordings, at most, whose time is over; how many.
create function app.forget_old_recordings(p_org uuid, p_batch integer) returns integer
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    return app.discard_recordings(p_org, array(
        select r.id from public.recordings r
        where r.org_id = p_org and r.state in ('stored', 'incomplete')
          and r.started_at < clock_timestamp() - make_interval(days => app.recording_days(p_org))
        order by r.started_at limit greatest(p_batch, 0)));
end
$$;

-- As in 0051; a call's key stays as long as a recording under it does.
create or replace function app.forget_old(p_org uuid, p_batch integer)
returns table (turns integer, notes integer, personal integer, texts integer, codes integer, calls integer, keys integer)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_days record;
    v_now timestamptz := clock_timestamp();
    v_replies integer;
begin
    perform app.require_org(p_org);
    select r.* into v_days from app.retention(p_org) r;

    update public.call_turns t set said = '[]' from (
        select o.call_id, o.turn from public.call_turns o
        where o.org_id = p_org and o.said <> '[]' and o.stored_at < v_now - make_interval(days => v_days.turns)
        order by o.stored_at limit p_batch
    ) old where t.org_id = p_org and t.call_id = old.call_id and t.turn = old.turn;
    get diagnostics turns = row_count;

    delete from public.clinical_notes n where n.org_id = p_org and n.id in (
        select o.id from public.clinical_notes o
        where o.org_id = p_org and o.noted_at < v_now - make_interval(days => v_days.notes)
        order by o.noted_at limit p_batch);
    get diagnostics notes = row_count;

    delete from public.pii_vault v where v.org_id = p_org and v.id in (
        select o.id from public.pii_vault o
        where o.org_id = p_org and o.kept_at < v_now - make_interval(days => v_days.personal)
        order by o.kept_at limit p_batch);
    get diagnostics personal = row_count;

    update public.sms_messages m
    set receiver_digest = app.digest_of_nobody(), sealed_receiver = '\x00', sealed_body = '\x00', check_after = null
    where m.org_id = p_org and m.id in (
        select o.id from public.sms_messages o
        where o.org_id = p_org and o.sealed_body <> '\x00'
          and o.recorded_at < v_now - make_interval(days => v_days.texts)
        order by o.recorded_at limit p_batch);
    get diagnostics texts = row_count;

    delete from public.text_replies r where r.org_id = p_org and r.id in (
        select o.id from public.text_replies o
        where o.org_id = p_org and o.received_at < v_now - make_interval(days => v_days.texts)
        order by o.received_at limit p_batch);
    get diagnostics v_replies = row_count;
    texts := texts + v_replies;

    delete from public.otp_codes c where c.org_id = p_org and c.id in (
        select o.id from public.otp_codes o
        where o.org_id = p_org and o.stored_at < v_now - make_interval(days => v_days.texts)
        order by o.stored_at limit p_batch);
    get diagnostics codes = row_count;

    calls := app.clear_calls(p_org, array(
        select o.id from public.calls o
        where o.org_id = p_org and o.ended_at is not null and o.carrier_call_id not like 'erased %'
          and o.started_at < v_now - make_interval(days => v_days.calls)
        order by o.started_at limit p_batch));

    delete from public.contact_keys k where k.org_id = p_org and k.id in (
        select o.id from public.contact_keys o
        where o.org_id = p_org and o.made_at < v_now - make_interval(days => least(
                v_days.notes, v_days.personal, v_days.texts, v_days.calls))
          and (
            (o.call_id is not null
                and not exists (
                    select from public.clinical_notes n where n.org_id = p_org and n.call_id = o.call_id)
                and not exists (
                    select from public.pii_vault v where v.org_id = p_org and v.call_id = o.call_id)
                and exists (
                    select from public.calls c
                    where c.org_id = p_org and c.id = o.call_id and c.ended_at is not null
                      and num_nonnulls(c.sealed_caller, c.sealed_called) = 0)
                and not exists (
                    select from public.recordings r
                    where r.org_id = p_org and r.key_id = o.id and r.state <> 'deleted'))
            or (o.number_digest is not null
                and not exists (
                    select from public.sms_messages m
                    where m.org_id = p_org and m.receiver_digest = o.number_digest)
                and not exists (
                    select from public.text_replies r where r.org_id = p_org and r.key_id = o.id))
          )
        limit p_batch);
    get diagnostics keys = row_count;
    return next;
end
$$;

grant execute on function
    app.set_sound_recording(uuid, boolean, text, uuid),
    app.records_sound(uuid),
    app.open_recording(uuid, uuid, uuid, uuid, text, interval),
    app.note_recorded(uuid, uuid, integer, bigint, bigint, interval),
    app.close_recording(uuid, uuid, boolean, bytea),
    app.discard_recordings(uuid, uuid[]),
    app.settle_recording(uuid, uuid),
    app.note_deleted_recording(uuid, uuid, boolean, interval),
    app.read_recording(uuid, uuid, text, text, uuid),
    app.recording_elsewhere(uuid, uuid),
    app.recording_days(uuid),
    app.keep_recordings_for(uuid, integer),
    app.forget_old_recordings(uuid, integer)
to gw_app;
grant execute on function app.due_recordings(integer) to gw_worker;

grant create on schema app to gw_resolver;
alter function app.recording_elsewhere(uuid, uuid) owner to gw_resolver;
revoke create on schema app from gw_resolver;
