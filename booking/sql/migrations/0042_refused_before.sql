-- A caller whose media were lost and came back has a call of a new id: what they refused in the one before holds in it too.
--
-- Way back: drop function app.refused_before(uuid, text, text, bytea[]); drop index public.calls_withheld; put
-- app.refuses_recording(uuid, bytea[]) as 0041 has it. No release before this one asks either function.

drop function app.refuses_recording(uuid, bytea[]);

create index calls_withheld on public.calls (org_id, carrier, carrier_call_id) where (withheld_at is not null);

-- Whether a call begins with a no on being recorded: the last word of whoever has this number, given by its digests (none if
-- it is not shown), or what was said before in the same call of the carrier's. The call need not be on record yet.
create function app.refused_before(p_org uuid, p_carrier text, p_carrier_call_id text, p_digests bytea[])
returns boolean
language plpgsql stable
as $$
begin
    perform app.require_org(p_org);
    return exists (
        select from public.calls c
        where c.org_id = p_org and c.carrier = p_carrier and c.carrier_call_id = p_carrier_call_id
          and c.withheld_at is not null
    ) or coalesce((
        select not s.given from public.consents s
        join public.contacts c on c.org_id = p_org and c.id = s.contact_id
        where s.org_id = p_org and s.kind = 'recording' and c.phone_digest = any (p_digests) and c.erased_at is null
        order by s.said_at desc, s.id limit 1), false);
end
$$;

grant execute on function app.refused_before(uuid, text, text, bytea[]) to gw_app;
