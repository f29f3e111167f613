-- As in 0066, withdrawing a placed call, which looks for itself whether the org is the armed claim's.
--
-- Way back: put app.withdraw_placed_call(uuid, uuid, text, uuid) as 0066 has it. Older replicas see no difference.

create or replace function app.withdraw_placed_call(p_org uuid, p_id uuid, p_actor_kind text, p_actor_id uuid) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    update public.placed_calls p
    set state = 'refused', outcome = 'withdrawn', ended_at = clock_timestamp(), next_at = null
    where p.org_id = p_org and p.id = p_id and p.state = 'queued';
    if found then
        perform app.audit(p_org, p_actor_kind, p_actor_id, 'call_withdrawn', 'placed_call', p_id);
    end if;
    return found or exists (
        select from public.placed_calls p
        where p.org_id = p_org and p.id = p_id and p.state = 'refused' and p.outcome = 'withdrawn');
end
$$;
