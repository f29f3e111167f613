-- People who book. What is personal is sealed, a number is found by its keyed digest; one contact per number and org.
-- GW010 no such hold, GW011 the hold is over, GW013 no such contact.
--
-- Way back: drop the functions named at the end; alter table public.appointment_holds drop constraint holds_contact,
-- drop column contact_id; alter table public.services drop column guide_url; drop table public.contacts. Older replicas
-- look at none of it.

create table public.contacts (
    id uuid primary key,
    org_id uuid not null references public.organizations (org_id),
    phone_digest bytea not null check (length(phone_digest) = 32),
    sealed_phone bytea not null check (length(sealed_phone) between 1 and 1024),
    sealed_name bytea check (length(sealed_name) between 1 and 4096),
    sealed_email bytea check (length(sealed_email) between 1 and 4096),
    sealed_address bytea check (length(sealed_address) between 1 and 8192),
    texts_agreed_at timestamptz,
    texts_refused_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    unique (org_id, id),
    unique (org_id, phone_digest)
);

comment on column public.contacts.texts_agreed_at is 'when this number agreed to texts other than codes; null: never';
comment on column public.contacts.texts_refused_at is 'when this number asked for no more texts; the later word counts';

-- Whom a hold is for, as soon as that is known.
alter table public.appointment_holds
    add column contact_id uuid,
    add constraint holds_contact foreign key (org_id, contact_id) references public.contacts (org_id, id);

-- What a patient may read about the procedure.
alter table public.services
    add column guide_url text check (guide_url ~ '^https://' and length(guide_url) <= 2000);

alter table public.contacts enable row level security;
alter table public.contacts force row level security;
create policy tenant on public.contacts using (org_id = (select app.org_id()));

grant select, insert on public.contacts to gw_app;
grant update (phone_digest, sealed_phone, sealed_name, sealed_email, sealed_address, texts_agreed_at,
    texts_refused_at, updated_at) on public.contacts to gw_app;

-- Keeps what was sealed for contact `p_id`, or says whose number it is already: the seals are bound to the row, so they
-- must be made anew for that one. `p_digests`: the number's digests, newest key first; the newest is kept. Locked by
-- digest, because two replicas in the middle of a key's rotation may know one number by different digests.
create function app.save_contact(
    p_org uuid, p_id uuid, p_digests bytea[], p_sealed_phone bytea, p_sealed_name bytea, p_sealed_email bytea
)
returns table (contact_id uuid, saved boolean)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_digest bytea;
    v_known uuid;
begin
    perform app.require_org(p_org);
    for v_digest in select d from unnest(p_digests) d order by d loop
        perform pg_advisory_xact_lock(hashtextextended('contact ' || p_org || encode(v_digest, 'hex'), 0));
    end loop;
    select c.id into v_known from public.contacts c
    where c.org_id = p_org and c.phone_digest = any (p_digests)
    order by c.created_at limit 1;
    if v_known is null then
        insert into public.contacts (id, org_id, phone_digest, sealed_phone, sealed_name, sealed_email)
        values (p_id, p_org, p_digests[1], p_sealed_phone, p_sealed_name, p_sealed_email);
        return query select p_id, true;
    elsif v_known <> p_id then
        return query select v_known, false;
    else
        update public.contacts c
        set phone_digest = p_digests[1], sealed_phone = p_sealed_phone,
            sealed_name = coalesce(p_sealed_name, c.sealed_name),
            sealed_email = coalesce(p_sealed_email, c.sealed_email), updated_at = clock_timestamp()
        where c.org_id = p_org and c.id = p_id;
        return query select p_id, true;
    end if;
end
$$;

create function app.find_contact(p_org uuid, p_digests bytea[]) returns table (contact_id uuid)
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    return query
        select c.id from public.contacts c
        where c.org_id = p_org and c.phone_digest = any (p_digests)
        order by c.created_at limit 1;
end
$$;

-- What is sealed of a contact; that it was read stands in the audit log, whether or not somebody opens the seals.
create function app.read_contact(p_org uuid, p_contact uuid, p_actor_kind text, p_actor_id uuid)
returns table (sealed_phone bytea, sealed_name bytea, sealed_email bytea)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select c.sealed_phone, c.sealed_name, c.sealed_email
        from public.contacts c where c.org_id = p_org and c.id = p_contact;
    if found then
        perform app.audit(p_org, p_actor_kind, p_actor_id, 'contact_read', 'contact', p_contact);
    end if;
end
$$;

create function app.set_hold_contact(p_org uuid, p_hold uuid, p_contact uuid) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    if not exists (select from public.contacts c where c.org_id = p_org and c.id = p_contact) then
        raise exception 'no such contact' using errcode = 'GW013';
    end if;
    update public.appointment_holds h set contact_id = p_contact
    where h.org_id = p_org and h.id = p_hold and h.state = 'held' and h.expires_at > clock_timestamp();
    if not found then
        perform app.refuse_hold(p_org, p_hold);
    end if;
end
$$;

-- Why nothing can be done with a hold.
create function app.refuse_hold(p_org uuid, p_hold uuid) returns void
language plpgsql stable
as $$
begin
    if exists (select from public.appointment_holds h where h.org_id = p_org and h.id = p_hold) then
        raise exception 'the hold is over' using errcode = 'GW011';
    end if;
    raise exception 'no such hold' using errcode = 'GW010';
end
$$;

grant execute on function
    app.save_contact(uuid, uuid, bytea[], bytea, bytea, bytea),
    app.find_contact(uuid, bytea[]),
    app.read_contact(uuid, uuid, text, uuid),
    app.set_hold_contact(uuid, uuid, uuid),
    app.refuse_hold(uuid, uuid)
to gw_app;
