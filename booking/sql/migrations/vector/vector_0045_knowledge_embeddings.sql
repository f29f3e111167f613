-- Passages are found by their meaning too: their embeddings, where the database has the extension vector (pgvector 0.7 or newer).
--
-- A search compares with every passage of the clinic, exactly: they are some thousands at most, and row security lets an index of
-- vectors (HNSW) answer for all clinics alone, most of whose answers it then throws away. So vectors stand in the row itself, not
-- in TOAST, where each would be fetched by itself. They have length one: then the inner product is the cosine, and costs less. Each
-- belongs to the model that made it; those of two models cannot be compared, and are never.
--
-- The extension stands in whatever schema it was put into: that one is the search path here, and of the functions that name its
-- types and operators.
--
-- Way back: drop the functions named at the end, trigger meaning on public.knowledge_chunks and app.forget_embedding(); drop table
-- public.knowledge_embeddings. Older replicas look at none of it.

do $$
declare
    v_schema name := (
        select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'vector');
begin
    if not has_schema_privilege('gw_app', v_schema, 'usage') then
        execute format('grant usage on schema %I to gw_app', v_schema);
    end if;
end
$$;

create table public.knowledge_embeddings (
    org_id uuid not null references public.organizations (org_id),
    model text not null check (length(model) between 1 and 200),
    chunk_id uuid not null,
    embedding halfvec not null
        check (vector_dims(embedding) <= 3072) check (l2_norm(embedding) between 0.99 and 1.01),
    primary key (org_id, model, chunk_id),
    foreign key (org_id, chunk_id) references public.knowledge_chunks (org_id, id) on delete cascade
);

alter table public.knowledge_embeddings alter column embedding set storage plain;

comment on column public.knowledge_embeddings.model is 'what made it; after a slash how many dimensions were asked for';

create index embeddings_by_chunk on public.knowledge_embeddings (org_id, chunk_id);

alter table public.knowledge_embeddings enable row level security;
alter table public.knowledge_embeddings force row level security;
create policy tenant on public.knowledge_embeddings using (org_id = (select app.org_id()));

grant select, insert, update, delete on public.knowledge_embeddings to gw_app;

-- A passage that reads otherwise than it did means something else.
create function app.forget_embedding() returns trigger
language plpgsql
as $$
begin
    delete from public.knowledge_embeddings e where e.org_id = new.org_id and e.chunk_id = new.id;
    return null;
end
$$;

create trigger meaning after update of heading, body on public.knowledge_chunks
    for each row when (old.heading <> new.heading or old.body <> new.body)
    execute function app.forget_embedding();

-- Passages that have none of this model yet, in reading order.
create function app.unembedded_knowledge(p_org uuid, p_model text, p_limit integer)
returns table (id uuid, heading text, body text)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    perform app.require_org(p_org);
    return query
        select c.id, c.heading, c.body from public.knowledge_chunks c
        where c.org_id = p_org and not exists (
            select from public.knowledge_embeddings e
            where e.org_id = p_org and e.model = p_model and e.chunk_id = c.id)
        order by c.source, c.position
        limit least(greatest(p_limit, 0), 1000);
end
$$;

-- How many were kept: a passage that has gone meanwhile keeps none.
create function app.put_embeddings(p_org uuid, p_model text, p_chunks uuid[], p_vectors text[]) returns integer
language plpgsql volatile set search_path from current
as $$
declare
    v_kept integer;
begin
    perform app.require_org(p_org);
    with there as materialized (
        select c.id from public.knowledge_chunks c where c.org_id = p_org and c.id = any (p_chunks) for key share
    )
    insert into public.knowledge_embeddings (org_id, model, chunk_id, embedding)
    select p_org, p_model, p.chunk_id, p.vector::halfvec
    from unnest(p_chunks, p_vectors) p (chunk_id, vector) join there t on t.id = p.chunk_id
    on conflict (org_id, model, chunk_id) do update set embedding = excluded.embedding;
    get diagnostics v_kept = row_count;
    return v_kept;
end
$$;

-- Embeddings that another model made. How many went.
create function app.drop_other_embeddings(p_org uuid, p_model text) returns integer
language plpgsql volatile
as $$
declare
    v_gone integer;
begin
    perform app.require_org(p_org);
    delete from public.knowledge_embeddings e where e.org_id = p_org and e.model <> p_model;
    get diagnostics v_gone = row_count;
    return v_gone;
end
$$;

-- The passages whose meaning is nearest, best first. `score`: the cosine, 1 for the same direction.
create function app.search_embeddings(p_org uuid, p_model text, p_vector real[], p_limit integer)
returns table (id uuid, source text, heading text, body text, score double precision)
language plpgsql stable set search_path from current
as $$
#variable_conflict use_column
declare
    v_vector halfvec;
begin
    perform app.require_org(p_org);
    v_vector := p_vector::halfvec;
    return query
        with nearest as materialized (
            select e.chunk_id, e.embedding <#> v_vector as distance
            from public.knowledge_embeddings e
            where e.org_id = p_org and e.model = p_model and vector_dims(e.embedding) = vector_dims(v_vector)
            order by distance, e.chunk_id
            limit least(greatest(p_limit, 0), 50)
        )
        select c.id, c.source, c.heading, c.body, - n.distance
        from nearest n join public.knowledge_chunks c on c.org_id = p_org and c.id = n.chunk_id
        order by n.distance, c.id;
end
$$;

grant execute on function
    app.unembedded_knowledge(uuid, text, integer),
    app.put_embeddings(uuid, text, uuid[], text[]),
    app.drop_other_embeddings(uuid, text),
    app.search_embeddings(uuid, text, real[], integer)
to gw_app;
