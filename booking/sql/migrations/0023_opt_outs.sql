-- Who wants no more texts, by the carrier's word: a STOP that it passed on, or its refusal of a message (21610). The
-- number is known by its keyed digest alone, so that it holds for people of whom nothing else is kept, and before a
-- contact is made of them. No text of any kind is tried until START; a contact's `texts_refused_at` says the same.
--
-- Also: the carrier, and whoever cannot be told, may stand in the audit log as those who acted.
--
-- Way back: drop trigger refused_for_opt_out on public.sms_messages; drop trigger opted_out_before on public.contacts;
-- drop the functions named here; drop table public.text_opt_outs. Older replicas look at none of it, and their own
-- messages' refusals are kept all the same.

alter table public.audit_log drop constraint audit_log_actor_kind_check;
alter table public.audit_log add constraint audit_log_actor_kind_check
    check (actor_kind in ('call', 'token', 'worker', 'operator', 'carrier', 'stranger'));

create table public.text_opt_outs (
    id uuid primary key default gen_random_uuid(),
    org_id uuid not null references public.organizations (org_id),
    receiver_digest bytea not null check (length(receiver_digest) = 32),
    opted_out_at timestamptz not null default clock_timestamp(),
    opted_in_at timestamptz,
    unique (org_id, receiver_digest)
);

comment on column public.text_opt_outs.opted_in_at is 'when START came after the last STOP; null: the STOP stands';

alter table public.text_opt_outs enable row level security;
alter table public.text_opt_outs force row level security;
create policy tenant on public.text_opt_outs using (org_id = (select app.org_id()));

grant select, insert, update (opted_out_at, opted_in_at) on public.text_opt_outs to gw_app;

create function app.has_opted_out(p_org uuid, p_digests bytea[]) returns boolean
language sql stable
as $$
    select exists (
        select from public.text_opt_outs o
        where o.org_id = p_org and o.receiver_digest = any (p_digests) and o.opted_in_at is null)
$$;

-- The carrier says that this number, given by its digests (newest key first), wants no more texts. False if that was
-- known. A contact's refusal is as of now; one that stands keeps its time.
create function app.opt_out_of_texts(p_org uuid, p_digests bytea[]) returns boolean
language plpgsql volatile
as $$
declare
    v_id uuid;
begin
    perform app.require_org(p_org);
    perform pg_advisory_xact_lock(hashtextextended('texts ' || p_org || encode(p_digests[1], 'hex'), 0));
    if app.has_opted_out(p_org, p_digests) then
        return false;
    end if;
    insert into public.text_opt_outs as o (org_id, receiver_digest) values (p_org, p_digests[1])
    on conflict (org_id, receiver_digest) do update set opted_out_at = clock_timestamp(), opted_in_at = null
    returning o.id into v_id;
    update public.contacts c set texts_refused_at = clock_timestamp(), updated_at = clock_timestamp()
    where c.org_id = p_org and c.phone_digest = any (p_digests);
    perform app.audit(p_org, 'carrier', null, 'texts_refused', 'text_opt_out', v_id);
    return true;
end
$$;

-- The number wants texts again. What its contact had agreed to before the STOP counts again, and no more than that.
-- False if nothing stood against it.
create function app.opt_in_to_texts(p_org uuid, p_digests bytea[]) returns boolean
language plpgsql volatile
as $$
declare
    v_id uuid;
begin
    perform app.require_org(p_org);
    perform pg_advisory_xact_lock(hashtextextended('texts ' || p_org || encode(p_digests[1], 'hex'), 0));
    update public.text_opt_outs o set opted_in_at = clock_timestamp()
    where o.org_id = p_org and o.receiver_digest = any (p_digests) and o.opted_in_at is null
    returning o.id into v_id;
    if v_id is null then
        return false;
    end if;
    update public.contacts c set texts_refused_at = null, updated_at = clock_timestamp()
    where c.org_id = p_org and c.phone_digest = any (p_digests);
    perform app.audit(p_org, 'carrier', null, 'texts_accepted', 'text_opt_out', v_id);
    return true;
end
$$;

-- Twilio refuses a message to whoever has opted out: at once, or, sent by a messaging service, in its report. Whichever
-- way that is learnt, it stands with the message's own record.
create function app.refused_for_opt_out() returns trigger
language plpgsql
as $$
begin
    perform app.opt_out_of_texts(new.org_id, array[new.receiver_digest]);
    return null;
end
$$;

create trigger refused_for_opt_out after update of error_code on public.sms_messages
    for each row when (new.error_code = 21610) execute function app.refused_for_opt_out();

-- Someone whose number opted out before becomes a contact; not while that is being changed.
create function app.opted_out_before() returns trigger
language plpgsql
as $$
begin
    perform pg_advisory_xact_lock(
        hashtextextended('texts ' || new.org_id || encode(new.phone_digest, 'hex'), 0));
    select o.opted_out_at into new.texts_refused_at from public.text_opt_outs o
    where o.org_id = new.org_id and o.receiver_digest = new.phone_digest and o.opted_in_at is null;
    return new;
end
$$;

create trigger opted_out_before before insert on public.contacts
    for each row execute function app.opted_out_before();

-- As record_sms, which stays for older replicas, after a look at whether the message should be tried: `recorded` (send
-- it), `known` (recorded before: do not), `opted_out`, `unreachable` (within a day a message to this number was reported
-- to have come to a landline, 30006). `p_digests`: the receiver's, newest key first.
create function app.record_text(
    p_org uuid, p_id uuid, p_kind text, p_subject uuid, p_digests bytea[], p_sealed_receiver bytea,
    p_sealed_body bytea
) returns text
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    if app.has_opted_out(p_org, p_digests) then
        return 'opted_out';
    end if;
    if exists (
        select from public.sms_messages m
        where m.org_id = p_org and m.receiver_digest = any (p_digests)
          and m.recorded_at > clock_timestamp() - interval '1 day' and m.error_code = 30006
    ) then
        return 'unreachable';
    end if;
    insert into public.sms_messages (org_id, id, kind, subject_id, receiver_digest, sealed_receiver, sealed_body)
    values (p_org, p_id, p_kind, p_subject, p_digests[1], p_sealed_receiver, p_sealed_body)
    on conflict (id) do nothing;
    return case when found then 'recorded' else 'known' end;
end
$$;

grant execute on function
    app.has_opted_out(uuid, bytea[]),
    app.opt_out_of_texts(uuid, bytea[]),
    app.opt_in_to_texts(uuid, bytea[]),
    app.record_text(uuid, uuid, text, uuid, bytea[], bytea, bytea)
to gw_app;
