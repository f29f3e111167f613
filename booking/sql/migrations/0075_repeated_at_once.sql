-- What is told twice at the same moment is kept once, and neither teller fails. These tables know a row by its id, and by its
-- org and id, which foreign keys need. `on conflict (id)` looks at the first index alone: of two inserts at once that both find
-- nothing there, the later one meets the other index and fails with 23505. Without a target, all are looked at.
--
-- Way back: the same with 'on conflict do nothing' for the pattern and 'on conflict (id) do nothing' for what replaces it
-- (call_id in end_follow_up, open_follow_up, open_vapi_call). Older replicas notice nothing.

do $$
declare
    v_function regprocedure;
begin
    for v_function in
        select p.oid from pg_proc p
        where p.pronamespace = 'app'::regnamespace and p.proname in (
            'open_call', 'record_sms', 'record_text', 'keep_values', 'open_follow_up', 'end_follow_up', 'note_call_consent',
            'keep_reply', 'keep_voicemail', 'open_vapi_call', 'ask_handover', 'open_recording'
        )
    loop
        execute regexp_replace(
            pg_get_functiondef(v_function), 'on conflict \((id|call_id)\) do nothing', 'on conflict do nothing', 'g'
        );
    end loop;
end
$$;
