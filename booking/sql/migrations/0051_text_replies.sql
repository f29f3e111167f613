-- What people text back: whoever had a follow-up asks for a booking link, or asks the clinic something. Their words are sealed
-- under their own key and go with it, so that erasing somebody takes them along; nothing is kept of who had no follow-up.
--
-- Way back: put app.read_sealed(uuid, text, uuid, text, text, uuid) as 0031 has it, app.forget_old(uuid, integer) as 0032;
-- drop the functions named at the end; drop table public.text_replies. Older replicas look at none of it.

create table public.text_replies (
    id uuid primary key,
    org_id uuid not null references public.organizations (org_id),
    kind text not null check (kind in ('booking', 'question')),
    call_id uuid not null,
    contact_id uuid not null,
    key_id uuid not null,
    sealed_body bytea not null check (length(sealed_body) between 1 and 16384),
    received_at timestamptz not null default clock_timestamp(),
    answered_at timestamptz,
    unique (org_id, id),
    foreign key (org_id, call_id) references public.calls (org_id, id),
    foreign key (org_id, contact_id) references public.contacts (org_id, id),
    foreign key (org_id, key_id) references public.contact_keys (org_id, id) on delete cascade
);

comment on column public.text_replies.call_id is 'the call whose follow-up they answer';
comment on column public.text_replies.answered_at is 'when the clinic said that it has dealt with it, or the link was sent';

create index replies_by_time on public.text_replies (org_id, received_at);

create index replies_by_contact on public.text_replies (org_id, contact_id);

create index replies_by_key on public.text_replies (org_id, key_id);

alter table public.text_replies enable row level security;
alter table public.text_replies force row level security;
create policy tenant on public.text_replies using (org_id = (select app.org_id()));
create policy resolver on public.text_replies for select to gw_resolver using (true);

grant select, insert, delete, update (answered_at) on public.text_replies to gw_app;
grant select (id, org_id) on public.text_replies to gw_resolver;

-- The follow-up that a number may be answering: its lead's last one, of the last 90 days. No row: there is none.
create function app.followed_up(p_org uuid, p_digests bytea[])
returns table (call_id uuid, contact_id uuid, booking_url text)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select o.call_id, o.contact_id, r.booking_url
        from public.contacts c
        join public.outbound_campaigns o on o.org_id = c.org_id and o.contact_id = c.id and o.call_id is not null
        left join public.follow_up_settings r on r.org_id = c.org_id
        where c.org_id = p_org and c.phone_digest = any (p_digests)
          and o.created_at > clock_timestamp() - interval '90 days'
        order by o.created_at desc limit 1;
end
$$;

-- A reply, whose id follows from the carrier's. False if it is there already.
create function app.keep_reply(
    p_org uuid, p_id uuid, p_kind text, p_call uuid, p_contact uuid, p_key uuid, p_sealed bytea
) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    perform from public.contact_keys k where k.org_id = p_org and k.id = p_key for key share;
    if not found then
        return false;
    end if;
    insert into public.text_replies (org_id, id, kind, call_id, contact_id, key_id, sealed_body)
    values (p_org, p_id, p_kind, p_call, p_contact, p_key, p_sealed) on conflict (id) do nothing;
    return found;
end
$$;

-- Replies as the clinic sees them, newest first, received before that instant; `p_waiting`: those not dealt with alone.
create function app.page_of_replies(
    p_org uuid, p_limit integer, p_waiting boolean, p_before timestamptz default null
)
returns table (
    id uuid, kind text, call_id uuid, contact_id uuid, received_at timestamptz, answered_at timestamptz
)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select r.id, r.kind, r.call_id, r.contact_id, r.received_at, r.answered_at from public.text_replies r
        where r.org_id = p_org and (p_before is null or r.received_at < p_before)
          and not (p_waiting and r.answered_at is not null)
        order by r.received_at desc, r.id desc limit least(greatest(p_limit, 0), 100);
end
$$;

-- It is dealt with. No row: no such reply.
create function app.answer_reply(p_org uuid, p_id uuid, p_actor_kind text, p_actor_id uuid)
returns table (answered_at timestamptz)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    update public.text_replies r set answered_at = clock_timestamp()
    where r.org_id = p_org and r.id = p_id and r.answered_at is null;
    if found then
        perform app.audit(p_org, p_actor_kind, p_actor_id, 'reply_answered', 'reply', p_id);
    end if;
    return query select r.answered_at from public.text_replies r where r.org_id = p_org and r.id = p_id;
end
$$;

-- As in 0031, and replies.
create or replace function app.read_sealed(
    p_org uuid, p_kind text, p_row uuid, p_purpose text, p_actor_kind text, p_actor_id uuid
)
returns table (place text, label text, sealed bytea, key_id uuid, wrapped bytea)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select f.place, f.label, f.sealed, k.id, k.wrapped
        from (
            select 'sealed' as place, 'medical' as label, n.sealed
            from public.clinical_notes n where p_kind = 'note' and n.org_id = p_org and n.id = p_row
            union all
            select 'sealed', v.kind, v.sealed
            from public.pii_vault v where p_kind = 'value' and v.org_id = p_org and v.id = p_row
            union all
            select s.place, s.label, s.sealed
            from public.contacts c, lateral (values
                ('sealed_phone', 'phone', c.sealed_phone), ('sealed_name', 'name', c.sealed_name),
                ('sealed_email', 'email', c.sealed_email), ('sealed_address', 'address', c.sealed_address)
            ) s (place, label, sealed)
            where p_kind = 'contact' and c.org_id = p_org and c.id = p_row and c.erased_at is null
            union all
            select s.place, s.label, s.sealed
            from public.sms_messages m, lateral (values
                ('sealed_receiver', 'receiver', m.sealed_receiver), ('sealed_body', 'body', m.sealed_body)
            ) s (place, label, sealed)
            where p_kind = 'text' and m.org_id = p_org and m.id = p_row
            union all
            select s.place, s.label, s.sealed
            from public.calls c, lateral (values
                ('sealed_caller', 'caller', c.sealed_caller), ('sealed_called', 'called', c.sealed_called)
            ) s (place, label, sealed)
            where p_kind = 'call' and c.org_id = p_org and c.id = p_row
            union all
            select 'sealed_body', r.kind, r.sealed_body
            from public.text_replies r where p_kind = 'reply' and r.org_id = p_org and r.id = p_row
        ) f
        left join public.contact_keys k on k.org_id = p_org and k.id = app.key_named(f.sealed)
        where f.sealed is not null;
    if found then
        perform app.audit(p_org, p_actor_kind, p_actor_id, 'read_for_' || p_purpose, p_kind, p_row);
    end if;
end
$$;

-- As app.sealed_elsewhere, of replies.
create function app.reply_elsewhere(p_org uuid, p_id uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
begin
    perform app.require_org(p_org);
    return exists (select from public.text_replies r where r.id = p_id and r.org_id <> p_org);
end
$$;

-- As in 0032, and replies, as long as texts are kept; the key of a number stays as long as one of its replies does.
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
                      and num_nonnulls(c.sealed_caller, c.sealed_called) = 0))
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
    app.followed_up(uuid, bytea[]),
    app.keep_reply(uuid, uuid, text, uuid, uuid, uuid, bytea),
    app.page_of_replies(uuid, integer, boolean, timestamptz),
    app.answer_reply(uuid, uuid, text, uuid),
    app.reply_elsewhere(uuid, uuid)
to gw_app;

grant create on schema app to gw_resolver;
alter function app.reply_elsewhere(uuid, uuid) owner to gw_resolver;
revoke create on schema app from gw_resolver;
