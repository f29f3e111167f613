-- Requests that could not show who sent them, in the audit log of the org that they named.
--
-- Way back: drop function app.audit_refusal(uuid, text, text). Older replicas do not call it.

-- True if an entry was added. Of an org and action one a minute is, whoever asks: what a stranger can make us write is
-- bounded. Whoever is recording the same right now is not waited for. An org that does not exist has no log.
create function app.audit_refusal(p_org uuid, p_action text, p_subject_kind text) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    if not pg_try_advisory_xact_lock(hashtextextended('refusal ' || p_org || p_action, 0)) then
        return false;
    end if;
    if exists (
        select from public.audit_log l
        where l.org_id = p_org and l.recorded_at > clock_timestamp() - interval '1 minute'
          and l.actor_kind = 'stranger' and l.action = p_action
    ) or not exists (select from public.organizations o where o.org_id = p_org) then
        return false;
    end if;
    perform app.audit(p_org, 'stranger', null, p_action, p_subject_kind);
    return true;
end
$$;

grant execute on function app.audit_refusal(uuid, text, text) to gw_app;
