-- What a clinic lets the agent know can be searched: documents in passages, and an index of their words.
--
-- The index is a table of ours, not a GIN index over tsvector. Under row security PostgreSQL uses an index only for
-- operators that are leakproof; `@@`, `&&` and `<@` are not, so that a GIN index would never be read by gw_app, and one read
-- by a definer would walk the passages of all clinics. uuid and text equality are leakproof: `knowledge_terms` is read by
-- (org_id, term) under the same policy as everything else, and what a search reads grows with the clinic alone. Words are
-- what PostgreSQL's full-text search makes of them (stemmed, stop words left out). Ranking is BM25 (Robertson & Zaragoza 2009,
-- section 3.5; k1 = 1.2, b = 0.75) with the clinic's own frequencies, so that a rare word tells more than a common one; a
-- word of the heading counts as three.
--
-- A trigger keeps the index, so that passages written by hand are found too.
--
-- Way back: drop the functions named at the end, trigger words on public.knowledge_chunks and app.index_chunk(); drop table
-- public.knowledge_terms; alter table public.knowledge_chunks drop constraint chunks_document, drop constraint chunks_id,
-- drop column heading, drop column words; drop table public.knowledge_documents. Older replicas look at none of it.

create table public.knowledge_documents (
    org_id uuid not null references public.organizations (org_id),
    source text not null check (length(source) between 1 and 500),
    title text not null check (length(title) between 1 and 500),
    digest bytea check (length(digest) = 32),
    loaded_at timestamptz not null default clock_timestamp(),
    primary key (org_id, source)
);

comment on column public.knowledge_documents.digest is 'SHA-256 of what was loaded: the same again changes nothing';

alter table public.knowledge_chunks
    add column heading text not null default '' check (length(heading) <= 500),
    add column words integer not null default 0 check (words >= 0),
    add constraint chunks_id unique (org_id, id);

-- What is there already belongs to a document of its source's name.
alter table public.knowledge_chunks no force row level security;
insert into public.knowledge_documents (org_id, source, title)
select distinct c.org_id, c.source, c.source from public.knowledge_chunks c;
alter table public.knowledge_chunks
    add constraint chunks_document foreign key (org_id, source)
        references public.knowledge_documents (org_id, source) on delete cascade;
alter table public.knowledge_chunks force row level security;

create table public.knowledge_terms (
    org_id uuid not null references public.organizations (org_id),
    term text not null,
    chunk_id uuid not null,
    hits integer not null check (hits > 0),
    primary key (org_id, term, chunk_id),
    foreign key (org_id, chunk_id) references public.knowledge_chunks (org_id, id) on delete cascade
);

create index terms_by_chunk on public.knowledge_terms (org_id, chunk_id);

-- The words of a text and how often each is in it. The one place where the language of the search is set.
create function app.knowledge_words(p_text text) returns table (term text, hits integer)
language sql immutable parallel safe
as $$
    select w.lexeme, cardinality(w.positions) from unnest(to_tsvector('pg_catalog.english', p_text)) w
$$;

create function app.index_chunk() returns trigger
language plpgsql
as $$
begin
    delete from public.knowledge_terms t where t.org_id = new.org_id and t.chunk_id = new.id;
    insert into public.knowledge_terms (org_id, term, chunk_id, hits)
    select new.org_id, w.term, new.id, sum(w.hits)
    from (
        select b.term, b.hits from app.knowledge_words(new.body) b
        union all
        select h.term, 3 * h.hits from app.knowledge_words(new.heading) h
    ) w
    where length(w.term) <= 200
    group by w.term;
    update public.knowledge_chunks c
    set words = (select coalesce(sum(t.hits), 0) from public.knowledge_terms t
                 where t.org_id = new.org_id and t.chunk_id = new.id)
    where c.org_id = new.org_id and c.id = new.id;
    return null;
end
$$;

create trigger words after insert or update of heading, body on public.knowledge_chunks
    for each row execute function app.index_chunk();

alter table public.knowledge_documents enable row level security;
alter table public.knowledge_documents force row level security;
create policy tenant on public.knowledge_documents using (org_id = (select app.org_id()));

alter table public.knowledge_terms enable row level security;
alter table public.knowledge_terms force row level security;
create policy tenant on public.knowledge_terms using (org_id = (select app.org_id()));

grant select, insert, update, delete on public.knowledge_documents, public.knowledge_terms to gw_app;

-- The words of passages that were there before.
alter table public.knowledge_chunks no force row level security;
alter table public.knowledge_terms no force row level security;
update public.knowledge_chunks c set body = c.body;
alter table public.knowledge_chunks force row level security;
alter table public.knowledge_terms force row level security;

-- Puts a document in place of what its source held before. False if that was the very same: then nothing is changed.
create function app.put_knowledge(
    p_org uuid, p_source text, p_title text, p_digest bytea, p_headings text[], p_bodies text[]
)
returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    insert into public.knowledge_documents as d (org_id, source, title, digest)
    values (p_org, p_source, p_title, p_digest)
    on conflict (org_id, source) do update
        set title = excluded.title, digest = excluded.digest, loaded_at = clock_timestamp()
        where d.digest is distinct from excluded.digest or d.title <> excluded.title;
    if not found then
        return false;
    end if;
    delete from public.knowledge_chunks c where c.org_id = p_org and c.source = p_source;
    insert into public.knowledge_chunks (org_id, source, position, heading, body)
    select p_org, p_source, p.place - 1, p.heading, p.body
    from unnest(p_headings, p_bodies) with ordinality p (heading, body, place);
    return true;
end
$$;

create function app.remove_knowledge(p_org uuid, p_source text) returns boolean
language plpgsql volatile
as $$
begin
    perform app.require_org(p_org);
    delete from public.knowledge_documents d where d.org_id = p_org and d.source = p_source;
    return found;
end
$$;

create function app.list_knowledge(p_org uuid)
returns table (source text, title text, chunks bigint, loaded_at timestamptz)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select d.source, d.title,
               (select count(*) from public.knowledge_chunks c where c.org_id = p_org and c.source = d.source),
               d.loaded_at
        from public.knowledge_documents d where d.org_id = p_org order by d.source;
end
$$;

-- The passages that have most to do with a text, best first; none that shares no word with it.
create function app.search_knowledge(p_org uuid, p_text text, p_limit integer)
returns table (id uuid, source text, heading text, body text, score double precision)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    v_chunks double precision;
    v_words double precision;
begin
    perform app.require_org(p_org);
    select count(*), greatest(avg(c.words), 1) into v_chunks, v_words
    from public.knowledge_chunks c where c.org_id = p_org;
    return query
        with asked as materialized (
            select w.term from app.knowledge_words(p_text) w limit 64
        ), found as materialized (
            select t.term, t.chunk_id, t.hits, count(*) over (partition by t.term) as chunks
            from asked a join public.knowledge_terms t on t.org_id = p_org and t.term = a.term
        ), ranked as (
            select f.chunk_id,
                   sum(ln(1 + (v_chunks - f.chunks + 0.5) / (f.chunks + 0.5))
                       * f.hits * 2.2 / (f.hits + 1.2 * (0.25 + 0.75 * c.words / v_words))) as score
            from found f join public.knowledge_chunks c on c.org_id = p_org and c.id = f.chunk_id
            group by f.chunk_id
            order by score desc, f.chunk_id
            limit least(greatest(p_limit, 0), 50)
        )
        select c.id, c.source, c.heading, c.body, r.score
        from ranked r join public.knowledge_chunks c on c.org_id = p_org and c.id = r.chunk_id
        order by r.score desc, c.id;
end
$$;

grant execute on function
    app.knowledge_words(text),
    app.put_knowledge(uuid, text, text, bytea, text[], text[]),
    app.remove_knowledge(uuid, text),
    app.list_knowledge(uuid),
    app.search_knowledge(uuid, text, integer)
to gw_app;
