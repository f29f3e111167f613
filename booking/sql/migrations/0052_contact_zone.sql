-- In which zone a contact lives, as they or the clinic's staff say; their quiet hours go by it. GW013 no such contact.
--
-- Way back: drop function app.set_contact_zone(uuid, uuid, text, text, uuid). Older replicas do not call it.

create function app.set_contact_zone(
    p_org uuid, p_contact uuid, p_zone text, p_actor_kind text, p_actor_id uuid
) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.contacts c set time_zone = p_zone
    where c.org_id = p_org and c.id = p_contact and c.erased_at is null;
    if not found then
        raise exception 'no such contact' using errcode = 'GW013';
    end if;
    perform app.audit(p_org, p_actor_kind, p_actor_id, 'contact_zone_set', 'contact', p_contact);
end
$$;

grant execute on function app.set_contact_zone(uuid, uuid, text, text, uuid) to gw_app;
