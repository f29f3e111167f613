-- Messages that callers leave for the clinic stand in its inbox beside the replies to texts: in redacted words, and sealed as
-- they were said under the key of their call, with which they go when the caller is erased or the call's own words are.
--
-- Way back: drop trigger callers_voicemail on public.contact_keys; drop the functions named at the end and
-- app.own_voicemail(); delete from public.text_replies where kind = 'voicemail'; alter table public.text_replies drop column
-- said, alter column contact_id set not null; put the check on its kind back as 0051 has it; revoke update (contact_id) on
-- public.text_replies from gw_app. Older replicas show messages as replies, without their words.

alter table public.text_replies drop constraint text_replies_kind_check;
alter table public.text_replies add constraint text_replies_kind_check check (kind in ('booking', 'question', 'voicemail'));
alter table public.text_replies alter column contact_id drop not null;
alter table public.text_replies add column said text check (length(said) between 1 and 4000);

comment on column public.text_replies.said is 'a message''s redacted words; null: of a reply, or where no words are kept';

grant update (contact_id) on public.text_replies to gw_app;

-- A message, whose id its writer has chosen. False if it is there already, or the call's key is gone: nothing is kept of
-- whoever was erased. GW003.
create function app.keep_voicemail(p_org uuid, p_id uuid, p_call uuid, p_key uuid, p_sealed bytea, p_said text)
returns boolean
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
    return found;
end
$$;

-- Whose call it was is often known only when it ends.
create function app.own_voicemail() returns trigger
language plpgsql
as $$
begin
    update public.text_replies r set contact_id = new.contact_id
    where r.org_id = new.org_id and r.key_id = new.id and r.contact_id is null;
    return null;
end
$$;

create trigger callers_voicemail after update of contact_id on public.contact_keys
    for each row when (new.contact_id is not null and old.contact_id is null) execute function app.own_voicemail();

-- As app.page_of_replies, which stays for older replicas, with messages' redacted words.
create function app.page_of_inbox(p_org uuid, p_limit integer, p_waiting boolean, p_before timestamptz default null)
returns table (
    id uuid, kind text, call_id uuid, contact_id uuid, received_at timestamptz, answered_at timestamptz, said text
)
language plpgsql volatile
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select r.id, r.kind, r.call_id, r.contact_id, r.received_at, r.answered_at, r.said from public.text_replies r
        where r.org_id = p_org and (p_before is null or r.received_at < p_before)
          and not (p_waiting and r.answered_at is not null)
        order by r.received_at desc, r.id desc limit least(greatest(p_limit, 0), 100);
end
$$;

grant execute on function
    app.keep_voicemail(uuid, uuid, uuid, uuid, bytea, text),
    app.page_of_inbox(uuid, integer, boolean, timestamptz)
to gw_app;
