-- Keys of people: what is sealed for somebody opens under a key of their own, which lies here wrapped under their org's.
-- Without the row nothing sealed under it opens ever again: that is what erasing somebody comes down to.
--
-- A key is a contact's own; or a call's, until and after it is known whose call it was; or a number's, until a contact
-- has that number. `wrapped` is bound to org and key, not to whose it is, so that binding a key to a contact seals
-- nothing anew. A sealed value (version byte 2) names its key; one byte 0 stands where a value was erased.
-- GW003 no such call.
--
-- Way back: drop trigger caller_known on public.appointment_holds; drop the functions named at the end and
-- app.caller_known(), app.key_named(bytea); drop table public.contact_keys; alter table public.contacts drop column
-- erased_at; revoke update (contact_id) on public.clinical_notes, public.pii_vault from gw_app. What was sealed under its
-- keys is lost with it. Older replicas look at none of it: they seal under the org's key, and what they meet of version 2
-- they tell as unreadable.

alter table public.contacts add column erased_at timestamptz;

comment on column public.contacts.erased_at is 'since then nothing is kept of this person, nor ever again under this id';

create table public.contact_keys (
    id uuid primary key,
    org_id uuid not null references public.organizations (org_id),
    contact_id uuid,
    call_id uuid,
    number_digest bytea check (length(number_digest) = 32),
    wrapped bytea not null check (length(wrapped) between 1 and 4096),
    made_at timestamptz not null default clock_timestamp(),
    rewrapped_at timestamptz,
    unique (org_id, id),
    check (num_nonnulls(contact_id, call_id, number_digest) >= 1),
    foreign key (org_id, contact_id) references public.contacts (org_id, id),
    foreign key (org_id, call_id) references public.calls (org_id, id)
);

create unique index one_key_per_call on public.contact_keys (org_id, call_id) where (call_id is not null);

create unique index one_key_per_number on public.contact_keys (org_id, number_digest)
    where (number_digest is not null);

create unique index one_own_key on public.contact_keys (org_id, contact_id) where (call_id is null);

create index keys_by_contact on public.contact_keys (org_id, contact_id);

alter table public.contact_keys enable row level security;
alter table public.contact_keys force row level security;
create policy tenant on public.contact_keys using (org_id = (select app.org_id()));

grant select, insert, delete, update (contact_id, number_digest, wrapped, rewrapped_at) on public.contact_keys to gw_app;
grant update (contact_id) on public.clinical_notes, public.pii_vault to gw_app;

-- Which key a sealed value names; null if it was sealed under the org's (version 1).
create function app.key_named(p_sealed bytea) returns uuid
language sql immutable parallel safe
as $$
    select case
        when length(p_sealed) > 17 and get_byte(p_sealed, 0) = 2
        then encode(substr(p_sealed, 2, 16), 'hex')::uuid
    end
$$;

create function app.is_erased(p_org uuid, p_contact uuid) returns boolean
language sql stable
as $$
    select exists (
        select from public.contacts c where c.org_id = p_org and c.id = p_contact and c.erased_at is not null)
$$;

-- The contact's own key. `p_key` becomes it if there is none; or the key of their number does, if that has one. No row:
-- the contact was erased.
create function app.own_key(p_org uuid, p_contact uuid, p_digests bytea[], p_key uuid, p_wrapped bytea)
returns table (key_id uuid, wrapped bytea)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform pg_advisory_xact_lock(hashtextextended('own key ' || p_contact, 0));
    return query select k.id, k.wrapped from public.contact_keys k
    where k.org_id = p_org and k.contact_id = p_contact and k.call_id is null;
    if found or app.is_erased(p_org, p_contact) then
        return;
    end if;
    return query
        update public.contact_keys k set contact_id = p_contact, number_digest = null
        where k.org_id = p_org and k.id = (
            select n.id from public.contact_keys n
            where n.org_id = p_org and n.number_digest = any (p_digests) order by n.made_at limit 1)
        returning k.id, k.wrapped;
    if not found then
        insert into public.contact_keys (id, org_id, contact_id, wrapped) values (p_key, p_org, p_contact, p_wrapped);
        return query select p_key, p_wrapped;
    end if;
end
$$;

-- Both replicas that know a number by different digests, in the middle of a key's rotation, wait here. As save_contact.
create function app.lock_number(p_org uuid, p_digests bytea[]) returns void
language plpgsql volatile
as $$
declare
    v_digest bytea;
begin
    for v_digest in select d from unnest(p_digests) d order by d loop
        perform pg_advisory_xact_lock(hashtextextended('contact ' || p_org || encode(v_digest, 'hex'), 0));
    end loop;
end
$$;

-- As save_contact, which stays for older replicas, under the contact's own key. `saved` is false if the number is
-- another contact's than `p_id`, or another key than `p_key` is theirs: then it is to be sealed anew for those.
create function app.keep_contact(
    p_org uuid, p_id uuid, p_digests bytea[], p_key uuid, p_wrapped bytea, p_sealed_phone bytea, p_sealed_name bytea,
    p_sealed_email bytea
)
returns table (contact_id uuid, saved boolean, key_id uuid, wrapped bytea)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_known uuid;
    v_key record;
begin
    perform app.require_org(p_org);
    perform app.lock_number(p_org, p_digests);
    select c.id into v_known from public.contacts c
    where c.org_id = p_org and c.phone_digest = any (p_digests)
    order by c.created_at limit 1;
    if v_known is null and exists (
        select from public.contact_keys n where n.org_id = p_org and n.number_digest = any (p_digests) and n.id <> p_key
    ) then
        return query select p_id, false, n.id, n.wrapped from public.contact_keys n
        where n.org_id = p_org and n.number_digest = any (p_digests) order by n.made_at limit 1;
        return;
    end if;
    if v_known is null then
        insert into public.contacts (id, org_id, phone_digest, sealed_phone, sealed_name, sealed_email)
        values (p_id, p_org, p_digests[1], p_sealed_phone, p_sealed_name, p_sealed_email);
        perform app.own_key(p_org, p_id, p_digests, p_key, p_wrapped);
        return query select p_id, true, p_key, p_wrapped;
        return;
    end if;
    select k.key_id, k.wrapped into v_key from app.own_key(p_org, v_known, p_digests, p_key, p_wrapped) k;
    if v_known = p_id and v_key.key_id = p_key then
        update public.contacts c
        set phone_digest = p_digests[1], sealed_phone = p_sealed_phone,
            sealed_name = coalesce(p_sealed_name, c.sealed_name),
            sealed_email = coalesce(p_sealed_email, c.sealed_email), updated_at = clock_timestamp()
        where c.org_id = p_org and c.id = p_id;
    end if;
    return query select v_known, v_known = p_id and v_key.key_id = p_key, v_key.key_id, v_key.wrapped;
end
$$;

-- What is sealed of a contact, with their own key; that it was read stands in the audit log. No row once erased.
create function app.contact_seals(p_org uuid, p_contact uuid, p_actor_kind text, p_actor_id uuid)
returns table (sealed_phone bytea, sealed_name bytea, sealed_email bytea, key_id uuid, wrapped bytea)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select c.sealed_phone, c.sealed_name, c.sealed_email, k.id, k.wrapped
        from public.contacts c
        left join public.contact_keys k on k.org_id = c.org_id and k.contact_id = c.id and k.call_id is null
        where c.org_id = p_org and c.id = p_contact and c.erased_at is null;
    if found then
        perform app.audit(p_org, p_actor_kind, p_actor_id, 'contact_read', 'contact', p_contact);
    end if;
end
$$;

-- The key for what is sent to a number: its contact's own, else the number's. `p_key` becomes it if there is none.
create function app.receiver_key(p_org uuid, p_digests bytea[], p_key uuid, p_wrapped bytea)
returns table (key_id uuid, wrapped bytea)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_contact uuid;
begin
    perform app.require_org(p_org);
    perform app.lock_number(p_org, p_digests);
    select c.id into v_contact from public.contacts c
    where c.org_id = p_org and c.phone_digest = any (p_digests) order by c.created_at limit 1;
    if v_contact is not null then
        return query select k.* from app.own_key(p_org, v_contact, p_digests, p_key, p_wrapped) k;
        return;
    end if;
    return query select k.id, k.wrapped from public.contact_keys k
    where k.org_id = p_org and k.number_digest = any (p_digests) order by k.made_at limit 1;
    if not found then
        insert into public.contact_keys (id, org_id, number_digest, wrapped)
        values (p_key, p_org, p_digests[1], p_wrapped);
        return query select p_key, p_wrapped;
    end if;
end
$$;

-- A message with the key that its receiver and body are sealed under; no key if that is the org's, or was destroyed.
create function app.message_key(p_org uuid, p_id uuid) returns table (key_id uuid, wrapped bytea)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select k.id, k.wrapped from public.sms_messages m
        join public.contact_keys k on k.org_id = m.org_id and k.id = app.key_named(m.sealed_body)
        where m.org_id = p_org and m.id = p_id;
end
$$;

create function app.lock_call_key(p_call uuid) returns void
language sql volatile
as $$
    select pg_advisory_xact_lock(hashtextextended('call key ' || p_call, 0))
$$;

-- Whose call it was: of several people that slots were booked for in it, the first; else who proved a number in it, if
-- that is a contact's. A number that was merely shown proves nothing. Null if nobody is known.
create function app.caller_of(p_org uuid, p_call uuid) returns uuid
language sql stable
as $$
    select coalesce(
        (select k.contact_id from public.contact_keys k where k.org_id = p_org and k.call_id = p_call),
        (select c.contact_id from public.calls c where c.org_id = p_org and c.id = p_call),
        (select h.contact_id from public.appointment_holds h
         where h.org_id = p_org and h.call_id = p_call and h.contact_id is not null
         order by h.created_at limit 1),
        (select p.id from public.otp_codes o
         join public.contacts p on p.org_id = o.org_id and p.phone_digest = o.receiver_digest
         where o.org_id = p_org and o.call_id = p_call and o.state = 'used'
         order by o.stored_at limit 1))
$$;

-- The call's key. `p_key` becomes it if it has none, and belongs to the caller as soon as that is known. No row: the
-- caller was erased. GW003.
create function app.call_key(p_org uuid, p_call uuid, p_key uuid, p_wrapped bytea)
returns table (key_id uuid, wrapped bytea)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_caller uuid;
begin
    perform app.require_org(p_org);
    perform app.lock_call_key(p_call);
    v_caller := app.caller_of(p_org, p_call);
    if app.is_erased(p_org, v_caller) then
        return;
    end if;
    insert into public.contact_keys (id, org_id, contact_id, call_id, wrapped)
    values (p_key, p_org, v_caller, p_call, p_wrapped)
    on conflict (org_id, call_id) where (call_id is not null) do nothing;
    return query
        select k.id, k.wrapped from public.contact_keys k where k.org_id = p_org and k.call_id = p_call;
exception when foreign_key_violation then
    raise exception 'no such call' using errcode = 'GW003';
end
$$;

-- Keeps what was said in a call, sealed under its key: `medical` among the notes, anything else in the vault. A row that
-- is there already stays, so that whoever cannot tell whether it was kept may ask again. If the key was destroyed
-- meanwhile, nothing is kept. Says how many stand.
create function app.keep_values(
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
    if not found then
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

-- Both ends of a call, sealed under its key; the caller is found again by digest. Nothing if the key was destroyed.
create function app.keep_call_ends(
    p_org uuid, p_call uuid, p_key uuid, p_digest bytea, p_sealed_caller bytea, p_sealed_called bytea
) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    perform from public.contact_keys k
    where k.org_id = p_org and k.id = p_key and k.call_id = p_call for key share;
    if not found then
        return false;
    end if;
    update public.calls c
    set caller_digest = p_digest, sealed_caller = p_sealed_caller, sealed_called = p_sealed_called
    where c.org_id = p_org and c.id = p_call;
    return found;
end
$$;

-- The call's records are its caller's: said once more when it ends, for rows that were written before that was known.
-- Answers the last address that the caller gave, whose it is, and their own key, under which it is to be sealed anew.
create function app.settle_call_records(p_org uuid, p_call uuid, p_key uuid, p_wrapped bytea)
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

-- The address that was said in a call becomes its contact's, sealed anew, and leaves the vault. False if the contact's
-- key was destroyed.
create function app.move_address(
    p_org uuid, p_contact uuid, p_key uuid, p_call uuid, p_sealed_address bytea
) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    perform from public.contact_keys k
    where k.org_id = p_org and k.id = p_key and k.contact_id = p_contact for key share;
    if not found then
        return false;
    end if;
    update public.contacts c set sealed_address = p_sealed_address, updated_at = clock_timestamp()
    where c.org_id = p_org and c.id = p_contact;
    delete from public.pii_vault v
    where v.org_id = p_org and v.call_id = p_call and v.contact_id = p_contact and v.kind = 'address';
    return true;
end
$$;

-- Whom a slot was held for in a call is whose call it was. Nothing but the key is touched here, so that a booking waits
-- for no writer of the call's records but one that makes that key.
create function app.caller_known() returns trigger
language plpgsql
as $$
begin
    perform app.lock_call_key(new.call_id);
    update public.contact_keys k set contact_id = new.contact_id
    where k.org_id = new.org_id and k.call_id = new.call_id and k.contact_id is null;
    return null;
end
$$;

create trigger caller_known after update of contact_id on public.appointment_holds
    for each row when (new.contact_id is not null and new.contact_id is distinct from old.contact_id)
    execute function app.caller_known();

grant execute on function
    app.key_named(bytea),
    app.is_erased(uuid, uuid),
    app.own_key(uuid, uuid, bytea[], uuid, bytea),
    app.lock_number(uuid, bytea[]),
    app.keep_contact(uuid, uuid, bytea[], uuid, bytea, bytea, bytea, bytea),
    app.contact_seals(uuid, uuid, text, uuid),
    app.receiver_key(uuid, bytea[], uuid, bytea),
    app.message_key(uuid, uuid),
    app.lock_call_key(uuid),
    app.caller_of(uuid, uuid),
    app.call_key(uuid, uuid, uuid, bytea),
    app.keep_values(uuid, uuid, uuid, uuid[], integer[], text[], bytea[]),
    app.keep_call_ends(uuid, uuid, uuid, bytea, bytea, bytea),
    app.settle_call_records(uuid, uuid, uuid, bytea),
    app.move_address(uuid, uuid, uuid, uuid, bytea)
to gw_app;
