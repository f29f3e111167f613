-- How an org is set up at Vapi: the ids, Vapi's own, of what stands for it there, and which parts of a call the gateway
-- serves. What answers an assistant-request is made from it.
--
-- Way back: drop function app.vapi_setup(uuid), app.store_vapi_setup(uuid, text, text, text, jsonb, text, uuid); drop table
-- public.vapi_setups. Older replicas do not look at it.

create table public.vapi_setups (
    org_id uuid primary key references public.organizations (org_id),
    assistant_id text not null check (length(assistant_id) between 1 and 64),
    credential_id text not null check (length(credential_id) between 1 and 64),
    model_credential_id text check (length(model_credential_id) between 1 and 64),
    choices jsonb not null check (jsonb_typeof(choices) = 'object' and pg_column_size(choices) <= 4096),
    applied_at timestamptz not null default clock_timestamp()
);

comment on column public.vapi_setups.credential_id is 'by which Vapi signs what it sends to our webhooks, voice and transcriber';
comment on column public.vapi_setups.model_credential_id is 'by which it shows itself to our LLM; null: the LLM is not ours';

alter table public.vapi_setups enable row level security;
alter table public.vapi_setups force row level security;
create policy tenant on public.vapi_setups using (org_id = (select app.org_id()));

grant select, insert, update (assistant_id, credential_id, model_credential_id, choices, applied_at)
    on public.vapi_setups to gw_app;
-- An org that goes takes it along.
grant select (org_id), delete on public.vapi_setups to gw_resolver;

-- No row: the org is not set up there.
create function app.vapi_setup(p_org uuid)
returns table (assistant_id text, credential_id text, model_credential_id text, choices jsonb, applied_at timestamptz)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select s.assistant_id, s.credential_id, s.model_credential_id, s.choices, s.applied_at
        from public.vapi_setups s where s.org_id = p_org;
end
$$;

create function app.store_vapi_setup(
    p_org uuid, p_assistant text, p_credential text, p_model_credential text, p_choices jsonb, p_actor_kind text,
    p_actor_id uuid
) returns void
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    insert into public.vapi_setups (org_id, assistant_id, credential_id, model_credential_id, choices)
    values (p_org, p_assistant, p_credential, p_model_credential, p_choices)
    on conflict (org_id) do update set assistant_id = excluded.assistant_id, credential_id = excluded.credential_id,
        model_credential_id = excluded.model_credential_id, choices = excluded.choices,
        applied_at = clock_timestamp();
    perform app.audit(p_org, p_actor_kind, p_actor_id, 'vapi_set_up', 'org', p_org);
end
$$;

grant execute on function
    app.vapi_setup(uuid),
    app.store_vapi_setup(uuid, text, text, text, jsonb, text, uuid)
to gw_app;
