-- Calls that may still be live at their carrier though nobody has them any more: what had them died, or nothing was heard of a
-- person to whom they were put through. They are ended there once they are older than any call may be.
--
-- Way back: drop trigger call_abandoned on public.calls; drop function app.note_abandoned(), app.due_abandoned_calls(integer);
-- drop table public.abandoned_calls. Older replicas look at none of it, and close calls as they did.

create table public.abandoned_calls (
    org_id uuid not null references public.organizations (org_id),
    call_id uuid primary key,
    next_at timestamptz not null default clock_timestamp(),
    foreign key (org_id, call_id) references public.calls (org_id, id) on delete cascade
);

comment on column public.abandoned_calls.next_at is 'when it is looked at next; the row goes once nothing is left to do';

create index abandoned_calls_due on public.abandoned_calls (next_at);
create index abandoned_calls_by_call on public.abandoned_calls (org_id, call_id);

alter table public.abandoned_calls enable row level security;
alter table public.abandoned_calls force row level security;
create policy tenant on public.abandoned_calls using (org_id = (select app.org_id()));
-- The sweep sees which is to be looked at, and nothing more of it.
create policy sweeper on public.abandoned_calls for select to gw_worker using (next_at <= now());

grant select, insert, update (next_at), delete on public.abandoned_calls to gw_app;
grant select (org_id, call_id, next_at) on public.abandoned_calls to gw_worker;
grant select (org_id), delete on public.abandoned_calls to gw_resolver;

-- Twilio, Plivo and Vonage end a call themselves when its person does not answer; at Telnyx that is ours to do.
create function app.note_abandoned() returns trigger
language plpgsql
as $$
begin
    insert into public.abandoned_calls (org_id, call_id) values (new.org_id, new.id) on conflict do nothing;
    return null;
end
$$;

create trigger call_abandoned after update of end_reason on public.calls
    for each row when (
        old.end_reason is null
        and (new.end_reason = 'lost' and new.carrier in ('twilio', 'plivo', 'telnyx', 'vonage')
            or new.end_reason = 'transferred' and new.carrier = 'telnyx'))
    execute function app.note_abandoned();

create function app.due_abandoned_calls(p_limit integer) returns table (org_id uuid, call_id uuid)
language sql stable
as $$
    select a.org_id, a.call_id from public.abandoned_calls a
    where a.next_at <= now() order by a.next_at limit least(greatest(p_limit, 0), 1000)
$$;

grant execute on function app.due_abandoned_calls(integer) to gw_worker;
