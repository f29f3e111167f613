-- The rights of people: reading back what is sealed, erasing somebody, what they agreed to. GW013 no such contact.
--
-- Erasing destroys keys and clears rows in one transaction: it happened, or it did not. Rows that others count by or refer
-- to stay, with nothing personal in them: one byte 0 in place of a sealed value, a random digest in place of a number's.
-- What stays on purpose: appointments (times of a practitioner), and the keyed digest of a number that opted out of texts,
-- because else it would be texted again.
--
-- Way back: drop the functions named at the end; drop table public.erasures, public.consents; revoke the rights granted on
-- public.contacts, public.sms_messages, public.otp_codes. Older replicas look at none of it.

-- What somebody agreed to or refused, each word of it; the last one counts. Texts have their own place: contacts and
-- text_opt_outs. A call's counts for the call, and for its caller once that is known.
create table public.consents (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    kind text not null check (kind = 'recording'),
    given boolean not null,
    source text not null check (source in ('call', 'text', 'staff', 'form')),
    contact_id uuid,
    call_id uuid,
    said_at timestamptz not null default clock_timestamp(),
    unique (org_id, id),
    check (num_nonnulls(contact_id, call_id) >= 1),
    foreign key (org_id, contact_id) references public.contacts (org_id, id),
    foreign key (org_id, call_id) references public.calls (org_id, id)
);

create index consents_by_contact on public.consents (org_id, contact_id, said_at);

create index consents_by_call on public.consents (org_id, call_id, said_at);

-- That somebody was erased: what of, and by whom. The proof, with nothing of the person in it.
create table public.erasures (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    contact_id uuid,
    actor_kind text not null check (actor_kind in ('call', 'token', 'worker', 'operator')),
    actor_id uuid,
    counts jsonb not null,
    erased_at timestamptz not null default clock_timestamp(),
    unique (org_id, id),
    foreign key (org_id, contact_id) references public.contacts (org_id, id)
);

create index erasures_by_time on public.erasures (org_id, erased_at);

create index erasures_by_contact on public.erasures (org_id, contact_id, erased_at);

alter table public.consents enable row level security;
alter table public.consents force row level security;
create policy tenant on public.consents using (org_id = (select app.org_id()));

alter table public.erasures enable row level security;
alter table public.erasures force row level security;
create policy tenant on public.erasures using (org_id = (select app.org_id()));

grant select, insert (org_id, kind, given, source, contact_id, call_id), delete on public.consents to gw_app;
grant select, insert (org_id, contact_id, actor_kind, actor_id, counts) on public.erasures to gw_app;
grant update (erased_at) on public.contacts to gw_app;
grant update (receiver_digest, sealed_receiver, sealed_body) on public.sms_messages to gw_app;
grant update (receiver_digest) on public.otp_codes to gw_app;

-- Somebody's word. For texts it stands with the contact. False if it cannot count: who told the carrier STOP is texted
-- again once they tell it START, and by nobody else's word. GW013.
create function app.record_consent(
    p_org uuid, p_kind text, p_given boolean, p_source text, p_contact uuid, p_call uuid, p_actor_kind text,
    p_actor_id uuid
) returns boolean
language plpgsql volatile
as $$
declare
    v_digest bytea;
begin
    perform app.require_org(p_org);
    if p_contact is not null then
        select c.phone_digest into v_digest from public.contacts c
        where c.org_id = p_org and c.id = p_contact and c.erased_at is null for no key update;
        if not found then
            raise exception 'no such contact' using errcode = 'GW013';
        end if;
    end if;
    if p_kind = 'texts' then
        if p_contact is null or (p_given and app.has_opted_out(p_org, array[v_digest])) then
            return false;
        end if;
        update public.contacts c
        set texts_agreed_at = case when p_given then clock_timestamp() else c.texts_agreed_at end,
            texts_refused_at = case when p_given then c.texts_refused_at else clock_timestamp() end,
            updated_at = clock_timestamp()
        where c.org_id = p_org and c.id = p_contact;
    else
        insert into public.consents (org_id, kind, given, source, contact_id, call_id)
        values (p_org, p_kind, p_given, p_source, p_contact, p_call);
    end if;
    perform app.audit(
        p_org, p_actor_kind, p_actor_id, p_kind || case when p_given then '_agreed' else '_refused' end,
        case when p_contact is null then 'call' else 'contact' end, coalesce(p_contact, p_call));
    return true;
end
$$;

-- What is sealed in one row, with the keys to it, once that it is read stands in the audit log. `place`: the column.
create function app.read_sealed(
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
        ) f
        left join public.contact_keys k on k.org_id = p_org and k.id = app.key_named(f.sealed)
        where f.sealed is not null;
    if found then
        perform app.audit(p_org, p_actor_kind, p_actor_id, 'read_for_' || p_purpose, p_kind, p_row);
    end if;
end
$$;

-- In place of a number's digest: nobody's.
create function app.digest_of_nobody() returns bytea
language sql volatile
as $$
    select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
$$;

-- A person's calls: those known to be theirs, and those from their number.
create function app.calls_of(p_org uuid, p_contact uuid, p_digests bytea[]) returns setof uuid
language sql stable
as $$
    select c.id from public.calls c
    where c.org_id = p_org and (c.contact_id = p_contact or c.caller_digest = any (p_digests))
    union
    select k.call_id from public.contact_keys k
    where k.org_id = p_org and k.contact_id = p_contact and k.call_id is not null
    union
    select h.call_id from public.appointment_holds h
    join public.calls c on c.org_id = h.org_id and c.id = h.call_id
    where h.org_id = p_org and h.contact_id = p_contact and app.caller_of(p_org, h.call_id) = p_contact
$$;

create index holds_by_contact on public.appointment_holds (org_id, contact_id) where (contact_id is not null);

create index calls_by_contact on public.calls (org_id, contact_id) where (contact_id is not null);

-- Nothing personal is left of these calls, their words included; that they took place is.
create function app.clear_calls(p_org uuid, p_calls uuid[]) returns integer
language plpgsql volatile
as $$
declare
    v_cleared integer;
begin
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

-- Erases a person, named by contact or by their number's digests alone (then `p_contact` is null and they need not be a
-- contact). Their appointments to come are cancelled only if `p_cancel` says so. Asked again, it clears what has come
-- since; if that is nothing, the proof from before is answered (`again`). No row: nothing is known of the number. GW013.
--
-- Keys go first: whoever is writing under one holds it until that is done (keep_values), and nobody can begin to
-- afterwards, so no row comes in behind what clears it. Order of locks: number, practitioners, contact, keys.
create function app.erase_person(
    p_org uuid, p_contact uuid, p_digests bytea[], p_cancel boolean, p_actor_kind text, p_actor_id uuid
)
returns table (erasure_id uuid, contact_id uuid, erased_at timestamptz, counts jsonb, again boolean)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_contact uuid := p_contact;
    v_digests bytea[] := p_digests;
    v_calls uuid[];
    v_appointments uuid[] := '{}';
    v_counts jsonb := '{}';
    v_count integer;
begin
    perform app.require_org(p_org);
    v_digests := v_digests || array(
        select c.phone_digest from public.contacts c where c.org_id = p_org and c.id = p_contact);
    perform app.lock_number(p_org, v_digests);
    if p_contact is null then
        select c.id into v_contact from public.contacts c
        where c.org_id = p_org and c.phone_digest = any (p_digests) order by c.created_at limit 1;
    elsif not exists (select from public.contacts c where c.org_id = p_org and c.id = p_contact) then
        raise exception 'no such contact' using errcode = 'GW013';
    end if;
    if p_cancel then
        v_appointments := array(
            select a.id from public.appointments a
            where a.org_id = p_org and a.contact_id = v_contact and a.status = 'booked'
              and a.starts_at > clock_timestamp());
        perform app.lock_practitioners(array(
            select a.practitioner_number from public.appointments a
            where a.org_id = p_org and a.id = any (v_appointments)));
        perform app.cancel_booking(p_org, a.id) from public.appointments a
        where a.org_id = p_org and a.id = any (v_appointments) and a.status = 'booked'
          and a.starts_at > clock_timestamp();
    end if;
    perform from public.contacts c where c.org_id = p_org and c.id = v_contact for no key update;
    v_calls := array(select app.calls_of(p_org, v_contact, v_digests));

    delete from public.contact_keys k where k.org_id = p_org and (
        k.contact_id = v_contact or k.call_id = any (v_calls) or k.number_digest = any (v_digests));
    get diagnostics v_count = row_count;
    v_counts := jsonb_build_object('appointments_cancelled', cardinality(v_appointments), 'keys', v_count);

    delete from public.clinical_notes n
    where n.org_id = p_org and (n.contact_id = v_contact or n.call_id = any (v_calls));
    get diagnostics v_count = row_count;
    v_counts := v_counts || jsonb_build_object('notes', v_count);

    delete from public.pii_vault v
    where v.org_id = p_org and (v.contact_id = v_contact or v.call_id = any (v_calls));
    get diagnostics v_count = row_count;
    v_counts := v_counts || jsonb_build_object('values', v_count);

    delete from public.consents s
    where s.org_id = p_org and (s.contact_id = v_contact or s.call_id = any (v_calls));
    get diagnostics v_count = row_count;
    v_counts := v_counts || jsonb_build_object('consents', v_count);

    update public.call_turns t set said = '[]'
    where t.org_id = p_org and t.call_id = any (v_calls) and t.said <> '[]';
    get diagnostics v_count = row_count;
    v_counts := v_counts || jsonb_build_object('turns', v_count, 'calls', app.clear_calls(p_org, v_calls));

    update public.sms_messages m
    set receiver_digest = app.digest_of_nobody(), sealed_receiver = '\x00', sealed_body = '\x00', check_after = null
    where m.org_id = p_org and m.receiver_digest = any (v_digests);
    get diagnostics v_count = row_count;
    v_counts := v_counts || jsonb_build_object('texts', v_count);

    update public.otp_codes o
    set receiver_digest = app.digest_of_nobody(), digest = null,
        state = case o.state when 'live' then 'cleared' else o.state end
    where o.org_id = p_org and o.receiver_digest = any (v_digests);
    get diagnostics v_count = row_count;
    v_counts := v_counts || jsonb_build_object('codes', v_count);

    update public.contacts c
    set phone_digest = app.digest_of_nobody(), sealed_phone = '\x00', sealed_name = null, sealed_email = null,
        sealed_address = null, texts_agreed_at = null, texts_refused_at = null,
        erased_at = clock_timestamp(), updated_at = clock_timestamp()
    where c.org_id = p_org and c.id = v_contact and c.erased_at is null;
    get diagnostics v_count = row_count;
    v_counts := v_counts || jsonb_build_object('contacts', v_count);

    if not exists (select from jsonb_each_text(v_counts) each where each.value <> '0') then
        return query
            select e.id, e.contact_id, e.erased_at, e.counts, true from public.erasures e
            where e.org_id = p_org and e.contact_id = v_contact order by e.erased_at desc limit 1;
        return;
    end if;
    perform app.audit(p_org, p_actor_kind, p_actor_id, 'contact_erased', 'contact', v_contact);
    return query
        insert into public.erasures as e (org_id, contact_id, actor_kind, actor_id, counts)
        values (p_org, v_contact, p_actor_kind, p_actor_id, v_counts)
        returning e.id, e.contact_id, e.erased_at, e.counts, false;
end
$$;

grant execute on function
    app.record_consent(uuid, text, boolean, text, uuid, uuid, text, uuid),
    app.read_sealed(uuid, text, uuid, text, text, uuid),
    app.digest_of_nobody(),
    app.calls_of(uuid, uuid, bytea[]),
    app.clear_calls(uuid, uuid[]),
    app.erase_person(uuid, uuid, bytea[], boolean, text, uuid)
to gw_app;
