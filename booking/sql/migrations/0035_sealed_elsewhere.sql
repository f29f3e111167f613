-- Whether the id of a sealed row that is not visible is another org's: 403 rather than 404, as app.owned_elsewhere tells of
-- booking's rows.
--
-- Way back: drop function app.sealed_elsewhere(uuid, text, uuid); drop the policies `resolver` on public.clinical_notes,
-- public.pii_vault, public.sms_messages and revoke what gw_resolver was granted on them. Older replicas do not call it.

do $$
declare
    v_table text;
begin
    foreach v_table in array array['clinical_notes', 'pii_vault', 'sms_messages'] loop
        execute format('create policy resolver on public.%I for select to gw_resolver using (true)', v_table);
        execute format('grant select (id, org_id) on public.%I to gw_resolver', v_table);
    end loop;
end
$$;

create function app.sealed_elsewhere(p_org uuid, p_kind text, p_id uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
declare
    v_owner uuid;
begin
    perform app.require_org(p_org);
    case p_kind
        when 'note' then select t.org_id into v_owner from public.clinical_notes t where t.id = p_id;
        when 'value' then select t.org_id into v_owner from public.pii_vault t where t.id = p_id;
        when 'text' then select t.org_id into v_owner from public.sms_messages t where t.id = p_id;
        else raise exception 'no such kind of row' using errcode = '22023';
    end case;
    return coalesce(v_owner <> p_org, false);
end
$$;

grant execute on function app.sealed_elsewhere(uuid, text, uuid) to gw_app;

grant create on schema app to gw_resolver;
alter function app.sealed_elsewhere(uuid, text, uuid) owner to gw_resolver;
revoke create on schema app from gw_resolver;
