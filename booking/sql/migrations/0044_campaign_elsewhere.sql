-- Whether the id of a campaign that is not visible is another org's: 403 rather than 404, and on record, as
-- app.owned_elsewhere tells of other rows.
--
-- Way back: drop function app.campaign_elsewhere(uuid, uuid); drop policy resolver on public.outbound_campaigns; revoke select
-- (id) on public.outbound_campaigns from gw_resolver. Older replicas do not call it.

create policy resolver on public.outbound_campaigns for select to gw_resolver using (true);
grant select (id, org_id) on public.outbound_campaigns to gw_resolver;

create function app.campaign_elsewhere(p_org uuid, p_id uuid) returns boolean
language plpgsql stable security definer set search_path = ''
as $$
begin
    perform app.require_org(p_org);
    return exists (select from public.outbound_campaigns c where c.id = p_id and c.org_id <> p_org);
end
$$;

grant execute on function app.campaign_elsewhere(uuid, uuid) to gw_app;

grant create on schema app to gw_resolver;
alter function app.campaign_elsewhere(uuid, uuid) owner to gw_resolver;
revoke create on schema app from gw_resolver;
