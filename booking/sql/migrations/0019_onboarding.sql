-- A clinic is taken on and kept up by the application's own role, one org at a time: what row level security lets it
-- see, and of that the columns named here. Ids, orgs and instants of rows that stand cannot be changed; nothing is
-- deleted but numbers that are given up.
--
-- Which org a request may speak for, and who may make one or give it a number, is decided where tokens are checked: a
-- row of another org stays out of reach whatever is decided there.
--
-- Way back: revoke insert, update on public.organizations, public.services, public.practitioners from gw_app (0018 has
-- granted update (all_services) on the last, which stays); revoke insert, delete on public.phone_numbers from gw_app.
-- Older replicas make no use of it.

grant insert (org_id, name, time_zone, greeting, agent_name, voice),
    update (name, time_zone, greeting, agent_name, voice)
    on public.organizations to gw_app;

grant insert (org_id, number), delete on public.phone_numbers to gw_app;

grant insert (id, org_id, name, synonyms, minutes, active, guide_url),
    update (name, synonyms, minutes, active, guide_url)
    on public.services to gw_app;

grant insert (id, org_id, name, active), update (name, active) on public.practitioners to gw_app;
