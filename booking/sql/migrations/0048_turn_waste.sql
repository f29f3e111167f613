-- What a turn cost in vain stands with the turn: whether its reply was begun on a guess, and what guesses that were thrown away
-- since the turn before had cost at the model and at the synthesiser.
--
-- Way back: drop function app.keep_turn(uuid, uuid, integer, jsonb, text, jsonb, double precision, double precision, text,
-- integer, integer); alter table public.call_turns drop column speculated, drop column wasted_tokens, drop column
-- wasted_characters. Older replicas store turns by store_turn, as ever; theirs tell of no guess.

alter table public.call_turns
    add column speculated text not null default 'none'
        check (speculated in ('none', 'eager', 'interim', 'thrown')),
    add column wasted_tokens integer not null default 0 check (wasted_tokens >= 0),
    add column wasted_characters integer not null default 0 check (wasted_characters >= 0);

comment on column public.call_turns.speculated is
    'whether the reply was begun before the turn''s end: no, at its eager end, from words at rest, or only such as were thrown away';
comment on column public.call_turns.wasted_tokens is 'of guesses thrown away since the turn before: at the model, about, prompts too';
comment on column public.call_turns.wasted_characters is 'of the same guesses: given to the synthesiser';

-- As store_turn, which also checks the org, with what the turn cost in vain.
create function app.keep_turn(
    p_org uuid, p_call uuid, p_turn integer, p_said jsonb, p_outcome text, p_stages_s jsonb,
    p_ttfb_ms double precision, p_overhead_ms double precision, p_speculated text, p_wasted_tokens integer,
    p_wasted_characters integer
) returns void
language plpgsql volatile
as $$
begin
    perform app.store_turn(p_org, p_call, p_turn, p_said, p_outcome, p_stages_s, p_ttfb_ms, p_overhead_ms);
    update public.call_turns t
    set speculated = p_speculated, wasted_tokens = p_wasted_tokens, wasted_characters = p_wasted_characters
    where t.org_id = p_org and t.call_id = p_call and t.turn = p_turn;
end
$$;

grant execute on function app.keep_turn(
    uuid, uuid, integer, jsonb, text, jsonb, double precision, double precision, text, integer, integer
) to gw_app;
