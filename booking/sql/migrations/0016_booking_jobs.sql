-- An appointment that is made, moved or cancelled has its calendar brought up to date, by a job enqueued in the
-- transaction that changes it, whoever does.
--
-- Way back: drop trigger calendar_follows on public.appointments; drop function app.push_to_calendar.

create function app.push_to_calendar() returns trigger
language plpgsql volatile
as $$
begin
    perform app.enqueue('calendar_push', new.id);
    return null;
end
$$;

create trigger calendar_follows after insert or update of status on public.appointments
    for each row execute function app.push_to_calendar();
