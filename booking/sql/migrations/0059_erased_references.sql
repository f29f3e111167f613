-- Of whoever was erased no reference is left by which others still know them: the provider's id of a text, under which its own
-- record shows number and words; and no zone that they live in. By triggers, so that no way of clearing a row forgets it, and
-- a provider's late word does not bring the id back.
--
-- Way back: drop trigger erased_text on public.sms_messages, erased_contact on public.contacts; drop function
-- app.forget_provider_id(), app.forget_zone(). What was cleared stays so. Older replicas look at none of it.

create function app.forget_provider_id() returns trigger
language plpgsql
as $$
begin
    new.provider_id := null;
    return new;
end
$$;

create trigger erased_text before update on public.sms_messages
    for each row when (new.sealed_body = '\x00' and new.provider_id is not null)
    execute function app.forget_provider_id();

create function app.forget_zone() returns trigger
language plpgsql
as $$
begin
    new.time_zone := null;
    return new;
end
$$;

create trigger erased_contact before update on public.contacts
    for each row when (new.erased_at is not null and new.time_zone is not null) execute function app.forget_zone();

-- What was erased or cleared already. The triggers do it.
alter table public.sms_messages no force row level security;
alter table public.contacts no force row level security;
update public.sms_messages m set provider_id = null where m.sealed_body = '\x00' and m.provider_id is not null;
update public.contacts c set time_zone = null where c.erased_at is not null and c.time_zone is not null;
alter table public.sms_messages force row level security;
alter table public.contacts force row level security;
