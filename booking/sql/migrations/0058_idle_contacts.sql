-- Contacts have a time too: of whom nothing has been heard for as long as the org keeps contacts, they are erased, as if they
-- had asked for it. Which those are is said here; erasing is app.erase_person's.
--
-- Way back: delete from public.retention_periods where kind = 'contacts'; put the check on its kind back as 0032 has it; drop
-- index public.contacts_by_age; drop the functions named at the end. Older replicas look at none of it: what they run keeps
-- contacts until somebody asks, and the periods that they set leave this one as it is.

alter table public.retention_periods drop constraint retention_periods_kind_check;
alter table public.retention_periods add constraint retention_periods_kind_check
    check (kind in ('turns', 'notes', 'personal', 'texts', 'calls', 'contacts'));

create index contacts_by_age on public.contacts (org_id, updated_at) where (erased_at is null);

-- The org's period for contacts, in days.
create function app.contact_days(p_org uuid) returns integer
language plpgsql stable
as $$
begin
    perform app.require_org(p_org);
    return coalesce((
        select r.days from public.retention_periods r where r.org_id = p_org and r.kind = 'contacts'), 1095);
end
$$;

-- Whoever changes the periods has that on record by app.set_retention.
create function app.keep_contacts_for(p_org uuid, p_days integer) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    insert into public.retention_periods (org_id, kind, days) values (p_org, 'contacts', p_days)
    on conflict (org_id, kind) do update set days = excluded.days, changed_at = clock_timestamp();
end
$$;

-- So many contacts, at most, of whom nothing has come for longer than that: neither a change, an appointment, a call, a text
-- nor a word of consent. Their rows are locked first and looked at then, so that whoever is being booked for meanwhile is
-- either seen or waits; one that somebody else has locked is passed over and comes another day.
create function app.idle_contacts(p_org uuid, p_limit integer) returns setof uuid
language plpgsql volatile
as $$
declare
    v_before timestamptz := clock_timestamp() - make_interval(days => app.contact_days(p_org));
    v_old uuid[];
begin
    v_old := array(
        select c.id from public.contacts c
        where c.org_id = p_org and c.erased_at is null and c.updated_at < v_before
          and not app.heard_of_since(p_org, c.id, c.phone_digest, v_before)
        order by c.updated_at limit least(greatest(p_limit, 0), 1000)
        for update skip locked);
    return query
        select c.id from public.contacts c
        where c.org_id = p_org and c.id = any (v_old)
          and not app.heard_of_since(p_org, c.id, c.phone_digest, v_before);
end
$$;

create function app.heard_of_since(p_org uuid, p_contact uuid, p_digest bytea, p_since timestamptz) returns boolean
language sql volatile
as $$
    select exists (
        select from public.appointments a
        where a.org_id = p_org and a.contact_id = p_contact and greatest(a.ends_at, a.changed_at, a.booked_at) >= p_since
    ) or exists (
        select from public.appointment_holds h
        where h.org_id = p_org and h.contact_id = p_contact and h.created_at >= p_since
    ) or exists (
        select from public.calls k
        where k.org_id = p_org and k.contact_id = p_contact and coalesce(k.ended_at, k.started_at) >= p_since
    ) or exists (
        select from public.sms_messages m
        where m.org_id = p_org and m.receiver_digest = p_digest and m.recorded_at >= p_since
    ) or exists (
        select from public.consents s
        where s.org_id = p_org and s.contact_id = p_contact and s.said_at >= p_since
    )
$$;

grant execute on function
    app.contact_days(uuid),
    app.keep_contacts_for(uuid, integer),
    app.idle_contacts(uuid, integer),
    app.heard_of_since(uuid, uuid, bytea, timestamptz)
to gw_app;
