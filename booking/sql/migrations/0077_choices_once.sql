-- A STOP or START that the carrier hands on once more changes nothing more, whatever the sender has said since: it is known by
-- a digest of the carrier's id of the message. Of a number that never said STOP nothing is kept, as before.
--
-- Way back: drop functions app.opt_out_of_texts(uuid, bytea[], bytea), app.opt_in_to_texts(uuid, bytea[], bytea),
-- app.has_said(uuid, bytea[], bytea), app.note_said(uuid, bytea[], bytea); alter table public.text_opt_outs drop column said.
-- Older replicas take each word as a new one.

alter table public.text_opt_outs add column said bytea[] not null default '{}';

comment on column public.text_opt_outs.said is 'SHA-256 of the carrier''s ids of the last messages that said STOP or START';

grant update (said) on public.text_opt_outs to gw_app;

create function app.has_said(p_org uuid, p_digests bytea[], p_message bytea) returns boolean
language sql stable
as $$
    select exists (
        select from public.text_opt_outs o
        where o.org_id = p_org and o.receiver_digest = any (p_digests) and p_message = any (o.said))
$$;

create function app.note_said(p_org uuid, p_digests bytea[], p_message bytea) returns void
language sql volatile
as $$
    update public.text_opt_outs o set said = (o.said || p_message)[greatest(cardinality(o.said) - 14, 1):]
    where o.org_id = p_org and o.receiver_digest = any (p_digests)
$$;

-- As with two arguments; `p_message`: which message says so. False if it has said so before, too. That the org is
-- the armed one they check.
create function app.opt_out_of_texts(p_org uuid, p_digests bytea[], p_message bytea) returns boolean
language plpgsql volatile
as $$
declare
    v_new boolean;
begin
    perform pg_advisory_xact_lock(hashtextextended('texts ' || p_org || encode(p_digests[1], 'hex'), 0));
    if app.has_said(p_org, p_digests, p_message) then
        return false;
    end if;
    v_new := app.opt_out_of_texts(p_org, p_digests);
    perform app.note_said(p_org, p_digests, p_message);
    return v_new;
end
$$;

create function app.opt_in_to_texts(p_org uuid, p_digests bytea[], p_message bytea) returns boolean
language plpgsql volatile
as $$
declare
    v_new boolean;
begin
    perform pg_advisory_xact_lock(hashtextextended('texts ' || p_org || encode(p_digests[1], 'hex'), 0));
    if app.has_said(p_org, p_digests, p_message) then
        return false;
    end if;
    v_new := app.opt_in_to_texts(p_org, p_digests);
    perform app.note_said(p_org, p_digests, p_message);
    return v_new;
end
$$;

grant execute on function
    app.has_said(uuid, bytea[], bytea),
    app.note_said(uuid, bytea[], bytea),
    app.opt_out_of_texts(uuid, bytea[], bytea),
    app.opt_in_to_texts(uuid, bytea[], bytea)
to gw_app;
