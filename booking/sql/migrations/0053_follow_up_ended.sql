-- As app.skip_follow_up, which stays for older replicas, and says whether it was there to be skipped: two workers that come to
-- the same end count it once.
--
-- Way back: drop function app.end_unbegun_follow_up(uuid, uuid, text). Older replicas do not call it.

create function app.end_unbegun_follow_up(p_org uuid, p_call uuid, p_reason text) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.follow_ups f set state = 'skipped', reason = p_reason, next_at = null
    where f.org_id = p_org and f.call_id = p_call and f.state in ('due', 'waiting');
    return found;
end
$$;

grant execute on function app.end_unbegun_follow_up(uuid, uuid, text) to gw_app;
