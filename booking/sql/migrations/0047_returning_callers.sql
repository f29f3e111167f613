-- Who calls again is known when the call begins, by the number that it shows. A shown number can be forged and proves nothing, so
-- this tells no appointment and, unless the clinic has said so, no name.
--
-- Way back: drop function app.returning_caller(uuid, bytea[], uuid); alter table public.organizations drop column
-- greets_by_name. Older replicas look at none of it: the clinics that they take on greet nobody by name, and those that they
-- change keep what was set.

alter table public.organizations add column greets_by_name boolean not null default false;

comment on column public.organizations.greets_by_name is 'whether whoever shows a known number may be called by its first name';

grant insert (greets_by_name), update (greets_by_name) on public.organizations to gw_app;

-- The contact whose number the call shows, given by its digests (newest key first); no row if it is nobody's, or was erased. One
-- row stands for one reading: it is in the audit log, by the call. `texts`: their last word on texts other than codes, or that the
-- carrier passed a STOP on, which holds for codes too. `sealed_name`, with the key that opens it: where the clinic uses names.
create function app.returning_caller(p_org uuid, p_digests bytea[], p_call uuid)
returns table (
    contact_id uuid, has_upcoming boolean, texts text, sealed_name bytea, key_id uuid, wrapped bytea
)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    v_contact uuid;
begin
    perform app.require_org(p_org);
    select c.id into v_contact from public.contacts c
    where c.org_id = p_org and c.phone_digest = any (p_digests) and c.erased_at is null
    order by c.created_at limit 1;
    if v_contact is null then
        return;
    end if;
    perform app.audit(p_org, 'call', p_call, 'contact_read', 'contact', v_contact);
    return query
        select c.id,
            exists (
                select from public.appointments a
                where a.org_id = p_org and a.contact_id = c.id and a.status = 'booked'
                  and a.starts_at > clock_timestamp()),
            case
                when app.has_opted_out(p_org, p_digests) then 'stopped'
                when c.texts_refused_at >= coalesce(c.texts_agreed_at, '-infinity') then 'refused'
                when c.texts_agreed_at is not null then 'agreed'
            end,
            case when o.greets_by_name then c.sealed_name end,
            k.id, k.wrapped
        from public.contacts c
        join public.organizations o on o.org_id = c.org_id
        left join public.contact_keys k on k.org_id = c.org_id and k.contact_id = c.id and k.call_id is null
        where c.org_id = p_org and c.id = v_contact;
end
$$;

grant execute on function app.returning_caller(uuid, bytea[], uuid) to gw_app;
