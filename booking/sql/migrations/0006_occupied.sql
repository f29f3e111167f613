-- Row level security lets an index serve only what its operators cannot leak. Equality and comparison of plain values
-- are such, those of ranges are not: the constraint's index guards the table, but this look-up needs one of its own.

create index live_by_practitioner on public.appointment_holds (practitioner_number, starts_at)
    where (state in ('held', 'booked'));

-- Live holds and bookings of a practitioner that meet an interval, as the constraint `no_overlap` means it. `at`: an
-- expired hold is not live. None lasts over 12 hours (slots say so), which bounds the stretch of index to be read.
create or replace function app.occupied(
    p_number integer, p_starts timestamptz, p_ends timestamptz, p_at timestamptz
)
returns setof public.appointment_holds
language sql stable
as $$
    select h.* from public.appointment_holds h
    where h.practitioner_number = p_number
      and h.starts_at > p_starts - interval '12 hours' and h.starts_at < p_ends and h.ends_at > p_starts
      and h.state in ('held', 'booked')
      and (h.state = 'booked' or h.expires_at > p_at)
$$;
