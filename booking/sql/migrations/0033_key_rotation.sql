-- What changing the master key takes besides sealing anew: numbers are found by digests under it.
--
-- Way back: drop function app.renew_digest(uuid, bytea, bytea); revoke update (receiver_digest) on public.text_opt_outs
-- from gw_app. Older replicas do not look at it.

grant update (receiver_digest) on public.text_opt_outs to gw_app;

-- A number's digest under an older key becomes the one under the newest, wherever it stands; whoever looks it up
-- meanwhile asks for both. An opt-out or key that stands under the new one already stays, and the older row with it.
create function app.renew_digest(p_org uuid, p_old bytea, p_new bytea) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    perform app.lock_number(p_org, array[p_old, p_new]);
    update public.contacts c set phone_digest = p_new
    where c.org_id = p_org and c.phone_digest = p_old
      and not exists (select from public.contacts n where n.org_id = p_org and n.phone_digest = p_new);
    update public.otp_codes o set receiver_digest = p_new where o.org_id = p_org and o.receiver_digest = p_old;
    update public.sms_messages m set receiver_digest = p_new where m.org_id = p_org and m.receiver_digest = p_old;
    update public.calls c set caller_digest = p_new where c.org_id = p_org and c.caller_digest = p_old;
    update public.contact_keys k set number_digest = p_new
    where k.org_id = p_org and k.number_digest = p_old
      and not exists (select from public.contact_keys n where n.org_id = p_org and n.number_digest = p_new);
    update public.text_opt_outs t set receiver_digest = p_new
    where t.org_id = p_org and t.receiver_digest = p_old
      and not exists (select from public.text_opt_outs n where n.org_id = p_org and n.receiver_digest = p_new);
end
$$;

grant execute on function app.renew_digest(uuid, bytea, bytea) to gw_app;
