-- A search of many passages reads indexes alone.
--
-- Ranking asks of each passage that shares a word how long it is, and of the clinic how many passages it has and how long they
-- are. Both were read from the passages themselves, whose text stands between the numbers: at 20,000 passages a search was
-- mostly the fetching of pages. The length now stands beside each word, in the key that finds it, and the clinic's figures come
-- from an index that holds nothing else.
--
-- Way back: put app.index_chunk() and app.search_knowledge(uuid, text, integer) as 0040 has them; drop index
-- public.chunks_by_length; alter table public.knowledge_terms drop constraint knowledge_terms_pkey, add primary key (org_id, term,
-- chunk_id), drop column words. Older replicas call the same functions.

alter table public.knowledge_terms add column words integer not null default 0 check (words >= 0);

comment on column public.knowledge_terms.words is 'how long its passage is, as knowledge_chunks.words';

alter table public.knowledge_chunks no force row level security;
alter table public.knowledge_terms no force row level security;
update public.knowledge_terms t set words = c.words
from public.knowledge_chunks c where c.org_id = t.org_id and c.id = t.chunk_id;
alter table public.knowledge_chunks force row level security;
alter table public.knowledge_terms force row level security;

alter table public.knowledge_terms
    drop constraint knowledge_terms_pkey,
    add primary key (org_id, term, chunk_id) include (hits, words);

create index chunks_by_length on public.knowledge_chunks (org_id) include (words);

create or replace function app.index_chunk() returns trigger
language plpgsql
as $$
declare
    v_words integer;
begin
    delete from public.knowledge_terms t where t.org_id = new.org_id and t.chunk_id = new.id;
    with counted as (
        select w.term, sum(w.hits) as hits
        from (
            select b.term, b.hits from app.knowledge_words(new.body) b
            union all
            select h.term, 3 * h.hits from app.knowledge_words(new.heading) h
        ) w
        where length(w.term) <= 200
        group by w.term
    ), kept as (
        insert into public.knowledge_terms (org_id, term, chunk_id, hits, words)
        select new.org_id, c.term, new.id, c.hits, sum(c.hits) over () from counted c
        returning words
    )
    select coalesce(max(k.words), 0) into v_words from kept k;
    update public.knowledge_chunks c set words = v_words where c.org_id = new.org_id and c.id = new.id;
    return null;
end
$$;

create or replace function app.search_knowledge(p_org uuid, p_text text, p_limit integer)
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
            select t.term, t.chunk_id,
                   t.hits * 2.2::float8 / (t.hits + 1.2::float8 * (0.25::float8 + 0.75::float8 * t.words / v_words)) as part
            from asked a join public.knowledge_terms t on t.org_id = p_org and t.term = a.term
        ), rarity as (
            select f.term, ln(1 + (v_chunks - count(*) + 0.5::float8) / (count(*) + 0.5::float8)) as weight
            from found f group by f.term
        ), ranked as (
            select f.chunk_id, sum(r.weight * f.part) as score
            from found f join rarity r on r.term = f.term
            group by f.chunk_id
            order by score desc, f.chunk_id
            limit least(greatest(p_limit, 0), 50)
        )
        select c.id, c.source, c.heading, c.body, r.score
        from ranked r join public.knowledge_chunks c on c.org_id = p_org and c.id = r.chunk_id
        order by r.score desc, c.id;
end
$$;
