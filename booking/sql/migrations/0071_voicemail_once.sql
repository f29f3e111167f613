-- As in 0069, keeping a message that a caller leaves, but that one which is there already is said to be: whoever does not know
-- whether it was kept asks again, under the same id.
--
-- Way back: put app.keep_voicemail(uuid, uuid, uuid, uuid, bytea, text) as 0069 has it. Older replicas see no difference, as
-- each of their messages has an id of its own.

create or replace function app.keep_voicemail(
    p_org uuid, p_id uuid, p_call uuid, p_key uuid, p_sealed bytea, p_said text
) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    perform from public.calls c where c.org_id = p_org and c.id = p_call;
    if not found then
        raise exception 'no such call' using errcode = 'GW003';
    end if;
    perform from public.contact_keys k where k.org_id = p_org and k.id = p_key for key share;
    if not found then
        return false;
    end if;
    insert into public.text_replies (org_id, id, kind, call_id, contact_id, key_id, sealed_body, said)
    values (p_org, p_id, 'voicemail', p_call, app.caller_of(p_org, p_call), p_key, p_sealed, p_said)
    on conflict (id) do nothing;
    return found or exists (
        select from public.text_replies r where r.org_id = p_org and r.id = p_id and r.call_id = p_call);
end
$$;
